//===- AttentionKernel.cpp - query block against blocks of keys -----------===//

#include "Vectorize/AttentionKernel.h"

using namespace mlir;
using namespace posenc;

static int64_t rowWidth(Value memref) { return cast<MemRefType>(memref.getType()).getDimSize(3); }

/// Scores are scaled with the query, unless they are those of pairs, which no factor
/// may round: a region scales them, or their exponent does.
static double scoreUnit(AttentionOp op, const AttentionPlan &plan) {
  if (op.getScoreMod().empty())
    return plan.pairs ? op.getScale().convertToFloat() * log2e : 1.0;
  return plan.natural ? log2e : 1.0;
}

AttentionKernel::AttentionKernel(KernelBuilder &b, AttentionOp op, const AttentionPlan &plan,
                                 ValueRange operands, const IRMapping &outer, ValueRange at)
    : b(b), op(op), plan(plan), outer(outer), chunks(plan.width / b.lanes),
      width(rowWidth(op.getQuery())), valueWidth(rowWidth(op.getOuts()[0])),
      steps(plan.pairs ? width / 2 : width),
      scale(op.getScale().convertToFloat() * (plan.natural ? 1.0 : log2e)),
      unit(scoreUnit(op, plan)),
      args{operands[0], operands[1], operands[2], operands[3],
           op.getOuts().size() > 1 ? operands[4] : Value(),
           operands.slice(3 + op.getOuts().size(), 4), operands[1], operands[2],
           at[0], at[1], at[2], Value(), Value()} {
  ValueRange encoded = operands.drop_front(7 + op.getOuts().size());
  if (op.readsCache()) {
    args.count = encoded[0];
    return;
  }
  if (encoded.empty())
    return;
  args.done = encoded.back();
  if (plan.encodesKeys)
    args.keyRows = encoded.front();
  if (plan.encodesValues)
    args.valueRows = encoded.drop_back().back();
}

LogicalResult posenc::buildAttention(KernelBuilder &b, AttentionOp op, const AttentionPlan &plan,
                                     ValueRange operands, const IRMapping &outer, ValueRange at) {
  return AttentionKernel(b, op, plan, operands, outer, at).build();
}

LogicalResult AttentionKernel::build() {
  packed = b.scratch({plan.panels, steps, plan.width});
  result = b.scratch({plan.panels, valueWidth, plan.width});
  weights = b.scratch({plan.keys + plan.rows, plan.width});
  maxima = b.scratch({plan.panels, plan.width});
  sums = b.scratch({plan.panels, plan.width});
  if (!op.getQueryMap().empty())
    mapped = b.scratch({plan.width, width});
  Type element = plan.pairs ? Type(b.getBF16Type()) : Type(b.getF32Type());
  if (plan.copyKeys && args.count)
    keyScratch = tilesAreOfBlocks() ? b.scratch({plan.keys / cacheUnit, steps, cacheUnit})
                                    : b.scratch({1, steps, plan.keys});
  else if (plan.copyKeys)
    keyScratch = b.scratch({plan.keys, width}, element);
  if (plan.pairs)
    valueScratch = b.scratch({plan.keys / 2, valueWidth});
  else if (plan.copyValues || !paddingConditions().empty())
    valueScratch = b.scratch({plan.keys, valueWidth});

  queries = b.size(args.query, op.getRowDim());
  keys = args.count ? args.count : b.size(args.key, op.getRowDim());
  group = b.divide(b.size(args.query, op.getHeadDim()), b.size(args.key, op.getKeyHeadDim()));
  keyHead = b.divide(args.head, group);
  hasMore = b.less(b.add(args.row, plan.queries()), queries);
  nextHead = b.select(hasMore, args.head, b.add(args.head, 1));
  nextKeyHead = b.divide(nextHead, group);

  Value panels = b.min(b.ceilDivide(b.sub(queries, args.row), plan.width), plan.panels);
  b.loop(b.index(0), panels, 1, [&](Value panel) {
    packQueries(panel, firstOf(panel));
    Values zeros(chunks, b.splat(0.0));
    b.loop(b.index(0), b.index(valueWidth), 1,
           [&](Value d) { storePanel(zeros, result, {panel, d}); });
    storePanel(Values(chunks, b.splat(hiddenScore)), maxima, {panel});
    storePanel(zeros, sums, {panel});
  });

  Value last = b.min(b.add(args.row, plan.queries()), queries);
  auto bounds = liveKeys(args.row, last);
  Value begin = bounds.first, end = bounds.second;
  lastKey = end;
  if (args.count)
    begin = b.roundDown(begin, cacheUnit);
  b.loop(begin, end, plan.keys, [&](Value block) { keyBlock(block, end, panels); });
  b.loop(b.index(0), panels, 1, [&](Value panel) { storeRows(panel, firstOf(panel)); });
  return success(!failed);
}

