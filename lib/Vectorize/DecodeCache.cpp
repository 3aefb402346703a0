//===- DecodeCache.cpp - products with blocks of a cache ------------------===//
//
// A block of keys is [channel][key], one of values [chunk][key][channel]: both
// products go over it once, in the order of addresses, and hardware fetches ahead
// at the full rate of memory. Lanes are keys for scores, which need no sums of
// lanes then, and channels for values; what the queries have is broadcast. Products
// with several rows take about as long as reading. For both to go on at the same time,
// each step asks for its share of what the other product reads next.
//
//===----------------------------------------------------------------------===//

#include "Vectorize/DecodeKernel.h"

using namespace mlir;
using namespace posenc;

/// Channels or keys of a step of a loop of products.
static constexpr int64_t kUnrolled = 4;

/// Runs `body(i, sums)` for i in [from, to), some steps in one iteration, at the start
/// of which `ahead(i)` runs.
static SmallVector<Value>
forProducts(KernelBuilder &b, Value from, Value to, ValueRange inits,
            llvm::function_ref<void(Value)> ahead,
            llvm::function_ref<SmallVector<Value>(Value, ValueRange)> body) {
  Value whole = b.add(from, b.roundDown(b.sub(to, from), kUnrolled));
  SmallVector<Value> sums = b.loop(from, whole, kUnrolled, inits, [&](Value i, ValueRange acc) {
    SmallVector<Value> next(acc);
    ahead(i);
    for (int64_t n = 0; n < kUnrolled; ++n)
      next = body(b.add(i, n), next);
    return next;
  });
  return b.loop(whole, to, 1, sums, body);
}

/// Asks for one of `shares` of a block. Who asks faster than memory answers is not
/// heard, so that few at a time are better than all at once.
void DecodeKernel::fetchShare(Value memref, ValueRange block, Value share, int64_t shares) {
  if (!plan.fetches)
    return;
  auto type = cast<MemRefType>(memref.getType());
  constexpr int64_t line = 64;
  int64_t perLine = line * 8 / type.getElementTypeBitWidth();
  int64_t lines = llvm::divideCeil(type.getDimSize(3) * type.getDimSize(4), perLine);
  int64_t count = llvm::divideCeil(lines, shares);
  for (int64_t n = 0; n < count; ++n)
    b.prefetch(memref, join(join(block, b.index(0)), b.mul(b.add(b.mul(share, count), n), perLine)),
               /*isWrite=*/false, /*level=*/1);
}

/// Scores of all keys of the block that begins with `first`; there may be room
/// behind the last, which the softmax hides.
void DecodeKernel::scoreBlock(Value head, Value first) {
  int64_t vectors = plan.keys / b.lanes;
  Values block{args.batch, b.add(args.head, head), b.divide(first, plan.keys)};
  int64_t steps = llvm::divideCeil(width, kUnrolled);
  int64_t tiles = llvm::divideCeil(plan.rows, plan.tileRows);
  forRows(plan.tileRows, [&](Value row, int64_t rows) {
    Values zeros(rows * vectors, b.splat(0.0));
    Value done = b.mul(b.divide(row, plan.tileRows), steps);
    auto ahead = [&](Value d) {
      fetchShare(args.value, block, b.add(done, b.divide(d, kUnrolled)), steps * tiles);
    };
    Values scores = forProducts(b, b.index(0), b.index(width), zeros, ahead, [&](Value d, ValueRange acc) {
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
  int64_t channels = type.getDimSize(5), vectors = llvm::divideCeil(channels, b.lanes);
  Values block{args.batch, b.add(args.head, head), b.divide(first, plan.keys)};
  Values next{block[0], block[1], b.add(block[2], 1)};
  int64_t steps = plan.keys / kUnrolled, chunks = type.getDimSize(3);
  int64_t tiles = llvm::divideCeil(plan.rows, plan.valueRows);
  b.loop(b.index(0), b.index(chunks), 1, [&](Value chunk) {
    Value start = b.mul(chunk, channels);
    forRows(plan.valueRows, [&](Value row, int64_t rows) {
      auto at = [&](int64_t r, int64_t v) {
        return Values{head, b.add(row, r), b.add(start, v * b.lanes)};
      };
      Values sums;
      for (int64_t r = 0; r < rows; ++r)
        for (int64_t v = 0; v < vectors; ++v)
          sums.push_back(b.load(result, at(r, v), b.lanes));
      Value tile = b.add(b.mul(chunk, tiles), b.divide(row, plan.valueRows));
      auto ahead = [&](Value key) {
        fetchShare(args.key, next, b.add(b.mul(tile, steps), b.divide(key, kUnrolled)),
                   chunks * tiles * steps);
      };
      sums = forProducts(b, from, to, sums, ahead, [&](Value key, ValueRange acc) {
        Values next(acc), values;
        // What no row sees may be a NaN, which no weight makes vanish.
        Value hidden;
        if (seen)
          hidden = b.less(b.broadcast(b.load(seen, {head, key}, 0), b.lanes), b.splat(0.5));
        for (int64_t v = 0; v < vectors; ++v) {
          Values position = join(join(block, chunk), b.add(b.mul(key, channels), v * b.lanes));
          Value x = b.load(args.value, position, b.lanes,
                           std::min(channels - v * b.lanes, b.lanes));
          values.push_back(hidden ? b.select(hidden, b.splat(0.0), x) : x);
        }
        b.addProducts([&](int64_t r) { return b.load(weights, {head, b.add(row, r), key}, 0); },
                      values, next);
        return next;
      });
      for (int64_t r = 0; r < rows; ++r)
        for (int64_t v = 0; v < vectors; ++v)
          b.store(sums[r * vectors + v], result, at(r, v));
    });
  });
}
