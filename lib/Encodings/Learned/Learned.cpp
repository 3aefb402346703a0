#include "posenc/Encoding.h"

#define GET_OP_CLASSES
#include "Learned.h.inc"
#define GET_OP_CLASSES
#include "Learned.cpp.inc"

using namespace mlir;
using namespace posenc;

static RegisterEncoding<LearnedOp> registration;

LogicalResult LearnedOp::verify() {
  if (failed(verifyCompatibleShape({getX().getType().getDimSize(2)},
                                   {getTable().getType().getDimSize(1)})))
    return emitOpError("expected table rows of ")
           << getX().getType().getDimSize(2) << " channels, but found "
           << getTable().getType().getDimSize(1);
  for (Value positions : getPositions())
    if (isa<FloatType>(getElementTypeOrSelf(positions)))
      return emitOpError("expected integer coordinates, but found ") << positions.getType();
  // A negative one would make rows in front of the table out of coordinates
  // that the run-time check accepts.
  if (int64_t offset = getOffset(); offset < 0)
    return emitOpError("expected an offset of at least 0, but found ") << offset;
  return success();
}

SmallVector<Value> LearnedOp::emit(Emitter &e, ValueRange x, const At &at) {
  Value row = e.add(e.toIndex(at.coord), e.index(getOffset()));
  return {e.add(x[0], e.lookup(getTable(), {row, at.channel}))};
}

void LearnedOp::emitChecks(OpBuilder &b, Location loc) {
  checkSize(b, loc, getTable(), 1, getX(), 2,
            "posenc.learned: expected table rows as wide as the tokens");
  checkCoordinates(b, loc, *this, getTable(), getOffset(), "position");
}
