//===- PlaceBuffers.cpp - memory of the host and memory of the device -----===//
//
// Up to here a buffer is a buffer. What only kernels use is allocated on the
// device; what never changes is copied there once; everything else is the host's,
// and is copied around the launches that use it.
//
//===----------------------------------------------------------------------===//

#include "GPU/BufferUses.h"
#include "posenc/Passes.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace posenc;

namespace posenc {
#define GEN_PASS_DEF_POSENCPLACEBUFFERS
#include "posenc/Passes.h.inc"
} // namespace posenc

static SmallVector<Value> getSizes(OpBuilder &b, Value v) {
  SmallVector<Value> sizes;
  auto type = cast<MemRefType>(v.getType());
  for (int64_t d = 0; d < type.getRank(); ++d)
    if (type.isDynamicDim(d))
      sizes.push_back(memref::DimOp::create(b, v.getLoc(), v, d));
  return sizes;
}

static Value allocateLike(OpBuilder &b, Value v) {
  return gpu::AllocOp::create(b, v.getLoc(), v.getType(), /*asyncToken=*/Type(), ValueRange{},
                              getSizes(b, v), ValueRange{})
      .getMemref();
}

static void copy(OpBuilder &b, Value to, Value from) {
  gpu::MemcpyOp::create(b, to.getLoc(), /*asyncToken=*/Type(), ValueRange{}, to, from);
}

static void release(OpBuilder &b, Value v) {
  gpu::DeallocOp::create(b, v.getLoc(), /*asyncToken=*/Type(), ValueRange{}, v);
}

namespace {
struct PlaceBuffers : posenc::impl::PosencPlaceBuffersBase<PlaceBuffers> {
  using PosencPlaceBuffersBase::PosencPlaceBuffersBase;

  void runOnOperation() override {
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (failed(place(function)))
        return signalPassFailure();
  }

  LogicalResult place(func::FuncOp function) {
    llvm::SetVector<Value> roots;
    SmallVector<gpu::LaunchFuncOp> launches;
    function.walk([&](gpu::LaunchFuncOp launch) {
      launches.push_back(launch);
      for (Value operand : launch.getKernelOperands())
        if (isa<MemRefType>(operand.getType()))
          roots.insert(findRoot(operand));
    });
    if (resident && function.isPublic()) {
      if (failed(checkResident(function)))
        return failure();
      function.walk([](CheckOp check) { checkOnHost(check); });
    }
    for (Value root : roots) {
      if (resident && function.isPublic() && isa<BlockArgument>(root))
        continue;
      if (!isContiguous(root))
        return emitError(root.getLoc(), "expected a contiguous buffer to copy to the device, but "
                                        "found ") << root.getType();
      SmallVector<OpOperand *> uses = collectUses(root);
      if (isOfDevice(root, uses))
        moveToDevice(function, root, uses);
      else if (isConstant(root, uses))
        copyOnce(root, uses);
      else if (isArgument(root) && (isReadOnly(uses) || isOfKernels(uses)))
        copyAtEntry(function, root, uses);
      else
        for (gpu::LaunchFuncOp launch : launches)
          copyAround(launch, root);
    }
    return success();
  }

  //===--------------------------------------------------------------------===//
  // Only kernels use it
  //===--------------------------------------------------------------------===//

  void moveToDevice(func::FuncOp function, Value root, ArrayRef<OpOperand *> uses) {
    auto allocation = root.getDefiningOp<memref::AllocOp>();
    OpBuilder b(allocation);
    Value memory = gpu::AllocOp::create(b, root.getLoc(), root.getType(), Type(), ValueRange{},
                                        allocation.getDynamicSizes(),
                                        allocation.getSymbolOperands())
                       .getMemref();
    Operation *freed = nullptr;
    DenseMap<Value, Value> results; // the same buffer may be several
    for (OpOperand *use : uses) {
      Operation *user = use->getOwner();
      b.setInsertionPoint(user);
      if (isa<memref::DeallocOp>(user)) {
        release(b, memory);
        user->erase();
      } else if (isa<func::ReturnOp>(user) && !(resident && function.isPublic())) {
        Value v = use->get(), &result = results[v];
        if (!result) {
          result = memref::AllocOp::create(b, v.getLoc(), cast<MemRefType>(v.getType()),
                                           getSizes(b, v));
          copy(b, result, v);
        }
        use->set(result);
        freed = user;
      }
    }
    if (freed) {
      b.setInsertionPoint(freed);
      release(b, memory);
    }
    root.replaceAllUsesWith(memory);
    allocation.erase();
  }

  //===--------------------------------------------------------------------===//
  // Arguments and results of the device
  //===--------------------------------------------------------------------===//

  static bool isReturnedWhole(OpOperand *use) {
    return isa<func::ReturnOp>(use->getOwner()) && findRoot(use->get()) == use->get();
  }

