//===- LinearKernel.cpp - linear layers in register tiles -----------------===//
//
// One vector per native register: a tile of rows times one panel is kept in the
// iteration arguments of the loop over the inputs. Panels are the outer loop, so
// that the weight is read as one stream.
//
//===----------------------------------------------------------------------===//

#include "Vectorize/Kernels.h"

using namespace mlir;
using namespace posenc;

namespace {

class LinearKernel {
  using Values = SmallVector<Value>;

public:
  LinearKernel(KernelBuilder &b, LinearOp op, ValueRange operands, const IRMapping &outer)
      : b(b), op(op), plan(op, operands, b.lanes, b.bf16Pairs), x(operands[0]), w(operands[1]),
        extras(operands.slice(2, operands.size() - 3)), out(operands.back()),
        w1(flatten(w)) {
    if (!op.getEpilogue().empty()) {
      epilogue.emplace(b, op.getEpilogue(), outer);
      epilogue->hoist();
    }
    findBias();
  }

  LogicalResult build(ValueRange rows, ValueRange panels);

private:
  /// A register tile: `height` rows from `row` on, by the first `outputs` of a
  /// panel.
  struct Tile {
    int64_t height, outputs;
    Value row, local, panel; ///< `local` is the row in the scratch
    Value ahead, pace;       ///< of the next panel, what to ask for first, and how much a step
    int64_t vectors(int64_t lanes) const { return llvm::divideCeil(outputs, lanes); }
  };

  Value flatten(Value weight) {
    SmallVector<ReassociationIndices> all(1);
    for (int64_t d = 0; d < cast<MemRefType>(weight.getType()).getRank(); ++d)
      all[0].push_back(d);
    return memref::CollapseShapeOp::create(b, weight, ArrayRef(all));
  }
  /// True for an extra of shape [outputs], the same for all rows.
  bool isShared(unsigned extra) { return cast<MemRefType>(extras[extra].getType()).getRank() == 1; }
  void findBias();
  void copyRows(ValueRange rows);
  void panel(ValueRange rows, Value panel, int64_t outputs);
  void tile(const Tile &tile);
  Values products(const Tile &tile, Values init);
  void addStep(const Tile &tile, ArrayRef<Values> from, Value k, Value at,
               MutableArrayRef<Value> sums);
  Value finish(Value acc, ArrayRef<Value> values);

  KernelBuilder &b;
  LinearOp op;
  LinearPlan plan;
  Value x, w;
  ValueRange extras;
  Value out, w1, scratch;
  std::optional<RegionVectorizer> epilogue;
  int bias = -1;   ///< the extra that accumulators start with
  Value biasSum;   ///< its addition in the epilogue
};

} // namespace

/// A bias costs nothing as the accumulators' start.
void LinearKernel::findBias() {
  if (!epilogue) {
    for (unsigned i = 0; i < extras.size() && bias < 0; ++i)
      if (isShared(i))
        bias = i;
    return;
  }
  BlockArgument acc = op.getEpilogue().getArgument(0);
  auto add = acc.hasOneUse() ? dyn_cast<arith::AddFOp>(*acc.user_begin()) : nullptr;
  if (!add || add->getBlock() != acc.getOwner())
    return;
  auto other = dyn_cast<BlockArgument>(add.getLhs() == acc ? add.getRhs() : add.getLhs());
  if (!other || other.getOwner() != acc.getOwner() || other == acc ||
      !isShared(other.getArgNumber() - 1))
    return;
  bias = other.getArgNumber() - 1;
  biasSum = add.getResult();
}

void LinearKernel::copyRows(ValueRange rows) {
  scratch = b.scratch({plan.rows, plan.pitch}, plan.pairs ? b.getBF16Type() : Type());
  b.loop(rows[0], rows[1], 1, [&](Value row) {
    b.copy(x, b.leading(x, row), scratch, b.sub(row, rows[0]), b.index(0), b.index(plan.inputs));
  });
}

LogicalResult LinearKernel::build(ValueRange rows, ValueRange panels) {
  if (plan.copyRows)
    copyRows(rows);
  int64_t whole = plan.outputs / plan.panel, outputs = plan.outputs % plan.panel;
  b.loop(panels[0], b.min(panels[1], whole), 1,
         [&](Value p) { panel(rows, p, plan.panel); });
  if (outputs)
    b.ifThen(b.less(b.index(whole), panels[1]), [&] { panel(rows, b.index(whole), outputs); });
  return failure(epilogue && epilogue->failed());
}

/// Whole tiles, then smaller ones: of powers of two, since every height is code.
void LinearKernel::panel(ValueRange rows, Value panel, int64_t outputs) {
  auto at = [&](Value row, int64_t height) {
    tile({height, outputs, row, b.sub(row, rows[0]), panel});
  };
  // Memory has the time of all tiles but the first, which may wait for this panel, to give
  // the next one: each asks for as much. The first has its own end to ask for.
  int64_t size = plan.inputs * plan.panel, steps = plan.pairs ? plan.inputs / 2 : plan.inputs;
  Value tiles = b.divide(b.sub(rows[1], rows[0]), plan.height);
  Value row = b.add(rows[0], b.mul(tiles, plan.height)), next = b.mul(b.add(panel, 1), size);
  Value share = b.ceilDivide(b.index(size), b.max(b.sub(tiles, 1), 1)), pace = b.ceilDivide(share, steps);
  b.loop(b.index(0), tiles, 1, [&](Value i) {
    Value local = b.mul(i, plan.height);
    Value ahead = b.add(next, b.mul(b.sub(i, 1), share));
    tile({plan.height, outputs, b.add(rows[0], local), local, panel, ahead, pace});
  });
  for (int64_t height = llvm::bit_floor<uint64_t>(plan.height - 1); height > 0; height /= 2) {
    Value next = b.add(row, height), fits = b.lessEqual(next, rows[1]);
    b.ifThen(fits, [&] { at(row, height); });
    row = b.select(fits, next, row);
  }
}

