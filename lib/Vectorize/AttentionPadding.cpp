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

static bool uses(ArrayRef<Operation *> ops, Value value, Value result) {
  if (result == value)
    return true;
  return llvm::any_of(ops, [&](Operation *op) {
    return op->walk([&](Operation *inner) {
               return llvm::is_contained(inner->getOperands(), value) ? WalkResult::interrupt()
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
  SmallVector<Value> parts, result;
  if (op.getMask().empty())
    return result;
  Block &block = op.getMask().front();
  conjuncts(block.getTerminator()->getOperand(0), parts);
  Value query = block.getArgument(2), key = block.getArgument(3);
  for (Value part : parts) {
    SmallVector<Operation *> ops = slice(part, block);
    if (!uses(ops, query, part) && uses(ops, key, part))
      result.push_back(part);
  }
  return result;
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

/// Overwrites the rows of scratch that belong to padding.
void AttentionKernel::clearPadding(Value first, Value count) {
  b.loop(b.index(0), count, 1, [&](Value r) {
    Value isPadding = arith::XOrIOp::create(b, isVisible(b.add(first, r)),
                                             b.constant(b.getBoolAttr(true)));
    b.ifThen(isPadding, [&] {
      b.channels(b.index(0), b.index(valueWidth), b.lanes, [&](Value d, int64_t n) {
        b.store(b.broadcast(b.f32(0.0), n), valueScratch, {r, d});
      });
    });
  });
}
