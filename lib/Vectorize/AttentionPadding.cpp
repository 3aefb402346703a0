//===- AttentionPadding.cpp - keys that no query may see ------------------===//
//
// The values of padded keys may be anything, NaN included, and no weight makes
// a NaN vanish: their rows are read as zeros. Which keys these are is the part
// of the mask that does not look at the query.
//
//===----------------------------------------------------------------------===//

#include "Vectorize/AttentionKernel.h"

#include "mlir/Analysis/SliceAnalysis.h"

using namespace mlir;
using namespace posenc;

/// The operations of the mask's block that `value` is computed by, in order.
static SmallVector<Operation *> slice(Value value, Block &block) {
  SetVector<Operation *> set;
  BackwardSliceOptions options;
  options.inclusive = true;
  options.omitUsesFromAbove = false;
  options.filter = [&](Operation *op) { return block.getParentOp()->isProperAncestor(op); };
  if (Operation *op = value.getDefiningOp(); op && options.filter(op))
    (void)getBackwardSlice(value, &set, options);
  SmallVector<Operation *> ordered;
  for (Operation &op : block)
    if (set.contains(&op))
      ordered.push_back(&op);
  return ordered;
}

bool posenc::isIndependent(Value value, BlockArgument argument) {
  if (value == argument)
    return false;
  return llvm::none_of(slice(value, *argument.getOwner()), [&](Operation *op) {
    return op->walk([&](Operation *inner) {
               return llvm::is_contained(inner->getOperands(), argument) ? WalkResult::interrupt()
                                                                         : WalkResult::advance();
             })
        .wasInterrupted();
  });
}

/// Splits a conjunction.
static void conjuncts(Value value, SmallVectorImpl<Value> &parts) {
  if (auto both = value.getDefiningOp<arith::AndIOp>()) {
    conjuncts(both.getLhs(), parts);
    conjuncts(both.getRhs(), parts);
    return;
  }
  parts.push_back(value);
}

SmallVector<Value> posenc::paddingConditions(AttentionOp op) {
  SmallVector<Value> parts;
  if (op.getMask().empty())
    return parts;
  Block &block = op.getMask().front();
  conjuncts(block.getTerminator()->getOperand(0), parts);
  llvm::erase_if(parts, [&](Value part) { return !isIndependent(part, block.getArgument(2)); });
  return parts;
}

bool posenc::isLiveExact(AttentionOp op, bool padding) {
  if (!padding && !paddingConditions(op).empty())
    return false;
  if (op.getMask().empty() || op.getExactLive())
    return true;
  // Padding only: no part looks at the query.
  Block &block = op.getMask().front();
  return op.getLive().empty() &&
         isIndependent(block.getTerminator()->getOperand(0), block.getArgument(2));
}

Value posenc::isVisible(KernelBuilder &b, AttentionOp op, const IRMapping &outer, Value batch,
                        Value head, Value key) {
  Block &block = op.getMask().front();
  IRMapping mapping(outer);
  Value at[] = {batch, head, nullptr, key};
  for (auto [argument, value] : llvm::zip(block.getArguments(), at))
    if (value)
      mapping.map(argument, value);
  Value visible;
  for (Value part : paddingConditions(op)) {
    for (Operation *operation : slice(part, block))
      if (!llvm::all_of(operation->getResults(), [&](Value v) { return mapping.contains(v); }))
        b.clone(*operation, mapping);
    Value condition = mapping.lookupOrDefault(part);
    visible = visible ? b.logicalAnd(visible, condition) : condition;
  }
  return visible;
}

/// Where the last visible key of [first, end) ends, and whether one before it is
/// hidden: samples that are shorter than others need neither products nor a mask.
std::pair<Value, Value> AttentionKernel::visibleKeys(Value first, Value end) {
  Values found = b.loop(first, end, 1, {first, b.index(0)}, [&](Value key, ValueRange last) {
    Value visible = isVisible(key);
    return Values{b.select(visible, b.add(key, 1), last[0]),
                  b.add(last[1], b.select(visible, b.index(1), b.index(0)))};
  });
  return {found[0], b.less(found[1], b.sub(found[0], first))};
}

/// Values of a block without those of padding: zeros take their place in scratch, if
/// there are any; else values may be read where they are.
void AttentionKernel::clearPadding(Value first, Value count) {
  // Only rows that follow each other look the same in both places.
  bool inPlace = !plan.copyValues && !args.count &&
                 (plan.encodesValues ||
                  rowDistance(args.value, op.getRowDim(), b.getF32Type()) == valueWidth);
  auto copy = [&] { copyValues(first, count); };
  if (!plan.copyValues && !inPlace)
    copy();
  b.ifThen(hasPadding, [&] {
    if (inPlace)
      copy();
    b.loop(b.index(0), count, 1, [&](Value r) {
      Value isPadding = arith::XOrIOp::create(b, isVisible(b.add(first, r)),
                                              b.constant(b.getBoolAttr(true)));
      b.ifThen(isPadding, [&] {
        b.channels(b.index(0), b.index(valueWidth), b.lanes, [&](Value d, int64_t n) {
          b.store(b.broadcast(b.f32(0.0), n), valueScratch, {r, d});
        });
      });
    });
  });
  if (!inPlace)
    return;
  SmallVector<OpFoldResult> offsets = getAsOpFoldResult(valueAt(first, b.index(0)));
  SmallVector<OpFoldResult> sizes(offsets.size(), b.getIndexAttr(1)), strides(sizes);
  sizes[plan.encodesValues ? 0 : op.getRowDim()] = count;
  sizes.back() = b.getIndexAttr(valueWidth);
  auto type = cast<MemRefType>(memref::SubViewOp::inferRankReducedResultType(
      {ShapedType::kDynamic, valueWidth}, cast<MemRefType>(args.valueRows.getType()), offsets,
      sizes, strides));
  Value rows = memref::SubViewOp::create(b, type, args.valueRows, offsets, sizes, strides);
  values = b.select(hasPadding, memref::CastOp::create(b, type, valueScratch), rows);
}
