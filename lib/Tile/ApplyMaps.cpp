//===- ApplyMaps.cpp - encode keys and values once, not per query block ---===//

#include "posenc/Dialect.h"
#include "posenc/Passes.h"

using namespace mlir;
using namespace posenc;

namespace posenc {
#define GEN_PASS_DEF_POSENCAPPLYMAPS
#include "posenc/Passes.h.inc"
} // namespace posenc

/// Moves a map region out of the attention op, in front of it. The result keeps the
/// element type, which matrix instructions multiply.
static Value apply(AttentionOp op, Value x, ChannelsAttr channels, Region &region) {
  OpBuilder b(op);
  Location loc = op.getLoc();
  Value init = tensor::EmptyOp::create(b, loc, tensor::getMixedSizes(b, loc, x),
                                       getElementTypeOrSelf(x));
  auto map = MapOp::create(b, loc, TypeRange{init.getType()}, x, ValueRange{}, ValueRange{init},
                           ValueRange{}, channels, LayoutAttr::get(b.getContext(), op.getLayout()));
  map.getBody().takeBody(region);
  return map.getResult(0);
}

namespace {
struct ApplyMaps : posenc::impl::PosencApplyMapsBase<ApplyMaps> {
  void runOnOperation() override {
    getOperation()->walk([&](AttentionOp op) {
      if (!isa<RankedTensorType>(op.getQuery().getType()) || !op.getOffsets().empty())
        return;
      if (auto channels = op.getKeyChannels()) {
        op.getKeyMutable().assign(apply(op, op.getKey(), *channels, op.getKeyMap()));
        op.removeKeyChannelsAttr();
      }
      if (auto channels = op.getValueChannels()) {
        op.getValueMutable().assign(apply(op, op.getValue(), *channels, op.getValueMap()));
        op.removeValueChannelsAttr();
      }
    });
  }
};
} // namespace
