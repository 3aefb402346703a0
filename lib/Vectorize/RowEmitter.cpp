//===- RowEmitter.cpp - vectors of channels in rows -----------------------===//

#include "Vectorize/RowEmitter.h"

#include <numeric>

using namespace mlir;
using namespace posenc;

static MemRefType memrefOf(Value v) { return cast<MemRefType>(v.getType()); }

bool posenc::hasUnitStride(Value memref) { return memrefOf(memref).isLastDimUnitStride(); }

/// `element`, or a vector of it that has the shape of `like`.
static Type shapedLike(Type like, Type element) {
  auto vector = dyn_cast<VectorType>(like);
  return vector ? Type(VectorType::get(vector.getShape(), element)) : element;
}

Value RowEmitter::splat(double value) {
  auto type = vector(lanes, getF32Type());
  return arith::ConstantOp::create(*this, DenseElementsAttr::get(type, float(value)));
}

Value RowEmitter::broadcast(Value scalar, int64_t n) {
  return n ? vector::BroadcastOp::create(*this, vector(n, scalar.getType()), scalar).getResult()
           : scalar;
}

Value RowEmitter::constantLike(Type type, int64_t value) {
  auto element = getIntegerAttr(getElementTypeOrSelf(type), value);
  if (auto vector = dyn_cast<VectorType>(type))
    return arith::ConstantOp::create(*this, DenseElementsAttr::get(vector, Attribute(element)));
  return arith::ConstantOp::create(*this, element);
}

Value RowEmitter::divide(Value a, Value b) { return arith::DivUIOp::create(*this, a, b); }
Value RowEmitter::divide(Value a, int64_t b) { return divide(a, index(b)); }
Value RowEmitter::ceilDivide(Value a, Value b) { return divide(add(a, sub(b, index(1))), b); }

Value RowEmitter::sum(Value v) {
  // vector.reduction would be a chain of scalar additions.
  for (int64_t half = cast<VectorType>(v.getType()).getDimSize(0) / 2; half; half /= 2) {
    auto part = [&](int64_t first) {
      return vector::ExtractStridedSliceOp::create(*this, v, ArrayRef<int64_t>{first},
                                                   ArrayRef<int64_t>{half}, ArrayRef<int64_t>{1});
    };
    v = addf(part(0), part(half));
  }
  return vector::ExtractOp::create(*this, v, int64_t(0));
}

Value RowEmitter::load(Value memref, ValueRange at, int64_t n, int64_t active) {
  Type element = memrefOf(memref).getElementType(), f32 = getF32Type();
  Value value;
  if (n == 0) {
    value = memref::LoadOp::create(*this, memref, at);
  } else if (active == n) {
    value = vector::LoadOp::create(*this, vector(n, element), memref, at);
  } else {
    Value mask = vector::ConstantMaskOp::create(*this, vector(n, getI1Type()),
                                                ArrayRef<int64_t>{active});
    Value zero = arith::ConstantOp::create(*this, getZeroAttr(vector(n, element)));
    value = vector::MaskedLoadOp::create(*this, vector(n, element), memref, at, mask, zero);
  }
  return element == f32
             ? value
             : arith::ExtFOp::create(*this, shapedLike(value.getType(), f32), value).getResult();
}

/// Where the target has no instruction for it, truncf is a call per element.
Value RowEmitter::roundToBF16(Value value) {
  Type type = value.getType(), i32 = shapedLike(type, getI32Type());
  Value bits = arith::BitcastOp::create(*this, i32, value);
  Value sixteen = constantLike(i32, 16);
  Value high = arith::ShRUIOp::create(*this, bits, sixteen);
  Value odd = arith::AndIOp::create(*this, high, constantLike(i32, 1));
  Value bias = arith::AddIOp::create(*this, odd, constantLike(i32, 0x7fff));
  Value near = arith::ShRUIOp::create(*this, arith::AddIOp::create(*this, bits, bias), sixteen);
  Value quiet = arith::OrIOp::create(*this, high, constantLike(i32, 0x40));
  Value isNaN = arith::CmpFOp::create(*this, arith::CmpFPredicate::UNO, value, value);
  near = arith::SelectOp::create(*this, isNaN, quiet, near);
  Value narrow = arith::TruncIOp::create(*this, shapedLike(type, getI16Type()), near);
  return arith::BitcastOp::create(*this, shapedLike(type, getBF16Type()), narrow);
}

