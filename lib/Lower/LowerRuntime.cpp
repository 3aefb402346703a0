//===- LowerRuntime.cpp - checks and weights to calls of the runtime ------===//

#include "posenc/Passes.h"

#include "mlir/Conversion/LLVMCommon/MemRefBuilder.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace posenc;

namespace posenc {
#define GEN_PASS_DEF_POSENCLOWERRUNTIME
#include "posenc/Passes.h.inc"
} // namespace posenc

namespace {

struct LowerRuntime : posenc::impl::PosencLowerRuntimeBase<LowerRuntime> {
  void runOnOperation() override {
    SmallVector<cf::AssertOp> asserts;
    SmallVector<CheckOp> checks;
    SmallVector<WeightOp> weights;
    SmallVector<memref::AllocOp> pieces;
    SmallVector<OnDeviceOp> constants;
    WalkResult result = getOperation().walk([&](Operation *op) {
      if (auto assertion = dyn_cast<cf::AssertOp>(op))
        asserts.push_back(assertion);
      if (auto check = dyn_cast<CheckOp>(op))
        checks.push_back(check);
      if (auto weight = dyn_cast<WeightOp>(op))
        weights.push_back(weight);
      if (auto alloc = dyn_cast<memref::AllocOp>(op); alloc && alloc->hasAttr("posenc.kept"))
        pieces.push_back(alloc);
      if (auto constant = dyn_cast<OnDeviceOp>(op))
        constants.push_back(constant);
      if (isa<CheckOp, WeightOp>(op) &&
          llvm::any_of(llvm::concat<const Type>(SmallVector<Type>(op->getOperandTypes()),
                                                SmallVector<Type>(op->getResultTypes())),
                       llvm::IsaPred<TensorType>)) {
        op->emitOpError("expected buffers, but found tensors");
        return WalkResult::interrupt();
      }
      return WalkResult::advance();
    });
    if (result.wasInterrupted())
      return signalPassFailure();
    for (cf::AssertOp assertion : asserts)
      lowerAssert(assertion);
    for (CheckOp check : checks)
      lowerCheck(check);
    for (OnDeviceOp constant : constants)
      lowerOnDevice(constant);
    DenseMap<std::pair<Operation *, Operation *>, Value> bases;
    for (WeightOp weight : weights)
      lowerWeight(weight, bases);
    for (memref::AllocOp piece : pieces)
      lowerPiece(piece);
    for (auto file : llvm::make_early_inc_range(getOperation().getOps<WeightsOp>()))
      file.erase();
  }

  /// The address of a zero-terminated string, one global per text.
  Value string(OpBuilder &b, Location loc, StringRef text) {
    LLVM::GlobalOp &global = strings[text];
    if (!global) {
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(getOperation().getBody());
      std::string value = (text + Twine('\0')).str();
      auto type = LLVM::LLVMArrayType::get(b.getI8Type(), value.size());
      global = LLVM::GlobalOp::create(b, loc, type, /*isConstant=*/true, LLVM::Linkage::Internal,
                                      "posenc_text_" + std::to_string(strings.size()),
                                      b.getStringAttr(value));
    }
    return LLVM::AddressOfOp::create(b, loc, global);
  }

  func::FuncOp runtime(OpBuilder &b, Location loc, StringRef name, FunctionType type) {
    if (auto found = getOperation().lookupSymbol<func::FuncOp>(name))
      return found;
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(getOperation().getBody());
    auto function = func::FuncOp::create(b, loc, name, type);
    function.setPrivate();
    return function;
  }

  /// Upstream's lowering aborts, which the host cannot survive.
  void lowerAssert(cf::AssertOp op) {
    Location loc = op.getLoc();
    OpBuilder b(op);
    auto pointer = LLVM::LLVMPointerType::get(&getContext());
    auto fail = runtime(b, loc, "posenc_fail", b.getFunctionType({pointer}, {}));
    Value yes = arith::ConstantIntOp::create(b, loc, b.getI1Type(), 1);
    Value bad = arith::XOrIOp::create(b, loc, op.getArg(), yes);
    scf::IfOp::create(b, loc, bad, [&](OpBuilder &nested, Location) {
      func::CallOp::create(nested, loc, fail, string(nested, loc, op.getMsg()));
      scf::YieldOp::create(nested, loc);
    });
    op.erase();
  }

  void lowerCheck(CheckOp op) {
    Location loc = op.getLoc();
    OpBuilder b(op);
    Emitter e(loc, b);
    Type i64 = e.getI64Type();
    auto wide = [&](Emitter &e, Value v) -> Value {
      if (v.getType().isIndex())
        return arith::IndexCastOp::create(e, i64, v);
      return v.getType() == i64 ? v : arith::ExtSIOp::create(e, i64, v).getResult();
    };
    // Compared without sign, a negative index is the largest of all.
    Value worst;
    if (auto type = dyn_cast<MemRefType>(op.getIndices().getType())) {
      SmallVector<Value> lower, upper, step;
      for (unsigned d = 0; d < type.getRank(); ++d) {
        lower.push_back(e.index(0));
        upper.push_back(memref::DimOp::create(e, op.getIndices(), d));
        step.push_back(e.index(1));
      }
      Value zero = arith::ConstantIntOp::create(e, i64, 0);
      worst = scf::buildLoopNest(e, loc, lower, upper, step, zero,
                                 [&](OpBuilder &nested, Location, ValueRange at, ValueRange acc) {
                                   Emitter inner(loc, nested);
                                   Value v = wide(inner, memref::LoadOp::create(inner, op.getIndices(), at));
                                   return scf::ValueVector{arith::MaxUIOp::create(inner, acc[0], v)};
                                 })
                  .results.front();
    } else {
      worst = wide(e, op.getIndices());
    }
    Value limit = wide(e, op.getLimit());
    Value bad = arith::CmpIOp::create(e, arith::CmpIPredicate::uge, worst, limit);
    // An empty tensor has no bad index, whatever the limit.
    if (auto type = dyn_cast<MemRefType>(op.getIndices().getType())) {
      Value count = e.index(1);
      for (unsigned d = 0; d < type.getRank(); ++d)
        count = e.mul(count, memref::DimOp::create(e, op.getIndices(), d));
      bad = e.logicalAnd(bad, e.less(e.index(0), count));
    }
    auto pointer = LLVM::LLVMPointerType::get(&getContext());
    auto fail = runtime(b, loc, "posenc_fail_index", b.getFunctionType({pointer, i64, i64}, {}));
    scf::IfOp::create(e, bad, [&](OpBuilder &nested, Location) {
      Value text = string(nested, loc, op.getWhat());
      func::CallOp::create(nested, loc, fail, ValueRange{text, worst, limit});
      scf::YieldOp::create(nested, loc);
    });
    op.erase();
  }

