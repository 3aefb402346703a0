//===- DecodeCache.cpp - products with blocks of a cache ------------------===//
//
// A block of keys is [channel][key], one of values [chunk][key][channel]: both
// products go over it once, in the order of addresses, and hardware fetches ahead
// at the full rate of memory. Lanes are keys for scores, which need no sums of
// lanes then, and channels for values; what the queries have is broadcast.
//
//===----------------------------------------------------------------------===//

#include "Vectorize/DecodeKernel.h"

using namespace mlir;
using namespace posenc;

/// The lines of a block, which follow each other.
DecodeKernel::Lines DecodeKernel::linesOfBlock(Value memref, Value head, Value number) {
  auto type = cast<MemRefType>(memref.getType());
  int64_t count = llvm::divideCeil(type.getDimSize(3) * type.getDimSize(4), lineChannels(memref));
  Values block{args.batch, b.add(args.head, head), number, b.index(0)};
  return {memref, 1, count, [=](Value, Value channel) { return join(block, channel); }};
}

/// Scores of all keys of the block that begins with `first`; there may be room
/// behind the last, which the softmax hides.
void DecodeKernel::scoreBlock(Value head, Value first) {
  int64_t vectors = plan.keys / b.lanes;
  Value number = b.divide(first, plan.keys);
  Values block{args.batch, b.add(args.head, head), number};
  Lines values = linesOfBlock(args.value, head, number);
  Steps steps(llvm::divideCeil(plan.rows, plan.tileRows), width);
  forTiles(plan.rows, plan.tileRows, [&](Value row, int64_t rows) {
    Values zeros(rows * vectors, b.splat(0.0));
    auto ahead = [&](Value d) { fetch(values, steps, b.divide(row, plan.tileRows), d); };
    Values scores = forProducts(b.index(0), b.index(width), zeros, ahead, [&](Value d, ValueRange acc) {
      Values next(acc), keys;
      for (int64_t v = 0; v < vectors; ++v)
        keys.push_back(b.load(args.key, join(join(block, d), b.index(v * b.lanes)), b.lanes));
      b.addProducts([&](int64_t r) { return b.load(queries, {head, b.add(row, r), d}, 0); }, keys,
                    next);
      return next;
    });
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t v = 0; v < vectors; ++v)
        b.store(scores[r * vectors + v], weights, {head, b.add(row, r), b.index(v * b.lanes)});
  });
}

/// result += weights x values, for the keys [from, to) of the block.
void DecodeKernel::valueBlock(Value head, Value first, Value from, Value to) {
  auto type = cast<ShapedType>(op.getValue().getType());
  int64_t channels = type.getDimSize(5), chunks = type.getDimSize(3);
  Value number = b.divide(first, plan.keys);
  Values block{args.batch, b.add(args.head, head), number};
  Lines keys = linesOfBlock(args.key, head, b.add(number, 1));
  int64_t tiles = llvm::divideCeil(plan.rows, plan.valueRows);
  Steps steps(chunks * tiles, plan.keys);
  b.loop(b.index(0), b.index(chunks), 1, [&](Value chunk) {
    Value start = b.mul(chunk, channels);
    auto load = [&](Value key, int64_t d, int64_t active) {
      return b.load(args.value, join(join(block, chunk), b.add(b.mul(key, channels), d)), b.lanes,
                    active);
    };
    valueProducts(head, from, to, start, channels, load, [&](Value row, Value key) {
      fetch(keys, steps, b.add(b.mul(chunk, tiles), b.divide(row, plan.valueRows)), key);
    });
  });
}
