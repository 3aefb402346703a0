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

/// Step `step` of the key `row + more`, of one tile with `row`.
Value AttentionKernel::cachedKey(const Tile &tile, Value row, int64_t more, Value step) {
  if (keyScratch) {
    Value r = b.sub(row, tile.block), group = b.divide(r, b.lastSize(keyScratch));
    r = b.sub(r, b.mul(group, b.lastSize(keyScratch)));
    return b.load(keyScratch, {group, step, b.add(r, more)}, 0);
  }
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

/// Asks for the step of keys that are a line ahead, and for a share of the values of the tile from
/// `key` on. What is copied is asked for a block ahead.
void AttentionKernel::prefetchCache(const Tile &tile, Value key, Value step) {
  Value head = keyHead, row = key;
  auto share = [&](Value memref, int64_t channels) {
    int64_t part = plan.rows * channels / steps;
    b.prefetch(memref, inBlock(head, row, [&](Value r) {
      return b.add(b.mul(r, channels), b.mul(step, part));
    }));
  };
  if (keyScratch) {
    Value behind = b.add(key, plan.keys), hasNext = b.less(behind, keys);
    head = b.select(hasNext, keyHead, nextKeyHead);
    row = b.select(hasNext, behind, b.min(b.sub(key, tile.block), b.sub(keys, 1)));
    share(args.key, width);
  } else {
    int64_t rows = blockOf(op.getKey())[1];
    Value ahead = b.min(b.add(key, cacheUnit), b.sub(keys, 1));
    b.prefetch(args.key, inBlock(keyHead, ahead, [&](Value r) { return b.add(b.mul(step, rows), r); }));
  }
  share(args.value, valueWidth);
}

/// Keys to scratch, a vector of neighbours for each step: [group of keys, step, key]. A tile is
/// of one group. There is room behind the last in both.
void AttentionKernel::copyCachedKeys(Value first, Value count) {
  int64_t rows = blockOf(op.getKey())[1];
  Type element = cast<ShapedType>(args.key.getType()).getElementType();
  Value groupSize = b.lastSize(keyScratch);
  b.loop(b.index(0), count, cacheUnit, [&](Value r) {
    Value group = b.divide(r, groupSize), to = b.sub(r, b.mul(group, groupSize));
    b.loop(b.index(0), b.index(steps), 1, [&](Value step) {
      for (int64_t lane = 0; lane < cacheUnit; lane += b.lanes) {
        auto at = [&](Value channel) {
          return inBlock(keyHead, b.add(first, r), [&](Value row) {
            return b.add(b.add(b.mul(channel, rows), row), lane);
          });
        };
        auto member = [&](int64_t m) -> Value {
          return vector::LoadOp::create(b, b.vectorType(b.lanes, element), args.key,
                                        at(b.add(b.mul(step, 2), m)));
        };
        Value keys = plan.pairs ? b.makePairs(member(0), member(1)) : b.load(args.key, at(step), b.lanes);
        b.store(keys, keyScratch, {group, step, b.add(to, lane)});
      }
    });
  });
}

/// Calls `body` for every `step`th of `count` rows and the channels of a chunk, from and to,
/// in the order of the cache.
void AttentionKernel::forCachedValues(Value count, int64_t step,
                                      llvm::function_ref<void(Value, Value, Value)> body) {
  int64_t chunks = blockOf(op.getValue())[0], channels = blockOf(op.getValue())[2];
  b.loop(b.index(0), count, cacheUnit, [&](Value from) {
    Value to = b.min(b.add(from, cacheUnit), count);
    b.loop(b.index(0), b.index(chunks * channels), channels, [&](Value channel) {
      b.loop(from, to, step, [&](Value r) { body(r, channel, b.add(channel, channels)); });
    });
  });
}

/// Values `first + r` to the rows r of scratch.
void AttentionKernel::copyCachedValues(Value first, Value count) {
  forCachedValues(count, 1, [&](Value r, Value from, Value to) {
    b.channels(from, to, b.lanes, [&](Value d, int64_t n) {
      b.store(b.load(args.value, valueAt(b.add(first, r), d), n), valueScratch, {r, d});
    });
  });
}
