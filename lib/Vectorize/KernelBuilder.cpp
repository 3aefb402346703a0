//===- KernelBuilder.cpp - short names for vector kernels -----------------===//

#include "Vectorize/KernelBuilder.h"

using namespace mlir;
using namespace posenc;

KernelBuilder::KernelBuilder(Location loc, func::FuncOp kernel, int64_t lanes)
    : ImplicitLocOpBuilder(loc, kernel.getContext()), lanes(lanes),
      entry(&kernel.getBody().front()) {
  setInsertionPointToEnd(entry);
}

VectorType KernelBuilder::vectorType(int64_t n, Type element) {
  return VectorType::get({n}, element ? element : getF32Type());
}

Value KernelBuilder::constant(TypedAttr value) {
  Value &known = constants[value];
  if (!known) {
    OpBuilder::InsertionGuard guard(*this);
    setInsertionPointToStart(entry);
    known = arith::ConstantOp::create(*this, value);
  }
  return known;
}

Value KernelBuilder::index(int64_t value) { return constant(getIndexAttr(value)); }
Value KernelBuilder::f32(double value) { return constant(getF32FloatAttr(value)); }
Value KernelBuilder::splat(double value) {
  return constant(DenseElementsAttr::get(vectorType(), static_cast<float>(value)));
}
Value KernelBuilder::splatInt(int64_t value) {
  return constant(
      DenseElementsAttr::get(vectorType(lanes, getI32Type()), static_cast<int32_t>(value)));
}
Value KernelBuilder::iota(int64_t n) {
  return constant(getIndexVectorAttr(llvm::to_vector(llvm::seq<int64_t>(0, n))));
}

Value KernelBuilder::add(Value a, Value b) { return arith::AddIOp::create(*this, a, b); }
Value KernelBuilder::sub(Value a, Value b) { return arith::SubIOp::create(*this, a, b); }
Value KernelBuilder::mul(Value a, Value b) { return arith::MulIOp::create(*this, a, b); }
Value KernelBuilder::min(Value a, Value b) { return arith::MinSIOp::create(*this, a, b); }
Value KernelBuilder::max(Value a, Value b) { return arith::MaxSIOp::create(*this, a, b); }
Value KernelBuilder::less(Value a, Value b) {
  return arith::CmpIOp::create(*this, arith::CmpIPredicate::slt, a, b);
}
Value KernelBuilder::addf(Value a, Value b) { return arith::AddFOp::create(*this, a, b); }
Value KernelBuilder::subf(Value a, Value b) { return arith::SubFOp::create(*this, a, b); }
Value KernelBuilder::mulf(Value a, Value b) { return arith::MulFOp::create(*this, a, b); }
Value KernelBuilder::fma(Value a, Value b, Value c) {
  return vector::FMAOp::create(*this, a, b, c);
}
Value KernelBuilder::maxf(Value a, Value b) {
  return select(arith::CmpFOp::create(*this, arith::CmpFPredicate::OGT, a, b), a, b);
}
Value KernelBuilder::select(Value condition, Value a, Value b) {
  return arith::SelectOp::create(*this, condition, a, b);
}
Value KernelBuilder::broadcast(Value scalar, int64_t n) {
  return vector::BroadcastOp::create(*this, vectorType(n, scalar.getType()), scalar);
}

Value KernelBuilder::load(Value memref, ValueRange at, int64_t n) {
  Type element = cast<MemRefType>(memref.getType()).getElementType();
  Value value = n ? vector::LoadOp::create(*this, vectorType(n, element), memref, at).getResult()
                  : memref::LoadOp::create(*this, memref, at).getResult();
  if (element.isF32())
    return value;
  Type wide = n ? Type(vectorType(n)) : Type(getF32Type());
  return arith::ExtFOp::create(*this, wide, value);
}

/// Round to nearest even by integers: without AVX-512 BF16 the conversion would
/// be a call of a compiler's library. A NaN keeps its upper half, quiet.
Value KernelBuilder::roundToBF16(Value value) {
  auto vector = dyn_cast<VectorType>(value.getType());
  auto typed = [&](Type scalar) -> Type {
    return vector ? Type(vectorType(vector.getNumElements(), scalar)) : scalar;
  };
  auto word = [&](int64_t n) -> Value {
    Value c = constant(getI32IntegerAttr(n));
    return vector ? broadcast(c, vector.getNumElements()) : c;
  };
  Value bits = arith::BitcastOp::create(*this, typed(getI32Type()), value);
  Value odd = arith::AndIOp::create(*this, arith::ShRUIOp::create(*this, bits, word(16)).getResult(),
                                    word(1));
  Value rounded = add(bits, add(odd, word(0x7fff)));
  Value quiet = arith::OrIOp::create(*this, bits, word(0x400000));
  Value isNan = arith::CmpFOp::create(*this, arith::CmpFPredicate::UNO, value, value);
  Value high = arith::ShRUIOp::create(*this, select(isNan, quiet, rounded), word(16));
  Value half = arith::TruncIOp::create(*this, typed(getI16Type()), high);
  return arith::BitcastOp::create(*this, typed(getBF16Type()), half);
}

