//===- Counts.h - What kernels execute --------------------------*- C++ -*-===//

#ifndef POSENC_LIB_EMULATOR_COUNTS_H
#define POSENC_LIB_EMULATOR_COUNTS_H

#include "Block.h"

#include <array>
#include <deque>
#include <map>

namespace llvm {
class raw_ostream;
}

namespace posenc::emulator {

/// Kinds of instructions of compiled code that have no model.
enum InstructionClass { Float, Special, Integer, Memory_, Control, NumClasses };

/// Counts what a device would be busy with. Accesses of the threads of a warp to
/// memory at the same place, for the same time, are one access of the warp: to
/// global memory as many transactions as it touches sectors of 32 bytes, to
/// shared memory as many turns as one of the 32 banks of 4 bytes needs. Turns
/// beyond those that the size alone needs are conflicts.
class Counts {
public:
  struct Kernel {
    uint64_t launches = 0, blocks = 0, threads = 0;
    std::array<uint64_t, NumClasses> instructions = {}; // of threads
    std::map<std::string, uint64_t> models;             // of threads
    struct Space {
      uint64_t accesses = 0, bytes = 0, transactions = 0, conflicts = 0;
    };
    Space globalLoads, globalStores, sharedLoads, sharedStores;
  };

  Kernel &enterLaunch(const std::string &name) {
    current = &kernels[name];
    return *current;
  }
  /// Finishes accesses that not all threads of a warp have made.
  void leaveBlock(Block &block);

  void addAccess(Block &block, const void *site, const void *address, int bytes, bool isWrite);
  void addCopy(Block &block, const CallSite &site, const Copy &copy);
  void addMatrices(Block &block, const CallSite &site, const Rendezvous &warp, int matrices,
                   bool isWrite);
  void addModel(const std::string &name) { ++current->models[name]; }

  void print(llvm::raw_ostream &os) const;

private:
  struct WarpAccess {
    uint32_t lanes = 0;
    const char *addresses[kWarpSize];
    int bytes = 0;
    bool isWrite = false;
  };
  /// What one instruction has done for one warp, as far as some of its threads
  /// have not done it yet.
  struct Stream {
    uint64_t finished = 0;
    uint64_t reached[kWarpSize] = {};
    std::deque<WarpAccess> open;
  };

  void finish(Block &block, const WarpAccess &access);

  std::map<std::string, Kernel> kernels;
  Kernel *current = nullptr;
  std::map<std::pair<const void *, int>, Stream> streams;
};

} // namespace posenc::emulator

#endif // POSENC_LIB_EMULATOR_COUNTS_H
