//===- ExpandMath.cpp - math functions as arithmetic ----------------------===//
//
// Branch-free f32 forms that run on scalars and on vectors of any width. The
// coefficients are minimax fits of their own; errors are measured by
// test/Lower/expand-math.test and stated in docs/numerics.md.
//
//===----------------------------------------------------------------------===//

#include "Vectorize/Processor.h"
#include "posenc/Passes.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "llvm/Support/MathExtras.h"

#include <cmath>
#include <limits>

using namespace mlir;

namespace posenc {
#define GEN_PASS_DEF_POSENCEXPANDMATH
#include "posenc/Passes.h.inc"
} // namespace posenc

/// The polynomial, by powers of `x - center`, that is `f` at the points of Chebyshev
/// within `radius`.
static SmallVector<double> interpolate(double (*f)(double), double center, double radius,
                                       unsigned degree) {
  SmallVector<double> points, differences, powers;
  for (unsigned i = 0; i <= degree; ++i) {
    points.push_back(radius * std::cos(llvm::numbers::pi * (i + 0.5) / (degree + 1)));
    differences.push_back(f(center + points[i]));
  }
  for (unsigned order = 1; order <= degree; ++order)
    for (unsigned i = degree; i >= order; --i)
      differences[i] = (differences[i] - differences[i - 1]) / (points[i] - points[i - order]);
  for (int i = degree; i >= 0; --i) { // powers * (x - points[i]) + differences[i]
    powers.insert(powers.begin(), 0.0);
    for (size_t k = 0; k + 1 < powers.size(); ++k)
      powers[k] -= points[i] * powers[k + 1];
    powers[0] += differences[i];
  }
  return powers;
}

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

  /// The same for what is rounded to bf16: squares around the nearest multiple of 1/4,
  /// whose coefficients two registers of AVX-512 hold. For f32 cubes, with more of
  /// them to look up, would be no faster than the one polynomial.
  std::pair<Value, Value> normalTailByTable(Value x) {
    constexpr int64_t pieces = 32, perUnit = 4;
    constexpr unsigned degree = 2;
    Value a = atMost(math::AbsFOp::create(*this, x), 6.0);
    Value magic = f(12582912.0 / perUnit), sum = add(a, magic);
    Value piece = toBits(sum), rest = sub(a, sub(sum, magic)), p;
    SmallVector<float> c[degree + 1];
    for (int64_t i = 0; i < pieces; ++i) {
      auto tail = [](double a) { return std::erfc(a * std::sqrt(0.5)) / 2; };
      for (auto [k, value] : llvm::enumerate(interpolate(tail, double(i) / perUnit, 0.5 / perUnit, degree)))
        c[k].push_back(value);
    }
    for (ArrayRef<float> table : llvm::reverse(c)) {
      auto half = [&](ArrayRef<float> values) {
        return arith::ConstantOp::create(*this, DenseElementsAttr::get(cast<VectorType>(type), values));
      };
      Value next = LLVM::CallIntrinsicOp::create(
                       *this, type, getStringAttr("llvm.x86.avx512.vpermi2var.ps.512"),
                       ValueRange{half(table.take_front(pieces / 2)), piece, half(table.take_back(pieces / 2))})
                       .getResult(0);
      p = p ? fma(p, rest, next) : next;
    }
    return {a, p};
  }

  /// x Phi(x): x or 0, less |x| Phi(-|x|).
  Value gelu(Value x, bool byTable) {
    auto [a, p] = byTable ? normalTailByTable(x) : normalTail(x);
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

bool roundsToBF16(Operation *op) {
  return isa<arith::TruncFOp>(op) && getElementTypeOrSelf(op->getResult(0)).isBF16();
}

/// x/2 (1 + erf(x / sqrt 2)): half of the error function's arithmetic is not needed.
struct ExpandGelu : OpRewritePattern<arith::MulFOp> {
  ExpandGelu(MLIRContext *context, bool avx512) : OpRewritePattern(context), avx512(avx512) {}
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
        auto vector = dyn_cast<VectorType>(op.getType());
        bool byTable = avx512 && vector && vector.getShape() == ArrayRef<int64_t>{16} &&
                       llvm::all_of(op->getUsers(), roundsToBF16);
        rewriter.replaceOp(op, Math(op.getLoc(), rewriter, op.getType()).gelu(x, byTable));
        return success();
      }
    }
    return failure();
  }

  bool avx512;
};

struct ExpandMath : posenc::impl::PosencExpandMathBase<ExpandMath> {
  using PosencExpandMathBase::PosencExpandMathBase;

  /// Whether vectors of 16 are registers; never in a module for a GPU.
  FailureOr<bool> hasAvx512() {
    auto module = dyn_cast<ModuleOp>(getOperation());
    if (!module)
      return false;
    FailureOr<posenc::Processor> processor = posenc::Processor::get(module, vectorBits, false);
    return failed(processor) ? FailureOr<bool>(failure()) : processor->lanes() == 16;
  }

  template <typename Op> void add(RewritePatternSet &patterns, Value (*build)(Math &, Value)) {
    StringRef name = Op::getOperationName();
    if (!llvm::is_contained(keep, name.split('.').second))
      patterns.add<Expand<Op>>(&getContext(), build);
  }

  void runOnOperation() override {
    FailureOr<bool> avx512 = hasAvx512();
    if (failed(avx512))
      return signalPassFailure();
    RewritePatternSet patterns(&getContext());
    add<math::ExpOp>(patterns, [](Math &m, Value x) { return m.exp(x); });
    add<math::Exp2Op>(patterns, [](Math &m, Value x) { return m.exp2(x); });
    add<math::ErfOp>(patterns, [](Math &m, Value x) { return m.erf(x); });
    add<math::TanhOp>(patterns, [](Math &m, Value x) { return m.tanh(x); });
    add<math::SinOp>(patterns, [](Math &m, Value x) { return m.sine(x, 0); });
    add<math::CosOp>(patterns, [](Math &m, Value x) { return m.sine(x, 1); });
    add<math::RsqrtOp>(patterns, [](Math &m, Value x) { return m.rsqrt(x); });
    if (!llvm::is_contained(keep, "erf"))
      patterns.add<ExpandGelu>(&getContext(), *avx512);
    // The end of an expression sees what it is made of.
    GreedyRewriteConfig config;
    config.setUseTopDownTraversal(false);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns), config)))
      signalPassFailure();
  }
};

} // namespace
