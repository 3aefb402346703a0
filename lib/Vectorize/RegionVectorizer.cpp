//===- RegionVectorizer.cpp - scalar regions on vectors -------------------===//

#include "Vectorize/RegionVectorizer.h"

#include "mlir/Dialect/UB/IR/UBOps.h"
#include "mlir/Transforms/RegionUtils.h"

using namespace mlir;
using namespace posenc;

Lanes Lanes::counting(KernelBuilder &b, Value base, unsigned count, int64_t n) {
  if (!n)
    return base;
  Lanes result;
  result.step = 1;
  for (unsigned c = 0; c < count; ++c) {
    Value first = b.add(base, c * n);
    result.first.push_back(first);
    result.chunks.push_back(b.add(b.broadcast(first, n), b.iota(n)));
  }
  return result;
}

SmallVector<Value> Lanes::asVectors(KernelBuilder &b, unsigned count, int64_t n) const {
  if (!isUniform())
    return llvm::to_vector(ArrayRef<Value>(chunks));
  return SmallVector<Value>(count, b.broadcast(chunks[0], n));
}

/// The operands of an operation, and what its regions use from outside.
static SmallVector<Value> usedValues(Operation &op) {
  llvm::SetVector<Value> used(op.operand_begin(), op.operand_end());
  getUsedValuesDefinedAbove(op.getRegions(), used);
  return used.takeVector();
}

static bool mayWrite(Operation &op) {
  return !op.getNumRegions() && !isMemoryEffectFree(&op) && !isa<memref::LoadOp>(op) &&
         !hasSingleEffect<MemoryEffects::Read>(&op);
}

static bool yieldsScalars(Operation &op) {
  return llvm::all_of(op.getResultTypes(), VectorType::isValidElementType);
}

static bool isElementwise(Operation &op) {
  // LLVM takes one integer power for all lanes.
  if (isa<math::FPowIOp>(op))
    return false;
  return !op.getNumRegions() && OpTrait::hasElementwiseMappableTraits(&op) && yieldsScalars(op);
}

bool RegionVectorizer::hasVectorForm(Region &region, ValueRange arguments) {
  llvm::DenseSet<Value> varying(arguments.begin(), arguments.end());
  for (Operation &op : region.front().without_terminator()) {
    if (mayWrite(op))
      return false;
    if (llvm::none_of(usedValues(op), [&](Value v) { return varying.contains(v); }))
      continue;
    if (!isElementwise(op) && !isa<memref::LoadOp>(op))
      return false;
    varying.insert(op.result_begin(), op.result_end());
  }
  return true;
}

Lanes RegionVectorizer::lookup(Value value, const Values &values) const {
  auto found = values.find(value);
  return found != values.end() ? found->second : Lanes(outer.lookupOrDefault(value));
}

/// Whether all that the operation uses from this region is known.
bool RegionVectorizer::isReady(Operation &op, const Values &values) const {
  return llvm::all_of(usedValues(op), [&](Value v) {
    return v.getParentBlock() != &block || values.contains(v);
  });
}

void RegionVectorizer::hoist() {
  for (Operation &op : block.without_terminator())
    if (isReady(op, bound))
      clone(op, bound);
}

SmallVector<Lanes> RegionVectorizer::evaluate(ArrayRef<Binding> bindings) {
  Values values = bound;
  for (const auto &[value, lanes] : bindings)
    values[value] = lanes;
  for (Operation &op : block.without_terminator()) {
    bool known = llvm::all_of(op.getResults(), [&](Value v) { return values.contains(v); });
    if (!op.getNumResults() || !known)
      clone(op, values);
  }
  SmallVector<Lanes> results;
  for (Value v : block.getTerminator()->getOperands())
    results.push_back(lookup(v, values));
  return results;
}

