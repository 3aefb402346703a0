//===- ReturnArguments.cpp - what was changed in place is returned as it is ===//

#include "posenc/Passes.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;

namespace posenc {
#define GEN_PASS_DEF_POSENCRETURNARGUMENTS
#include "posenc/Passes.h.inc"
} // namespace posenc

static constexpr llvm::StringLiteral kInPlace = "posenc.in_place";

namespace {
struct ReturnArguments : posenc::impl::PosencReturnArgumentsBase<ReturnArguments> {
  void runOnOperation() override {
    func::FuncOp function = getOperation();
    SmallVector<bufferization::CloneOp> copies;
    function.walk([&](bufferization::CloneOp clone) {
      auto argument = dyn_cast<BlockArgument>(clone.getInput());
      if (argument && argument.getOwner() == &function.getBody().front() &&
          function.getArgAttr(argument.getArgNumber(), kInPlace) &&
          llvm::all_of(clone->getUsers(), llvm::IsaPred<func::ReturnOp>))
        copies.push_back(clone);
    });
    for (bufferization::CloneOp clone : copies) {
      if (clone.getType() != clone.getInput().getType())
        continue;
      clone.getResult().replaceAllUsesWith(clone.getInput());
      clone.erase();
    }
    for (unsigned n = 0; n < function.getNumArguments(); ++n)
      function.removeArgAttr(n, kInPlace);
  }
};
} // namespace
