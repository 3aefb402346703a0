//===- Tiling.cpp - TilingInterface of the kernel operations --------------===//
//
// All loops are parallel: the rows of maps, linear layers and normalisations,
// and (batch, query head, query row) of attention, whose keys stay whole. A
// tile of an op with regions carries the offsets of its first element, so that
// its regions still see whole-problem coordinates.
//
//===----------------------------------------------------------------------===//

#include "posenc/Dialect.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace posenc;

using Folds = SmallVector<OpFoldResult>;

static int64_t rank(Value v) { return cast<ShapedType>(v.getType()).getRank(); }

static OpFoldResult size(OpBuilder &b, Location loc, Value v, unsigned dim) {
  if (int64_t n = cast<ShapedType>(v.getType()).getDimSize(dim); ShapedType::isStatic(n))
    return b.getIndexAttr(n);
  if (isa<MemRefType>(v.getType()))
    return memref::DimOp::create(b, loc, v, dim).getResult();
  return tensor::DimOp::create(b, loc, v, dim).getResult();
}

static Value slice(OpBuilder &b, Location loc, Value v, const Folds &offsets, const Folds &sizes) {
  Folds strides(offsets.size(), b.getIndexAttr(1));
  if (isa<MemRefType>(v.getType()))
    return memref::SubViewOp::create(b, loc, v, offsets, sizes, strides);
  return tensor::ExtractSliceOp::create(b, loc, v, offsets, sizes, strides);
}

/// The rows [offsets, offsets + sizes) of the leading dimensions, all that follow.
static Value leading(OpBuilder &b, Location loc, Value v, ArrayRef<OpFoldResult> offsets,
                     ArrayRef<OpFoldResult> sizes) {
  Folds o(offsets), s(sizes);
  for (int64_t d = offsets.size(); d < rank(v); ++d) {
    o.push_back(b.getIndexAttr(0));
    s.push_back(size(b, loc, v, d));
  }
  return slice(b, loc, v, o, s);
}

static SmallVector<Range> ranges(OpBuilder &b, Location loc, Value v, ArrayRef<unsigned> dims) {
  SmallVector<Range> result;
  for (unsigned d : dims)
    result.push_back({b.getIndexAttr(0), size(b, loc, v, d), b.getIndexAttr(1)});
  return result;
}

/// The op on the slices in `operands`, which stand for all but the offsets.
static TilingResult tiled(OpBuilder &b, Operation *op, ArrayRef<Value> operands) {
  auto dps = cast<DestinationStyleOpInterface>(op);
  SmallVector<Value> all(op->getOperands());
  llvm::copy(operands, all.begin());
  SmallVector<Type> types;
  for (OpOperand &init : dps.getDpsInitsMutable())
    if (Type type = all[init.getOperandNumber()].getType(); isa<TensorType>(type))
      types.push_back(type);
  Operation *tile = b.clone(*op);
  tile->setOperands(all);
  for (auto [result, type] : llvm::zip(tile->getResults(), types))
    result.setType(type);
  SmallVector<Operation *> slices;
  for (Value v : operands)
    if (Operation *slice = v.getDefiningOp(); isa_and_nonnull<tensor::ExtractSliceOp, memref::SubViewOp>(slice))
      slices.push_back(slice);
  return {{tile}, SmallVector<Value>(tile->getResults()), slices};
}

/// `old` (or zeros) plus the tile's offsets, as values.
static SmallVector<Value> shifted(OpBuilder &b, Location loc, OperandRange old,
                                  ArrayRef<OpFoldResult> offsets) {
  SmallVector<Value> result;
  for (auto [n, offset] : llvm::enumerate(offsets)) {
    Value v = getValueOrCreateConstantIndexOp(b, loc, offset);
    result.push_back(old.empty() ? v : arith::AddIOp::create(b, loc, old[n], v).getResult());
  }
  return result;
}

//===----------------------------------------------------------------------===//
// Linear layers and normalisations: the leading dimensions
//===----------------------------------------------------------------------===//

