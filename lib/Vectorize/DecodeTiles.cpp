//===- DecodeTiles.cpp - products with rows of keys and values ------------===//
//
// Lanes are channels. A tile of four keys is first copied to scratch by loads that
// walk through memory: hardware predicts what comes next per instruction, and the
// products would read four rows at once. The tile then serves all rows of
// queries; keys that are left over are taken one by one.
//
//===----------------------------------------------------------------------===//

#include "Vectorize/DecodeKernel.h"
#include "Vectorize/RowMap.h"

using namespace mlir;
using namespace posenc;

void DecodeKernel::forKeys(Value count, llvm::function_ref<void(Value, int64_t)> body) {
  Value whole = b.roundDown(count, plan.tileKeys);
  b.loop(b.index(0), whole, plan.tileKeys, [&](Value key) { body(key, plan.tileKeys); });
  b.loop(whole, count, 1, [&](Value key) { body(key, 1); });
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

/// Rows of 4 KB: fewer come too late, and more are no better.
int64_t DecodeKernel::rowsAhead(const Operand &operand) const {
  Type element = cast<MemRefType>(operand.memory.getType()).getElementType();
  return std::max<int64_t>(4096 * 8 / (operand.width * element.getIntOrFloatBitWidth()), 1);
}

/// Copies rows [first, first + keys) to scratch from row `to` on: in f32, mapped, followed
/// by zeros.
/// Each load walks through rows that follow each other, or, where heads do,
/// through the heads of its own row.
void DecodeKernel::stage(const Operand &operand, Value head, Value first, int64_t keys,
                         Value to) {
  Value keyHead = b.add(args.head, head), zero = b.index(0);
  // Lines are asked for once, however many vectors they have.
  int64_t step = std::max<int64_t>(lineChannels(operand.memory), b.lanes);
  int64_t whole = operand.width / step * step;
  auto copy = [&](Value k, Value d, int64_t active) {
    Values from = rowAt(keyHead, b.add(first, k));
    b.store(b.load(operand.memory, join(from, d), b.lanes, active), operand.scratch, {b.add(to, k), d});
  };
  auto forTile = [&](llvm::function_ref<void(Value)> body) { b.walk(zero, b.index(keys), 1, body); };
  auto forLines = [&](llvm::function_ref<void(Value)> body) {
    b.walk(zero, b.index(whole), step, body);
  };
  if (!operand.map->empty()) {
    forTile([&](Value k) {
      Value row = b.add(first, k);
      b.store(b.splat(0.0), operand.scratch, {b.add(to, k), b.sub(b.lastSize(operand.scratch), b.lanes)});
      Values coordinates{coordinate(args.batch, 0),
                         b.add(keyHead, b.divide(args.offsets[1], group)), coordinate(row, 3)};
      failed |= mlir::failed(
          RowMap(b, *operand.map, *operand.channels, outer)
              .apply(operand.memory, rowAt(keyHead, row), operand.scratch, b.add(to, k), coordinates));
    });
    return;
  }
  auto copyLine = [&](Value k, Value d, Value ahead) {
    Values next = join(rowAt(keyHead, b.add(first, ahead)), d);
    if (!plan.fetches)
      b.prefetch(operand.memory, next, /*isWrite=*/false, /*level=*/1);
    for (int64_t n = 0; n < step; n += b.lanes)
      copy(k, b.add(d, n), b.lanes);
  };
  if (plan.heads > 1 && !plan.quads)
    forLines([&](Value d) {
      // What comes next here is not where hardware would look for it.
      for (int64_t k = 0; k < keys; ++k)
        copyLine(b.index(k), d, b.index(k + keys));
    });
  else
    forTile([&](Value k) {
      // Keys and values take turns, which hardware does not foresee.
      forLines([&](Value d) { copyLine(k, d, b.add(k, rowsAhead(operand))); });
    });
  for (int64_t d = whole; d < operand.width; d += b.lanes)
    forTile([&](Value k) { copy(k, b.index(d), std::min(operand.width - d, b.lanes)); });
}

/// Scores of the `keys` keys from `key` on of the block.
void DecodeKernel::scoreTile(Value head, Value key, int64_t keys, Value row, int64_t rows) {
  Values zeros(keys * rows, b.splat(0.0));
  Values products = forChannels(
      b, llvm::alignTo(width, b.lanes), zeros, [&](Value d, int64_t, ValueRange acc) {
        Values next(acc), loaded;
        for (int64_t k = 0; k < keys; ++k)
          loaded.push_back(b.load(keyRows.scratch, {b.index(k), d}, b.lanes));
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
                           : b.slice(scores, r * keys, keys);
    b.store(part, weights, {head, b.add(row, r), key});
  }
}

/// result += weights x values. The weights of the tile stay in registers. `load` gives
/// channels of a value; `ahead` runs before each vector of them.
void DecodeKernel::valueTile(Value head, Value key, int64_t keys, Value row, int64_t rows,
                             llvm::function_ref<Value(Value, Value, int64_t)> load,
                             llvm::function_ref<void(Value)> ahead) {
  Values weight, hidden;
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t k = 0; k < keys; ++k)
      weight.push_back(b.broadcast(
          b.load(weights, {head, b.add(row, r), b.add(key, k)}, 0), b.lanes));
  for (int64_t k = 0; seen && k < keys; ++k)
    hidden.push_back(
        b.less(b.broadcast(b.load(seen, {head, b.add(key, k)}, 0), b.lanes), b.splat(0.5)));
  auto products = [&](Value d, int64_t active) {
    Values loaded;
    ahead(d);
    for (int64_t k = 0; k < keys; ++k) {
      Value v = load(b.add(key, k), d, active);
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
  };
  int64_t whole = valueWidth / b.lanes * b.lanes;
  auto whenWhole = [&](Value d) { products(d, b.lanes); };
  if (plan.quads) // which leave no registers for several steps
    b.walk(b.index(0), b.index(whole), b.lanes, whenWhole);
  else
    b.loop(b.index(0), b.index(whole), b.lanes, whenWhole);
  if (whole < valueWidth)
    products(b.index(whole), valueWidth - whole);
}
