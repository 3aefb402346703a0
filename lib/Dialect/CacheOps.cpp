//===- CacheOps.cpp - caches of keys and values ---------------------------===//

#include "posenc/Dialect.h"

using namespace mlir;
using namespace posenc;

static bool agree(int64_t a, int64_t b) {
  return ShapedType::isDynamic(a) || ShapedType::isDynamic(b) || a == b;
}

/// `rows` are of the samples, heads and channels of `cache`.
static LogicalResult verifyCache(Operation *op, RankedTensorType cache, RankedTensorType rows,
                                 Layout layout) {
  ArrayRef<int64_t> c = cache.getShape(), r = rows.getShape();
  for (int64_t tile : c.take_back(2))
    if (ShapedType::isDynamic(tile) || tile < 1)
      return op->emitOpError("expected blocks and chunks of a known size, but found ") << cache;
  unsigned head = layout == Layout::bhsd ? 1 : 2;
  if (!agree(c[0], r[0]))
    return op->emitOpError("expected equal batch sizes, but found ") << r[0] << " and " << c[0];
  if (!agree(c[1], r[head]))
    return op->emitOpError("expected as many heads of rows as of the cache, but found ")
           << r[head] << " and " << c[1];
  int64_t width = ShapedType::isDynamic(c[3]) ? c[3] : c[3] * c[5];
  if (!agree(width, r[3]))
    return op->emitOpError("expected rows of the cache's width ") << width << ", but found " << r[3];
  return success();
}

LogicalResult AppendOp::verify() {
  if (auto starts = dyn_cast<RankedTensorType>(getStart().getType()))
    if (int64_t batch = getRows().getType().getDimSize(0); !agree(starts.getDimSize(0), batch))
      return emitOpError("expected a position for each of ")
             << batch << " samples, but found " << starts.getDimSize(0);
  return verifyCache(*this, getCache().getType(), getRows().getType(), getLayout());
}
LogicalResult AppendOp::reifyResultShapes(OpBuilder &b, ReifiedRankedShapedTypeDims &dims) {
  dims.push_back(tensor::getMixedSizes(b, getLoc(), getCache()));
  return success();
}

LogicalResult RowsOp::verify() {
  RankedTensorType cache = getCache().getType(), rows = getResult().getType();
  if (cache.getElementType() != rows.getElementType())
    return emitOpError("expected the cache's element type, but found ") << rows.getElementType();
  return verifyCache(*this, cache, rows, getLayout());
}
LogicalResult RowsOp::reifyResultShapes(OpBuilder &b, ReifiedRankedShapedTypeDims &dims) {
  ArrayRef<int64_t> shape = getResult().getType().getShape();
  bool bhsd = getLayout() == Layout::bhsd;
  unsigned head = bhsd ? 1 : 2, row = bhsd ? 2 : 1;
  auto of = [&](unsigned dim) { return tensor::getMixedSize(b, getLoc(), getCache(), dim); };
  SmallVector<OpFoldResult> sizes(4);
  sizes[0] = of(0);
  sizes[head] = of(1);
  sizes[row] = getCount();
  sizes[3] = of(3);
  if (ShapedType::isDynamic(shape[3])) {
    Value chunks = getValueOrCreateConstantIndexOp(b, getLoc(), sizes[3]);
    Value chunk = arith::ConstantIndexOp::create(b, getLoc(), getCache().getType().getDimSize(5));
    sizes[3] = arith::MulIOp::create(b, getLoc(), chunks, chunk).getResult();
  }
  for (auto [size, known] : llvm::zip(sizes, shape))
    if (ShapedType::isStatic(known))
      size = b.getIndexAttr(known);
  dims.push_back(sizes);
  return success();
}
