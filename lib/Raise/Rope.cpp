//===- Rope.cpp - recognises rotated pairs of channels --------------------===//
//
// However slices, negations and concatenations are arranged: each channel of the
// result is read as an expression of its own.
//
//===----------------------------------------------------------------------===//

#include "Raise/Encodings.h"
#include "Raise/Rotation.h"

#include <cmath>

using namespace mlir;
using namespace posenc;
using namespace posenc::raise;

namespace {
class Matcher {
public:
  Matcher(Operation *root) : reader(root->getContext()), root(root) {}

  /// Whether the first or the last channel is a product with a cosine or sine.
  bool isRotation();
  Operation *getAnchor() { return anchor; }
  LogicalResult match(std::string &reason);
  Value build(OpBuilder &b);
  Value getInput() { return x; }

private:
  /// Tensors that have the result's shape, and a channel of them.
  using Sources = SmallVector<std::pair<Value, int64_t>, 4>;
  Term channelAt(int64_t c);
  Sources sourcesOf(const Term &t);
  LogicalResult matchAngle(const Summand &summand, double &frequency, std::string &reason);
  LogicalResult matchChannel(int64_t c, std::string &reason);
  LogicalResult matchInput(std::string &reason);
  LogicalResult matchPosition(std::string &reason);

  Reader reader;
  Operation *root, *anchor = nullptr;
  Term y;
  int64_t width = 0;
  SmallVector<Channel> channels;
  /// What each channel, and its partner, come from.
  SmallVector<std::pair<Sources, int64_t *>> sources;
  std::optional<Term> position;
  Rotation rotation{};
  Value x, coordinates;
  AffineExpr start; // of coordinates that are rows; null = none
  Layout layout = Layout::bhsd;
};
} // namespace

Term Matcher::channelAt(int64_t c) {
  Term t = y;
  t.at.back() = reader.number(c);
  return t;
}

bool Matcher::isRotation() {
  Value result = root->getResult(0);
  auto type = cast<RankedTensorType>(result.getType());
  if (type.getRank() != 4 || type.isDynamicDim(3) || type.getDimSize(3) == 0 ||
      !type.getElementType().isF32())
    return false;
  y = reader.element(result);
  width = type.getDimSize(3);
  for (int64_t c : {int64_t(0), width - 1}) {
    SmallVector<Summand> summands;
    if (failed(addSummands(reader, channelAt(c), 1.0, summands)))
      return false;
    for (const Summand &summand : summands)
      if (summand.function && summand.x) {
        anchor = reader.resolve(channelAt(c)).value.getDefiningOp();
        return anchor;
      }
  }
  return false;
}

Matcher::Sources Matcher::sourcesOf(const Term &t) {
  Sources found;
  for (std::optional<Term> next = t; next; next = reader.step(*next)) {
    auto type = dyn_cast<RankedTensorType>(next->value.getType());
    if (!type || type.getRank() != 4 || type.getDimSize(3) != width ||
        ArrayRef(next->at).drop_back() != ArrayRef(y.at).drop_back())
      continue;
    if (auto c = dyn_cast<AffineConstantExpr>(next->at.back()))
      found.push_back({next->value, c.getValue()});
  }
  return found;
}

/// An angle is a position times a frequency.
LogicalResult Matcher::matchAngle(const Summand &summand, double &frequency, std::string &reason) {
  Factors factors = reader.factors(*summand.angle);
  if (factors.above.size() != 1 || !factors.below.empty()) {
    reason = "its angles are not products of a position and a constant frequency";
    return failure();
  }
  frequency = factors.constant;
  if (!position)
    position = factors.above[0];
  if (reader.same(*position, factors.above[0]))
    return success();
  reason = "its channels are turned by different positions";
  return failure();
}

LogicalResult Matcher::matchChannel(int64_t c, std::string &reason) {
  SmallVector<Summand> summands;
  std::string name = "channel " + std::to_string(c);
  if (failed(addSummands(reader, channelAt(c), 1.0, summands)) ||
      llvm::any_of(summands, [](const Summand &summand) { return !summand.x; })) {
    reason = name + " is no sum of products";
    return failure();
  }
  Channel &channel = channels[c];
  if (summands.size() == 1 && !summands[0].function && summands[0].coefficient == 1.0) {
    sources.push_back({sourcesOf(*summands[0].x), nullptr});
    return success();
  }
  if (summands.size() == 2 && isa_and_present<math::SinOp>(summands[0].function))
    std::swap(summands[0], summands[1]);
  if (summands.size() != 2 || !isa_and_present<math::CosOp>(summands[0].function) ||
      !isa_and_present<math::SinOp>(summands[1].function)) {
    reason = name + " is neither a copy nor a sum of a product with a cosine and one with a sine";
    return failure();
  }
  channel.cosine = summands[0].coefficient;
  channel.sine = summands[1].coefficient;
  double other;
  if (failed(matchAngle(summands[0], channel.frequency, reason)) ||
      failed(matchAngle(summands[1], other, reason)))
    return failure();
  if (std::abs(channel.frequency - other) > 1.0e-6 * std::abs(other)) {
    reason = "the cosine and the sine of " + name + " are those of different angles";
    return failure();
  }
  sources.push_back({sourcesOf(*summands[0].x), nullptr});
  sources.push_back({sourcesOf(*summands[1].x), &channel.partner});
  return success();
}