/// Adds the products with input `k`, or with pair `k` of inputs, whose weights are
/// at `at`.
void LinearKernel::addStep(const Tile &tile, ArrayRef<Values> from, Value k, Value at,
                           MutableArrayRef<Value> sums) {
  int64_t width = tile.vectors(b.lanes);
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
  for (int64_t r = 0; r < tile.height; ++r) {
    Value pair = b.broadcast(b.loadPairs(scratch ? scratch : x, from[r], k, 0), b.lanes);
    for (int64_t v = 0; v < width; ++v)
      sums[r * width + v] = b.addPairs(sums[r * width + v], weights[v], pair);
  }
}

/// The sums over the inputs, row by row.
LinearKernel::Values LinearKernel::products(const Tile &tile, Values acc) {
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
    from[r] = scratch ? Values{b.add(tile.local, r)} : b.leading(x, b.add(tile.row, r));
  Value start = b.mul(tile.panel, steps * plan.panel);

  // The rows of the next tile, which follow in memory, as one stream.
  auto layout = cast<MemRefType>(x.getType());
  bool follows = prefetch && !scratch && layout.getRank() == 2 && layout.getLayout().isIdentity();
  int64_t lineOfX = 512 / layout.getElementTypeBitWidth(), share = tile.height * inputs;
  Value nextRow = b.add(tile.row, tile.height);

  auto step = [&](Value k, int64_t unroll, ValueRange current) {
    Values next(current);
    if (tile.ahead && prefetch)
      b.prefetch(w1, {b.add(tile.ahead, b.mul(k, tile.pace))});
    for (int64_t e = 0; follows && e < share * unroll; e += lineOfX)
      b.prefetch(x, {nextRow, b.add(b.mul(k, share), e)});
    for (int64_t u = 0; u < unroll; ++u) {
      Value ku = b.add(k, u), at = b.add(start, b.mul(ku, plan.panel));
      if (prefetch)
        for (int64_t next = 0; next < inputs * plan.panel; next += line)
          b.prefetch(w1, {b.add(b.mul(at, inputs), ahead * line + next)}, false, /*level=*/1);
      addStep(tile, from, ku, at, MutableArrayRef(next).slice(u % copies * sums, sums));
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

/// Applies the epilogue; `values` holds the extras.
Value LinearKernel::finish(Value acc, ArrayRef<Value> values) {
  if (!epilogue) {
    for (auto [i, value] : llvm::enumerate(values))
      if (int(i) != bias)
        acc = b.add(acc, value);
    return acc;
  }
  SmallVector<RegionVectorizer::Binding> bindings;
  Region &region = op.getEpilogue();
  bindings.push_back({bias < 0 ? Value(region.getArgument(0)) : biasSum, acc});
  for (auto [i, value] : llvm::enumerate(values))
    bindings.push_back({region.getArgument(1 + i), value});
  return epilogue->evaluate(bindings)[0].asVectors(b, 1, b.lanes)[0];
}

void LinearKernel::tile(const Tile &tile) {
  int64_t width = tile.vectors(b.lanes);
  Value first = b.mul(tile.panel, plan.panel);
  auto column = [&](int64_t v) { return b.add(first, v * b.lanes); };
  auto active = [&](int64_t v) { return std::min(b.lanes, tile.outputs - v * b.lanes); };
  auto load = [&](Value from, Value row, int64_t v) {
    Values at = row ? b.leading(from, row) : Values();
    return b.load(from, join(at, column(v)), b.lanes, active(v));
  };
  SmallVector<Values> shared(width);
  for (int64_t v = 0; v < width; ++v)
    for (unsigned i = 0; i < extras.size(); ++i)
      shared[v].push_back(isShared(i) ? load(extras[i], nullptr, v) : Value());

  Values init;
  for (int64_t r = 0; r < tile.height; ++r)
    for (int64_t v = 0; v < width; ++v)
      init.push_back(bias < 0 ? b.splat(0) : shared[v][bias]);
  Values acc = products(tile, init);
  for (int64_t r = 0; r < tile.height; ++r) {
    Value row = b.add(tile.row, r);
    for (int64_t v = 0; v < width; ++v) {
      Values values(shared[v]);
      for (unsigned i = 0; i < extras.size(); ++i)
        if (!values[i])
          values[i] = load(extras[i], row, v);
      Values at = outputAt(b, op, out, row, column(v));
      b.store(finish(acc[r * width + v], values), out, at, active(v));
    }
  }
}

LogicalResult posenc::buildLinear(KernelBuilder &b, LinearOp op, ValueRange operands,
                                  const IRMapping &outer, ValueRange rows, ValueRange panels) {
  return LinearKernel(b, op, operands, outer).build(rows, panels);
}
