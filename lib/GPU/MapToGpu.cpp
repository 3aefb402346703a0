//===- MapToGpu.cpp - operations on buffers to launches of kernels --------===//

#include "GPU/Forms.h"
#include "posenc/Passes.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/Linalg/Utils/Utils.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Remarks.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace posenc;

namespace posenc {
#define GEN_PASS_DEF_POSENCMAPTOGPU
#include "posenc/Passes.h.inc"
} // namespace posenc

/// Whether the iterations of a loop on buffers, and of those in it, may run in any order.
static bool isNest(Operation *op) {
  return isa<scf::ForOp>(op) && !op->getNumResults() && op->hasAttr("posenc.independent") &&
         !op->getParentOp()->hasAttr("posenc.independent");
}

namespace {
struct MapToGpu : posenc::impl::PosencMapToGpuBase<MapToGpu> {
  using PosencMapToGpuBase::PosencMapToGpuBase;

  void runOnOperation() override {
    std::optional<Chip> found = getChip(getOperation(), chip);
    if (!found)
      return signalPassFailure();
    std::optional<Form> wanted;
    if (!form.empty() && !(wanted = symbolizeForm(form))) {
      getOperation().emitError("unknown form '") << form << "', expected simt, mma, wgmma or decode";
      return signalPassFailure();
    }
    SmallVector<Operation *> ops;
    for (auto function : getOperation().getOps<func::FuncOp>())
      // What it prepares, it prepares once, on the host.
      if (function.getName() != "posenc_load")
        function.walk([&](Operation *op) {
          if (isa<AttentionOp, LinearOp, LayerNormOp, MapOp, linalg::LinalgOp, memref::CopyOp>(op) ||
              isNest(op))
            ops.push_back(op);
        });
    IRRewriter rewriter(&getContext());
    for (Operation *op : ops) {
      rewriter.setInsertionPoint(op);
      bool isLinalg = isa<linalg::LinalgOp>(op);
      auto mapped = TypeSwitch<Operation *, LogicalResult>(op)
          .Case<AttentionOp, LinearOp>([&](auto one) { return build(one, *found, wanted); })
          .Case<LayerNormOp>([](auto one) { return buildSimtLayerNorm(one); })
          .Case<MapOp>([](auto one) { return buildSimtMap(one); })
          .Case<scf::ForOp>([](auto loop) { return buildSimtNest(loop); })
          .Case<memref::CopyOp>([&](auto copy) {
            return buildSimtLoops(rewriter, linalg::makeMemRefCopyOp(rewriter, copy.getLoc(),
                                                                     copy.getSource(),
                                                                     copy.getTarget()));
          })
          .Default([&](Operation *one) {
            return buildSimtLoops(rewriter, cast<linalg::LinalgOp>(one));
          });
      if (failed(mapped))
        return signalPassFailure();
      if (!isLinalg)
        op->erase();
    }
  }

  static bool readsCache(AttentionOp op) { return op.readsCache(); }
  static bool readsCache(LinearOp) { return false; }
  static bool splitsHeads(AttentionOp) { return false; }
  static bool splitsHeads(LinearOp op) { return op.isSplit(); }

  /// The form that the op or the pipeline asks for, else the first that accepts.
  template <typename Op>
  LogicalResult build(Op op, const Chip &target, std::optional<Form> wanted) {
    if (!op.hasPureBufferSemantics())
      return op.emitOpError("expected buffers to map to a GPU");
    if (splitsHeads(op))
      return op.emitOpError("expected a destination of rows to map to a GPU, but found heads");
    auto schedule = op->template getAttrOfType<ScheduleAttr>("posenc.schedule");
    if (schedule)
      wanted = schedule.getForm();
    ArrayRef<KernelForm<Op>> forms = getForms(op);
    bool exists = llvm::any_of(forms, [&](auto &one) { return one.form == wanted; });
    if (wanted && !exists)
      return op.emitOpError("there is no form '") << stringifyForm(*wanted) << "' of it";
    for (const KernelForm<Op> &one : forms) {
      if (wanted && one.form != *wanted && one.form != Form::simt)
        continue;
      std::string reason = readsCache(op) && one.form != Form::decode
                               ? "expected keys in rows, but found a cache"
                               : one.refuse(op, target);
      if (reason.empty())
        return one.build(op, target);
      if (schedule)
        return op.emitOpError("cannot have the form '") << stringifyForm(one.form) << "': " << reason;
      remark::missed(op.getLoc(), remark::RemarkOpts::name("not-" + stringifyForm(one.form).str())
                                      .category("posenc-map-to-gpu"))
          << StringRef(reason);
    }
    return op.emitOpError("no form of a kernel accepts it");
  }
};
} // namespace
