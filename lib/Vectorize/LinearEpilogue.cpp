//===- LinearEpilogue.cpp - from sums of products to memory ---------------===//

#include "Vectorize/LinearEpilogue.h"

using namespace mlir;
using namespace posenc;

LinearEpilogue::LinearEpilogue(KernelBuilder &b, LinearOp op, const LinearPlan &plan,
                               ValueRange extras, Value out, const IRMapping &outer)
    : b(b), op(op), panel(plan.panel), extras(extras), out(out) {
  if (!op.getEpilogue().empty()) {
    epilogue.emplace(b, op.getEpilogue(), outer);
    epilogue->hoist();
  }
  findBias();
  // A function of the sums is a loop over a tile's rows: written out, its results and
  // constants would be more than the registers hold.
  auto isFunction = [](Operation &op) { return isa<math::MathDialect>(op.getDialect()); };
  if (llvm::any_of(op.getEpilogue().getOps(), isFunction))
    scratch = b.scratch({plan.height, int64_t(llvm::alignTo(panel, b.lanes))});
}

void LinearEpilogue::findBias() {
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

/// `row` is null for an extra that is shared.
Value LinearEpilogue::load(unsigned extra, const LinearTile &tile, Value row, int64_t vector) {
  Value from = extras[extra], column = b.add(b.mul(tile.panel, panel), vector * b.lanes);
  Values at = row ? b.leading(from, row) : Values();
  return b.load(from, join(at, column), b.lanes,
                std::min(b.lanes, tile.outputs - vector * b.lanes));
}

SmallVector<Value> LinearEpilogue::start(const LinearTile &tile) {
  Values row;
  for (int64_t v = 0; v < tile.vectors(b.lanes); ++v)
    row.push_back(bias < 0 ? b.splat(0) : load(bias, tile, nullptr, v));
  Values all;
  for (int64_t r = 0; r < tile.height; ++r)
    llvm::append_range(all, row);
  return all;
}

/// `values` holds the extras.
Value LinearEpilogue::finish(Value acc, ArrayRef<Value> values) {
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

void LinearEpilogue::write(const LinearTile &tile, ValueRange sums) {
  int64_t width = tile.vectors(b.lanes);
  SmallVector<Values> shared(width);
  for (int64_t v = 0; v < width; ++v)
    for (unsigned i = 0; i < extras.size(); ++i)
      shared[v].push_back(isShared(i) ? load(i, tile, nullptr, v) : Value());
  Value first = b.mul(tile.panel, panel);
  auto writeRow = [&](Value row, llvm::function_ref<Value(int64_t)> sum) {
    for (int64_t v = 0; v < width; ++v) {
      Values values(shared[v]);
      for (unsigned i = 0; i < extras.size(); ++i)
        if (!values[i])
          values[i] = load(i, tile, row, v);
      Values at = outputAt(b, op, out, row, b.add(first, v * b.lanes));
      b.store(finish(sum(v), values), out, at, std::min(b.lanes, tile.outputs - v * b.lanes));
    }
  };
  if (!scratch) {
    for (int64_t r = 0; r < tile.height; ++r)
      writeRow(b.add(tile.row, r), [&](int64_t v) { return sums[r * width + v]; });
    return;
  }
  for (int64_t r = 0; r < tile.height; ++r)
    for (int64_t v = 0; v < width; ++v)
      b.store(sums[r * width + v], scratch, {b.index(r), b.index(v * b.lanes)});
  b.loop(b.index(0), b.index(tile.height), 1, [&](Value r) {
    writeRow(b.add(tile.row, r), [&](int64_t v) {
      return b.load(scratch, {r, b.index(v * b.lanes)}, b.lanes);
    });
  });
}
