//===- AttentionTiles.cpp - one panel of queries and one block of keys ----===//

#include "Vectorize/AttentionKernel.h"

using namespace mlir;
using namespace posenc;

SmallVector<Value> AttentionKernel::loadPanel(Value memref, ArrayRef<Value> at) {
  Values values;
  for (unsigned c = 0; c < chunks; ++c)
    values.push_back(b.load(memref, join(at, b.index(c * b.lanes)), b.lanes));
  return values;
}

void AttentionKernel::storePanel(ValueRange values, Value memref, ArrayRef<Value> at) {
  for (auto [c, value] : llvm::enumerate(values))
    b.store(value, memref, join(at, b.index(c * b.lanes)));
}

/// One step of a register tile.
void AttentionKernel::addProducts(llvm::function_ref<Value(int64_t)> left, ValueRange right,
                                  MutableArrayRef<Value> sums) {
  if (!plan.pairs)
    return b.addProducts(left, right, sums);
  for (int64_t r = 0, rows = sums.size() / chunks; r < rows; ++r) {
    Value x = b.broadcast(left(r), b.lanes);
    for (auto [y, sum] : llvm::zip(right, sums.slice(r * chunks, chunks)))
      sum = b.addPairs(sum, y, x);
  }
}

/// sums[r] += left(r, k) * right(k) over k, all sums in registers.
SmallVector<Value> AttentionKernel::registerTile(llvm::function_ref<Value(int64_t, Value)> left,
                                                 llvm::function_ref<Values(Value)> right,
                                                 Value extent, Values inits) {
  return b.loop(b.index(0), extent, 1, inits, [&](Value k, ValueRange sums) {
    Values next(sums);
    addProducts([&](int64_t r) { return left(r, k); }, right(k), next);
    return next;
  });
}

/// A score or mask region with everything that keys do not change built here.
RegionVectorizer AttentionKernel::pairs(Region &region, unsigned leading, Value first,
                                        Value full) {
  RegionVectorizer vectorizer(b, region, outer, full);
  vectorizer.bind(region.getArgument(leading), coordinate(args.batch, 0));
  vectorizer.bind(region.getArgument(leading + 1), coordinate(args.head, 1));
  Lanes rows = Lanes::counting(b, coordinate(first, 2), chunks, b.lanes);
  // Lanes behind the last query repeat it, so that regions see valid rows only.
  Value last = b.broadcast(coordinate(b.sub(queries, 1), 2), b.lanes);
  for (auto &chunk : rows.chunks)
    chunk = b.min(chunk, last);
  vectorizer.bind(region.getArgument(leading + 2), rows);
  vectorizer.hoist();
  return vectorizer;
}

/// Asks for keys and values of the next block, or of the first for queries to come,
/// which may be those of the next head: each tile of each panel for its share of the rows.
void AttentionKernel::prefetch(Tile &tile, Value key) {
  Value share = b.ceilDivide(b.min(keys, plan.keys), plan.panels);
  Value part = b.add(b.mul(tile.panel, share), b.divide(b.sub(key, tile.block), plan.panels));
  SmallVector<Values> rows;
  for (int64_t r = 0; r < llvm::divideCeil(plan.rows, plan.panels); ++r) {
    Value near = b.add(part, r), row = b.add(b.add(tile.block, plan.keys), near);
    Value here = b.less(row, keys);
    rows.push_back(rowAt(b.select(here, keyHead, nextKeyHead),
                         b.select(here, row, b.min(near, b.sub(keys, 1)))));
  }
  auto fetch = [&](Value memref, int64_t width) {
    int64_t line = 512 / cast<MemRefType>(memref.getType()).getElementTypeBitWidth();
    b.loop(b.index(0), b.index(width), line, [&](Value c) {
      for (const Values &row : rows)
        b.prefetch(memref, join(row, c));
    });
  };
  fetch(args.key, width);
  fetch(args.value, valueWidth);
}

