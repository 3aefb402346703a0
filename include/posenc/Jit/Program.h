//===- Program.h - From a module to something that runs ---------*- C++ -*-===//

#ifndef POSENC_JIT_PROGRAM_H
#define POSENC_JIT_PROGRAM_H

#include "posenc/Jit/Jit.h"
#include "posenc/Jit/ObjectCache.h"

namespace posenc {

struct ProgramOptions : CompileOptions {
  /// The pipeline that lowers the module: a registered name with options, as in
  /// "posenc-cpu{to=llvm}", or "builtin.module(...)"; empty runs none.
  std::string pipeline;
  /// What kernels, the gpu.modules that are left after the pipeline, become:
  /// "llvm" (bitcode), "isa" (PTX) or "bin"; empty: there must be none.
  std::string deviceFormat;
  /// Libraries that compiled code may call, besides what the process has
  /// loaded.
  llvm::SmallVector<std::string> sharedLibs;
  /// Where to look for what was compiled before, and to keep it; may be null.
  /// Programs with kernels are not kept.
  ObjectCache *cache = nullptr;
};

/// The seconds that the steps to a program took.
struct BuildTimes {
  double cache = 0; ///< to find the object; the steps up to `load` took no time then
  double pipeline = 0;
  double device = 0;
  double compile = 0;
  double load = 0;
};

/// A loaded module and one of its functions.
struct Program {
  EntryPoint entry;
  std::unique_ptr<Jit> jit;
  BuildTimes times;

  /// Lowers `module`, in place, compiles and loads it. `entry` is the name of
  /// the function, or empty if the module has only one. Pass manager flags of
  /// the command line apply. Diagnostics of passes come before the error.
  static llvm::Expected<Program> build(mlir::ModuleOp module,
                                       llvm::StringRef entry,
                                       const ProgramOptions &options);
};

} // namespace posenc

#endif // POSENC_JIT_PROGRAM_H
