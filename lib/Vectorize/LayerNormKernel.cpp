//===- LayerNormKernel.cpp - layer normalisation on vectors ---------------===//

#include "Vectorize/Kernels.h"

using namespace mlir;
using namespace posenc;

/// Sums of `body` over a row: vectors in four chains, then what remains.
static Value sumRow(KernelBuilder &b, Value width, int64_t n,
                    function_ref<Value(Value, int64_t)> body) {
  Value zero = b.index(0), whole = zero, total = b.f32(0);
  if (n) {
    constexpr int64_t chains = 4;
    Value blocks = b.roundDown(width, chains * n);
    SmallVector<Value> sums(chains, b.splat(0, n));
    sums = b.loop(zero, blocks, chains * n, sums, [&](Value c, ValueRange sum) {
      SmallVector<Value> next;
      for (int64_t u = 0; u < chains; ++u)
        next.push_back(b.add(sum[u], body(b.add(c, u * n), n)));
      return next;
    });
    whole = b.roundDown(width, n);
    Value last = b.loop(blocks, whole, n, ValueRange{sums[3]}, [&](Value c, ValueRange sum) {
      return SmallVector<Value>{b.add(sum[0], body(c, n))};
    })[0];
    total = b.sum(b.add(b.add(sums[0], sums[1]), b.add(sums[2], last)));
  }
  return b.loop(whole, width, 1, ValueRange{total}, [&](Value c, ValueRange sum) {
    return SmallVector<Value>{b.add(sum[0], body(c, 0))};
  })[0];
}

void posenc::buildLayerNorm(KernelBuilder &b, LayerNormOp op, ValueRange operands,
                            ValueRange rows) {
  Value x = operands[0], gamma = operands[1], beta = operands[2], out = operands[3];
  int64_t lanes = llvm::all_of(operands, hasUnitStride) ? b.lanes : 0;
  Value width = b.lastSize(x), inverse = b.div(b.f32(1), b.toFloat(width));
  b.loop(rows[0], rows[1], 1, [&](Value row) {
    SmallVector<Value> from = b.leading(x, row), to = b.leading(out, row);
    auto load = [&](Value c, int64_t n) { return b.load(x, join(from, c), n); };
    Value mean = b.mul(sumRow(b, width, lanes, load), inverse);
    auto centred = [&](Value c, int64_t n) { return b.sub(load(c, n), b.broadcast(mean, n)); };
    Value variance = b.mul(sumRow(b, width, lanes, [&](Value c, int64_t n) {
      Value d = centred(c, n);
      return b.mul(d, d);
    }), inverse);
    Value eps = b.f32(op.getEps().convertToDouble());
    Value scale = b.div(b.f32(1), math::SqrtOp::create(b, b.add(variance, eps)));
    b.channels(b.index(0), width, lanes, [&](Value c, int64_t n) {
      Value y = b.mul(centred(c, n), b.broadcast(scale, n));
      y = b.add(b.mul(y, b.load(gamma, c, n)), b.load(beta, c, n));
      b.store(y, out, join(to, c));
    });
  });
}
