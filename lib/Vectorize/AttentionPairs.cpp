//===- AttentionPairs.cpp - values whose products are taken in pairs ------===//

#include "Vectorize/AttentionKernel.h"

using namespace mlir;
using namespace posenc;

/// Pairs of neighbouring keys to scratch. What is behind the last key, and the
/// values of padding, are zeros.
void AttentionKernel::pairValues(Value first, Value end) {
  bool padded = !paddingConditions().empty();
  Type element = b.getBF16Type();
  auto pair = [&](Value r, Value from, Value to) {
    Values rows, present;
    for (int64_t n = 0; n < 2; ++n) {
      Value key = b.add(b.add(first, r), n), row = b.min(key, b.sub(end, 1));
      rows.push_back(row);
      present.push_back(n ? b.less(key, end) : Value());
      if (padded) {
        Value visible = isVisible(row);
        present[n] = n ? b.logicalAnd(present[n], visible) : visible;
      }
    }
    b.channels(from, to, b.lanes, [&](Value d, int64_t n) {
      int64_t lanes = std::max<int64_t>(n, 1);
      Value zero = b.constant(b.getZeroAttr(b.vectorType(lanes, element)));
      Values pair;
      for (auto [row, seen] : llvm::zip(rows, present)) {
        Value v = vector::LoadOp::create(b, b.vectorType(lanes, element), args.value, valueAt(row, d));
        pair.push_back(seen ? b.select(seen, v, zero) : v);
      }
      Value both = b.makePairs(pair[0], pair[1]);
      if (!n)
        both = vector::ExtractOp::create(b, both, int64_t(0));
      b.store(both, valueScratch, {b.divide(r, 2), d});
    });
  };
  Value count = b.sub(end, first);
  if (args.count)
    return forCachedValues(count, 2, pair);
  b.loop(b.index(0), count, 2, [&](Value r) { pair(r, b.index(0), b.index(valueWidth)); });
}
