//===- ExpandMath.cpp - math functions as arithmetic ----------------------===//
//
// Branch-free f32 forms that run on scalars and on vectors of any width. The
// coefficients are minimax fits of their own; errors are measured by
// test/Lower/expand-math.test and stated in docs/numerics.md.
//
//===----------------------------------------------------------------------===//

#include "posenc/Passes.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

#include <cmath>
#include <limits>

using namespace mlir;

namespace posenc {
#define GEN_PASS_DEF_POSENCEXPANDMATH
#include "posenc/Passes.h.inc"
} // namespace posenc

namespace {

/// Arithmetic on f32 and its bits. Nothing here may carry fast-math flags:
/// they would remove the rounding by a magic number.
struct Math : ImplicitLocOpBuilder {
  Math(Location loc, OpBuilder &b, Type type) : ImplicitLocOpBuilder(loc, b), type(type) {
    auto vector = dyn_cast<VectorType>(type);
    bits = vector ? Type(vector.clone(getI32Type())) : Type(getI32Type());
  }
  Value f(double x) { return constant(type, getF32FloatAttr(x)); }
  Value i(int64_t x) { return constant(bits, getI32IntegerAttr(x)); }
  Value constant(Type t, TypedAttr element) {
    auto vector = dyn_cast<VectorType>(t);
    if (!vector)
      return arith::ConstantOp::create(*this, element);
    return arith::ConstantOp::create(*this, SplatElementsAttr::get(vector, Attribute(element)));
  }
  Value add(Value a, Value b) { return arith::AddFOp::create(*this, a, b); }
  Value sub(Value a, Value b) { return arith::SubFOp::create(*this, a, b); }
  Value mul(Value a, Value b) { return arith::MulFOp::create(*this, a, b); }
  Value div(Value a, Value b) { return arith::DivFOp::create(*this, a, b); }
  Value fma(Value a, Value b, Value c) { return math::FmaOp::create(*this, a, b, c); }
  Value select(Value c, Value a, Value b) { return arith::SelectOp::create(*this, c, a, b); }
  // A NaN in x fails both comparisons and stays.
  Value atMost(Value x, double limit) {
    return select(arith::CmpFOp::create(*this, arith::CmpFPredicate::OGT, x, f(limit)), f(limit), x);
  }
  Value atLeast(Value x, double limit) {
    return select(arith::CmpFOp::create(*this, arith::CmpFPredicate::OLT, x, f(limit)), f(limit), x);
  }
  Value toBits(Value x) { return arith::BitcastOp::create(*this, bits, x); }
  Value fromBits(Value x) { return arith::BitcastOp::create(*this, type, x); }
  /// c[0] + c[1] x + c[2] x^2 ...
  Value polynomial(ArrayRef<double> c, Value x) {
    Value y = f(c.back());
    for (double k : llvm::reverse(c.drop_back()))
      y = fma(y, x, f(k));
    return y;
  }

  /// x rounded to an integer, whose low bits the sum with the magic number holds.
  std::pair<Value, Value> round(Value x) {
    Value magic = f(12582912.0); // 1.5 * 2^23
    Value sum = add(x, magic);
    return {sub(sum, magic), toBits(sum)};
  }

  /// 2^r for r in [-1/2, 1/2], times 2^n for the low bits of n.
  Value scaledExp2(Value r, Value n) {
    static const double c[] = {1.0, 0.693147181, 0.24022349, 0.0555038101, 0.00966636852, 0.00133813025};
    Value exponent = arith::ShLIOp::create(*this, n, i(23));
    return fromBits(arith::AddIOp::create(*this, toBits(polynomial(c, r)), exponent));
  }
  /// `y` where x lies within the range of f32's normal numbers, else 0 or inf.
  Value withinRange(Value x, double low, double high, Value y) {
    Value tiny = arith::CmpFOp::create(*this, arith::CmpFPredicate::OLT, x, f(low));
    Value huge = arith::CmpFOp::create(*this, arith::CmpFPredicate::OGT, x, f(high));
    return select(tiny, f(0.0), select(huge, f(std::numeric_limits<float>::infinity()), y));
  }
  Value exp2(Value x) {
    Value clamped = atLeast(atMost(x, 128.0), -126.0);
    auto [whole, n] = round(clamped);
    return withinRange(x, -126.0, 128.0, scaledExp2(sub(clamped, whole), n));
  }
  // log2(e) in two parts, so that the rest of a large x is still exact.
  Value exp(Value x) {
    const double high = 1.4426950216293335, low = 1.9259629911e-08;
    Value clamped = atLeast(atMost(x, 88.7228), -87.3365);
    auto [whole, n] = round(mul(clamped, f(high)));
    Value rest = fma(clamped, f(low), fma(clamped, f(high), arith::NegFOp::create(*this, whole)));
    return withinRange(x, -87.3365, 88.7228, scaledExp2(rest, n));
  }

