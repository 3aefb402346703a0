//===- LayerNormKernel.cpp - layer normalisation on vectors ---------------===//

#include "Vectorize/RowKernels.h"

using namespace mlir;
using namespace posenc;

/// Sums of `body` over a row: vectors in four chains, then what remains.
static Value sumRow(RowEmitter &e, Value width, bool vectors,
                    function_ref<Value(Value, int64_t)> body) {
  Value zero = e.index(0), whole = zero, total = e.f32(0);
  if (vectors) {
    constexpr int64_t chains = 4;
    Value blocks = e.mul(e.divide(width, chains * e.lanes), e.index(chains * e.lanes));
    SmallVector<Value> sums(chains, e.splat(0));
    sums = e.loop(zero, blocks, chains * e.lanes, sums, [&](Value c, ValueRange sum) {
      SmallVector<Value> next;
      for (int64_t u = 0; u < chains; ++u)
        next.push_back(e.addf(sum[u], body(e.plus(c, u * e.lanes), e.lanes)));
      return next;
    });
    whole = e.mul(e.divide(width, e.lanes), e.index(e.lanes));
    Value last = e.loop(blocks, whole, e.lanes, ValueRange{sums[3]}, [&](Value c, ValueRange sum) {
      return SmallVector<Value>{e.addf(sum[0], body(c, e.lanes))};
    })[0];
    total = e.sum(e.addf(e.addf(sums[0], sums[1]), e.addf(sums[2], last)));
  }
  return e.loop(whole, width, 1, ValueRange{total}, [&](Value c, ValueRange sum) {
    return SmallVector<Value>{e.addf(sum[0], body(c, 0))};
  })[0];
}

void posenc::buildLayerNorm(RowEmitter &e, LayerNormOp op, ValueRange operands, ValueRange rows) {
  Value x = operands[0], gamma = operands[1], beta = operands[2], out = operands[3];
  bool vectors = llvm::all_of(operands, hasUnitStride);
  Value width = e.lastSize(x), inverse = e.div(e.f32(1), e.toFloat(width));
  e.loop(rows[0], rows[1], 1, [&](Value row) {
    SmallVector<Value> from = e.leading(x, row), to = e.leading(out, row);
    auto load = [&](Value c, int64_t n) {
      SmallVector<Value> at(from);
      at.push_back(c);
      return e.load(x, at, n);
    };
    Value mean = e.mul(sumRow(e, width, vectors, load), inverse);
    auto centred = [&](Value c, int64_t n) { return e.subf(load(c, n), e.broadcast(mean, n)); };
    Value variance = e.mul(sumRow(e, width, vectors, [&](Value c, int64_t n) {
      Value d = centred(c, n);
      return e.mulf(d, d);
    }), inverse);
    Value eps = e.f32(op.getEps().convertToDouble());
    Value scale = e.div(e.f32(1), math::SqrtOp::create(e, e.add(variance, eps)));
    e.channels(e.index(0), width, [&](Value c, int64_t n) {
      Value y = e.mulf(centred(c, n), e.broadcast(scale, n));
      y = e.addf(e.mulf(y, e.load(gamma, c, n)), e.load(beta, c, n));
      SmallVector<Value> at(to);
      at.push_back(c);
      e.store(y, out, at);
    }, vectors);
  });
}
