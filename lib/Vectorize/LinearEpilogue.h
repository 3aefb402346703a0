//===- LinearEpilogue.h - from sums of products to memory -------*- C++ -*-===//

#ifndef POSENC_VECTORIZE_LINEAREPILOGUE_H
#define POSENC_VECTORIZE_LINEAREPILOGUE_H

#include "Vectorize/Kernels.h"

namespace posenc {

/// A register tile: `height` rows from `row` on, by the first `outputs` of a panel.
struct LinearTile {
  int64_t height, outputs;
  mlir::Value row, panel;
  int64_t vectors(int64_t lanes) const { return llvm::divideCeil(outputs, lanes); }
};

/// What a linear layer does with the sums of a tile, row by row: the extras, the
/// epilogue, and where they go.
class LinearEpilogue {
  using Values = llvm::SmallVector<mlir::Value>;

public:
  LinearEpilogue(KernelBuilder &b, LinearOp op, const LinearPlan &plan, mlir::ValueRange extras,
                 mlir::Value out, const mlir::IRMapping &outer);

  /// What sums have to start with: a bias costs nothing there.
  Values start(const LinearTile &tile);
  void write(const LinearTile &tile, mlir::ValueRange sums);
  bool failed() const { return epilogue && epilogue->failed(); }

private:
  /// True for an extra of shape [outputs], the same for all rows.
  bool isShared(unsigned extra) {
    return mlir::cast<mlir::MemRefType>(extras[extra].getType()).getRank() == 1;
  }
  void findBias();
  mlir::Value load(unsigned extra, const LinearTile &tile, mlir::Value row, int64_t vector);
  mlir::Value finish(mlir::Value acc, llvm::ArrayRef<mlir::Value> values);

  KernelBuilder &b;
  LinearOp op;
  int64_t panel; ///< its outputs
  mlir::ValueRange extras;
  mlir::Value out;
  std::optional<RegionVectorizer> epilogue;
  int bias = -1;       ///< the extra that sums start with
  mlir::Value biasSum; ///< its addition in the epilogue
  mlir::Value scratch; ///< sums of a tile, if they are finished in a loop
};

} // namespace posenc

#endif // POSENC_VECTORIZE_LINEAREPILOGUE_H