/// All channels come from one tensor, each but the partners from its own.
LogicalResult Matcher::matchInput(std::string &reason) {
  for (auto [candidate, first] : sources.front().first) {
    bool suits = true;
    int64_t own = 0;
    for (auto &[all, partner] : sources) {
      auto found = llvm::find_if(all, [x = candidate](auto source) { return source.first == x; });
      if (found == all.end()) {
        suits = false;
        break;
      }
      if (partner)
        *partner = found->second;
      else if (found->second != own++) {
        reason = "channel " + std::to_string(own - 1) + " comes from channel " +
                 std::to_string(found->second);
        return failure();
      }
    }
    x = suits ? candidate : Value();
    if (x)
      return success();
  }
  reason = "its channels do not come from one tensor of the result's shape";
  return failure();
}

LogicalResult Matcher::matchPosition(std::string &reason) {
  Term t = *position;
  if (auto number = reader.match<arith::SIToFPOp, arith::UIToFPOp>(t))
    t = (*number)[0];
  for (Layout candidate : {Layout::bhsd, Layout::bshd}) {
    AffineExpr row = y.at[candidate == Layout::bhsd ? 2 : 1];
    layout = candidate;
    if (AffineExpr e = reader.affine(t)) {
      start = reader.simplify(e - row);
      if (start.isSymbolicOrConstant())
        return success();
      continue;
    }
    SmallVector<SmallVector<AffineExpr>> forms = {{row}, {y.at[0], row}, {reader.number(0), row}};
    for (ArrayRef<AffineExpr> at : forms)
      if ((coordinates = tensorAt(reader, t, at))) {
        Type type = getElementTypeOrSelf(coordinates);
        if (type.isF32() || type.isInteger(32) || type.isInteger(64))
          return success();
      }
  }
  reason = "its positions are neither rows nor a tensor of [row] or [batch, row]";
  return failure();
}

LogicalResult Matcher::match(std::string &reason) {
  channels.resize(width);
  for (int64_t c = 0; c < width; ++c)
    if (failed(matchChannel(c, reason)))
      return failure();
  if (failed(matchInput(reason)))
    return failure();
  std::optional<Rotation> found = rotationOf(channels, reason);
  if (!found || failed(matchPosition(reason)))
    return failure();
  rotation = *found;
  return success();
}

Value Matcher::build(OpBuilder &b) {
  Location loc = root->getLoc();
  if (start && start != reader.number(0))
    coordinates = buildPositions(b, loc, x, layout == Layout::bhsd ? 2 : 1,
                                 buildIndex(b, loc, reader, start));
  // One row of positions serves all samples.
  if (auto type = coordinates ? cast<RankedTensorType>(coordinates.getType()) : RankedTensorType();
      type && type.getRank() == 2 && type.getDimSize(0) == 1)
    coordinates = tensor::CollapseShapeOp::create(b, loc, coordinates,
                                                  ArrayRef<ReassociationIndices>{{0, 1}});
  IntegerAttr count;
  if (rotation.offset + rotation.width != width)
    count = b.getI64IntegerAttr(rotation.width);
  Value turned = RopeOp::create(b, loc, x.getType(), x,
                                coordinates ? ValueRange(coordinates) : ValueRange(),
                                rotation.pairing, APFloat(rotation.base), rotation.offset, count,
                                APFloat(rotation.amplitude), layout);
  return typed(b, loc, turned, root->getResult(0).getType());
}

bool raise::raiseRotation(RewriterBase &rewriter, Operation *root, Missed &missed) {
  Matcher matcher(root);
  if (!matcher.isRotation())
    return false;
  std::string reason;
  if (failed(matcher.match(reason))) {
    missed.add(matcher.getAnchor(), reason);
    return false;
  }
  SmallVector<Operation *> ops = between(matcher.getInput(), root);
  return replaceIdiom(rewriter, root, ops, missed, matcher.getAnchor(),
                      [&] { return matcher.build(rewriter); });
}
