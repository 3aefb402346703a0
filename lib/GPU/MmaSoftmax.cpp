//===- MmaSoftmax.cpp - a block of keys, from scores to outputs -----------===//

#include "GPU/MmaAttention.h"
#include "posenc/Fragments.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace posenc;

std::vector<MmaAttention::Strip> MmaAttention::addBlock(Value key, Value stage,
                                                        std::vector<Strip> strips) {
  std::vector<Values> sums = scores(stage), weights;
  Value isWhole;
  if (whole.begin)
    isWhole = t->logicalAnd(t->lessEqual(whole.begin, t->toInt(key)),
                            t->lessEqual(t->toInt(t->add(key, plan.keys)), whole.end));
  for (auto [strip, sum, region] : llvm::zip(strips, sums, regions)) {
    auto modified = [&, &region = region, all = sum](bool isEdge) {
      return modify(region, all, key, isEdge);
    };
    if (!isWhole) {
      sum = modified(true);
    } else {
      auto branch = scf::IfOp::create(*t, ValueRange(sum).getTypes(), isWhole,
                                      /*addThenBlock=*/true, /*addElseBlock=*/true);
      for (bool isEdge : {false, true}) {
        OpBuilder::InsertionGuard guard(*t);
        t->setInsertionPointToStart(isEdge ? branch.elseBlock() : branch.thenBlock());
        scf::YieldOp::create(*t, modified(isEdge));
      }
      sum = Values(branch.getResults());
    }
    weights.push_back(weigh(strip, sum));
  }
  addValues(strips, weights, stage);
  return strips;
}

/// Q x K of each strip, in pieces of 16 keys.
std::vector<SmallVector<Value>> MmaAttention::scores(Value stage) {
  VectorType fragment = t->vectorType(kFragment, element());
  Value zero = t->index(0), warpTileRow = t->mul(t->warp, plan.warpRows());
  std::vector<Values> sums(plan.strips, Values(plan.keys / 16, t->splat(0, kFragment)));
  for (int64_t c = 0; c < plan.width; c += 16) {
    Values left;
    for (int64_t s = 0; s < plan.strips; ++s)
      left.push_back(pgpu::LoadOp::create(*t, fragment, queryTile, zero,
                                          t->add(warpTileRow, 16 * s), t->index(c),
                                          pgpu::Role::left, /*transposed=*/false));
    for (int64_t n = 0; n < plan.keys / 16; ++n) {
      Value right = pgpu::LoadOp::create(*t, fragment, keyTile, stage, t->index(16 * n),
                                         t->index(c), pgpu::Role::right, /*transposed=*/true);
      for (int64_t s = 0; s < plan.strips; ++s)
        sums[s][n] = pgpu::MmaOp::create(*t, left[s], right, sums[s][n]);
    }
  }
  return sums;
}

/// What the regions make of the scores. An edge repeats the last key behind the
/// end, asks the mask and hides what is not visible.
SmallVector<Value> MmaAttention::modify(Regions &region, Values sums, Value key, bool isEdge) {
  Values at, inside;
  for (int64_t n = 0; n < plan.keys / 16; ++n) {
    Value j = t->add(t->broadcast(t->toInt(t->add(key, 16 * n)), kFragment), columns);
    if (isEdge) {
      inside.push_back(t->less(j, t->broadcast(t->toInt(keys.end), kFragment)));
      j = t->min(j, t->broadcast(t->toInt(t->sub(keys.end, 1)), kFragment));
    }
    j = cast(j, t->getIndexType());
    at.push_back(op.getOffsets().empty()
                     ? j : t->add(j, t->broadcast(op.getOffsets()[3], kFragment)));
  }
  Region &score = op.getScoreMod();
  double scale = op.getScale().convertToDouble();
  if (factor == kLog2E && scale != 1)
    for (Value &sum : sums)
      sum = t->mul(sum, t->splat(scale, kFragment));
  if (region.score)
    sums = Values(region.score
                      ->evaluate({{score.getArgument(0), Lanes(ValueRange(sums))},
                                  {score.getArgument(4), Lanes(ValueRange(at))}})[0]
                      .asVectors(*t, sums.size(), kFragment));
  if (!isEdge)
    return sums;
  if (region.mask) {
    Lanes visible =
        region.mask->evaluate({{op.getMask().getArgument(3), Lanes(ValueRange(at))}})[0];
    for (auto [all, more] : llvm::zip(inside, visible.asVectors(*t, inside.size(), kFragment)))
      all = t->logicalAnd(all, more);
  }
  for (auto [sum, isVisible] : llvm::zip(sums, inside))
    sum = t->select(isVisible, sum, t->splat(-kInfinity, kFragment));
  return sums;
}

/// One step of the online softmax: the weights as left operands.
SmallVector<Value> MmaAttention::weigh(Strip &strip, ValueRange scores) {
  auto reduce = [&](pgpu::Combine how, ValueRange values) {
    Value all;
    for (Value v : values) {
      Value one = pgpu::RowReduceOp::create(*t, how, v);
      if (!all)
        all = one;
      else
        all = how == pgpu::Combine::add ? t->add(all, one)
                                        : LLVM::MaxNumOp::create(*t, all, one).getResult();
    }
    return all;
  };
  auto exp2 = [&](Value v) { return math::Exp2Op::create(*t, v).getResult(); };
  auto spread = [&](Value v) {
    return pgpu::SpreadOp::create(*t, t->vectorType(kFragment), v).getResult();
  };
  Value all = pgpu::QuadReduceOp::create(*t, pgpu::Combine::max,
                                         reduce(pgpu::Combine::max, scores));
  Value maximum = LLVM::MaxNumOp::create(*t, strip.maximum, all);
  // As long as nothing is visible, 0 is subtracted rather than -inf from -inf.
  Value finite = t->select(t->less(t->splat(-kInfinity, 2), maximum), maximum, t->splat(0, 2));
  Value shift = t->mul(finite, t->splat(-factor, 2));
  Value decay = exp2(t->fma(strip.maximum, t->splat(factor, 2), shift));
  Value wideShift = spread(shift), wideDecay = spread(decay);
  Value wideFactor = t->splat(factor, kFragment);
  Values weights, narrow;
  for (Value s : scores) {
    weights.push_back(exp2(t->fma(s, wideFactor, wideShift)));
    narrow.push_back(arith::TruncFOp::create(*t, t->vectorType(kFragment, element()),
                                             weights.back()));
  }
  strip.maximum = maximum;
  strip.sum = t->fma(strip.sum, decay, reduce(pgpu::Combine::add, weights));
  for (Value &output : strip.outputs)
    output = t->mul(output, wideDecay);
  return narrow;
}

/// P x V, 16 channels at a time.
void MmaAttention::addValues(MutableArrayRef<Strip> strips, ArrayRef<Values> weights, Value stage) {
  auto fragment = llvm::cast<VectorType>(weights[0][0].getType());
  for (int64_t n = 0; n < plan.keys / 16; ++n)
    for (int64_t c = 0; c < plan.valueWidth / 16; ++c) {
      Value right = pgpu::LoadOp::create(*t, fragment, valueTile, stage, t->index(16 * n),
                                         t->index(16 * c), pgpu::Role::right,
                                         /*transposed=*/false);
      for (auto [strip, weight] : llvm::zip(strips, weights))
        strip.outputs[c] = pgpu::MmaOp::create(*t, weight[n], right, strip.outputs[c]);
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
