//===- AttentionCache.cpp - keys and values in blocks of a cache ----------===//
//
// Products take one key, or one channel of a value, after the other, and may find
// them wherever they are. In a block, the same channel of neighbouring keys is in a
// line of the cache, and so are neighbouring channels of a value: a tile reads either
// where they are, if it does not go beyond a block or a chunk. Keys and values that are
// not f32, and those for tiles of other sizes, are copied for a block of the kernel.
//
// Hardware does not foresee such strides, so each step of the scores asks for a line of
// keys and one of values: in other loops, or many at once, that costs more than it gains.
//
//===----------------------------------------------------------------------===//

#include "Vectorize/AttentionKernel.h"

using namespace mlir;
using namespace posenc;

/// Sizes of a block before its dimensions became one.
static ArrayRef<int64_t> blockOf(Value operand) {
  return cast<ShapedType>(operand.getType()).getShape().drop_front(3);
}

/// What `place` makes of the row's number in its block.
SmallVector<Value> AttentionKernel::inBlock(Value head, Value row,
                                            llvm::function_ref<Value(Value)> place) {
  int64_t rows = blockOf(op.getKey())[1];
  Value block = b.divide(row, rows);
  return {args.batch, head, block, place(b.sub(row, b.mul(block, rows)))};
}

/// Step `step` of the key `row + more`, of one block with `row`.
Value AttentionKernel::cachedKey(const Tile &tile, Value row, int64_t more, Value step) {
  if (keyScratch)
    return b.load(keyScratch, {step, b.add(b.sub(row, tile.block), more)}, 0);
  int64_t rows = blockOf(op.getKey())[1];
  auto place = [&](Value r) { return b.add(b.add(b.mul(step, rows), r), more); };
  return b.load(args.key, inBlock(keyHead, row, place), 0);
}

SmallVector<Value> AttentionKernel::cachedValueAt(Value row, Value channel, int64_t more) {
  ArrayRef<int64_t> block = blockOf(op.getValue());
  int64_t rows = block[1], channels = block[2];
  Value chunk = block[0] > 1 ? b.divide(channel, channels) : b.index(0);
  Value first = b.add(b.sub(channel, b.mul(chunk, channels)), b.mul(chunk, rows * channels));
  return inBlock(keyHead, row,
                 [&](Value r) { return b.add(b.add(b.mul(r, channels), first), more); });
}

/// Asks for the step of keys that are a line ahead, and for a share of these keys' values.
void AttentionKernel::prefetchBlocks(Value key, Value step) {
  int64_t rows = blockOf(op.getKey())[1];
  Value ahead = b.min(b.add(key, cacheUnit), b.sub(keys, 1));
  b.prefetch(args.key, inBlock(keyHead, ahead, [&](Value r) { return b.add(b.mul(step, rows), r); }));
  int64_t share = plan.rows * valueWidth / steps;
  b.prefetch(args.value, inBlock(keyHead, key, [&](Value r) {
    return b.add(b.mul(r, valueWidth), b.mul(step, share));
  }));
}

/// Where the share begins that a row has in the lines of its block, and what is `channel`
/// elements behind.
SmallVector<Value> AttentionKernel::lineAt(Value head, Value row, Value channel, int64_t channels) {
  return inBlock(head, row, [&](Value r) { return b.add(b.mul(r, channels), channel); });
}

/// Keys `first + r`, a vector of them for each step, to the columns r of scratch. There is
/// room behind the last in both.
void AttentionKernel::copyCachedKeys(Value first, Value count) {
  int64_t rows = blockOf(op.getKey())[1];
  Type element = cast<ShapedType>(args.key.getType()).getElementType();
  b.loop(b.index(0), count, b.lanes, [&](Value r) {
    auto at = [&](Value channel) {
      return inBlock(keyHead, b.add(first, r),
                     [&](Value row) { return b.add(b.mul(channel, rows), row); });
    };
    b.loop(b.index(0), b.index(steps), 1, [&](Value step) {
      auto pairOf = [&](int64_t member) -> Value {
        return vector::LoadOp::create(b, b.vectorType(b.lanes, element), args.key,
                                      at(b.add(b.mul(step, 2), member)));
      };
      Value keys = plan.pairs ? b.makePairs(pairOf(0), pairOf(1)) : b.load(args.key, at(step), b.lanes);
      b.store(keys, keyScratch, {step, r});
    });
  });
}

/// Values `first + r` to the rows r of scratch.
void AttentionKernel::copyCachedValues(Value first, Value count) {
  b.loop(b.index(0), count, 1, [&](Value r) {
    b.channels(b.index(0), b.index(valueWidth), b.lanes, [&](Value d, int64_t n) {
      b.store(b.load(args.value, valueAt(b.add(first, r), d), n), valueScratch, {r, d});
    });
  });
}
