//===- SimtSoftmax.h - scores and online softmax of a lane ------*- C++ -*-===//

#ifndef POSENC_GPU_SIMTSOFTMAX_H
#define POSENC_GPU_SIMTSOFTMAX_H

#include "GPU/ThreadBuilder.h"
#include "posenc/Dialect.h"

namespace posenc {

/// The score of a query and key whose coordinates are `where`, from their product; -inf
/// if it is hidden or the key is not `inside`.
mlir::Value simtScore(ThreadBuilder &t, AttentionOp op, mlir::Value product,
                      llvm::ArrayRef<mlir::Value> where, mlir::Value inside);

/// What passes from one tile of keys to the next, for each row: the largest score, the
/// sum of this lane's weights, and sums of values in this lane's channels, as many
/// vectors for each row.
struct SimtSoftmax {
  using Values = llvm::SmallVector<mlir::Value>;

  Values maxima, sums, outputs;

  /// Of no keys; each row has `count` outputs of `size` channels.
  static SimtSoftmax start(ThreadBuilder &t, size_t rows, size_t count, int64_t size);
  Values flatten() const;
  static SimtSoftmax unflatten(mlir::ValueRange flat, size_t rows);

  /// Takes this lane's next score of row `r`; returns its weight, which is for the caller
  /// to multiply values with.
  mlir::Value add(ThreadBuilder &t, size_t r, mlir::Value score);
};

} // namespace posenc

#endif // POSENC_GPU_SIMTSOFTMAX_H
