//===- VectorizeRows.cpp - linear, layer_norm and map to vector kernels ---===//

#include "Vectorize/Kernels.h"
#include "Vectorize/Outline.h"
#include "Vectorize/Processor.h"
#include "Vectorize/SevenProducts.h"
#include "posenc/Passes.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace posenc;

namespace posenc {
#define GEN_PASS_DEF_POSENCVECTORIZELINEAR
#include "posenc/Passes.h.inc"
} // namespace posenc

/// All dimensions but the last, or the last few, as one, if the layout allows it: layers
/// that differ in the rank of their rows share a kernel.
static Value collapseRows(KernelBuilder &b, Value v, int64_t last = 1) {
  auto type = cast<MemRefType>(v.getType());
  int64_t rows = type.getRank() - last;
  if (rows < 2)
    return v;
  SmallVector<ReassociationIndices> groups(1 + last);
  for (int64_t d = 0; d < type.getRank(); ++d)
    groups[std::max<int64_t>(d - rows + 1, 0)].push_back(d);
  if (!memref::CollapseShapeOp::isGuaranteedCollapsible(type, groups))
    return v;
  return memref::CollapseShapeOp::create(b, v, groups);
}

namespace {
/// `total` rows or panels in `count` shares that differ by one unit at most, so that
/// as many shares are as much work.
struct Shares {
  Value total, count;
  int64_t unit = 1;

  Value begin(KernelBuilder &b, Value share) const {
    Value units = b.ceilDivide(total, unit);
    return b.mul(b.divide(b.mul(share, units), count), unit);
  }
  Value end(KernelBuilder &b, Value share) const {
    return b.min(begin(b, b.add(share, 1)), total);
  }
};
} // namespace

/// An even number of shares, or one, of at most `most` rows, a multiple of `unit`.
static Shares split(KernelBuilder &b, Value rows, int64_t most, int64_t unit) {
  Value count = b.max(b.ceilDivide(rows, most), 1);
  Value even = b.mul(b.ceilDivide(count, 2), 2);
  return {rows, b.select(b.less(count, b.index(2)), count, even), unit};
}

/// Calls of a kernel for all rows and panels.
static LogicalResult callLinear(KernelBuilder &b, LinearOp op, ValueRange operands,
                                const LinearPlan &plan, Outliner &outliner) {
  FailureOr<KernelCall> call = outliner.outline(
      op, operands, 4,
      [&](KernelBuilder &k, ValueRange arguments, const IRMapping &outer, ValueRange at) {
        auto build = plan.vectors ? buildLinear : buildLinearLoops;
        return build(k, op, plan, arguments, outer, at.take_front(2), at.drop_front(2));
      });
  if (failed(call))
    return failure();
  // With few blocks of rows, threads share the panels as well: eight shares or more, and
  // an even number.
  int64_t tiles = plan.half ? 2 : 1; // rows and columns of tiles that are multiplied together
  Shares blocks = split(b, b.rowCount(operands.front()), plan.rows, tiles * plan.height);
  Value panels = b.ceilDivide(plan.count(b, operands.back()), plan.panel);
  Value groups = b.mul(b.ceilDivide(b.index(4), blocks.count), plan.half ? 1 : 2);
  groups = b.min(groups, b.max(panels, 1));
  groups = b.select(b.less(blocks.count, b.index(8)), groups, b.index(1));
  Shares columns{panels, groups, tiles};
  b.parallel({blocks.count, groups}, {1, 1}, [&](ValueRange at) {
    (*call)(b, {blocks.begin(b, at[0]), blocks.end(b, at[0]), columns.begin(b, at[1]),
                columns.end(b, at[1])});
  });
  return success();
}

