//===- LayerNorm.cpp - mean, variance, gain and shift ---------------------===//

#include "Raise/Raise.h"

#include <cmath>

using namespace mlir;
using namespace posenc;
using namespace posenc::raise;

namespace {
/// A sum divided by a constant.
struct Mean {
  Reduction sum;
  double count;
};

class Matcher {
public:
  Matcher(linalg::LinalgOp root) : reader(root.getContext()), root(root) {}

  /// Finds the square root of a variance that divides the result.
  bool matchRoot();
  Operation *getAnchor() { return anchor; }
  LogicalResult match(std::string &reason);
  Value build(OpBuilder &b);
  Value getInput() { return x; }

private:
  bool matchProduct(const Term &t);
  std::optional<Mean> mean(const Term &t);
  std::optional<Term> squared(const Term &t);
  LogicalResult matchVariance(const Term &deviation, const Term &average, std::string &reason);
  LogicalResult matchMean(const Mean &mean, const Term &of, StringRef what, std::string &reason);
  Value vectorOf(const Term &t) { return tensorAt(reader, t, y.at.back()); }
  Value vector(OpBuilder &b, Value v, double c);

  Reader reader;
  linalg::LinalgOp root;
  Operation *anchor = nullptr;
  Term y;
  Factors product;
  std::optional<Term> shift;
  Mean variance{};
  std::optional<Term> meanSquare; // what the mean of squares is too large by
  double eps = 0.0, gain = 1.0;
  Value x, gamma, beta; // gamma and beta: null = all the same
};
} // namespace

std::optional<Mean> Matcher::mean(const Term &t) {
  Factors factors = reader.factors(t);
  if (factors.above.size() != 1 || !factors.below.empty())
    return std::nullopt;
  std::optional<Reduction> sum = reader.sum(factors.above[0]);
  if (!sum)
    return std::nullopt;
  return Mean{*sum, 1.0 / factors.constant};
}

/// Takes 1 / sqrt(variance + eps) out of the product `t`.
bool Matcher::matchProduct(const Term &t) {
  product = reader.factors(t);
  for (bool below : {false, true}) {
    SmallVectorImpl<Term> &terms = below ? product.below : product.above;
    for (const Term &term : terms) {
      auto root = below ? reader.match<math::SqrtOp>(term) : reader.match<math::RsqrtOp>(term);
      if (!root)
        continue;
      Term square = (*root)[0];
      if (auto sum = reader.match<arith::AddFOp>(square))
        for (unsigned i : {0, 1})
          if (std::optional<double> c = reader.constant((*sum)[i])) {
            eps = *c;
            square = (*sum)[1 - i];
          }
      // Of squares, from which that of the mean may be subtracted.
      if (auto difference = reader.match<arith::SubFOp>(square)) {
        square = (*difference)[0];
        meanSquare = (*difference)[1];
      }
      std::optional<Mean> squares = mean(square);
      if (!squares)
        continue;
      variance = *squares;
      anchor = reader.resolve(term).value.getDefiningOp();
      terms.erase(&term);
      return true;
    }
  }
  return false;
}

bool Matcher::matchRoot() {
  y = reader.element(root->getResult(0));
  if (y.at.empty())
    return false;
  if (auto sum = reader.match<arith::AddFOp>(y))
    for (unsigned i : {0, 1})
      if (matchProduct((*sum)[i])) {
        shift = (*sum)[1 - i];
        return true;
      }
  return matchProduct(y);
}

/// `mean` is that of `of` over the last dimension.
LogicalResult Matcher::matchMean(const Mean &mean, const Term &of, StringRef what,
                                 std::string &reason) {
  int64_t width = cast<ShapedType>(root->getResult(0).getType()).getShape().back();
  if (!reader.same(mean.sum.body, reader.replace(of, y.at.back(), mean.sum.over))) {
    reason = (what + " is not taken over the last dimension of what is normalised").str();
    return failure();
  }
  if (ShapedType::isDynamic(width)) {
    reason = "the number of its channels is not known";
    return failure();
  }
  if (std::abs(mean.count / width - 1.0) > 1.0e-6) {
    llvm::raw_string_ostream(reason)
        << what << " divides by " << mean.count << " instead of " << width;
    return failure();
  }
  return success();
}

