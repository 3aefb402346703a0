//===- GroupHeads.cpp - results of linear layers, head by head -------------===//
//
// What makes queries, keys and values writes rows of all heads; attention reads the
// rows of one head. Where both are known, the buffer between them is laid out for the
// reader, since the writer has whole tiles of a head in registers anyway.
//
//===----------------------------------------------------------------------===//

#include "Vectorize/KernelBuilder.h"
#include "Vectorize/Processor.h"
#include "posenc/Dialect.h"
#include "posenc/Passes.h"

#include "mlir/Dialect/Arith/Utils/Utils.h"

using namespace mlir;
using namespace posenc;

namespace posenc {
#define GEN_PASS_DEF_POSENCGROUPHEADS
#include "posenc/Passes.h.inc"
} // namespace posenc

namespace {
/// A buffer `[..., N]`, who writes it, and who reads it as `[..., H, D]`.
struct Heads {
  memref::AllocOp buffer;
  SmallVector<LinearOp> writers;
  SmallVector<memref::ExpandShapeOp> readers; ///< of the buffer, or of a part of each row
  int64_t width = 0;                          ///< D

  static std::optional<Heads> find(memref::AllocOp buffer, int64_t lanes);
  void group();

private:
  bool addReader(Operation *user);
  Value viewOf(OpBuilder &b, memref::ExpandShapeOp reader, Value heads);
};
} // namespace

/// Whether all that happens to a view works for any strides.
static bool isReadAnyhow(Value view) {
  return llvm::all_of(view.getUses(), [](OpOperand &use) {
    Operation *reader = use.getOwner();
    if (isa<AttentionOp, MapOp>(reader))
      return cast<DestinationStyleOpInterface>(reader).isDpsInput(&use);
    return isa<memref::DimOp>(reader);
  });
}

bool Heads::addReader(Operation *user) {
  if (auto part = dyn_cast<memref::SubViewOp>(user)) {
    auto type = part.getType();
    return part.hasUnitStride() && type.getRank() == buffer.getType().getRank() &&
           ShapedType::isStatic(part.getStaticOffsets().back()) &&
           llvm::all_of(part->getUsers(), [&](Operation *next) {
             return isa<memref::ExpandShapeOp>(next) && addReader(next);
           });
  }
  auto reader = dyn_cast<memref::ExpandShapeOp>(user);
  if (!reader || !isReadAnyhow(reader))
    return false;
  // Only the last dimension is split, in two.
  MemRefType type = reader.getResultType();
  int64_t found = type.getShape().back(), rank = buffer.getType().getRank();
  if (type.getRank() != rank + 1 || reader.getReassociationIndices().back().size() != 2 ||
      ShapedType::isDynamicShape(type.getShape().take_back(2)) || (width && width != found))
    return false;
  width = found;
  readers.push_back(reader);
  return true;
}

std::optional<Heads> Heads::find(memref::AllocOp buffer, int64_t lanes) {
  Heads heads{buffer};
  MemRefType type = buffer.getType();
  if (type.getRank() < 2 || !type.getLayout().isIdentity() || ShapedType::isDynamic(type.getShape().back()))
    return std::nullopt;
  for (OpOperand &use : buffer->getUses()) {
    Operation *user = use.getOwner();
    if (auto linear = dyn_cast<LinearOp>(user)) {
      // Its other operands get the rank that rows have then.
      auto isPlain = [](Value v) { return cast<MemRefType>(v.getType()).getLayout().isIdentity(); };
      if (!linear.isDpsInit(&use) || linear.isSplit() || !isPlain(linear.getInput()) ||
          !llvm::all_of(linear.getExtras(), isPlain))
        return std::nullopt;
      heads.writers.push_back(linear);
    } else if (!heads.addReader(user)) {
      return std::nullopt;
    }
  }
  bool fits = heads.width && heads.width % lanes == 0 && type.getShape().back() % heads.width == 0 &&
              llvm::all_of(heads.readers, [&](memref::ExpandShapeOp reader) {
                auto part = reader.getSrc().getDefiningOp<memref::SubViewOp>();
                return !part || part.getStaticOffsets().back() % heads.width == 0;
              });
  if (heads.writers.empty() || !fits || type.getShape().back() == heads.width)
    return std::nullopt;
  return heads;
}

/// All dimensions but the last as one.
static Value collapse(OpBuilder &b, Value v) {
  int64_t rank = cast<MemRefType>(v.getType()).getRank();
  if (rank < 3)
    return v;
  SmallVector<ReassociationIndices> groups(2);
  for (int64_t d = 0; d < rank; ++d)
    groups[d + 1 == rank].push_back(d);
  return memref::CollapseShapeOp::create(b, v.getLoc(), v, ArrayRef(groups));
}

