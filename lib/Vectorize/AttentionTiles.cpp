//===- AttentionTiles.cpp - one panel of queries and one block of keys ----===//

#include "Vectorize/AttentionKernel.h"
#include "Vectorize/Exp2.h"

using namespace mlir;
using namespace posenc;

struct AttentionKernel::Tile {
  Value panel, block, begin, end;
  RegionVectorizer *score = nullptr, *mask = nullptr;
};

SmallVector<Value> AttentionKernel::loadPanel(Value memref, ArrayRef<Value> at) {
  Values values;
  for (unsigned c = 0; c < chunks; ++c) {
    Values index(at);
    index.push_back(b.index(c * shape.lanes));
    values.push_back(b.load(memref, index, shape.lanes));
  }
  return values;
}

void AttentionKernel::storePanel(ValueRange values, Value memref, ArrayRef<Value> at) {
  for (auto [c, value] : llvm::enumerate(values)) {
    Values index(at);
    index.push_back(b.index(c * shape.lanes));
    b.store(value, memref, index);
  }
}

/// acc[r] += left(r, k) * right(k) over k, all accumulators in registers.
SmallVector<Value> AttentionKernel::registerTile(int64_t rows,
                                                 llvm::function_ref<Value(int64_t, Value)> left,
                                                 llvm::function_ref<Values(Value)> right,
                                                 Value extent, Values inits) {
  return b.loop(b.index(0), extent, b.index(1), inits, [&](Value k, ValueRange acc) {
    Values operand = right(k), next;
    for (int64_t r = 0; r < rows; ++r) {
      Value x = b.broadcast(left(r, k), shape.lanes);
      for (unsigned c = 0; c < chunks; ++c)
        next.push_back(b.fma(x, operand[c], acc[r * chunks + c]));
    }
    return next;
  });
}

/// A score or mask region with everything that keys do not change built here.
RegionVectorizer AttentionKernel::pairs(Region &region, unsigned leading, Value first,
                                        Value full) {
  RegionVectorizer vectorizer(b, region, chunks, shape.lanes, outer, full);
  vectorizer.bind(leading, Lanes::scalar(coordinate(args.batch, 0)));
  vectorizer.bind(leading + 1, Lanes::scalar(coordinate(args.head, 1)));
  Lanes rows = Lanes::counting(b, coordinate(first, 2), chunks, shape.lanes);
  // Lanes behind the last query repeat it, so that regions see valid rows only.
  Value last = b.broadcast(coordinate(b.sub(queries, b.index(1)), 2), shape.lanes);
  for (auto &chunk : rows.chunks)
    chunk = b.min(chunk, last);
  vectorizer.bind(leading + 2, rows);
  vectorizer.hoist();
  return vectorizer;
}

/// Scores of `shape.rows` keys from `key` on, in powers of two, to scratch; an
/// edge repeats the last key behind the end and asks the mask.
SmallVector<Value> AttentionKernel::scores(Tile &tile, Value key, bool edge,
                                           ValueRange maximum) {
  Values rows, sources;
  Value last = b.sub(tile.end, b.index(1));
  for (int64_t r = 0; r < shape.rows; ++r) {
    rows.push_back(b.add(key, r));
    sources.push_back(edge ? b.min(rows[r], last) : rows[r]);
  }
  Values scratchRows;
  for (Value row : sources)
    scratchRows.push_back(keyScratch ? b.sub(row, tile.block) : row);
  auto keyChannel = [&](int64_t r, Value d) {
    if (keyScratch)
      return b.load(keyScratch, {scratchRows[r], d}, 0);
    return b.load(args.key, rowAt(keyHead, scratchRows[r], d), 0);
  };
  Values s = registerTile(
      shape.rows, keyChannel, [&](Value d) { return loadPanel(packed, {tile.panel, d}); },
      b.index(width), Values(shape.rows * chunks, b.splat(0.0)));

  SmallVector<Values> levels;
  for (int64_t r = 0; r < shape.rows; ++r) {
    Values row(ArrayRef(s).slice(r * chunks, chunks));
    Lanes at = Lanes::scalar(coordinate(sources[r], 3));
    if (tile.score) {
      row = tile.score->evaluate({{0, Lanes::vectors(row)}, {4, at}})[0].asVectors(
          b, chunks, shape.lanes);
      for (Value &v : row)
        v = b.mulf(v, b.splat(log2e));
    }
    if (tile.mask && edge) {
      Values visible = tile.mask->evaluate({{3, at}})[0].asVectors(b, chunks, shape.lanes);
      for (auto [v, seen] : llvm::zip(row, visible))
        v = b.select(seen, v, b.splat(hiddenScore));
    }
    storePanel(row, weights, {b.sub(rows[r], tile.begin)});
    levels.push_back(row);
  }
  // A tree of maxima while the scores are still in registers.
  levels.push_back(llvm::to_vector(maximum));
  while (levels.size() > 1) {
    SmallVector<Values> next;
    for (size_t n = 0; n + 1 < levels.size(); n += 2) {
      Values larger;
      for (auto [x, y] : llvm::zip(levels[n], levels[n + 1]))
        larger.push_back(b.maxf(x, y));
      next.push_back(larger);
    }
    if (levels.size() % 2)
      next.push_back(levels.back());
    levels = std::move(next);
  }
  return levels[0];
}

