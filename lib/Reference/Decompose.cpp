//===- Decompose.cpp - posenc operations to unfused linalg ----------------===//

#include "Reference/Loops.h"
#include "Dialect/Coordinates.h"
#include "posenc/Passes.h"

#include "llvm/ADT/TypeSwitch.h"

#include <cmath>
#include <limits>

using namespace mlir;
using namespace posenc;
using namespace posenc::reference;

namespace posenc {
#define GEN_PASS_DEF_POSENCDECOMPOSE
#include "posenc/Passes.h.inc"
} // namespace posenc

static Type elementOf(Value v) { return cast<ShapedType>(v.getType()).getElementType(); }

/// Gives `value` exactly the type that users of the replaced result expect.
static Value typed(OpBuilder &b, Location loc, Value value, Type type) {
  return value.getType() == type ? value
                                 : tensor::CastOp::create(b, loc, type, value).getResult();
}

static SmallVector<Value> lowerEncoding(OpBuilder &b, EncodingOpInterface op) {
  Location loc = op.getLoc();
  Value x = op.getInput();
  Site site = op.getSite();
  if (site == Site::Token || site == Site::Row) {
    auto layout = op->getAttrOfType<LayoutAttr>("layout");
    return {mapRows(b, loc, x, elementOf(x), layout ? layout.getValue() : Layout::bhsd,
                    op.getChannels(), [&](Emitter &e, ArrayRef<Value> group, ValueRange at) {
                      At where = rowAt(e, op, at[0], at[1], at[2], at[3]);
                      return op.emit(e, group, where);
                    })};
  }
  return {build(b, loc, tensor::getMixedSizes(b, loc, x), b.getF32Type(),
                [&](Emitter &e, ValueRange at) -> Value {
                  At where = pairAt(e, op, at[0], at[1], at[2], at[3]);
                  Value s = e.lookup(x, at);
                  if (site == Site::Score)
                    return op.emit(e, s, where)[0];
                  Value visible = op.emit(e, {}, where)[0];
                  return e.select(visible, s, e.f32(-std::numeric_limits<double>::infinity()));
                })};
}

static SmallVector<Value> lower(OpBuilder &b, PositionsOp op) {
  SmallVector<SmallVector<OpFoldResult>> shape;
  (void)op.reifyResultShapes(b, shape);
  return {build(b, op.getLoc(), shape[0], b.getI64Type(), [&](Emitter &e, ValueRange at) -> Value {
    Value start = startOf(e, op.getStart(), at[0]);
    return arith::IndexCastOp::create(e, e.getI64Type(), e.add(start, at.back()));
  })};
}

static SmallVector<Value> lower(OpBuilder &b, ScoresOp op) {
  double width = op.getQuery().getType().getDimSize(3);
  double scale = op.getScale() ? op.getScale()->convertToFloat() : 1.0 / std::sqrt(width);
  return {scores(b, op.getLoc(), op.getQuery(), op.getKey(), scale, op.getLayout(),
                 [](Emitter &, Value s, ValueRange) { return s; })};
}

static SmallVector<Value> lower(OpBuilder &b, AttendOp op) {
  auto [o, lse] = attend(b, op.getLoc(), op.getScores(), op.getValue(), op.getLayout(),
                         elementOf(op.getResult()));
  return op.getLse() ? SmallVector<Value>{o, lse} : SmallVector<Value>{o};
}

static SmallVector<Value> lower(OpBuilder &b, EmbeddingOp op) {
  SmallVector<SmallVector<OpFoldResult>> shape;
  (void)op.reifyResultShapes(b, shape);
  return {build(b, op.getLoc(), shape[0], elementOf(op.getTable()),
                [&](Emitter &e, ValueRange at) -> Value {
                  Value id = e.toIndex(e.lookup(op.getIds(), at.take_front(2)));
                  return tensor::ExtractOp::create(e, op.getTable(), ValueRange{id, at[2]});
                })};
}

static SmallVector<Value> lower(OpBuilder &b, AppendOp op) { return {append(b, op)}; }

static SmallVector<Value> lower(OpBuilder &b, RowsOp op) {
  SmallVector<SmallVector<OpFoldResult>> shape;
  (void)op.reifyResultShapes(b, shape);
  return {rowsOfCache(b, op.getLoc(), op.getCache(), shape[0], op.getLayout())};
}

/// Indices plus the offsets of a tile.
static SmallVector<Value> shifted(Emitter &e, ValueRange at, OperandRange offsets) {
  SmallVector<Value> result(at);
  for (auto [value, offset] : llvm::zip(result, offsets))
    value = e.add(value, offset);
  return result;
}

