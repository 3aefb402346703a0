#include "posenc/Encoding.h"

#define GET_OP_CLASSES
#include "Window.h.inc"
#define GET_OP_CLASSES
#include "Window.cpp.inc"

using namespace mlir;
using namespace posenc;

static RegisterEncoding<WindowOp> registration;

/// The accessors are unsigned, which would make -1 a size.
static int64_t signedSize(uint64_t size) { return size; }

LogicalResult WindowOp::verify() {
  for (int64_t size : {getLeft(), getRight()})
    if (size < -1 || size > INT32_MAX)
      return emitOpError("expected window sizes of at least 0, or -1 for no bound, but found ")
             << size;
  return success();
}

/// A window without bounds hides nothing.
OpFoldResult WindowOp::fold(FoldAdaptor) {
  return signedSize(getLeft()) < 0 && signedSize(getRight()) < 0 ? getX() : Value();
}

SmallVector<Value> WindowOp::emit(Emitter &e, ValueRange, const At &at) {
  Value visible;
  auto restrict = [&](Value condition) {
    visible = visible ? e.logicalAnd(visible, condition) : condition;
  };
  Value query = at.coord, key = at.keyCoord;
  auto size = [&](int64_t n) {
    return isa<FloatType>(query.getType()) ? e.f32(n) : e.i32(n);
  };
  if (signedSize(getLeft()) >= 0)
    restrict(e.lessEqual(e.sub(query, size(getLeft())), key));
  if (signedSize(getRight()) >= 0)
    restrict(e.lessEqual(key, e.add(query, size(getRight()))));
  if (!visible)
    visible = arith::ConstantIntOp::create(e, 1, 1);
  return {visible};
}

LiveInterval WindowOp::getLiveKeys(Emitter &e, Value first, Value last) {
  LiveInterval live;
  if (signedSize(getLeft()) >= 0)
    live.lo = e.sub(first, e.i32(getLeft()));
  if (signedSize(getRight()) >= 0)
    live.hi = e.add(last, e.i32(getRight() + 1));
  return live;
}

bool WindowOp::isLiveExact() { return true; }
bool WindowOp::isTopLeft() { return getTopLeft(); }
bool WindowOp::isTranslationInvariant() { return true; }
bool WindowOp::isToeplitz() { return true; }