#define POSENC_ROWS(Op)                                                                            \
  SmallVector<utils::IteratorType> Op::getLoopIteratorTypes() {                                    \
    return SmallVector<utils::IteratorType>(rank(getInput()) - 1, utils::IteratorType::parallel);  \
  }                                                                                                \
  SmallVector<Range> Op::getIterationDomain(OpBuilder &b) {                                        \
    auto dims = llvm::to_vector(llvm::seq<unsigned>(0, rank(getInput()) - 1));                     \
    return ranges(b, getLoc(), getInput(), dims);                                                  \
  }                                                                                                \
  LogicalResult Op::getResultTilePosition(OpBuilder &b, unsigned, ArrayRef<OpFoldResult> offsets,  \
                                          ArrayRef<OpFoldResult> sizes, Folds &resultOffsets,      \
                                          Folds &resultSizes) {                                    \
    resultOffsets.assign(offsets.begin(), offsets.end());                                          \
    resultSizes.assign(sizes.begin(), sizes.end());                                                \
    for (int64_t d = offsets.size(); d < rank(getOuts()[0]); ++d) {                                \
      resultOffsets.push_back(b.getIndexAttr(0));                                                  \
      resultSizes.push_back(size(b, getLoc(), getOuts()[0], d));                                   \
    }                                                                                              \
    return success();                                                                              \
  }                                                                                                \
  FailureOr<TilingResult> Op::generateResultTileValue(                                             \
      OpBuilder &b, unsigned, ArrayRef<OpFoldResult> offsets, ArrayRef<OpFoldResult> sizes) {      \
    /* A tile of the result with part of the last dimension is none of the op. */                 \
    unsigned last = offsets.size() - 1;                                                            \
    OpFoldResult whole = size(b, getLoc(), getOuts()[0], last);                                    \
    if (!isConstantIntValue(offsets[last], 0) || !isEqualConstantIntOrValue(sizes[last], whole))   \
      return failure();                                                                            \
    return getTiledImplementation(b, offsets.drop_back(), sizes.drop_back());                      \
  }
POSENC_ROWS(LinearOp)
POSENC_ROWS(LayerNormOp)
POSENC_ROWS(MapOp)
#undef POSENC_ROWS

FailureOr<TilingResult> LinearOp::getTiledImplementation(OpBuilder &b, ArrayRef<OpFoldResult> offsets,
                                                         ArrayRef<OpFoldResult> sizes) {
  auto part = [&](Value v) { return leading(b, getLoc(), v, offsets, sizes); };
  SmallVector<Value> operands{part(getInput()), getWeight()};
  for (Value extra : getExtras())
    operands.push_back(rank(extra) == 1 ? extra : part(extra));
  if (getSums())
    operands.push_back(getSums());
  operands.push_back(part(getOuts()[0]));
  return tiled(b, *this, operands);
}

FailureOr<TilingResult> LayerNormOp::getTiledImplementation(OpBuilder &b,
                                                            ArrayRef<OpFoldResult> offsets,
                                                            ArrayRef<OpFoldResult> sizes) {
  auto part = [&](Value v) { return leading(b, getLoc(), v, offsets, sizes); };
  return tiled(b, *this, {part(getInput()), getGamma(), getBeta(), part(getOuts()[0])});
}

FailureOr<TilingResult> MapOp::getTiledImplementation(OpBuilder &b, ArrayRef<OpFoldResult> offsets,
                                                      ArrayRef<OpFoldResult> sizes) {
  SmallVector<Value> operands;
  for (Value v : llvm::concat<Value>(SmallVector<Value>{getInput()}, SmallVector<Value>(getOthers()),
                                     SmallVector<Value>(getOuts())))
    operands.push_back(leading(b, getLoc(), v, offsets, sizes));
  TilingResult result = tiled(b, *this, operands);
  auto tile = cast<MapOp>(result.tiledOps.front());
  OpFoldResult zero = b.getIndexAttr(0);
  bool bhsd = getLayout() == Layout::bhsd;
  Folds at = isTokens() ? Folds{offsets[0], zero, offsets[1]}
                        : Folds{offsets[0], offsets[bhsd ? 1 : 2], offsets[bhsd ? 2 : 1]};
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(tile);
  tile.getOffsetsMutable().assign(shifted(b, getLoc(), getOffsets(), at));
  return result;
}

//===----------------------------------------------------------------------===//
// Attention: batch, query head, query row
//===----------------------------------------------------------------------===//

SmallVector<utils::IteratorType> AttentionOp::getLoopIteratorTypes() {
  return SmallVector<utils::IteratorType>(3, utils::IteratorType::parallel);
}

SmallVector<Range> AttentionOp::getIterationDomain(OpBuilder &b) {
  return ranges(b, getLoc(), getQuery(), {0, getHeadDim(), getRowDim()});
}

/// Four dimensions of an operand from those of (batch, head, row), all channels.
static Folds arrange(AttentionOp op, OpFoldResult batch, OpFoldResult head, OpFoldResult row,
                     OpFoldResult channel) {
  Folds result(4);
  result[0] = batch;
  result[op.getHeadDim()] = head;
  result[op.getRowDim()] = row;
  result[3] = channel;
  return result;
}

