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

/// Tensors to buffers that are freed when they are no longer used.
static void bufferize(OpPassManager &pm) {
  bufferization::OneShotBufferizePassOptions options;
  options.bufferizeFunctionBoundaries = true;
  options.functionBoundaryTypeConversion = bufferization::LayoutMapOption::IdentityLayoutMap;
  pm.addPass(bufferization::createOneShotBufferizePass(options));
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  bufferization::BufferDeallocationPipelineOptions deallocation;
  bufferization::buildBufferDeallocationPipeline(pm, deallocation);
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
  pm.addPass(createUBToLLVMConversionPass());
  pm.addPass(createReconcileUnrealizedCastsPass());
}

void posenc::buildReferencePipeline(OpPassManager &pm) {
  pm.addPass(createPosencRecordSignature());
  pm.addPass(createPosencDecompose());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  bufferize(pm);
  lowerToLLVM(pm);
}

void posenc::registerPipelines() {
  PassPipelineRegistration<>("posenc-reference",
                             "unfused scalar loops, the semantics of every operation",
                             buildReferencePipeline);
}
