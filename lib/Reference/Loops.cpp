//===- Loops.cpp - scalar tensors, element by element ---------------------===//

#include "Reference/Loops.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace posenc;

Value reference::build(OpBuilder &b, Location loc, ArrayRef<OpFoldResult> sizes, Type element,
                       llvm::function_ref<Value(Emitter &, ValueRange)> body) {
  Value init = tensor::EmptyOp::create(b, loc, sizes, element);
  unsigned rank = sizes.size();
  auto generic = linalg::GenericOp::create(
      b, loc, TypeRange{init.getType()}, ValueRange{}, ValueRange{init},
      ArrayRef<AffineMap>{b.getMultiDimIdentityMap(rank)},
      SmallVector<utils::IteratorType>(rank, utils::IteratorType::parallel),
      [&](OpBuilder &nested, Location, ValueRange) {
        Emitter e(loc, nested);
        SmallVector<Value> at;
        for (unsigned d = 0; d < rank; ++d)
          at.push_back(linalg::IndexOp::create(e, d));
        Value y = body(e, at);
        if (y.getType() != element)
          y = arith::TruncFOp::create(e, element, y);
        linalg::YieldOp::create(e, y);
      });
  return generic.getResult(0);
}

Value reference::fold(Emitter &e, Value size, Value init,
                      llvm::function_ref<Value(Emitter &, Value, Value)> body) {
  auto loop = scf::ForOp::create(
      e, e.index(0), size, e.index(1), ValueRange{init},
      [&](OpBuilder &nested, Location loc, Value i, ValueRange acc) {
        Emitter inner(loc, nested);
        scf::YieldOp::create(inner, body(inner, i, acc[0]));
      });
  return loop.getResult(0);
}

SmallVector<Value> reference::inlineRegion(OpBuilder &b, Region &region, ValueRange arguments) {
  Block &block = region.front();
  IRMapping mapping;
  mapping.map(block.getArguments(), arguments);
  for (Operation &op : block.without_terminator())
    b.clone(op, mapping);
  SmallVector<Value> results;
  for (Value v : block.getTerminator()->getOperands())
    results.push_back(mapping.lookupOrDefault(v));
  return results;
}

Value reference::mapRows(
    OpBuilder &b, Location loc, Value x, Type element, Layout layout, ChannelsAttr channels,
    llvm::function_ref<SmallVector<Value>(Emitter &, ArrayRef<Value>, ValueRange)> group) {
  auto type = cast<RankedTensorType>(x.getType());
  unsigned last = type.getRank() - 1;
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, loc, x);
  Value channelCount = getValueOrCreateConstantIndexOp(b, loc, sizes[last]);
  int64_t offset = channels.getOffset();

  return build(b, loc, sizes, element, [&](Emitter &e, ValueRange at) -> Value {
    Value head = last == 2 ? e.index(0) : at[layout == Layout::bhsd ? 1 : 2];
    Value row = last == 2 || layout == Layout::bshd ? at[1] : at[2];
    auto load = [&](Value channel) {
      SmallVector<Value> position(at);
      position[last] = channel;
      return e.lookup(x, position);
    };
    Value d = at[last];
    Value width = channels.getWidth() ? e.index(channels.getWidth())
                                      : e.sub(channelCount, e.index(offset));
    // Outside its channels the map sees the nearest one, and is not used.
    Value c = e.max(e.min(e.sub(d, e.index(offset)), e.sub(width, e.index(1))), e.index(0));
    Value inside = e.logicalAnd(e.lessEqual(e.index(offset), d),
                                e.less(d, e.add(width, e.index(offset))));
    if (channels.getPairing() == Pairing::each) {
      Value y = group(e, {load(e.add(c, e.index(offset)))}, {at[0], head, row, c})[0];
      return e.select(inside, y, load(d));
    }
    Value two = e.index(2), half = arith::DivUIOp::create(e, width, two);
    bool halves = channels.getPairing() == Pairing::half;
    Value pair = halves ? arith::RemUIOp::create(e, c, half).getResult()
                        : arith::DivUIOp::create(e, c, two).getResult();
    Value first = e.add(halves ? pair : e.mul(pair, two), e.index(offset));
    Value second = e.add(first, halves ? half : e.index(1));
    SmallVector<Value> y =
        group(e, {load(first), load(second)}, {at[0], head, row, pair});
    Value isSecond = arith::CmpIOp::create(e, arith::CmpIPredicate::eq, d, second);
    return e.select(inside, e.select(isSecond, y[1], y[0]), load(d));
  });
}

static unsigned headDim(Layout layout) { return layout == Layout::bhsd ? 1 : 2; }
static unsigned rowDim(Layout layout) { return layout == Layout::bhsd ? 2 : 1; }

/// Indices of one element of q, k, v or o.
static SmallVector<Value> element(Layout layout, Value b, Value h, Value row, Value d) {
  if (layout == Layout::bhsd)
    return {b, h, row, d};
  return {b, row, h, d};
}

