//===- Checker.h - Finds what a device would not report ---------*- C++ -*-===//

#ifndef POSENC_LIB_EMULATOR_CHECKER_H
#define POSENC_LIB_EMULATOR_CHECKER_H

#include "Block.h"
#include "Memory.h"

#include <unordered_map>

namespace posenc::emulator {

enum class Access { Read, Write, Atomic };

/// Looks at every access to memory of one launch. An access is wrong if it is
/// misaligned or out of bounds, if it reads what nobody has written, or if
/// another thread's access to the same byte, one of the two a write, did not
/// happen before it: then nothing but luck orders them, whatever order they were
/// run in. What orders threads are barriers, mbarriers and atomics.
class Checker {
public:
  explicit Checker(Memory &memory) : memory(memory) {}

  /// Forgets shared memory and the threads of other blocks.
  void enterBlock(Block &block);

  /// The current thread accesses `bytes` bytes; `what` is the instruction.
  void access(Block &block, const void *address, int bytes, int alignment, Access kind,
              const char *what);

  /// Copies read when they start, and write at some time until they finish.
  void startCopy(Block &block, const Copy &copy, const char *what);
  void finishCopy(Thread &owner, const Copy &copy);

  /// The current thread is at a barrier that its whole warp must be at.
  void enterAligned(Block &block, const CallSite &site);

private:
  /// When which thread did something; time 0 is never.
  struct Epoch {
    uint32_t time = 0;
    uint16_t thread = 0;
    uint16_t block : 15, isAtomic : 1;
    Epoch() : block(0), isAtomic(0) {}
  };
  /// The last accesses to a byte. Of reads, one of each warp, modulo 4.
  struct Cell {
    Epoch write, reads[4];
    uint16_t copier = 0; // 1 + the thread whose copy writes it just now
  };
  static constexpr uintptr_t kPageBytes = 256;
  struct Page {
    Cell cells[kPageBytes];
  };
  /// What the atomics to an address have made known to those that follow.
  struct Release {
    int block = -1;
    Clock clock;
    std::vector<bool> blocks;
  };
  /// The barriers of a warp that some of its lanes, but not all, have come to,
  /// and how many each lane has come to.
  struct Arrivals {
    std::deque<const CallSite *> sites;
    uint64_t finished = 0;
    uint64_t reached[kWarpSize] = {};
  };

  Cell &getCell(Block &block, const char *address);
  void checkBounds(Block &block, const char *address, int bytes, Access kind, const char *what);
  void checkCell(Block &block, const char *address, Cell &cell, Access kind, const char *what);
  bool isOrdered(const Epoch &epoch, const Thread &thread) const;
  Epoch now(const Thread &thread, bool isAtomic) const;
  void synchronize(Block &block, const void *address);
  std::string describe(Block &block, const char *address);

  Memory &memory;
  std::vector<Cell> shared;
  std::unordered_map<uintptr_t, Page> pages; // of global memory
  std::unordered_map<const void *, Release> releases;
  std::vector<bool> seenBlocks; // ordered before the current one, by atomics
  int blockNumber = 0;
  std::vector<Arrivals> arrivals; // by warp
};

} // namespace posenc::emulator

#endif // POSENC_LIB_EMULATOR_CHECKER_H
