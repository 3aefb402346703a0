//===- Masks.cpp - recognises masks and names them ------------------------===//

#include "Raise/Attention.h"
#include "Raise/Encodings.h"

#include "mlir/Interfaces/ValueBoundsOpInterface.h"

using namespace mlir;
using namespace posenc;
using namespace posenc::raise;

//===----------------------------------------------------------------------===//
// Recognition
//===----------------------------------------------------------------------===//

/// Which loop over samples and keys `e` is, or -1.
static int64_t loopOf(AffineExpr e, const Axes &axes) {
  return e == axes.key ? 1 : axes.batch && e == axes.batch ? 0 : -1;
}

static bool isOfKeys(ArrayRef<AffineExpr> at, const Axes &axes) {
  return llvm::all_of(at, [&](AffineExpr e) {
    return isa<AffineConstantExpr>(e) || loopOf(e, axes) >= 0;
  });
}

/// Whether `t` needs to know sample and key only; collects the tensors it reads.
static bool isOfKeys(Reader &reader, const Term &t, const Axes &axes,
                     SmallVectorImpl<Term> &leaves) {
  Term r = reader.resolve(t);
  if (reader.constant(r))
    return true;
  if (auto index = r.value.getDefiningOp<linalg::IndexOp>())
    return loopOf(r.at[index.getDim()], axes) >= 0;
  SmallVector<Term> operands;
  if (reader.operation(r, operands))
    return llvm::all_of(operands, [&](const Term &operand) {
      return isOfKeys(reader, operand, axes, leaves);
    });
  if (!isa<ShapedType>(r.value.getType()))
    return !bodyOf(r.value);
  leaves.push_back(r);
  return isOfKeys(r.at, axes);
}

/// The offset of a mask that sees the keys up to the query's row plus it, from a
/// comparison of affine functions.
static AffineExpr offsetOf(Reader &reader, arith::CmpIPredicate predicate, AffineExpr lhs,
                           AffineExpr rhs, const Axes &axes) {
  using Predicate = arith::CmpIPredicate;
  AffineExpr above; // visible where this is at most 0
  switch (predicate) {
  case Predicate::sle:
    above = lhs - rhs;
    break;
  case Predicate::slt:
    above = lhs - rhs + 1;
    break;
  case Predicate::sge:
    above = rhs - lhs;
    break;
  case Predicate::sgt:
    above = rhs - lhs + 1;
    break;
  default:
    return {};
  }
  AffineExpr offset = reader.simplify(axes.key - axes.query - above);
  return offset.isSymbolicOrConstant() ? offset : AffineExpr();
}

LogicalResult raise::masksOf(Reader &reader, const Term &condition, bool negated, const Axes &axes,
                             SmallVectorImpl<Mask> &masks, std::string &reason) {
  if (auto x = reader.match<arith::XOrIOp>(condition))
    for (unsigned i : {0, 1})
      if (reader.constant((*x)[i]) == 1.0)
        return masksOf(reader, (*x)[1 - i], !negated, axes, masks, reason);
  auto both = negated ? reader.match<arith::OrIOp>(condition)
                      : reader.match<arith::AndIOp>(condition);
  if (both)
    return success(succeeded(masksOf(reader, (*both)[0], negated, axes, masks, reason)) &&
                   succeeded(masksOf(reader, (*both)[1], negated, axes, masks, reason)));

  SmallVector<Term> leaves;
  if (isOfKeys(reader, condition, axes, leaves)) {
    masks.push_back({condition, negated, {}});
    return success();
  }
  SmallVector<Term> operands;
  if (auto compare = dyn_cast_or_null<arith::CmpIOp>(reader.operation(condition, operands))) {
    AffineExpr lhs = reader.affine(operands[0]), rhs = reader.affine(operands[1]);
    arith::CmpIPredicate predicate = compare.getPredicate();
    if (negated)
      predicate = arith::invertPredicate(predicate);
    AffineExpr offset = lhs && rhs ? offsetOf(reader, predicate, lhs, rhs, axes) : AffineExpr();
    if (offset) {
      masks.push_back({std::nullopt, false, offset});
      return success();
    }
    reason = "its mask is not 'key <= query + offset'";
    return failure();
  }
  reason = "its mask comes from neither indices nor a tensor of [batch, key]";
  return failure();
}

