//===- SimtDecodeTile.cpp - 32 keys, from products to weighted values -----===//

#include "GPU/SimtDecode.h"
#include "Vectorize/Kernels.h"

using namespace mlir;
using namespace posenc;

/// Keys whose pieces a lane reads before it uses the first.
static constexpr int64_t kAhead = 8;

SmallVector<Value> SimtDecode::at(Value operand, Value key, Value channel) {
  if (!op.readsCache())
    return posenc::join(rowAt(op, batch, keyHead, key), channel);
  MemRefType type = cast<MemRefType>(operand.getType());
  int64_t blockRows = type.getDimSize(4), chunkSize = type.getDimSize(5);
  Value block = t->divide(key, blockRows), chunk = t->divide(channel, chunkSize);
  return {batch, keyHead, block, chunk, t->sub(key, t->mul(block, blockRows)),
          t->sub(channel, t->mul(chunk, chunkSize))};
}

Value SimtDecode::channel(const RowPieces &pieces, int64_t round) {
  Value piece = t->sub(t->lane, t->roundDown(t->lane, pieces.lanes));
  Value c = t->mul(t->add(piece, round * pieces.lanes), pieces.size);
  return pieces.isWhole(round) ? c : t->min(c, pieces.width - pieces.size);
}

Value SimtDecode::firstOf(const RowPieces &pieces) { return t->roundDown(t->lane, pieces.lanes); }

/// Products of each row with `count` keys, from number `step` of this lane's share on.
/// Of the lanes that differ below `count`, each gets those with one key, summed over them.
SmallVector<Value> SimtDecode::products(Value first, Value last, int64_t step, int64_t count) {
  if (count == 1) {
    Value key = t->min(t->add(first, step), last);
    Values sums(rows, t->f32(0));
    for (int64_t c = 0; c < keys.rounds; ++c) {
      Value k = t->loadWide(op.getKey(), at(op.getKey(), key, channel(keys, c)), keys.size);
      for (int64_t r = 0; r < rows; ++r)
        for (int64_t e = 0; e < keys.size; ++e)
          sums[r] = t->fma(t->element(query[r][c], e), t->element(k, e), sums[r]);
    }
    return sums;
  }
  int64_t half = count / 2;
  Values low = products(first, last, step, half), high = products(first, last, step + half, half);
  Value isHigh = t->less(t->index(0), arith::AndIOp::create(*t, t->lane, t->index(half)));
  for (auto [a, b] : llvm::zip(low, high)) {
    Value own = t->select(isHigh, b, a), given = t->select(isHigh, a, b);
    a = t->add(own, t->shuffle(given, half));
  }
  return low;
}

/// The score of the key begin + lane for each row, -inf if it is hidden.
SmallVector<Value> SimtDecode::scores(Value begin, Value end) {
  Value last = t->sub(end, 1), first = t->add(begin, firstOf(keys));
  int64_t ahead = std::min(keys.lanes, kAhead);
  Values result;
  if (ahead == keys.lanes) {
    result = products(first, last, 0, ahead);
  } else {
    // Lanes that differ above have parts of the same sums.
    Value place = t->sub(t->lane, t->roundDown(t->lane, keys.lanes));
    result = t->loop(t->index(0), t->index(keys.lanes), ahead, Values(rows, t->f32(0)),
                     [&](Value step, ValueRange old) {
      Values sums = products(t->add(first, step), last, 0, ahead);
      Value isOwn = t->less(t->sub(place, step), t->index(ahead));
      isOwn = t->logicalAnd(isOwn, t->lessEqual(step, place));
      for (auto [sum, before] : llvm::zip(sums, old)) {
        for (int64_t distance = ahead; distance < keys.lanes; distance *= 2)
          sum = t->add(sum, t->shuffle(sum, distance));
        sum = t->select(isOwn, sum, before);
      }
      return sums;
    });
  }
  Value key = t->add(begin, t->lane), inside = t->less(key, end);
  key = t->min(key, last);
  for (int64_t r = 0; r < rows; ++r) {
    Values where{coordinate(batch, 0), coordinate(row[r].head, 1), coordinate(row[r].query, 2),
                 coordinate(key, 3)};
    result[r] = simtScore(*t, op, result[r], where, inside);
  }
  return result;
}

/// One step of the online softmax.
SimtSoftmax SimtDecode::addTile(Value begin, Value end, SimtSoftmax state) {
  Values weights = state.add(*t, scores(begin, end));
  for (int64_t r = 0; r < rows; ++r)
    t->store(weights[r], weightTile, {t->add(t->mul(t->warp, rows), r), t->lane});
  t->syncWarp();
  addValues(begin, end, state.outputs);
  t->syncWarp();
  return state;
}

/// Adds the values of the keys by their weights. Keys beyond the end weigh nothing, and
/// the last stands for them.
void SimtDecode::addValues(Value begin, Value end, Values &outputs) {
  int64_t ahead = std::min(values.lanes, kAhead / 2);
  Value last = t->sub(end, 1), first = firstOf(values);
  outputs = t->loop(t->index(0), t->index(values.lanes), ahead, outputs,
                    [&](Value step, ValueRange carried) {
    Values sums(carried), weights;
    Value place = t->add(first, step);
    for (int64_t r = 0; r < rows; ++r)
      weights.push_back(
          t->loadWide(weightTile, {t->add(t->mul(t->warp, rows), r), place}, ahead));
    for (int64_t i = 0; i < ahead; ++i) {
      Value key = t->min(t->add(begin, t->add(place, i)), last), seen;
      // The values of a key that no row sees may be anything, a NaN for example.
      if (!op.getMask().empty()) {
        for (Value w : weights)
          seen = seen ? t->max(seen, t->element(w, i)) : t->element(w, i);
        seen = t->less(t->f32(0), seen);
      }
      for (int64_t c = 0; c < values.rounds; ++c) {
        Value v = t->loadWide(op.getValue(), at(op.getValue(), key, channel(values, c)), values.size);
        if (seen)
          v = t->select(seen, v, values.size == 1 ? t->f32(0) : t->splat(0, values.size));
        for (int64_t r = 0; r < rows; ++r) {
          Value w = t->element(weights[r], i), &sum = sums[r * values.rounds + c];
          sum = t->fma(values.size == 1 ? w : t->broadcast(w, values.size), v, sum);
        }
      }
    }
    return sums;
  });
}
