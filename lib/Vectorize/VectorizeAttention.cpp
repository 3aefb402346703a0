//===- VectorizeAttention.cpp - attention to vector kernels ---------------===//

#include "Vectorize/VectorBits.h"
#include "Vectorize/AttentionKernel.h"
#include "posenc/Passes.h"

#include "mlir/Dialect/UB/IR/UBOps.h"
#include "mlir/Transforms/RegionUtils.h"

using namespace mlir;
using namespace posenc;

namespace posenc {
#define GEN_PASS_DEF_POSENCVECTORIZEATTENTION
#include "posenc/Passes.h.inc"
} // namespace posenc

/// The kernels read and write rows by vectors.
static LogicalResult checkOperands(AttentionOp op) {
  SmallVector<Value> rows{op.getQuery(), op.getKey(), op.getValue(), op.getOuts()[0]};
  for (Value v : rows) {
    auto type = cast<MemRefType>(v.getType());
    SmallVector<int64_t> strides;
    int64_t offset;
    if (type.isDynamicDim(3))
      return op.emitOpError("expected a static head width to vectorize, but found ") << type;
    if (failed(type.getStridesAndOffset(strides, offset)) || strides.back() != 1)
      return op.emitOpError("expected channels next to each other to vectorize, but found ")
             << type;
  }
  return success();
}

namespace {
struct VectorizeAttention
    : posenc::impl::PosencVectorizeAttentionBase<VectorizeAttention> {
  using PosencVectorizeAttentionBase::PosencVectorizeAttentionBase;

  void runOnOperation() override {
    FailureOr<int64_t> bits = getVectorBits(getOperation(), vectorBits);
    if (failed(bits))
      return signalPassFailure();
    SmallVector<AttentionOp> ops;
    getOperation().walk([&](AttentionOp op) {
      if (op.hasPureBufferSemantics())
        ops.push_back(op);
    });
    SymbolTable symbols(getOperation());
    for (AttentionOp op : ops)
      if (failed(checkOperands(op)) || failed(vectorize(op, symbols)))
        return signalPassFailure();
  }

  /// The kernel is a function of its own, so that its scratch on the stack is
  /// not that of a parallel loop.
  LogicalResult vectorize(AttentionOp op, SymbolTable &symbols) {
    Location loc = op.getLoc();
    OpBuilder b(op);
    Value zero = arith::ConstantIndexOp::create(b, loc, 0);
    SmallVector<Value> operands{op.getQuery(), op.getKey(), op.getValue()};
    llvm::append_range(operands, op.getOuts());
    SmallVector<Value> offsets(op.getOffsets());
    if (offsets.empty())
      offsets.assign(4, zero);
    llvm::append_range(operands, offsets);
    llvm::SetVector<Value> used;
    getUsedValuesDefinedAbove(op->getRegions(), used);
    SmallVector<Value> captured, cloned;
    for (Value v : used) {
      Operation *def = v.getDefiningOp();
      bool anywhere = def && (def->hasTrait<OpTrait::ConstantLike>() || isa<memref::GetGlobalOp>(def));
      (anywhere ? cloned : captured).push_back(v);
    }
    llvm::append_range(operands, captured);
    SmallVector<Type> types = llvm::to_vector(TypeRange(ValueRange(operands)));
    types.append(3, b.getIndexType()); // batch, head, first row

    OpBuilder module(&getContext());
    auto kernel = func::FuncOp::create(module, loc, "posenc_attention",
                                       b.getFunctionType(types, {}));
    kernel.setPrivate();
    symbols.insert(kernel);
    kernel.addEntryBlock();
    kernel->setAttr("no_inline", b.getUnitAttr());

    int64_t width = cast<MemRefType>(op.getQuery().getType()).getDimSize(3);
    int64_t valueWidth = cast<MemRefType>(op.getValue().getType()).getDimSize(3);
    auto shape = AttentionShape::forBits(vectorBits, std::max(width, valueWidth));
    KernelBuilder body(loc, kernel, shape.lanes);
    AttentionArguments arguments;
    auto next = kernel.getArguments().begin();
    arguments.query = *next++;
    arguments.key = *next++;
    arguments.value = *next++;
    arguments.out = *next++;
    if (op.getOuts().size() > 1)
      arguments.lse = *next++;
    for (unsigned n = 0; n < 4; ++n)
      arguments.offsets.push_back(*next++);
    IRMapping outer;
    for (Value v : captured)
      outer.map(v, *next++);
    arguments.batch = *next++;
    arguments.head = *next++;
    arguments.row = *next++;
    for (Value v : cloned)
      outer.map(v, body.clone(*v.getDefiningOp())->getResult(cast<OpResult>(v).getResultNumber()));
    if (failed(AttentionKernel(body, op, shape, arguments, outer).build()))
      return failure();
    func::ReturnOp::create(body);

    auto dim = [&](unsigned d) -> Value {
      return memref::DimOp::create(b, loc, op.getQuery(),
                                   arith::ConstantIndexOp::create(b, loc, d));
    };
    Value one = arith::ConstantIndexOp::create(b, loc, 1);
    Value block = arith::ConstantIndexOp::create(b, loc, shape.queries());
    SmallVector<Value> upper{dim(0), dim(op.getHeadDim()), dim(op.getRowDim())};
    scf::ParallelOp::create(b, loc, SmallVector<Value>(3, zero), upper,
                            SmallVector<Value>{one, one, block},
                            [&](OpBuilder &nested, Location, ValueRange at) {
                              SmallVector<Value> all(operands);
                              llvm::append_range(all, at);
                              func::CallOp::create(nested, loc, kernel, all);
                            });
    op.erase();
    return success();
  }
};
} // namespace
