#include "posenc/Encoding.h"

#define GET_OP_CLASSES
#include "Window.h.inc"
#define GET_OP_CLASSES
#include "Window.cpp.inc"

using namespace mlir;
using namespace posenc;

static RegisterEncoding<WindowOp> registration;

LogicalResult WindowOp::verify() {
  // The accessors are unsigned, which would make -1 a size.
  for (int64_t size : {getLeft(), getRight()})
    if (size < -1 || size > INT32_MAX)
      return emitOpError("expected window sizes of at least 0, or -1 for no bound, but found ")
             << size;
  return success();
}

/// A window without bounds hides nothing.
OpFoldResult WindowOp::fold(FoldAdaptor) {
  return int64_t(getLeft()) < 0 && int64_t(getRight()) < 0 ? getX() : Value();
}

/// `query - left` and `query + right`; integers saturate below 2^31 - 1, so that
/// a bound that is wider than all coordinates does not wrap.
static Value lowest(Emitter &e, Value query, int64_t left) {
  if (isa<FloatType>(query.getType()))
    return e.sub(query, e.f32(left));
  return e.sub(e.max(query, e.i32(INT32_MIN + left)), e.i32(left));
}
static Value highest(Emitter &e, Value query, int64_t right) {
  if (isa<FloatType>(query.getType()))
    return e.add(query, e.f32(right));
  right = std::min<int64_t>(right, INT32_MAX - 1);
  return e.add(e.min(query, e.i32(INT32_MAX - 1 - right)), e.i32(right));
}

SmallVector<Value> WindowOp::emit(Emitter &e, ValueRange, const At &at) {
  Value visible;
  auto restrict = [&](Value condition) {
    visible = visible ? e.logicalAnd(visible, condition) : condition;
  };
  if (int64_t left = getLeft(); left >= 0)
    restrict(e.lessEqual(lowest(e, at.coord, left), at.keyCoord));
  if (int64_t right = getRight(); right >= 0)
    restrict(e.lessEqual(at.keyCoord, highest(e, at.coord, right)));
  if (!visible)
    visible = arith::ConstantIntOp::create(e, 1, 1);
  return {visible};
}

LiveInterval WindowOp::getLiveKeys(Emitter &e, Value first, Value last) {
  LiveInterval live;
  if (int64_t left = getLeft(); left >= 0)
    live.lo = lowest(e, first, left);
  if (int64_t right = getRight(); right >= 0)
    live.hi = e.add(highest(e, last, right), e.i32(1));
  return live;
}

bool WindowOp::isLiveExact() { return true; }
bool WindowOp::isTopLeft() { return getTopLeft(); }
bool WindowOp::isTranslationInvariant() { return true; }
bool WindowOp::isToeplitz() { return true; }
