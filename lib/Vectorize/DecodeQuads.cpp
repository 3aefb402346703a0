//===- DecodeQuads.cpp - products of many rows with blocks of rows --------===//
//
// A vector of queries holds four channels of each of several rows; the same four of a
// key are one load, which repeats them. So a score has four lanes that are added up at
// the end, as those of four keys at a time, and lanes move once for a tile. The rows of
// keys and values are read where they are, unless they have to be converted. Products of
// bf16 are taken in pairs where the processor can: a quad is four pairs then.
//
//===----------------------------------------------------------------------===//

#include "Vectorize/DecodeKernel.h"

using namespace mlir;
using namespace posenc;

/// Four channels of a row, or four pairs of them.
Value DecodeKernel::loadQuad(Value memref, ValueRange row, Value quad) {
  Value first = b.mul(quad, plan.quad);
  return plan.pairs ? b.loadPairs(memref, row, first, plan.quad)
                    : b.load(memref, join(row, first), plan.quad);
}

/// All rows of a head, side by side; the last is repeated until the vector is full.
void DecodeKernel::packQuads(Value head) {
  int64_t each = rowsOfQuad();
  b.loop(b.index(0), b.index(llvm::alignTo(plan.rows, each)), 1, [&](Value row) {
    Value from = b.min(row, plan.rows - 1), group = b.divide(row, each);
    Value to = b.mul(b.sub(row, b.mul(group, each)), plan.quad);
    b.loop(b.index(0), b.size(quads, 2), 1, [&](Value d) {
      b.store(loadQuad(queries, {head, from}, d), quads, {head, group, d, to});
    });
  });
}

/// The lines of a block of rows, of all heads of the call: these lie side by side, so that
/// channels may be counted from the first on.
DecodeKernel::Lines DecodeKernel::linesOfRows(const Operand &operand, Value head, Value first) {
  int64_t ofHead = llvm::divideCeil(operand.width, lineChannels(operand.memory));
  Value start = plan.heads > 1 ? args.head : b.add(args.head, head);
  return {operand.memory, plan.keys, plan.heads * ofHead, [=](Value row, Value channel) {
            return join(rowAt(start, b.add(first, row)), channel);
          }};
}

/// Where the row of a key of the block is, in memory or in scratch.
SmallVector<Value> DecodeKernel::rowOf(const Operand &operand, Value head, Value first, Value key) {
  if (operand.scratch)
    return {key};
  return rowAt(b.add(args.head, head), b.add(first, key));
}

/// Scores of the keys of a block. Those behind the last repeat it.
void DecodeKernel::scoreQuads(Value head, Value first, Value count) {
  if (keyRows.scratch)
    forKeys(count, [&](Value key, int64_t keys) {
      stage(keyRows, head, b.add(first, key), keys, /*to=*/key);
    });
  Value memref = keyRows.scratch ? keyRows.scratch : keyRows.memory;
  Lines values = linesOfRows(valueRows, head, first);
  int64_t each = rowsOfQuad(), channels = llvm::divideCeil(width, channelsOfQuad());
  int64_t groups = llvm::divideCeil(plan.rows, each), keysOfBlock = plan.keys / plan.tileKeys;
  int64_t tiles = llvm::divideCeil(groups, plan.tileRows);
  Steps steps(plan.heads * tiles * keysOfBlock, channels);
  forTiles(groups, plan.tileRows, [&](Value group, int64_t vectors) {
    b.loop(b.index(0), count, plan.tileKeys, [&](Value key) {
      SmallVector<Values> rows;
      for (int64_t k = 0; k < plan.tileKeys; ++k)
        rows.push_back(rowOf(keyRows, head, first, b.min(b.add(key, k), b.sub(count, 1))));
      Value tile = b.add(b.mul(head, tiles), b.divide(group, plan.tileRows));
      tile = b.add(b.mul(tile, keysOfBlock), b.divide(key, plan.tileKeys));
      auto ahead = [&](Value d) { fetch(values, steps, tile, d); };
      // One vector of rows has so few sums that steps take turns at two of each, if there are
      // registers for them.
      int64_t turns = plan.heads > 1 && vectors == 1 && b.lanes == 16 ? 2 : 1;
      Values zeros(turns * plan.tileKeys * vectors, b.splat(0.0));
      Values sums = forProducts(b.index(0), b.index(channels), zeros, ahead,
                                [&](Value d, ValueRange acc) {
        Values next(acc);
        for (int64_t k = 0; k < plan.tileKeys; ++k) {
          Value x = b.repeat(loadQuad(memref, rows[k], d));
          for (int64_t v = 0; v < vectors; ++v) {
            Value &sum = next[v * plan.tileKeys + k];
            Value q = b.load(quads, {head, b.add(group, v), d, b.index(0)}, b.lanes);
            sum = plan.pairs ? b.addPairs(sum, q, x) : b.fma(q, x, sum);
          }
        }
        std::rotate(next.begin(), next.begin() + plan.tileKeys * (turns - 1), next.end());
        return next;
      });
      for (int64_t n = 0; turns == 2 && n < plan.tileKeys; ++n)
        sums[n] = b.add(sums[n], sums[plan.tileKeys + n]);
      for (int64_t v = 0; v < vectors; ++v) {
        Value scores = b.sums(ArrayRef(sums).slice(v * plan.tileKeys, plan.tileKeys), plan.quad);
        if (plan.pairs)
          scores = b.mul(scores, b.splat(scoreScale()));
        for (int64_t r = 0; r < each; ++r)
          b.store(b.slice(scores, r * plan.tileKeys, plan.tileKeys), weights,
                  {head, b.add(b.mul(b.add(group, v), each), r), key});
      }
    });
  });
}

