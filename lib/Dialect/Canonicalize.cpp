//===- Canonicalize.cpp - simpler forms of the kernel operations ----------===//

#include "posenc/Dialect.h"

#include "mlir/Dialect/Tensor/Utils/Utils.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"

using namespace mlir;
using namespace posenc;

namespace {

/// Uses what is behind casts that only lose static sizes. Upstream has this for
/// all destination-style ops, but its clone does not survive absent regions, so
/// this one has to come first.
template <typename Op> struct FoldCasts : OpRewritePattern<Op> {
  FoldCasts(MLIRContext *context) : OpRewritePattern<Op>(context, /*benefit=*/10) {}

  LogicalResult matchAndRewrite(Op op, PatternRewriter &rewriter) const override {
    auto dps = cast<DestinationStyleOpInterface>(op.getOperation());
    if (!tensor::hasFoldableTensorCastOperand(dps))
      return failure();
    SmallVector<Type> types(op->getResultTypes());
    SmallVector<Value> operands = tensor::getUpdatedOperandsAfterCastOpFolding(dps, types);
    Operation *folded = rewriter.clone(*op);
    folded->setOperands(operands);
    SmallVector<Value> results;
    for (auto [result, type, old] : llvm::zip(folded->getResults(), types, op->getResultTypes())) {
      result.setType(type);
      results.push_back(type == old ? Value(result)
                                    : tensor::CastOp::create(rewriter, op.getLoc(), old, result).getResult());
    }
    rewriter.replaceOp(op, results);
    return success();
  }
};

/// Whether a region that is present gives back its first `count` arguments.
bool isIdentity(Region &region, unsigned count) {
  if (region.empty())
    return false;
  auto yielded = region.front().getTerminator()->getOperands();
  return yielded == region.front().getArguments().take_front(count);
}

/// Drops maps and score regions that change nothing, and masks that hide
/// nothing.
struct DropIdentities : OpRewritePattern<AttentionOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(AttentionOp op, PatternRewriter &rewriter) const override {
    SmallVector<Region *> idle;
    SmallVector<StringAttr> channels;
    auto map = [&](Region &region, std::optional<ChannelsAttr> group, StringAttr name) {
      if (!group || !isIdentity(region, group->getGroup()))
        return;
      idle.push_back(&region);
      channels.push_back(name);
    };
    map(op.getQueryMap(), op.getQueryChannels(), op.getQueryChannelsAttrName());
    map(op.getKeyMap(), op.getKeyChannels(), op.getKeyChannelsAttrName());
    map(op.getValueMap(), op.getValueChannels(), op.getValueChannelsAttrName());
    if (isIdentity(op.getScoreMod(), 1))
      idle.push_back(&op.getScoreMod());
    if (!op.getMask().empty() &&
        matchPattern(op.getMask().front().getTerminator()->getOperand(0), m_One()))
      idle.push_back(&op.getMask());
    if (idle.empty())
      return failure();
    rewriter.modifyOpInPlace(op, [&] {
      for (StringAttr name : channels)
        op->removeAttr(name);
      for (Region *region : idle)
        rewriter.eraseBlock(&region->front());
    });
    return success();
  }
};

/// An epilogue that gives back the sum, without extras, says nothing.
struct DropEpilogue : OpRewritePattern<LinearOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(LinearOp op, PatternRewriter &rewriter) const override {
    if (!isIdentity(op.getEpilogue(), 1))
      return failure();
    rewriter.modifyOpInPlace(op, [&] {
      rewriter.eraseBlock(&op.getEpilogue().front());
      op.getExtrasMutable().clear();
    });
    return success();
  }
};

} // namespace

void AttentionOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *context) {
  patterns.add<FoldCasts<AttentionOp>, DropIdentities>(context);
}

void LinearOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *context) {
  patterns.add<FoldCasts<LinearOp>, DropEpilogue>(context);
}
