//===- SimtAttention.cpp - attention, a warp for some queries -------------===//

#include "GPU/SimtAttention.h"
#include "GPU/SimtQueries.h"
#include "Vectorize/Kernels.h"

#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace posenc;

static constexpr double kInfinity = std::numeric_limits<double>::infinity();
static constexpr int64_t kDepth = 128;      // channels of a tile of keys at most
static constexpr int64_t kSlack = 3 * 128;  // bytes that alignment may take

static int64_t widthOf(Value v) { return cast<MemRefType>(v.getType()).getDimSize(3); }

/// Whether blocks of `rows` queries, if their number is known, leave processors idle.
static bool isShort(AttentionOp op, int64_t rows, const Chip &chip) {
  auto type = cast<MemRefType>(op.getQuery().getType());
  if (!type.hasStaticShape())
    return false;
  int64_t perHead = llvm::divideCeil(type.getDimSize(op.getRowDim()), rows);
  return type.getDimSize(0) * type.getDimSize(op.getHeadDim()) * perHead < 2 * chip.processors;
}

SimtAttention::SimtAttention(AttentionOp op, const Chip &chip)
    : op(op), width(widthOf(op.getQuery())), valueWidth(widthOf(op.getValue())) {
  step = ThreadBuilder::widest(op.getKey());
  word = width % 4 ? 1 : 4;
  // Wide heads pass in several tiles.
  depth = std::min(width, kDepth);
  // No lane stays idle for the sake of a wide access.
  chunk = std::min(ThreadBuilder::widest(op.getValue()), ThreadBuilder::widest(op.getOuts()[0]));
  while (chunk > 1 && valueWidth < chunk * kWarp)
    chunk /= 2;
  chunks = llvm::divideCeil(valueWidth, chunk * kWarp);
  if (isShort(op, rows * warps, chip))
    rows /= 2;
  // Outputs stay in registers.
  while (rows > 1 && (rows * chunks * chunk > 64 || sharedBytes() > kStaticShared))
    rows /= 2;
  while (warps > 1 && sharedBytes() > kStaticShared)
    warps /= 2;
}

/// Lanes that read a column of keys, or 16 bytes of it, find them in different
/// banks: the distance between rows is an odd number of words.
static int64_t getPitch(int64_t depth, int64_t word) {
  int64_t words = llvm::divideCeil(depth, word);
  return (words + (words % 2 ? 0 : 1)) * word;
}

int64_t SimtAttention::sharedBytes() const {
  return 4 * (rows * warps * (width + kWarp) + kWarp * getPitch(depth, word)) + kSlack;
}

LogicalResult SimtAttention::build() {
  if (op.getKeyChannels() || op.getValueChannels())
    return op.emitOpError("expected keys and values that are mapped before, see posenc-apply-maps");
  if (sharedBytes() > kStaticShared)
    return op.emitOpError("expected heads of at most ")
           << (kStaticShared - sharedBytes()) / 4 + width << " channels, but found " << width;
  if (chunks * chunk > 128)
    return op.emitOpError("expected values of at most ")
           << 128 * kWarp << " channels, but found " << valueWidth;
  KernelBuilder host(op.getLoc(), op->getBlock(), 1);
  host.setInsertionPoint(op);
  heads = host.size(op.getQuery(), op.getHeadDim());
  queryCount = host.size(op.getQuery(), op.getRowDim());
  keyCount = host.size(op.getKey(), op.getRowDim());
  blocks = host.ceilDivide(queryCount, rows * warps);
  Value all = host.mul(host.mul(host.size(op.getQuery(), 0), heads), blocks);
  return buildLaunch(op, "attention", all, warps * kWarp, [&](ThreadBuilder &builder) {
    t = &builder;
    return buildThread();
  });
}

/// Where the queries of this block and this warp are.
void SimtAttention::place() {
  Value outer = t->divide(t->block, blocks), rowBlock = t->sub(t->block, t->mul(outer, blocks));
  batch = t->divide(outer, heads);
  head = t->sub(outer, t->mul(batch, heads));
  Value keyHeads = t->size(op.getKey(), op.getHeadDim());
  keyHead = t->divide(head, t->divide(heads, keyHeads));
  firstTileRow = t->mul(t->warp, rows);
  blockRow = t->mul(rowBlock, rows * warps);
  firstRow = t->add(blockRow, firstTileRow);
}

