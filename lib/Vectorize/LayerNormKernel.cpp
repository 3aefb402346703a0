//===- LayerNormKernel.cpp - layer normalisation on vectors ---------------===//

#include "Vectorize/Kernels.h"

using namespace mlir;
using namespace posenc;

namespace {
struct Moments {
  Value shift, mean, variance; ///< the mean is that of x - shift
};
} // namespace

/// In one pass over a row: sums of x - shift and of its square. The shift is the
/// mean of the row's first vector, which bounds what the difference below loses
/// (docs/numerics.md).
static Moments computeMoments(KernelBuilder &b, Value width, int64_t n,
                              function_ref<Value(Value, int64_t)> load) {
  Value zero = b.index(0), whole = zero;
  Value shift = b.ifThen(b.less(zero, width), ValueRange{b.f32(0)},
                         [&] { return SmallVector<Value>{load(zero, 0)}; })[0];
  if (n)
    shift = b.ifThen(b.lessEqual(b.index(n), width), ValueRange{shift}, [&] {
      return SmallVector<Value>{b.mul(b.sum(load(zero, n)), b.f32(1.0 / n))};
    })[0];
  auto accumulate = [&](MutableArrayRef<Value> sums, Value c, int64_t n) {
    Value d = b.sub(load(c, n), b.broadcast(shift, n));
    sums[0] = b.add(sums[0], d);
    sums[1] = b.fma(d, d, sums[1]);
  };
  SmallVector<Value> totals(2, b.f32(0));
  if (n) {
    constexpr int64_t chains = 4;
    Value blocks = b.roundDown(width, chains * n);
    SmallVector<Value> sums(2 * chains, b.splat(0, n));
    sums = b.loop(zero, blocks, chains * n, sums, [&](Value c, ValueRange sum) {
      SmallVector<Value> next(sum);
      for (int64_t u = 0; u < chains; ++u)
        accumulate(MutableArrayRef(next).slice(2 * u, 2), b.add(c, u * n), n);
      return next;
    });
    whole = b.roundDown(width, n);
    auto last = b.loop(blocks, whole, n, ArrayRef(sums).take_back(2), [&](Value c, ValueRange sum) {
      SmallVector<Value> next(sum);
      accumulate(next, c, n);
      return next;
    });
    for (int64_t k : {0, 1})
      totals[k] = b.sum(b.add(b.add(sums[k], sums[2 + k]), b.add(sums[4 + k], last[k])));
  }
  totals = b.loop(whole, width, 1, totals, [&](Value c, ValueRange sum) {
    SmallVector<Value> next(sum);
    accumulate(next, c, 0);
    return next;
  });
  Value inverse = b.div(b.f32(1), b.toFloat(width));
  Value mean = b.mul(totals[0], inverse);
  Value variance = b.sub(b.mul(totals[1], inverse), b.mul(mean, mean));
  return {shift, mean, b.max(b.f32(0), variance)}; // in this order a NaN stays
}

void posenc::buildLayerNorm(KernelBuilder &b, LayerNormOp op, ValueRange operands,
                            ValueRange rows) {
  Value x = operands[0], gamma = operands[1], beta = operands[2], out = operands[3];
  int64_t lanes = llvm::all_of(operands, hasUnitStride) ? b.lanes : 0;
  Value width = b.lastSize(x);
  b.loop(rows[0], rows[1], 1, [&](Value row) {
    SmallVector<Value> from = b.leading(x, row), to = b.leading(out, row);
    auto load = [&](Value c, int64_t n) { return b.load(x, join(from, c), n); };
    Moments moments = computeMoments(b, width, lanes, load);
    Value eps = b.f32(op.getEps().convertToDouble());
    Value scale = b.div(b.f32(1), math::SqrtOp::create(b, b.add(moments.variance, eps)));
    Value bias = b.neg(b.mul(moments.mean, scale));
    b.channels(b.index(0), width, lanes, [&](Value c, int64_t n) {
      Value y = b.sub(load(c, n), b.broadcast(moments.shift, n));
      y = b.fma(y, b.broadcast(scale, n), b.broadcast(bias, n));
      b.store(b.fma(y, b.load(gamma, c, n), b.load(beta, c, n)), out, join(to, c));
    });
  });
}
