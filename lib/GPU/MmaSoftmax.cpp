//===- MmaSoftmax.cpp - a block of keys, from scores to outputs -----------===//

#include "GPU/MmaAttention.h"
#include "Vectorize/Kernels.h"
#include "posenc/Fragments.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace posenc;

std::vector<MmaAttention::Strip> MmaAttention::addBlock(Value key, Value stage, bool isEdge,
                                                        std::vector<Strip> strips) {
  std::vector<Values> sums = scores(stage);
  for (int64_t n = 0; n < plan.keys / 16; ++n)
    for (auto [own, region] : llvm::zip(sums, regions))
      own[n] = modify(region, own[n], t->add(key, t->i32(16 * n)), isEdge);
  strips = raise(std::move(strips), sums);
  addValues(strips, sums, stage);
  return strips;
}

/// Q x K of each strip, in pieces of 16 keys.
std::vector<SmallVector<Value>> MmaAttention::scores(Value stage) {
  VectorType fragment = t->vectorType(kFragment, element());
  Value zero = t->index(0), at = t->toIndex(stage);
  Value warpTileRow = t->mul(warp, plan.warpRows());
  std::vector<Values> sums(plan.strips, Values(plan.keys / 16, t->splat(0, kFragment)));
  for (int64_t c = 0; c < plan.width; c += 16) {
    Values left;
    for (int64_t s = 0; s < plan.strips; ++s)
      left.push_back(pgpu::LoadOp::create(*t, fragment, queryTile, zero,
                                          t->add(warpTileRow, 16 * s), t->index(c),
                                          pgpu::Role::left, /*transposed=*/false));
    for (int64_t n = 0; n < plan.keys / 16; ++n) {
      Value right = pgpu::LoadOp::create(*t, fragment, keyTile, at, t->index(16 * n),
                                         t->index(c), pgpu::Role::right, /*transposed=*/true);
      for (int64_t s = 0; s < plan.strips; ++s)
        sums[s][n] = pgpu::MmaOp::create(*t, left[s], right, sums[s][n]);
    }
  }
  return sums;
}

/// What the regions make of the scores of 16 keys. An edge repeats the last key
/// behind the end, asks the mask and hides what is not visible.
Value MmaAttention::modify(Regions &region, Value sum, Value key, bool isEdge) {
  Value j = t->add(t->broadcast(key, kFragment), columns), visible;
  if (isEdge) {
    visible = t->less(j, t->broadcast(keys.end, kFragment));
    j = t->min(j, t->broadcast(t->sub(keys.end, t->i32(1)), kFragment));
  }
  j = cast(j, t->getIndexType());
  if (!op.getOffsets().empty())
    j = t->add(j, t->broadcast(op.getOffsets()[3], kFragment));
  double scale = op.getScale().convertToDouble();
  if (factor == kLog2E && scale != 1)
    sum = t->mul(sum, t->splat(scale, kFragment));
  auto first = [&](ArrayRef<Lanes> results) {
    return results[0].asVectors(*t, 1, kFragment)[0];
  };
  Region &score = op.getScoreMod();
  if (region.score)
    sum = first(region.score->evaluate({{score.getArgument(0), sum}, {score.getArgument(4), j}}));
  if (!isEdge)
    return sum;
  if (region.mask)
    visible = t->logicalAnd(
        visible, first(region.mask->evaluate({{op.getMask().getArgument(3), j}})));
  return t->select(visible, sum, t->splat(-kInfinity, kFragment));
}

/// The largest of all elements of each row.
static Value largest(ThreadBuilder &t, ValueRange fragments) {
  Value all;
  for (Value fragment : fragments) {
    Value one = pgpu::RowReduceOp::create(t, pgpu::Combine::max, fragment);
    all = all ? LLVM::MaxNumOp::create(t, all, one).getResult() : one;
  }
  return pgpu::QuadReduceOp::create(t, pgpu::Combine::max, all);
}

/// As long as nothing is visible, 0 is subtracted: -inf less -inf is a NaN, and what is
/// near the lowest number, once it is scaled, is -inf.
Value MmaAttention::shift(Value maximum) {
  Value isFinite = t->less(t->splat(hiddenScore / 2, 2), maximum);
  return t->mul(t->select(isFinite, maximum, t->splat(0, 2)), t->splat(-factor, 2));
}

