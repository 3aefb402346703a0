//===- SimtAttention.h - attention, a warp for some queries -----*- C++ -*-===//

#ifndef POSENC_GPU_SIMTATTENTION_H
#define POSENC_GPU_SIMTATTENTION_H

#include "GPU/Forms.h"
#include "GPU/SimtSoftmax.h"

namespace posenc {

/// A warp has a few consecutive queries of one head; a block of warps goes over the
/// keys they may see, 32 at a time: lanes are keys for the scores, channels for the
/// values. Queries, the tile of keys and, between the two products, weights are in
/// shared memory. Softmax is online, all sums are f32.
class SimtAttention {
public:
  using Values = llvm::SmallVector<mlir::Value>;

  SimtAttention(AttentionOp op, const Chip &chip);

  mlir::LogicalResult build();

private:
  using Value = mlir::Value;

  mlir::LogicalResult buildThread();
  void place();
  void loadQueries();
  SimtSoftmax tile(Value begin, Value end, SimtSoftmax state);
  /// The score of this lane's key for each query, -inf if it is hidden.
  Values scores(Value begin, Value end);
  Values products(Value begin, Value end);
  void loadKeys(Value begin, Value end, int64_t from, int64_t count);
  SimtSoftmax addValues(Value begin, Value end, SimtSoftmax state);
  void store(const SimtSoftmax &state);

  Value coordinate(Value v, unsigned n) {
    return op.getOffsets().empty() ? v : t->add(v, op.getOffsets()[n]);
  }
  /// The channel with which chunk `c` of this lane starts, and whether it exists.
  Value channel(int64_t c) { return t->add(t->mul(t->lane, chunk), c * chunk * kWarp); }
  int64_t sharedBytes() const;
  bool isWhole(int64_t c) const { return (c + 1) * chunk * kWarp <= valueWidth; }

  AttentionOp op;
  int64_t width, valueWidth;
  int64_t rows = 8, warps = 4; ///< queries of a warp, warps of a block
  int64_t step;                ///< channels of a key that are read at once, from memory
  int64_t word;                ///< and from the tile
  int64_t depth;               ///< channels of a tile of keys
  int64_t chunk, chunks;       ///< channels of a value that are, and how often
  Value queryCount, keyCount, heads, blocks; ///< on the host

  ThreadBuilder *t = nullptr;
  Value queryTile, keyTile, weightTile;
  Value batch, head, keyHead, blockRow, firstRow, firstTileRow;
  Values row; ///< of each query; the last stands for those beyond the end
};

} // namespace posenc

#endif // POSENC_GPU_SIMTATTENTION_H