static SmallVector<Value> lower(OpBuilder &b, AttentionOp op) {
  Location loc = op.getLoc();
  OperandRange offsets = op.getOffsets();
  // A row map sees the row offset of its own operand: i for queries, j for keys.
  auto map = [&](Value x, std::optional<ChannelsAttr> channels, Region &region, bool key) {
    if (!channels)
      return x;
    return mapRows(b, loc, x, b.getF32Type(), op.getLayout(), *channels,
                   [&](Emitter &e, ArrayRef<Value> group, ValueRange at) {
                     SmallVector<Value> arguments(group), where(at);
                     if (!offsets.empty()) {
                       where[0] = e.add(where[0], offsets[0]);
                       where[1] = e.add(where[1], offsets[1]);
                       where[2] = e.add(where[2], offsets[key ? 3 : 2]);
                     }
                     llvm::append_range(arguments, where);
                     return inlineRegion(e, region, arguments);
                   });
  };
  auto rows = [&](Value x, Value widthLike) {
    if (!op.readsCache())
      return x;
    SmallVector<OpFoldResult> sizes(4);
    sizes[0] = tensor::getMixedSize(b, loc, x, 0);
    sizes[op.getHeadDim()] = tensor::getMixedSize(b, loc, x, 1);
    sizes[op.getRowDim()] = Value(op.getCount());
    sizes[3] = tensor::getMixedSize(b, loc, widthLike, 3);
    return rowsOfCache(b, loc, x, sizes, op.getLayout());
  };
  Value q = map(op.getQuery(), op.getQueryChannels(), op.getQueryMap(), false);
  Value k = map(rows(op.getKey(), op.getQuery()), op.getKeyChannels(), op.getKeyMap(), true);
  Value v = map(rows(op.getValue(), op.getOuts()[0]), op.getValueChannels(), op.getValueMap(), true);
  Value s = scores(b, loc, q, k, op.getScale().convertToFloat(), op.getLayout(),
                   [&](Emitter &e, Value score, ValueRange at) {
    SmallVector<Value> where = shifted(e, at, offsets), arguments{score};
    llvm::append_range(arguments, where);
    if (!op.getScoreMod().empty())
      score = inlineRegion(e, op.getScoreMod(), arguments)[0];
    if (!op.getMask().empty())
      score = e.select(inlineRegion(e, op.getMask(), where)[0], score,
                       e.f32(-std::numeric_limits<double>::infinity()));
    return score;
  });
  auto [o, lse] = attend(b, loc, s, v, op.getLayout(), elementOf(op.getOuts()[0]));
  return op.getOuts().size() == 2 ? SmallVector<Value>{o, lse} : SmallVector<Value>{o};
}

static SmallVector<Value> lower(OpBuilder &b, MapOp op) {
  return {mapRows(b, op.getLoc(), op.getInput(), elementOf(op.getOuts()[0]), op.getLayout(),
                  op.getChannels(), [&](Emitter &e, ArrayRef<Value> group, ValueRange at) {
                    SmallVector<Value> arguments(group);
                    llvm::append_range(arguments, shifted(e, at, op.getOffsets()));
                    return inlineRegion(e, op.getBody(), arguments);
                  })};
}

static SmallVector<Value> lower(OpBuilder &b, LinearOp op) {
  Location loc = op.getLoc();
  Value x = op.getInput(), w = op.getWeight(), out = op.getOuts()[0];
  unsigned rank = cast<ShapedType>(x.getType()).getRank();
  Value width = tensor::DimOp::create(b, loc, x, rank - 1);
  return {build(b, loc, tensor::getMixedSizes(b, loc, out), elementOf(out),
                [&](Emitter &e, ValueRange at) -> Value {
    Value n = at.back();
    SmallVector<Value> position(at);
    SmallVector<Value> arguments{fold(e, width, e.f32(0), [&](Emitter &e, Value k, Value acc) {
      position.back() = k;
      SmallVector<Value> weight{n, k};
      if (op.isPacked()) {
        Value panel = e.index(op.getPanel());
        weight = {arith::DivUIOp::create(e, n, panel), k, arith::RemUIOp::create(e, n, panel)};
      }
      if (op.isPaired()) {
        Value two = e.index(2);
        weight[1] = arith::DivUIOp::create(e, k, two);
        weight.push_back(arith::RemUIOp::create(e, k, two));
      }
      return e.add(acc, e.mul(e.lookup(x, position), e.lookup(w, weight)));
    })};
    for (Value extra : op.getExtras())
      arguments.push_back(
          cast<ShapedType>(extra.getType()).getRank() == 1 ? e.lookup(extra, n) : e.lookup(extra, at));
    if (!op.getEpilogue().empty())
      return inlineRegion(e, op.getEpilogue(), arguments)[0];
    Value sum = arguments[0];
    for (Value extra : ArrayRef(arguments).drop_front())
      sum = e.add(sum, extra);
    return sum;
  })};
}

