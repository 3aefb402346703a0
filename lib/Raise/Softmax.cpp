//===- Softmax.cpp - recognises a softmax over the keys -------------------===//

#include "Raise/Attention.h"

using namespace mlir;
using namespace posenc;
using namespace posenc::raise;

/// Numerator and denominator of a quotient.
static std::optional<std::pair<Term, Term>> quotient(Reader &reader, const Term &t) {
  if (auto x = reader.match<arith::DivFOp>(t))
    return std::pair((*x)[0], (*x)[1]);
  auto product = reader.match<arith::MulFOp>(t);
  if (!product)
    return std::nullopt;
  for (unsigned i : {0, 1})
    if (auto inverse = reader.match<arith::DivFOp>((*product)[i]))
      if (reader.constant((*inverse)[0]) == 1.0)
        return std::pair((*product)[1 - i], (*inverse)[1]);
  return std::nullopt;
}

std::optional<Term> raise::softmaxOf(Reader &reader, const Term &p, AffineExpr key,
                                     std::string &reason) {
  Term t = reader.resolve(p);
  if (auto softmax = t.value.getDefiningOp<linalg::SoftmaxOp>()) {
    int64_t d = softmax.getDimension();
    if (t.at[d] != key) {
      reason = "the softmax runs over dimension " + std::to_string(d) + ", not over the keys";
      return std::nullopt;
    }
    t.value = softmax.getInput();
    return t;
  }

  auto parts = quotient(reader, t);
  auto exponent = parts ? reader.match<math::ExpOp>(parts->first) : std::nullopt;
  std::optional<Reduction> sum = exponent ? reader.sum(parts->second) : std::nullopt;
  if (!sum)
    return std::nullopt;
  if (!reader.same(sum->body, reader.replace(parts->first, key, sum->over))) {
    reason = "its exponentials are not divided by their sum over the keys";
    return std::nullopt;
  }
  auto difference = reader.match<arith::SubFOp>((*exponent)[0]);
  if (!difference) {
    reason = "its exponentials may overflow, since no maximum is subtracted";
    return std::nullopt;
  }
  Term scores = (*difference)[0];
  std::optional<Reduction> maximum = reader.maximum((*difference)[1]);
  if (!maximum || !reader.same(maximum->body, reader.replace(scores, key, maximum->over))) {
    reason = "what its exponentials subtract is not the maximum over the keys";
    return std::nullopt;
  }
  return scores;
}
