//===- DecodeSoftmax.cpp - scores of a block to weights -------------------===//
//
// Lanes are keys: what the regions make of keys is computed once per block.
//
//===----------------------------------------------------------------------===//

#include "Vectorize/AttentionKernel.h"
#include "Vectorize/DecodeKernel.h"

using namespace mlir;
using namespace posenc;

/// Blocks within `inner` are seen whole by every row.
void DecodeKernel::softmax(Value first, Value end, Interval inner) {
  unsigned chunks = plan.keys / b.lanes;
  Value after = b.add(first, plan.keys);
  Value last = b.broadcast(coordinate(b.sub(end, 1), 3), b.lanes);
  // Lanes behind the last key repeat it, so that regions see valid keys only.
  Lanes keys = Lanes::counting(b, coordinate(first, 3), chunks, b.lanes);
  for (Value &chunk : keys.chunks)
    chunk = b.min(chunk, last);
  Value dense = b.lessEqual(after, end);
  auto prepare = [&](Region &region, unsigned leading, std::optional<RegionVectorizer> &pairs) {
    if (region.empty())
      return;
    pairs.emplace(b, region, outer, dense);
    pairs->bind(region.getArgument(leading), coordinate(args.batch, 0));
    pairs->bind(region.getArgument(leading + 3), keys);
    pairs->hoist();
  };
  std::optional<RegionVectorizer> score, mask;
  prepare(op.getScoreMod(), 1, score);
  prepare(op.getMask(), 0, mask);

  Value edge; // null: every block asks the mask
  if (isLiveExact(op, /*padding=*/false))
    edge = arith::OrIOp::create(b, b.less(first, inner.first),
                                b.less(b.min(inner.second, end), after));
  Lanes rows = Lanes::counting(b, first, chunks, b.lanes);
  Values present;
  for (Value chunk : rows.chunks)
    present.push_back(b.less(chunk, b.broadcast(end, b.lanes)));

  forHeads([&](Value head) {
    if (seen)
      for (unsigned c = 0; c < chunks; ++c)
        b.store(b.splat(0.0), seen, {head, b.index(c * b.lanes)});
    b.loop(b.index(0), b.index(plan.rows), 1, [&](Value row) {
      Value h = coordinate(queryHead(head, row), 1), i = coordinate(queryRow(row), 2);
      Values s;
      for (unsigned c = 0; c < chunks; ++c)
        s.push_back(b.load(weights, {head, row, b.index(c * b.lanes)}, b.lanes));
      if (score) {
        Region &region = op.getScoreMod();
        Lanes modified = score->evaluate({{region.getArgument(0), Lanes(ValueRange(s))},
                                          {region.getArgument(2), h},
                                          {region.getArgument(3), i}})[0];
        s = modified.asVectors(b, chunks, b.lanes);
        for (Value &v : s)
          v = b.mul(v, b.splat(log2e));
      }
      auto hide = [&](ValueRange scores) {
        Values visible = present, result;
        if (mask) {
          Region &region = op.getMask();
          Lanes pair = mask->evaluate({{region.getArgument(1), h}, {region.getArgument(2), i}})[0];
          for (auto [v, p] : llvm::zip(visible, pair.asVectors(b, chunks, b.lanes)))
            v = b.logicalAnd(v, p);
        }
        for (auto [c, v] : llvm::enumerate(visible)) {
          result.push_back(b.select(v, scores[c], b.splat(hiddenScore)));
          if (!seen)
            continue;
          Values at{head, b.index(c * b.lanes)};
          b.store(b.select(v, b.splat(1.0), b.load(seen, at, b.lanes)), seen, at);
        }
        return result;
      };
      weigh(head, row, edge ? b.ifThen(edge, s, [&] { return hide(s); }) : hide(s));
    });
  });
  failed |= (score && score->failed()) || (mask && mask->failed());
}

/// Weights in place of the scores of one row. They are powers of what scores are above
/// one of the largest so far: only when a score is above that by more than `slack`, it
/// becomes the largest, and what was summed is brought to it.
void DecodeKernel::weigh(Value head, Value row, Values scores) {
  Values level(scores);
  while (level.size() > 1) {
    level[level.size() - 2] = b.max(level[level.size() - 2], level.back());
    level.pop_back();
  }
  constexpr double slack = 8; // powers up to 2^8 are as exact as others
  // Broadcast from memory by the instructions that need it.
  auto loadMaximum = [&] { return b.broadcast(b.load(maxima, {head, row}, 0), b.lanes); };
  Value above = b.less(loadMaximum(), b.sub(level[0], b.splat(slack)));
  Value rises = vector::ReductionOp::create(b, vector::CombiningKind::OR, above);
  b.ifThen(rises, [&] {
    Value old = b.load(maxima, {head, row}, 0);
    Value now = b.largest(level[0]);
    b.store(now, maxima, {head, row});
    Value correction = b.exp2(b.broadcast(b.sub(old, now), b.lanes));
    auto rescale = [&](Value memref, Value d) {
      b.store(b.mul(b.load(memref, {head, row, d}, b.lanes), correction), memref, {head, row, d});
    };
    rescale(sums, b.index(0));
    b.loop(b.index(0), b.lastSize(result), b.lanes, [&](Value d) { rescale(result, d); });
  });
  Value maximum = loadMaximum();
  Value sum = b.load(sums, {head, row, b.index(0)}, b.lanes);
  for (auto [c, s] : llvm::enumerate(scores)) {
    Value isHidden = b.lessEqual(s, b.splat(hiddenScore / 2));
    Value weight = b.select(isHidden, b.splat(0.0), b.exp2(b.sub(s, maximum)));
    b.store(weight, weights, {head, row, b.index(c * b.lanes)});
    sum = b.add(sum, weight);
  }
  b.store(sum, sums, {head, row, b.index(0)});
}
