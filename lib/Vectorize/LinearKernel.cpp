//===- LinearKernel.cpp - linear layers in register tiles -----------------===//
//
// One vector per native register: a tile of rows times one panel is kept in the
// iteration arguments of the loop over the inputs. Panels are the outer loop, so
// that the weight is read as one stream.
//
//===----------------------------------------------------------------------===//

#include "Vectorize/LinearEpilogue.h"
#include "Vectorize/SevenProducts.h"

using namespace mlir;
using namespace posenc;

namespace {

class LinearKernel {
  using Values = SmallVector<Value>;

public:
  LinearKernel(KernelBuilder &b, LinearOp op, const LinearPlan &plan, ValueRange operands,
               const IRMapping &outer)
      : b(b), plan(plan), x(operands[0]), w(operands[1]), w1(flat(b, w)),
        epilogue(b, op, plan, operands.slice(2, op.getExtras().size()), operands.back(), outer) {
    if (plan.half)
      seven.emplace(b, plan, operands, epilogue);
  }

  LogicalResult build(ValueRange rows, ValueRange panels);

private:
  /// Of the next panel: what a tile asks for first, and how much a step.
  struct Share {
    Value ahead, pace;
  };
  void copyRows(ValueRange rows);
  void panel(ValueRange rows, Value first, Value panel, int64_t outputs);
  Values products(const LinearTile &tile, Value local, Share share, Values init);
  void addStep(int64_t height, ArrayRef<Values> from, Value k, Value at,
               MutableArrayRef<Value> sums);

  KernelBuilder &b;
  const LinearPlan &plan;
  Value x, w, w1, scratch;
  LinearEpilogue epilogue;
  std::optional<SevenProducts> seven;
};

} // namespace

void LinearKernel::copyRows(ValueRange rows) {
  scratch = b.scratch({plan.rows, plan.pitch}, plan.pairs ? b.getBF16Type() : Type());
  b.loop(rows[0], rows[1], 1, [&](Value row) {
    b.copy(x, b.leading(x, row), scratch, b.sub(row, rows[0]), b.index(0), b.index(plan.inputs));
  });
}

LogicalResult LinearKernel::build(ValueRange rows, ValueRange panels) {
  if (plan.copyRows)
    copyRows(rows);
  // Where there are seven products, rows and panels that they leave.
  auto first = [&](Value p) { return seven ? seven->firstLeft(p) : rows[0]; };
  if (seven)
    seven->build(scratch ? scratch : x, scratch ? b.index(0) : rows[0], rows, panels);
  int64_t whole = plan.outputs / plan.panel, outputs = plan.outputs % plan.panel;
  b.loop(panels[0], b.min(panels[1], whole), 1,
         [&](Value p) { panel(rows, first(p), p, plan.panel); });
  if (outputs)
    b.ifThen(b.less(b.index(whole), panels[1]),
             [&] { panel(rows, rows[0], b.index(whole), outputs); });
  return failure(epilogue.failed());
}

/// Rows from `first` on: whole tiles, then smaller ones, of powers of two, since every
/// height is code.
void LinearKernel::panel(ValueRange rows, Value first, Value panel, int64_t outputs) {
  auto at = [&](Value row, int64_t height, Share share = {}) {
    LinearTile tile{height, outputs, row, panel};
    epilogue.write(tile, products(tile, b.sub(row, rows[0]), share, epilogue.start(tile)));
  };
  // Memory has the time of all tiles but the first, which may wait for this panel, to give
  // the next one: each asks for as much. The first has its own end to ask for.
  int64_t size = plan.inputs * plan.panel, steps = plan.pairs ? plan.inputs / 2 : plan.inputs;
  Value tiles = b.divide(b.sub(rows[1], first), plan.height);
  Value row = b.add(first, b.mul(tiles, plan.height)), next = b.mul(b.add(panel, 1), size);
  Value share = b.ceilDivide(b.index(size), b.max(b.sub(tiles, 1), 1)), pace = b.ceilDivide(share, steps);
  b.loop(b.index(0), tiles, 1, [&](Value i) {
    Value ahead = b.add(next, b.mul(b.sub(i, 1), share));
    at(b.add(first, b.mul(i, plan.height)), plan.height, {ahead, pace});
  });
  for (int64_t height = llvm::bit_floor<uint64_t>(plan.height - 1); height > 0; height /= 2) {
    Value next = b.add(row, height), fits = b.lessEqual(next, rows[1]);
    b.ifThen(fits, [&] { at(row, height); });
    row = b.select(fits, next, row);
  }
}

