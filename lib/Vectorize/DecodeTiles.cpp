//===- DecodeTiles.cpp - products with rows of keys and values ------------===//
//
// Lanes are channels. A tile of four keys reads every key once for its rows of
// queries; what is left over in keys is taken one by one.
//
//===----------------------------------------------------------------------===//

#include "Vectorize/DecodeKernel.h"

using namespace mlir;
using namespace posenc;

void DecodeKernel::forKeys(Value count, llvm::function_ref<void(Value, int64_t)> body) {
  Value whole = b.roundDown(count, plan.tileKeys);
  b.loop(b.index(0), whole, plan.tileKeys, [&](Value key) { body(key, plan.tileKeys); });
  b.loop(whole, count, 1, [&](Value key) { body(key, 1); });
}

void DecodeKernel::forRows(int64_t tile, llvm::function_ref<void(Value, int64_t)> body) {
  int64_t whole = plan.rows / tile * tile;
  if (whole)
    b.loop(b.index(0), b.index(whole), tile, [&](Value row) { body(row, tile); });
  if (whole < plan.rows)
    body(b.index(whole), plan.rows - whole);
}

/// Runs `body(d, active)` for every vector of `width` channels.
static SmallVector<Value>
forChannels(KernelBuilder &b, int64_t width, ValueRange inits,
            llvm::function_ref<SmallVector<Value>(Value, int64_t, ValueRange)> body) {
  int64_t whole = width / b.lanes * b.lanes;
  SmallVector<Value> values(inits);
  if (whole)
    values = b.loop(b.index(0), b.index(whole), b.lanes, values,
                    [&](Value d, ValueRange acc) { return body(d, b.lanes, acc); });
  if (whole < width)
    values = body(b.index(whole), width - whole, values);
  return values;
}

/// Scores of `keys` keys from `key` on, of the block that starts at `first`.
void DecodeKernel::scoreTile(Value head, Value first, Value key, int64_t keys, Value row,
                             int64_t rows) {
  Value keyHead = b.add(args.head, head);
  Values zeros(keys * rows, b.splat(0.0));
  Values products = forChannels(
      b, width, zeros, [&](Value d, int64_t active, ValueRange acc) {
        Values next(acc), loaded;
        for (int64_t k = 0; k < keys; ++k) {
          Value at = b.add(key, k);
          loaded.push_back(keyScratch
                               ? b.load(keyScratch, {head, at, d}, b.lanes, active)
                               : b.load(args.key, join(rowAt(keyHead, b.add(first, at)), d),
                                        b.lanes, active));
        }
        for (int64_t r = 0; r < rows; ++r) {
          Value q = b.load(queries, {head, b.add(row, r), d}, b.lanes);
          for (int64_t k = 0; k < keys; ++k)
            next[r * keys + k] = b.fma(q, loaded[k], next[r * keys + k]);
        }
        return next;
      });
  Value scores = b.sums(products);
  for (int64_t r = 0; r < rows; ++r) {
    Value part = keys == 1 ? vector::ExtractOp::create(b, scores, r).getResult()
                           : vector::ExtractStridedSliceOp::create(
                                 b, scores, ArrayRef<int64_t>{r * keys}, ArrayRef<int64_t>{keys},
                                 ArrayRef<int64_t>{1})
                                 .getResult();
    b.store(part, weights, {head, b.add(row, r), key});
  }
}

/// result += weights x values. The weights of the tile stay in registers.
void DecodeKernel::valueTile(Value head, Value first, Value key, int64_t keys, Value row,
                             int64_t rows) {
  Value keyHead = b.add(args.head, head);
  Values weight, hidden;
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t k = 0; k < keys; ++k)
      weight.push_back(b.broadcast(
          b.load(weights, {head, b.add(row, r), b.add(key, k)}, 0), b.lanes));
  for (int64_t k = 0; seen && k < keys; ++k)
    hidden.push_back(
        b.less(b.broadcast(b.load(seen, {head, b.add(key, k)}, 0), b.lanes), b.splat(0.5)));
  forChannels(b, valueWidth, {}, [&](Value d, int64_t active, ValueRange) {
    Values loaded;
    for (int64_t k = 0; k < keys; ++k) {
      Value at = b.add(key, k);
      Value v = valueScratch ? b.load(valueScratch, {head, at, d}, b.lanes, active)
                             : b.load(args.value, join(rowAt(keyHead, b.add(first, at)), d),
                                      b.lanes, active);
      // What no row sees may be a NaN, which no weight makes vanish.
      loaded.push_back(seen ? b.select(hidden[k], b.splat(0.0), v) : v);
    }
    for (int64_t r = 0; r < rows; ++r) {
      Values at{head, b.add(row, r), d};
      Value sum = b.load(result, at, b.lanes);
      for (int64_t k = 0; k < keys; ++k)
        sum = b.fma(weight[r * keys + k], loaded[k], sum);
      b.store(sum, result, at);
    }
    return Values();
  });
}
