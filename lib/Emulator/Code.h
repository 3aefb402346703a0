//===- Code.h - A module that the emulator has loaded -----------*- C++ -*-===//

#ifndef POSENC_LIB_EMULATOR_CODE_H
#define POSENC_LIB_EMULATOR_CODE_H

#include "Rewrite.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"

namespace posenc::emulator {

class Code {
public:
  /// Compiles bitcode for NVPTX. Its variables become known to `memory`.
  static llvm::Expected<std::unique_ptr<Code>> load(llvm::StringRef bitcode, bool check,
                                                    bool count, Memory &memory);
  ~Code();

  /// Null if there is none.
  const Kernel *findKernel(llvm::StringRef name) const;

  /// Adds what was executed since the last call.
  void takeCounts(Counts::Kernel &counts);

private:
  explicit Code(Memory &memory) : memory(memory) {}

  Memory &memory;
  CodeTables tables;
  std::vector<char *> variables;
  std::unique_ptr<llvm::orc::LLJIT> jit;
};

} // namespace posenc::emulator

#endif // POSENC_LIB_EMULATOR_CODE_H
