//===- AttentionValues.cpp - weights of keys, and sums of values ----------===//

#include "Vectorize/AttentionKernel.h"

using namespace mlir;
using namespace posenc;

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

/// Asks for the rows of the result that this panel will write, each tile of
/// channels but the first for its share.
void AttentionKernel::prefetchResult(Tile &tile, Value channel, int64_t channels) {
  int64_t line = 512 / cast<MemRefType>(args.out.getType()).getElementTypeBitWidth();
  auto share = [&](Value c) {
    return b.divide(b.mul(b.sub(c, plan.firsts), plan.width), valueWidth - plan.firsts);
  };
  b.loop(share(channel), share(b.add(channel, channels)), 1, [&](Value lane) {
    Value row = b.min(b.add(tile.first, lane), b.sub(queries, 1));
    b.loop(b.index(0), b.index(valueWidth), line, [&](Value c) {
      b.prefetch(args.out, join(rowAt(args.head, row), c), /*isWrite=*/true);
    });
  });
}

/// O^T += V x P^T, after what was summed so far is brought to the new maximum.
/// While the products of the first channels run, scores some keys ahead become
/// weights: arithmetic that fills the gaps between products.
void AttentionKernel::accumulate(Tile &tile, ValueRange old, ValueRange maximum) {
  Values corrections;
  for (auto [before, now] : llvm::zip(old, maximum)) {
    Value difference = b.sub(before, now);
    corrections.push_back(b.exp2(unit == 1.0 ? difference : b.mul(difference, b.splat(unit))));
  }
  auto rescaled = [&](Value memref, ArrayRef<Value> at) {
    Values scaled;
    for (auto [v, c] : llvm::zip(loadPanel(memref, at), corrections))
      scaled.push_back(b.mul(v, c));
    return scaled;
  };
  Value count = b.sub(tile.end, tile.begin), zero = b.index(0);
  auto countTo = [&](Value key) {
    if (!key)
      return key;
    Value keys = b.sub(key, tile.begin);
    return plan.pairs ? b.ceilDivide(keys, 2) : keys;
  };
  Value both = countTo(tile.both), second = countTo(tile.second);
  Values shifts = exponentShifts(maximum);
  Value base = values || plan.pairs ? b.sub(tile.begin, tile.block) : tile.begin;
  if (plan.pairs) {
    count = b.ceilDivide(count, 2);
    base = b.divide(base, 2);
  }
  auto channels = [&](Value from, Value to, int64_t rows, bool isFirst) {
    b.loop(from, to, rows, [&](Value first) {
      Values at, acc;
      for (int64_t r = 0; r < rows; ++r) {
        at.push_back(b.add(first, r));
        llvm::append_range(acc, rescaled(result, {tile.panel, at[r]}));
      }
      if (!isFirst) // that one needs all registers
        b.ifThen(tile.isLast, [&] { prefetchResult(tile, first, rows); });
      auto products = [&](Value k, MutableArrayRef<Value> acc, Part part) {
        auto value = [&](int64_t r) {
          Value row = b.add(base, k);
          if (Value rows = plan.pairs ? valueScratch : values)
            return b.load(rows, {row, at[r]}, 0);
          return b.load(args.valueRows, valueAt(row, first, r), 0);
        };
        addProducts(value, loadPanel(weights, {k}, part), acc);
      };
      Value begin = zero;
      if (isFirst) {
        Value head = b.min(count, plan.ahead);
        Values sum = b.loop(zero, head, 1, rescaled(sums, {tile.panel}),
                            [&](Value k, ValueRange sum) { return weigh(k, shifts, sum); });
        begin = b.sub(count, head);
        llvm::append_range(acc, sum);
        acc = b.loop(zero, begin, 1, acc, [&](Value k, ValueRange all) {
          Values next(all.drop_back(chunks));
          products(k, next, whole());
          llvm::append_range(next, weigh(b.add(k, head), shifts, all.take_back(chunks)));
          return next;
        });
        storePanel(ArrayRef(acc).take_back(chunks), sums, {tile.panel});
        acc.pop_back_n(chunks);
      }
      auto sum = [&](Value from, Value to, Part part) {
        Values own;
        for (int64_t r = 0; r < rows; ++r)
          llvm::append_range(own, ArrayRef(acc).slice(r * chunks + part.first, part.count));
        own = b.loop(from, to, 1, own, [&](Value k, ValueRange acc) {
          Values next(acc);
          products(k, next, part);
          return next;
        });
        for (int64_t r = 0; r < rows; ++r)
          for (unsigned c = 0; c < part.count; ++c)
            acc[r * chunks + part.first + c] = own[r * part.count + c];
      };
      if (isFirst) {
        sum(begin, count, whole());
      } else {
        if (both)
          sum(zero, both, {0, 1});
        sum(both ? both : zero, second ? second : count, whole());
        if (second)
          sum(second, count, {1, 1});
      }
      for (int64_t r = 0; r < rows; ++r)
        storePanel(ArrayRef(acc).slice(r * chunks, chunks), result, {tile.panel, at[r]});
    });
  };
  // Constants and sums of the weights take the place of some accumulators.
  int64_t firsts = std::min(plan.firsts, valueWidth), others = valueWidth - firsts;
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
