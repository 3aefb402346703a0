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

/// What passes from one tile of keys to the next, for each row: what is subtracted from
/// scores, the sum of this lane's weights, and sums of values in this lane's channels,
/// as many vectors for each row. A score may exceed what is subtracted by a factor of
/// 2^8 before that becomes the largest score, and sums are scaled.
struct SimtSoftmax {
  using Values = llvm::SmallVector<mlir::Value>;

  Values maxima, sums, outputs;

  /// Of no keys; each row has `count` outputs of `size` channels.
  static SimtSoftmax start(ThreadBuilder &t, size_t rows, size_t count, int64_t size);
  Values flatten() const;
  static SimtSoftmax unflatten(mlir::ValueRange flat, size_t rows);

  /// Takes this lane's next score of each row; returns their weights, which are for the
  /// caller to multiply values with.
  Values add(ThreadBuilder &t, llvm::ArrayRef<mlir::Value> scores);

private:
  void raise(ThreadBuilder &t, llvm::ArrayRef<mlir::Value> scores);
};

} // namespace posenc

#endif // POSENC_GPU_SIMTSOFTMAX_H