  /// The host looks at a copy of what is on the device.
  static void checkOnHost(CheckOp check) {
    Value v = check->getOperand(0);
    if (!isa<MemRefType>(v.getType()) || !isArgument(findRoot(v)))
      return;
    OpBuilder b(check);
    Value twin = memref::AllocOp::create(b, v.getLoc(), cast<MemRefType>(v.getType()),
                                         getSizes(b, v));
    copy(b, twin, v);
    check->setOperand(0, twin);
    b.setInsertionPointAfter(check);
    memref::DeallocOp::create(b, v.getLoc(), twin);
  }

  /// Nothing but kernels and checks may use what the caller has on the device, and what
  /// it gets there must be memory of its own.
  LogicalResult checkResident(func::FuncOp function) {
    for (BlockArgument argument : function.getArguments()) {
      if (!isa<MemRefType>(argument.getType()))
        continue;
      for (OpOperand *use : collectUses(argument))
        if (!isa<gpu::LaunchFuncOp, memref::DimOp, CheckOp>(use->getOwner()) &&
            !isReturnedWhole(use))
          return use->getOwner()->emitError("expected argument #")
                 << argument.getArgNumber()
                 << ", which is memory of the device, to be used by kernels only, but found '"
                 << use->getOwner()->getName() << "'";
    }
    WalkResult result = function.walk([&](func::ReturnOp end) {
      DenseSet<Value> roots;
      for (OpOperand &operand : end->getOpOperands()) {
        Value root = findRoot(operand.get());
        if (isReturnedWhole(&operand) && isArgument(root) && roots.insert(root).second)
          continue; // changed in place
        SmallVector<OpOperand *> uses = collectUses(root);
        bool isWrittenThere = llvm::any_of(
            uses, [](OpOperand *use) { return isa<gpu::LaunchFuncOp>(use->getOwner()); });
        if (isWrittenThere && isOfDevice(root, uses) && roots.insert(root).second)
          continue;
        end.emitError("expected result #")
            << operand.getOperandNumber()
            << " to be memory of the device that kernels write, and no other result";
        return WalkResult::interrupt();
      }
      return WalkResult::advance();
    });
    return failure(result.wasInterrupted());
  }

  //===--------------------------------------------------------------------===//
  // It does not change
  //===--------------------------------------------------------------------===//

  /// The views of `root` that launches use, once more, of `twin`.
  static void redirect(Value root, Value twin, ArrayRef<OpOperand *> uses) {
    IRMapping twins;
    twins.map(root, twin);
    for (OpOperand *use : uses)
      if (isa<gpu::LaunchFuncOp>(use->getOwner()))
        use->set(viewOf(use->get(), twins));
  }

  static Value viewOf(Value v, IRMapping &twins) {
    if (Value known = twins.lookupOrNull(v))
      return known;
    Operation *view = v.getDefiningOp();
    viewOf(view->getOperand(0), twins);
    OpBuilder b(view);
    b.setInsertionPointAfter(view);
    return b.clone(*view, twins)->getResult(0);
  }

  static void copyOnce(Value root, ArrayRef<OpOperand *> uses) {
    OpBuilder b(root.getContext());
    b.setInsertionPointAfterValue(root);
    redirect(root, OnDeviceOp::create(b, root.getLoc(), root.getType(), root), uses);
  }

  /// What kernels change is copied back when the function ends.
  static void copyAtEntry(func::FuncOp function, Value root, ArrayRef<OpOperand *> uses) {
    OpBuilder b = OpBuilder::atBlockBegin(&function.getBody().front());
    Value twin = allocateLike(b, root);
    copy(b, twin, root);
    bool changes = !isReadOnly(llvm::to_vector(llvm::make_filter_range(uses, [](OpOperand *use) {
      return isa<gpu::LaunchFuncOp>(use->getOwner());
    })));
    redirect(root, twin, uses);
    function.walk([&](func::ReturnOp end) {
      b.setInsertionPoint(end);
      if (changes)
        copy(b, root, twin);
      release(b, twin);
    });
  }

  //===--------------------------------------------------------------------===//
  // The host uses it as well
  //===--------------------------------------------------------------------===//

  void copyAround(gpu::LaunchFuncOp launch, Value root) {
    SmallVector<OpOperand *> uses;
    for (OpOperand &operand : launch->getOpOperands())
      if (isa<MemRefType>(operand.get().getType()) && findRoot(operand.get()) == root)
        uses.push_back(&operand);
    if (uses.empty())
      return;
    bool changes = llvm::any_of(uses, [&](OpOperand *use) { return writes(use); });
    OpBuilder b(launch);
    Value twin = allocateLike(b, root);
    copy(b, twin, root);
    // The views are wherever they are: these come after the copy.
    IRMapping twins;
    twins.map(root, twin);
    for (OpOperand *use : uses) {
      SmallVector<Operation *> chain;
      for (Value v = use->get(); v != root; v = v.getDefiningOp()->getOperand(0))
        chain.push_back(v.getDefiningOp());
      for (Operation *view : llvm::reverse(chain))
        if (!twins.contains(view->getResult(0)))
          b.clone(*view, twins);
      use->set(twins.lookup(use->get()));
    }
    b.setInsertionPointAfter(launch);
    if (changes)
      copy(b, root, twin);
    release(b, twin);
  }

};
} // namespace
