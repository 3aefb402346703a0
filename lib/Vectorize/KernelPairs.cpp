//===- KernelPairs.cpp - two bf16 in the place of an f32 ------------------===//

#include "Vectorize/KernelBuilder.h"

#include "mlir/Dialect/X86Vector/X86VectorDialect.h"

using namespace mlir;
using namespace posenc;

static Value castTo(KernelBuilder &b, int64_t n, Type element, Value v) {
  return vector::BitCastOp::create(b, b.vectorType(n, element), v);
}

static int64_t count(Value v) { return cast<VectorType>(v.getType()).getNumElements(); }

static Value toBF16(KernelBuilder &b, Value v) {
  if (cast<VectorType>(v.getType()).getElementType().isBF16())
    return v;
  return arith::TruncFOp::create(b, b.vectorType(count(v), b.getBF16Type()), v);
}

Value KernelBuilder::loadPairs(Value memref, ValueRange row, Value i, int64_t n) {
  int64_t pairs = std::max<int64_t>(n, 1);
  Type element = cast<MemRefType>(memref.getType()).getElementType();
  Value v = vector::LoadOp::create(*this, vectorType(2 * pairs, element), memref,
                                   join(row, mul(i, 2)));
  v = castTo(*this, pairs, getF32Type(), toBF16(*this, v));
  return n ? v : vector::ExtractOp::create(*this, v, int64_t(0)).getResult();
}

Value KernelBuilder::makePairs(Value first, Value second) {
  int64_t n = count(first);
  if (cast<VectorType>(first.getType()).getElementType().isBF16())
    return castTo(*this, n, getF32Type(), vector::InterleaveOp::create(*this, first, second));
  // Rounded half up, by two additions: conversions would need lanes exchanged.
  auto rounded = [&](Value v) {
    return add(castTo(*this, n, getI32Type(), v), splatInt(0x8000, n));
  };
  Value low = arith::ShRUIOp::create(*this, rounded(first), splatInt(16, n));
  Value high = arith::AndIOp::create(*this, rounded(second), splatInt(-0x10000, n));
  return castTo(*this, n, getF32Type(), arith::OrIOp::create(*this, low, high));
}

Value KernelBuilder::addPairs(Value sum, Value a, Value b) {
  int64_t n = count(sum);
  return x86vector::DotBF16Op::create(*this, sum.getType(), sum,
                                      castTo(*this, 2 * n, getBF16Type(), a),
                                      castTo(*this, 2 * n, getBF16Type(), b));
}
