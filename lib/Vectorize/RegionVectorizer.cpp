//===- RegionVectorizer.cpp - scalar regions on vectors -------------------===//

#include "Vectorize/RegionVectorizer.h"

#include "mlir/Dialect/UB/IR/UBOps.h"
#include "mlir/Transforms/RegionUtils.h"

using namespace mlir;
using namespace posenc;

Lanes Lanes::scalar(Value value) {
  Lanes result;
  result.chunks = {value};
  result.uniform = true;
  return result;
}

Lanes Lanes::vectors(ValueRange chunks) {
  Lanes result;
  llvm::append_range(result.chunks, chunks);
  return result;
}

Lanes Lanes::counting(KernelBuilder &b, Value base, unsigned count, int64_t lanes) {
  Lanes result;
  result.step = 1;
  for (unsigned c = 0; c < count; ++c) {
    Value first = b.add(base, c * lanes);
    result.first.push_back(first);
    result.chunks.push_back(b.add(b.broadcast(first, lanes), b.iota(lanes)));
  }
  return result;
}

SmallVector<Value> Lanes::asVectors(KernelBuilder &b, unsigned count, int64_t lanes) const {
  if (!uniform)
    return llvm::to_vector(ArrayRef<Value>(chunks));
  return SmallVector<Value>(count, b.broadcast(chunks[0], lanes));
}

void RegionVectorizer::bind(unsigned argument, Lanes value) {
  bound[block.getArgument(argument)] = std::move(value);
}

Lanes RegionVectorizer::lookup(Value value, const Values &values) const {
  auto found = values.find(value);
  return found != values.end() ? found->second : Lanes::scalar(outer.lookupOrDefault(value));
}

/// The operands of an operation, and what its regions use from outside.
static SmallVector<Value> usedValues(Operation &op) {
  llvm::SetVector<Value> used(op.operand_begin(), op.operand_end());
  getUsedValuesDefinedAbove(op.getRegions(), used);
  return used.takeVector();
}

/// Whether all that the operation uses from this region is known.
bool RegionVectorizer::isReady(Operation &op, const Values &values) const {
  return llvm::all_of(usedValues(op), [&](Value v) {
    return v.getParentBlock() != &block || values.contains(v);
  });
}

void RegionVectorizer::hoist() {
  for (Operation &op : block.without_terminator()) {
    if (!isReady(op, bound))
      continue;
    clone(op, bound);
    hoisted.insert(&op);
  }
}

SmallVector<Lanes>
RegionVectorizer::evaluate(ArrayRef<std::pair<unsigned, Lanes>> arguments) {
  Values values = bound;
  for (auto &[number, value] : arguments)
    values[block.getArgument(number)] = value;
  for (Operation &op : block.without_terminator())
    if (!hoisted.contains(&op))
      clone(op, values);
  SmallVector<Lanes> results;
  for (Value v : block.getTerminator()->getOperands())
    results.push_back(lookup(v, values));
  return results;
}

void RegionVectorizer::clone(Operation &op, Values &values) {
  SmallVector<Value> used = usedValues(op);
  bool uniform = llvm::all_of(used, [&](Value v) { return lookup(v, values).uniform; });
  if (!isMemoryEffectFree(&op) && !isa<memref::LoadOp>(op) &&
      !hasSingleEffect<MemoryEffects::Read>(&op) && !op.getNumRegions()) {
    op.emitOpError("cannot be vectorized: it may write to memory");
    hasFailed = true;
  }
  if (uniform) {
    IRMapping mapping;
    for (Value v : used)
      mapping.map(v, lookup(v, values).chunks[0]);
    Operation *copy = b.clone(op, mapping);
    for (auto [from, to] : llvm::zip(op.getResults(), copy->getResults()))
      values[from] = Lanes::scalar(to);
    return;
  }
  if (auto load = dyn_cast<memref::LoadOp>(op); load && lookup(load.getMemref(), values).uniform)
    return cloneLoad(load, values);
  bool scalars = llvm::all_of(op.getResultTypes(), VectorType::isValidElementType);
  if (!op.getNumRegions() && OpTrait::hasElementwiseMappableTraits(&op) && scalars)
    return cloneElementwise(op, values);
  if (!scalars) {
    op.emitOpError("cannot be vectorized: it does not yield scalars");
    hasFailed = true;
    for (Value v : op.getResults()) // something of the right type, to go on
      values[v] = Lanes::scalar(ub::PoisonOp::create(b, v.getType()));
    return;
  }
  cloneLanes(op, used, values);
}

/// Sums and differences of counting lanes count, too.
std::optional<int64_t> RegionVectorizer::stepOf(Operation &op, const Values &values) const {
  auto step = [&](unsigned n) -> std::optional<int64_t> {
    Lanes value = lookup(op.getOperand(n), values);
    return value.uniform ? 0 : value.step;
  };
  if (isa<arith::IndexCastOp, arith::ExtSIOp, arith::TruncIOp>(op))
    return step(0);
  if (!isa<arith::AddIOp, arith::SubIOp>(op) || !step(0) || !step(1))
    return std::nullopt;
  return isa<arith::AddIOp>(op) ? *step(0) + *step(1) : *step(0) - *step(1);
}

