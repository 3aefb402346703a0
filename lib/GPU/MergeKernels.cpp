//===- MergeKernels.cpp - kernels of a program in one module --------------===//

#include "GPU/Chip.h"
#include "posenc/Passes.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/IR/OperationSupport.h"

using namespace mlir;
using namespace posenc;

namespace posenc {
#define GEN_PASS_DEF_POSENCMERGEKERNELS
#include "posenc/Passes.h.inc"
} // namespace posenc

static constexpr int64_t kAlignment = 128; // of variables in shared memory

/// What the variables of a kernel in shared memory take, in bytes.
static int64_t getSharedBytes(gpu::GPUFuncOp kernel) {
  int64_t bytes = 0;
  for (BlockArgument variable : kernel.getWorkgroupAttributions()) {
    auto type = cast<MemRefType>(variable.getType());
    bytes = llvm::alignTo(bytes, kAlignment) +
            type.getNumElements() * llvm::divideCeil(type.getElementTypeBitWidth(), 8);
  }
  return bytes;
}

/// A hash that equal kernels share, whatever their name.
static llvm::hash_code hashBody(gpu::GPUFuncOp kernel) {
  llvm::hash_code hash = hash_value(kernel.getFunctionType());
  kernel.walk([&](Operation *op) {
    if (op != kernel)
      hash = llvm::hash_combine(hash, op->getName().getAsOpaquePointer(),
                                op->getRawDictionaryAttrs().getAsOpaquePointer(),
                                op->getNumOperands());
  });
  return hash;
}

static bool areEqual(gpu::GPUFuncOp a, gpu::GPUFuncOp b) {
  StringAttr name = a.getNameAttr();
  a.setName(b.getName());
  bool equal =
      OperationEquivalence::isEquivalentTo(a, b, OperationEquivalence::IgnoreLocations);
  a.setName(name.getValue());
  return equal;
}

namespace {
struct MergeKernels : posenc::impl::PosencMergeKernelsBase<MergeKernels> {
  using PosencMergeKernelsBase::PosencMergeKernelsBase;

  void runOnOperation() override {
    std::optional<Chip> target = getChip(getOperation(), chip);
    if (!target)
      return signalPassFailure();
    auto modules = llvm::to_vector(getOperation().getOps<gpu::GPUModuleOp>());
    if (modules.empty())
      return;
    OpBuilder b(&getContext());
    b.setInsertionPointToEnd(getOperation().getBody());
    auto merged = gpu::GPUModuleOp::create(b, getOperation().getLoc(), "posenc_kernels");
    Attribute attribute = NVVM::NVVMTargetAttr::get(&getContext(), /*optLevel=*/3,
                                                    "nvptx64-nvidia-cuda", target->name,
                                                    target->features());
    merged.setTargetsAttr(b.getArrayAttr(attribute));

    SymbolTable symbols(merged);
    std::multimap<size_t, gpu::GPUFuncOp> known;
    DenseMap<Attribute, gpu::GPUFuncOp> kernels; // by their reference before
    for (gpu::GPUModuleOp module : modules)
      for (auto kernel : llvm::make_early_inc_range(module.getOps<gpu::GPUFuncOp>())) {
        Attribute reference =
            SymbolRefAttr::get(module.getNameAttr(), {FlatSymbolRefAttr::get(kernel.getNameAttr())});
        if (failed(prepare(kernel, *target)))
          return signalPassFailure();
        kernels[reference] = merge(kernel, symbols, known);
      }
    WalkResult fits = getOperation().walk([&](gpu::LaunchFuncOp launch) {
      gpu::GPUFuncOp kernel = kernels.lookup(launch.getKernel());
      if (failed(checkLaunch(launch, kernel, *target)))
        return WalkResult::interrupt();
      launch.setKernelAttr(SymbolRefAttr::get(merged.getNameAttr(),
                                              {FlatSymbolRefAttr::get(kernel.getNameAttr())}));
      return WalkResult::advance();
    });
    if (fits.wasInterrupted())
      return signalPassFailure();
    for (gpu::GPUModuleOp module : modules)
      module.erase();
  }

  LogicalResult prepare(gpu::GPUFuncOp kernel, const Chip &target) {
    // Unless it is told that one block per processor is enough, ptxas may spill
    // registers to make room for more.
    kernel->setAttr(NVVM::NVVMDialect::getMinctasmAttrName(), OpBuilder(kernel).getI32IntegerAttr(1));
    // What is wide in shared memory starts where a wide access may.
    auto align = IntegerAttr::get(IntegerType::get(&getContext(), 64), kAlignment);
    for (unsigned n = 0; n < kernel.getNumWorkgroupAttributions(); ++n)
      kernel.setWorkgroupAttributionAttr(n, "llvm.align", align);
    int64_t bytes = getSharedBytes(kernel), limit = std::min(target.sharedBytes, kStaticShared);
    if (bytes <= limit)
      return success();
    return kernel.emitOpError("needs ")
           << bytes << " bytes of shared memory, but a kernel for " << target.name
           << " can declare " << limit;
  }

  /// What a launch gives a kernel, if that is known, counts as well.
  static LogicalResult checkLaunch(gpu::LaunchFuncOp launch, gpu::GPUFuncOp kernel,
                                   const Chip &target) {
    Value size = launch.getDynamicSharedMemorySize();
    std::optional<int64_t> known = size ? getConstantIntValue(size) : std::nullopt;
    int64_t bytes = getSharedBytes(kernel) + known.value_or(0);
    if (bytes <= target.sharedBytes)
      return success();
    return launch.emitOpError("gives its kernel ")
           << bytes << " bytes of shared memory, but a block on " << target.name << " has "
           << target.sharedBytes;
  }

  /// The kernel, moved, or an equal one.
  gpu::GPUFuncOp merge(gpu::GPUFuncOp kernel, SymbolTable &symbols,
                       std::multimap<size_t, gpu::GPUFuncOp> &known) {
    size_t hash = hashBody(kernel);
    auto [begin, end] = known.equal_range(hash);
    for (auto it = begin; it != end; ++it)
      if (areEqual(kernel, it->second))
        return it->second;
    kernel->remove();
    symbols.insert(kernel);
    known.emplace(hash, kernel);
    return kernel;
  }
};
} // namespace
