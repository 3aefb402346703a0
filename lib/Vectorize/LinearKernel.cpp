//===- LinearKernel.cpp - linear layers in register tiles -----------------===//
//
// One vector per native register: a tile of rows times one panel is kept in the
// iteration arguments of the loop over the inputs. Panels are the outer loop, so
// that the weight is read as one stream; tiles of a block differ in height by
// one unit at most.
//
//===----------------------------------------------------------------------===//

#include "Vectorize/RowKernels.h"

using namespace mlir;
using namespace posenc;

namespace {

class LinearKernel {
  using Values = SmallVector<Value>;

public:
  LinearKernel(RowEmitter &e, LinearOp op, ValueRange operands, const IRMapping &outer)
      : e(e), op(op), plan(op, operands, e.lanes), x(operands[0]), w(operands[1]),
        extras(operands.slice(2, operands.size() - 3)), out(operands.back()),
        w1(flatten(w)) {
    if (!op.getEpilogue().empty()) {
      epilogue.emplace(e, op.getEpilogue(), outer);
      epilogue->hoist({});
    }
    findBias();
  }

  void build(ValueRange rows, ValueRange panels);

private:
  /// A register tile: `height` rows from `row` on, by the first `outputs` of a
  /// panel.
  struct Tile {
    int64_t height, outputs;
    Value row, local, panel; ///< `local` is the row in the scratch
    int64_t vectors(int64_t lanes) const { return llvm::divideCeil(outputs, lanes); }
  };

  Value flatten(Value weight) {
    return memref::CollapseShapeOp::create(e, weight, SmallVector<ReassociationIndices>{{0, 1, 2}});
  }
  /// True for an extra of shape [outputs], the same for all rows.
  bool isShared(unsigned extra) { return cast<MemRefType>(extras[extra].getType()).getRank() == 1; }
  void findBias();
  void copyRows(ValueRange rows);
  void panel(ValueRange rows, Value panel, int64_t outputs);
  void tile(const Tile &tile);
  Values products(const Tile &tile, Values init);
  Value finish(Value acc, ArrayRef<Value> values);