/// The first query row of a panel.
Value AttentionKernel::firstOf(Value panel) { return b.add(args.row, b.mul(panel, plan.width)); }

FailureOr<std::pair<Value, Value>> posenc::liveKeys(KernelBuilder &b, AttentionOp op,
                                                    const IRMapping &outer, ValueRange at,
                                                    Value offset, Value keys) {
  if (op.getLive().empty())
    return std::pair(b.index(0), keys);
  RegionVectorizer live(b, op.getLive(), outer);
  for (auto [argument, v] : llvm::zip(op.getLive().getArguments(), at))
    live.bind(argument, v);
  SmallVector<Lanes> bounds = live.evaluate({});
  if (live.failed())
    return failure();
  auto local = [&](const Lanes &bound) {
    Value v = b.sub(bound.chunks[0], offset);
    return b.min(b.max(v, 0), keys);
  };
  return std::pair<Value, Value>{local(bounds[0]), local(bounds[1])};
}

std::pair<Value, Value> AttentionKernel::liveKeys(Value from, Value to) {
  Values at{coordinate(args.batch, 0), coordinate(args.head, 1), coordinate(from, 2),
            coordinate(to, 2)};
  auto live = posenc::liveKeys(b, op, outer, at, args.offsets[3], keys);
  failed |= mlir::failed(live);
  return mlir::failed(live) ? std::pair(keys, keys) : *live;
}

void AttentionKernel::keyBlock(Value first, Value last, Value panels) {
  Value behind = b.add(first, plan.keys), end = b.min(behind, last);
  Value isLast = b.lessEqual(last, behind);
  auto visit = [&] {
    if (args.done)
      encode(end);
    fillScratch(first, end);
    b.loop(b.index(0), panels, 1, [&](Value panel) { panelBlock(panel, first, end, isLast); });
  };
  if (paddingConditions().empty())
    return visit();
  std::tie(end, hasPadding) = visibleKeys(first, end);
  b.ifThen(b.less(first, end), visit);
}

/// Keys and values of a block that are not read where they are.
void AttentionKernel::fillScratch(Value first, Value end) {
  Value count = b.sub(end, first);
  if (keyScratch && args.count)
    copyCachedKeys(first, count);
  else if (keyScratch)
    copyRows(args.key, keyScratch, first, count);
  if (plan.pairs)
    return pairValues(first, end);
  values = valueScratch;
  if (plan.copyValues)
    copyValues(first, count);
  if (hasPadding)
    clearPadding(first, count);
}

void AttentionKernel::panelBlock(Value panel, Value block, Value end, Value isLast) {
  Value first = firstOf(panel), begin = block;
  if (!op.getLive().empty()) {
    auto [low, high] = liveKeys(first, b.min(b.add(first, plan.width), queries));
    begin = b.max(begin, low);
    if (plan.pairs)
      begin = b.add(block, b.roundDown(b.sub(begin, block), 2));
    isLast = b.lessEqual(high, end);
    end = b.min(end, high);
  }
  b.ifThen(b.less(begin, end), [&] { panelKeys(panel, first, begin, end, block, isLast); });
}
