//===- Bufferize.cpp - posenc operations on buffers -----------------------===//
//
// External models of BufferizableOpInterface. Kernel ops keep their regions;
// the ops inside, which may read tensors from outside, bufferise themselves.
//
//===----------------------------------------------------------------------===//

#include "Lower/Bufferize.h"

#include "posenc/Dialect.h"

#include "mlir/Dialect/Bufferization/IR/BufferizableOpInterface.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Bufferization/IR/DstBufferizableOpInterfaceImpl.h"

using namespace mlir;
using namespace mlir::bufferization;
using namespace posenc;

namespace {

template <typename Op>
struct KernelModel
    : DstBufferizableOpInterfaceExternalModel<KernelModel<Op>, Op> {
  /// What a destination holds is never read.
  bool bufferizesToMemoryRead(Operation *op, OpOperand &operand, const AnalysisState &) const {
    return !cast<DestinationStyleOpInterface>(op).isDpsInit(&operand);
  }

  /// A layer reads what it adds to an element before it writes that, a normalisation
  /// all of a row before the row: the result may take the place of either.
  bool bufferizesToElementwiseAccess(Operation *op, const AnalysisState &,
                                     ArrayRef<OpOperand *> operands) const {
    return llvm::all_of(operands, [&](OpOperand *operand) {
      if (auto linear = dyn_cast<LinearOp>(op); linear && !linear.isSplit())
        return operand != &linear.getInputMutable() && operand != &linear.getWeightMutable();
      return isa<LayerNormOp>(op);
    });
  }

  LogicalResult bufferize(Operation *op, RewriterBase &rewriter, const BufferizationOptions &options,
                          BufferizationState &state) const {
    auto dps = cast<DestinationStyleOpInterface>(op);
    if (dps.hasPureBufferSemantics())
      return success();
    OpBuilder::InsertionGuard guard(rewriter);
    rewriter.setInsertionPoint(op);
    SmallVector<Value> operands, destinations;
    for (OpOperand &operand : op->getOpOperands()) {
      Value value = operand.get();
      if (isa<TensorType>(value.getType())) {
        FailureOr<Value> buffer = getBuffer(rewriter, value, options, state);
        if (failed(buffer))
          return failure();
        value = *buffer;
      }
      operands.push_back(value);
      if (dps.isDpsInit(&operand))
        destinations.push_back(value);
    }
    OperationState built(op->getLoc(), op->getName(), operands, TypeRange{}, op->getAttrs());
    built.propertiesAttr = op->getPropertiesAsAttribute();
    for (unsigned r = 0; r < op->getNumRegions(); ++r)
      built.addRegion();
    Operation *kernel = rewriter.create(built);
    for (auto [from, to] : llvm::zip(op->getRegions(), kernel->getRegions()))
      rewriter.inlineRegionBefore(from, to, to.begin());
    replaceOpWithBufferizedValues(rewriter, op, destinations);
    return success();
  }
};

struct CheckModel : BufferizableOpInterface::ExternalModel<CheckModel, CheckOp> {
  bool bufferizesToMemoryRead(Operation *, OpOperand &, const AnalysisState &) const { return true; }
  bool bufferizesToMemoryWrite(Operation *, OpOperand &, const AnalysisState &) const { return false; }
  AliasingValueList getAliasingValues(Operation *, OpOperand &, const AnalysisState &) const { return {}; }
  LogicalResult bufferize(Operation *op, RewriterBase &rewriter, const BufferizationOptions &options,
                          BufferizationState &state) const {
    auto check = cast<CheckOp>(op);
    if (!isa<TensorType>(check.getIndices().getType()))
      return success();
    FailureOr<Value> buffer = getBuffer(rewriter, check.getIndices(), options, state);
    if (failed(buffer))
      return failure();
    CheckOp::create(rewriter, op->getLoc(), *buffer, check.getLimit(), check.getWhat());
    rewriter.eraseOp(op);
    return success();
  }
};

struct WeightModel : BufferizableOpInterface::ExternalModel<WeightModel, WeightOp> {
  bool isWritable(Operation *, Value, const AnalysisState &) const { return false; }
  LogicalResult bufferize(Operation *op, RewriterBase &rewriter, const BufferizationOptions &,
                          BufferizationState &) const {
    auto weight = cast<WeightOp>(op);
    auto type = dyn_cast<RankedTensorType>(weight.getResult().getType());
    if (!type)
      return success();
    auto buffer = MemRefType::get(type.getShape(), type.getElementType());
    replaceOpWithNewBufferizedOp<WeightOp>(rewriter, op, buffer, weight.getFileAttr(),
                                           weight.getNameAttr(), weight.getOffsetAttr());
    return success();
  }
};

} // namespace

void posenc::registerBufferization(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, PosencDialect *) {
    AttentionOp::attachInterface<KernelModel<AttentionOp>>(*context);
    MapOp::attachInterface<KernelModel<MapOp>>(*context);
    LinearOp::attachInterface<KernelModel<LinearOp>>(*context);
    LayerNormOp::attachInterface<KernelModel<LayerNormOp>>(*context);
    CheckOp::attachInterface<CheckModel>(*context);
    WeightOp::attachInterface<WeightModel>(*context);
  });
}
