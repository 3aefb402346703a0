//===- AttentionRows.cpp - rows into and out of transposed panels ---------===//

#include "Vectorize/AttentionKernel.h"
#include "Vectorize/RowMap.h"

#include "mlir/Dialect/Math/IR/Math.h"

#include <limits>

using namespace mlir;
using namespace posenc;

SmallVector<Value> posenc::rowAt(AttentionOp op, Value batch, Value head, Value row) {
  if (op.getLayout() == Layout::bhsd)
    return {batch, head, row};
  return {batch, row, head};
}

/// Channel `channel + more`, of the same chunk as `channel` if there are chunks.
SmallVector<Value> AttentionKernel::valueAt(Value row, Value channel, int64_t more) {
  if (args.count)
    return cachedValueAt(row, channel, more);
  return join(valueRow(row), b.add(channel, more));
}

/// The largest transpose that fits `channels`: 16, 8, or 0 for none.
int64_t AttentionKernel::transposed(int64_t channels) const {
  if (b.lanes == 16 && channels % 16 == 0)
    return 16;
  return channels >= 8 ? 8 : 0;
}

/// Q^T of a panel, scaled. Lanes behind the last query repeat it.
void AttentionKernel::packQueries(Value panel, Value first) {
  Value last = b.sub(queries, 1);
  if (mapped)
    mapQueries(first);
  auto source = [&](Value lane, Value channel, int64_t n) {
    Value from = mapped ? mapped : args.query;
    Values row = mapped ? Values{lane} : rowAt(args.head, b.min(b.add(first, lane), last));
    // Pairs are those of the operand: the scores are scaled.
    if (plan.pairs)
      return b.loadPairs(from, row, channel, n);
    return b.mul(b.load(from, join(row, channel), n), b.broadcast(b.f32(scale), n));
  };
  int64_t t = transposed(steps), whole = t ? steps / t * t : 0;
  if (whole)
    b.loop(b.index(0), b.index(plan.width), t, [&](Value lane) {
      b.loop(b.index(0), b.index(whole), t, [&](Value d) {
        Values rows;
        // The rows of the next block of queries, or of the next head: their first use
        // waits for memory.
        Value start = b.select(hasMore, b.index(plan.queries()), b.sub(b.index(0), args.row));
        for (int64_t r = 0; r < t; ++r) {
          Value next = b.min(b.add(b.add(first, b.add(lane, r)), start), last);
          b.prefetch(args.query, join(rowAt(nextHead, next), b.mul(d, width / steps)));
        }
        for (int64_t r = 0; r < t; ++r)
          rows.push_back(source(b.add(lane, r), d, t));
        for (auto [r, column] : llvm::enumerate(b.transpose(rows)))
          b.store(column, packed, {panel, b.add(d, r), lane});
      });
    });
  if (whole < steps)
    b.loop(b.index(0), b.index(plan.width), 1, [&](Value lane) {
      b.loop(b.index(whole), b.index(steps), 1, [&](Value d) {
        b.store(source(lane, d, 0), packed, {panel, d, lane});
      });
    });
}

/// Queries `first + r` of a panel, never past the last, to the rows r of scratch.
void AttentionKernel::mapQueries(Value first) {
  RowMap map(b, op.getQueryMap(), *op.getQueryChannels(), outer);
  b.loop(b.index(0), b.index(plan.width), 1, [&](Value r) {
    Value row = b.min(b.add(first, r), b.sub(queries, 1));
    Values coordinates{coordinate(args.batch, 0), coordinate(args.head, 1), coordinate(row, 2)};
    failed |= mlir::failed(map.apply(args.query, rowAt(args.head, row), mapped, r, coordinates));
  });
}