LogicalResult SimtAttention::buildThread() {
  queryTile = t->shared({warps * rows, width});
  keyTile = t->shared({kWarp, getPitch(depth, word)});
  weightTile = t->shared({warps * rows, kWarp});
  place();
  for (int64_t r = 0; r < rows; ++r)
    row.push_back(t->min(t->add(firstRow, r), t->sub(queryCount, 1)));
  loadQueries();
  // All warps take part in loading keys, those without a query as well.
  Value lastRow = t->min(t->add(blockRow, rows * warps), queryCount);
  IRMapping none;
  auto live = liveKeys(*t, op, none,
                       {coordinate(batch, 0), coordinate(head, 1), coordinate(blockRow, 2),
                        coordinate(lastRow, 2)},
                       op.getOffsets().empty() ? t->index(0) : op.getOffsets()[3], keyCount);
  if (failed(live))
    return failure();
  auto state = SimtSoftmax::start(*t, rows, chunks, chunk);
  Values flat = t->loop(live->first, live->second, kWarp, state.flatten(),
                        [&](Value begin, ValueRange carried) {
    return tile(begin, live->second, SimtSoftmax::unflatten(carried, rows)).flatten();
  });
  store(SimtSoftmax::unflatten(flat, rows));
  return success();
}

/// Queries, after their map, to shared memory: each warp those of its rows.
void SimtAttention::loadQueries() {
  auto find = [&](Value r) {
    return QueryRow{batch, head, t->min(t->add(firstRow, r), t->sub(queryCount, 1))};
  };
  loadSimtQueries(*t, op, queryTile, firstTileRow, rows, t->lane, kWarp, find);
  t->syncWarp();
}

/// Channels [from, from + count) of a tile of keys to shared memory, by all threads
/// of the block. The last key stands for those beyond the end.
void SimtAttention::loadKeys(Value begin, Value end, int64_t from, int64_t count) {
  int64_t parts = count / step, part = std::min<int64_t>(step, word);
  t->loop(t->thread, t->index(kWarp * parts), warps * kWarp, [&](Value i) {
    Value key = t->divide(i, parts), c = t->mul(t->sub(i, t->mul(key, parts)), step);
    Values at = rowAt(op, batch, keyHead, t->min(t->add(begin, key), t->sub(end, 1)));
    Value k = t->loadWide(op.getKey(), posenc::join(at, t->add(c, from)), step);
    Values pieces;
    for (int64_t p = 0; p < step; p += part) {
      Values elements;
      for (int64_t e = 0; e < part; ++e)
        elements.push_back(t->element(k, p + e));
      pieces.push_back(t->join(elements));
    }
    // Of eight threads, four store the second of two pieces first: 16 bytes each, in
    // all banks.
    Values places;
    for (int64_t p = 0; p < step; p += part)
      places.push_back(t->index(p));
    if (pieces.size() == 2 && part == 4) {
      Value isSwapped = t->less(t->index(3), arith::AndIOp::create(*t, i, t->index(7)));
      pieces = {t->select(isSwapped, pieces[1], pieces[0]),
                t->select(isSwapped, pieces[0], pieces[1])};
      places = {t->select(isSwapped, places[1], places[0]),
                t->select(isSwapped, places[0], places[1])};
    }
    for (auto [piece, place] : llvm::zip(pieces, places))
      t->storeWide(piece, keyTile, {key, t->add(c, place)});
  });
}

/// Products of this lane's key with each query.
SmallVector<Value> SimtAttention::products(Value begin, Value end) {
  Values sums(rows, t->f32(0));
  for (int64_t from = 0; from < width; from += depth) {
    int64_t count = std::min(depth, width - from);
    t->syncBlock();
    loadKeys(begin, end, from, count);
    t->syncBlock();
    sums = t->loop(t->index(0), t->index(count), word, sums, [&](Value c, ValueRange acc) {
      Value k = t->loadWide(keyTile, {t->lane, c}, word);
      Values next(acc);
      for (int64_t r = 0; r < rows; ++r) {
        Value q = t->loadWide(queryTile, {t->add(firstTileRow, r), t->add(c, from)}, word);
        for (int64_t i = 0; i < word; ++i)
          next[r] = t->fma(t->element(q, i), t->element(k, i), next[r]);
      }
      return next;
    });
  }
  return sums;
}