void RegionVectorizer::clone(Operation &op, Values &values) {
  SmallVector<Value> used = usedValues(op);
  // Lanes may be repeated or left out.
  if (mayWrite(op) && llvm::any_of(values, [](auto &v) { return !v.second.isUniform(); })) {
    op.emitOpError("cannot be vectorized: it may write to memory");
    hasFailed = true;
  }
  if (llvm::all_of(used, [&](Value v) { return lookup(v, values).isUniform(); })) {
    IRMapping mapping;
    for (Value v : used)
      mapping.map(v, lookup(v, values).chunks[0]);
    Operation *copy = b.clone(op, mapping);
    for (auto [from, to] : llvm::zip(op.getResults(), copy->getResults()))
      values[from] = to;
    return;
  }
  if (auto load = dyn_cast<memref::LoadOp>(op))
    return cloneLoad(load, values);
  if (isElementwise(op))
    return cloneElementwise(op, values);
  if (yieldsScalars(op))
    return cloneLanes(op, used, values);
  op.emitOpError("cannot be vectorized: it does not yield scalars");
  hasFailed = true;
  for (Value v : op.getResults()) // something of the right type, to go on
    values[v] = ub::PoisonOp::create(b, v.getType()).getResult();
}

/// Sums and differences of counting lanes count, too.
std::optional<int64_t> RegionVectorizer::stepOf(Operation &op, const Values &values) const {
  auto step = [&](unsigned n) -> std::optional<int64_t> {
    Lanes value = lookup(op.getOperand(n), values);
    return value.isUniform() ? 0 : value.step;
  };
  if (isa<arith::IndexCastOp, arith::ExtSIOp, arith::TruncIOp>(op))
    return step(0);
  if (!isa<arith::AddIOp, arith::SubIOp>(op) || !step(0) || !step(1))
    return std::nullopt;
  return isa<arith::AddIOp>(op) ? *step(0) + *step(1) : *step(0) - *step(1);
}

/// The number of chunks, and of lanes in each.
static std::pair<unsigned, int64_t> shapeOf(ArrayRef<Lanes> operands) {
  const Lanes &lanes = *llvm::find_if(operands, [](const Lanes &l) { return !l.isUniform(); });
  return {lanes.chunks.size(), cast<VectorType>(lanes.chunks[0].getType()).getNumElements()};
}

void RegionVectorizer::cloneElementwise(Operation &op, Values &values) {
  SmallVector<Lanes> operands;
  for (Value v : op.getOperands())
    operands.push_back(lookup(v, values));
  auto [count, n] = shapeOf(operands);
  SmallVector<SmallVector<Value>> vectors;
  for (const Lanes &operand : operands)
    vectors.push_back(operand.asVectors(b, count, n));
  SmallVector<Lanes> results(op.getNumResults());
  std::optional<int64_t> step = stepOf(op, values);
  for (unsigned c = 0; c < count; ++c) {
    IRMapping mapping, firsts;
    for (auto [operand, lanes, all] : llvm::zip(op.getOperands(), operands, vectors)) {
      mapping.map(operand, all[c]);
      if (step)
        firsts.map(operand, lanes.isUniform() ? lanes.chunks[0] : lanes.first[c]);
    }
    Operation *copy = b.clone(op, mapping);
    for (auto [result, value] : llvm::zip(results, copy->getResults())) {
      value.setType(b.vectorType(n, value.getType()));
      result.chunks.push_back(value);
    }
    if (!step)
      continue;
    results[0].step = step;
    results[0].first.push_back(b.clone(op, firsts)->getResult(0));
  }
  for (auto [from, to] : llvm::zip(op.getResults(), results))
    values[from] = to;
}

/// The value of one lane.
static Value extract(KernelBuilder &b, const Lanes &lanes, unsigned chunk, int64_t lane) {
  return lanes.isUniform() ? lanes.chunks[0]
                           : vector::ExtractOp::create(b, lanes.chunks[chunk], lane).getResult();
}

/// One scalar copy of the operation per lane.
void RegionVectorizer::cloneLanes(Operation &op, ArrayRef<Value> used, Values &values) {
  SmallVector<Lanes> operands, results(op.getNumResults());
  for (Value v : used)
    operands.push_back(lookup(v, values));
  auto [count, n] = shapeOf(operands);
  for (unsigned c = 0; c < count; ++c) {
    SmallVector<SmallVector<Value>> elements(op.getNumResults());
    for (int64_t lane = 0; lane < n; ++lane) {
      IRMapping mapping;
      for (auto [v, lanes] : llvm::zip(used, operands))
        mapping.map(v, extract(b, lanes, c, lane));
      Operation *copy = b.clone(op, mapping);
      for (auto [list, value] : llvm::zip(elements, copy->getResults()))
        list.push_back(value);
    }
    for (auto [result, list] : llvm::zip(results, elements))
      result.chunks.push_back(
          vector::FromElementsOp::create(b, b.vectorType(n, list[0].getType()), list));
  }
  for (auto [from, to] : llvm::zip(op.getResults(), results))
    values[from] = to;
}

