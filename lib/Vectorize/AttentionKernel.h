//===- AttentionKernel.h - body of one attention kernel ---------*- C++ -*-===//

#ifndef POSENC_VECTORIZE_ATTENTIONKERNEL_H
#define POSENC_VECTORIZE_ATTENTIONKERNEL_H

#include "Vectorize/Kernels.h"

namespace posenc {

/// Attention of one query block with transposed operands: lanes are queries.
/// Per panel and block of keys, S^T[key][lane] = K x Q^T goes to scratch, its
/// running maximum stays in registers, and O^T[channel][lane] += V x P^T.
class AttentionKernel {
public:
  AttentionKernel(KernelBuilder &b, AttentionOp op, const AttentionPlan &plan,
                  mlir::ValueRange operands, const mlir::IRMapping &outer, mlir::ValueRange at);
  mlir::LogicalResult build();

private:
  using Value = mlir::Value;
  using Values = llvm::SmallVector<Value>;

  // AttentionRows.cpp: rows in and out.
  Values rowAt(Value head, Value row) { return posenc::rowAt(op, args.batch, head, row); }
  void packQueries(Value panel, Value first);
  Values keyAt(Value row) { return plan.encodesKeys ? Values{row} : rowAt(keyHead, row); }
  Values valueRow(Value row) { return plan.encodesValues ? Values{row} : rowAt(keyHead, row); }
  Values valueAt(Value row, Value channel, int64_t more = 0);
  void mapQueries(Value first);
  void encode(Value end);
  void copyRows(Value from, Value to, Value first, Value count);
  void copyValues(Value first, Value count);
  void storeRows(Value panel, Value first);
  int64_t transposed(int64_t channels) const;

  // AttentionKernel.cpp: blocks of keys.
  Value coordinate(Value v, unsigned offset) { return b.add(v, args.offsets[offset]); }
  Value firstOf(Value panel);
  std::pair<Value, Value> liveKeys(Value from, Value to);
  void keyBlock(Value first, Value last, Value panels);
  void panelBlock(Value panel, Value block, Value end, Value isLast);
  void fillScratch(Value first, Value end);

  // AttentionCache.cpp: keys and values in blocks of a cache.
  Values inBlock(Value head, Value row, llvm::function_ref<Value(Value)> place);
  Values cachedValueAt(Value row, Value channel, int64_t more);
  void copyCachedKeys(Value first, Value count);
  void copyCachedValues(Value first, Value count);
  void forCachedValues(Value count, int64_t step,
                       llvm::function_ref<void(Value, Value, Value)> body);
  /// Whether tiles of keys have to be of one block, or of one group in scratch.
  bool tilesAreOfBlocks() const { return args.count && cacheUnit % plan.rows == 0; }

  // AttentionPadding.cpp: keys that no query may see.
  Values paddingConditions() { return posenc::paddingConditions(op); }
  Value isVisible(Value row) {
    return posenc::isVisible(b, op, outer, coordinate(args.batch, 0), coordinate(args.head, 1),
                             coordinate(row, 3));
  }
  std::pair<Value, Value> visibleKeys(Value first, Value end);
  void clearPadding(Value first, Value count);

  // AttentionPairs.cpp: operands whose products are taken in pairs of bf16.
  void pairValues(Value first, Value end);

  // AttentionTiles.cpp: scores of one panel and one block of keys.
  struct Tile {
    Value panel, first, block, begin, end;
    Value isLast; ///< whether the panel sees no later block
    Value both, second; ///< where keys start that the second vector sees, and that only it sees
    RegionVectorizer *score = nullptr, *mask = nullptr;
  };
  /// Vectors of a panel.
  struct Part {
    unsigned first, count;
  };
  Part whole() const { return {0, chunks}; }
  void addProducts(llvm::function_ref<Value(int64_t)> left, mlir::ValueRange right,
                   llvm::MutableArrayRef<Value> sums);
  Values registerTile(llvm::function_ref<Value(int64_t, Value)> left,
                      llvm::function_ref<Values(Value)> right, Value extent, Values inits);
  Values scores(Tile &tile, Part part, Value key, bool edge, mlir::ValueRange maxima);
  void prefetch(Tile &tile, Value key);
  void prefetchCache(const Tile &tile, Value key, Value step);
  Value cachedKey(const Tile &tile, Value row, int64_t more, Value step);
  void panelKeys(Value panel, Value first, Value begin, Value end, Value block, Value isLast);
  Values loadPanel(Value memref, llvm::ArrayRef<Value> at, Part part);
  Values loadPanel(Value memref, llvm::ArrayRef<Value> at) { return loadPanel(memref, at, whole()); }
  void storePanel(mlir::ValueRange values, Value memref, llvm::ArrayRef<Value> at,
                  unsigned chunk = 0);
  RegionVectorizer pairs(mlir::Region &region, unsigned leading, Tile &tile, Part part);
  void findHalves(Tile &tile, Value inner, Value outer);

  // AttentionValues.cpp: what a panel makes of these scores.
  Values exponentShifts(mlir::ValueRange maximum);
  Value exponent(Value score, Value shift);
  Values weigh(Value k, mlir::ValueRange shifts, mlir::ValueRange sum);
  void prefetchResult(Tile &tile, Value channel, int64_t channels);
  void accumulate(Tile &tile, mlir::ValueRange old, mlir::ValueRange maximum);

  KernelBuilder &b;
  AttentionOp op;
  const AttentionPlan &plan;
  const mlir::IRMapping &outer;
  unsigned chunks;
  int64_t width, valueWidth; ///< channels of keys and of values
  int64_t steps;             ///< products of a score: channels, or pairs of them
  double scale;              ///< what makes a product a score
  double unit;               ///< what makes a score in scratch a power of two
  bool failed = false;

  struct {
    Value query, key, value, out, lse; ///< `lse` may be null
    mlir::ValueRange offsets;          ///< of b, h, i, j
    Value keyRows, valueRows;          ///< keys and values, encoded or not
    Value batch, head, row;            ///< the first query row of the block
    Value done;                        ///< how many keys are encoded; null if none ever is
    Value count;                       ///< how many keys a cache has; null if none is read
  } args;
  Value queries, keys; ///< numbers of rows
  Value group; ///< query heads that share a head of keys
  Value keyHead;
  Value lastKey; ///< behind all that this block of queries may see
  Value hasMore;               ///< this head has another block of queries
  Value nextHead, nextKeyHead; ///< of the block after this one
  Value packed, result, weights, maxima, sums; ///< Q^T, O^T, S^T and its statistics
  Value mapped, keyScratch, valueScratch;      ///< rows in f32, null if read in place
  Value values; ///< rows of the block, in scratch or not; null if all are read in place
  Value hasPadding; ///< whether a key of the block is padding; null if none ever is
};

/// Elements between neighbouring rows, if it is known and these are of that type.
std::optional<int64_t> rowDistance(mlir::Value memref, unsigned rowDim, mlir::Type element);

constexpr double log2e = 1.4426950408889634;

} // namespace posenc

#endif // POSENC_VECTORIZE_ATTENTIONKERNEL_H
