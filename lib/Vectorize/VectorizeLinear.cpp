//===- VectorizeLinear.cpp - kernels of rows and their calls --------------===//

#include "Vectorize/VectorBits.h"
#include "Vectorize/RowKernels.h"
#include "posenc/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/OperationSupport.h"
#include "mlir/Transforms/RegionUtils.h"

using namespace mlir;
using namespace posenc;

namespace posenc {
#define GEN_PASS_DEF_POSENCVECTORIZELINEAR
#include "posenc/Passes.h.inc"
} // namespace posenc

/// All dimensions but the last as one, if the layout allows it.
static Value collapseRows(RowEmitter &e, Value v) {
  auto type = dyn_cast<MemRefType>(v.getType());
  if (!type || type.getRank() < 3)
    return v;
  SmallVector<ReassociationIndices> groups(2);
  for (int64_t d = 0; d + 1 < type.getRank(); ++d)
    groups[0].push_back(d);
  groups[1].push_back(type.getRank() - 1);
  if (!memref::CollapseShapeOp::isGuaranteedCollapsible(type, groups))
    return v;
  return memref::CollapseShapeOp::create(e, v, groups);
}

namespace {

struct VectorizeLinear : posenc::impl::PosencVectorizeLinearBase<VectorizeLinear> {
  using PosencVectorizeLinearBase::PosencVectorizeLinearBase;
  using Values = SmallVector<Value>;
  /// Builds a kernel's body from its operands and its indices.
  using Body = function_ref<void(RowEmitter &, ValueRange, const IRMapping &, ValueRange)>;

  void runOnOperation() override {
    FailureOr<int64_t> bits = getVectorBits(getOperation(), vectorBits);
    if (failed(bits))
      return signalPassFailure();
    lanes = *bits / 32;
    SmallVector<DestinationStyleOpInterface> ops;
    getOperation().walk([&](Operation *op) {
      if (isa<LinearOp, LayerNormOp, MapOp>(op))
        ops.push_back(cast<DestinationStyleOpInterface>(op));
    });
    for (DestinationStyleOpInterface op : ops) {
      if (!op.hasPureBufferSemantics()) {
        op->emitOpError("expected buffers to vectorise");
        return signalPassFailure();
      }
      if (auto linear = dyn_cast<LinearOp>(*op))
        rewrite(linear);
      else if (auto norm = dyn_cast<LayerNormOp>(*op))
        rewrite(norm);
      else
        rewrite(cast<MapOp>(*op));
      op->erase();
    }
  }

  void rewrite(LinearOp op) {
    RowEmitter e = before(op);
    Values operands = collapsed(e, op);
    LinearPlan plan(op, operands, lanes);
    Call call = outline(op, operands, 4, [&](RowEmitter &k, ValueRange arguments,
                                             const IRMapping &outer, ValueRange at) {
      auto build = plan.vectors ? buildLinear : buildLinearLoops;
      build(k, op, arguments, outer, at.take_front(2), at.drop_front(2));
    });
    // With few blocks of rows, threads share the panels as well.
    Value rows = e.rowCount(operands.back()), one = e.index(1);
    Blocks blocks = split(e, rows, plan.rows, plan.unit);
    Value panels = e.ceilDivide(e.lastSize(operands.back()), e.index(LinearPlan::panel));
    Value groups = e.min(e.ceilDivide(e.index(8), e.max(blocks.count, one)), e.max(panels, one));
    Value size = e.max(e.ceilDivide(panels, groups), one);
    groups = e.ceilDivide(panels, size);
    parallel(e, {blocks.count, groups}, [&](RowEmitter &p, ValueRange at) {
      Value row = p.mul(at[0], blocks.height), panel = p.mul(at[1], size);
      call(p, {row, p.min(p.add(row, blocks.height), rows), panel, p.min(p.add(panel, size), panels)});
    });
  }

  void rewrite(LayerNormOp op) {
    RowEmitter e = before(op);
    Values operands = collapsed(e, op);
    Call call = outline(op, operands, 2, [&](RowEmitter &k, ValueRange arguments,
                                             const IRMapping &, ValueRange at) {
      buildLayerNorm(k, op, arguments, at);
    });
    Value rows = e.rowCount(operands.back());
    Blocks blocks = split(e, rows, 16, 1);
    parallel(e, {blocks.count}, [&](RowEmitter &p, ValueRange at) {
      Value row = p.mul(at[0], blocks.height);
      call(p, {row, p.min(p.add(row, blocks.height), rows)});
    });
  }

