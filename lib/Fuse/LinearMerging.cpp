//===- LinearMerging.cpp - layers of one input into one layer -------------===//
//
// Query, key and value of one input are a single product: its rows are read
// once, and threads meet once instead of three times.
//
//===----------------------------------------------------------------------===//

#include "Fuse/Fusion.h"

#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/OperationSupport.h"

using namespace mlir;
using namespace posenc;
using namespace posenc::fuse;

/// Whether joining `v` with others costs nothing: the result is known when the
/// program is loaded.
static bool isLoaded(Value v) {
  return v.getDefiningOp<WeightOp>() || matchPattern(v, m_Constant());
}

static RankedTensorType typeOf(Value v) { return cast<RankedTensorType>(v.getType()); }

/// A layer whose outputs may stand beside those of another.
static bool isMergeable(LinearOp op) {
  auto loadedRow = [](Value v) {
    auto type = dyn_cast<RankedTensorType>(v.getType());
    return type && type.getRank() == 1 && type.hasStaticShape() && isLoaded(v);
  };
  return op.hasPureTensorSemantics() && !op.isPacked() && isLoaded(op.getWeight()) &&
         typeOf(op.getWeight()).hasStaticShape() && llvm::all_of(op.getExtras(), loadedRow);
}

static bool isMergeable(LinearOp a, LinearOp b) {
  auto element = [](Value v) { return typeOf(v).getElementType(); };
  auto sameElement = [&](auto pair) { return element(std::get<0>(pair)) == element(std::get<1>(pair)); };
  return a->getBlock() == b->getBlock() && a.getInput() == b.getInput() &&
         a->getDiscardableAttrDictionary() == b->getDiscardableAttrDictionary() &&
         a.getExtras().size() == b.getExtras().size() &&
         llvm::all_of(llvm::zip(a->getOperands(), b->getOperands()), sameElement) &&
         OperationEquivalence::isRegionEquivalentTo(&a.getEpilogue(), &b.getEpilogue(),
                                                    OperationEquivalence::IgnoreLocations);
}

static Value concat(RewriterBase &rewriter, MutableArrayRef<LinearOp> group, function_ref<Value(LinearOp)> part) {
  SmallVector<Value> parts;
  for (LinearOp op : group) {
    Operation *source = part(op).getDefiningOp();
    // It has no operands; the first layer may come before it.
    parts.push_back(rewriter.clone(*source)->getResult(0));
  }
  return tensor::ConcatOp::create(rewriter, group.front().getLoc(), /*dim=*/0, parts);
}

static void merge(RewriterBase &rewriter, MutableArrayRef<LinearOp> group) {
  LinearOp first = group.front();
  Location loc = first.getLoc();
  rewriter.setInsertionPoint(first);
  Value weight = concat(rewriter, group, [](LinearOp op) { return op.getWeight(); });
  SmallVector<Value> extras;
  for (unsigned i = 0; i < first.getExtras().size(); ++i)
    extras.push_back(concat(rewriter, group, [&](LinearOp op) { return op.getExtras()[i]; }));
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(rewriter, loc, first.getInput());
  sizes.back() = rewriter.getIndexAttr(typeOf(weight).getDimSize(0));
  Value init = tensor::EmptyOp::create(rewriter, loc, sizes,
                                       typeOf(first.getOuts()[0]).getElementType());
  auto merged = LinearOp::create(rewriter, loc, init.getType(), first.getInput(), weight, extras,
                                 /*sums=*/nullptr, init);
  merged->setDiscardableAttrs(first->getDiscardableAttrDictionary());
  rewriter.inlineRegionBefore(first.getEpilogue(), merged.getEpilogue(), merged.getEpilogue().end());

  int64_t offset = 0;
  for (LinearOp op : group) {
    SmallVector<OpFoldResult> offsets(sizes.size(), rewriter.getIndexAttr(0));
    SmallVector<OpFoldResult> strides(sizes.size(), rewriter.getIndexAttr(1));
    int64_t width = typeOf(op.getWeight()).getDimSize(0);
    offsets.back() = rewriter.getIndexAttr(offset);
    sizes.back() = rewriter.getIndexAttr(width);
    Value part = tensor::ExtractSliceOp::create(rewriter, loc, typeOf(op.getResult(0)),
                                                merged.getResult(0), offsets, sizes, strides);
    offset += width;
    rewriter.replaceOp(op, part);
  }
}

void fuse::mergeLinears(RewriterBase &rewriter, ArrayRef<LinearOp> linears) {
  SmallVector<LinearOp> left(linears);
  llvm::erase_if(left, [](LinearOp op) { return !isMergeable(op); });
  while (!left.empty()) {
    SmallVector<LinearOp> group, others;
    for (LinearOp op : left)
      (isMergeable(left.front(), op) ? group : others).push_back(op);
    if (group.size() > 1)
      merge(rewriter, group);
    left = others;
  }
}
