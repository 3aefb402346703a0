//===- SimtSoftmax.cpp - scores and online softmax of a lane --------------===//

#include "GPU/SimtSoftmax.h"
#include "Reference/Loops.h"
#include "Vectorize/Kernels.h"

#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace posenc;

static constexpr double kInfinity = std::numeric_limits<double>::infinity();
static constexpr double kLog2E = 1.4426950408889634;

Value posenc::simtScore(ThreadBuilder &t, AttentionOp op, Value product, ArrayRef<Value> where,
                        Value inside) {
  Value s = t.mul(product, t.f32(op.getScale().convertToDouble()));
  if (!op.getScoreMod().empty()) {
    SmallVector<Value> arguments{s};
    llvm::append_range(arguments, where);
    s = reference::inlineRegion(t, op.getScoreMod(), arguments)[0];
  }
  Value visible = inside;
  if (!op.getMask().empty())
    visible = t.logicalAnd(visible, reference::inlineRegion(t, op.getMask(), where)[0]);
  return t.select(visible, s, t.f32(-kInfinity));
}

SimtSoftmax SimtSoftmax::start(ThreadBuilder &t, size_t rows, size_t count, int64_t size) {
  SimtSoftmax state{Values(rows, t.f32(-kInfinity)), Values(rows, t.f32(0)), {}};
  state.outputs.assign(rows * count, size == 1 ? t.f32(0) : t.splat(0, size));
  return state;
}

SmallVector<Value> SimtSoftmax::flatten() const {
  Values flat(maxima);
  llvm::append_range(flat, sums);
  llvm::append_range(flat, outputs);
  return flat;
}

SimtSoftmax SimtSoftmax::unflatten(ValueRange flat, size_t rows) {
  return {Values(flat.take_front(rows)), Values(flat.slice(rows, rows)),
          Values(flat.drop_front(2 * rows))};
}

static Value exp2(ThreadBuilder &t, Value x, Value shift) {
  return math::Exp2Op::create(t, t.fma(x, t.f32(kLog2E), shift));
}

/// As long as nothing is visible, 0 is subtracted rather than -inf from -inf.
static Value shiftOf(ThreadBuilder &t, Value maximum) {
  Value finite = t.select(t.less(t.f32(hiddenScore / 2), maximum), maximum, t.f32(0));
  return t.mul(finite, t.f32(-kLog2E));
}

/// The largest score of a row becomes what is subtracted. All lanes do this at once.
void SimtSoftmax::raise(ThreadBuilder &t, ArrayRef<Value> scores) {
  size_t count = outputs.size() / maxima.size();
  for (size_t r = 0; r < scores.size(); ++r) {
    Value maximum = t.max(maxima[r], t.warpMax(scores[r]));
    Value decay = exp2(t, maxima[r], shiftOf(t, maximum));
    maxima[r] = maximum;
    sums[r] = t.mul(sums[r], decay);
    for (Value &output : MutableArrayRef(outputs).slice(r * count, count)) {
      auto vector = dyn_cast<VectorType>(output.getType());
      output = t.mul(output, vector ? t.broadcast(decay, vector.getDimSize(0)) : decay);
    }
  }
}

SmallVector<Value> SimtSoftmax::add(ThreadBuilder &t, ArrayRef<Value> scores) {
  constexpr double slack = 8 / kLog2E;
  Value isHigher;
  for (auto [maximum, score] : llvm::zip(maxima, scores)) {
    Value one = t.less(t.add(maximum, t.f32(slack)), score);
    isHigher = isHigher ? arith::OrIOp::create(t, isHigher, one).getResult() : one;
  }
  Values flat = t.ifThen(t.any(isHigher), flatten(), [&] {
    SimtSoftmax raised = *this;
    raised.raise(t, scores);
    return raised.flatten();
  });
  *this = unflatten(flat, scores.size());
  Values weights;
  for (size_t r = 0; r < scores.size(); ++r) {
    weights.push_back(exp2(t, scores[r], shiftOf(t, maxima[r])));
    sums[r] = t.add(sums[r], weights[r]);
  }
  return weights;
}