std::optional<std::pair<Term, bool>> raise::conditionOf(Reader &reader, const Term &bias,
                                                        double factor) {
  auto is = [&](const Term &t, bool hidden) {
    std::optional<double> c = reader.constant(t);
    return c && (hidden ? hides(*c * factor) : *c == 0.0);
  };
  if (auto x = reader.match<arith::SelectOp>(bias)) {
    if (is((*x)[1], false) && is((*x)[2], true))
      return std::pair((*x)[0], false);
    if (is((*x)[1], true) && is((*x)[2], false))
      return std::pair((*x)[0], true);
    return std::nullopt;
  }
  // (1 - visible) * hiding, or hidden * hiding.
  auto product = reader.match<arith::MulFOp>(bias);
  if (!product)
    return std::nullopt;
  for (unsigned i : {0, 1}) {
    if (!is((*product)[i], true))
      continue;
    Term flag = (*product)[1 - i];
    bool negated = true;
    if (auto x = reader.match<arith::SubFOp>(flag); x && reader.constant((*x)[0]) == 1.0) {
      flag = (*x)[1];
      negated = false;
    }
    auto x = reader.match<arith::UIToFPOp>(flag);
    if (x && getElementTypeOrSelf((*x)[0].value).isInteger(1))
      return std::pair((*x)[0], negated);
  }
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// Construction
//===----------------------------------------------------------------------===//

/// Builds `t` in the body of an operation over samples and keys.
static Value buildScalar(OpBuilder &b, Location loc, Reader &reader, const Term &t,
                         const Axes &axes, ArrayRef<Term> leaves, ValueRange arguments,
                         unsigned &next) {
  Term r = reader.resolve(t);
  Type type = getElementTypeOrSelf(r.value);
  if (std::optional<double> c = reader.constant(r)) {
    TypedAttr attribute = isa<FloatType>(type)
                              ? TypedAttr(b.getFloatAttr(type, *c))
                              : TypedAttr(b.getIntegerAttr(type, int64_t(*c)));
    return arith::ConstantOp::create(b, loc, attribute);
  }
  if (auto index = r.value.getDefiningOp<linalg::IndexOp>())
    return linalg::IndexOp::create(b, loc, loopOf(r.at[index.getDim()], axes));
  SmallVector<Term> operands;
  Operation *op = reader.operation(r, operands);
  if (!op)
    return isa<ShapedType>(r.value.getType()) ? arguments[next++] : r.value;
  SmallVector<Value> values;
  for (const Term &operand : operands)
    values.push_back(buildScalar(b, loc, reader, operand, axes, leaves, arguments, next));
  return b
      .create(loc, op->getName().getIdentifier(), values, TypeRange{type}, op->getAttrs())
      ->getResult(0);
}

/// [batch, key], true = visible.
static Value buildValid(OpBuilder &b, Location loc, Reader &reader, const Mask &mask,
                        const Axes &axes, OpFoldResult samples, OpFoldResult keys) {
  for (std::optional<Term> t = mask.valid; t && !mask.negated; t = reader.step(*t))
    if (auto type = dyn_cast<RankedTensorType>(t->value.getType());
        type && type.getElementType().isInteger(1) &&
        llvm::equal(t->at, ArrayRef{axes.batch ? axes.batch : reader.number(0), axes.key}))
      return t->value;

  SmallVector<Term> leaves;
  isOfKeys(reader, *mask.valid, axes, leaves);
  SmallVector<Value> inputs;
  SmallVector<AffineMap> maps;
  for (const Term &leaf : leaves) {
    SmallVector<AffineExpr> exprs;
    for (AffineExpr e : leaf.at)
      exprs.push_back(isa<AffineConstantExpr>(e) ? e : b.getAffineDimExpr(loopOf(e, axes)));
    inputs.push_back(leaf.value);
    maps.push_back(AffineMap::get(2, 0, exprs, b.getContext()));
  }
  maps.push_back(b.getMultiDimIdentityMap(2));
  Value init = tensor::EmptyOp::create(b, loc, {samples, keys}, b.getI1Type());
  return linalg::GenericOp::create(
             b, loc, init.getType(), inputs, init, maps,
             SmallVector<utils::IteratorType>(2, utils::IteratorType::parallel),
             [&](OpBuilder &nested, Location, ValueRange arguments) {
               unsigned next = 0;
               Value v = buildScalar(nested, loc, reader, *mask.valid, axes, leaves, arguments,
                                     next);
               if (mask.negated)
                 v = arith::XOrIOp::create(
                     nested, loc, v,
                     arith::ConstantOp::create(nested, loc, nested.getBoolAttr(true)));
               linalg::YieldOp::create(nested, loc, v);
             })
      .getResult(0);
}

Value raise::buildMask(OpBuilder &b, Location loc, Reader &reader, const Mask &mask,
                       const Axes &axes, Value scores, Value q, Value k, Layout layout) {
  int64_t row = layout == Layout::bhsd ? 2 : 1;
  auto sizeOf = [&](Value v, int64_t d) { return tensor::getMixedSize(b, loc, v, d); };
  if (mask.valid)
    return PaddingOp::create(b, loc, scores, ValueRange{},
                             buildValid(b, loc, reader, mask, axes, sizeOf(q, 0), sizeOf(k, row)));
  if (mask.offset == reader.number(0))
    return CausalOp::create(b, loc, scores, ValueRange{}, /*top_left=*/true);

  // Whether the last query sees the last key.
  Value offset = buildIndex(b, loc, reader, mask.offset);
  using Variable = ValueBoundsConstraintSet::Variable;
  AffineExpr keys = b.getAffineDimExpr(0), queries = b.getAffineDimExpr(1);
  FailureOr<bool> equal = ValueBoundsConstraintSet::areEqual(
      Variable(AffineMap::get(2, 0, keys - queries), {Variable(k, row), Variable(q, row)}),
      Variable(offset));
  if (succeeded(equal) && *equal)
    return CausalOp::create(b, loc, scores, ValueRange{}, /*top_left=*/false);

  Value zero = arith::ConstantIndexOp::create(b, loc, 0);
  return CausalOp::create(
      b, loc, scores,
      ValueRange{buildPositions(b, loc, q, row, offset), buildPositions(b, loc, k, row, zero)},
      /*top_left=*/false);
}
