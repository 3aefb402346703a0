//===- BalanceLoops.cpp - parallel loops whose iterations differ ----------===//

#include "posenc/Passes.h"

#include "mlir/Dialect/OpenMP/OpenMPDialect.h"

using namespace mlir;

namespace posenc {
#define GEN_PASS_DEF_POSENCBALANCELOOPS
#include "posenc/Passes.h.inc"
} // namespace posenc

namespace {
struct BalanceLoops : posenc::impl::PosencBalanceLoopsBase<BalanceLoops> {
  void runOnOperation() override {
    SymbolTable symbols(getOperation());
    getOperation().walk([&](func::CallOp call) {
      auto callee = symbols.lookup<func::FuncOp>(call.getCallee());
      auto loop = call->getParentOfType<omp::WsloopOp>();
      if (callee && loop && callee->hasAttr("posenc.uneven"))
        loop.setScheduleKind(omp::ClauseScheduleKind::Dynamic);
    });
  }
};
} // namespace
