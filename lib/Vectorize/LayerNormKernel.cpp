//===- LayerNormKernel.cpp - layer normalisation on vectors ---------------===//
//
// Several rows at a time: each waits for its sums, a root and a division.
//
//===----------------------------------------------------------------------===//

#include "Vectorize/Kernels.h"

using namespace mlir;
using namespace posenc;

namespace {

class LayerNormKernel {
  using Values = SmallVector<Value>;

public:
  LayerNormKernel(KernelBuilder &b, LayerNormOp op, ValueRange operands)
      : b(b), eps(op.getEps().convertToDouble()), x(operands[0]), gamma(operands[1]),
        beta(operands[2]), out(operands[3]), width(b.lastSize(x)),
        lanes(llvm::all_of(operands, hasUnitStride) ? b.lanes : 0) {}

  void build(ValueRange rows);

private:
  struct Row {
    Values from, to;
    Value shift, scale, bias;
  };

  void normalise(Value first, int64_t count);
  void findShifts(MutableArrayRef<Row> rows);
  void findScales(MutableArrayRef<Row> rows);
  Value load(const Row &row, Value c, int64_t n) { return b.load(x, join(row.from, c), n); }
  Values sumEach(ArrayRef<Value> vectors);

  KernelBuilder &b;
  double eps;
  Value x, gamma, beta, out, width;
  int64_t lanes;
};

} // namespace

/// The sum of each vector's lanes.
LayerNormKernel::Values LayerNormKernel::sumEach(ArrayRef<Value> vectors) {
  if (vectors.size() == 1)
    return {b.sum(vectors.front())};
  Value sums = b.sums(vectors);
  Values each;
  for (size_t i = 0; i < vectors.size(); ++i)
    each.push_back(vector::ExtractOp::create(b, sums, i));
  return each;
}

/// The mean of a row's first vector, which bounds what the difference below loses
/// (docs/numerics.md).
void LayerNormKernel::findShifts(MutableArrayRef<Row> rows) {
  Value zero = b.index(0);
  Values shifts = b.ifThen(b.less(zero, width), Values(rows.size(), b.f32(0)), [&] {
    return llvm::map_to_vector(rows, [&](Row &row) { return load(row, zero, 0); });
  });
  if (lanes)
    shifts = b.ifThen(b.lessEqual(b.index(lanes), width), shifts, [&] {
      Values first = llvm::map_to_vector(rows, [&](Row &row) { return load(row, zero, lanes); });
      return llvm::map_to_vector(sumEach(first),
                                 [&](Value sum) { return b.mul(sum, b.f32(1.0 / lanes)); });
    });
  for (auto [row, shift] : llvm::zip_equal(rows, shifts))
    row.shift = shift;
}

/// In one pass: sums of x - shift and of its square.
void LayerNormKernel::findScales(MutableArrayRef<Row> rows) {
  int64_t count = rows.size(), chains = std::max<int64_t>(4 / count, 1);
  auto accumulate = [&](const Row &row, MutableArrayRef<Value> sums, Value c, int64_t n) {
    Value d = b.sub(load(row, c, n), b.broadcast(row.shift, n));
    sums[0] = b.add(sums[0], d);
    sums[1] = b.fma(d, d, sums[1]);
  };
  // Adds the columns [from, to) by blocks of `block` vectors.
  auto pass = [&](Value from, Value to, int64_t n, int64_t block, ValueRange init) -> Values {
    return b.loop(from, to, block * std::max<int64_t>(n, 1), init, [&](Value c, ValueRange sum) {
      Values next(sum);
      for (int64_t u = 0; u < block; ++u)
        for (auto [r, row] : llvm::enumerate(rows))
          accumulate(row, MutableArrayRef(next).slice(2 * (u * count + r), 2), b.add(c, u * n), n);
      return next;
    });
  };
  Values totals(2 * count, b.f32(0));
  Value whole = b.index(0);
  if (lanes) {
    Value blocks = b.roundDown(width, chains * lanes);
    Values sums = pass(whole, blocks, lanes, chains, Values(2 * count * chains, b.splat(0, lanes)));
    for (; chains > 1; chains /= 2) {
      int64_t half = sums.size() / 2;
      for (int64_t i = 0; i < half; ++i)
        sums[i] = b.add(sums[i], sums[half + i]);
      sums.resize(half);
    }
    whole = b.roundDown(width, lanes);
    totals = sumEach(pass(blocks, whole, lanes, 1, sums));
  }
  totals = pass(whole, width, 0, 1, totals);
  Value inverse = b.div(b.f32(1), b.toFloat(width));
  for (auto [r, row] : llvm::enumerate(rows)) {
    Value mean = b.mul(totals[2 * r], inverse); // of x - shift
    Value variance = b.sub(b.mul(totals[2 * r + 1], inverse), b.mul(mean, mean));
    variance = b.max(b.f32(0), variance); // in this order a NaN stays
    row.scale = b.div(b.f32(1), math::SqrtOp::create(b, b.add(variance, b.f32(eps))));
    row.bias = b.neg(b.mul(mean, row.scale));
  }
}

void LayerNormKernel::normalise(Value first, int64_t count) {
  SmallVector<Row> rows(count);
  for (auto [r, row] : llvm::enumerate(rows)) {
    row.from = b.leading(x, b.add(first, r));
    row.to = b.leading(out, b.add(first, r));
  }
  findShifts(rows);
  findScales(rows);
  b.channels(b.index(0), width, lanes, [&](Value c, int64_t n) {
    Value gain = b.load(gamma, c, n), offset = b.load(beta, c, n);
    for (const Row &row : rows) {
      Value y = b.sub(load(row, c, n), b.broadcast(row.shift, n));
      y = b.fma(y, b.broadcast(row.scale, n), b.broadcast(row.bias, n));
      b.store(b.fma(y, gain, offset), out, join(row.to, c));
    }
  });
}

void LayerNormKernel::build(ValueRange rows) {
  constexpr int64_t together = 4;
  Value whole = b.roundDown(b.sub(rows[1], rows[0]), together), rest = b.add(rows[0], whole);
  b.loop(rows[0], rest, together, [&](Value row) { normalise(row, together); });
  b.loop(rest, rows[1], 1, [&](Value row) { normalise(row, 1); });
}

void posenc::buildLayerNorm(KernelBuilder &b, LayerNormOp op, ValueRange operands,
                            ValueRange rows) {
  LayerNormKernel(b, op, operands).build(rows);
}
