//===- Raise.cpp - from decomposed idioms to names ------------------------===//

#include "Raise/Raise.h"
#include "posenc/Passes.h"

#include "mlir/IR/Remarks.h"
#include "mlir/Transforms/RegionUtils.h"

using namespace mlir;
using namespace posenc;
using namespace posenc::raise;

namespace posenc {
#define GEN_PASS_DEF_POSENCRAISE
#include "posenc/Passes.h.inc"
} // namespace posenc

void Missed::add(Operation *anchor, const Twine &reason) {
  reasons.insert({anchor, {anchor->getLoc(), reason.str()}});
}

Missed::~Missed() {
  for (const auto &[anchor, found] : reasons) {
    if (done.contains(anchor))
      continue;
    std::string text = (idiom + " is not raised: " + found.second).str();
    remark::missed(found.first, remark::RemarkOpts::name("not-raised").category("posenc-raise"))
        << StringRef(text);
  }
}

SmallVector<Operation *> raise::between(Value source, Operation *root) {
  Block *block = root->getBlock();
  Operation *first = source.getDefiningOp();
  if (first && first->getBlock() != block)
    first = nullptr;
  SmallVector<Operation *> ops;
  llvm::DenseMap<Operation *, bool> leads;
  auto visit = [&](auto &visit, Operation *op) -> bool {
    if (first && !first->isBeforeInBlock(op))
      return false;
    if (auto known = leads.find(op); known != leads.end())
      return known->second;
    bool found = false;
    // What is read inside a body counts as well.
    op->walk([&](Operation *inner) {
      for (Value operand : inner->getOperands()) {
        Operation *producer = operand.getDefiningOp();
        found |= operand == source;
        if (producer && producer->getBlock() == block)
          found |= visit(visit, producer);
      }
    });
    if (found && op != root)
      ops.push_back(op);
    return leads[op] = found;
  };
  visit(visit, root);
  return ops;
}

static bool asksForSize(Operation *op) {
  auto dim = dyn_cast<tensor::DimOp>(op);
  return dim && dim.getConstantIndex();
}

/// One of `ops` that somebody beside them and `root` reads, or null.
static Operation *sharedOf(ArrayRef<Operation *> ops, Operation *root) {
  for (Operation *op : ops)
    for (Operation *user : op->getUsers()) {
      Operation *reader = root->getBlock()->findAncestorOpInBlock(*user);
      if (!asksForSize(user) && reader != root && !llvm::is_contained(ops, reader))
        return op;
    }
  return nullptr;
}

/// Lets questions for a size of `result` ask operands of the operation.
static void forwardSizes(RewriterBase &rewriter, OpResult result) {
  for (Operation *user : llvm::make_early_inc_range(result.getUsers())) {
    if (!asksForSize(user))
      continue;
    int64_t d = *cast<tensor::DimOp>(user).getConstantIndex();
    rewriter.setInsertionPoint(user);
    if (auto dps = dyn_cast<DestinationStyleOpInterface>(result.getOwner())) {
      Value init = dps.getDpsInits()[result.getResultNumber()];
      rewriter.replaceOpWithNewOp<tensor::DimOp>(user, init, d);
      continue;
    }
    ReifiedRankedShapedTypeDims sizes;
    if (succeeded(reifyResultShapes(rewriter, result.getOwner(), sizes)))
      rewriter.replaceOp(user, getValueOrCreateConstantIndexOp(
                                   rewriter, user->getLoc(), sizes[result.getResultNumber()][d]));
  }
}

bool raise::replaceIdiom(RewriterBase &rewriter, Operation *root, ArrayRef<Operation *> ops,
                         Missed &missed, Operation *anchor, function_ref<Value()> build) {
  if (Operation *shared = sharedOf(ops, root)) {
    missed.add(anchor, "the result of " + nameOf(shared) + " is used elsewhere, too");
    return false;
  }
  missed.forget(anchor);
  rewriter.replaceOp(root, build());
  for (Operation *op : llvm::reverse(ops)) {
    for (OpResult result : op->getResults())
      forwardSizes(rewriter, result);
    if (isOpTriviallyDead(op))
      rewriter.eraseOp(op);
  }
  return true;
}

namespace {
struct Erased : RewriterBase::Listener {
  void notifyOperationErased(Operation *op) override { ops.insert(op); }
  SmallPtrSet<Operation *, 32> ops;
};

struct Raise : posenc::impl::PosencRaiseBase<Raise> {
  /// Tries the operations that may end an idiom from the last on: of two
  /// expressions the larger ends later.
  template <typename Op>
  bool tryAll(StringRef idiom, bool (*raiseOne)(RewriterBase &, Op, Missed &)) {
    SmallVector<Op> roots;
    getOperation()->walk([&](Op op) {
      if (op->getNumResults() == 1 && isa<RankedTensorType>(op->getResult(0).getType()))
        roots.push_back(op);
    });
    Missed missed(idiom);
    Erased erased;
    IRRewriter rewriter(&getContext(), &erased);
    bool changed = false;
    for (Op root : llvm::reverse(roots)) {
      if (erased.ops.contains(root))
        continue;
      rewriter.setInsertionPoint(root);
      changed |= raiseOne(rewriter, root, missed);
    }
    return changed;
  }

  void runOnOperation() override {
    bool changed = tryAll<linalg::LinalgOp>("attention", raiseAttention);
    changed |= tryAll<linalg::LinalgOp>("layer norm", raiseNorm);
    changed |= tryAll<Operation *>("rotation", raiseRotation);
    // Last: the matrices of an idiom must not become layers of their own.
    changed |= tryAll<linalg::LinalgOp>("linear layer", raiseLinear);
    // Shapes, constants and tables of what is gone.
    IRRewriter rewriter(&getContext());
    if (changed)
      (void)runRegionDCE(rewriter, getOperation()->getRegions());
  }
};
} // namespace