SmallVector<Value> SimtAttention::scores(Value begin, Value end) {
  Values result = products(begin, end);
  Value key = t->add(begin, t->lane), inside = t->less(key, end);
  key = t->min(key, t->sub(end, 1));
  for (int64_t r = 0; r < rows; ++r) {
    Values where{coordinate(batch, 0), coordinate(head, 1), coordinate(row[r], 2),
                 coordinate(key, 3)};
    result[r] = simtScore(*t, op, result[r], where, inside);
  }
  return result;
}

/// One step of the online softmax.
SimtSoftmax SimtAttention::tile(Value begin, Value end, SimtSoftmax state) {
  Values weights = state.add(*t, scores(begin, end));
  for (int64_t r = 0; r < rows; ++r)
    t->store(weights[r], weightTile, {t->add(firstTileRow, r), t->lane});
  t->syncWarp();
  state = addValues(begin, end, state);
  t->syncWarp();
  return state;
}

/// Adds the values of a tile of keys, four at a time, by their weights. Keys beyond
/// the end weigh nothing, and the last stands for them.
SimtSoftmax SimtAttention::addValues(Value begin, Value end, SimtSoftmax state) {
  constexpr int64_t unroll = 4;
  Value count = t->min(t->sub(end, begin), kWarp);
  // Numbers of 32 bits, whose product with a stride is one instruction.
  Value start = t->toInt(begin), last = t->toInt(t->sub(end, 1));
  bool hasPadding = !paddingConditions(op).empty();
  state.outputs = t->loop(t->i32(0), t->toInt(count), unroll, state.outputs,
                          [&](Value first, ValueRange carried) {
    Values outputs(carried), weights;
    for (int64_t r = 0; r < rows; ++r)
      weights.push_back(
          t->loadWide(weightTile, {t->add(firstTileRow, r), t->toIndex(first)}, unroll));
    for (int64_t i = 0; i < unroll; ++i) {
      Value key = t->min(t->add(t->add(start, first), t->i32(i)), last), seen;
      Values at = rowAt(op, batch, keyHead, t->toIndex(key));
      // The values of padding may be anything, a NaN for example.
      if (hasPadding) {
        for (Value w : weights)
          seen = seen ? t->max(seen, t->element(w, i)) : t->element(w, i);
        seen = t->less(t->f32(0), seen);
      }
      for (int64_t c = 0; c < chunks; ++c) {
        Value d = channel(c);
        if (!isWhole(c))
          d = t->min(d, valueWidth - chunk);
        Value v = t->loadWide(op.getValue(), posenc::join(at, d), chunk);
        if (seen)
          v = t->select(seen, v, chunk == 1 ? t->f32(0) : t->splat(0, chunk));
        for (int64_t r = 0; r < rows; ++r) {
          Value w = t->element(weights[r], i), &output = outputs[r * chunks + c];
          output = t->fma(chunk == 1 ? w : t->broadcast(w, chunk), v, output);
        }
      }
    }
    return outputs;
  });
  return state;
}

void SimtAttention::store(const SimtSoftmax &state) {
  for (int64_t r = 0; r < rows; ++r) {
    Value sum = t->warpSum(state.sums[r]), isEmpty = t->lessEqual(sum, t->f32(0));
    Value inverse = t->select(isEmpty, t->f32(0), t->div(t->f32(1), sum));
    t->ifThen(t->less(t->add(firstRow, r), queryCount), [&] {
      Values at = rowAt(op, batch, head, row[r]);
      for (int64_t c = 0; c < chunks; ++c) {
        Value d = channel(c), output = state.outputs[r * chunks + c];
        auto write = [&] {
          t->storeWide(t->mul(output, chunk == 1 ? inverse : t->broadcast(inverse, chunk)),
                       op.getOuts()[0], posenc::join(at, d));
        };
        if (isWhole(c))
          write();
        else
          t->ifThen(t->less(d, t->index(valueWidth)), write);
      }
      if (op.getOuts().size() == 2)
        t->ifThen(t->less(t->lane, t->index(1)), [&] {
          Value lse = t->add(state.maxima[r], math::LogOp::create(*t, sum));
          lse = t->select(isEmpty, t->f32(-kInfinity), lse);
          t->store(lse, op.getOuts()[1], {batch, head, row[r]});
        });
    });
  }
}

LogicalResult posenc::buildSimtAttention(AttentionOp op, const Chip &chip) {
  return SimtAttention(op, chip).build();
}
