//===- Emitter.cpp - arithmetic for encodings and kernels -----------------===//

#include "posenc/Encoding.h"

using namespace mlir;
using namespace posenc;

static bool isFloat(Value v) { return isa<FloatType>(getElementTypeOrSelf(v)); }

template <typename FloatOp, typename IntOp>
static Value binary(Emitter &e, Value a, Value b) {
  return isFloat(a) ? FloatOp::create(e, a, b).getResult()
                    : IntOp::create(e, a, b).getResult();
}

Value Emitter::constant(TypedAttr value) { return arith::ConstantOp::create(*this, value); }
Value Emitter::f32(double value) { return constant(getF32FloatAttr(value)); }
Value Emitter::i32(int64_t value) { return constant(getI32IntegerAttr(value)); }
Value Emitter::index(int64_t value) { return constant(getIndexAttr(value)); }

Value Emitter::add(Value a, Value b) {
  return binary<arith::AddFOp, arith::AddIOp>(*this, a, b);
}
Value Emitter::sub(Value a, Value b) {
  return binary<arith::SubFOp, arith::SubIOp>(*this, a, b);
}
Value Emitter::mul(Value a, Value b) {
  return binary<arith::MulFOp, arith::MulIOp>(*this, a, b);
}
Value Emitter::div(Value a, Value b) { return arith::DivFOp::create(*this, a, b); }

// Compare and select is one instruction on every target; minnumf and minimumf
// spend more on NaN.
Value Emitter::min(Value a, Value b) {
  return isFloat(a) ? select(less(a, b), a, b)
                    : arith::MinSIOp::create(*this, a, b).getResult();
}
Value Emitter::max(Value a, Value b) {
  return isFloat(a) ? select(less(b, a), a, b)
                    : arith::MaxSIOp::create(*this, a, b).getResult();
}
Value Emitter::neg(Value a) {
  if (isFloat(a))
    return arith::NegFOp::create(*this, a);
  return arith::SubIOp::create(*this, constant(getZeroAttr(a.getType())), a);
}
Value Emitter::abs(Value a) {
  return isFloat(a) ? math::AbsFOp::create(*this, a).getResult() : max(a, neg(a));
}
Value Emitter::sin(Value a) { return math::SinOp::create(*this, a); }
Value Emitter::cos(Value a) { return math::CosOp::create(*this, a); }
Value Emitter::logicalAnd(Value a, Value b) {
  return arith::AndIOp::create(*this, a, b);
}
Value Emitter::select(Value condition, Value ifTrue, Value ifFalse) {
  return arith::SelectOp::create(*this, condition, ifTrue, ifFalse);
}
Value Emitter::less(Value a, Value b) {
  if (isFloat(a))
    return arith::CmpFOp::create(*this, arith::CmpFPredicate::OLT, a, b);
  return arith::CmpIOp::create(*this, arith::CmpIPredicate::slt, a, b);
}
Value Emitter::lessEqual(Value a, Value b) {
  if (isFloat(a))
    return arith::CmpFOp::create(*this, arith::CmpFPredicate::OLE, a, b);
  return arith::CmpIOp::create(*this, arith::CmpIPredicate::sle, a, b);
}

Value Emitter::toFloat(Value a) {
  Type type = a.getType();
  if (type.isF32())
    return a;
  if (auto narrow = dyn_cast<FloatType>(type))
    return narrow.getWidth() < 32
               ? arith::ExtFOp::create(*this, getF32Type(), a).getResult()
               : arith::TruncFOp::create(*this, getF32Type(), a).getResult();
  return arith::SIToFPOp::create(*this, getF32Type(), toInt(a));
}
Value Emitter::toInt(Value a) {
  Type type = a.getType();
  if (type.isInteger(32))
    return a;
  if (type.isIndex())
    return arith::IndexCastOp::create(*this, getI32Type(), a);
  if (isFloat(a))
    return arith::FPToSIOp::create(*this, getI32Type(), a);
  if (type.getIntOrFloatBitWidth() > 32)
    return arith::TruncIOp::create(*this, getI32Type(), a);
  return arith::ExtSIOp::create(*this, getI32Type(), a);
}
Value Emitter::toIndex(Value a) {
  if (a.getType().isIndex())
    return a;
  return arith::IndexCastOp::create(*this, getIndexType(), isFloat(a) ? toInt(a) : a);
}

Value Emitter::table(ArrayRef<double> values) {
  SmallVector<float> rounded(values.begin(), values.end());
  auto type = RankedTensorType::get(rounded.size(), getF32Type());
  return constant(DenseElementsAttr::get(type, ArrayRef<float>(rounded)));
}
Value Emitter::table(ArrayRef<int32_t> values) {
  auto type = RankedTensorType::get(values.size(), getI32Type());
  return constant(DenseElementsAttr::get(type, values));
}
Value Emitter::lookup(Value tensor, ValueRange indices) {
  Value element = tensor::ExtractOp::create(*this, tensor, indices);
  auto type = dyn_cast<FloatType>(element.getType());
  return type && type.getWidth() < 32 ? toFloat(element) : element;
}