  /// a = min(|x|, 5.2) and Phi(-a), Phi the normal distribution as the eighth power
  /// of a polynomial: no division, no exponential. The error is absolute.
  std::pair<Value, Value> normalTail(Value x) {
    static const double c[] = {0.917004099,   -0.0914606586,   -0.0319049313,   -0.000734537762,
                               0.00158563149, -2.16452685e-05, -3.94365653e-05, 3.5394701e-06};
    Value a = atMost(math::AbsFOp::create(*this, x), 5.2);
    Value p = polynomial(c, a);
    for (int n = 0; n < 3; ++n)
      p = mul(p, p);
    return {a, p};
  }
  /// 1 - 2 Phi(-|z| sqrt 2) with the sign of z.
  Value erf(Value z) {
    Value p = normalTail(mul(math::AbsFOp::create(*this, z), f(1.4142135623730951))).second;
    return math::CopySignOp::create(*this, fma(p, f(-2.0), f(1.0)), z);
  }

  /// x Phi(x): x or 0, less |x| Phi(-|x|).
  Value gelu(Value x) {
    auto [a, p] = normalTail(x);
    Value positive = select(arith::CmpFOp::create(*this, arith::CmpFPredicate::OGT, x, f(0.0)), x, f(0.0));
    return fma(arith::NegFOp::create(*this, a), p, positive);
  }

  Value tanh(Value x) {
    // 1 - 2 / (exp(2|x|) + 1), and x itself where that would cancel.
    Value a = math::AbsFOp::create(*this, x);
    Value e = exp(mul(a, f(2.0)));
    Value far = sub(f(1.0), div(f(2.0), add(e, f(1.0))));
    Value s = mul(x, x);
    static const double c[] = {1.0, -0.33333299, 0.13331235, -0.05356414, 0.01875121};
    Value near = mul(a, polynomial(c, s));
    Value isNear = arith::CmpFOp::create(*this, arith::CmpFPredicate::OLT, a, f(0.4));
    return math::CopySignOp::create(*this, select(isNear, near, far), x);
  }

  /// sin or cos: x = n pi/2 + r with pi/2 in three parts, then by quadrant.
  Value sine(Value x, int64_t quadrant) {
    Value whole, n;
    std::tie(whole, n) = round(mul(x, f(0.63661977236758134)));
    Value minus = arith::NegFOp::create(*this, whole);
    Value r = fma(minus, f(1.57079637050628662), x);
    r = fma(minus, f(-4.37113882867379e-08), r);
    r = fma(minus, f(-1.7151245100059356e-15), r);
    Value s = mul(r, r);
    static const double sin[] = {9.99999997e-01, -1.66666506e-01, 8.33203171e-03, -1.95033526e-04};
    static const double cos[] = {1.0, -0.5, 4.16666467e-02, -1.38873614e-03, 2.44377274e-05};
    if (quadrant)
      n = arith::AddIOp::create(*this, n, i(quadrant));
    auto bit = [&](int64_t mask) {
      Value masked = arith::AndIOp::create(*this, n, i(mask));
      return arith::CmpIOp::create(*this, arith::CmpIPredicate::ne, masked, i(0));
    };
    Value y = select(bit(1), polynomial(cos, s), mul(r, polynomial(sin, s)));
    return select(bit(2), arith::NegFOp::create(*this, y), y);
  }

