#include "posenc/Encoding.h"

#define GET_OP_CLASSES
#include "TokenType.h.inc"
#define GET_OP_CLASSES
#include "TokenType.cpp.inc"

using namespace mlir;
using namespace posenc;

static RegisterEncoding<TokenTypeOp> registration;

LogicalResult TokenTypeOp::verify() {
  if (!getPositions().empty())
    return emitOpError("expected no positions: the ids say which row is added");
  if (failed(verifyCompatibleShape(getX().getType().getShape().take_front(2),
                                   getIds().getType().getShape())))
    return emitOpError("expected an id for every token of ")
           << getX().getType() << ", but found " << getIds().getType();
  if (failed(verifyCompatibleShape({getX().getType().getDimSize(2)},
                                   {getTable().getType().getDimSize(1)})))
    return emitOpError("expected table rows of ")
           << getX().getType().getDimSize(2) << " channels, but found "
           << getTable().getType().getDimSize(1);
  return success();
}

SmallVector<Value> TokenTypeOp::emit(Emitter &e, ValueRange x, const At &at) {
  Value id = e.toIndex(e.lookup(getIds(), {at.batch, at.row}));
  return {e.add(x[0], e.lookup(getTable(), {id, at.channel}))};
}

void TokenTypeOp::emitChecks(OpBuilder &b, Location loc) {
  checkSize(b, loc, getTable(), 1, getX(), 2,
            "posenc.token_type: expected table rows as wide as the tokens");
  for (unsigned d : {0, 1})
    checkSize(b, loc, getIds(), d, getX(), d, "posenc.token_type: expected an id for every token");
  checkIndices(b, loc, getIds(), getTable(), "token type");
}