void RowEmitter::store(Value value, Value memref, ValueRange at, int64_t active) {
  Type element = memrefOf(memref).getElementType();
  if (element.isBF16())
    value = roundToBF16(value);
  else if (!element.isF32())
    value = arith::TruncFOp::create(*this, shapedLike(value.getType(), element), value);
  auto type = dyn_cast<VectorType>(value.getType());
  if (!type) {
    memref::StoreOp::create(*this, value, memref, at);
  } else if (active == type.getDimSize(0)) {
    vector::StoreOp::create(*this, value, memref, at);
  } else {
    Value mask = vector::ConstantMaskOp::create(*this, vector(type.getDimSize(0), getI1Type()),
                                                ArrayRef<int64_t>{active});
    vector::MaskedStoreOp::create(*this, memref, at, mask, value);
  }
}

void RowEmitter::store(Value value, Value memref, ValueRange at) {
  auto type = dyn_cast<VectorType>(value.getType());
  store(value, memref, at, type ? type.getDimSize(0) : 0);
}

RowEmitter::Values RowEmitter::leading(Value memref, Value row) {
  int64_t count = memrefOf(memref).getRank() - 1;
  Values at(count);
  for (int64_t d = count - 1; d > 0; --d) {
    Value extent = size(memref, d), quotient = divide(row, extent);
    at[d] = sub(row, mul(quotient, extent));
    row = quotient;
  }
  if (count)
    at[0] = row;
  return at;
}

Value RowEmitter::size(Value memref, int64_t dim) {
  MemRefType type = memrefOf(memref);
  return type.isDynamicDim(dim) ? memref::DimOp::create(*this, memref, dim).getResult()
                                : index(type.getDimSize(dim));
}

Value RowEmitter::lastSize(Value memref) { return size(memref, memrefOf(memref).getRank() - 1); }

Value RowEmitter::rowCount(Value memref) {
  Value count = index(1);
  for (int64_t d = 0; d + 1 < memrefOf(memref).getRank(); ++d)
    count = mul(count, size(memref, d));
  return count;
}

void RowEmitter::loop(Value from, Value to, int64_t step, function_ref<void(Value)> body) {
  auto op = scf::ForOp::create(*this, from, to, index(step));
  InsertionGuard guard(*this);
  setInsertionPointToStart(op.getBody());
  body(op.getInductionVar());
}

RowEmitter::Values RowEmitter::loop(Value from, Value to, int64_t step, ValueRange inits,
                                    function_ref<Values(Value, ValueRange)> body) {
  auto op = scf::ForOp::create(*this, from, to, index(step), inits);
  {
    InsertionGuard guard(*this);
    setInsertionPointToStart(op.getBody());
    Values results = body(op.getInductionVar(), op.getRegionIterArgs());
    scf::YieldOp::create(*this, results);
  }
  return Values(op.getResults());
}

void RowEmitter::channels(Value from, Value to, function_ref<void(Value, int64_t)> body,
                          bool vectors) {
  if (vectors) {
    Value whole = mul(divide(sub(to, from), lanes), index(lanes));
    Value end = add(from, whole);
    loop(from, end, lanes, [&](Value c) { body(c, lanes); });
    from = end;
  }
  loop(from, to, 1, [&](Value c) { body(c, 0); });
}

void RowEmitter::choose(Value selector, int64_t count, function_ref<void(int64_t)> body) {
  SmallVector<int64_t> cases(count);
  std::iota(cases.begin(), cases.end(), 1);
  auto op = scf::IndexSwitchOp::create(*this, TypeRange{}, selector, cases, count);
  InsertionGuard guard(*this);
  for (int64_t n = 0; n <= count; ++n) {
    Region &region = n ? op.getCaseRegions()[n - 1] : op.getDefaultRegion();
    setInsertionPointToStart(&region.emplaceBlock());
    if (n)
      body(n);
    scf::YieldOp::create(*this);
  }
}