static LogicalResult rewrite(LinearOp op, Outliner &outliner) {
  KernelBuilder b = outliner.before(op);
  auto operands = llvm::map_to_vector(op->getOperands(), [&](Value v) {
    bool isWeight = v == op.getWeight() || v == op.getSums();
    return isWeight ? v : collapseRows(b, v, op.isSplit() && v == op.getOuts()[0] ? 2 : 1);
  });
  LinearPlan plan(op, operands, b.lanes, b.bf16Pairs);
  LinearPlan seven(op, operands, b.lanes, b.bf16Pairs, /*sevenProducts=*/true);
  ArrayRef<int64_t> rows = cast<MemRefType>(operands.front().getType()).getShape().drop_back();
  bool isKnown = !ShapedType::isDynamicShape(rows);
  if (!seven.half || isKnown) {
    bool many = seven.half && ShapedType::getNumElements(rows) >= SevenProducts::fewest;
    return callLinear(b, op, operands, many ? seven : plan, outliner);
  }
  Value few = b.less(b.rowCount(operands.front()), b.index(SevenProducts::fewest));
  LogicalResult status = success();
  auto ifThen = scf::IfOp::create(b, few, /*withElseRegion=*/true);
  for (auto [region, form] : {std::pair(&ifThen.getThenRegion(), &plan), {&ifThen.getElseRegion(), &seven}}) {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(&region->front());
    if (failed(callLinear(b, op, operands, *form, outliner)))
      status = failure();
  }
  return status;
}

static LogicalResult rewrite(LayerNormOp op, Outliner &outliner) {
  KernelBuilder b = outliner.before(op);
  auto operands =
      llvm::map_to_vector(op->getOperands(), [&](Value v) { return collapseRows(b, v); });
  FailureOr<KernelCall> call = outliner.outline(
      op, operands, 2,
      [&](KernelBuilder &k, ValueRange arguments, const IRMapping &, ValueRange at) {
        buildLayerNorm(k, op, arguments, at);
        return success();
      });
  Shares blocks = split(b, b.rowCount(operands.back()), 16, 1);
  b.parallel(blocks.count, {1}, [&](ValueRange at) {
    (*call)(b, {blocks.begin(b, at[0]), blocks.end(b, at[0])});
  });
  return success();
}

static LogicalResult rewrite(MapOp op, Outliner &outliner) {
  KernelBuilder b = outliner.before(op);
  FailureOr<KernelCall> call = outliner.outline(
      op, op->getOperands(), 3,
      [&](KernelBuilder &k, ValueRange arguments, const IRMapping &outer, ValueRange at) {
        return buildMap(k, op, arguments, outer, at[0], at.drop_front());
      });
  if (failed(call))
    return failure();
  Value x = op.getInput();
  int64_t dim = cast<MemRefType>(x.getType()).getRank() - 2;
  Value leading = b.index(1), rows = b.size(x, dim);
  for (int64_t d = 0; d < dim; ++d)
    leading = b.mul(leading, b.size(x, d));
  Shares blocks = split(b, rows, 64, 1);
  b.parallel({leading, blocks.count}, {1, 1}, [&](ValueRange at) {
    (*call)(b, {at[0], blocks.begin(b, at[1]), blocks.end(b, at[1])});
  });
  return success();
}

namespace {
struct VectorizeLinear : posenc::impl::PosencVectorizeLinearBase<VectorizeLinear> {
  using PosencVectorizeLinearBase::PosencVectorizeLinearBase;

  void runOnOperation() override {
    FailureOr<Processor> processor = Processor::get(getOperation(), vectorBits, bf16Pairs);
    if (failed(processor))
      return signalPassFailure();
    SmallVector<DestinationStyleOpInterface> ops;
    getOperation().walk([&](Operation *op) {
      if (isa<LinearOp, LayerNormOp, MapOp>(op))
        ops.push_back(cast<DestinationStyleOpInterface>(op));
    });
    Outliner outliner(getOperation(), processor->lanes(), processor->bf16Pairs);
    for (DestinationStyleOpInterface op : ops) {
      if (!op.hasPureBufferSemantics()) {
        op->emitOpError("expected buffers to vectorise");
        return signalPassFailure();
      }
      LogicalResult done =
          TypeSwitch<Operation *, LogicalResult>(op)
              .Case<LinearOp, LayerNormOp, MapOp>([&](auto one) { return rewrite(one, outliner); });
      if (failed(done))
        return signalPassFailure();
      op->erase();
    }
  }
};
} // namespace
