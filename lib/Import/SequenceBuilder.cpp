//===- SequenceBuilder.cpp - linalg on padded sequences -------------------===//

#include "SequenceBuilder.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace posenc;

static constexpr utils::IteratorType parallel = utils::IteratorType::parallel;
static constexpr utils::IteratorType reduction = utils::IteratorType::reduction;
static constexpr int64_t dynamic = ShapedType::kDynamic;

Value SequenceBuilder::index(int64_t value) {
  return arith::ConstantIndexOp::create(b, value);
}

Value SequenceBuilder::f32(double value) {
  return arith::ConstantOp::create(b, b.getF32FloatAttr(value));
}

Value SequenceBuilder::empty(ArrayRef<int64_t> shape, Type element) {
  SmallVector<Value> sizes;
  for (auto [dimension, extent] : llvm::enumerate(shape))
    if (ShapedType::isDynamic(extent))
      sizes.push_back(dimension == 0 ? batch : rows);
  return tensor::EmptyOp::create(b, shape, element, sizes);
}

Value SequenceBuilder::filled(ArrayRef<int64_t> shape, Value value) {
  Value init = empty(shape, value.getType());
  return linalg::FillOp::create(b, value, init).getResult(0);
}

Value SequenceBuilder::generic(ValueRange inputs, ArrayRef<AffineMap> inputMaps,
                               Value init, AffineMap initMap,
                               ArrayRef<utils::IteratorType> iterators,
                               Body body) {
  SmallVector<AffineMap> maps(inputMaps);
  maps.push_back(initMap);
  return linalg::GenericOp::create(
             b, init.getType(), inputs, init, maps, iterators,
             [&](OpBuilder &nested, Location loc, ValueRange arguments) {
               OpBuilder::InsertionGuard guard(b);
               b.setInsertionPoint(nested.getInsertionBlock(),
                                   nested.getInsertionPoint());
               linalg::YieldOp::create(b, body(arguments));
             })
      .getResult(0);
}

Value SequenceBuilder::elementwise(ValueRange inputs, Type element, Body body) {
  auto type = cast<RankedTensorType>(inputs.front().getType());
  AffineMap identity = b.getMultiDimIdentityMap(type.getRank());
  SmallVector<AffineMap> maps(inputs.size(), identity);
  SmallVector<utils::IteratorType> iterators(type.getRank(), parallel);
  return generic(inputs, maps, empty(type.getShape(), element), identity,
                 iterators, body);
}

Value SequenceBuilder::add(Value x, Value y) {
  return elementwise({x, y}, b.getF32Type(), [&](ValueRange in) -> Value {
    return arith::AddFOp::create(b, in[0], in[1]);
  });
}

Value SequenceBuilder::gelu(Value x) {
  return elementwise(x, b.getF32Type(), [&](ValueRange in) -> Value {
    Value erf = math::ErfOp::create(
        b, arith::MulFOp::create(b, in[0], f32(std::sqrt(0.5))));
    Value half = arith::MulFOp::create(b, in[0], f32(0.5));
    return arith::MulFOp::create(b, half,
                                 arith::AddFOp::create(b, erf, f32(1.0)));
  });
}

Value SequenceBuilder::notZero(Value mask) {
  Type element = cast<RankedTensorType>(mask.getType()).getElementType();
  Value zero = arith::ConstantOp::create(b, b.getIntegerAttr(element, 0));
  return elementwise(mask, b.getI1Type(), [&](ValueRange in) -> Value {
    return arith::CmpIOp::create(b, arith::CmpIPredicate::ne, in[0], zero);
  });
}

//===----------------------------------------------------------------------===//
// Sentence embeddings
//===----------------------------------------------------------------------===//

Value SequenceBuilder::meanPool(Value x, Value valid) {
  AffineExpr d0, d1, d2;
  bindDims(b.getContext(), d0, d1, d2);
  auto map = [&](unsigned dims, ArrayRef<AffineExpr> results) {
    return AffineMap::get(dims, 0, results, b.getContext());
  };
  int64_t width = cast<RankedTensorType>(x.getType()).getDimSize(2);
  Value zero = f32(0.0);
  Value sums =
      generic({x, valid}, {map(3, {d0, d1, d2}), map(3, {d0, d1})},
              filled({dynamic, width}, zero), map(3, {d0, d2}),
              {parallel, reduction, parallel}, [&](ValueRange in) -> Value {
                Value term = arith::SelectOp::create(b, in[1], in[0], zero);
                return arith::AddFOp::create(b, in[2], term);
              });
  Value counts =
      generic(valid, map(2, {d0, d1}), filled(dynamic, zero), map(2, {d0}),
              {parallel, reduction}, [&](ValueRange in) -> Value {
                Value one = arith::UIToFPOp::create(b, b.getF32Type(), in[0]);
                return arith::AddFOp::create(b, in[1], one);
              });
  return generic({sums, counts}, {map(2, {d0, d1}), map(2, {d0})},
                 empty({dynamic, width}, b.getF32Type()), map(2, {d0, d1}),
                 {parallel, parallel}, [&](ValueRange in) -> Value {
                   Value count = arith::MaximumFOp::create(b, in[1], f32(1e-9));
                   return arith::DivFOp::create(b, in[0], count);
                 });
}

Value SequenceBuilder::unitRows(Value x) {
  int64_t width = cast<RankedTensorType>(x.getType()).getDimSize(1);
  AffineExpr d0, d1;
  bindDims(b.getContext(), d0, d1);
  AffineMap identity = b.getMultiDimIdentityMap(2);
  AffineMap perRow = AffineMap::get(2, 0, {d0}, b.getContext());
  Value squares = generic(x, identity, filled(dynamic, f32(0.0)), perRow,
                          {parallel, reduction}, [&](ValueRange in) -> Value {
                            Value square =
                                arith::MulFOp::create(b, in[0], in[0]);
                            return arith::AddFOp::create(b, in[1], square);
                          });
  return generic({x, squares}, {identity, perRow},
                 empty({dynamic, width}, b.getF32Type()), identity,
                 {parallel, parallel}, [&](ValueRange in) -> Value {
                   Value norm = math::SqrtOp::create(b, in[1]);
                   norm = arith::MaximumFOp::create(b, norm, f32(1e-12));
                   return arith::DivFOp::create(b, in[0], norm);
                 });
}
