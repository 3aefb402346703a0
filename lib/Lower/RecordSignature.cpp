//===- RecordSignature.cpp - keep the types of public functions -----------===//

#include "posenc/Passes.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;

namespace posenc {
#define GEN_PASS_DEF_POSENCRECORDSIGNATURE
#include "posenc/Passes.h.inc"
} // namespace posenc

namespace {
struct RecordSignature : posenc::impl::PosencRecordSignatureBase<RecordSignature> {
  void runOnOperation() override {
    for (auto function : getOperation().getOps<func::FuncOp>()) {
      if (!function.isPublic() || function.isExternal())
        continue;
      // An earlier run, before types changed, knew what callers pass.
      if (!function->hasAttr("posenc.signature"))
        function->setAttr("posenc.signature", TypeAttr::get(function.getFunctionType()));
      function->setAttr(LLVM::LLVMDialect::getEmitCWrapperAttrName(), UnitAttr::get(&getContext()));
      // What a caller passes is the caller's: no result is written over it, unless asked for.
      StringRef writable = bufferization::BufferizationDialect::kWritableAttrName;
      for (auto [n, type] : llvm::enumerate(function.getArgumentTypes())) {
        if (!isa<TensorType>(type))
          continue;
        if (auto given = function.getArgAttrOfType<BoolAttr>(n, writable); given && given.getValue())
          function.setArgAttr(n, "posenc.in_place", UnitAttr::get(&getContext()));
        else
          function.setArgAttr(n, writable, BoolAttr::get(&getContext(), false));
      }
    }
  }
};
} // namespace
