//===- DecodeKernel.h - attention of few queries ----------------*- C++ -*-===//

#ifndef POSENC_VECTORIZE_DECODEKERNEL_H
#define POSENC_VECTORIZE_DECODEKERNEL_H

#include "Vectorize/Kernels.h"

#include <functional>

namespace posenc {

/// Attention of few queries, which reading keys and values bounds: every one is
/// read once, in the order of addresses. The queries of all heads that share a
/// key head are the rows of one call. Per block of keys, scores go to scratch
/// as [row][key], where regions see them with keys as lanes, become weights
/// there, and the values are added up with channels as lanes. Scores are products of
/// rows with channels as lanes, of quads, or of a cache with keys as lanes.
class DecodeKernel {
public:
  DecodeKernel(KernelBuilder &b, AttentionOp op, const DecodePlan &plan,
               mlir::ValueRange operands, const mlir::IRMapping &outer, mlir::ValueRange at);
  mlir::LogicalResult build();

private:
  using Value = mlir::Value;
  using Values = llvm::SmallVector<Value>;
  using Interval = std::pair<Value, Value>;

  // DecodeKernel.cpp: which keys, in blocks.
  Value coordinate(Value v, unsigned offset) { return b.add(v, args.offsets[offset]); }
  Value queryHead(Value head, Value row);
  Value queryRow(Value row);
  Interval liveKeys(Value from, Value to, bool all);
  void forHeads(llvm::function_ref<void(Value)> body);
  void block(Value first, Value end, Interval inner);

  // DecodeRows.cpp: queries in, results out.
  Values rowAt(Value head, Value row) { return posenc::rowAt(op, args.batch, head, row); }
  double scoreScale();
  void readQuery(Value head, Value row);
  void writeResult(Value head, Value row);

  // DecodeSoftmax.cpp: scores to weights.
  void softmax(Value first, Value end, Interval inner);
  void weigh(Value head, Value row, Values scores);

  // DecodeTiles.cpp: products with rows of keys and values.
  void forKeys(Value count, llvm::function_ref<void(Value, int64_t)> body);
  struct Operand {
    Value memory, scratch; ///< the second has one tile or block, in f32; null if read in place
    int64_t width;
    mlir::Region *map;
    std::optional<ChannelsAttr> channels;
  };
  int64_t rowsAhead(const Operand &operand) const;
  void stage(const Operand &operand, Value head, Value first, int64_t keys, Value to);
  void scoreTile(Value head, Value key, int64_t keys, Value row, int64_t rows);
  void valueTile(Value head, Value key, int64_t keys, Value row, int64_t rows,
                 llvm::function_ref<Value(Value, Value, int64_t)> load,
                 llvm::function_ref<void(Value)> ahead);

  // DecodeBlocks.cpp: products with blocks.
  struct Lines { ///< of memory, each 64 bytes
    Value memref;
    int64_t rows, ofRow; ///< rows, which may be apart, and lines of each
    std::function<Values(Value, Value)> at; ///< where in a row a channel is
    int64_t count() const { return rows * ofRow; }
  };
  struct Steps { ///< of products: some channels or keys of a tile
    static constexpr int64_t unrolled = 4;
    Steps(int64_t tiles, int64_t count, int64_t unroll = unrolled)
        : tiles(tiles), ofTile(llvm::divideCeil(count, unroll)), unroll(unroll) {}
    int64_t tiles, ofTile, unroll;
  };
  static int64_t lineChannels(Value memref);
  void forTiles(int64_t count, int64_t tile, llvm::function_ref<void(Value, int64_t)> body);
  Values forProducts(Value from, Value to, mlir::ValueRange inits,
                     llvm::function_ref<void(Value)> ahead,
                     llvm::function_ref<Values(Value, mlir::ValueRange)> body);
  void fetch(const Lines &lines, Steps steps, Value tile, Value i);
  void valueProducts(Value head, Value from, Value to, Value start, int64_t channels,
                     llvm::function_ref<Value(Value, int64_t, int64_t)> load,
                     llvm::function_ref<void(Value, Value)> ahead);

  // DecodeCache.cpp: those of a cache.
  Lines linesOfBlock(Value memref, Value head, Value number);
  void scoreBlock(Value head, Value first);
  void valueBlock(Value head, Value first, Value from, Value to);

  // DecodeQuads.cpp: those of rows.
  int64_t rowsOfQuad() const { return b.lanes / plan.quad; }
  int64_t channelsOfQuad() const { return plan.pairs ? 2 * plan.quad : plan.quad; }
  Value loadQuad(Value memref, mlir::ValueRange row, Value quad);
  void packQuads(Value head);
  Lines linesOfRows(const Operand &operand, Value head, Value first);
  Values rowOf(const Operand &operand, Value head, Value first, Value key);
  void scoreQuads(Value head, Value first, Value count);
  Value stageValues(Value head, Value first, Value count);
  void valueQuads(Value head, Value first, Value count);
  void valueRowTiles(Value head, Value first, Value count);

  KernelBuilder &b;
  AttentionOp op;
  const DecodePlan &plan;
  const mlir::IRMapping &outer;
  int64_t width, valueWidth; ///< channels of keys and of values
  bool failed = false;

  struct {
    Value query, key, value, out, lse; ///< `lse` may be null
    mlir::ValueRange offsets;          ///< of b, h, i, j
    Value partial;                     ///< results of parts of the keys
    Value count;                       ///< of keys in the cache; null if there is none
    Value batch, head, row, part, parts;
  } args;
  Value heads, group, rows; ///< key heads of the call, query heads of each, rows of the problem
  Value queries, result, weights, maxima, sums; ///< of every head and row
  Value quads; ///< queries of several rows side by side; null if there are none
  Operand keyRows, valueRows;
  Value lowest; ///< the first key that some row sees
  Value seen; ///< 1 for keys of a block that some row sees; null if all are
};

} // namespace posenc

#endif // POSENC_VECTORIZE_DECODEKERNEL_H
