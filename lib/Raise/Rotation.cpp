//===- Rotation.cpp - what rotated channels are made of -------------------===//

#include "Raise/Rotation.h"

#include <cmath>

using namespace mlir;
using namespace posenc;
using namespace posenc::raise;

LogicalResult raise::addSummands(Reader &reader, const Term &t, double factor,
                                 SmallVectorImpl<Summand> &summands) {
  // A rotation has two; what grows larger is something else.
  if (summands.size() > 8)
    return failure();
  if (auto x = reader.match<arith::AddFOp>(t))
    return success(succeeded(addSummands(reader, (*x)[0], factor, summands)) &&
                   succeeded(addSummands(reader, (*x)[1], factor, summands)));
  if (auto x = reader.match<arith::SubFOp>(t))
    return success(succeeded(addSummands(reader, (*x)[0], factor, summands)) &&
                   succeeded(addSummands(reader, (*x)[1], -factor, summands)));

  bool isProduct = bool(reader.match<arith::MulFOp, arith::DivFOp, arith::NegFOp>(t));
  Factors factors = reader.factors(t);
  if (!factors.below.empty() || factors.above.size() > 2)
    return failure();
  if (factors.above.empty()) // a number
    return success(factors.constant == 0.0);
  if (isProduct && factors.above.size() == 1)
    return addSummands(reader, factors.above[0], factor * factors.constant, summands);

  Summand summand{factor * factors.constant, {}};
  for (const Term &term : factors.above) {
    SmallVector<Term> operands;
    Operation *op = reader.operation(term, operands);
    if (!isa_and_present<math::CosOp, math::SinOp>(op)) {
      if (summand.x)
        return failure();
      summand.x = term;
      continue;
    }
    if (summand.function)
      return failure();
    summand.function = op;
    summand.angle = operands[0];
  }
  summands.push_back(summand);
  return success();
}

static bool isClose(double a, double b) { return std::abs(a - b) <= 1.0e-6 * std::abs(b); }

/// The base of w[c] = base^(-2c / width).
static std::optional<double> baseOf(ArrayRef<double> w, std::string &reason) {
  int64_t pairs = w.size();
  // With one pair, any will do.
  double base = pairs == 1 ? 10000.0 : std::pow(w.back(), -double(pairs) / (pairs - 1));
  if (isClose(std::round(base), base))
    base = std::round(base);
  for (int64_t c = 0; c < pairs; ++c)
    if (double expected = std::pow(base, -double(c) / pairs); !isClose(w[c], expected)) {
      llvm::raw_string_ostream(reason)
          << "the frequency of pair " << c << " is " << w[c] << ", but that of a series from 1 to "
          << w.back() << " is " << expected;
      return std::nullopt;
    }
  return base;
}

std::optional<Rotation> raise::rotationOf(ArrayRef<Channel> channels, std::string &reason) {
  auto rotates = [](const Channel &channel) { return channel.partner >= 0; };
  int64_t offset = llvm::find_if(channels, rotates) - channels.begin();
  ArrayRef<Channel> turned = channels.drop_front(offset);
  while (!turned.empty() && !rotates(turned.back()))
    turned = turned.drop_back();
  int64_t width = turned.size();

  // Pair c in either order of channels, by its first and second channel.
  std::optional<Pairing> pairing;
  for (Pairing candidate : {Pairing::half, Pairing::interleaved}) {
    int64_t distance = candidate == Pairing::half ? width / 2 : 1;
    if (width % 2 == 0 && turned.front().partner == offset + distance) {
      pairing = candidate;
      break;
    }
  }
  if (!pairing) {
    reason = "channel " + std::to_string(offset) + " is paired with channel " +
             std::to_string(turned.front().partner) + ", neither the next nor half the width away";
    return std::nullopt;
  }
  double amplitude = turned.front().cosine;
  SmallVector<double> frequencies;
  for (int64_t c = 0; c < width / 2; ++c) {
    int64_t first = *pairing == Pairing::half ? c : 2 * c;
    int64_t second = *pairing == Pairing::half ? c + width / 2 : 2 * c + 1;
    const Channel &a = turned[first], &b = turned[second];
    std::string pair = "channels " + std::to_string(offset + first) + " and " +
                       std::to_string(offset + second);
    if (a.partner != offset + second || b.partner != offset + first) {
      reason = pair + " are not a pair as the others are";
      return std::nullopt;
    }
    if (!isClose(a.frequency, b.frequency)) {
      reason = pair + " are a pair, but turn by different angles";
      return std::nullopt;
    }
    if (!(amplitude > 0.0) || !isClose(a.cosine, amplitude) || !isClose(b.cosine, amplitude) ||
        !isClose(a.sine, -amplitude) || !isClose(b.sine, amplitude)) {
      reason = pair + " are not turned from the first to the second";
      return std::nullopt;
    }
    frequencies.push_back(a.frequency);
  }
  std::optional<double> base = baseOf(frequencies, reason);
  if (!base)
    return std::nullopt;
  if (isClose(1.0, amplitude))
    amplitude = 1.0;
  return Rotation{*pairing, offset, width, *base, amplitude};
}
