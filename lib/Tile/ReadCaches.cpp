//===- ReadCaches.cpp - attention reads caches ----------------------------===//

#include "Vectorize/Kernels.h"
#include "posenc/Passes.h"

#include "mlir/IR/Remarks.h"

using namespace mlir;
using namespace posenc;

namespace posenc {
#define GEN_PASS_DEF_POSENCREADCACHES
#include "posenc/Passes.h.inc"
} // namespace posenc

/// Why a GPU does not read a cache as it is.
static StringRef refuseOnGpu(ShapedType type) {
  if (type.getDimSize(5) * type.getElementTypeBitWidth() % 128)
    return "chunks are not of a multiple of 16 bytes";
  if (ShapedType::isDynamic(type.getDimSize(3)))
    return "the number of chunks is not known";
  return {};
}

/// Why rows of caches are read as rows; empty if they need not be.
static StringRef refuse(AttentionOp op, RowsOp keys, RowsOp values, bool gpu) {
  if (!keys || !values)
    return "keys and values are not both rows of a cache";
  if (keys.getCount() != values.getCount())
    return "keys and values are not the same number of rows";
  if (op.getKeyChannels() || op.getValueChannels())
    return "keys or values are encoded after they are read: encode what is appended";
  if (!op.getOffsets().empty())
    return "it is a tile";
  auto schedule = op->getAttrOfType<ScheduleAttr>("posenc.schedule");
  if (gpu && schedule && schedule.getForm() != Form::decode)
    return "its schedule asks for another form than 'decode'";
  if (gpu && !DecodePlan::suits(op))
    return "the number of queries is not known to be at most 16";
  auto ofKeys = keys.getCache().getType(), ofValues = values.getCache().getType();
  if (!gpu)
    return refuseCaches(ofKeys, ofValues);
  StringRef reason = refuseOnGpu(ofKeys);
  return reason.empty() ? refuseOnGpu(ofValues) : reason;
}

namespace {
struct ReadCaches : posenc::impl::PosencReadCachesBase<ReadCaches> {
  using PosencReadCachesBase::PosencReadCachesBase;

  void runOnOperation() override {
    getOperation()->walk([&](AttentionOp op) {
      auto keys = op.getKey().getDefiningOp<RowsOp>();
      auto values = op.getValue().getDefiningOp<RowsOp>();
      if (!keys && !values)
        return;
      if (StringRef reason = refuse(op, keys, values, gpu); !reason.empty()) {
        remark::missed(op.getLoc(),
                       remark::RemarkOpts::name("rows-of-cache").category("posenc-read-caches"))
            << reason;
        return;
      }
      op.getKeyMutable().assign(keys.getCache());
      op.getValueMutable().assign(values.getCache());
      op.getCountMutable().assign(keys.getCount());
      if (keys != values && keys->use_empty())
        keys.erase();
      if (values->use_empty())
        values.erase();
    });
  }
};
} // namespace