void AttentionKernel::panelKeys(Value panel, Value first, Value begin, Value end, Value block) {
  Tile tile{panel, block, begin, end};
  Value full = arith::CmpIOp::create(b, arith::CmpIPredicate::sle, b.add(first, shape.width),
                                     queries);
  std::optional<RegionVectorizer> score, mask;
  if (!op.getScoreMod().empty())
    tile.score = &score.emplace(pairs(op.getScoreMod(), 1, first, full));
  if (!op.getMask().empty())
    tile.mask = &mask.emplace(pairs(op.getMask(), 0, first, full));

  // Edges [begin, inner) and [outerEdge, end) ask the mask, the tiles between do not.
  Value step = b.index(shape.rows), inner = begin, outerEdge;
  auto wholeTiles = [&](Value n) { return b.mul(arith::DivSIOp::create(b, n, step), step); };
  Value limit = end;
  if (tile.mask && op.getExactLive()) {
    Value last = b.min(b.add(first, shape.width), queries);
    auto [low0, high0] = liveKeys(first, b.add(first, 1));
    auto [low1, high1] = liveKeys(b.sub(last, b.index(1)), last);
    Value from = b.min(b.max(b.max(low0, low1), begin), end);
    Value before = b.add(b.sub(from, begin), shape.rows - 1);
    inner = b.add(begin, wholeTiles(before));
    limit = b.min(end, b.min(high0, high1));
  } else if (tile.mask) {
    limit = begin;
  }
  outerEdge = b.add(inner, wholeTiles(b.max(b.sub(limit, inner), b.index(0))));

  Values old = loadPanel(maxima, {panel}), maximum = old;
  auto tiles = [&](Value from, Value to, bool edge) {
    maximum = b.loop(from, to, step, maximum, [&](Value key, ValueRange acc) {
      return scores(tile, key, edge, acc);
    });
  };
  if (inner != begin)
    tiles(begin, inner, true);
  if (limit != begin)
    tiles(inner, outerEdge, false);
  tiles(outerEdge, end, true);
  softmax(tile, old, maximum);
  accumulate(tile);
  failed |= (score && score->failed()) || (mask && mask->failed());
}

/// Weights in place of the scores, and what was summed so far brought to the
/// new maximum.
void AttentionKernel::softmax(Tile &tile, Values old, Values maximum) {
  Values correction;
  for (auto [before, now] : llvm::zip(old, maximum))
    correction.push_back(buildExp2(b, b.subf(before, now)));
  Values sum = b.loop(b.index(0), b.sub(tile.end, tile.begin), b.index(1),
                      Values(chunks, b.splat(0.0)), [&](Value row, ValueRange acc) {
                        Values weight, next;
                        for (auto [s, m] : llvm::zip(loadPanel(weights, {row}), maximum))
                          weight.push_back(buildExp2(b, b.subf(s, m)));
                        storePanel(weight, weights, {row});
                        for (auto [x, y] : llvm::zip(acc, weight))
                          next.push_back(b.addf(x, y));
                        return next;
                      });
  storePanel(maximum, maxima, {tile.panel});
  Values total;
  for (auto [l, c, s] : llvm::zip(loadPanel(sums, {tile.panel}), correction, sum))
    total.push_back(b.fma(l, c, s));
  storePanel(total, sums, {tile.panel});
  Value changed;
  for (auto [before, now] : llvm::zip(old, maximum)) {
    Value differs = arith::CmpFOp::create(b, arith::CmpFPredicate::ONE, before, now);
    changed = changed ? arith::OrIOp::create(b, changed, differs).getResult() : differs;
  }
  b.ifThen(vector::ReductionOp::create(b, vector::CombiningKind::OR, changed), [&] {
    b.loop(b.index(0), b.index(valueWidth), 1, [&](Value d) {
      Values scaled;
      for (auto [o, c] : llvm::zip(loadPanel(result, {tile.panel, d}), correction))
        scaled.push_back(b.mulf(o, c));
      storePanel(scaled, result, {tile.panel, d});
    });
  });
}

/// O^T += V x P^T. The channels are split into tiles of two adjacent sizes:
/// a small rest would wait for its own sums.
void AttentionKernel::accumulate(Tile &tile) {
  Value count = b.sub(tile.end, tile.begin);
  Value base = valueScratch ? b.sub(tile.begin, tile.block) : tile.begin;
  auto channels = [&](Value from, Value to, int64_t rows) {
    b.loop(from, to, rows, [&](Value first) {
      Values at, sum;
      for (int64_t r = 0; r < rows; ++r) {
        at.push_back(b.add(first, r));
        llvm::append_range(sum, loadPanel(result, {tile.panel, at[r]}));
      }
      auto value = [&](int64_t r, Value k) {
        Value row = b.add(base, k);
        if (valueScratch)
          return b.load(valueScratch, {row, at[r]}, 0);
        return b.load(args.value, rowAt(keyHead, row, at[r]), 0);
      };
      sum = registerTile(
          rows, value, [&](Value k) { return loadPanel(weights, {k}); }, count, sum);
      for (int64_t r = 0; r < rows; ++r)
        storePanel(ArrayRef(sum).slice(r * chunks, chunks), result, {tile.panel, at[r]});
    });
  };
  int64_t tiles = llvm::divideCeil(valueWidth, shape.rows);
  int64_t low = valueWidth / tiles, larger = valueWidth - low * tiles;
  Value split = b.index(larger * (low + 1));
  if (larger)
    channels(b.index(0), split, low + 1);
  channels(split, b.index(valueWidth), low);
}