void KernelBuilder::store(Value value, Value memref, ValueRange at) {
  Type element = cast<MemRefType>(memref.getType()).getElementType();
  auto vector = dyn_cast<VectorType>(value.getType());
  if (element.isBF16()) {
    value = roundToBF16(value);
  } else if (!element.isF32()) {
    Type narrow = vector ? Type(vectorType(vector.getNumElements(), element)) : element;
    value = arith::TruncFOp::create(*this, narrow, value);
  }
  if (vector)
    vector::StoreOp::create(*this, value, memref, at);
  else
    memref::StoreOp::create(*this, value, memref, at);
}

Value KernelBuilder::scratch(ArrayRef<int64_t> shape) {
  return memref::AllocaOp::create(*this, MemRefType::get(shape, getF32Type()),
                                  getI64IntegerAttr(64));
}

SmallVector<Value> KernelBuilder::loop(Value from, Value to, Value step, ValueRange inits,
                                       llvm::function_ref<Values(Value, ValueRange)> body) {
  auto loop = scf::ForOp::create(*this, from, to, step, inits);
  OpBuilder::InsertionGuard guard(*this);
  setInsertionPointToStart(loop.getBody());
  Values next = body(loop.getInductionVar(), loop.getRegionIterArgs());
  if (!inits.empty())
    scf::YieldOp::create(*this, next);
  return llvm::to_vector(ValueRange(loop.getResults()));
}

void KernelBuilder::loop(Value from, Value to, int64_t step,
                         llvm::function_ref<void(Value)> body) {
  loop(from, to, index(step), {}, [&](Value i, ValueRange) {
    body(i);
    return Values();
  });
}

void KernelBuilder::ifThen(Value condition, llvm::function_ref<void()> body) {
  auto branch = scf::IfOp::create(*this, condition, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(*this);
  setInsertionPointToStart(branch.thenBlock());
  body();
}

Value KernelBuilder::shuffle(Value a, Value b, ArrayRef<int64_t> mask) {
  return vector::ShuffleOp::create(*this, a, b, mask);
}

SmallVector<Value> KernelBuilder::transpose(ArrayRef<Value> rows) {
  int64_t n = rows.size(), parts = n / 4;
  // A pattern of four lanes in each 128-bit part; 4 and more name the second vector.
  auto within = [&](ArrayRef<int64_t> pattern) {
    SmallVector<int64_t> mask;
    for (int64_t part = 0; part < parts; ++part)
      for (int64_t lane : pattern)
        mask.push_back(4 * part + (lane < 4 ? lane : lane - 4 + n));
    return mask;
  };
  auto across = [&](ArrayRef<int64_t> sources) {
    SmallVector<int64_t> mask;
    for (int64_t source : sources)
      for (int64_t lane = 0; lane < 4; ++lane)
        mask.push_back(4 * source + lane);
    return mask;
  };
  auto low = within({0, 4, 1, 5}), high = within({2, 6, 3, 7});
  auto lowPairs = within({0, 1, 4, 5}), highPairs = within({2, 3, 6, 7});
  // quads[g][c]: part l holds column 4l + c of the rows 4g to 4g + 3.
  SmallVector<std::array<Value, 4>> quads;
  for (int64_t g = 0; g < parts; ++g) {
    Value a = rows[4 * g], b = rows[4 * g + 1], c = rows[4 * g + 2], d = rows[4 * g + 3];
    Value ab = shuffle(a, b, low), abHigh = shuffle(a, b, high);
    Value cd = shuffle(c, d, low), cdHigh = shuffle(c, d, high);
    quads.push_back({shuffle(ab, cd, lowPairs), shuffle(ab, cd, highPairs),
                     shuffle(abHigh, cdHigh, lowPairs), shuffle(abHigh, cdHigh, highPairs)});
  }
  Values out(n);
  for (int64_t c = 0; c < 4; ++c) {
    if (parts == 2) {
      for (int64_t l = 0; l < 2; ++l)
        out[4 * l + c] = shuffle(quads[0][c], quads[1][c], across({l, 2 + l}));
      continue;
    }
    auto even = across({0, 2, 4, 6}), odd = across({1, 3, 5, 7});
    Value even01 = shuffle(quads[0][c], quads[1][c], even);
    Value odd01 = shuffle(quads[0][c], quads[1][c], odd);
    Value even23 = shuffle(quads[2][c], quads[3][c], even);
    Value odd23 = shuffle(quads[2][c], quads[3][c], odd);
    out[c] = shuffle(even01, even23, even);
    out[8 + c] = shuffle(even01, even23, odd);
    out[4 + c] = shuffle(odd01, odd23, even);
    out[12 + c] = shuffle(odd01, odd23, odd);
  }
  return out;
}
