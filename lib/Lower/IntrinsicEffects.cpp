//===- IntrinsicEffects.cpp - what intrinsics do to memory ----------------===//

#include "Lower/IntrinsicEffects.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "llvm/IR/Attributes.h"
#include "llvm/IR/Intrinsics.h"
#include "llvm/IR/LLVMContext.h"

using namespace mlir;

namespace {
struct IntrinsicEffects
    : MemoryEffectOpInterface::ExternalModel<IntrinsicEffects, LLVM::CallIntrinsicOp> {
  void getEffects(Operation *op,
                  SmallVectorImpl<MemoryEffects::EffectInstance> &effects) const {
    llvm::Intrinsic::ID id =
        llvm::Intrinsic::lookupIntrinsicID(cast<LLVM::CallIntrinsicOp>(op).getIntrin());
    llvm::LLVMContext context;
    if (id && llvm::Intrinsic::getFnAttributes(context, id).getMemoryEffects().doesNotAccessMemory())
      return;
    effects.emplace_back(MemoryEffects::Read::get());
    effects.emplace_back(MemoryEffects::Write::get());
  }
};
} // namespace

void posenc::registerIntrinsicEffects(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, LLVM::LLVMDialect *) {
    LLVM::CallIntrinsicOp::attachInterface<IntrinsicEffects>(*context);
  });
}
