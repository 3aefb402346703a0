//===- AnnotateLoops.cpp - what loops say about their unrolling -----------===//

#include "posenc/Passes.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;

namespace posenc {
#define GEN_PASS_DEF_POSENCANNOTATELOOPS
#include "posenc/Passes.h.inc"
} // namespace posenc

namespace {
struct AnnotateLoops : posenc::impl::PosencAnnotateLoopsBase<AnnotateLoops> {
  void runOnOperation() override {
    getOperation()->walk([](LLVM::BrOp branch) {
      StringRef name = "llvm.loop_annotation";
      if (auto annotation = branch->getAttrOfType<LLVM::LoopAnnotationAttr>(name)) {
        branch->removeAttr(name);
        branch.setLoopAnnotationAttr(annotation);
      }
    });
  }
};
} // namespace
