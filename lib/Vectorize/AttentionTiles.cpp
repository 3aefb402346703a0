//===- AttentionTiles.cpp - one panel of queries and one block of keys ----===//

#include "Vectorize/AttentionKernel.h"

using namespace mlir;
using namespace posenc;

struct AttentionKernel::Tile {
  Value panel, block, begin, end;
  RegionVectorizer *score = nullptr, *mask = nullptr;
};

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
          v = b.mul(v, b.splat(op.getScale().convertToFloat()));
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

void AttentionKernel::panelKeys(Value panel, Value first, Value begin, Value end, Value block) {
  Tile tile{panel, block, begin, end};
  Value full = b.lessEqual(b.add(first, plan.width), queries);
  std::optional<RegionVectorizer> score, mask;
  if (!op.getScoreMod().empty())
    tile.score = &score.emplace(pairs(op.getScoreMod(), 1, first, full));
  if (!op.getMask().empty())
    tile.mask = &mask.emplace(pairs(op.getMask(), 0, first, full));

  // Edges [begin, inner) and [outerEdge, end) ask the mask, the tiles between do not.
  Value inner = begin, limit = end;
  if (tile.mask && op.getExactLive()) {
    Value last = b.min(b.add(first, plan.width), queries);
    auto [low0, high0] = liveKeys(first, b.add(first, 1));
    auto [low1, high1] = liveKeys(b.sub(last, 1), last);
    Value from = b.min(b.max(b.max(low0, low1), begin), end);
    Value before = b.add(b.sub(from, begin), plan.rows - 1);
    inner = b.add(begin, b.roundDown(before, plan.rows));
    limit = b.min(end, b.min(high0, high1));
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
  rescale(tile, old, maximum);
  if (plan.pairs) // what an odd number of keys lacks
    storePanel(Values(chunks, b.splat(hiddenScore)), weights, {b.sub(end, begin)});
  accumulate(tile, maximum);
  failed |= (score && score->failed()) || (mask && mask->failed());
}

/// What was summed so far is brought to the new maximum.
void AttentionKernel::rescale(Tile &tile, Values old, Values maximum) {
  Values correction, total;
  Value changed;
  for (auto [before, now] : llvm::zip(old, maximum)) {
    Value difference = b.sub(before, now);
    correction.push_back(b.exp2(unit == 1.0 ? difference : b.mul(difference, b.splat(unit))));
    Value differs = arith::CmpFOp::create(b, arith::CmpFPredicate::ONE, before, now);
    changed = changed ? arith::OrIOp::create(b, changed, differs).getResult() : differs;
  }
  b.ifThen(vector::ReductionOp::create(b, vector::CombiningKind::OR, changed), [&] {
    auto scale = [&](Value memref, ArrayRef<Value> at) {
      Values scaled;
      for (auto [o, c] : llvm::zip(loadPanel(memref, at), correction))
        scaled.push_back(b.mul(o, c));
      storePanel(scaled, memref, at);
    };
    storePanel(maximum, maxima, {tile.panel});
    scale(sums, {tile.panel});
    b.loop(b.index(0), b.index(valueWidth), 1, [&](Value d) { scale(result, {tile.panel, d}); });
  });
}

/// What scores of a lane are shifted by to become exponents: finite differences
/// even if all of them are hidden.
SmallVector<Value> AttentionKernel::exponentShifts(ValueRange maximum) {
  Values shifts;
  for (Value m : maximum)
    shifts.push_back(unit == 1.0
                         ? m
                         : b.mul(b.max(b.splat(hiddenScore / 4), m), b.splat(-unit)));
  return shifts;
}

Value AttentionKernel::exponent(Value score, Value shift) {
  return unit == 1.0 ? b.sub(score, shift) : b.fma(score, b.splat(unit), shift);
}

/// The row `k` of the scratch, or the pair of rows: weights in place of scores.
/// Returns their sums.
SmallVector<Value> AttentionKernel::weigh(Value k, ValueRange shifts, ValueRange sum) {
  Values weight, next(sum);
  if (!plan.pairs) {
    for (auto [x, m, s] : llvm::zip(loadPanel(weights, {k}), shifts, next)) {
      weight.push_back(b.exp2(exponent(x, m)));
      s = b.add(s, weight.back());
    }
  } else {
    Value row = b.mul(k, 2);
    for (auto [x, y, m, s] : llvm::zip(loadPanel(weights, {row}),
                                       loadPanel(weights, {b.add(row, 1)}), shifts, next)) {
      Value first = b.exp2ForBF16(exponent(x, m));
      Value second = b.exp2ForBF16(exponent(y, m));
      weight.push_back(b.makePairs(first, second));
      s = b.add(s, b.add(first, second));
    }
  }
  storePanel(weight, weights, {k});
  return next;
}

/// O^T += V x P^T. While the products of the first channels run, scores some
/// keys ahead become weights: arithmetic that fills the gaps between products.
void AttentionKernel::accumulate(Tile &tile, ValueRange maximum) {
  Value count = b.sub(tile.end, tile.begin), zero = b.index(0);
  Values shifts = exponentShifts(maximum);
  Value base = valueScratch ? b.sub(tile.begin, tile.block) : tile.begin;
  if (plan.pairs) {
    count = b.ceilDivide(count, 2);
    base = b.divide(base, 2);
  }
  auto channels = [&](Value from, Value to, int64_t rows, bool isFirst) {
    b.loop(from, to, rows, [&](Value first) {
      Values at, acc;
      for (int64_t r = 0; r < rows; ++r) {
        at.push_back(b.add(first, r));
        llvm::append_range(acc, loadPanel(result, {tile.panel, at[r]}));
      }
      auto products = [&](Value k, MutableArrayRef<Value> acc) {
        auto value = [&](int64_t r) {
          Value row = b.add(base, k);
          if (valueScratch)
            return b.load(valueScratch, {row, at[r]}, 0);
          return b.load(args.value, join(rowAt(keyHead, row), at[r]), 0);
        };
        addProducts(value, loadPanel(weights, {k}), acc);
      };
      Value begin = zero;
      if (isFirst) {
        Value head = b.min(count, plan.ahead);
        Values sum = b.loop(zero, head, 1, loadPanel(sums, {tile.panel}),
                            [&](Value k, ValueRange sum) { return weigh(k, shifts, sum); });
        begin = b.sub(count, head);
        llvm::append_range(acc, sum);
        acc = b.loop(zero, begin, 1, acc, [&](Value k, ValueRange all) {
          Values next(all.drop_back(chunks));
          products(k, next);
          llvm::append_range(next, weigh(b.add(k, head), shifts, all.take_back(chunks)));
          return next;
        });
        storePanel(ArrayRef(acc).take_back(chunks), sums, {tile.panel});
        acc.pop_back_n(chunks);
      }
      acc = b.loop(begin, count, 1, acc, [&](Value k, ValueRange acc) {
        Values next(acc);
        products(k, next);
        return next;
      });
      for (int64_t r = 0; r < rows; ++r)
        storePanel(ArrayRef(acc).slice(r * chunks, chunks), result, {tile.panel, at[r]});
    });
  };
  // Constants and sums of the weights take the place of some accumulators.
  int64_t firsts = std::min(2 * plan.rows / 3, valueWidth), others = valueWidth - firsts;
  channels(zero, b.index(firsts), firsts, true);
  if (!others)
    return;
  // Tiles of two adjacent sizes: a small rest would wait for its own sums.
  int64_t tiles = llvm::divideCeil(others, plan.rows);
  int64_t low = others / tiles, larger = others - low * tiles;
  Value split = b.index(firsts + larger * (low + 1));
  if (larger)
    channels(b.index(firsts), split, low + 1, false);
  channels(split, b.index(valueWidth), low, false);
}
