//===- Emulator.h - A GPU that needs none -----------------------*- C++ -*-===//

#ifndef POSENC_EMULATOR_H
#define POSENC_EMULATOR_H

#include "posenc/Device.h"
#include "llvm/Support/raw_ostream.h"

namespace posenc {

struct EmulatorOptions {
  /// Looks at every access to memory, runs each launch under two schedules, and
  /// reports the first thing that is wrong. Blocks run one after the other.
  bool check = false;
  /// Counts instructions, transactions and bank conflicts.
  bool count = false;
  /// Host threads that blocks are spread over; 0: one per processor.
  unsigned threads = 0;
};

/// A device of one processor, whose modules are LLVM bitcode for NVPTX: kernels
/// run as host code in which models stand for the instructions of PTX.
class Emulator : public Device {
public:
  static std::unique_ptr<Emulator> create(const EmulatorOptions &options);
  virtual void printCounts(llvm::raw_ostream &os) const = 0;
};

} // namespace posenc

#endif // POSENC_EMULATOR_H
