//===- DecodeBlocks.cpp - products with blocks of keys and values ---------===//
//
// Products of many rows with a block take about as long as reading it. For both to go
// on at the same time, each step asks for its share of what the other product reads
// next: those with keys for the values of their block, those with values for the keys
// of the next.
//
//===----------------------------------------------------------------------===//

#include "Vectorize/DecodeKernel.h"

using namespace mlir;
using namespace posenc;

/// Channels that a line of memory has.
int64_t DecodeKernel::lineChannels(Value memref) {
  return 64 * 8 / cast<MemRefType>(memref.getType()).getElementTypeBitWidth();
}

void DecodeKernel::forTiles(int64_t count, int64_t tile,
                            llvm::function_ref<void(Value, int64_t)> body) {
  int64_t whole = count / tile * tile;
  if (whole)
    b.loop(b.index(0), b.index(whole), tile, [&](Value i) { body(i, tile); });
  if (whole < count)
    body(b.index(whole), count - whole);
}

/// Runs `body(i, sums)` for i in [from, to), some steps in one iteration, at the start
/// of which `ahead(i)` runs.
SmallVector<Value>
DecodeKernel::forProducts(Value from, Value to, ValueRange inits,
                          llvm::function_ref<void(Value)> ahead,
                          llvm::function_ref<Values(Value, ValueRange)> body) {
  Value whole = b.add(from, b.roundDown(b.sub(to, from), Steps::unrolled));
  Values sums = b.loop(from, whole, Steps::unrolled, inits, [&](Value i, ValueRange acc) {
    Values next(acc);
    ahead(i);
    for (int64_t n = 0; n < Steps::unrolled; ++n)
      next = body(b.add(i, n), next);
    return next;
  });
  return b.loop(whole, to, 1, sums, body);
}

/// Asks for the share of a step, that at `i` of a tile. Who asks faster than memory
/// answers is not heard, so that few lines at a time are better than all at once.
void DecodeKernel::fetch(const Lines &lines, Steps steps, Value tile, Value i) {
  if (!plan.fetches)
    return;
  int64_t count = llvm::divideCeil(lines.count(), steps.tiles * steps.ofTile);
  int64_t shares = llvm::divideCeil(lines.count(), count), channels = lineChannels(lines.memref);
  Value share = b.add(b.mul(tile, steps.ofTile), b.divide(i, steps.unroll));
  if (shares < steps.tiles * steps.ofTile) // the others come too late for more
    share = b.min(share, shares - 1);
  for (int64_t n = 0; n < count; ++n) {
    // Most shares are a part of a row, or several, which is known here.
    Value row, line;
    if (lines.ofRow % count == 0) {
      int64_t parts = lines.ofRow / count;
      row = b.divide(share, parts);
      line = b.add(b.mul(b.sub(share, b.mul(row, parts)), count), n);
    } else if (count % lines.ofRow == 0) {
      row = b.add(b.mul(share, count / lines.ofRow), n / lines.ofRow);
      line = b.index(n % lines.ofRow);
    } else {
      Value index = b.add(b.mul(share, count), n);
      row = b.divide(index, lines.ofRow);
      line = b.sub(index, b.mul(row, lines.ofRow));
    }
    b.prefetch(lines.memref, lines.at(row, b.mul(line, channels)), /*isWrite=*/false,
               /*level=*/1);
  }
}

/// result += weights x values, for the keys [from, to) of a block and so many channels
/// from `start` on. `load` gives a vector of them.
void DecodeKernel::valueProducts(Value head, Value from, Value to, Value start, int64_t channels,
                                 llvm::function_ref<Value(Value, int64_t, int64_t)> load,
                                 llvm::function_ref<void(Value, Value)> ahead) {
  int64_t vectors = llvm::divideCeil(channels, b.lanes);
  forTiles(plan.rows, plan.valueRows, [&](Value row, int64_t rows) {
    auto at = [&](int64_t r, int64_t v) {
      return Values{head, b.add(row, r), b.add(start, v * b.lanes)};
    };
    Values sums;
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t v = 0; v < vectors; ++v)
        sums.push_back(b.load(result, at(r, v), b.lanes));
    auto fetchRow = [&](Value key) { ahead(row, key); };
    sums = forProducts(from, to, sums, fetchRow, [&](Value key, ValueRange acc) {
      Values next(acc), values;
      // What no row sees may be a NaN, which no weight makes vanish.
      Value hidden;
      if (seen)
        hidden = b.less(b.broadcast(b.load(seen, {head, key}, 0), b.lanes), b.splat(0.5));
      for (int64_t v = 0; v < vectors; ++v) {
        Value x = load(key, v * b.lanes, std::min(channels - v * b.lanes, b.lanes));
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
}