/// Where the values of a block are, converted if they have to be.
Value DecodeKernel::stageValues(Value head, Value first, Value count) {
  if (!valueRows.scratch)
    return valueRows.memory;
  forKeys(count, [&](Value key, int64_t keys) {
    stage(valueRows, head, b.add(first, key), keys, /*to=*/key);
  });
  return valueRows.scratch;
}

/// result += weights x values, for the keys [0, count) of a block.
void DecodeKernel::valueQuads(Value head, Value first, Value count) {
  Value memref = stageValues(head, first, count);
  Lines keys = linesOfRows(keyRows, head, b.add(first, plan.keys));
  int64_t tiles = llvm::divideCeil(plan.rows, plan.valueRows);
  Steps steps(tiles * llvm::divideCeil(valueWidth, plan.valueChannels), plan.keys);
  forTiles(valueWidth, plan.valueChannels, [&](Value start, int64_t channels) {
    auto load = [&](Value key, int64_t d, int64_t active) {
      return b.load(memref, join(rowOf(valueRows, head, first, key), b.add(start, d)), b.lanes,
                    active);
    };
    valueProducts(head, b.index(0), count, start, channels, load, [&](Value row, Value key) {
      Value chunk = b.divide(start, plan.valueChannels);
      fetch(keys, steps, b.add(b.mul(chunk, tiles), b.divide(row, plan.valueRows)), key);
    });
  });
}

/// The same where rows of several heads lie side by side. The rows of one head are so far
/// apart that they displace each other in the cache: a few are read whole, once for all
/// rows of queries.
void DecodeKernel::valueRowTiles(Value head, Value first, Value count) {
  Value memref = stageValues(head, first, count);
  Lines keyLines = linesOfRows(keyRows, head, b.add(first, plan.keys));
  int64_t tileRows = b.lanes / plan.tileKeys, tiles = llvm::divideCeil(plan.rows, tileRows);
  Steps steps(plan.heads * plan.keys / plan.tileKeys * tiles, valueWidth, b.lanes);
  auto load = [&](Value key, Value d, int64_t active) {
    return b.load(memref, join(rowOf(valueRows, head, first, key), d), b.lanes, active);
  };
  forKeys(count, [&](Value key, int64_t keys) {
    forTiles(plan.rows, tileRows, [&](Value row, int64_t rows) {
      Value tile = b.add(b.mul(head, plan.keys / plan.tileKeys), b.divide(key, plan.tileKeys));
      tile = b.add(b.mul(tile, tiles), b.divide(row, tileRows));
      valueTile(head, key, keys, row, rows, load, [&](Value d) { fetch(keyLines, steps, tile, d); });
    });
  });
}