/// No upstream pass does it.
static SmallVector<Value> lower(OpBuilder &b, linalg::SoftmaxOp op) {
  return *op.decomposeOperation(b);
}

static SmallVector<Value> lower(OpBuilder &b, LayerNormOp op) {
  Location loc = op.getLoc();
  Value x = op.getInput();
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, loc, x);
  ArrayRef<OpFoldResult> rows = ArrayRef(sizes).drop_back();
  Value width = tensor::DimOp::create(b, loc, x, rows.size());
  // The mean over a row of what `body` makes of each element.
  auto mean = [&](llvm::function_ref<Value(Emitter &, ValueRange, Value)> body) {
    return build(b, loc, rows, b.getF32Type(), [&](Emitter &e, ValueRange at) {
      Value sum = fold(e, width, e.f32(0), [&](Emitter &e, Value d, Value acc) {
        SmallVector<Value> position(at);
        position.push_back(d);
        return e.add(acc, body(e, at, e.lookup(x, position)));
      });
      return e.div(sum, e.toFloat(width));
    });
  };
  Value mu = mean([](Emitter &, ValueRange, Value value) { return value; });
  Value variance = mean([&](Emitter &e, ValueRange row, Value value) {
    Value d = e.sub(value, e.lookup(mu, row));
    return e.mul(d, d);
  });
  return {build(b, loc, sizes, elementOf(op.getOuts()[0]), [&](Emitter &e, ValueRange at) {
    ValueRange row = at.drop_back();
    Value d = e.sub(e.lookup(x, at), e.lookup(mu, row));
    Value sigma = math::SqrtOp::create(
        e, e.add(e.lookup(variance, row), e.f32(op.getEps().convertToFloat())));
    return e.add(e.mul(e.div(d, sigma), e.lookup(op.getGamma(), at.back())),
                 e.lookup(op.getBeta(), at.back()));
  })};
}

/// AggregatedOpInterface: the same, for one op of a transform script.
#define POSENC_AGGREGATED(Op)                                                                      \
  FailureOr<SmallVector<Value>> Op::decomposeOperation(OpBuilder &b) {                             \
    if (!hasPureTensorSemantics())                                                                 \
      return failure();                                                                            \
    return lower(b, *this);                                                                        \
  }
POSENC_AGGREGATED(AttentionOp)
POSENC_AGGREGATED(MapOp)
POSENC_AGGREGATED(LinearOp)
POSENC_AGGREGATED(LayerNormOp)
#undef POSENC_AGGREGATED

/// No kernel of attention does without the number of channels.
static bool hasDynamicWidth(Operation *op) {
  auto attention = dyn_cast<AttentionOp>(op);
  if (!attention)
    return false;
  Value rows[] = {attention.getQuery(), attention.getKey(), attention.getValue(),
                  attention.getOuts()[0]};
  return llvm::any_of(rows, [](Value v) { return cast<ShapedType>(v.getType()).isDynamicDim(3); });
}

namespace {
struct Decompose : posenc::impl::PosencDecomposeBase<Decompose> {
  using PosencDecomposeBase::PosencDecomposeBase;

  void runOnOperation() override {
    // Coordinates that advance by one are read off their op: keep it to the end.
    SmallVector<Operation *> ops, positions;
    getOperation()->walk([&](Operation *op) {
      if (llvm::is_contained(keep, op->getName().stripDialect()) && !hasDynamicWidth(op))
        return;
      if (isa<PositionsOp>(op))
        positions.push_back(op);
      else if (isa<EncodingOpInterface, ScoresOp, AttendOp, EmbeddingOp, AppendOp, RowsOp,
                   AttentionOp, MapOp, LinearOp, LayerNormOp, linalg::SoftmaxOp>(op))
        ops.push_back(op);
    });
    ops.append(positions);
    for (Operation *op : ops) {
      if (auto dps = dyn_cast<DestinationStyleOpInterface>(op); dps && !dps.hasPureTensorSemantics()) {
        op->emitOpError("expected tensors to decompose");
        return signalPassFailure();
      }
      OpBuilder b(op);
      SmallVector<Value> results =
          isa<EncodingOpInterface>(op)
              ? lowerEncoding(b, cast<EncodingOpInterface>(op))
              : llvm::TypeSwitch<Operation *, SmallVector<Value>>(op)
                    .Case<PositionsOp, ScoresOp, AttendOp, EmbeddingOp, AppendOp, RowsOp,
                          AttentionOp, MapOp, LinearOp, LayerNormOp, linalg::SoftmaxOp>([&](auto o) { return lower(b, o); });
      for (auto [old, value] : llvm::zip_equal(op->getResults(), results))
        old.replaceAllUsesWith(typed(b, op->getLoc(), value, old.getType()));
      op->erase();
    }
  }
};
} // namespace
