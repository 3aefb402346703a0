//===- SimtDecodeJoin.cpp - one row from parts of its keys ----------------===//
//
// A part is a maximum, a sum of weights relative to it, and a weighted sum of values.
// Warps join theirs in shared memory, parts of the keys theirs in a second kernel.
//
//===----------------------------------------------------------------------===//

#include "GPU/SimtDecode.h"
#include "Vectorize/Kernels.h"

#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace posenc;

static constexpr double kInfinity = std::numeric_limits<double>::infinity();
static constexpr double kLog2E = 1.4426950408889634;

/// Channels of a result that a thread has.
int64_t SimtDecode::storedAtOnce() {
  return std::min<int64_t>(ThreadBuilder::widest(op.getOuts()[0]), 4);
}

/// What the lanes of this warp have to shared memory, then the rows of all warps, in turns
/// of the threads, to the results or the parts.
void SimtDecode::joinWarps(const SimtSoftmax &state) {
  int64_t place = pitch() - 4; // of maximum and sum
  Value isFirst = t->less(t->lane, t->index(values.lanes));
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < values.rounds; ++c) {
      // Lanes apart have had other keys of the same channels.
      Values elements;
      for (int64_t e = 0; e < values.size; ++e) {
        Value sum = t->element(state.outputs[r * values.rounds + c], e);
        for (int64_t distance = values.lanes; distance < kWarp; distance *= 2)
          sum = t->add(sum, t->shuffle(sum, distance));
        elements.push_back(sum);
      }
      Value sum = t->join(elements), writes = isFirst, d = channel(values, c);
      if (!values.isWhole(c)) {
        Value piece = t->add(t->lane, c * values.lanes);
        writes = t->logicalAnd(
            writes, t->less(piece, t->index(values.width / values.size)));
      }
      t->ifThen(writes, [&] { t->storeWide(sum, partTile, {t->warp, t->index(r), d}); });
    }
    Value sum = t->warpSum(state.sums[r]);
    t->ifThen(t->less(t->lane, t->index(1)), [&] {
      t->store(state.maxima[r], partTile, {t->warp, t->index(r), t->index(place)});
      t->store(sum, partTile, {t->warp, t->index(r), t->index(place + 1)});
    });
  }
  t->syncBlock();
  int64_t n = storedAtOnce(), perRow = values.width / n;
  Value isWhole = t->lessEqual(splits, t->index(1));
  t->strided(t->thread, t->index(rows * perRow), threads, [&](Value item) {
    Value tileRow = t->divide(item, perRow), d = t->mul(t->sub(item, t->mul(tileRow, perRow)), n);
    Part all = joinParts(t->index(warps), n, [&](Value part) {
      auto of = [&](Value c, int64_t n) { return t->loadWide(partTile, {part, tileRow, c}, n); };
      return Part{of(t->index(place), 1), of(t->index(place + 1), 1), of(d, n)};
    });
    t->ifThen(t->less(t->add(firstRow, tileRow), rowCount), [&] {
      Row row = rowOf(tileRow);
      t->ifThen(isWhole, [&] { store(all, batch, row, d); });
      t->ifThen(t->less(t->index(1), splits), [&] {
        Value number = t->add(t->mul(t->add(t->mul(batch, heads), row.head), queries), row.query);
        t->storeWide(all.output, partial, {split, number, d});
        t->ifThen(t->less(d, t->index(1)), [&] {
          t->store(all.maximum, partial, {split, number, t->index(place)});
          t->store(all.sum, partial, {split, number, t->index(place + 1)});
        });
      });
    });
  });
}

/// Each part counts as much as its maximum says. Four are read at a time.
SimtDecode::Part SimtDecode::joinParts(Value parts, int64_t n, function_ref<Part(Value)> load) {
  constexpr int64_t atOnce = 4;
  auto wide = [&](Value v) { return n == 1 ? v : t->broadcast(v, n); };
  Value hidden = t->f32(-kInfinity), zero = t->f32(0);
  Values result = t->loop(t->index(0), parts, atOnce, Values{hidden, zero, wide(zero)},
                          [&](Value first, ValueRange old) {
    SmallVector<Part> some{{old[0], old[1], old[2]}};
    for (int64_t i = 0; i < atOnce; ++i) {
      Value number = t->add(first, i), exists = t->less(number, parts);
      Part part = load(t->min(number, t->sub(parts, 1)));
      some.push_back({t->select(exists, part.maximum, hidden), part.sum, part.output});
    }
    Value maximum = hidden;
    for (const Part &part : some)
      maximum = t->max(maximum, part.maximum);
    Value finite = t->select(t->less(t->f32(hiddenScore / 2), maximum), maximum, zero);
    Value sum = zero, output = wide(zero);
    for (const Part &part : some) {
      Value weight = math::Exp2Op::create(
          *t, t->mul(t->sub(part.maximum, finite), t->f32(kLog2E)));
      sum = t->fma(part.sum, weight, sum);
      output = t->fma(part.output, wide(weight), output);
    }
    return Values{maximum, sum, output};
  });
  return {result[0], result[1], result[2]};
}

/// Channels of a row of the result, and with the first its log-sum-exp.
void SimtDecode::store(const Part &part, Value batch, const Row &row, Value channel) {
  int64_t n = storedAtOnce();
  Value isEmpty = t->lessEqual(part.sum, t->f32(0));
  Value inverse = t->select(isEmpty, t->f32(0), t->div(t->f32(1), part.sum));
  t->storeWide(t->mul(part.output, n == 1 ? inverse : t->broadcast(inverse, n)), op.getOuts()[0],
               posenc::join(rowAt(op, batch, row.head, row.query), channel));
  if (op.getOuts().size() < 2)
    return;
  t->ifThen(t->less(channel, t->index(1)), [&] {
    Value lse = t->add(part.maximum, math::LogOp::create(*t, part.sum));
    lse = t->select(isEmpty, t->f32(-kInfinity), lse);
    t->store(lse, op.getOuts()[1], {batch, row.head, row.query});
  });
}

/// A thread for some channels of a row.
LogicalResult SimtDecode::joinSplits() {
  KernelBuilder host(op.getLoc(), op->getBlock(), 1);
  host.setInsertionPoint(op);
  int64_t n = storedAtOnce(), perRow = values.width / n, place = pitch() - 4;
  Value items = host.mul(host.size(partial, 1), perRow), one = host.index(1);
  Value blocks = host.select(host.less(one, splits), host.ceilDivide(items, threads), host.index(0));
  return buildLaunch(op, "decode_join", blocks, threads, [&](ThreadBuilder &builder) {
    t = &builder;
    Value item = t->add(t->mul(t->block, threads), t->thread);
    t->ifThen(t->less(item, items), [&] {
      Value number = t->divide(item, perRow), d = t->mul(t->sub(item, t->mul(number, perRow)), n);
      Part all = joinParts(splits, n, [&](Value part) {
        auto of = [&](Value c, int64_t n) { return t->loadWide(partial, {part, number, c}, n); };
        return Part{of(t->index(place), 1), of(t->index(place + 1), 1), of(d, n)};
      });
      Value outer = t->divide(number, queries), batch = t->divide(outer, heads);
      store(all, batch, {t->sub(outer, t->mul(batch, heads)), t->sub(number, t->mul(outer, queries))}, d);
    });
    return success();
  });
}
