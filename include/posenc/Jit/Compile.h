//===- Compile.h - From the LLVM dialect to optimised LLVM IR ---*- C++ -*-===//

#ifndef POSENC_JIT_COMPILE_H
#define POSENC_JIT_COMPILE_H

#include "mlir/IR/BuiltinOps.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/Error.h"
#include "llvm/Target/TargetMachine.h"

#include <memory>
#include <string>

namespace posenc {

struct CompileOptions {
  /// The processor to compile for; empty or "native" is the one that runs this.
  std::string cpu;
  /// Features to add or remove, as in "+avx2,-fma"; those of a native processor
  /// are always included.
  std::string features;
  /// 0 to 3.
  unsigned optLevel = 3;
};

/// A target machine for this host's operating system and architecture, which
/// generates position-independent code. Fails for a processor that LLVM does
/// not know. A function's own `target_cpu` and `target_features` win over it.
llvm::Expected<std::unique_ptr<llvm::TargetMachine>>
createTargetMachine(const CompileOptions &options);

/// Fails, with the feature's name, if code for `target` may use instructions that
/// the processor which runs this does not have.
llvm::Error checkRunsHere(const llvm::TargetMachine &target);

/// Returns an operation of `module` that cannot be translated to LLVM IR, or
/// null if the module is completely lowered.
mlir::Operation *findUntranslatable(mlir::ModuleOp module);

/// Translates `module`, which must be completely lowered, for `target`. Fails
/// if MLIR's translation does, after it emitted diagnostics.
llvm::Expected<std::unique_ptr<llvm::Module>>
translate(mlir::ModuleOp module, llvm::LLVMContext &context,
          llvm::TargetMachine &target);

/// Runs LLVM's -O<level> pipeline; above 0, functions with the attribute
/// "posenc-kernel" get a shorter one. Symbols for which `isExported` is false
/// become internal first, so that they can be inlined away.
void optimize(llvm::Module &module, llvm::TargetMachine &target, unsigned level,
              llvm::function_ref<bool(llvm::StringRef)> isExported);

} // namespace posenc

#endif // POSENC_JIT_COMPILE_H