void RegionVectorizer::cloneElementwise(Operation &op, Values &values) {
  SmallVector<Lanes> operands;
  SmallVector<SmallVector<Value>> vectors;
  for (Value v : op.getOperands()) {
    operands.push_back(lookup(v, values));
    vectors.push_back(operands.back().asVectors(b, count, lanes));
  }
  SmallVector<Lanes> results(op.getNumResults());
  std::optional<int64_t> step = stepOf(op, values);
  for (unsigned c = 0; c < count; ++c) {
    IRMapping mapping;
    for (unsigned n = 0; n < operands.size(); ++n)
      mapping.map(op.getOperand(n), vectors[n][c]);
    Operation *copy = b.clone(op, mapping);
    for (auto [result, value] : llvm::zip(results, copy->getResults())) {
      value.setType(b.vectorType(lanes, value.getType()));
      result.chunks.push_back(value);
    }
    if (!step)
      continue;
    IRMapping firsts;
    for (unsigned n = 0; n < operands.size(); ++n)
      firsts.map(op.getOperand(n), operands[n].uniform ? operands[n].chunks[0] : operands[n].first[c]);
    results[0].step = step;
    results[0].first.push_back(b.clone(op, firsts)->getResult(0));
  }
  for (auto [from, to] : llvm::zip(op.getResults(), results))
    values[from] = to;
}

/// One scalar copy of the operation per lane.
void RegionVectorizer::cloneLanes(Operation &op, ArrayRef<Value> used, Values &values) {
  SmallVector<Lanes> results(op.getNumResults());
  for (unsigned c = 0; c < count; ++c) {
    SmallVector<SmallVector<Value>> elements(op.getNumResults());
    for (int64_t lane = 0; lane < lanes; ++lane) {
      IRMapping mapping;
      for (Value v : used) {
        Lanes value = lookup(v, values);
        mapping.map(v, value.uniform ? value.chunks[0]
                                     : vector::ExtractOp::create(b, value.chunks[c], lane).getResult());
      }
      Operation *copy = b.clone(op, mapping);
      for (auto [list, value] : llvm::zip(elements, copy->getResults()))
        list.push_back(value);
    }
    for (auto [result, list] : llvm::zip(results, elements))
      result.chunks.push_back(vector::FromElementsOp::create(
          b, b.vectorType(lanes, list[0].getType()), list));
  }
  for (auto [from, to] : llvm::zip(op.getResults(), results))
    values[from] = to;
}

static bool hasUnitStride(MemRefType type) {
  SmallVector<int64_t> strides;
  int64_t offset;
  return succeeded(type.getStridesAndOffset(strides, offset)) && !strides.empty() &&
         strides.back() == 1;
}

/// Lane by lane, or by one gather if only the last index differs.
Value RegionVectorizer::gather(memref::LoadOp op, Value memref, ArrayRef<Lanes> at,
                               unsigned chunk) {
  Type element = op.getType();
  bool lastOnly = llvm::all_of(at.drop_back(), [](const Lanes &l) { return l.uniform; });
  VectorType type = b.vectorType(lanes, element);
  if (lastOnly && hasUnitStride(op.getMemRefType()) && element.isIntOrFloat() &&
      element.getIntOrFloatBitWidth() >= 32) {
    SmallVector<Value> base;
    for (const Lanes &l : at.drop_back())
      base.push_back(l.chunks[0]);
    base.push_back(b.index(0));
    VectorType bits = b.vectorType(lanes, b.getI1Type());
    Value all = b.constant(DenseElementsAttr::get(bits, true));
    Value none = b.constant(cast<TypedAttr>(b.getZeroAttr(type)));
    return vector::GatherOp::create(b, type, memref, base, at.back().chunks[chunk], all, none);
  }
  SmallVector<Value> elements;
  for (int64_t lane = 0; lane < lanes; ++lane) {
    SmallVector<Value> scalars;
    for (const Lanes &l : at)
      scalars.push_back(l.uniform ? l.chunks[0]
                                  : vector::ExtractOp::create(b, l.chunks[chunk], lane).getResult());
    elements.push_back(memref::LoadOp::create(b, memref, scalars));
  }
  return vector::FromElementsOp::create(b, type, elements);
}

void RegionVectorizer::cloneLoad(memref::LoadOp op, Values &values) {
  Value memref = lookup(op.getMemref(), values).chunks[0];
  SmallVector<Lanes> at;
  for (Value v : op.getIndices())
    at.push_back(lookup(v, values));
  const Lanes &last = at.back();
  bool contiguous = hasUnitStride(op.getMemRefType()) && last.step && std::abs(*last.step) == 1 &&
                    llvm::all_of(ArrayRef(at).drop_back(), [](const Lanes &l) { return l.uniform; });
  Lanes result;
  for (unsigned c = 0; c < count; ++c) {
    if (!contiguous) {
      result.chunks.push_back(gather(op, memref, at, c));
      continue;
    }
    auto whole = [&]() -> Value {
      SmallVector<Value> start;
      for (const Lanes &l : ArrayRef(at).drop_back())
        start.push_back(l.chunks[0]);
      bool backwards = *last.step < 0;
      start.push_back(backwards ? b.sub(last.first[c], b.index(lanes - 1)) : last.first[c]);
      Value v = vector::LoadOp::create(b, b.vectorType(lanes, op.getType()),
                                       memref, start);
      if (!backwards)
        return v;
      auto mask = llvm::to_vector(llvm::reverse(llvm::seq<int64_t>(0, lanes)));
      return vector::ShuffleOp::create(b, v, v, mask);
    };
    if (!dense) {
      result.chunks.push_back(whole());
      continue;
    }
    // Clamped lanes do not count: they are read one by one.
    auto branch = scf::IfOp::create(b, TypeRange{b.vectorType(lanes, op.getType())}, dense,
                                    /*addThenBlock=*/true, /*addElseBlock=*/true);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(branch.thenBlock());
    scf::YieldOp::create(b, whole());
    b.setInsertionPointToStart(branch.elseBlock());
    scf::YieldOp::create(b, gather(op, memref, at, c));
    result.chunks.push_back(branch.getResult(0));
  }
  values[op.getResult()] = result;
}
