//===- Encoding.cpp - what all encodings share ----------------------------===//

#include "posenc/Dialect.h"

#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"

using namespace mlir;
using namespace posenc;

#include "posenc/EncodingInterface.cpp.inc"

LogicalResult posenc::verifyChannels(Operation *op, ChannelsAttr channels, int64_t size,
                                     StringRef name) {
  int64_t width = channels.getWidth();
  if (channels.getOffset() < 0 || width < 0)
    return op->emitOpError("expected non-negative ") << name << " channels";
  if (ShapedType::isDynamic(size))
    return success();
  if (!width)
    width = size - channels.getOffset();
  if (width <= 0 || channels.getOffset() + width > size)
    return op->emitOpError("expected ") << name << " channels within " << size << ", but found ["
                                        << channels.getOffset() << ", "
                                        << channels.getOffset() + width << ")";
  if (width % channels.getGroup())
    return op->emitOpError("expected an even number of ")
           << name << " channels, but found " << width;
  return success();
}

/// A region takes whole groups of channels, which it can only be seen to do when
/// their number is known.
static LogicalResult verifyRowMap(EncodingOpInterface encoding, ShapedType type) {
  ChannelsAttr channels = encoding.getChannels();
  int64_t size = type.getShape().back();
  bool some = channels.getGroup() > 1 || channels.getOffset() || channels.getWidth();
  if (some && ShapedType::isDynamic(size))
    return encoding->emitOpError("expected a static number of channels");
  return verifyChannels(encoding, channels, size, encoding->getName().stripDialect());
}

/// `at` holds one tensor of coordinates for tokens and rows, or those of the
/// queries and those of the keys for scores; without any, row numbers count.
LogicalResult posenc::verifyEncoding(Operation *op) {
  auto encoding = cast<EncodingOpInterface>(op);
  auto type = cast<ShapedType>(encoding.getInput().getType());
  OperandRange positions = encoding.getPositionOperands();
  bool pairs = encoding.getSite() == Site::Score || encoding.getSite() == Site::Mask;

  if (pairs && positions.size() != 0 && positions.size() != 2)
    return op->emitOpError("expected positions of queries and of keys, or none, but found ")
           << positions.size() << " tensors";
  if (!pairs && positions.size() > 1)
    return op->emitOpError("expected positions of the rows at most, but found ")
           << positions.size() << " tensors";
  if (!pairs && failed(verifyRowMap(encoding, type)))
    return failure();

  for (auto [n, operand] : llvm::enumerate(positions)) {
    auto shape = cast<ShapedType>(operand.getType()).getShape();
    unsigned rowDim = pairs ? 2 + n : 1;
    if (auto layout = op->getAttrOfType<LayoutAttr>("layout");
        !pairs && type.getRank() == 4 && (!layout || layout.getValue() == Layout::bhsd))
      rowDim = 2;
    if (failed(verifyCompatibleShape({type.getDimSize(rowDim)}, {shape.back()})))
      return op->emitOpError("expected ")
             << type.getDimSize(rowDim) << " coordinates, but found " << shape.back();
    if (shape.size() == 2 &&
        failed(verifyCompatibleShape({type.getDimSize(0)}, {shape.front()})))
      return op->emitOpError("expected coordinates of ")
             << type.getDimSize(0) << " samples, but found " << shape.front();
  }
  return success();
}

void posenc::checkIndices(OpBuilder &b, Location loc, Value indices, Value table,
                          StringRef what) {
  Value rows = tensor::DimOp::create(b, loc, table, 0);
  CheckOp::create(b, loc, indices, rows, what);
}

void posenc::checkSize(OpBuilder &b, Location loc, Value first, unsigned firstDim, Value second,
                       unsigned secondDim, const Twine &message) {
  auto dynamic = [](Value v, unsigned dim) {
    return cast<ShapedType>(v.getType()).isDynamicDim(dim);
  };
  if ((!dynamic(first, firstDim) && !dynamic(second, secondDim)) ||
      (first == second && firstDim == secondDim))
    return;
  auto size = [&](Value v, unsigned dim) -> Value {
    // The count is at hand; the coordinates need not be computed for it.
    if (auto positions = v.getDefiningOp<PositionsOp>();
        positions && dim + 1 == positions.getType().getRank())
      return positions.getCount();
    return getValueOrCreateConstantIndexOp(b, loc, tensor::getMixedSize(b, loc, v, dim));
  };
  Value equal = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, size(first, firstDim),
                                      size(second, secondDim));
  cf::AssertOp::create(b, loc, equal, message.str());
}

void posenc::checkCoordinates(OpBuilder &b, Location loc,
                              EncodingOpInterface encoding, Value table,
                              int64_t offset, StringRef what) {
  Emitter e(loc, b);
  Value rows = tensor::DimOp::create(e, table, 0);
  Value limit = offset ? e.sub(rows, e.index(offset)) : rows;
  if (!encoding.getPositionOperands().empty()) {
    Value positions = encoding.getPositionOperands().front();
    auto iota = positions.getDefiningOp<PositionsOp>();
    if (!iota || !iota.getStart().getType().isIndex()) {
      CheckOp::create(e, positions, limit, what);
      return;
    }
    // Coordinates in order: the last one decides; start is at least 0.
    Value end = e.add(iota.getStart(), iota.getCount());
    CheckOp::create(e, e.max(e.sub(end, e.index(1)), e.index(0)), limit, what);
    return;
  }
  unsigned rowDim = 1;
  Value count = tensor::DimOp::create(e, encoding.getInput(), rowDim);
  CheckOp::create(e, e.max(e.sub(count, e.index(1)), e.index(0)), limit, what);
}
