//===- VectorizeAttention.cpp - attention to vector kernels ---------------===//

#include "Vectorize/AttentionMaps.h"
#include "posenc/Passes.h"

#include "mlir/Dialect/UB/IR/UBOps.h"

using namespace mlir;
using namespace posenc;

namespace posenc {
#define GEN_PASS_DEF_POSENCVECTORIZEATTENTION
#include "posenc/Passes.h.inc"
} // namespace posenc

/// The kernels read and write rows by vectors.
static LogicalResult checkOperands(AttentionOp op) {
  SmallVector<Value> rows{op.getQuery(), op.getOuts()[0]};
  if (!op.readsCache())
    rows.append({op.getKey(), op.getValue()});
  for (Value v : rows) {
    auto type = cast<MemRefType>(v.getType());
    if (type.isDynamicDim(3))
      return op.emitOpError("expected a static head width to vectorize, but found ") << type;
    if (!hasUnitStride(v))
      return op.emitOpError("expected channels next to each other to vectorize, but found ")
             << type;
  }
  return success();
}

static LogicalResult checkCaches(AttentionOp op) {
  if (!op.readsCache())
    return success();
  auto key = cast<MemRefType>(op.getKey().getType()), value = cast<MemRefType>(op.getValue().getType());
  for (MemRefType type : {key, value})
    if (!type.getLayout().isIdentity())
      return op.emitOpError("expected a cache as it was allocated, but found ") << type;
  if (StringRef reason = refuseCaches(key, value); !reason.empty())
    return op.emitOpError("cannot read the cache: ") << reason;
  return success();
}

static LogicalResult checkSchedule(AttentionOp op) {
  Attribute given = op->getAttr("posenc.cpu_schedule");
  if (given && !isa<CpuScheduleAttr>(given))
    return op.emitOpError("expected a #posenc.cpu_schedule, but found ") << given;
  return success();
}

/// What a block of a cache holds follows each other.
static const SmallVector<ReassociationIndices> blocksInLine = {{0}, {1}, {2}, {3, 4, 5}};

static LogicalResult rewrite(AttentionOp op, const Processor &processor, Outliner &outliner) {
  KernelBuilder b = outliner.before(op);
  SmallVector<Value> operands{op.getQuery(), op.getKey(), op.getValue()};
  llvm::append_range(operands, op.getOuts());
  SmallVector<Value> offsets(op.getOffsets());
  if (offsets.empty())
    offsets.assign(4, b.index(0));
  llvm::append_range(operands, offsets);
  if (std::optional<DecodePlan> plan = DecodePlan::get(op, processor))
    return vectorizeDecode(op, *plan, operands, outliner);
  if (op.readsCache()) {
    for (Value &cache : MutableArrayRef(operands).slice(1, 2))
      cache = memref::CollapseShapeOp::create(b, cache, blocksInLine);
    operands.push_back(op.getCount());
  }
  AttentionPlan plan(op, processor);
  plan.natural = !scaleScores(op);
  for (Region &region : op->getRegions())
    contractProducts(region);
  auto encoders = getEncoders(op, plan, offsets, outliner);
  if (failed(encoders))
    return failure();
  for (const RowEncoder &encoder : *encoders)
    operands.push_back(ub::PoisonOp::create(b, encoder.headType()));
  if (!encoders->empty())
    operands.push_back(ub::PoisonOp::create(b, MemRefType::get({1}, b.getIndexType())));
  FailureOr<KernelCall> call = outliner.outline(
      op, operands, 3,
      [&](KernelBuilder &k, ValueRange arguments, const IRMapping &outer, ValueRange at) {
        if (!op.getLive().empty()) // blocks of queries see unequally many keys
          k.getInsertionBlock()->getParentOp()->setAttr("posenc.uneven", k.getUnitAttr());
        return buildAttention(k, op, plan, arguments, outer, at);
      });
  if (failed(call))
    return failure();
  if (!encoders->empty()) {
    if (failed(callEncoded(b, op, plan, *encoders, *call, offsets)))
      return failure();
    op.erase();
    return success();
  }
  Value query = op.getQuery();
  SmallVector<Value> to{b.size(query, 0), b.size(query, op.getHeadDim()),
                        b.size(query, op.getRowDim())};
  int64_t step = plan.queries();
  // In ascending order, which lets hardware fetch ahead: the keys of neighbours overlap.
  b.parallel(to, {1, 1, step}, [&](ValueRange at) { (*call)(b, at); });
  op.erase();
  return success();
}

namespace {
struct VectorizeAttention
    : posenc::impl::PosencVectorizeAttentionBase<VectorizeAttention> {
  using PosencVectorizeAttentionBase::PosencVectorizeAttentionBase;

  void runOnOperation() override {
    FailureOr<Processor> processor = Processor::get(getOperation(), vectorBits, bf16Pairs);
    if (failed(processor))
      return signalPassFailure();
    SmallVector<AttentionOp> ops;
    getOperation().walk([&](AttentionOp op) {
      if (op.hasPureBufferSemantics())
        ops.push_back(op);
    });
    Outliner outliner(getOperation(), processor->lanes(), processor->bf16Pairs);
    for (AttentionOp op : ops)
      if (failed(checkOperands(op)) || failed(checkCaches(op)) || failed(checkSchedule(op)) ||
          failed(rewrite(op, *processor, outliner)))
        return signalPassFailure();
  }
};
} // namespace