/// Adds the products with input `k`, or with pair `k` of inputs, whose weights are
/// at `at`.
void LinearKernel::addStep(int64_t height, ArrayRef<Values> from, Value k, Value at,
                           MutableArrayRef<Value> sums) {
  int64_t width = sums.size() / height;
  Values weights;
  if (!plan.pairs) {
    for (int64_t v = 0; v < width; ++v)
      weights.push_back(b.load(w1, {b.add(at, v * b.lanes)}, b.lanes));
    b.addProducts([&](int64_t r) { return b.load(scratch ? scratch : x, join(from[r], k), 0); },
                  weights, sums);
    return;
  }
  for (int64_t v = 0; v < width; ++v)
    weights.push_back(b.loadPairs(w1, {}, b.add(at, v * b.lanes), b.lanes));
  for (int64_t r = 0; r < height; ++r) {
    Value pair = b.broadcast(b.loadPairs(scratch ? scratch : x, from[r], k, 0), b.lanes);
    for (int64_t v = 0; v < width; ++v)
      sums[r * width + v] = b.addPairs(sums[r * width + v], weights[v], pair);
  }
}

/// The sums over the inputs, row by row. In the scratch, the tile is at row `local`.
LinearKernel::Values LinearKernel::products(const LinearTile &tile, Value local, Share share,
                                            Values acc) {
  // Cache lines, far enough ahead for memory and few enough for the first cache; one or
  // two rows leave the stream to the hardware.
  constexpr int64_t ahead = 256;
  bool prefetch = tile.height > 2;
  int64_t line = 512 / cast<MemRefType>(w1.getType()).getElementTypeBitWidth();
  int64_t inputs = plan.pairs ? 2 : 1, steps = plan.inputs / inputs; // of a step, and all
  int64_t sums = acc.size(), copies = 1;
  // Chains of additions that hide their latency.
  while (sums * copies < (plan.pairs ? 16 : 8))
    copies *= 2;
  int64_t unroll = std::max<int64_t>(copies, sums < 24 ? 4 : 2);
  acc.resize(sums * copies, b.splat(0));
  SmallVector<Values> from(tile.height);
  for (int64_t r = 0; r < tile.height; ++r)
    from[r] = scratch ? Values{b.add(local, r)} : b.leading(x, b.add(tile.row, r));
  Value start = b.mul(tile.panel, steps * plan.panel);

  // The rows of the next tile, which follow in memory, as one stream.
  auto layout = cast<MemRefType>(x.getType());
  bool follows = prefetch && !scratch && layout.getRank() == 2 && layout.getLayout().isIdentity();
  int64_t lineOfX = 512 / layout.getElementTypeBitWidth(), rowsOfX = tile.height * inputs;
  Value nextRow = b.add(tile.row, tile.height);

  auto step = [&](Value k, int64_t unroll, ValueRange current) {
    Values next(current);
    if (share.ahead && prefetch)
      b.prefetch(w1, {b.add(share.ahead, b.mul(k, share.pace))});
    for (int64_t e = 0; follows && e < rowsOfX * unroll; e += lineOfX)
      b.prefetch(x, {nextRow, b.add(b.mul(k, rowsOfX), e)});
    for (int64_t u = 0; u < unroll; ++u) {
      Value ku = b.add(k, u), at = b.add(start, b.mul(ku, plan.panel));
      if (prefetch)
        for (int64_t next = 0; next < inputs * plan.panel; next += line)
          b.prefetch(w1, {b.add(b.mul(at, inputs), ahead * line + next)}, false, /*level=*/1);
      addStep(tile.height, from, ku, at, MutableArrayRef(next).slice(u % copies * sums, sums));
    }
    return next;
  };
  int64_t rest = steps % unroll, whole = steps - rest;
  if (whole)
    acc = b.loop(b.index(0), b.index(whole), unroll, acc,
                 [&](Value k, ValueRange current) { return step(k, unroll, current); });
  if (rest)
    acc = step(b.index(whole), rest, acc);
  for (; copies > 1; copies /= 2) {
    int64_t half = acc.size() / 2;
    for (int64_t i = 0; i < half; ++i)
      acc[i] = b.add(acc[i], acc[i + half]);
    acc.resize(half);
  }
  return acc;
}

LogicalResult posenc::buildLinear(KernelBuilder &b, LinearOp op, const LinearPlan &plan,
                                  ValueRange operands, const IRMapping &outer, ValueRange rows,
                                  ValueRange panels) {
  return LinearKernel(b, op, plan, operands, outer).build(rows, panels);
}
