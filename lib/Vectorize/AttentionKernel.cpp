//===- AttentionKernel.cpp - query block against blocks of keys -----------===//

#include "Vectorize/AttentionKernel.h"

using namespace mlir;
using namespace posenc;

AttentionShape AttentionShape::forBits(int64_t vectorBits, int64_t channels) {
  AttentionShape shape = vectorBits == 512 ? AttentionShape{16, 32, 12, 2, 192}
                                           : AttentionShape{8, 16, 6, 4, 192};
  // Wide heads: scratch stays within the second-level cache and the stack.
  if (channels > 256)
    shape.keys = 48;
  return shape;
}

AttentionKernel::AttentionKernel(KernelBuilder &b, AttentionOp op, AttentionShape shape,
                                 AttentionArguments arguments, IRMapping &outer)
    : b(b), op(op), shape(shape), args(std::move(arguments)), outer(outer),
      chunks(shape.width / shape.lanes),
      width(cast<MemRefType>(op.getQuery().getType()).getDimSize(3)),
      valueWidth(cast<MemRefType>(op.getValue().getType()).getDimSize(3)) {}

/// Whether the register tile may read the rows where they are: a known small
/// distance is an offset of every load, others need a pointer per row, more
/// than there are registers, and far rows share few sets of the cache.
static bool areReadInPlace(Value memref, unsigned rowDim) {
  auto type = cast<MemRefType>(memref.getType());
  SmallVector<int64_t> strides;
  int64_t offset;
  return type.getElementType().isF32() && succeeded(type.getStridesAndOffset(strides, offset)) &&
         !ShapedType::isDynamic(strides[rowDim]) && strides[rowDim] <= 2 * type.getDimSize(3);
}

LogicalResult AttentionKernel::build() {
  packed = b.scratch({shape.panels, width, shape.width});
  result = b.scratch({shape.panels, valueWidth, shape.width});
  weights = b.scratch({shape.keys + shape.rows, shape.width});
  maxima = b.scratch({shape.panels, shape.width});
  sums = b.scratch({shape.panels, shape.width});
  if (!op.getQueryMap().empty())
    mapped = b.scratch({shape.width, width});
  if (!op.getKeyMap().empty() || !areReadInPlace(args.key, op.getRowDim()))
    keyScratch = b.scratch({shape.keys, width});
  bool padded = !paddingConditions().empty();
  if (padded || !op.getValueMap().empty() || !areReadInPlace(args.value, op.getRowDim()))
    valueScratch = b.scratch({shape.keys, valueWidth});

  auto dim = [&](Value memref, unsigned d) -> Value {
    return memref::DimOp::create(b, memref, b.index(d));
  };
  queries = dim(args.query, op.getRowDim());
  keys = dim(args.key, op.getRowDim());
  Value group = arith::DivUIOp::create(b, dim(args.query, op.getHeadDim()),
                                       dim(args.key, op.getHeadDim()));
  keyHead = arith::DivUIOp::create(b, args.head, group);
  mapHead = b.add(keyHead, arith::DivUIOp::create(b, args.offsets[1], group));

  Value rest = b.sub(queries, args.row);
  Value panels = b.min(b.index(shape.panels), arith::CeilDivSIOp::create(
                                                  b, rest, b.index(shape.width)));
  auto firstOf = [&](Value panel) {
    return b.add(args.row, b.mul(panel, b.index(shape.width)));
  };
  b.loop(b.index(0), panels, 1, [&](Value panel) {
    packQueries(panel, firstOf(panel));
    Values zeros(chunks, b.splat(0.0));
    b.loop(b.index(0), b.index(valueWidth), 1,
           [&](Value d) { storePanel(zeros, result, {panel, d}); });
    storePanel(Values(chunks, b.splat(hiddenScore)), maxima, {panel});
    storePanel(zeros, sums, {panel});
  });

  Value last = b.min(b.add(args.row, shape.queries()), queries);
  auto bounds = liveKeys(args.row, last);
  Value begin = bounds.first, end = bounds.second;
  b.loop(begin, end, shape.keys, [&](Value block) {
    fillScratch(block, b.min(b.add(block, shape.keys), end));
    b.loop(b.index(0), panels, 1, [&](Value panel) { panelBlock(panel, block, end); });
  });
  b.loop(b.index(0), panels, 1, [&](Value panel) { storeRows(panel, firstOf(panel)); });
  return success(!failed);
}

/// The keys that rows [from, to) may see, all if there is no live region.
std::pair<Value, Value> AttentionKernel::liveKeys(Value from, Value to) {
  if (op.getLive().empty())
    return {b.index(0), keys};
  RegionVectorizer live(b, op.getLive(), 1, 1, outer);
  Value at[] = {coordinate(args.batch, 0), coordinate(args.head, 1), coordinate(from, 2),
                coordinate(to, 2)};
  for (unsigned n = 0; n < 4; ++n)
    live.bind(n, Lanes::scalar(at[n]));
  SmallVector<Lanes> bounds = live.evaluate({});
  failed |= live.failed();
  auto local = [&](const Lanes &bound) {
    Value v = b.sub(bound.chunks[0], args.offsets[3]);
    return b.min(b.max(v, b.index(0)), keys);
  };
  return {local(bounds[0]), local(bounds[1])};
}

/// Keys and values of a block in f32, after their maps.
void AttentionKernel::fillScratch(Value first, Value end) {
  Value count = b.sub(end, first);
  if (keyScratch)
    copyRows(args.key, keyScratch, first, count, first, op.getKeyMap(), op.getKeyChannels(),
             mapHead, 3);
  if (valueScratch)
    copyRows(args.value, valueScratch, first, count, first, op.getValueMap(),
             op.getValueChannels(), mapHead, 3);
  if (!paddingConditions().empty())
    clearPadding(first, count);
}

void AttentionKernel::panelBlock(Value panel, Value block, Value end) {
  Value first = b.add(args.row, b.mul(panel, b.index(shape.width)));
  Value begin = block;
  end = b.min(b.add(block, shape.keys), end);
  if (!op.getLive().empty()) {
    auto [low, high] = liveKeys(first, b.min(b.add(first, shape.width), queries));
    begin = b.max(begin, low);
    end = b.min(end, high);
  }
  b.ifThen(b.less(begin, end), [&] { panelKeys(panel, first, begin, end, block); });
}