static OpFoldResult product(OpBuilder &b, Location loc, OpFoldResult x, OpFoldResult y) {
  std::optional<int64_t> m = getConstantIntValue(x), n = getConstantIntValue(y);
  if (m && n)
    return b.getIndexAttr(*m * *n);
  auto value = [&](OpFoldResult v) { return getValueOrCreateConstantIndexOp(b, loc, v); };
  return arith::MulIOp::create(b, loc, value(x), value(y)).getResult();
}

/// `buffer` of [H, ..., D] as [..., H, D] of these rows.
static Value viewByRows(OpBuilder &b, memref::AllocOp buffer, ArrayRef<OpFoldResult> rows) {
  ArrayRef<int64_t> shape = buffer.getType().getShape();
  SmallVector<OpFoldResult> sizes(rows), strides(rows.size() + 1);
  sizes.append({b.getIndexAttr(shape.front()), b.getIndexAttr(shape.back())});
  strides.push_back(b.getIndexAttr(1));
  OpFoldResult distance = b.getIndexAttr(shape.back());
  for (int64_t d = rows.size() - 1; d >= 0; --d) {
    strides[d] = distance;
    distance = product(b, buffer.getLoc(), distance, rows[d]);
  }
  strides[rows.size()] = distance;
  return memref::ReinterpretCastOp::create(b, buffer.getLoc(), buffer, b.getIndexAttr(0), sizes, strides);
}

/// What `reader` has of all heads.
Value Heads::viewOf(OpBuilder &b, memref::ExpandShapeOp reader, Value heads) {
  auto part = reader.getSrc().getDefiningOp<memref::SubViewOp>();
  if (!part)
    return heads;
  SmallVector<OpFoldResult> offsets = part.getMixedOffsets(), sizes = part.getMixedSizes();
  offsets.back() = b.getIndexAttr(part.getStaticOffsets().back() / width);
  sizes.back() = b.getIndexAttr(reader.getResultType().getShape().drop_back().back());
  offsets.push_back(b.getIndexAttr(0));
  sizes.push_back(b.getIndexAttr(width));
  SmallVector<OpFoldResult> strides(sizes.size(), b.getIndexAttr(1));
  return memref::SubViewOp::create(b, reader.getLoc(), heads, offsets, sizes, strides);
}

void Heads::group() {
  OpBuilder b(buffer);
  Location loc = buffer.getLoc();
  MemRefType type = buffer.getType();
  SmallVector<int64_t> shape{type.getShape().back() / width};
  llvm::append_range(shape, type.getShape().drop_back());
  shape.push_back(width);
  auto grouped = memref::AllocOp::create(b, loc, MemRefType::get(shape, type.getElementType()),
                                         buffer.getDynamicSizes(), buffer.getAlignmentAttr());
  SmallVector<OpFoldResult> rows = buffer.getMixedSizes();
  rows.pop_back();
  OpFoldResult count = b.getIndexAttr(1);
  for (OpFoldResult size : rows)
    count = product(b, loc, count, size);
  Value heads = viewByRows(b, grouped, rows), destination = viewByRows(b, grouped, count);
  for (LinearOp writer : writers) {
    b.setInsertionPoint(writer);
    writer.getInputMutable().assign(collapse(b, writer.getInput()));
    for (OpOperand &extra : writer.getExtrasMutable())
      extra.set(collapse(b, extra.get()));
    writer.getOutsMutable().assign(destination);
  }
  SetVector<Operation *> dead;
  for (memref::ExpandShapeOp reader : readers) {
    b.setInsertionPoint(reader);
    reader.getResult().replaceAllUsesWith(viewOf(b, reader, heads));
    dead.insert(reader);
    if (auto part = reader.getSrc().getDefiningOp<memref::SubViewOp>())
      dead.insert(part);
  }
  llvm::for_each(dead, [](Operation *op) { op->erase(); });
  buffer.erase();
}

namespace {
struct GroupHeads : posenc::impl::PosencGroupHeadsBase<GroupHeads> {
  using PosencGroupHeadsBase::PosencGroupHeadsBase;

  void runOnOperation() override {
    FailureOr<Processor> processor = Processor::get(getOperation(), vectorBits, false);
    if (failed(processor))
      return signalPassFailure();
    SmallVector<Heads> found;
    getOperation().walk([&](memref::AllocOp buffer) {
      if (std::optional<Heads> heads = Heads::find(buffer, processor->lanes()))
        found.push_back(*heads);
    });
    for (Heads &heads : found)
      heads.group();
  }
};
} // namespace
