//===- Fuse.cpp - encodings into attention, maps and epilogues ------------===//

#include "Fuse/Fusion.h"
#include "Dialect/Coordinates.h"
#include "posenc/Passes.h"

#include "mlir/IR/Remarks.h"

using namespace mlir;
using namespace posenc;
using namespace posenc::fuse;

namespace posenc {
#define GEN_PASS_DEF_POSENCFUSE
#include "posenc/Passes.h.inc"
} // namespace posenc

static bool asksForSize(OpOperand &use) {
  auto dim = dyn_cast<tensor::DimOp>(use.getOwner());
  return dim && dim.getConstantIndex();
}

SmallVector<OpOperand *> fuse::dataUses(Value v) {
  SmallVector<OpOperand *> uses;
  for (OpOperand &use : v.getUses())
    if (!asksForSize(use))
      uses.push_back(&use);
  return uses;
}

void fuse::forwardSizes(RewriterBase &rewriter, Value from, Value to) {
  rewriter.replaceUsesWithIf(from, to, asksForSize);
}

Layout fuse::layoutOf(EncodingOpInterface encoding) {
  auto layout = encoding->getAttrOfType<LayoutAttr>("layout");
  return layout ? layout.getValue() : Layout::bhsd;
}

ChannelsAttr fuse::withWidth(ChannelsAttr channels, Value x) {
  int64_t size = cast<ShapedType>(x.getType()).getShape().back();
  if (channels.getWidth() || ShapedType::isDynamic(size))
    return channels;
  return ChannelsAttr::get(channels.getContext(), channels.getPairing(), channels.getOffset(),
                           size - channels.getOffset());
}

ChannelsAttr fuse::channelsOf(EncodingOpInterface encoding) {
  return withWidth(encoding.getChannels(), encoding.getInput());
}

void fuse::prependMap(RewriterBase &rewriter, Block *block, EncodingOpInterface encoding) {
  OpBuilder::InsertionGuard guard(rewriter);
  unsigned group = encoding.getChannels().getGroup();
  SmallVector<Location> locs(block->getNumArguments(), encoding.getLoc());
  Block *whole = rewriter.createBlock(block, block->getArgumentTypes(), locs);
  ValueRange x = whole->getArguments().take_front(group);
  ValueRange at = whole->getArguments().slice(group, 4);

  Emitter e(encoding.getLoc(), rewriter);
  SmallVector<Value> arguments =
      encoding.emit(e, x, rowAt(e, encoding, at[0], at[1], at[2], at[3]));
  llvm::append_range(arguments, whole->getArguments().drop_front(group));
  rewriter.mergeBlocks(block, whole, arguments);
}

void fuse::eraseDead(RewriterBase &rewriter, Block &block) {
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(block)))
    if (isOpTriviallyDead(&op))
      rewriter.eraseOp(&op);
}

Value fuse::emptyOf(OpBuilder &b, Location loc, RankedTensorType type,
                    ArrayRef<std::pair<Value, int64_t>> sizes) {
  SmallVector<Value> dynamic;
  for (auto [dim, size] : llvm::enumerate(sizes))
    if (type.isDynamicDim(dim))
      dynamic.push_back(getValueOrCreateConstantIndexOp(
          b, loc, tensor::getMixedSize(b, loc, size.first, size.second)));
  return tensor::EmptyOp::create(b, loc, type, dynamic);
}

void fuse::explain(Operation *op, const Twine &reason) {
  std::string text = ("'" + op->getName().getStringRef() + "' is not fused: " + reason).str();
  remark::missed(op->getLoc(), remark::RemarkOpts::name("not-fused").category("posenc-fuse"))
      << StringRef(text);
}

namespace {
struct Fuse : posenc::impl::PosencFuseBase<Fuse> {
  template <typename Op> SmallVector<Op> collect() {
    SmallVector<Op> ops;
    getOperation()->walk([&](Op op) { ops.push_back(op); });
    return ops;
  }

  void runOnOperation() override {
    IRRewriter rewriter(&getContext());
    for (AttendOp attend : collect<AttendOp>())
      fuseScores(rewriter, attend);
    for (AttentionOp attention : collect<AttentionOp>())
      fuseRows(rewriter, attention);

    SmallVector<EncodingOpInterface> maps = collect<EncodingOpInterface>();
    llvm::erase_if(maps, [](EncodingOpInterface encoding) {
      return encoding.getSite() != Site::Token && encoding.getSite() != Site::Row;
    });
    fuseMaps(rewriter, maps);

    for (LinearOp linear : collect<LinearOp>())
      fuseEpilogue(rewriter, linear);
    mergeLinears(rewriter, collect<LinearOp>());
  }
};
} // namespace
