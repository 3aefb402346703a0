//===- LinearFusion.cpp - elementwise operations into epilogues -----------===//

#include "Fuse/Fusion.h"

using namespace mlir;
using namespace posenc;
using namespace posenc::fuse;

/// Whether an operand read by `map` may be an extra of a linear layer of `rank`
/// dimensions: the same element everywhere, one per output, or a scalar.
static bool isExtra(OpOperand &operand, AffineMap map, unsigned rank) {
  Type type = operand.get().getType();
  if (!isa<ShapedType>(type))
    return type.isF32();
  if (!cast<ShapedType>(type).getElementType().isF32())
    return false;
  MLIRContext *context = map.getContext();
  return map.isIdentity() ||
         map == AffineMap::get(rank, 0, getAffineDimExpr(rank - 1, context), context);
}

/// The elementwise operation that alone reads the result of `linear`.
static linalg::GenericOp follower(LinearOp linear) {
  Value y = linear.getResult(0);
  SmallVector<OpOperand *> uses = dataUses(y);
  if (uses.empty() || !cast<ShapedType>(y.getType()).getElementType().isF32())
    return {};
  auto generic = dyn_cast<linalg::GenericOp>(uses.front()->getOwner());
  if (!generic || generic->getBlock() != linear->getBlock() || generic.getNumResults() != 1 ||
      generic.getNumParallelLoops() != generic.getNumLoops() || !generic.hasPureTensorSemantics())
    return {};
  for (OpOperand *use : uses)
    if (use->getOwner() != generic)
      return {};

  // The destination only gives the shape, and no coordinate is asked for.
  OpOperand &init = generic.getDpsInitsMutable()[0];
  if (!generic.getMatchingBlockArgument(&init).use_empty() ||
      !generic.getMatchingIndexingMap(&init).isIdentity() ||
      !cast<ShapedType>(init.get().getType()).getElementType().isF32())
    return {};
  auto walk = generic.getRegion().walk(
      [](linalg::IndexOp) { return WalkResult::interrupt(); });
  if (walk.wasInterrupted())
    return {};

  bool reads = false;
  for (OpOperand *input : generic.getDpsInputOperands()) {
    AffineMap map = generic.getMatchingIndexingMap(input);
    if (!isExtra(*input, map, generic.getNumLoops()))
      return {};
    if (input->get() == y) {
      if (!map.isIdentity())
        return {};
      reads = true;
    }
  }
  return reads ? generic : linalg::GenericOp();
}

/// Starts the epilogue of `fused` with that of `linear`; returns its value.
static Value startEpilogue(RewriterBase &rewriter, LinearOp linear, Block *block) {
  ValueRange args = block->getArguments();
  if (linear.getEpilogue().empty()) {
    Emitter e(linear.getLoc(), rewriter);
    Value y = args[0];
    for (Value extra : args.slice(1, linear.getExtras().size()))
      y = e.add(y, extra);
    return y;
  }
  rewriter.mergeBlocks(&linear.getEpilogue().front(), block,
                       args.take_front(1 + linear.getExtras().size()));
  auto yield = cast<YieldOp>(block->getTerminator());
  Value y = yield.getValues()[0];
  rewriter.eraseOp(yield);
  return y;
}

static LinearOp append(RewriterBase &rewriter, LinearOp linear, linalg::GenericOp generic) {
  Value y = linear.getResult(0);
  SmallVector<Value> extras(linear.getExtras());
  // Arguments of the generic's body: an argument of the epilogue by number, or
  // null = the value so far.
  SmallVector<std::optional<unsigned>> numbers;
  for (Value input : generic.getInputs()) {
    if (input == y || !isa<ShapedType>(input.getType())) {
      numbers.push_back(std::nullopt);
      continue;
    }
    extras.push_back(input);
    numbers.push_back(extras.size());
  }

  rewriter.setInsertionPoint(generic);
  Value init = generic.getOutputs()[0];
  if (init == y)
    init = linear.getOuts()[0];
  auto fused = LinearOp::create(rewriter, generic.getLoc(), init.getType(), linear.getInput(),
                                linear.getWeight(), extras, linear.getSums(), init);
  fused->setDiscardableAttrs(linear->getDiscardableAttrDictionary());
  SmallVector<Type> types(1 + extras.size(), rewriter.getF32Type());
  SmallVector<Location> locs(types.size(), generic.getLoc());
  Block *block = rewriter.createBlock(&fused.getEpilogue(), fused.getEpilogue().end(), types, locs);

  Value soFar = startEpilogue(rewriter, linear, block);
  SmallVector<Value> arguments;
  for (auto [input, number] : llvm::zip_equal(generic.getInputs(), numbers))
    arguments.push_back(number ? block->getArgument(*number) : input == y ? soFar : input);
  arguments.push_back(soFar); // stands for the destination, which is not read
  rewriter.mergeBlocks(generic.getBody(), block, arguments);
  auto yield = cast<linalg::YieldOp>(block->getTerminator());
  rewriter.setInsertionPoint(yield);
  rewriter.replaceOpWithNewOp<YieldOp>(yield, yield.getOperands());

  rewriter.replaceOp(generic, fused.getResults());
  forwardSizes(rewriter, y, linear.getOuts()[0]);
  rewriter.eraseOp(linear);
  return fused;
}

void fuse::fuseEpilogue(RewriterBase &rewriter, LinearOp linear) {
  if (!linear.hasPureTensorSemantics())
    return;
  while (linalg::GenericOp generic = follower(linear))
    linear = append(rewriter, linear, generic);
}
