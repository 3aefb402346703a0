//===- RegionLanes.cpp - scalar regions on vectors of channels ------------===//

#include "Vectorize/RegionLanes.h"

#include "mlir/Transforms/RegionUtils.h"

using namespace mlir;
using namespace posenc;

/// Operands, with those of operations nested inside.
static SetVector<Value> usedBy(Operation &op) {
  SetVector<Value> used(op.operand_begin(), op.operand_end());
  getUsedValuesDefinedAbove(op.getRegions(), used);
  return used;
}

bool RegionLanes::isSupported(Region &region, ValueRange arguments) {
  llvm::DenseSet<Value> varying(arguments.begin(), arguments.end());
  for (Operation &op : region.front().without_terminator()) {
    SetVector<Value> used = usedBy(op);
    if (llvm::none_of(used, [&](Value v) { return varying.contains(v); }))
      continue;
    bool elementwise = OpTrait::hasElementwiseMappableTraits(&op) && op.getNumResults() == 1 &&
                       VectorType::isValidElementType(op.getResult(0).getType());
    if (op.getNumRegions() || !(elementwise || isa<memref::LoadOp>(op)))
      return false;
    varying.insert(op.getResult(0));
  }
  return true;
}

void RegionLanes::hoist(ArrayRef<std::pair<Value, Value>> uniform) {
  for (auto [argument, value] : uniform)
    scalars.map(argument, value);
  Region *region = block.getParent();
  for (Operation &op : block.without_terminator()) {
    bool ready = llvm::all_of(usedBy(op), [&](Value v) {
      return scalars.contains(v) || !region->isAncestor(v.getParentRegion());
    });
    if (ready)
      e.clone(op, scalars);
  }
}

SmallVector<Value> RegionLanes::evaluate(ArrayRef<Binding> bindings, int64_t n) {
  IRMapping saved = scalars;
  vectors.clear();
  for (const auto &[value, lane] : bindings) {
    if (lane.isVector())
      vectors[value] = lane;
    else
      scalars.map(value, lane.value);
  }
  for (Operation &op : block.without_terminator()) {
    auto known = [&](Value v) { return scalars.contains(v) || vectors.contains(v); };
    if (op.getNumResults() && llvm::all_of(op.getResults(), known))
      continue;
    if (llvm::any_of(op.getOperands(), [&](Value v) { return vectors.contains(v); }))
      vectors[op.getResult(0)] = vectorOp(op, n);
    else
      e.clone(op, scalars);
  }
  SmallVector<Value> results;
  for (Value v : block.getTerminator()->getOperands())
    results.push_back(asVector(v, n));
  scalars = saved;
  return results;
}

Value RegionLanes::asVector(Value value, int64_t n) {
  auto found = vectors.find(value);
  if (found != vectors.end())
    return found->second.value;
  return e.broadcast(scalars.lookupOrDefault(value), n);
}

Lane RegionLanes::vectorOp(Operation &op, int64_t n) {
  if (auto load = dyn_cast<memref::LoadOp>(op))
    return {vectorLoad(load, n)};
  SmallVector<Value> operands;
  for (Value v : op.getOperands())
    operands.push_back(asVector(v, n));
  OperationState state(op.getLoc(), op.getName(), operands, e.vector(n, op.getResult(0).getType()),
                       op.getDiscardableAttrDictionary().getValue());
  state.propertiesAttr = op.getPropertiesAsAttribute();
  Lane result{e.create(state)->getResult(0)};

  // Sums with a uniform value, and casts, still count by one.
  if (isa<arith::AddIOp, arith::SubIOp, arith::IndexCastOp, arith::ExtSIOp, arith::TruncIOp>(op)) {
    IRMapping first = scalars;
    unsigned counting = 0;
    for (OpOperand &operand : op.getOpOperands()) {
      auto found = vectors.find(operand.get());
      if (found == vectors.end())
        continue;
      bool subtracted = isa<arith::SubIOp>(op) && operand.getOperandNumber() == 1;
      if (!found->second.first || subtracted || counting++)
        return result;
      first.map(operand.get(), found->second.first);
    }
    result.first = e.clone(op, first)->getResult(0);
  }
  return result;
}

Value RegionLanes::vectorLoad(memref::LoadOp op, int64_t n) {
  Value memref = scalars.lookupOrDefault(op.getMemRef());
  auto type = cast<MemRefType>(memref.getType());
  auto isVarying = [&](Value v) { return vectors.contains(v); };
  SmallVector<Value> at;
  for (Value v : op.getIndices())
    at.push_back(isVarying(v) ? vectors[v].value : scalars.lookupOrDefault(v));

  // A vector of i1 has another layout in memory than its elements.
  Value first = at.empty() ? Value() : vectors.lookup(op.getIndices().back()).first;
  if (first && llvm::none_of(op.getIndices().drop_back(), isVarying) &&
      type.isLastDimUnitStride() && !type.getElementType().isInteger(1)) {
    at.back() = first;
    return vector::LoadOp::create(e, e.vector(n, type.getElementType()), memref, at);
  }
  SmallVector<Value> elements;
  for (int64_t lane = 0; lane < n; ++lane) {
    SmallVector<Value> one;
    for (Value v : at)
      one.push_back(isa<VectorType>(v.getType()) ? vector::ExtractOp::create(e, v, lane).getResult() : v);
    elements.push_back(memref::LoadOp::create(e, memref, one));
  }
  return vector::FromElementsOp::create(e, e.vector(n, type.getElementType()), elements);
}
