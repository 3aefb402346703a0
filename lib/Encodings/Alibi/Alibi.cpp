#include "posenc/Encoding.h"

#include <cmath>

#define GET_OP_CLASSES
#include "Alibi.h.inc"
#define GET_OP_CLASSES
#include "Alibi.cpp.inc"

using namespace mlir;
using namespace posenc;

static RegisterEncoding<AlibiOp> registration;

LogicalResult AlibiOp::verify() {
  if (getX().getType().isDynamicDim(1))
    return emitOpError("expected a static number of heads");
  if (int64_t heads = getX().getType().getDimSize(1); heads < 1 || heads > maxTableSize)
    return emitOpError("expected 1 to ") << maxTableSize << " heads, but found " << heads;
  return success();
}

SmallVector<Value> AlibiOp::emit(Emitter &e, ValueRange x, const At &at) {
  int64_t heads = getX().getType().getDimSize(1);
  int64_t n = int64_t(1) << llvm::Log2_64(heads);
  double maxBias = getMaxBias().convertToDouble();
  SmallVector<double> slopes;
  for (int64_t h = 0; h < heads; ++h)
    slopes.push_back(h < n ? std::exp2(-maxBias * (h + 1) / n)
                           : std::exp2(-maxBias * (2 * (h - n) + 1) / (2 * n)));
  Value slope = e.lookup(e.table(slopes), at.head);
  Value distance = e.abs(e.sub(e.toFloat(at.coord), e.toFloat(at.keyCoord)));
  return {e.sub(x[0], e.mul(slope, distance))};
}

bool AlibiOp::isTranslationInvariant() { return true; }
bool AlibiOp::isHeadDependent() { return true; }
bool AlibiOp::isToeplitz() { return true; }
