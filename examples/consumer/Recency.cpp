//===- Recency.cpp - an encoding that posenc does not know ----------------===//

#include "posenc/Encoding.h"

#define GET_OP_CLASSES
#include "Recency.h.inc"
#define GET_OP_CLASSES
#include "Recency.cpp.inc"

using namespace mlir;
using namespace posenc;

static RegisterEncoding<RecencyOp> registration;

SmallVector<Value> RecencyOp::emit(Emitter &e, ValueRange x, const At &at) {
  return {e.add(x[0], e.mul(e.toFloat(at.keyCoord), e.f32(0.1)))};
}
