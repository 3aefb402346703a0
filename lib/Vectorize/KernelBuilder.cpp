//===- KernelBuilder.cpp - memory and control of kernels ------------------===//

#include "Vectorize/KernelBuilder.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;
using namespace posenc;

static MemRefType memrefOf(Value v) { return cast<MemRefType>(v.getType()); }

bool posenc::hasUnitStride(Value memref) { return memrefOf(memref).isLastDimUnitStride(); }

SmallVector<Value> posenc::join(ValueRange row, Value channel) {
  SmallVector<Value> at(row);
  at.push_back(channel);
  return at;
}

KernelBuilder::KernelBuilder(Location loc, Block *entry, int64_t lanes)
    : Emitter(loc, OpBuilder::atBlockEnd(entry)), lanes(lanes), entry(entry) {}

Value KernelBuilder::constant(TypedAttr value) {
  Value &known = constants[value];
  if (!known) {
    InsertionGuard guard(*this);
    setInsertionPointToStart(entry);
    known = Emitter::constant(value);
  }
  return known;
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

/// `element`, or a vector of it that has the shape of `like`.
static Type shapedLike(Type like, Type element) {
  auto vector = dyn_cast<VectorType>(like);
  return vector ? Type(VectorType::get(vector.getShape(), element)) : element;
}

Value KernelBuilder::load(Value memref, ValueRange at, int64_t n, int64_t active) {
  Type element = memrefOf(memref).getElementType();
  Value value;
  if (n == 0) {
    value = memref::LoadOp::create(*this, memref, at);
  } else if (active == n) {
    value = vector::LoadOp::create(*this, vectorType(n, element), memref, at);
  } else {
    Value mask = vector::ConstantMaskOp::create(*this, vectorType(n, getI1Type()),
                                                ArrayRef<int64_t>{active});
    Value zero = constant(getZeroAttr(vectorType(n, element)));
    value = vector::MaskedLoadOp::create(*this, vectorType(n, element), memref, at, mask, zero);
  }
  if (element.isF32())
    return value;
  return arith::ExtFOp::create(*this, shapedLike(value.getType(), getF32Type()), value);
}

/// Round to nearest even by integers: without AVX-512 BF16 the conversion would
/// be a call per element. A NaN keeps its upper half, quiet.
Value KernelBuilder::roundToBF16(Value value) {
  Type type = value.getType(), ints = shapedLike(type, getI32Type());
  if (bf16Pairs)
    return arith::TruncFOp::create(*this, shapedLike(type, getBF16Type()), value);
  auto vector = dyn_cast<VectorType>(type);
  auto word = [&](int64_t n) { return vector ? splatInt(n, vector.getNumElements()) : i32(n); };
  Value bits = arith::BitcastOp::create(*this, ints, value);
  Value high = arith::ShRUIOp::create(*this, bits, word(16));
  Value rounded = add(bits, add(logicalAnd(high, word(1)), word(0x7fff)));
  Value quiet = arith::OrIOp::create(*this, bits, word(0x400000));
  Value isNan = arith::CmpFOp::create(*this, arith::CmpFPredicate::UNO, value, value);
  high = arith::ShRUIOp::create(*this, select(isNan, quiet, rounded), word(16));
  Value narrow = arith::TruncIOp::create(*this, shapedLike(type, getI16Type()), high);
  return arith::BitcastOp::create(*this, shapedLike(type, getBF16Type()), narrow);
}

void KernelBuilder::store(Value value, Value memref, ValueRange at, int64_t active) {
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
    Value mask = vector::ConstantMaskOp::create(*this, vectorType(type.getDimSize(0), getI1Type()),
                                                ArrayRef<int64_t>{active});
    vector::MaskedStoreOp::create(*this, memref, at, mask, value);
  }
}

void KernelBuilder::store(Value value, Value memref, ValueRange at) {
  auto type = dyn_cast<VectorType>(value.getType());
  store(value, memref, at, type ? type.getDimSize(0) : 0);
}

void KernelBuilder::copy(Value source, ValueRange sourceRow, Value target, ValueRange targetRow,
                         Value from, Value to) {
  bool vectors = hasUnitStride(source) && hasUnitStride(target);
  Type element = memrefOf(source).getElementType();
  channels(from, to, vectors ? lanes : 0, [&](Value c, int64_t n) {
    if (n && element == memrefOf(target).getElementType()) { // bits as they are
      Value v = vector::LoadOp::create(*this, vectorType(n, element), source, join(sourceRow, c));
      vector::StoreOp::create(*this, v, target, join(targetRow, c));
      return;
    }
    store(load(source, join(sourceRow, c), n), target, join(targetRow, c));
  });
}