  void lowerWeight(WeightOp op, DenseMap<std::pair<Operation *, Operation *>, Value> &bases) {
    Location loc = op.getLoc();
    OpBuilder b(op);
    auto pointer = LLVM::LLVMPointerType::get(&getContext());
    auto function = op->getParentOfType<func::FuncOp>();
    auto file = SymbolTable::lookupNearestSymbolFrom<WeightsOp>(op, op.getFileAttr());
    Value &base = bases[{function, file}];
    if (!base) {
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(&function.getBody().front());
      Type i64 = b.getI64Type();
      auto map = runtime(b, loc, "posenc_weights", b.getFunctionType({pointer, i64, i64}, {pointer}));
      Value path = string(b, loc, file.getPath());
      Value size = arith::ConstantIntOp::create(b, loc, i64, file.getSize());
      Value hash = arith::ConstantIntOp::create(b, loc, i64, file.getHeaderHash());
      base = func::CallOp::create(b, loc, map, ValueRange{path, size, hash}).getResult(0);
    }
    Value data = LLVM::GEPOp::create(b, loc, pointer, b.getI8Type(), base,
                                     ArrayRef<LLVM::GEPArg>{LLVM::GEPArg(op.getOffset())});
    auto type = cast<MemRefType>(op.getResult().getType());
    op.getResult().replaceAllUsesWith(bufferAt(b, loc, type, data));
    op.erase();
  }

  /// The buffer of static shape that is at an address.
  Value bufferAt(OpBuilder &b, Location loc, MemRefType type, Value address) {
    LLVMTypeConverter converter(&getContext());
    Value descriptor = MemRefDescriptor::fromStaticShape(b, loc, converter, type, address);
    return UnrealizedConversionCastOp::create(b, loc, type, descriptor).getResult(0);
  }

  void lowerOnDevice(OnDeviceOp op) {
    Location loc = op.getLoc();
    OpBuilder b(op);
    auto pointer = LLVM::LLVMPointerType::get(&getContext());
    Type i64 = b.getI64Type();
    auto type = cast<MemRefType>(op.getResult().getType());
    int64_t bytes = type.getNumElements() * llvm::divideCeil(type.getElementTypeBitWidth(), 8);
    auto upload = runtime(b, loc, "posenc_device_constant", b.getFunctionType({pointer, i64}, {pointer}));
    Value address = memref::ExtractAlignedPointerAsIndexOp::create(b, loc, op.getSource());
    address = arith::IndexCastOp::create(b, loc, i64, address);
    address = LLVM::IntToPtrOp::create(b, loc, pointer, address);
    Value size = arith::ConstantIntOp::create(b, loc, i64, bytes);
    Value copy = func::CallOp::create(b, loc, upload, ValueRange{address, size}).getResult(0);
    op.getResult().replaceAllUsesWith(bufferAt(b, loc, type, copy));
    op.erase();
  }

  /// The memory of a call, which the runtime library lends.
  void lowerPiece(memref::AllocOp op) {
    Location loc = op.getLoc();
    OpBuilder b(op);
    auto pointer = LLVM::LLVMPointerType::get(&getContext());
    Type i64 = b.getI64Type();
    auto acquire = runtime(b, loc, "posenc_acquire", b.getFunctionType({i64}, {pointer}));
    auto release = runtime(b, loc, "posenc_release", b.getFunctionType({}, {}));
    Value size = arith::IndexCastOp::create(b, loc, i64, op.getDynamicSizes()[0]);
    Value data = func::CallOp::create(b, loc, acquire, size).getResult(0);
    LLVMTypeConverter converter(&getContext());
    auto piece = MemRefDescriptor::poison(b, loc, converter.convertType(op.getType()));
    piece.setAllocatedPtr(b, loc, data);
    piece.setAlignedPtr(b, loc, data);
    piece.setConstantOffset(b, loc, 0);
    piece.setSize(b, loc, 0, size);
    piece.setConstantStride(b, loc, 0, 1);
    for (Operation *user : llvm::make_early_inc_range(op->getUsers()))
      if (isa<memref::DeallocOp>(user)) {
        OpBuilder end(user);
        func::CallOp::create(end, loc, release, ValueRange());
        user->erase();
      }
    op->replaceAllUsesWith(
        UnrealizedConversionCastOp::create(b, loc, op.getType(), Value(piece)));
    op.erase();
  }

  llvm::StringMap<LLVM::GlobalOp> strings;
};

} // namespace