/// Keys and values before `end` that nobody has encoded yet.
void AttentionKernel::encode(Value end) {
  Value zero = b.index(0), done = memref::LoadOp::create(b, args.done, zero);
  Value head[] = {args.batch, keyHead};
  Value coordinates[] = {coordinate(args.batch, 0),
                         b.add(keyHead, b.divide(args.offsets[1], group)), args.offsets[3]};
  auto rows = [&](Value from, Value to, Region &map, std::optional<ChannelsAttr> channels) {
    failed |= mlir::failed(
        encodeRows(b, op, map, *channels, outer, from, head, coordinates, done, end, to));
  };
  b.ifThen(b.less(done, end), [&] {
    if (plan.encodesKeys)
      rows(args.key, args.keyRows, op.getKeyMap(), op.getKeyChannels());
    if (plan.encodesValues)
      rows(args.value, args.valueRows, op.getValueMap(), op.getValueChannels());
    memref::StoreOp::create(b, end, args.done, zero);
  });
}

/// Rows `first + r` of keys or values, never past the last, to the rows r of scratch.
void AttentionKernel::copyRows(Value from, Value to, Value first, Value count) {
  Value last = b.sub(keys, 1), size = b.lastSize(to), zero = b.index(0);
  b.loop(zero, count, 1, [&](Value r) {
    Value row = b.min(b.add(first, r), last);
    b.copy(from, from == args.key ? rowAt(keyHead, row) : valueRow(row), to, r, zero, size);
  });
}

/// Values of a block to scratch.
void AttentionKernel::copyValues(Value first, Value count) {
  if (args.count)
    return copyCachedValues(first, count);
  copyRows(args.valueRows, valueScratch, first, count);
}

/// Normalises a panel and writes its rows, those of the problem only.
void AttentionKernel::storeRows(Value panel, Value first) {
  Value rest = b.min(b.sub(queries, first), plan.width);
  for (unsigned c = 0; c < chunks; ++c) {
    Value lane = b.index(c * b.lanes);
    Value m = b.load(maxima, {panel, lane}, b.lanes);
    Value l = b.load(sums, {panel, lane}, b.lanes);
    // A row that saw no key still has the maximum it started with.
    Value seen = arith::CmpFOp::create(b, arith::CmpFPredicate::OGT, m, b.splat(hiddenScore / 2));
    Value isNan = arith::CmpFOp::create(b, arith::CmpFPredicate::UNO, l, l);
    seen = arith::OrIOp::create(b, seen, isNan);
    if (args.lse) {
      Value lse = b.add(b.mul(m, b.splat(unit / log2e)), math::LogOp::create(b, l));
      Value none = b.splat(-std::numeric_limits<double>::infinity());
      b.store(b.select(seen, lse, none), maxima, {panel, lane});
    }
    b.store(b.select(seen, b.div(b.splat(1.0), l), b.splat(0.0)), sums, {panel, lane});
  }
  if (args.lse)
    b.loop(b.index(0), rest, 1, [&](Value lane) {
      b.store(b.load(maxima, {panel, lane}, 0), args.lse,
              {args.batch, args.head, b.add(first, lane)});
    });

  int64_t t = transposed(valueWidth), whole = t ? valueWidth / t * t : 0;
  if (whole)
    b.loop(b.index(0), b.index(plan.width), t, [&](Value lane) {
      Value inverse = b.load(sums, {panel, lane}, t);
      b.loop(b.index(0), b.index(whole), t, [&](Value d) {
        Values columns;
        for (int64_t r = 0; r < t; ++r)
          columns.push_back(b.mul(b.load(result, {panel, b.add(d, r), lane}, t), inverse));
        for (auto [r, row] : llvm::enumerate(b.transpose(columns))) {
          Value n = b.add(lane, r);
          b.ifThen(b.less(n, rest), [&, row = row] {
            b.store(row, args.out, join(rowAt(args.head, b.add(first, n)), d));
          });
        }
      });
    });
  if (whole < valueWidth)
    b.loop(b.index(0), rest, 1, [&](Value lane) {
      Value inverse = b.load(sums, {panel, lane}, 0);
      b.loop(b.index(whole), b.index(valueWidth), 1, [&](Value d) {
        b.store(b.mul(b.load(result, {panel, d, lane}, 0), inverse), args.out,
                join(rowAt(args.head, b.add(first, lane)), d));
      });
    });
}