void KernelBuilder::prefetch(Value memref, ValueRange at, bool isWrite, unsigned level) {
  memref::PrefetchOp::create(*this, memref, at, isWrite, /*localityHint=*/4 - level,
                             /*isDataCache=*/true);
}

Value KernelBuilder::scratch(ArrayRef<int64_t> shape, Type element) {
  return memref::AllocaOp::create(*this, MemRefType::get(shape, element ? element : getF32Type()),
                                  getI64IntegerAttr(64));
}

Value KernelBuilder::size(Value memref, int64_t dim) {
  MemRefType type = memrefOf(memref);
  return type.isDynamicDim(dim) ? memref::DimOp::create(*this, memref, index(dim)).getResult()
                                : index(type.getDimSize(dim));
}

Value KernelBuilder::lastSize(Value memref) { return size(memref, memrefOf(memref).getRank() - 1); }

Value KernelBuilder::rowCount(Value memref) {
  Value count = index(1);
  for (int64_t d = 0; d + 1 < memrefOf(memref).getRank(); ++d)
    count = mul(count, size(memref, d));
  return count;
}

SmallVector<Value> KernelBuilder::leading(Value memref, Value row, int64_t last) {
  Values extents;
  for (int64_t d = 0; d + last < memrefOf(memref).getRank(); ++d)
    extents.push_back(size(memref, d));
  return delinearize(row, extents);
}

SmallVector<Value> KernelBuilder::delinearize(Value number, ValueRange extents) {
  Values at(extents);
  for (size_t d = extents.size(); d-- > 1;) {
    Value quotient = divide(number, extents[d]);
    at[d] = sub(number, mul(quotient, extents[d]));
    number = quotient;
  }
  if (!at.empty())
    at[0] = number;
  return at;
}

//===----------------------------------------------------------------------===//
// Control
//===----------------------------------------------------------------------===//

SmallVector<Value> KernelBuilder::loop(Value from, Value to, int64_t step, ValueRange inits,
                                       function_ref<Values(Value, ValueRange)> body) {
  Value by = from.getType().isIndex() ? index(step) : i32(step);
  auto op = scf::ForOp::create(*this, from, to, by, inits);
  InsertionGuard guard(*this);
  setInsertionPointToStart(op.getBody());
  Values results = body(op.getInductionVar(), op.getRegionIterArgs());
  if (!inits.empty())
    scf::YieldOp::create(*this, results);
  return Values(op.getResults());
}

void KernelBuilder::loop(Value from, Value to, int64_t step, function_ref<void(Value)> body) {
  loop(from, to, step, {}, [&](Value i, ValueRange) {
    body(i);
    return Values();
  });
}

void KernelBuilder::walk(Value from, Value to, int64_t step, function_ref<void(Value)> body) {
  loop(from, to, step, body);
  auto never = LLVM::LoopUnrollAttr::get(getContext(), getBoolAttr(true), {}, {}, {}, {}, {}, {});
  auto annotation = LLVM::LoopAnnotationAttr::get(getContext(), {}, {}, {}, never, {}, {}, {}, {},
                                                  {}, {}, {}, {}, {}, {}, {});
  std::prev(getInsertionPoint())->setAttr("llvm.loop_annotation", annotation);
}

void KernelBuilder::parallel(ValueRange to, ArrayRef<int64_t> steps,
                             function_ref<void(ValueRange)> body) {
  Values zeros(to.size(), index(0)), by;
  for (int64_t step : steps)
    by.push_back(index(step));
  auto op = scf::ParallelOp::create(*this, zeros, to, by);
  InsertionGuard guard(*this);
  setInsertionPointToStart(op.getBody());
  body(op.getInductionVars());
}

void KernelBuilder::channels(Value from, Value to, int64_t n,
                             function_ref<void(Value, int64_t)> body) {
  if (n) {
    Value end = add(from, roundDown(sub(to, from), n));
    loop(from, end, n, [&](Value c) { body(c, n); });
    from = end;
  }
  loop(from, to, 1, [&](Value c) { body(c, 0); });
}

void KernelBuilder::ifThen(Value condition, function_ref<void()> body) {
  auto branch = scf::IfOp::create(*this, condition, /*withElseRegion=*/false);
  InsertionGuard guard(*this);
  setInsertionPointToStart(branch.thenBlock());
  body();
}

SmallVector<Value> KernelBuilder::ifThen(Value condition, ValueRange otherwise,
                                         function_ref<Values()> body) {
  auto branch = scf::IfOp::create(*this, otherwise.getTypes(), condition, /*addThenBlock=*/true,
                                  /*addElseBlock=*/true);
  InsertionGuard guard(*this);
  setInsertionPointToStart(branch.thenBlock());
  scf::YieldOp::create(*this, body());
  setInsertionPointToStart(branch.elseBlock());
  scf::YieldOp::create(*this, otherwise);
  return Values(branch.getResults());
}
