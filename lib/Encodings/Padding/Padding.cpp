#include "posenc/Encoding.h"

#define GET_OP_CLASSES
#include "Padding.h.inc"
#define GET_OP_CLASSES
#include "Padding.cpp.inc"

using namespace mlir;
using namespace posenc;

static RegisterEncoding<PaddingOp> registration;

LogicalResult PaddingOp::verify() {
  auto x = getX().getType(), valid = getValid().getType();
  if (failed(verifyCompatibleShape({x.getDimSize(0), x.getDimSize(3)}, valid.getShape())))
    return emitOpError("expected validity of ")
           << x.getDimSize(0) << " samples and " << x.getDimSize(3) << " keys, but found "
           << valid;
  return success();
}

SmallVector<Value> PaddingOp::emit(Emitter &e, ValueRange, const At &at) {
  return {e.lookup(getValid(), {at.batch, at.key})};
}

void PaddingOp::emitChecks(OpBuilder &b, Location loc) {
  StringRef message = "posenc.padding: expected validity for every sample and key";
  checkSize(b, loc, getValid(), 0, getX(), 0, message);
  checkSize(b, loc, getValid(), 1, getX(), 3, message);
}
