//===- Pipelines.cpp - from posenc IR to the LLVM dialect -----------------===//

#include "posenc/Pipelines.h"
#include "posenc/Passes.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Bufferization/Pipelines/Passes.h"
#include "mlir/Dialect/Bufferization/Transforms/Passes.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

/// Tensors to buffers, which nothing frees yet.
static void bufferize(OpPassManager &pm) {
  bufferization::OneShotBufferizePassOptions options;
  options.bufferizeFunctionBoundaries = true;
  options.functionBoundaryTypeConversion = bufferization::LayoutMapOption::IdentityLayoutMap;
  pm.addPass(bufferization::createOneShotBufferizePass(options));
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
}

/// Frees what is no longer used. Comes after the kernels, whose several regions
/// the ownership analysis does not know.
static void deallocate(OpPassManager &pm) {
  bufferization::BufferDeallocationPipelineOptions options;
  bufferization::buildBufferDeallocationPipeline(pm, options);
}

/// Loops and buffers to the LLVM dialect.
static void lowerToLLVM(OpPassManager &pm) {
  pm.addPass(posenc::createPosencLowerRuntime());
  pm.addPass(createConvertLinalgToLoopsPass());
  pm.addPass(createConvertBufferizationToMemRefPass());
  pm.addPass(memref::createExpandStridedMetadataPass());
  pm.addPass(createLowerAffinePass());
  pm.addPass(createSCFToControlFlowPass());
  pm.addPass(createConvertVectorToLLVMPass());
  // Scalar erf has no LLVM intrinsic; everything that has one keeps it.
  pm.addPass(createConvertMathToLLVMPass());
  pm.addPass(createConvertMathToLibmPass());
  pm.addPass(createFinalizeMemRefToLLVMConversionPass());
  pm.addPass(createConvertFuncToLLVMPass());
  pm.addPass(createArithToLLVMConversionPass());
  pm.addPass(createConvertIndexToLLVMPass());
  pm.addPass(createConvertControlFlowToLLVMPass());
  pm.addPass(createConvertOpenMPToLLVMPass());
  pm.addPass(createUBToLLVMConversionPass());
  pm.addPass(createReconcileUnrealizedCastsPass());
}

void posenc::buildReferencePipeline(OpPassManager &pm) {
  pm.addPass(createPosencRecordSignature());
  pm.addPass(createPosencDecompose());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  bufferize(pm);
  deallocate(pm);
  lowerToLLVM(pm);
}

void posenc::buildCpuPipeline(OpPassManager &pm, const CpuPipelineOptions &options) {
  pm.addPass(createPosencRecordSignature());
  pm.addPass(createPosencFuse());
  pm.addPass(createPosencApplyMaps());
  pm.addPass(createPosencPackWeights());
  // Operations without a kernel of their own run as scalar loops.
  PosencDecomposeOptions decompose;
  decompose.keep = {"attention", "linear", "layer_norm", "map"};
  pm.addPass(createPosencDecompose(decompose));
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  bufferize(pm);
  PosencVectorizeAttentionOptions vectorize;
  vectorize.vectorBits = options.vectorBits;
  pm.addPass(createPosencVectorizeAttention(vectorize));
  PosencVectorizeLinearOptions rows;
  rows.vectorBits = options.vectorBits;
  pm.addPass(createPosencVectorizeLinear(rows));
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  pm.addPass(createPosencExpandMath());
  deallocate(pm);
  pm.addPass(createConvertSCFToOpenMPPass());
  pm.addPass(createCanonicalizerPass());
  lowerToLLVM(pm);
}

void posenc::registerPipelines() {
  PassPipelineRegistration<CpuPipelineOptions>(
      "posenc-cpu", "fused, tiled and vectorised code for the CPU", buildCpuPipeline);
  PassPipelineRegistration<>("posenc-reference",
                             "unfused scalar loops, the semantics of every operation",
                             buildReferencePipeline);
}
