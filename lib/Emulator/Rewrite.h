//===- Rewrite.h - Kernels as host code -------------------------*- C++ -*-===//

#ifndef POSENC_LIB_EMULATOR_REWRITE_H
#define POSENC_LIB_EMULATOR_REWRITE_H

#include "Checker.h"
#include "Counts.h"
#include "Kernel.h"
#include "Model.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/Error.h"

#include <deque>

namespace posenc::emulator {

/// A load, store or atomic of a kernel.
struct AccessSite {
  int bytes, alignment;
  Access kind;
  std::string what;
};

/// What compiled kernels refer to by address.
struct CodeTables {
  std::deque<CallSite> calls;
  std::deque<AccessSite> accesses;
  /// How often each basic block was entered, and what is in it.
  std::deque<uint64_t> entries;
  std::vector<std::array<uint32_t, NumClasses>> contents;
  std::vector<Kernel> kernels;
};

/// The function of a rewritten module that takes a kernel's arguments by address.
std::string getEntryName(llvm::StringRef kernel);

/// Joins accesses of a thread to neighbouring memory, as the generator of PTX does.
/// Comes first: the module is still for NVPTX.
void joinAccesses(llvm::Module &module);

/// Turns a module for NVPTX into one for the host: instructions of PTX become
/// calls of their models, and variables in shared memory addresses relative to
/// that of the block. Address spaces stay; the host has them all in one. With
/// `check` or `count`, every access to memory also becomes known to the emulator.
/// Fails, naming it, if there is no model for something.
llvm::Error rewrite(llvm::Module &module, bool check, bool count, CodeTables &tables);

} // namespace posenc::emulator

#endif // POSENC_LIB_EMULATOR_REWRITE_H