/// The first half of a step of the online softmax: when a score exceeds what is
/// subtracted from those of its row, that becomes the largest score, and what was
/// summed is scaled. Weights may be as large as 2^8 before that is done: after the
/// first blocks of keys it hardly ever is.
std::vector<MmaAttention::Strip> MmaAttention::raise(std::vector<Strip> strips,
                                                     ArrayRef<Values> scores) {
  constexpr double slack = 8;
  Values maxima;
  Value isHigher;
  for (auto [strip, own] : llvm::zip(strips, scores)) {
    maxima.push_back(LLVM::MaxNumOp::create(*t, strip.maximum, largest(*t, own)));
    Value higher = t->less(t->splat(slack / factor, 2), t->sub(maxima.back(), strip.maximum));
    for (int64_t r = 0; r < 2; ++r) {
      Value one = t->element(higher, r);
      isHigher = isHigher ? arith::OrIOp::create(*t, isHigher, one).getResult() : one;
    }
  }
  return unflatten(t->ifThen(t->any(isHigher), flatten(strips), [&] {
    for (auto [strip, maximum] : llvm::zip(strips, maxima)) {
      Value decay = math::Exp2Op::create(
          *t, t->fma(strip.maximum, t->splat(factor, 2), shift(maximum)));
      Value wide = pgpu::SpreadOp::create(*t, t->vectorType(kFragment), decay);
      for (Value &output : strip.outputs)
        output = t->mul(output, wide);
      strip.sum = t->mul(strip.sum, decay);
      strip.maximum = maximum;
    }
    return flatten(strips);
  }));
}

/// The second half, 16 keys at a time: weights, and their product with values. Those
/// of the next keys do not wait for the product of these.
void MmaAttention::addValues(MutableArrayRef<Strip> strips, ArrayRef<Values> scores, Value stage) {
  VectorType narrow = t->vectorType(kFragment, element());
  Value wideFactor = t->splat(factor, kFragment);
  Values shifts;
  for (Strip &strip : strips)
    shifts.push_back(
        pgpu::SpreadOp::create(*t, t->vectorType(kFragment), shift(strip.maximum)));
  for (int64_t n = 0; n < plan.keys / 16; ++n) {
    Values weights;
    for (auto [strip, own, shift] : llvm::zip(strips, scores, shifts)) {
      Value weight = math::Exp2Op::create(*t, t->fma(own[n], wideFactor, shift));
      strip.sum = t->add(strip.sum,
                         pgpu::RowReduceOp::create(*t, pgpu::Combine::add, weight));
      weights.push_back(arith::TruncFOp::create(*t, narrow, weight));
    }
    for (int64_t c = 0; c < plan.valueWidth / 16; ++c) {
      Value right = pgpu::LoadOp::create(*t, narrow, valueTile, t->toIndex(stage),
                                         t->index(16 * n), t->index(16 * c), pgpu::Role::right,
                                         /*transposed=*/false);
      for (auto [strip, weight] : llvm::zip(strips, weights))
        strip.outputs[c] = pgpu::MmaOp::create(*t, weight, right, strip.outputs[c]);
    }
  }
}

/// Divides by the sums of weights and writes the rows that exist.
void MmaAttention::store(const Strip &strip, int64_t number) {
  Value out = op.getOuts()[0], first = firstRowOf(number);
  Value sum = pgpu::QuadReduceOp::create(*t, pgpu::Combine::add, strip.sum);
  Value isEmpty = t->lessEqual(sum, t->splat(0, 2));
  Value inverse = t->select(isEmpty, t->splat(0, 2), t->div(t->splat(1, 2), sum));
  Value wide = pgpu::SpreadOp::create(*t, t->vectorType(kFragment), inverse);
  Type stored = llvm::cast<MemRefType>(out.getType()).getElementType();
  Value rows = matrix(out, head);
  for (auto [c, output] : llvm::enumerate(strip.outputs)) {
    Value v = t->mul(output, wide);
    if (!stored.isF32())
      v = arith::TruncFOp::create(*t, t->vectorType(kFragment, stored), v);
    pgpu::StoreOp::create(*t, v, rows, first, queryCount, t->index(16 * c));
  }
  if (op.getOuts().size() < 2)
    return;
  Value lse = t->add(t->mul(strip.maximum, t->splat(factor / kLog2E, 2)),
                     math::LogOp::create(*t, sum));
  lse = t->select(isEmpty, t->splat(-kInfinity, 2), lse);
  // The first of the four threads that share two rows.
  Value quad = t->divide(t->lane, 4);
  Value isFirst = t->less(t->sub(t->lane, t->mul(quad, 4)), t->index(1));
  for (int64_t r = 0; r < 2; ++r) {
    Value at = t->add(t->add(first, quad), 8 * r);
    t->ifThen(t->logicalAnd(isFirst, t->less(at, queryCount)),
              [&] { t->store(t->element(lse, r), op.getOuts()[1], {batch, head, at}); });
  }
}
