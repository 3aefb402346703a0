//===- AttentionRows.cpp - rows into and out of transposed panels ---------===//

#include "Vectorize/AttentionKernel.h"

#include "mlir/Dialect/Math/IR/Math.h"

#include <limits>

using namespace mlir;
using namespace posenc;

SmallVector<Value> AttentionKernel::rowAt(Value head, Value row, Value channel) {
  if (op.getLayout() == Layout::bhsd)
    return {args.batch, head, row, channel};
  return {args.batch, row, head, channel};
}

/// The largest transpose that fits `channels`: 16, 8, or 0 for none.
int64_t AttentionKernel::transposed(int64_t channels) const {
  if (shape.lanes == 16 && channels % 16 == 0)
    return 16;
  return channels >= 8 ? 8 : 0;
}

/// Q^T of a panel, scaled. Lanes behind the last query repeat it.
void AttentionKernel::packQueries(Value panel, Value first) {
  Value last = b.sub(queries, b.index(1));
  if (mapped)
    copyRows(args.query, mapped, first, b.index(shape.width), first, op.getQueryMap(),
             op.getQueryChannels(), coordinate(args.head, 1), 2);
  auto source = [&](Value lane, Value channel, int64_t n) {
    if (mapped)
      return b.load(mapped, {lane, channel}, n);
    return b.load(args.query, rowAt(args.head, b.min(b.add(first, lane), last), channel), n);
  };
  // Without a score region the softmax needs the scores in powers of two only.
  double scale = op.getScale().convertToFloat() * (op.getScoreMod().empty() ? log2e : 1.0);
  int64_t t = transposed(width), whole = t ? width / t * t : 0;
  if (whole)
    b.loop(b.index(0), b.index(shape.width), t, [&](Value lane) {
      b.loop(b.index(0), b.index(whole), t, [&](Value d) {
        Values rows;
        for (int64_t r = 0; r < t; ++r)
          rows.push_back(b.mulf(source(b.add(lane, r), d, t), b.broadcast(b.f32(scale), t)));
        for (auto [r, column] : llvm::enumerate(b.transpose(rows)))
          b.store(column, packed, {panel, b.add(d, r), lane});
      });
    });
  if (whole < width)
    b.loop(b.index(0), b.index(shape.width), 1, [&](Value lane) {
      b.loop(b.index(whole), b.index(width), 1, [&](Value d) {
        b.store(b.mulf(source(lane, d, 0), b.f32(scale)), packed, {panel, d, lane});
      });
    });
}

/// Rows `base + n` (never past the end) of an operand to the rows n of scratch,
/// in f32, and the map applied to them there.
void AttentionKernel::copyRows(Value from, Value to, Value first, Value count, Value base,
                               Region &map, std::optional<ChannelsAttr> channels,
                               Value coordinateHead, unsigned offset) {
  bool query = from == args.query;
  int64_t size = cast<MemRefType>(to.getType()).getDimSize(1);
  int64_t n = shape.lanes, whole = size / n * n;
  Value last = b.sub(query ? queries : keys, b.index(1));
  b.loop(b.index(0), count, 1, [&](Value r) {
    Value row = b.min(b.add(base, r), last);
    auto copy = [&](Value d, int64_t lanes) {
      Value v = b.load(from, rowAt(query ? args.head : keyHead, row, d), lanes);
      b.store(v, to, {r, d});
    };
    b.loop(b.index(0), b.index(whole), n, [&](Value d) { copy(d, n); });
    b.loop(b.index(whole), b.index(size), 1, [&](Value d) { copy(d, 0); });
    if (!map.empty())
      mapRow(to, r, map, *channels, coordinateHead, coordinate(row, offset));
  });
}

