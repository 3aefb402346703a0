//===- Widen.cpp - the same computation in f64 ----------------------------===//

#include "posenc/Dialect.h"
#include "posenc/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;

namespace posenc {
#define GEN_PASS_DEF_POSENCWIDEN
#include "posenc/Passes.h.inc"
} // namespace posenc

/// f64 for narrower floats, and for tensors and vectors of them.
static Type widen(Type type) {
  if (auto shaped = dyn_cast<ShapedType>(type); shaped && isa<TensorType, VectorType>(type))
    return shaped.clone(widen(shaped.getElementType()));
  auto number = dyn_cast<FloatType>(type);
  return number && number.getWidth() < 64 ? Float64Type::get(type.getContext()) : type;
}

static bool isNarrow(Type type) { return widen(type) != type; }

static TypedAttr widen(TypedAttr value) {
  auto convert = [](APFloat number) {
    bool isInexact;
    number.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &isInexact);
    return number;
  };
  Type type = widen(value.getType());
  if (auto number = dyn_cast<FloatAttr>(value))
    return FloatAttr::get(type, convert(number.getValue()));
  return cast<DenseFPElementsAttr>(value).mapValues(
      Float64Type::get(value.getContext()),
      [&](const APFloat &number) { return convert(number).bitcastToAPInt(); });
}

/// Whether `op` computes the same on wider operands. All others keep their
/// types, and casts stand between.
static bool isGeneric(Operation *op) {
  if (isa<func::ReturnOp, arith::BitcastOp, tensor::BitcastOp>(op))
    return false;
  if (auto constant = dyn_cast<arith::ConstantOp>(op))
    return isa<FloatAttr, DenseFPElementsAttr>(constant.getValue());
  return isa<arith::ArithDialect, math::MathDialect, linalg::LinalgDialect, tensor::TensorDialect,
             scf::SCFDialect>(op->getDialect());
}

static bool isFloatCast(Operation *op) { return isa<arith::ExtFOp, arith::TruncFOp>(op); }

/// Lets the users of `value`, which keeps its type, see it in f64.
static void widenUses(OpBuilder &b, Value value) {
  if (!isNarrow(value.getType()))
    return;
  Operation *cast = arith::ExtFOp::create(b, value.getLoc(), widen(value.getType()), value);
  value.replaceAllUsesExcept(cast->getResult(0), cast);
}

static void widenInPlace(Operation *op) {
  if (auto constant = dyn_cast<arith::ConstantOp>(op))
    constant.setValueAttr(widen(constant.getValue()));
  for (Value result : op->getResults())
    result.setType(widen(result.getType()));
  for (Region &region : op->getRegions())
    for (Block &block : region)
      for (BlockArgument argument : block.getArguments())
        argument.setType(widen(argument.getType()));
}

static bool hasBuffers(func::FuncOp function) {
  auto isBuffer = [](Type type) {
    auto memref = dyn_cast<MemRefType>(type);
    return memref && isNarrow(memref.getElementType());
  };
  return function
      .walk([&](Operation *op) {
        return WalkResult(failure(llvm::any_of(op->getOperandTypes(), isBuffer) ||
                                  llvm::any_of(op->getResultTypes(), isBuffer)));
      })
      .wasInterrupted();
}

static void widen(func::FuncOp function) {
  // Before any type changes: who needs which operands.
  SmallVector<Operation *> generic, others;
  function.getBody().walk([&](Operation *op) { (isGeneric(op) ? generic : others).push_back(op); });
  SmallVector<SmallVector<Type>> operandTypes;
  for (Operation *op : others)
    operandTypes.emplace_back(op->getOperandTypes());

  for (Operation *op : generic)
    widenInPlace(op);
  // What reaches a block by a branch keeps its type, too.
  for (Block &block : function.getBody()) {
    OpBuilder b = OpBuilder::atBlockBegin(&block);
    for (Value argument : block.getArguments())
      widenUses(b, argument);
  }
  for (auto [op, types] : llvm::zip(others, operandTypes)) {
    OpBuilder b(op);
    for (auto [operand, type] : llvm::zip(op->getOpOperands(), types))
      if (operand.get().getType() != type)
        operand.set(arith::TruncFOp::create(b, op->getLoc(), type, operand.get()));
    b.setInsertionPointAfter(op);
    for (Value result : op->getResults())
      widenUses(b, result);
  }
  // What converted between floats has nothing left to do.
  for (Operation *op : generic)
    if (isFloatCast(op) && op->getOperand(0).getType() == op->getResult(0).getType()) {
      op->getResult(0).replaceAllUsesWith(op->getOperand(0));
      op->erase();
    }
}

namespace {
struct Widen : posenc::impl::PosencWidenBase<Widen> {
  void runOnOperation() override {
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (!function.isExternal() && !hasBuffers(function))
        widen(function);
  }
};
} // namespace
