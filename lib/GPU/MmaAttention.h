//===- MmaAttention.h - attention by matrix instructions --------*- C++ -*-===//

#ifndef POSENC_GPU_MMAATTENTION_H
#define POSENC_GPU_MMAATTENTION_H

#include "GPU/Forms.h"
#include "GPU/ThreadBuilder.h"
#include "Vectorize/RegionVectorizer.h"

namespace posenc {

/// Sizes of the kernel. Each of four warps has a strip of queries, 16 rows or
/// twice that, whose outputs stay in registers; keys and values come in blocks.
struct MmaPlan {
  MmaPlan(AttentionOp op, const Chip &chip);

  static constexpr int64_t warps = 4, stages = 2;
  int64_t width, valueWidth;
  int64_t strips; ///< of 16 rows, of a warp: each block of keys is loaded for all
  int64_t keys;   ///< of a block
  int64_t warpRows() const { return 16 * strips; }
  int64_t queries() const { return warps * warpRows(); }
  int64_t sharedBytes() const;
};

/// A block of threads has some consecutive queries of one head and goes over the
/// keys they may see. While one block of keys and values is used, the next is
/// copied (cp.async). Scores are never stored: the sums of Q x K are weighed where
/// they are and become the left operand of the product with V.
class MmaAttention {
public:
  using Value = mlir::Value;
  using Values = llvm::SmallVector<Value>;

  MmaAttention(AttentionOp op, const Chip &chip) : op(op), plan(op, chip) {}

  mlir::LogicalResult build();

private:
  static constexpr int64_t kFragment = 8; ///< elements of 16 x 16 that a thread has
  static constexpr double kInfinity = std::numeric_limits<double>::infinity();
  static constexpr double kLog2E = 1.4426950408889634;

  /// What passes from one block of keys to the next, for 16 rows. Of the sums of
  /// weights a thread has those of its own keys.
  struct Strip {
    Values outputs;
    Value maximum, sum;
  };
  /// The regions for 16 rows, with all that keys do not change built before.
  struct Regions {
    std::unique_ptr<RegionVectorizer> score, mask;
  };
  struct Bounds {
    Value begin, end;
  };

  mlir::LogicalResult buildThread();
  void place();
  void findLive();
  Bounds live(Value from, Value to);
  Value coordinate(Value v, unsigned n) {
    return op.getOffsets().empty() ? v : t->add(v, op.getOffsets()[n]);
  }
  mlir::Type element(); ///< of queries, keys and values
  /// Between vectors of i32 and of index.
  Value cast(Value fragment, mlir::Type element);
  /// The rows of one head.
  Value matrix(Value operand, Value head);
  Value tile(int64_t stages, int64_t rows, int64_t columns);
  /// What passes through a region, as a list.
  static Values flatten(llvm::ArrayRef<Strip> strips);
  std::vector<Strip> unflatten(mlir::ValueRange flat);
  Values either(Value condition, mlir::TypeRange types, llvm::function_ref<Values()> ifTrue,
                llvm::function_ref<Values()> ifFalse);

  // MmaQueries.cpp: from memory through the query map into the tile.
  void loadQueries();
  void mapQueries(Value rows);

  void loadKeys(Value key, Value stage);
  void clearPadding(Value key, Value stage);

  // MmaSoftmax.cpp
  std::vector<Strip> addBlock(Value key, Value stage, bool isEdge, std::vector<Strip> strips);
  std::vector<Values> scores(Value stage);
  Value modify(Regions &regions, Value sum, Value key, bool isEdge);
  Value shift(Value maximum);
  std::vector<Strip> raise(std::vector<Strip> strips, llvm::ArrayRef<Values> scores);
  void addValues(llvm::MutableArrayRef<Strip> strips, llvm::ArrayRef<Values> scores, Value stage);
  void store(const Strip &strip, int64_t number);
  Value firstRowOf(int64_t strip) { return t->add(warpRow, 16 * strip); }

  AttentionOp op;
  MmaPlan plan;
  Value queryCount, keyCount, heads, blocks; ///< on the host

  ThreadBuilder *t = nullptr;
  mlir::IRMapping none;
  Value queryTile, keyTile, valueTile, keyMatrix, valueMatrix;
  Value batch, head, keyHead, row, warpRow; ///< the block's and the warp's first row
  Value warp;                               ///< known to be the same for all lanes
  Value columns;                            ///< of a sum's elements, i32
  Bounds keys;                              ///< that a query of the block may see, i32
  Bounds seen;                              ///< that one of the warp may see, i32
  Bounds whole;                             ///< that all of the warp see, i32; null if unknown
  std::vector<Regions> regions;
  double factor = 1; ///< from scores to powers of two
  bool failed = false;
};

} // namespace posenc

#endif // POSENC_GPU_MMAATTENTION_H
