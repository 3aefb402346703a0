//===- Memory.h - The global memory of the emulated device ------*- C++ -*-===//

#ifndef POSENC_LIB_EMULATOR_MEMORY_H
#define POSENC_LIB_EMULATOR_MEMORY_H

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace posenc::emulator {

/// A range of addresses that kernels may use.
struct Buffer {
  char *begin = nullptr;
  uint64_t bytes = 0;
  std::string name; // of a variable of a module; empty: allocated
  bool isWritable = true;
  /// Which bytes have a value; empty: all.
  std::vector<char> isWritten;
};

class Memory {
public:
  /// How much there may be. A device has no more, either.
  static constexpr uint64_t kLimit = uint64_t(16) << 30;

  ~Memory();

  /// Null if there is not that much. With `isTracked`, bytes have no value, which
  /// is to say NaN, until they are written.
  char *allocate(uint64_t bytes, bool isTracked);
  /// False if nothing was allocated there.
  bool free(void *memory);

  void addVariable(Buffer variable) { buffers[variable.begin] = std::move(variable); }
  void removeVariable(char *begin) { buffers.erase(begin); }

  /// The buffer that `address` is in, or else the one that begins last before it;
  /// null if there is none.
  Buffer *find(const void *address);
  void markWritten(void *address, uint64_t bytes);

  /// What launches may change, to launch again.
  struct Snapshot {
    std::map<char *, std::pair<std::vector<char>, std::vector<char>>> contents;
  };
  Snapshot save() const;
  void restore(const Snapshot &snapshot);

private:
  std::map<char *, Buffer> buffers;
  uint64_t used = 0;
};

} // namespace posenc::emulator

#endif // POSENC_LIB_EMULATOR_MEMORY_H
