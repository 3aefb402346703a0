//===- BufferUses.cpp - who uses a buffer, through all views --------------===//

#include "GPU/BufferUses.h"
#include "posenc/Dialect.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Interfaces/ViewLikeInterface.h"

using namespace mlir;
using namespace posenc;

static bool isView(Operation *op) {
  return isa_and_nonnull<ViewLikeOpInterface>(op) && op->getNumResults() == 1 &&
         isa<MemRefType>(op->getResult(0).getType()) &&
         isa<MemRefType>(op->getOperand(0).getType());
}

Value posenc::findRoot(Value v) {
  while (isView(v.getDefiningOp()))
    v = v.getDefiningOp()->getOperand(0);
  return v;
}

SmallVector<OpOperand *> posenc::collectUses(Value root) {
  SmallVector<OpOperand *> uses;
  for (OpOperand &use : root.getUses()) {
    if (isView(use.getOwner()) && use.getOperandNumber() == 0)
      llvm::append_range(uses, collectUses(use.getOwner()->getResult(0)));
    else
      uses.push_back(&use);
  }
  return uses;
}

bool posenc::writes(OpOperand *use) {
  auto launch = cast<gpu::LaunchFuncOp>(use->getOwner());
  auto kernel = SymbolTable::lookupNearestSymbolFrom<gpu::GPUFuncOp>(launch, launch.getKernel());
  unsigned first = launch.getKernelOperands().getBeginOperandIndex();
  return llvm::any_of(collectUses(kernel.getArgument(use->getOperandNumber() - first)),
                      [](OpOperand *use) {
    auto op = dyn_cast<MemoryEffectOpInterface>(use->getOwner());
    return !op || op.getEffectOnValue<MemoryEffects::Write>(use->get());
  });
}

bool posenc::isContiguous(Value v) {
  return cast<MemRefType>(v.getType()).getLayout().isIdentity();
}

bool posenc::isOfDevice(Value root, ArrayRef<OpOperand *> uses) {
  Operation *allocation = root.getDefiningOp();
  return isa_and_nonnull<memref::AllocOp>(allocation) &&
         llvm::all_of(uses, [&](OpOperand *use) {
           Operation *user = use->getOwner();
           return isa<gpu::LaunchFuncOp, memref::DimOp, memref::DeallocOp>(user) ||
                  (isa<func::ReturnOp>(user) && user->getBlock() == allocation->getBlock() &&
                   isContiguous(use->get()));
         });
}

bool posenc::isReadOnly(ArrayRef<OpOperand *> uses) {
  return llvm::all_of(uses, [&](OpOperand *use) {
    Operation *user = use->getOwner();
    return isa<gpu::LaunchFuncOp>(user) ? !writes(use)
                                        : isa<memref::DimOp, memref::LoadOp, CheckOp>(user);
  });
}

bool posenc::isConstant(Value root, ArrayRef<OpOperand *> uses) {
  return isa_and_nonnull<memref::GetGlobalOp, WeightOp>(root.getDefiningOp()) && isReadOnly(uses);
}

bool posenc::isOfKernels(ArrayRef<OpOperand *> uses) {
  return llvm::all_of(uses, [&](OpOperand *use) {
    return isa<gpu::LaunchFuncOp, memref::DimOp, func::ReturnOp>(use->getOwner());
  });
}

bool posenc::isArgument(Value root) {
  auto argument = dyn_cast<BlockArgument>(root);
  return argument && isa<func::FuncOp>(argument.getOwner()->getParentOp()) &&
         argument.getOwner()->isEntryBlock();
}