  Value rsqrt(Value x) { return div(f(1.0), math::SqrtOp::create(*this, x)); }

  Type type, bits;
};

template <typename Op> struct Expand : OpRewritePattern<Op> {
  Expand(MLIRContext *context, Value (*build)(Math &, Value))
      : OpRewritePattern<Op>(context), build(build) {}
  LogicalResult matchAndRewrite(Op op, PatternRewriter &rewriter) const override {
    if (!getElementTypeOrSelf(op.getType()).isF32() || isa<TensorType>(op.getType()))
      return failure();
    Math m(op.getLoc(), rewriter, op.getType());
    rewriter.replaceOp(op, build(m, op.getOperand()));
    return success();
  }
  Value (*build)(Math &, Value);
};

/// The factor beside a constant near `c`, or null.
Value factorBeside(Value v, double c) {
  auto product = v.getDefiningOp<arith::MulFOp>();
  FloatAttr factor;
  auto isNear = [&](Value side) {
    if (SplatElementsAttr splat; matchPattern(side, m_Constant(&splat)))
      factor = splat.getSplatValue<FloatAttr>();
    else if (!matchPattern(side, m_Constant(&factor)))
      return false;
    return std::abs(factor.getValueAsDouble() - c) < 1e-7;
  };
  if (!product)
    return {};
  if (isNear(product.getRhs()))
    return product.getLhs();
  return isNear(product.getLhs()) ? product.getRhs() : Value();
}

/// x/2 (1 + erf(x / sqrt 2)): half of the error function's arithmetic is not needed.
struct ExpandGelu : OpRewritePattern<arith::MulFOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(arith::MulFOp op, PatternRewriter &rewriter) const override {
    if (!getElementTypeOrSelf(op.getType()).isF32() || isa<TensorType>(op.getType()))
      return failure();
    for (auto [half, sum] : {std::pair(op.getLhs(), op.getRhs()), std::pair(op.getRhs(), op.getLhs())}) {
      auto add = sum.getDefiningOp<arith::AddFOp>();
      Value x = factorBeside(half, 0.5);
      if (!add || !x)
        continue;
      for (auto [part, one] : {std::pair(add.getLhs(), add.getRhs()), std::pair(add.getRhs(), add.getLhs())}) {
        auto erf = part.getDefiningOp<math::ErfOp>();
        if (!erf || !matchPattern(one, m_OneFloat()) || factorBeside(erf.getOperand(), std::sqrt(0.5)) != x)
          continue;
        rewriter.replaceOp(op, Math(op.getLoc(), rewriter, op.getType()).gelu(x));
        return success();
      }
    }
    return failure();
  }
};

struct ExpandMath : posenc::impl::PosencExpandMathBase<ExpandMath> {
  using PosencExpandMathBase::PosencExpandMathBase;

  template <typename Op> void add(RewritePatternSet &patterns, Value (*build)(Math &, Value)) {
    StringRef name = Op::getOperationName();
    if (!llvm::is_contained(keep, name.split('.').second))
      patterns.add<Expand<Op>>(&getContext(), build);
  }

  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    add<math::ExpOp>(patterns, [](Math &m, Value x) { return m.exp(x); });
    add<math::Exp2Op>(patterns, [](Math &m, Value x) { return m.exp2(x); });
    add<math::ErfOp>(patterns, [](Math &m, Value x) { return m.erf(x); });
    add<math::TanhOp>(patterns, [](Math &m, Value x) { return m.tanh(x); });
    add<math::SinOp>(patterns, [](Math &m, Value x) { return m.sine(x, 0); });
    add<math::CosOp>(patterns, [](Math &m, Value x) { return m.sine(x, 1); });
    add<math::RsqrtOp>(patterns, [](Math &m, Value x) { return m.rsqrt(x); });
    if (!llvm::is_contained(keep, "erf"))
      patterns.add<ExpandGelu>(&getContext());
    // The end of an expression sees what it is made of.
    GreedyRewriteConfig config;
    config.setUseTopDownTraversal(false);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns), config)))
      signalPassFailure();
  }
};

} // namespace