/// Scores of `plan.rows` keys from `key` on, in powers of two, to scratch; an
/// edge repeats the last key behind the end and asks the mask.
SmallVector<Value> AttentionKernel::scores(Tile &tile, Value key, bool edge,
                                           ValueRange maximum) {
  Values rows, sources;
  Value last = b.sub(tile.end, 1);
  for (int64_t r = 0; r < plan.rows; ++r) {
    rows.push_back(b.add(key, r));
    sources.push_back(edge ? b.min(rows[r], last) : rows[r]);
  }
  Values scratchRows;
  for (Value row : sources)
    scratchRows.push_back(keyScratch ? b.sub(row, tile.block) : row);
  auto keyChannel = [&](int64_t r, Value d) {
    Value from = keyScratch ? keyScratch : args.key;
    Values row = keyScratch ? Values{scratchRows[r]} : rowAt(keyHead, scratchRows[r]);
    return plan.pairs ? b.loadPairs(from, row, d, 0) : b.load(from, join(row, d), 0);
  };
  Values s = registerTile(
      keyChannel, [&](Value d) { return loadPanel(packed, {tile.panel, d}); },
      b.index(steps), Values(plan.rows * chunks, b.splat(0.0)));

  if (!edge)
    prefetch(tile, key);
  SmallVector<Values> levels;
  for (int64_t r = 0; r < plan.rows; ++r) {
    Values row(ArrayRef(s).slice(r * chunks, chunks));
    Value at = coordinate(sources[r], 3);
    if (tile.score) {
      Region &region = op.getScoreMod();
      if (plan.pairs)
        for (Value &v : row)
          v = b.mul(v, b.splat(scale));
      Lanes modified = tile.score->evaluate(
          {{region.getArgument(0), Lanes(row)}, {region.getArgument(4), at}})[0];
      row = modified.asVectors(b, chunks, b.lanes);
    }
    if (tile.mask && edge) {
      Lanes seen = tile.mask->evaluate({{op.getMask().getArgument(3), at}})[0];
      Values visible = seen.asVectors(b, chunks, b.lanes);
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
        larger.push_back(b.max(x, y));
      next.push_back(larger);
    }
    if (levels.size() % 2)
      next.push_back(levels.back());
    levels = std::move(next);
  }
  return levels[0];
}

void AttentionKernel::panelKeys(Value panel, Value first, Value begin, Value end, Value block,
                                Value isLast) {
  Tile tile{panel, first, block, begin, end, isLast};
  Value full = b.lessEqual(b.add(first, plan.width), queries);
  std::optional<RegionVectorizer> score, mask;
  if (!op.getScoreMod().empty())
    tile.score = &score.emplace(pairs(op.getScoreMod(), 1, first, full));
  if (!op.getMask().empty())
    tile.mask = &mask.emplace(pairs(op.getMask(), 0, first, full));

  // Edges [begin, inner) and [outerEdge, end) ask the mask, the tiles between do not.
  Value inner = begin, limit = end;
  if (tile.mask && isLiveExact(op, /*padding=*/true)) {
    Value last = b.min(b.add(first, plan.width), queries);
    auto [low0, high0] = liveKeys(first, b.add(first, 1));
    auto [low1, high1] = liveKeys(b.sub(last, 1), last);
    Value from = b.min(b.max(b.max(low0, low1), begin), end);
    Value before = b.add(b.sub(from, begin), plan.rows - 1);
    inner = b.add(begin, b.roundDown(before, plan.rows));
    limit = b.min(end, b.min(high0, high1));
    if (hasPadding) {
      inner = b.select(hasPadding, begin, inner);
      limit = b.select(hasPadding, begin, limit);
    }
  } else if (tile.mask) {
    limit = begin;
  }
  Value outerEdge = b.add(inner, b.roundDown(b.max(b.sub(limit, inner), 0), plan.rows));

  Values old = loadPanel(maxima, {panel}), maximum = old;
  auto tiles = [&](Value from, Value to, bool edge) {
    maximum = b.loop(from, to, plan.rows, maximum, [&](Value key, ValueRange acc) {
      return scores(tile, key, edge, acc);
    });
  };
  if (inner != begin)
    tiles(begin, inner, true);
  if (limit != begin)
    tiles(inner, outerEdge, false);
  tiles(outerEdge, end, true);
  storePanel(maximum, maxima, {panel});
  if (plan.pairs) // what an odd number of keys lacks
    storePanel(Values(chunks, b.splat(hiddenScore)), weights, {b.sub(end, begin)});
  accumulate(tile, old, maximum);
  failed |= (score && score->failed()) || (mask && mask->failed());
}