/// Applies a map to a row of scratch, lanes are groups of channels.
void AttentionKernel::mapRow(Value rows, Value at, Region &map, ChannelsAttr channels,
                             Value head, Value position) {
  int64_t size = cast<MemRefType>(rows.getType()).getDimSize(1);
  int64_t total = channels.getWidth() ? channels.getWidth() : size - channels.getOffset();
  int64_t group = channels.getGroup(), groups = total / group;
  bool interleaved = channels.getPairing() == Pairing::interleaved;
  // Channels of the member m of groups from c on; interleaved ones in two halves.
  auto channel = [&](Value c, int64_t m, int64_t lanes) {
    int64_t start = channels.getOffset();
    if (interleaved)
      return b.add(b.mul(c, b.index(2)), start + m * std::max<int64_t>(lanes, 1));
    return b.add(c, start + m * groups);
  };
  auto apply = [&](Value c, int64_t lanes) {
    RegionVectorizer region(b, map, 1, std::max<int64_t>(lanes, 1), outer);
    Values members;
    for (int64_t m = 0; m < group; ++m)
      members.push_back(b.load(rows, {at, channel(c, m, lanes)}, lanes));
    auto shuffle = [&](int64_t start, int64_t step, int64_t wrap) -> Value {
      SmallVector<int64_t> mask;
      for (int64_t l = 0; l < lanes; ++l)
        mask.push_back(wrap ? start + l / 2 + (l % 2) * wrap : start + l * step);
      return vector::ShuffleOp::create(b, members[0], members[1], mask);
    };
    if (interleaved && lanes)
      members = {shuffle(0, 2, 0), shuffle(1, 2, 0)};
    for (int64_t m = 0; m < group; ++m)
      region.bind(m, lanes ? Lanes::vectors(members[m]) : Lanes::scalar(members[m]));
    Value coordinates[] = {coordinate(args.batch, 0), head, position};
    for (auto [n, v] : llvm::enumerate(coordinates))
      region.bind(group + n, Lanes::scalar(v));
    region.bind(group + 3, lanes ? Lanes::counting(b, c, 1, lanes) : Lanes::scalar(c));
    SmallVector<Lanes> results = region.evaluate({});
    failed |= region.failed();
    for (int64_t m = 0; m < group; ++m)
      members[m] = lanes ? results[m].asVectors(b, 1, lanes)[0] : results[m].chunks[0];
    if (interleaved && lanes)
      members = {shuffle(0, 0, lanes), shuffle(lanes / 2, 0, lanes)};
    for (int64_t m = 0; m < group; ++m)
      b.store(members[m], rows, {at, channel(c, m, lanes)});
  };
  int64_t n = shape.lanes;
  while (n > groups && n > 4)
    n /= 2;
  int64_t whole = groups / n * n;
  if (whole)
    b.loop(b.index(0), b.index(whole), n, [&](Value c) { apply(c, n); });
  if (whole < groups)
    b.loop(b.index(whole), b.index(groups), 1, [&](Value c) { apply(c, 0); });
}

/// Normalises a panel and writes its rows, those of the problem only.
void AttentionKernel::storeRows(Value panel, Value first) {
  Value rest = b.min(b.sub(queries, first), b.index(shape.width));
  for (unsigned c = 0; c < chunks; ++c) {
    Value lane = b.index(c * shape.lanes);
    Value m = b.load(maxima, {panel, lane}, shape.lanes);
    Value l = b.load(sums, {panel, lane}, shape.lanes);
    // A row that saw no key still has the maximum it started with.
    Value seen = arith::CmpFOp::create(b, arith::CmpFPredicate::OGT, m, b.splat(hiddenScore / 2));
    Value isNan = arith::CmpFOp::create(b, arith::CmpFPredicate::UNO, l, l);
    seen = arith::OrIOp::create(b, seen, isNan);
    if (args.lse) {
      Value lse = b.addf(b.mulf(m, b.splat(1.0 / log2e)), math::LogOp::create(b, l));
      Value none = b.splat(-std::numeric_limits<double>::infinity());
      b.store(b.select(seen, lse, none), maxima, {panel, lane});
    }
    Value inverse = arith::DivFOp::create(b, b.splat(1.0), l);
    b.store(b.select(seen, inverse, b.splat(0.0)), sums, {panel, lane});
  }
  if (args.lse)
    b.loop(b.index(0), rest, 1, [&](Value lane) {
      b.store(b.load(maxima, {panel, lane}, 0), args.lse,
              {args.batch, args.head, b.add(first, lane)});
    });

  int64_t t = transposed(valueWidth), whole = t ? valueWidth / t * t : 0;
  if (whole)
    b.loop(b.index(0), b.index(shape.width), t, [&](Value lane) {
      Value inverse = b.load(sums, {panel, lane}, t);
      b.loop(b.index(0), b.index(whole), t, [&](Value d) {
        Values columns;
        for (int64_t r = 0; r < t; ++r)
          columns.push_back(b.mulf(b.load(result, {panel, b.add(d, r), lane}, t), inverse));
        for (auto [r, row] : llvm::enumerate(b.transpose(columns))) {
          Value n = b.add(lane, r);
          b.ifThen(b.less(n, rest), [&, row = row] {
            b.store(row, args.out, rowAt(args.head, b.add(first, n), d));
          });
        }
      });
    });
  if (whole < valueWidth)
    b.loop(b.index(0), rest, 1, [&](Value lane) {
      Value inverse = b.load(sums, {panel, lane}, 0);
      b.loop(b.index(whole), b.index(valueWidth), 1, [&](Value d) {
        b.store(b.mulf(b.load(result, {panel, d, lane}, 0), inverse), args.out,
                rowAt(args.head, b.add(first, lane), d));
      });
    });
}
