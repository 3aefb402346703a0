//===- SimtDecode.h - attention of few queries ------------------*- C++ -*-===//

#ifndef POSENC_GPU_SIMTDECODE_H
#define POSENC_GPU_SIMTDECODE_H

#include "GPU/Forms.h"
#include "GPU/SimtSoftmax.h"

namespace posenc {

/// How lanes share a row of keys or of values: `lanes` of them read it, a piece of
/// `size` channels each, `rounds` times. The others read the rows that follow.
struct RowPieces {
  RowPieces(mlir::Value operand, int64_t width);

  int64_t width, size, lanes, rounds;
  int64_t rowsAtOnce() const { return kWarp / lanes; }
  /// Numbers of a row that a lane has.
  int64_t perLane() const { return size * rounds; }
  bool isWhole(int64_t round) const { return (round + 1) * lanes * size <= width; }
};

/// A block of threads has some rows, the queries of all heads that share a key head,
/// and reads a part of the keys once for all of them. Its warps take 32 keys in turns.
/// Queries and sums of values stay in registers, and keys and values come from memory
/// to where they are multiplied. Softmax is online. Warps, and then the parts of the
/// keys, are joined by their maxima.
class SimtDecode {
public:
  using Value = mlir::Value;
  using Values = llvm::SmallVector<Value>;

  SimtDecode(AttentionOp op, const Chip &chip);

  /// Why the op cannot be computed in this way; empty if it can.
  std::string refuse() const;
  mlir::LogicalResult build();

private:
  static constexpr int64_t warps = 4, threads = warps * kWarp;

  /// A row of the result, or a part of it: `output` is some of its channels.
  struct Part {
    Value maximum, sum, output;
  };
  struct Row {
    Value head, query;
  };

  void countSplits(KernelBuilder &host, Value blocks);
  mlir::LogicalResult buildThread();
  void place();
  Row rowOf(Value tileRow);
  void loadQueries();
  mlir::FailureOr<std::pair<Value, Value>> findLive();

  // SimtDecodeTile.cpp
  SimtSoftmax addTile(Value begin, Value end, SimtSoftmax state);
  Values products(Value first, Value last, int64_t step, int64_t count);
  Values scores(Value begin, Value end);
  void addValues(Value begin, Value end, Values &outputs);

  // SimtDecodeJoin.cpp
  void joinWarps(const SimtSoftmax &state);
  Part joinParts(Value parts, int64_t n, llvm::function_ref<Part(Value)> load);
  void store(const Part &part, Value batch, const Row &row, Value channel);
  mlir::LogicalResult joinSplits();
  int64_t storedAtOnce();

  Value coordinate(Value v, unsigned n) {
    return op.getOffsets().empty() ? v : t->add(v, op.getOffsets()[n]);
  }
  /// Where a channel of a key or value is.
  Values at(Value operand, Value key, Value channel);
  /// The channel of this lane in a round. What lies behind the last piece repeats it.
  Value channel(const RowPieces &pieces, int64_t round);
  /// The first of the rows that this lane's share of a warp reads one after the other.
  Value firstOf(const RowPieces &pieces);
  /// Queries, outputs and partial sums.
  int64_t registersPerRow() const { return keys.perLane() + values.perLane() + 4 * keys.rounds; }
  int64_t blocksPerProcessor() const;
  int64_t sharedBytes() const;
  int64_t pitch() const { return llvm::alignTo(values.width, 4) + 4; }

  AttentionOp op;
  Chip chip;
  RowPieces keys, values;
  int64_t queries;   ///< of a head
  int64_t rows;      ///< of a block
  Value heads, group, rowCount, keyCount, rowBlocks, splits, partial; ///< on the host

  ThreadBuilder *t = nullptr;
  Value queryTile, weightTile, partTile;
  Value batch, keyHead, split, firstRow;
  std::vector<Row> row;       ///< the last stands for those beyond the end
  std::vector<Values> query;  ///< pieces of each row
};

} // namespace posenc

#endif // POSENC_GPU_SIMTDECODE_H