  RowEmitter &e;
  LinearOp op;
  LinearPlan plan;
  Value x, w;
  ValueRange extras;
  Value out, w1, scratch;
  std::optional<RegionLanes> epilogue;
  int bias = -1;   ///< the extra that accumulators start with
  Value biasSum;   ///< its addition in the epilogue
  // Of the tiles: `base` units each, one more in the first `larger`.
  Value count, base, larger, rest;
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
  auto type = MemRefType::get({plan.rows, plan.pitch}, e.getF32Type());
  scratch = memref::AllocaOp::create(e, type, e.getI64IntegerAttr(64));
  e.loop(rows[0], rows[1], 1, [&](Value row) {
    Values from = e.leading(x, row);
    Value local = e.sub(row, rows[0]);
    e.channels(e.index(0), e.index(plan.inputs), [&](Value k, int64_t n) {
      Values at(from);
      at.push_back(k);
      e.store(e.load(x, at, n), scratch, {local, k});
    });
  });
}

void LinearKernel::build(ValueRange rows, ValueRange panels) {
  if (plan.copyRows)
    copyRows(rows);
  Value height = e.sub(rows[1], rows[0]);
  Value units = e.divide(height, plan.unit);
  rest = e.sub(height, e.mul(units, e.index(plan.unit)));
  count = e.ceilDivide(units, e.index(plan.tiles));
  base = e.divide(units, e.max(count, e.index(1)));
  larger = e.sub(units, e.mul(base, count));

  int64_t whole = plan.outputs / plan.panel, outputs = plan.outputs % plan.panel;
  e.loop(panels[0], e.min(panels[1], e.index(whole)), 1,
         [&](Value p) { panel(rows, p, plan.panel); });
  if (outputs) {
    auto last = scf::IfOp::create(e, e.less(e.index(whole), panels[1]));
    OpBuilder::InsertionGuard guard(e);
    e.setInsertionPointToStart(last.thenBlock());
    panel(rows, e.index(whole), outputs);
  }
}

void LinearKernel::panel(ValueRange rows, Value panel, int64_t outputs) {
  Value unit = e.index(plan.unit);
  e.loop(e.index(0), count, 1, [&](Value t) {
    Value before = e.add(e.mul(t, base), e.min(t, larger));
    Value units = e.select(e.less(t, larger), e.plus(base, 1), base);
    Value local = e.mul(before, unit);
    e.choose(units, plan.tiles, [&](int64_t n) {
      tile({n * plan.unit, outputs, e.add(rows[0], local), local, panel});
    });
  });
  if (plan.unit == 1)
    return;
  Value row = e.sub(rows[1], rest);
  e.choose(rest, plan.unit - 1,
           [&](int64_t n) { tile({n, outputs, row, e.sub(row, rows[0]), panel}); });
}

/// The sums over the inputs, row by row.
LinearKernel::Values LinearKernel::products(const Tile &tile, Values acc) {
  // Far enough ahead for memory, in units of one input; one or two rows leave
  // the stream to the hardware.
  constexpr int64_t ahead = 256;
  bool prefetch = tile.height > 2;
  int64_t width = tile.vectors(e.lanes), sums = acc.size(), copies = 1;
  while (sums * copies < 8 && copies < plan.unroll)
    copies *= 2;
  acc.resize(sums * copies, e.splat(0));
  SmallVector<Values> from(tile.height);
  for (int64_t r = 0; r < tile.height; ++r)
    from[r] = scratch ? Values{e.plus(tile.local, r)} : e.leading(x, e.plus(tile.row, r));
  Value start = e.mul(tile.panel, e.index(plan.inputs * plan.panel));

  auto step = [&](Value k, int64_t unroll, ValueRange current) {
    Values next(current);
    for (int64_t u = 0; u < unroll; ++u) {
      Value ku = e.plus(k, u), at = e.add(start, e.mul(ku, e.index(plan.panel)));
      if (prefetch)
        memref::PrefetchOp::create(e, w1, ValueRange{e.plus(at, ahead * plan.panel)}, false, 2, true);
      Values weights;
      for (int64_t v = 0; v < width; ++v)
        weights.push_back(e.load(w1, {e.plus(at, v * e.lanes)}, e.lanes));
      for (int64_t r = 0; r < tile.height; ++r) {
        Values position(from[r]);
        position.push_back(ku);
        Value a = e.broadcast(e.load(scratch ? scratch : x, position, 0), e.lanes);
        for (int64_t v = 0; v < width; ++v) {
          Value &sum = next[u % copies * sums + r * width + v];
          sum = vector::FMAOp::create(e, a, weights[v], sum);
        }
      }
    }
    return next;
  };
  int64_t rest = plan.inputs % plan.unroll, whole = plan.inputs - rest;
  if (whole)
    acc = e.loop(e.index(0), e.index(whole), plan.unroll, acc,
                 [&](Value k, ValueRange current) { return step(k, plan.unroll, current); });
  if (rest)
    acc = step(e.index(whole), rest, acc);
  for (; copies > 1; copies /= 2) {
    int64_t half = acc.size() / 2;
    for (int64_t i = 0; i < half; ++i)
      acc[i] = e.addf(acc[i], acc[i + half]);
    acc.resize(half);
  }
  return acc;
}

/// Applies the epilogue; `values` holds the extras.
Value LinearKernel::finish(Value acc, ArrayRef<Value> values) {
  if (!epilogue) {
    for (auto [i, value] : llvm::enumerate(values))
      if (int(i) != bias)
        acc = e.addf(acc, value);
    return acc;
  }
  SmallVector<RegionLanes::Binding> bindings;
  Region &region = op.getEpilogue();
  bindings.push_back({bias < 0 ? Value(region.getArgument(0)) : biasSum, {acc}});
  for (auto [i, value] : llvm::enumerate(values))
    bindings.push_back({region.getArgument(1 + i), {value}});
  return epilogue->evaluate(bindings, e.lanes)[0];
}

void LinearKernel::tile(const Tile &tile) {
  int64_t width = tile.vectors(e.lanes);
  Value first = e.mul(tile.panel, e.index(plan.panel));
  auto column = [&](int64_t v) { return e.plus(first, v * e.lanes); };
  auto active = [&](int64_t v) { return std::min(e.lanes, tile.outputs - v * e.lanes); };
  auto load = [&](Value from, Value row, int64_t v) {
    Values at = row ? e.leading(from, row) : Values();
    at.push_back(column(v));
    return e.load(from, at, e.lanes, active(v));
  };
  SmallVector<Values> shared(width);
  for (int64_t v = 0; v < width; ++v)
    for (unsigned i = 0; i < extras.size(); ++i)
      shared[v].push_back(isShared(i) ? load(extras[i], nullptr, v) : Value());

  Values init;
  for (int64_t r = 0; r < tile.height; ++r)
    for (int64_t v = 0; v < width; ++v)
      init.push_back(bias < 0 ? e.splat(0) : shared[v][bias]);
  Values acc = products(tile, init);
  for (int64_t r = 0; r < tile.height; ++r) {
    Value row = e.plus(tile.row, r);
    for (int64_t v = 0; v < width; ++v) {
      Values values(shared[v]);
      for (unsigned i = 0; i < extras.size(); ++i)
        if (!values[i])
          values[i] = load(extras[i], row, v);
      Values at = e.leading(out, row);
      at.push_back(column(v));
      e.store(finish(acc[r * width + v], values), out, at, active(v));
    }
  }
}

void posenc::buildLinear(RowEmitter &e, LinearOp op, ValueRange operands, const IRMapping &outer,
                         ValueRange rows, ValueRange panels) {
  LinearKernel(e, op, operands, outer).build(rows, panels);
}