static bool differInLastOnly(ArrayRef<Lanes> at) {
  return llvm::all_of(at.drop_back(), [](const Lanes &l) { return l.isUniform(); });
}

/// Lanes that are next to each other in memory, in either direction.
Value RegionVectorizer::loadWhole(Value memref, ArrayRef<Lanes> at, unsigned chunk, int64_t n) {
  const Lanes &last = at.back();
  bool backwards = *last.step < 0;
  SmallVector<Value> start;
  for (const Lanes &l : at.drop_back())
    start.push_back(l.chunks[0]);
  start.push_back(backwards ? b.sub(last.first[chunk], n - 1) : last.first[chunk]);
  Type element = cast<MemRefType>(memref.getType()).getElementType();
  Value v = vector::LoadOp::create(b, b.vectorType(n, element), memref, start);
  if (!backwards)
    return v;
  auto mask = llvm::to_vector(llvm::reverse(llvm::seq<int64_t>(0, n)));
  return vector::ShuffleOp::create(b, v, v, mask);
}

/// Lane by lane, or by one gather if only the last index differs. Vectors of one
/// lane have no gather: what is cloned are elements of a thread.
Value RegionVectorizer::gather(Value memref, ArrayRef<Lanes> at, unsigned chunk, int64_t n) {
  Type element = cast<MemRefType>(memref.getType()).getElementType();
  VectorType type = b.vectorType(n, element);
  if (b.lanes > 1 && differInLastOnly(at) && hasUnitStride(memref) && element.isIntOrFloat() &&
      element.getIntOrFloatBitWidth() >= 32) {
    SmallVector<Value> base;
    for (const Lanes &l : at.drop_back())
      base.push_back(l.chunks[0]);
    base.push_back(b.index(0));
    Value all = b.constant(DenseElementsAttr::get(b.vectorType(n, b.getI1Type()), true));
    Value none = b.constant(b.getZeroAttr(type));
    return vector::GatherOp::create(b, type, memref, base, at.back().chunks[chunk], all, none);
  }
  SmallVector<Value> elements;
  for (int64_t lane = 0; lane < n; ++lane) {
    SmallVector<Value> scalars;
    for (const Lanes &l : at)
      scalars.push_back(extract(b, l, chunk, lane));
    elements.push_back(memref::LoadOp::create(b, memref, scalars));
  }
  return vector::FromElementsOp::create(b, type, elements);
}

void RegionVectorizer::cloneLoad(memref::LoadOp op, Values &values) {
  Value memref = lookup(op.getMemref(), values).chunks[0];
  SmallVector<Lanes> at;
  for (Value v : op.getIndices())
    at.push_back(lookup(v, values));
  auto [count, n] = shapeOf(at);
  // A vector of i1 has another layout in memory than its elements.
  std::optional<int64_t> step = at.back().step;
  bool contiguous = differInLastOnly(at) && hasUnitStride(memref) &&
                    !op.getType().isInteger(1) && step && std::abs(*step) == 1;
  Lanes result;
  for (unsigned c = 0; c < count; ++c) {
    if (!contiguous) {
      result.chunks.push_back(gather(memref, at, c, n));
      continue;
    }
    if (!dense) {
      result.chunks.push_back(loadWhole(memref, at, c, n));
      continue;
    }
    // Clamped lanes do not count: they are read one by one.
    auto branch = scf::IfOp::create(b, TypeRange{b.vectorType(n, op.getType())}, dense,
                                    /*addThenBlock=*/true, /*addElseBlock=*/true);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(branch.thenBlock());
    scf::YieldOp::create(b, loadWhole(memref, at, c, n));
    b.setInsertionPointToStart(branch.elseBlock());
    scf::YieldOp::create(b, gather(memref, at, c, n));
    result.chunks.push_back(branch.getResult(0));
  }
  values[op.getResult()] = result;
}
