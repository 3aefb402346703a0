//===- SimtLinear.cpp - linear layers by tiles in shared memory -----------===//

#include "GPU/Forms.h"
#include "GPU/ThreadBuilder.h"
#include "Reference/Loops.h"

using namespace mlir;
using namespace posenc;

namespace {

/// A block computes a tile of the result from panels of both operands in shared
/// memory, inputs first: a thread reads four neighbours at once, and has four
/// rows of four outputs in registers. Rows of a panel are permuted by blocks of
/// eight, in a way that depends on the input, so that threads that write four
/// inputs of eight rows meet different banks.
class SimtLinear {
public:
  using Values = SmallVector<Value>;
  static constexpr int64_t kTile = 64, kDepth = 16, kPart = 4;
  static constexpr int64_t kThreads = (kTile / kPart) * (kTile / kPart);

  explicit SimtLinear(LinearOp op) : op(op) {}
  LogicalResult build();

private:
  void buildThread();
  /// One step along the inputs of the tile `panel` of rows of `x`, from row `first`.
  void loadPanel(Value panel, Value x, Value first, Value rows, Value k);
  Values multiply(ValueRange sums);
  /// Where a row of a panel is, for one of the inputs from `part`, a multiple of four, on.
  Value permute(Value row, Value part) { return arith::XOrIOp::create(*t, row, t->mul(part, 2)); }
  void store(ValueRange sums);

  LinearOp op;
  ThreadBuilder *t = nullptr;
  Value rowCount, outputs, inputs, columnBlocks;
  Value left, right, firstRow, firstColumn, threadRow, threadColumn;
};

} // namespace

LogicalResult SimtLinear::build() {
  if (op.isPacked())
    return op.emitOpError("expected a weight that is not packed");
  KernelBuilder host(op.getLoc(), op->getBlock(), 1);
  host.setInsertionPoint(op);
  Value out = op.getOuts()[0];
  rowCount = host.rowCount(out);
  outputs = host.lastSize(out);
  inputs = host.lastSize(op.getInput());
  columnBlocks = host.ceilDivide(outputs, kTile);
  Value blocks = host.mul(host.ceilDivide(rowCount, kTile), columnBlocks);
  return buildLaunch(op, "linear", blocks, kThreads, [&](ThreadBuilder &builder) {
    t = &builder;
    buildThread();
    return success();
  });
}

void SimtLinear::buildThread() {
  left = t->shared({kDepth, kTile});
  right = t->shared({kDepth, kTile});
  Value rowBlock = t->divide(t->block, columnBlocks);
  Value columnBlock = t->sub(t->block, t->mul(rowBlock, columnBlocks));
  firstRow = t->mul(rowBlock, kTile);
  firstColumn = t->mul(columnBlock, kTile);
  Value quotient = t->divide(t->thread, kTile / kPart);
  threadRow = t->mul(quotient, kPart);
  threadColumn = t->mul(t->sub(t->thread, t->mul(quotient, kTile / kPart)), kPart);
  Values zeros(kPart * kPart, t->f32(0));
  Values sums = t->loop(t->index(0), inputs, kDepth, zeros, [&](Value k, ValueRange acc) {
    loadPanel(left, op.getInput(), firstRow, rowCount, k);
    loadPanel(right, op.getWeight(), firstColumn, outputs, k);
    t->syncBlock();
    Values next = multiply(acc);
    t->syncBlock();
    return next;
  });
  store(sums);
}

void SimtLinear::loadPanel(Value panel, Value x, Value first, Value rows, Value k) {
  // Each thread four inputs of one row, as wide as memory allows.
  constexpr int64_t parts = kDepth / kPart;
  int64_t n = std::min(kPart, ThreadBuilder::widest(x));
  Value tileRow = t->divide(t->thread, parts);
  Value part = t->mul(t->sub(t->thread, t->mul(tileRow, parts)), kPart);
  // Rows beyond the last are never stored; inputs beyond the last must not count.
  Value row = t->min(t->add(first, tileRow), t->sub(rows, 1));
  SmallVector<Value> at = t->leading(x, row);
  tileRow = permute(tileRow, part);
  bool whole = matchPattern(inputs, m_Constant()) &&
               getConstantIntValue(inputs).value() % kDepth == 0;
  for (int64_t i = 0; i < kPart; i += n) {
    Value c = t->add(t->add(k, part), i);
    Value inside = t->less(c, inputs);
    if (!whole)
      c = t->min(c, t->sub(inputs, n));
    Value v = t->loadWide(x, posenc::join(at, c), n);
    for (int64_t j = 0; j < n; ++j) {
      Value one = t->element(v, j);
      t->store(whole ? one : t->select(inside, one, t->f32(0)), panel,
               {t->add(part, i + j), tileRow});
    }
  }
}

SmallVector<Value> SimtLinear::multiply(ValueRange sums) {
  Values next(sums);
  for (int64_t part = 0; part < kDepth; part += kPart) {
    Value row = permute(threadRow, t->index(part)), column = permute(threadColumn, t->index(part));
    for (int64_t k = part; k < part + kPart; ++k) {
      Value a = t->loadWide(left, {t->index(k), row}, kPart);
      Value b = t->loadWide(right, {t->index(k), column}, kPart);
      for (int64_t i = 0; i < kPart; ++i)
        for (int64_t j = 0; j < kPart; ++j) {
          Value &sum = next[i * kPart + j];
          sum = t->fma(t->element(a, i), t->element(b, j), sum);
        }
    }
  }
  return next;
}

void SimtLinear::store(ValueRange sums) {
  Value out = op.getOuts()[0];
  int64_t n = std::min(kPart, ThreadBuilder::widest(out));
  for (Value extra : op.getExtras())
    n = std::min(n, ThreadBuilder::widest(extra));
  for (int64_t i = 0; i < kPart; ++i) {
    Value row = t->add(firstRow, t->add(threadRow, i));
    t->ifThen(t->less(row, rowCount), [&] {
      SmallVector<Value> at = t->leading(out, row);
      for (int64_t j = 0; j < kPart; j += n) {
        Value column = t->add(firstColumn, t->add(threadColumn, j));
        t->ifThen(t->less(column, outputs), [&] {
          Values extras, results;
          for (Value extra : op.getExtras()) {
            bool isVector = cast<MemRefType>(extra.getType()).getRank() == 1;
            extras.push_back(t->loadWide(
                extra, isVector ? Values{column} : posenc::join(t->leading(extra, row), column), n));
          }
          for (int64_t e = 0; e < n; ++e) {
            Values arguments{sums[i * kPart + j + e]};
            for (Value extra : extras)
              arguments.push_back(t->element(extra, e));
            Value y = arguments[0];
            if (!op.getEpilogue().empty())
              y = reference::inlineRegion(*t, op.getEpilogue(), arguments)[0];
            else
              for (Value extra : ArrayRef(arguments).drop_front())
                y = t->add(y, extra);
            results.push_back(y);
          }
          t->storeWide(t->join(results), out, posenc::join(at, column));
        });
      }
    });
  }
}

LogicalResult posenc::buildSimtLinear(LinearOp op, const Chip &) { return SimtLinear(op).build(); }