/// The key head that a query head reads.
static Value keyHead(Emitter &e, Value h, Value heads, Value keyHeads) {
  return arith::DivUIOp::create(e, h, arith::DivUIOp::create(e, heads, keyHeads));
}

Value reference::scores(OpBuilder &b, Location loc, Value q, Value k, double scale, Layout layout,
                        llvm::function_ref<Value(Emitter &, Value, ValueRange)> modify) {
  unsigned head = headDim(layout), row = rowDim(layout);
  SmallVector<OpFoldResult> sizes = {
      tensor::getMixedSize(b, loc, q, 0), tensor::getMixedSize(b, loc, q, head),
      tensor::getMixedSize(b, loc, q, row), tensor::getMixedSize(b, loc, k, row)};
  Emitter outer(loc, b);
  Value heads = tensor::DimOp::create(outer, q, head);
  Value keyHeads = tensor::DimOp::create(outer, k, head);
  Value width = tensor::DimOp::create(outer, q, 3);
  return build(b, loc, sizes, b.getF32Type(), [&](Emitter &e, ValueRange at) {
    Value kh = keyHead(e, at[1], heads, keyHeads);
    Value dot = fold(e, width, e.f32(0), [&](Emitter &e, Value d, Value acc) {
      Value x = e.lookup(q, element(layout, at[0], at[1], at[2], d));
      Value y = e.lookup(k, element(layout, at[0], kh, at[3], d));
      return e.add(acc, e.mul(x, y));
    });
    return modify(e, e.mul(dot, e.f32(scale)), at);
  });
}

std::pair<Value, Value> reference::attend(OpBuilder &b, Location loc, Value scores, Value v,
                                          Layout layout, Type elementType) {
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, loc, scores);
  ArrayRef<OpFoldResult> rows = ArrayRef(sizes).take_front(3);
  Emitter outer(loc, b);
  Type f32 = b.getF32Type();
  Value keys = tensor::DimOp::create(outer, scores, 3);
  Value heads = tensor::DimOp::create(outer, scores, 1);
  Value keyHeads = tensor::DimOp::create(outer, v, headDim(layout));
  const double infinity = std::numeric_limits<double>::infinity();
  auto score = [&](Emitter &e, ValueRange row, Value j) {
    return e.lookup(scores, {row[0], row[1], row[2], j});
  };

  Value maximum = build(b, loc, rows, f32, [&](Emitter &e, ValueRange at) {
    Value m = fold(e, keys, e.f32(-infinity), [&](Emitter &e, Value j, Value acc) {
      return e.max(acc, score(e, at, j));
    });
    // An empty row subtracts 0 rather than -inf from -inf.
    return e.select(e.less(e.f32(-infinity), m), m, e.f32(0));
  });
  Value sum = build(b, loc, rows, f32, [&](Emitter &e, ValueRange at) {
    Value m = e.lookup(maximum, at);
    return fold(e, keys, e.f32(0), [&](Emitter &e, Value j, Value acc) {
      return e.add(acc, math::ExpOp::create(e, e.sub(score(e, at, j), m)));
    });
  });
  auto isEmpty = [](Emitter &e, Value l) { return e.lessEqual(l, e.f32(0)); };

  SmallVector<OpFoldResult> shape(4);
  shape[0] = sizes[0];
  shape[headDim(layout)] = sizes[1];
  shape[rowDim(layout)] = sizes[2];
  shape[3] = tensor::getMixedSize(b, loc, v, 3);
  Value output = build(b, loc, shape, elementType, [&](Emitter &e, ValueRange at) -> Value {
    SmallVector<Value> row = {at[0], at[headDim(layout)], at[rowDim(layout)]};
    Value kh = keyHead(e, row[1], heads, keyHeads);
    Value m = e.lookup(maximum, row), l = e.lookup(sum, row);
    Value o = fold(e, keys, e.f32(0), [&](Emitter &e, Value j, Value acc) {
      Value s = score(e, row, j);
      Value p = math::ExpOp::create(e, e.sub(s, m));
      Value term = e.mul(p, e.lookup(v, element(layout, at[0], kh, j, at[3])));
      // The value of a hidden key may be anything: select, never multiply by 0.
      return e.add(acc, e.select(e.less(e.f32(-infinity), s), term, e.f32(0)));
    });
    return e.select(isEmpty(e, l), e.f32(0), e.div(o, l));
  });
  Value lse = build(b, loc, rows, f32, [&](Emitter &e, ValueRange at) {
    Value l = e.lookup(sum, at);
    Value value = e.add(e.lookup(maximum, at), math::LogOp::create(e, l));
    return e.select(isEmpty(e, l), e.f32(-infinity), value);
  });
  return {output, lse};
}

Value posenc::reference::startOf(Emitter &e, Value start, Value batch) {
  return start.getType().isIndex() ? start : e.toIndex(e.lookup(start, batch));
}
