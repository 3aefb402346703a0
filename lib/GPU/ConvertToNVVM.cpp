//===- ConvertToNVVM.cpp - kernels to the LLVM and NVVM dialects ----------===//
//
// Upstream's pass makes every function of the math dialect a call of NVIDIA's
// bitcode library. Here they are arithmetic by now, or an instruction.
//
//===----------------------------------------------------------------------===//

#include "posenc/Passes.h"

#include "mlir/Conversion/ArithToLLVM/ArithToLLVM.h"
#include "mlir/Conversion/ControlFlowToLLVM/ControlFlowToLLVM.h"
#include "mlir/Conversion/FuncToLLVM/ConvertFuncToLLVM.h"
#include "mlir/Conversion/GPUToNVVM/GPUToNVVMPass.h"
#include "mlir/Conversion/IndexToLLVM/IndexToLLVM.h"
#include "mlir/Conversion/LLVMCommon/ConversionTarget.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Conversion/MathToLLVM/MathToLLVM.h"
#include "mlir/Conversion/MemRefToLLVM/MemRefToLLVM.h"
#include "mlir/Conversion/UBToLLVM/UBToLLVM.h"
#include "mlir/Conversion/VectorToLLVM/ConvertVectorToLLVM.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Dialect/Vector/Transforms/LoweringPatterns.h"

using namespace mlir;

namespace posenc {
#define GEN_PASS_DEF_POSENCCONVERTTONVVM
#include "posenc/Passes.h.inc"
} // namespace posenc

namespace {

/// 2^x is one instruction, exact to 2 ulp; what is below the normal numbers is 0.
struct Exp2ToNVVM : OpConversionPattern<math::Exp2Op> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(math::Exp2Op op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    if (!op.getType().isF32())
      return failure();
    rewriter.replaceOpWithNewOp<LLVM::CallIntrinsicOp>(
        op, op.getType(), rewriter.getStringAttr("llvm.nvvm.ex2.approx.ftz.f"),
        adaptor.getOperand());
    return success();
  }
};

/// There are no vectors of it.
struct UnrollExp2 : OpRewritePattern<math::Exp2Op> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(math::Exp2Op op, PatternRewriter &rewriter) const override {
    auto type = dyn_cast<VectorType>(op.getType());
    if (!type || type.getRank() != 1)
      return failure();
    auto elements = vector::ToElementsOp::create(rewriter, op.getLoc(), op.getOperand());
    SmallVector<Value> results;
    for (Value v : elements.getResults())
      results.push_back(math::Exp2Op::create(rewriter, op.getLoc(), v));
    rewriter.replaceOpWithNewOp<vector::FromElementsOp>(op, type, results);
    return success();
  }
};

/// Functions that neither arithmetic nor an instruction stands for.
bool isInstruction(Operation *op) {
  return isa<math::AbsFOp, math::AbsIOp, math::CeilOp, math::CopySignOp, math::CtPopOp,
             math::Exp2Op, math::FloorOp, math::FmaOp, math::RoundEvenOp, math::SqrtOp,
             math::TruncOp, math::CountLeadingZerosOp, math::IsNaNOp, math::IsInfOp,
             math::IsFiniteOp, math::IsNormalOp>(op);
}

struct ConvertToNVVM : posenc::impl::PosencConvertToNVVMBase<ConvertToNVVM> {
  void runOnOperation() override {
    MLIRContext *context = &getContext();
    // Logarithms and the like, by polynomials of f32.
    RewritePatternSet functions(context);
    auto any = [](StringRef) { return true; };
    auto approximated = [](StringRef name) { return name != "math.exp2"; };
    math::populateExpansionPatterns(functions, {"tan", "sinh", "cosh", "asinh", "acosh", "atanh",
                                                "powf", "fpowi", "ipowi", "round", "clampf"});
    populateMathF32ExpansionPatterns(functions, any);
    populateMathPolynomialApproximationPatterns(functions, approximated);
    if (failed(applyPatternsGreedily(getOperation(), std::move(functions))))
      return signalPassFailure();
    WalkResult known = getOperation().walk([&](Operation *op) {
      if (!isa<math::MathDialect>(op->getDialect()) || isInstruction(op))
        return WalkResult::advance();
      op->emitError("'") << op->getName() << "' of " << op->getResult(0).getType()
                         << " has no form on GPUs";
      return WalkResult::interrupt();
    });
    if (known.wasInterrupted())
      return signalPassFailure();

    LowerToLLVMOptions options(context, DataLayout(getOperation()));
    LLVMTypeConverter converter(context, options);
    configureGpuToNVVMTypeConverter(converter);
    RewritePatternSet vectors(context);
    vectors.add<UnrollExp2>(context);
    vector::populateVectorFromElementsUnrollPatterns(vectors);
    if (failed(applyPatternsGreedily(getOperation(), std::move(vectors))))
      return signalPassFailure();

    RewritePatternSet patterns(context);
    arith::populateArithToLLVMConversionPatterns(converter, patterns);
    cf::populateControlFlowToLLVMConversionPatterns(converter, patterns);
    index::populateIndexToLLVMConversionPatterns(converter, patterns);
    populateFuncToLLVMConversionPatterns(converter, patterns);
    populateFinalizeMemRefToLLVMConversionPatterns(converter, patterns);
    populateVectorToLLVMConversionPatterns(converter, patterns);
    populateGpuToNVVMConversionPatterns(converter, patterns);
    ub::populateUBToLLVMConversionPatterns(converter, patterns);
    populateMathToLLVMConversionPatterns(converter, patterns, /*approximateLog1p=*/false,
                                         /*benefit=*/10);
    patterns.add<Exp2ToNVVM>(converter, context, /*benefit=*/20);

    LLVMConversionTarget target(*context);
    target.addLegalDialect<NVVM::NVVMDialect>();
    target.addIllegalDialect<gpu::GPUDialect>();
    target.addLegalOp<gpu::GPUModuleOp, gpu::YieldOp>();
    if (failed(applyPartialConversion(getOperation(), target, std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
