//===- AttentionTiles.cpp - one panel of queries and one block of keys ----===//

#include "Vectorize/AttentionKernel.h"

#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace posenc;

SmallVector<Value> AttentionKernel::loadPanel(Value memref, ArrayRef<Value> at, Part part) {
  Values values;
  for (unsigned c = part.first; c < part.first + part.count; ++c)
    values.push_back(b.load(memref, join(at, b.index(c * b.lanes)), b.lanes));
  return values;
}

void AttentionKernel::storePanel(ValueRange values, Value memref, ArrayRef<Value> at,
                                 unsigned chunk) {
  for (auto [c, value] : llvm::enumerate(values))
    b.store(value, memref, join(at, b.index((chunk + c) * b.lanes)));
}

/// One step of a register tile.
void AttentionKernel::addProducts(llvm::function_ref<Value(int64_t)> left, ValueRange right,
                                  MutableArrayRef<Value> sums) {
  if (!plan.pairs)
    return b.addProducts(left, right, sums);
  for (int64_t r = 0, count = right.size(), rows = sums.size() / count; r < rows; ++r) {
    Value x = b.broadcast(left(r), b.lanes);
    for (auto [y, sum] : llvm::zip(right, sums.slice(r * count, count)))
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
RegionVectorizer AttentionKernel::pairs(Region &region, unsigned leading, Tile &tile, Part part) {
  Value full = b.lessEqual(b.add(tile.first, plan.width), queries);
  RegionVectorizer vectorizer(b, region, outer, full);
  vectorizer.bind(region.getArgument(leading), coordinate(args.batch, 0));
  vectorizer.bind(region.getArgument(leading + 1), coordinate(args.head, 1));
  Value first = b.add(tile.first, part.first * b.lanes);
  Lanes rows = Lanes::counting(b, coordinate(first, 2), part.count, b.lanes);
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
  Value last = b.sub(keys, 1);
  SmallVector<Values> rows, encoded, plain;
  Value isPlain, done; // what this or the next block of queries has to encode
  if (args.done)
    done = memref::LoadOp::create(b, args.done, ValueRange{b.index(0)});
  for (int64_t r = 0; r < llvm::divideCeil(plan.rows, plan.panels); ++r) {
    Value near = b.add(part, r), row = b.add(b.add(tile.block, plan.keys), near);
    Value here = b.less(row, keys);
    rows.push_back(rowAt(b.select(here, keyHead, nextKeyHead),
                         b.select(here, row, b.min(near, last))));
    if (!args.done)
      continue;
    encoded.push_back({b.min(row, last)});
    row = b.select(b.less(row, lastKey), row, b.add(lastKey, near));
    here = b.less(row, keys);
    plain.push_back(rowAt(b.select(here, keyHead, nextKeyHead),
                          b.select(here, row, b.min(b.sub(row, keys), last))));
    if (!isPlain)
      isPlain = b.select(here, b.lessEqual(done, row), b.less(keyHead, nextKeyHead));
  }
  auto fetch = [&](Value memref, ArrayRef<Values> rows, int64_t width) {
    int64_t line = 512 / cast<MemRefType>(memref.getType()).getElementTypeBitWidth();
    b.loop(b.index(0), b.index(width), line, [&](Value c) {
      for (const Values &row : rows)
        b.prefetch(memref, join(row, c));
    });
  };
  fetch(args.keyRows, plan.encodesKeys ? encoded : rows, width);
  fetch(args.valueRows, plan.encodesValues ? encoded : rows, valueWidth);
  if (args.done)
    b.ifThen(isPlain, [&] {
      if (plan.encodesKeys)
        fetch(args.key, plain, width);
      if (plan.encodesValues)
        fetch(args.value, plain, valueWidth);
    });
}

/// Scores of `plan.rows` keys from `key` on, in powers of two, to scratch; an
/// edge repeats the last key behind the end and asks the mask. Vectors that are not
/// in the part see none of these keys.
SmallVector<Value> AttentionKernel::scores(Tile &tile, Part part, Value key, bool edge,
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
    if (args.count)
      return edge ? cachedKey(tile, sources[r], 0, d) : cachedKey(tile, key, r, d);
    Value from = keyScratch ? keyScratch : args.keyRows;
    Values row = keyScratch ? Values{scratchRows[r]} : keyAt(scratchRows[r]);
    return plan.pairs ? b.loadPairs(from, row, d, 0) : b.load(from, join(row, d), 0);
  };
  auto left = [&](int64_t r, Value d) {
    if (!r && !edge && args.count)
      prefetchCache(tile, key, d);
    return keyChannel(r, d);
  };
  Values s = registerTile(
      left, [&](Value d) { return loadPanel(packed, {tile.panel, d}, part); },
      b.index(steps), Values(plan.rows * part.count, b.splat(0.0)));

  if (!edge && !args.count)
    prefetch(tile, key);
  SmallVector<Values> levels;
  for (int64_t r = 0; r < plan.rows; ++r) {
    Values row(ArrayRef(s).slice(r * part.count, part.count));
    Value place = coordinate(sources[r], 3);
    if (tile.score) {
      Region &region = op.getScoreMod();
      if (plan.pairs)
        for (Value &v : row)
          v = b.mul(v, b.splat(scale));
      Lanes modified = tile.score->evaluate(
          {{region.getArgument(0), Lanes(row)}, {region.getArgument(4), place}})[0];
      row = modified.asVectors(b, part.count, b.lanes);
    }
    if (tile.mask && edge) {
      Lanes seen = tile.mask->evaluate({{op.getMask().getArgument(3), place}})[0];
      Values visible = seen.asVectors(b, part.count, b.lanes);
      for (auto [v, seen] : llvm::zip(row, visible))
        v = b.select(seen, v, b.splat(hiddenScore));
    }
    Value at = b.sub(rows[r], tile.begin);
    storePanel(row, weights, at, part.first);
    if (part.count < chunks)
      storePanel(b.splat(hiddenScore), weights, at, 1 - part.first);
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

/// Of the edges [begin, inner) and [outer, end), whole tiles at the ends may be seen by
/// one of the two vectors only.
void AttentionKernel::findHalves(Tile &tile, Value inner, Value outer) {
  bool cutsPairs = plan.pairs && plan.rows % 2;
  if (op.getLive().empty() || !tile.mask || cutsPairs)
    return;
  Value middle = b.min(b.add(tile.first, b.lanes), queries);
  Value last = b.min(b.add(tile.first, plan.width), queries);
  auto wholeTiles = [&](Value key, int64_t more) {
    Value count = b.add(b.max(b.sub(key, tile.begin), 0), more);
    return b.add(tile.begin, b.roundDown(count, plan.rows));
  };
  Operation *bounds = op.getLive().front().getTerminator();
  if (inner != tile.begin && !matchPattern(bounds->getOperand(0), m_Zero())) {
    Value low = liveKeys(b.min(middle, b.sub(queries, 1)), last).first;
    tile.both = b.min(wholeTiles(low, 0), inner);
  }
  Value high = liveKeys(tile.first, middle).second;
  tile.second = b.min(b.max(wholeTiles(high, plan.rows - 1), outer), tile.end);
}

void AttentionKernel::panelKeys(Value panel, Value first, Value begin, Value end, Value block,
                                Value isLast) {
  Tile tile{panel, first, block, begin, end, isLast};
  std::optional<RegionVectorizer> score, mask;
  auto noteFailures = [&] {
    failed |= (score && score->failed()) || (mask && mask->failed());
  };
  auto takeRegions = [&](Part part) {
    noteFailures();
    if (!op.getScoreMod().empty())
      tile.score = &score.emplace(pairs(op.getScoreMod(), 1, tile, part));
    if (!op.getMask().empty())
      tile.mask = &mask.emplace(pairs(op.getMask(), 0, tile, part));
  };
  takeRegions(whole());

  // Edges [begin, inner) and [outerEdge, end) ask the mask, the tiles between do not.
  Value inner = begin, limit = end;
  auto wholeTiles = [&](Value key) { // from `begin` on, or where tiles of a cache begin
    Value start = tilesAreOfBlocks() ? b.index(0) : begin;
    return b.add(start, b.roundDown(b.add(b.sub(key, start), plan.rows - 1), plan.rows));
  };
  if (tilesAreOfBlocks() && !op.getLive().empty())
    inner = wholeTiles(begin);
  if (tile.mask && isLiveExact(op, /*padding=*/true)) {
    Value last = b.min(b.add(first, plan.width), queries);
    auto [low0, high0] = liveKeys(first, b.add(first, 1));
    auto [low1, high1] = liveKeys(b.sub(last, 1), last);
    Value from = b.min(b.max(b.max(low0, low1), begin), end);
    inner = wholeTiles(from);
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
  auto tiles = [&](Value from, Value to, bool edge, Part part) {
    ArrayRef<Value> parts(maximum);
    Values own = b.loop(from, to, plan.rows, parts.slice(part.first, part.count),
                        [&](Value key, ValueRange acc) { return scores(tile, part, key, edge, acc); });
    llvm::copy(own, maximum.begin() + part.first);
  };
  findHalves(tile, inner, outerEdge);
  if (inner != begin)
    tiles(tile.both ? tile.both : begin, inner, true, whole());
  if (limit != begin)
    tiles(inner, outerEdge, false, whole());
  tiles(outerEdge, tile.second ? tile.second : end, true, whole());
  for (unsigned half = 0; half < 2; ++half)
    if (half ? tile.second : tile.both) {
      takeRegions({half, 1});
      tiles(half ? tile.second : begin, half ? end : tile.both, true, {half, 1});
    }
  noteFailures();
  storePanel(maximum, maxima, {panel});
  if (plan.pairs) // what an odd number of keys lacks
    storePanel(Values(chunks, b.splat(hiddenScore)), weights, {b.sub(end, begin)});
  accumulate(tile, old, maximum);
}
