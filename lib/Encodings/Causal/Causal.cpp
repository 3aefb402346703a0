#include "posenc/Encoding.h"

#define GET_OP_CLASSES
#include "Causal.h.inc"
#define GET_OP_CLASSES
#include "Causal.cpp.inc"

using namespace mlir;
using namespace posenc;

static RegisterEncoding<CausalOp> registration;

SmallVector<Value> CausalOp::emit(Emitter &e, ValueRange, const At &at) {
  return {e.lessEqual(at.keyCoord, at.coord)};
}

LiveInterval CausalOp::getLiveKeys(Emitter &e, Value, Value last) {
  return {nullptr, e.add(last, e.i32(1))};
}

bool CausalOp::isLiveExact() { return true; }
bool CausalOp::isTopLeft() { return getTopLeft(); }
bool CausalOp::isTranslationInvariant() { return true; }
bool CausalOp::isToeplitz() { return true; }
