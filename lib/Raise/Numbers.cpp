//===- Numbers.cpp - constants and affine functions of indices ------------===//

#include "Raise/Term.h"

#include "llvm/ADT/TypeSwitch.h"

#include <cmath>

using namespace mlir;
using namespace posenc;
using namespace posenc::raise;

/// An element of a constant; `at` counts only if they differ.
static std::optional<double> numberIn(Attribute attribute, ArrayRef<AffineExpr> at) {
  if (auto f = dyn_cast<FloatAttr>(attribute))
    return f.getValueAsDouble();
  if (auto i = dyn_cast<IntegerAttr>(attribute))
    return i.getType().isInteger(1) ? i.getValue().getZExtValue() : i.getValue().getSExtValue();
  auto elements = dyn_cast<DenseElementsAttr>(attribute);
  if (!elements)
    return std::nullopt;
  int64_t n = 0;
  if (!elements.isSplat())
    for (auto [e, size] : llvm::zip_equal(at, elements.getType().getShape())) {
      auto c = dyn_cast<AffineConstantExpr>(e);
      if (!c || c.getValue() < 0 || c.getValue() >= size)
        return std::nullopt;
      n = n * size + c.getValue();
    }
  if (isa<FloatType>(elements.getElementType())) {
    APFloat f = elements.isSplat() ? elements.getSplatValue<APFloat>()
                                   : *(elements.value_begin<APFloat>() + n);
    bool loses;
    f.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &loses);
    return f.convertToDouble();
  }
  if (!elements.getElementType().isIntOrIndex())
    return std::nullopt;
  APInt i =
      elements.isSplat() ? elements.getSplatValue<APInt>() : *(elements.value_begin<APInt>() + n);
  return i.getBitWidth() == 1 ? i.getZExtValue() : i.getSExtValue();
}

/// The result of an operation of arith or math on numbers.
static std::optional<double> evaluate(Operation *op, ArrayRef<double> x) {
  using Result = std::optional<double>;
  return llvm::TypeSwitch<Operation *, Result>(op)
      .Case<arith::AddFOp, arith::AddIOp>([&](auto) { return x[0] + x[1]; })
      .Case<arith::SubFOp, arith::SubIOp>([&](auto) { return x[0] - x[1]; })
      .Case<arith::MulFOp, arith::MulIOp>([&](auto) { return x[0] * x[1]; })
      .Case([&](arith::DivFOp) { return x[0] / x[1]; })
      .Case<arith::DivSIOp, arith::DivUIOp>(
          [&](auto) { return x[0] >= 0 && x[1] > 0 ? Result(std::floor(x[0] / x[1])) : Result(); })
      .Case<arith::RemSIOp, arith::RemUIOp>(
          [&](auto) { return x[0] >= 0 && x[1] > 0 ? Result(std::fmod(x[0], x[1])) : Result(); })
      .Case<arith::NegFOp>([&](auto) { return -x[0]; })
      .Case<arith::ExtFOp, arith::TruncFOp, arith::IndexCastOp, arith::IndexCastUIOp,
            arith::ExtSIOp, arith::SIToFPOp>([&](auto) { return x[0]; })
      .Case<arith::UIToFPOp, arith::ExtUIOp>(
          [&](auto) { return x[0] >= 0 ? Result(x[0]) : Result(); })
      .Case<math::PowFOp, math::FPowIOp>([&](auto) { return std::pow(x[0], x[1]); })
      .Case([&](math::ExpOp) { return std::exp(x[0]); })
      .Case([&](math::Exp2Op) { return std::exp2(x[0]); })
      .Case([&](math::LogOp) { return std::log(x[0]); })
      .Case([&](math::Log2Op) { return std::log2(x[0]); })
      .Case([&](math::SqrtOp) { return std::sqrt(x[0]); })
      .Case([&](math::RsqrtOp) { return 1.0 / std::sqrt(x[0]); })
      .Default(Result());
}

std::optional<double> Reader::constant(const Term &t) {
  Term r = resolve(t);
  Attribute attribute;
  if (matchPattern(r.value, m_Constant(&attribute)))
    return numberIn(attribute, r.at);
  if (auto index = r.value.getDefiningOp<linalg::IndexOp>()) {
    auto c = dyn_cast<AffineConstantExpr>(r.at[index.getDim()]);
    return c ? std::optional<double>(c.getValue()) : std::nullopt;
  }
  SmallVector<Term> operands;
  Operation *op = operation(r, operands);
  if (!op)
    return std::nullopt;
  SmallVector<double> values;
  for (const Term &operand : operands) {
    std::optional<double> value = constant(operand);
    if (!value)
      return std::nullopt;
    values.push_back(*value);
  }
  return evaluate(op, values);
}

void Reader::addFactors(const Term &t, bool inverse, Factors &factors) {
  if (std::optional<double> c = constant(t)) {
    factors.constant = inverse ? factors.constant / *c : factors.constant * *c;
    return;
  }
  if (auto x = match<arith::MulFOp>(t)) {
    addFactors((*x)[0], inverse, factors);
    addFactors((*x)[1], inverse, factors);
  } else if (auto x = match<arith::DivFOp>(t)) {
    addFactors((*x)[0], inverse, factors);
    addFactors((*x)[1], !inverse, factors);
  } else if (auto x = match<arith::NegFOp>(t)) {
    addFactors((*x)[0], inverse, factors);
    factors.constant = -factors.constant;
  } else {
    (inverse ? factors.below : factors.above).push_back(t);
  }
}

Factors Reader::factors(const Term &t) {
  Factors factors;
  addFactors(t, /*inverse=*/false, factors);
  return factors;
}

AffineExpr Reader::affine(const Term &t) {
  Term r = resolve(t);
  if (std::optional<double> c = constant(r); c && *c == std::floor(*c))
    return number(*c);
  if (auto index = r.value.getDefiningOp<linalg::IndexOp>())
    return r.at[index.getDim()];
  if (auto x = match<arith::IndexCastOp, arith::ExtSIOp, arith::TruncIOp>(r))
    return affine((*x)[0]); // coordinates stay below 2^31
  if (auto x = match<arith::AddIOp, arith::SubIOp>(r)) {
    AffineExpr a = affine((*x)[0]), b = affine((*x)[1]);
    if (!a || !b)
      return {};
    return simplify(r.value.getDefiningOp<arith::AddIOp>() ? a + b : a - b);
  }
  if (auto dim = r.value.getDefiningOp<tensor::DimOp>()) {
    auto type = dyn_cast<RankedTensorType>(dim.getSource().getType());
    std::optional<int64_t> d = dim.getConstantIndex();
    if (type && d && *d < type.getRank() && !type.isDynamicDim(*d))
      return number(type.getDimSize(*d));
  }
  if (!r.value.getType().isIntOrIndex() || bodyOf(r.value))
    return {};
  auto known = llvm::find(symbols, r.value);
  unsigned position = known - symbols.begin();
  if (known == symbols.end())
    symbols.push_back(r.value);
  return getAffineSymbolExpr(position, context);
}
