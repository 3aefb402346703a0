//===- OutlineLoops.cpp - equal parallel loops as one function ------------===//
//
// Layers of one shape differ in their operands only, and a parallel loop is much
// more code than a call: sharing it among threads, and a function for each of them.
//
//===----------------------------------------------------------------------===//

#include "posenc/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Transforms/RegionUtils.h"

using namespace mlir;

namespace posenc {
#define GEN_PASS_DEF_POSENCOUTLINELOOPS
#include "posenc/Passes.h.inc"
} // namespace posenc

namespace {
/// A loop and what a function of it is called with.
struct Place {
  scf::ParallelOp loop;
  SmallVector<Value> arguments;
};

/// Loops that are equal but for their operands.
struct Group {
  func::FuncOp function;
  SmallVector<Place> places;
};

struct OutlineLoops : posenc::impl::PosencOutlineLoopsBase<OutlineLoops> {
  void runOnOperation() override {
    SmallVector<Group> groups;
    getOperation().walk<WalkOrder::PreOrder>([&](scf::ParallelOp loop) {
      if (loop.getInitVals().empty())
        add(groups, loop);
      return WalkResult::skip();
    });
    SymbolTable symbols(getOperation());
    for (Group &group : groups) {
      if (group.places.size() == 1) {
        group.function.erase();
        continue;
      }
      symbols.insert(group.function);
      for (Place &place : group.places) {
        OpBuilder b(place.loop);
        func::CallOp::create(b, place.loop.getLoc(), group.function, place.arguments);
        place.loop.erase();
      }
    }
  }

private:
  /// To the loops that it equals, whose function is not in the module yet.
  void add(SmallVector<Group> &groups, scf::ParallelOp loop) {
    SetVector<Value> used;
    used.insert_range(loop->getOperands());
    getUsedValuesDefinedAbove(loop.getRegion(), used);
    SmallVector<Value> constants, arguments;
    for (Value v : used)
      (matchPattern(v, m_Constant()) ? constants : arguments).push_back(v);

    OpBuilder b(&getContext());
    auto type = b.getFunctionType(ValueRange(arguments).getTypes(), {});
    auto function = func::FuncOp::create(b.getUnknownLoc(), "posenc_loop", type);
    function.setPrivate();
    // The first is lost on the way to LLVM.
    function.setNoInline(true);
    function->setAttr("passthrough", b.getStrArrayAttr({"noinline"}));
    b.setInsertionPointToStart(function.addEntryBlock());
    IRMapping mapping;
    for (Value v : constants)
      b.clone(*v.getDefiningOp(), mapping);
    mapping.map(arguments, function.getArguments());
    b.clone(*loop, mapping);
    func::ReturnOp::create(b, loop.getLoc());

    for (Group &group : groups)
      if (OperationEquivalence::isEquivalentTo(function, group.function,
                                               OperationEquivalence::IgnoreLocations)) {
        function.erase();
        group.places.push_back({loop, arguments});
        return;
      }
    groups.push_back({function, {{loop, arguments}}});
  }
};
} // namespace
