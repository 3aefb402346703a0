//===- FrontOps.cpp - operations that people write ------------------------===//

#include "posenc/Dialect.h"

using namespace mlir;
using namespace posenc;

static ArrayRef<int64_t> shapeOf(Value v) {
  return cast<ShapedType>(v.getType()).getShape();
}
static bool agree(int64_t a, int64_t b) {
  return ShapedType::isDynamic(a) || ShapedType::isDynamic(b) || a == b;
}
static unsigned headDim(Layout layout) { return layout == Layout::bhsd ? 1 : 2; }
static unsigned rowDim(Layout layout) { return layout == Layout::bhsd ? 2 : 1; }

/// The size of a dimension as an attribute if static, else as tensor.dim.
static OpFoldResult size(OpBuilder &b, Location loc, Value v, unsigned dim) {
  return tensor::getMixedSize(b, loc, v, dim);
}

LogicalResult PositionsOp::verify() {
  bool perSample = !getStart().getType().isIndex();
  if (getType().getRank() != (perSample ? 2 : 1))
    return emitOpError("expected a result of rank ")
           << (perSample ? 2 : 1) << ", but found rank " << getType().getRank();
  return success();
}
LogicalResult PositionsOp::reifyResultShapes(OpBuilder &b,
                                             ReifiedRankedShapedTypeDims &dims) {
  SmallVector<OpFoldResult> shape;
  if (!getStart().getType().isIndex())
    shape.push_back(size(b, getLoc(), getStart(), 0));
  if (int64_t count = getType().getShape().back(); ShapedType::isDynamic(count))
    shape.push_back(getCount());
  else
    shape.push_back(b.getIndexAttr(count));
  dims.push_back(shape);
  return success();
}

/// Query heads are a multiple of key heads, and batches agree.
static LogicalResult verifyHeads(Operation *op, int64_t batch, int64_t heads,
                                 int64_t otherBatch, int64_t otherHeads) {
  if (!agree(batch, otherBatch))
    return op->emitOpError("expected equal batch sizes, but found ")
           << batch << " and " << otherBatch;
  if (ShapedType::isStatic(heads) && ShapedType::isStatic(otherHeads) &&
      (otherHeads == 0 || heads % otherHeads))
    return op->emitOpError("expected query heads to be a multiple of key heads, but found ")
           << heads << " and " << otherHeads;
  return success();
}

LogicalResult ScoresOp::verify() {
  auto q = shapeOf(getQuery()), k = shapeOf(getKey()), s = shapeOf(getResult());
  unsigned head = headDim(getLayout()), row = rowDim(getLayout());
  if (failed(verifyHeads(*this, q[0], q[head], k[0], k[head])))
    return failure();
  if (!agree(q[3], k[3]))
    return emitOpError("expected queries and keys of one width, but found ")
           << q[3] << " and " << k[3];
  if (!getScale() && ShapedType::isDynamic(q[3]))
    return emitOpError("expected a scale, since the width is dynamic");
  int64_t expected[] = {q[0], q[head], q[row], k[row]};
  for (auto [have, want] : llvm::zip(s, expected))
    if (!agree(have, want))
      return emitOpError("expected scores of shape [batch, query heads, queries, keys], but found ")
             << getResult().getType();
  return success();
}
LogicalResult ScoresOp::reifyResultShapes(OpBuilder &b,
                                          ReifiedRankedShapedTypeDims &dims) {
  unsigned head = headDim(getLayout()), row = rowDim(getLayout());
  dims.push_back({size(b, getLoc(), getQuery(), 0), size(b, getLoc(), getQuery(), head),
                  size(b, getLoc(), getQuery(), row), size(b, getLoc(), getKey(), row)});
  return success();
}

LogicalResult AttendOp::verify() {
  auto s = shapeOf(getScores()), v = shapeOf(getValue()), o = shapeOf(getResult());
  unsigned head = headDim(getLayout()), row = rowDim(getLayout());
  if (failed(verifyHeads(*this, s[0], s[1], v[0], v[head])))
    return failure();
  if (!agree(s[3], v[row]))
    return emitOpError("expected as many values as scored keys, but found ")
           << v[row] << " and " << s[3];
  if (!agree(o[0], s[0]) || !agree(o[head], s[1]) || !agree(o[row], s[2]) || !agree(o[3], v[3]))
    return emitOpError("expected a result for every query head and row, but found ")
           << getResult().getType();
  if (getLse()) {
    auto l = shapeOf(getLse());
    if (!agree(l[0], s[0]) || !agree(l[1], s[1]) || !agree(l[2], s[2]))
      return emitOpError("expected log-sum-exp of shape [batch, head, row], but found ")
             << getLse().getType();
  }
  return success();
}
LogicalResult AttendOp::reifyResultShapes(OpBuilder &b,
                                          ReifiedRankedShapedTypeDims &dims) {
  SmallVector<OpFoldResult> o(4);
  o[0] = size(b, getLoc(), getScores(), 0);
  o[headDim(getLayout())] = size(b, getLoc(), getScores(), 1);
  o[rowDim(getLayout())] = size(b, getLoc(), getScores(), 2);
  o[3] = size(b, getLoc(), getValue(), 3);
  dims.push_back(o);
  if (getLse())
    dims.push_back({size(b, getLoc(), getScores(), 0), size(b, getLoc(), getScores(), 1),
                    size(b, getLoc(), getScores(), 2)});
  return success();
}

LogicalResult EmbeddingOp::verify() {
  auto ids = shapeOf(getIds()), table = shapeOf(getTable()), y = shapeOf(getResult());
  if (!agree(y[0], ids[0]) || !agree(y[1], ids[1]) || !agree(y[2], table[1]))
    return emitOpError("expected a result of shape [batch, row, channel], but found ")
           << getResult().getType();
  if (getResult().getType().getElementType() != getTable().getType().getElementType())
    return emitOpError("expected the table's element type, but found ")
           << getResult().getType().getElementType();
  return success();
}
LogicalResult EmbeddingOp::reifyResultShapes(OpBuilder &b,
                                             ReifiedRankedShapedTypeDims &dims) {
  dims.push_back({size(b, getLoc(), getIds(), 0), size(b, getLoc(), getIds(), 1),
                  size(b, getLoc(), getTable(), 1)});
  return success();
}

LogicalResult WeightOp::verify() {
  auto type = cast<ShapedType>(getResult().getType());
  // The accessor is unsigned.
  int64_t offset = getOffset();
  if (offset < 0)
    return emitOpError("expected an offset of at least 0, but found ") << offset;
  int64_t bytes = std::max<int64_t>(1, type.getElementTypeBitWidth() / 8);
  if (offset % bytes)
    return emitOpError("expected an offset aligned to ")
           << bytes << " bytes, but found " << offset;
  return success();
}
LogicalResult WeightOp::verifySymbolUses(SymbolTableCollection &symbols) {
  auto file = symbols.lookupNearestSymbolFrom<WeightsOp>(*this, getFileAttr());
  if (!file)
    return emitOpError("expected ") << getFile() << " to name a posenc.weights";
  auto type = cast<ShapedType>(getResult().getType());
  int64_t bytes = type.getNumElements() * type.getElementTypeBitWidth() / 8;
  // Signed, since a tensor may be larger than the file.
  int64_t offset = getOffset(), size = file.getSize();
  if (offset > size - bytes)
    return emitOpError("expected ") << bytes << " bytes at " << offset
                                    << " within a file of " << size;
  return success();
}
