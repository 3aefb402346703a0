//===- BufferUses.h - who uses a buffer, through all views ------*- C++ -*-===//

#ifndef POSENC_GPU_BUFFERUSES_H
#define POSENC_GPU_BUFFERUSES_H

#include "mlir/Dialect/GPU/IR/GPUDialect.h"

namespace posenc {

/// What a chain of views is of.
mlir::Value findRoot(mlir::Value v);
/// Every use of `root` that is not a view of it, through all views.
llvm::SmallVector<mlir::OpOperand *> collectUses(mlir::Value root);
/// Whether the kernel writes this operand of its launch.
bool writes(mlir::OpOperand *ofLaunch);
bool isContiguous(mlir::Value v);

/// Whether it is allocated here, only kernels use it, and it may be returned.
bool isOfDevice(mlir::Value root, llvm::ArrayRef<mlir::OpOperand *> uses);
/// Whether nothing writes it; whoever returns or copies an argument only reads it.
bool isReadOnly(llvm::ArrayRef<mlir::OpOperand *> uses);
/// A weight or a constant.
bool isConstant(mlir::Value root, llvm::ArrayRef<mlir::OpOperand *> uses);
/// Whether only kernels use it while the function runs; it may be returned.
bool isOfKernels(llvm::ArrayRef<mlir::OpOperand *> uses);
/// Whether it is an argument of its function.
bool isArgument(mlir::Value root);

} // namespace posenc

#endif // POSENC_GPU_BUFFERUSES_H
