//===- AttentionKernel.cpp - query block against blocks of keys -----------===//

#include "Vectorize/AttentionKernel.h"

using namespace mlir;
using namespace posenc;

static int64_t rowWidth(Value memref) { return cast<MemRefType>(memref.getType()).getDimSize(3); }

/// Whether products of bf16 may be taken in pairs: operands of that type, but for
/// keys that a map has left in f32. Pairs of keys are cut at the live interval,
/// where the mask has to hide the one outside.
static bool suitsPairs(AttentionOp op) {
  auto isBF16 = [](Value v) { return cast<ShapedType>(v.getType()).getElementType().isBF16(); };
  return isBF16(op.getQuery()) && isBF16(op.getValue()) && op.getKeyMap().empty() &&
         op.getValueMap().empty() && rowWidth(op.getQuery()) % 2 == 0 &&
         op.getScale().convertToFloat() > 0 && (op.getLive().empty() || !op.getMask().empty());
}

AttentionPlan::AttentionPlan(AttentionOp op, const Processor &processor)
    : pairs(processor.bf16Pairs && suitsPairs(op)), width(2 * processor.lanes()) {
  auto given = op->getAttrOfType<CpuScheduleAttr>("posenc.cpu_schedule");
  auto choose = [&](int64_t chosen, int64_t own) { return chosen ? chosen : own; };
  pairs &= !given || given.getPairs();
  // Two sums a row in three quarters of the registers; operands and constants.
  rows = choose(given ? given.getRows() : 0, processor.registers() * 3 / 8);
  panels = choose(given ? given.getPanels() : 0, 4);
  ahead = choose(given ? given.getAhead() : 0, 6);
  // Scores of a panel stay in the first-level cache, keys and values of a block
  // in half of the second. Pairs need an even number; more than 192 gain nothing.
  int64_t channels = rowWidth(op.getQuery()) + rowWidth(op.getValue());
  int64_t own = std::min(processor.firstLevel * 3 / 4 / (4 * width),
                         processor.secondLevel / 2 / (4 * channels));
  int64_t step = rows % 2 ? 2 * rows : rows;
  own = std::max(std::min<int64_t>(own, 192) / step * step, step);
  keys = choose(given ? given.getKeys() : 0, own);
}

/// Scores are scaled with the query, or their region gives natural exponents, or
/// they are those of pairs, which no factor may round.
static double scoreUnit(AttentionOp op, const AttentionPlan &plan) {
  if (!op.getScoreMod().empty())
    return log2e;
  return plan.pairs ? op.getScale().convertToFloat() * log2e : 1.0;
}

AttentionKernel::AttentionKernel(KernelBuilder &b, AttentionOp op, const AttentionPlan &plan,
                                 ValueRange operands, const IRMapping &outer, ValueRange at)
    : b(b), op(op), plan(plan), outer(outer), chunks(plan.width / b.lanes),
      width(rowWidth(op.getQuery())), valueWidth(rowWidth(op.getValue())),
      steps(plan.pairs ? width / 2 : width),
      unit(scoreUnit(op, plan)),
      args{operands[0], operands[1], operands[2], operands[3],
           op.getOuts().size() > 1 ? operands[4] : Value(), operands.take_back(4),
           at[0], at[1], at[2]} {}

LogicalResult posenc::buildAttention(KernelBuilder &b, AttentionOp op, const AttentionPlan &plan,
                                     ValueRange operands, const IRMapping &outer, ValueRange at) {
  return AttentionKernel(b, op, plan, operands, outer, at).build();
}

/// Whether the register tile may read the rows where they are: a known small
/// distance is an offset of every load, others need a pointer per row, more
/// than there are registers, and far rows share few sets of the cache.
static bool areReadInPlace(Value memref, unsigned rowDim, Type element) {
  auto type = cast<MemRefType>(memref.getType());
  SmallVector<int64_t> strides;
  int64_t offset;
  return type.getElementType() == element && succeeded(type.getStridesAndOffset(strides, offset)) &&
         !ShapedType::isDynamic(strides[rowDim]) && strides[rowDim] <= 2 * type.getDimSize(3);
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
  if (!op.getKeyMap().empty() || !areReadInPlace(args.key, op.getRowDim(), element))
    keyScratch = b.scratch({plan.keys, width}, element);
  bool padded = !paddingConditions().empty();
  if (plan.pairs)
    valueScratch = b.scratch({plan.keys / 2, valueWidth});
  else if (padded || !op.getValueMap().empty() ||
           !areReadInPlace(args.value, op.getRowDim(), element))
    valueScratch = b.scratch({plan.keys, valueWidth});

  queries = b.size(args.query, op.getRowDim());
  keys = b.size(args.key, op.getRowDim());
  Value group = b.divide(b.size(args.query, op.getHeadDim()), b.size(args.key, op.getHeadDim()));
  keyHead = b.divide(args.head, group);
  mapHead = b.add(keyHead, b.divide(args.offsets[1], group));
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
  b.loop(begin, end, plan.keys, [&](Value block) {
    fillScratch(block, b.min(b.add(block, plan.keys), end));
    b.loop(b.index(0), panels, 1, [&](Value panel) { panelBlock(panel, block, end); });
  });
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

/// Keys and values of a block in f32, after their maps.
void AttentionKernel::fillScratch(Value first, Value end) {
  Value count = b.sub(end, first);
  if (keyScratch)
    copyRows(args.key, keyScratch, first, count, op.getKeyMap(), op.getKeyChannels());
  if (plan.pairs)
    return pairValues(first, end);
  if (valueScratch)
    copyRows(args.value, valueScratch, first, count, op.getValueMap(), op.getValueChannels());
  if (!paddingConditions().empty())
    clearPadding(first, count);
}

void AttentionKernel::panelBlock(Value panel, Value block, Value end) {
  Value first = firstOf(panel), begin = block;
  end = b.min(b.add(block, plan.keys), end);
  if (!op.getLive().empty()) {
    auto [low, high] = liveKeys(first, b.min(b.add(first, plan.width), queries));
    begin = b.max(begin, low);
    if (plan.pairs)
      begin = b.add(block, b.roundDown(b.sub(begin, block), 2));
    end = b.min(end, high);
  }
  b.ifThen(b.less(begin, end), [&] { panelKeys(panel, first, begin, end, block); });
}