/// x for x * x.
std::optional<Term> Matcher::squared(const Term &t) {
  auto power = reader.match<math::PowFOp, math::FPowIOp>(t);
  if (power && reader.constant((*power)[1]) == 2.0)
    return (*power)[0];
  auto product = reader.match<arith::MulFOp>(t);
  if (product && reader.same((*product)[0], (*product)[1]))
    return (*product)[0];
  return std::nullopt;
}

LogicalResult Matcher::matchVariance(const Term &deviation, const Term &average,
                                     std::string &reason) {
  std::optional<Term> root = squared(variance.sum.body);
  std::optional<Term> subtracted = meanSquare ? squared(*meanSquare) : average;
  if (!root || !subtracted || !reader.same(*subtracted, average)) {
    reason = "its variance is not the mean square of deviations from the mean";
    return failure();
  }
  Mean squares = variance;
  squares.sum.body = *root;
  return matchMean(squares, meanSquare ? Term{x, y.at} : deviation, "its variance", reason);
}

LogicalResult Matcher::match(std::string &reason) {
  // The deviation from the mean.
  std::optional<Mean> center;
  Term deviation, average;
  for (const Term &term : product.above) {
    auto difference = reader.match<arith::SubFOp>(term);
    if (difference && (center = mean((*difference)[1]))) {
      deviation = term;
      average = (*difference)[1];
      x = tensorAt(reader, (*difference)[0], y.at);
      if (!x) {
        reason = "what it normalises is no tensor of the result's shape";
        return failure();
      }
      product.above.erase(&term);
      break;
    }
  }
  if (!center) {
    reason = "it does not subtract the mean";
    return failure();
  }
  Term input{x, y.at};
  if (failed(matchMean(*center, input, "its mean", reason)))
    return failure();

  if (failed(matchVariance(deviation, average, reason)))
    return failure();

  // Gain and shift, which differ by channel only.
  gain = product.constant;
  if (product.above.size() > 1 || !product.below.empty() ||
      (product.above.size() == 1 && !(gamma = vectorOf(product.above[0]))) ||
      (gamma && gain != 1.0)) {
    reason = "its gain is not one number for each channel";
    return failure();
  }
  if (shift && !(beta = vectorOf(*shift)) && !reader.constant(*shift)) {
    reason = "its shift is not one number for each channel";
    return failure();
  }
  for (Value v : {Value(root->getResult(0)), x})
    if (!getElementTypeOrSelf(v).isF32()) {
      reason = "it is not computed in f32";
      return failure();
    }
  return success();
}

Value Matcher::vector(OpBuilder &b, Value v, double c) {
  if (v)
    return v;
  int64_t width = cast<ShapedType>(x.getType()).getShape().back();
  auto type = RankedTensorType::get(width, b.getF32Type());
  return arith::ConstantOp::create(b, root.getLoc(), DenseElementsAttr::get(type, float(c)));
}

Value Matcher::build(OpBuilder &b) {
  Location loc = root.getLoc();
  Value init = tensor::EmptyOp::create(b, loc, tensor::getMixedSizes(b, loc, x), b.getF32Type());
  double constant = shift ? reader.constant(*shift).value_or(0.0) : 0.0;
  Value norm = LayerNormOp::create(b, loc, init.getType(), x, vector(b, gamma, gain),
                                   vector(b, beta, constant), init, b.getF32FloatAttr(eps))
                   .getResult(0);
  return typed(b, loc, norm, root->getResult(0).getType());
}

bool raise::raiseNorm(RewriterBase &rewriter, linalg::LinalgOp root, Missed &missed) {
  Matcher matcher(root);
  if (!matcher.matchRoot())
    return false;
  std::string reason;
  if (failed(matcher.match(reason))) {
    missed.add(matcher.getAnchor(), reason);
    return false;
  }
  SmallVector<Operation *> ops = between(matcher.getInput(), root);
  if (ops.empty()) // one body cannot hold a mean
    return false;
  return replaceIdiom(rewriter, root, ops, missed, matcher.getAnchor(),
                      [&] { return matcher.build(rewriter); });
}
