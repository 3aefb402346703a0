//===- ApplyMaps.cpp - encode keys and values once, not per query block ---===//

#include "Vectorize/Kernels.h"
#include "posenc/Passes.h"

using namespace mlir;
using namespace posenc;

namespace posenc {
#define GEN_PASS_DEF_POSENCAPPLYMAPS
#include "posenc/Passes.h.inc"
} // namespace posenc

/// Moves a map region out of the attention op, in front of it. The result is f32,
/// so that it is rounded no more often than before, unless it is to stay `narrow`.
static Value apply(AttentionOp op, Value x, ChannelsAttr channels, Region &region, bool narrow) {
  OpBuilder b(op);
  Location loc = op.getLoc();
  Type element = narrow ? getElementTypeOrSelf(x) : b.getF32Type();
  Value init = tensor::EmptyOp::create(b, loc, tensor::getMixedSizes(b, loc, x), element);
  auto map = MapOp::create(b, loc, TypeRange{init.getType()}, x, ValueRange{}, ValueRange{init},
                           ValueRange{}, channels, LayoutAttr::get(b.getContext(), op.getLayout()));
  map.getBody().takeBody(region);
  return map.getResult(0);
}

namespace {
struct ApplyMaps : posenc::impl::PosencApplyMapsBase<ApplyMaps> {
  using PosencApplyMapsBase::PosencApplyMapsBase;

  void runOnOperation() override {
    getOperation()->walk([&](AttentionOp op) {
      if (!isa<RankedTensorType>(op.getQuery().getType()) || !op.getOffsets().empty() ||
          (DecodePlan::suits(op) && !always))
        return;
      if (auto channels = op.getKeyChannels()) {
        op.getKeyMutable().assign(apply(op, op.getKey(), *channels, op.getKeyMap(), narrow));
        op.removeKeyChannelsAttr();
      }
      if (auto channels = op.getValueChannels()) {
        op.getValueMutable().assign(apply(op, op.getValue(), *channels, op.getValueMap(), narrow));
        op.removeValueChannelsAttr();
      }
    });
  }
};
} // namespace