FailureOr<TilingResult> AttentionOp::getTiledImplementation(OpBuilder &b,
                                                            ArrayRef<OpFoldResult> offsets,
                                                            ArrayRef<OpFoldResult> sizes) {
  Location loc = getLoc();
  OpFoldResult zero = b.getIndexAttr(0);
  if (readsCache())
    return emitOpError("expected keys in rows to tile, but found a cache");
  // Whole groups of query heads, or a part of one group, have their key heads.
  int64_t heads = cast<ShapedType>(getQuery().getType()).getDimSize(getHeadDim());
  int64_t keyHeads = cast<ShapedType>(getKey().getType()).getDimSize(getHeadDim());
  bool grouped = ShapedType::isDynamic(heads) || heads != keyHeads;
  OpFoldResult keyOffset = offsets[1], keySize = sizes[1];
  if (grouped) {
    std::optional<int64_t> tile = getConstantIntValue(sizes[1]);
    if (ShapedType::isDynamic(heads) || ShapedType::isDynamic(keyHeads) || !tile)
      return emitOpError("expected static numbers of heads to tile the heads of a group");
    int64_t group = heads / keyHeads;
    bool parts = *tile < group;
    if (parts ? group % *tile : *tile % group)
      return emitOpError("expected a tile of heads that divides or is a multiple of the group of ")
             << group << ", but found " << *tile;
    if (parts && (getKeyChannels() || getValueChannels()))
      return emitOpError("expected whole groups of heads, since keys or values are mapped");
    AffineExpr d = b.getAffineDimExpr(0);
    keyOffset = affine::makeComposedFoldedAffineApply(b, loc, d.floorDiv(group), {offsets[1]});
    keySize = b.getIndexAttr(parts ? 1 : *tile / group);
  }
  auto queryPart = [&](Value v) {
    return slice(b, loc, v, arrange(*this, offsets[0], offsets[1], offsets[2], zero),
                 arrange(*this, sizes[0], sizes[1], sizes[2], size(b, loc, v, 3)));
  };
  auto keyPart = [&](Value v) {
    return slice(b, loc, v, arrange(*this, offsets[0], keyOffset, zero, zero),
                 arrange(*this, sizes[0], keySize, size(b, loc, v, getRowDim()), size(b, loc, v, 3)));
  };
  SmallVector<Value> operands{queryPart(getQuery()), keyPart(getKey()), keyPart(getValue()),
                              queryPart(getOuts()[0])};
  if (getOuts().size() == 2)
    operands.push_back(slice(b, loc, getOuts()[1], Folds(offsets), Folds(sizes)));
  TilingResult result = tiled(b, *this, operands);
  auto tile = cast<AttentionOp>(result.tiledOps.front());
  Folds at{offsets[0], offsets[1], offsets[2], zero};
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(tile);
  tile.getOffsetsMutable().assign(shifted(b, loc, getOffsets(), at));
  return result;
}

LogicalResult AttentionOp::getResultTilePosition(OpBuilder &b, unsigned number,
                                                 ArrayRef<OpFoldResult> offsets,
                                                 ArrayRef<OpFoldResult> sizes, Folds &resultOffsets,
                                                 Folds &resultSizes) {
  if (number == 1) {
    resultOffsets.assign(offsets.begin(), offsets.end());
    resultSizes.assign(sizes.begin(), sizes.end());
    return success();
  }
  resultOffsets = arrange(*this, offsets[0], offsets[1], offsets[2], b.getIndexAttr(0));
  resultSizes = arrange(*this, sizes[0], sizes[1], sizes[2], size(b, getLoc(), getOuts()[0], 3));
  return success();
}

FailureOr<TilingResult> AttentionOp::generateResultTileValue(OpBuilder &b, unsigned number,
                                                             ArrayRef<OpFoldResult> offsets,
                                                             ArrayRef<OpFoldResult> sizes) {
  if (number == 1)
    return getTiledImplementation(b, offsets, sizes);
  OpFoldResult width = size(b, getLoc(), getOuts()[0], 3);
  if (!isConstantIntValue(offsets[3], 0) || !isEqualConstantIntOrValue(sizes[3], width))
    return failure();
  unsigned head = getHeadDim(), row = getRowDim();
  return getTiledImplementation(b, {offsets[0], offsets[head], offsets[row]},
                                {sizes[0], sizes[head], sizes[row]});
}
