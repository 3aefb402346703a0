//===- RowFusion.cpp - row encodings of q, k and v into attention ---------===//

#include "Fuse/Fusion.h"

using namespace mlir;
using namespace posenc;
using namespace posenc::fuse;

/// Why `encoding` cannot become part of `region`; empty if it can.
static std::string obstacle(EncodingOpInterface encoding, AttentionOp attention, Region &region,
                            ChannelsAttr channels) {
  if (layoutOf(encoding) != attention.getLayout())
    return ("its layout is '" + stringifyLayout(layoutOf(encoding)) + "', but that of attention '" +
            stringifyLayout(attention.getLayout()) + "'")
        .str();
  if (size_t uses = dataUses(encoding->getResult(0)).size(); uses != 1)
    return ("its result has " + Twine(uses) + " uses").str();
  if (encoding->getBlock() != attention->getBlock())
    return "it comes from another block, which may run less often";
  if (!region.empty() && withWidth(channels, encoding.getInput()) != channelsOf(encoding))
    return "its channels differ from those of the encoding that follows";
  return {};
}

void fuse::fuseRows(RewriterBase &rewriter, AttentionOp attention) {
  // A tile's operands are slices, whose encodings count rows from the slice on.
  if (!attention.hasPureTensorSemantics() || !attention.getOffsets().empty())
    return;
  struct {
    OpOperand &operand;
    Region &region;
    StringAttr channels;
  } maps[] = {
      {attention.getQueryMutable(), attention.getQueryMap(), attention.getQueryChannelsAttrName()},
      {attention.getKeyMutable(), attention.getKeyMap(), attention.getKeyChannelsAttrName()},
      {attention.getValueMutable(), attention.getValueMap(), attention.getValueChannelsAttrName()}};

  for (auto &map : maps) {
    while (auto encoding = map.operand.get().getDefiningOp<EncodingOpInterface>()) {
      if (encoding.getSite() != Site::Row)
        break;
      std::string reason = obstacle(encoding, attention, map.region,
                                    attention->getAttrOfType<ChannelsAttr>(map.channels));
      if (!reason.empty()) {
        explain(encoding, reason);
        break;
      }

      rewriter.setInsertionPoint(attention);
      if (map.region.empty()) {
        ChannelsAttr channels = encoding.getChannels();
        SmallVector<Type> types(channels.getGroup(), rewriter.getF32Type());
        types.append(4, rewriter.getIndexType());
        SmallVector<Location> locs(types.size(), encoding.getLoc());
        Block *block = rewriter.createBlock(&map.region, map.region.end(), types, locs);
        YieldOp::create(rewriter, encoding.getLoc(),
                        block->getArguments().take_front(channels.getGroup()));
        attention->setAttr(map.channels, channels);
      }
      prependMap(rewriter, &map.region.front(), encoding);
      eraseDead(rewriter, map.region.front());

      Value result = encoding->getResult(0), input = encoding.getInput();
      rewriter.modifyOpInPlace(attention, [&] { map.operand.set(input); });
      forwardSizes(rewriter, result, input);
      if (result.use_empty())
        rewriter.eraseOp(encoding);
    }
  }
}
