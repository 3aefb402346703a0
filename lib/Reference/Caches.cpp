//===- Caches.cpp - rows to and from caches -------------------------------===//

#include "Reference/Loops.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace posenc;
using namespace posenc::reference;

/// The indices of channel `d` of a row in blocks and chunks.
static SmallVector<Value> placeInCache(Emitter &e, Value cache, Value batch, Value head, Value row,
                                       Value d) {
  ArrayRef<int64_t> shape = cast<ShapedType>(cache.getType()).getShape();
  Value rows = e.index(shape[4]), channels = e.index(shape[5]);
  auto quotient = [&](Value a, Value b) -> Value { return arith::DivUIOp::create(e, a, b); };
  auto rest = [&](Value a, Value b) -> Value { return arith::RemUIOp::create(e, a, b); };
  return {batch, head, quotient(row, rows), quotient(d, channels), rest(row, rows), rest(d, channels)};
}

Value posenc::reference::append(OpBuilder &b, AppendOp op) {
  Emitter e(op.getLoc(), b);
  Value rows = op.getRows(), cache = op.getCache();
  bool bhsd = op.getLayout() == Layout::bhsd;
  SmallVector<Value> from(4, e.index(0)), step(4, e.index(1)), to;
  for (unsigned dim : {0u, bhsd ? 1u : 2u, bhsd ? 2u : 1u, 3u})
    to.push_back(tensor::DimOp::create(e, rows, dim));
  auto loops = scf::buildLoopNest(
      e, op.getLoc(), from, to, step, cache,
      [&](OpBuilder &nested, Location loc, ValueRange at, ValueRange old) {
        Emitter inner(loc, nested);
        SmallVector<Value> source(at);
        if (!bhsd)
          std::swap(source[1], source[2]);
        Value x = inner.lookup(rows, source);
        if (Type element = getElementTypeOrSelf(cache); x.getType() != element)
          x = arith::TruncFOp::create(inner, element, x);
        Value row = inner.add(startOf(inner, op.getStart(), at[0]), at[2]);
        Value next = tensor::InsertOp::create(
            inner, x, old[0], placeInCache(inner, cache, at[0], at[1], row, at[3]));
        return scf::ValueVector{next};
      });
  // No two iterations write the same element.
  for (scf::ForOp loop : loops.loops)
    loop->setAttr("posenc.independent", b.getUnitAttr());
  return loops.results[0];
}

Value posenc::reference::rowsOfCache(OpBuilder &b, Location loc, Value cache,
                                     ArrayRef<OpFoldResult> sizes, Layout layout) {
  return build(b, loc, sizes, getElementTypeOrSelf(cache), [&](Emitter &e, ValueRange at) {
    bool bhsd = layout == Layout::bhsd;
    return e.lookup(cache, placeInCache(e, cache, at[0], at[bhsd ? 1 : 2], at[bhsd ? 2 : 1], at[3]));
  });
}
