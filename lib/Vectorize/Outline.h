//===- Outline.h - kernels as functions of their own ------------*- C++ -*-===//

#ifndef POSENC_VECTORIZE_OUTLINE_H
#define POSENC_VECTORIZE_OUTLINE_H

#include "Vectorize/KernelBuilder.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/IRMapping.h"

namespace posenc {

/// A kernel, and what it is called with but for its indices.
struct KernelCall {
  mlir::func::FuncOp kernel;
  llvm::SmallVector<mlir::Value> arguments;
  unsigned operands; ///< of the arguments, before what regions use from outside

  void operator()(KernelBuilder &b, mlir::ValueRange indices) const;
  /// The same with `last` in the place of the last operands.
  KernelCall with(mlir::ValueRange last) const;
};

/// The kernels of a module: private functions, since their scratch on the stack
/// is that of a call and not of the loop around it. Operations whose kernels
/// come out equal share one.
class Outliner {
public:
  /// Builds a kernel's body. Its arguments are the operands and the indices;
  /// the mapping is for what regions use from outside.
  using Body = llvm::function_ref<mlir::LogicalResult(KernelBuilder &, mlir::ValueRange operands,
                                                      const mlir::IRMapping &outer,
                                                      mlir::ValueRange indices)>;

  Outliner(mlir::ModuleOp module, int64_t lanes, bool bf16Pairs = false)
      : symbols(module), lanes(lanes), bf16Pairs(bf16Pairs) {}

  /// A builder for the code around the calls that take the place of `op`.
  KernelBuilder before(mlir::Operation *op) const;
  /// The kernel of `op`, whose regions `body` may clone.
  mlir::FailureOr<KernelCall> outline(mlir::Operation *op, mlir::ValueRange operands,
                                      unsigned indices, Body body) {
    return outline(op->getName().stripDialect(), op->getRegions(), operands, indices, body);
  }
  mlir::FailureOr<KernelCall> outline(llvm::StringRef name,
                                      llvm::MutableArrayRef<mlir::Region> regions,
                                      mlir::ValueRange operands, unsigned indices, Body body);

private:
  mlir::SymbolTable symbols;
  int64_t lanes;
  bool bf16Pairs;
  llvm::SmallVector<mlir::func::FuncOp> kernels;
};

} // namespace posenc

#endif // POSENC_VECTORIZE_OUTLINE_H
