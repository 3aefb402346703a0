//===- NarrowActivations.cpp - bf16 between products of bf16 --------------===//
//
// Who reads a value in pairs of bf16 rounds it. Rounded by whom it comes from, it
// takes half the memory, and no reader converts it again.
//
//===----------------------------------------------------------------------===//

#include "posenc/Dialect.h"
#include "posenc/Passes.h"

using namespace mlir;
using namespace posenc;

namespace posenc {
#define GEN_PASS_DEF_POSENCNARROWACTIVATIONS
#include "posenc/Passes.h.inc"
} // namespace posenc

static bool reshapes(Operation *op) {
  return isa_and_nonnull<tensor::ExtractSliceOp, tensor::ExpandShapeOp, tensor::CollapseShapeOp>(op);
}

/// The operation whose elements `v` has.
static Operation *source(Value v) {
  Operation *op = v.getDefiningOp();
  return reshapes(op) ? source(op->getOperand(0)) : op;
}

/// An operation that can round its result when it stores it.
static bool isCandidate(Operation *op) {
  return isa<LinearOp, AttentionOp, LayerNormOp>(op) && op->getNumResults() == 1 &&
         getElementTypeOrSelf(op->getResult(0)).isF32();
}

namespace {
struct NarrowActivations : posenc::impl::PosencNarrowActivationsBase<NarrowActivations> {
  void runOnOperation() override {
    getOperation()->walk([&](Operation *op) {
      if (isCandidate(op))
        narrow.insert(op);
    });
    // One that stays may keep others, whose readers need it to be narrow.
    auto stays = [&](Operation *op) { return !isRounded(op->getResult(0)); };
    while (narrow.remove_if(stays)) {
    }
    for (Operation *op : narrow) {
      OpOperand &init = cast<DestinationStyleOpInterface>(op).getDpsInitsMutable()[0];
      OpBuilder b(op);
      auto sizes = tensor::getMixedSizes(b, op->getLoc(), init.get());
      init.set(tensor::EmptyOp::create(b, op->getLoc(), sizes, b.getBF16Type()));
      retype(op->getResult(0));
    }
    narrow.clear();
  }

private:
  static bool isMultiplied(OpOperand &use) {
    auto linear = dyn_cast<LinearOp>(use.getOwner());
    return linear && linear.isPaired() && &use == &linear.getInputMutable();
  }

  /// Whether all readers of `v` multiply it in bf16, but for layers that a
  /// normalised value goes around.
  bool isRounded(Value v) {
    bool goesAround = v.getDefiningOp<LayerNormOp>() && llvm::any_of(v.getUses(), isMultiplied);
    return llvm::all_of(v.getUses(), [&](OpOperand &use) {
      Operation *reader = use.getOwner();
      if (auto linear = dyn_cast<LinearOp>(reader))
        return isMultiplied(use) ||
               (goesAround && llvm::is_contained(llvm::make_pointer_range(linear.getExtrasMutable()), &use));
      if (auto attention = dyn_cast<AttentionOp>(reader))
        return use.getOperandNumber() < 3 &&
               llvm::all_of(attention->getOperands().take_front(3), [&](Value operand) {
                 return getElementTypeOrSelf(operand).isBF16() || narrow.contains(source(operand));
               });
      return isa<tensor::DimOp>(reader) || (reshapes(reader) && isRounded(reader->getResult(0)));
    });
  }

  void retype(Value v) {
    v.setType(cast<RankedTensorType>(v.getType()).clone(BFloat16Type::get(&getContext())));
    for (Operation *reader : v.getUsers())
      if (reshapes(reader))
        retype(reader->getResult(0));
  }

  SetVector<Operation *> narrow;
};
} // namespace