  void rewrite(MapOp op) {
    RowEmitter e = before(op);
    Values operands(op->getOperands());
    Call call = outline(op, operands, 3, [&](RowEmitter &k, ValueRange arguments,
                                             const IRMapping &outer, ValueRange at) {
      buildMap(k, op, arguments, outer, at[0], at.drop_front());
    });
    Value x = op.getInput();
    int64_t dim = cast<MemRefType>(x.getType()).getRank() - 2;
    Value leading = e.index(1), rows = e.size(x, dim);
    for (int64_t d = 0; d < dim; ++d)
      leading = e.mul(leading, e.size(x, d));
    Blocks blocks = split(e, rows, 64, 1);
    parallel(e, {leading, blocks.count}, [&](RowEmitter &p, ValueRange at) {
      Value row = p.mul(at[1], blocks.height);
      call(p, {at[0], row, p.min(p.add(row, blocks.height), rows)});
    });
  }

  RowEmitter before(Operation *op) {
    RowEmitter e(op->getLoc(), op->getBlock(), lanes);
    e.setInsertionPoint(op);
    return e;
  }

  static bool isPanels(Operation *op, Value v) {
    auto linear = dyn_cast<LinearOp>(op);
    return linear && linear.getWeight() == v;
  }

  Values collapsed(RowEmitter &e, Operation *op) {
    Values operands;
    for (Value v : op->getOperands())
      operands.push_back(isPanels(op, v) ? v : collapseRows(e, v));
    return operands;
  }

  struct Blocks {
    Value count, height; ///< the last may have fewer rows
  };

  /// Blocks of at most `most` rows, heights in multiples of `unit`.
  Blocks split(RowEmitter &e, Value rows, int64_t most, int64_t unit) {
    Value one = e.index(1), blocks = e.ceilDivide(rows, e.index(most));
    Value height = e.ceilDivide(rows, e.max(blocks, one));
    height = e.mul(e.max(e.ceilDivide(height, e.index(unit)), one), e.index(unit));
    return {e.ceilDivide(rows, height), height};
  }

  void parallel(RowEmitter &e, ValueRange counts, function_ref<void(RowEmitter &, ValueRange)> body) {
    Values zeros(counts.size(), e.index(0)), ones(counts.size(), e.index(1));
    auto loop = scf::ParallelOp::create(e, zeros, counts, ones);
    OpBuilder::InsertionGuard guard(e);
    e.setInsertionPointToStart(loop.getBody());
    body(e, loop.getInductionVars());
  }

  struct Call {
    func::FuncOp kernel;
    Values arguments;
    void operator()(RowEmitter &e, ArrayRef<Value> indices) const {
      Values all(arguments);
      llvm::append_range(all, indices);
      func::CallOp::create(e, kernel, all);
    }
  };

  /// A private function of the operands, what the regions use from outside, and
  /// `indices` indices. Constants from outside are built again inside.
  Call outline(Operation *op, ValueRange operands, unsigned indices, Body body) {
    Values arguments(operands), captures;
    SetVector<Value> used;
    getUsedValuesDefinedAbove(op->getRegions(), used);
    for (Value v : used)
      if (!matchPattern(v, m_Constant()))
        captures.push_back(v);
    llvm::append_range(arguments, captures);
    SmallVector<Type> types(ValueRange(arguments).getTypes());
    OpBuilder b = OpBuilder::atBlockEnd(getOperation().getBody());
    types.append(indices, b.getIndexType());

    std::string name = "posenc_" + op->getName().stripDialect().str();
    // Of no layer in particular.
    Location loc = b.getUnknownLoc();
    auto kernel = func::FuncOp::create(b, loc, name, b.getFunctionType(types, {}));
    kernel.setPrivate();
    // Scratch belongs to a call, not to the loop around it.
    kernel.setNoInline(true);
    Block *entry = kernel.addEntryBlock();
    RowEmitter e(loc, entry, lanes);
    IRMapping outer;
    for (Value v : used)
      if (matchPattern(v, m_Constant()))
        e.clone(*v.getDefiningOp(), outer);
    ValueRange given = entry->getArguments();
    outer.map(captures, given.slice(operands.size(), captures.size()));
    body(e, given.take_front(operands.size()), outer, given.take_back(indices));
    func::ReturnOp::create(e);

    for (func::FuncOp other : kernels) {
      kernel.setSymName(other.getSymName());
      if (OperationEquivalence::isEquivalentTo(kernel, other, OperationEquivalence::IgnoreLocations)) {
        kernel.erase();
        return {other, arguments};
      }
    }
    kernel.setSymName(name);
    kernel->remove();
    SymbolTable(getOperation()).insert(kernel);
    kernels.push_back(kernel);
    return {kernel, arguments};
  }

  int64_t lanes;
  SmallVector<func::FuncOp> kernels;
};

} // namespace
