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
#include "llvm/ADT/StringExtras.h"

using namespace mlir;

/// One step of a pipeline: all passes between two names.
template <typename Options> struct Stage {
  StringLiteral name;
  void (*build)(OpPassManager &, const Options &);
};

static void simplify(OpPassManager &pm) {
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
}

/// Tensors to buffers, which nothing frees yet.
static void bufferize(OpPassManager &pm) {
  bufferization::OneShotBufferizePassOptions options;
  options.bufferizeFunctionBoundaries = true;
  options.functionBoundaryTypeConversion = bufferization::LayoutMapOption::IdentityLayoutMap;
  pm.addPass(bufferization::createOneShotBufferizePass(options));
  simplify(pm);
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
  // Scalar erf has no LLVM intrinsic; everything that has one keeps it. What the
  // C library computes is taken out of vectors lane by lane.
  pm.addPass(createConvertMathToLLVMPass());
  pm.addPass(createConvertMathToLibmPass());
  pm.addPass(createConvertVectorToLLVMPass());
  pm.addPass(createFinalizeMemRefToLLVMConversionPass());
  pm.addPass(createConvertFuncToLLVMPass());
  pm.addPass(createArithToLLVMConversionPass());
  pm.addPass(createConvertIndexToLLVMPass());
  pm.addPass(createConvertControlFlowToLLVMPass());
  pm.addPass(createConvertOpenMPToLLVMPass());
  pm.addPass(createUBToLLVMConversionPass());
  pm.addPass(createReconcileUnrealizedCastsPass());
}

//===----------------------------------------------------------------------===//
// posenc-reference
//===----------------------------------------------------------------------===//

static void buildDecompose(OpPassManager &pm, const posenc::ReferencePipelineOptions &) {
  pm.addPass(posenc::createPosencCheckOperands());
  pm.addPass(posenc::createPosencDecompose());
  simplify(pm);
}

static void buildBufferize(OpPassManager &pm, const posenc::ReferencePipelineOptions &) {
  bufferize(pm);
}

static void buildReferenceLLVM(OpPassManager &pm, const posenc::ReferencePipelineOptions &) {
  deallocate(pm);
  lowerToLLVM(pm);
}

static constexpr Stage<posenc::ReferencePipelineOptions> referenceStages[] = {
    {"decompose", buildDecompose}, {"bufferize", buildBufferize}, {"llvm", buildReferenceLLVM}};

//===----------------------------------------------------------------------===//
// posenc-cpu
//===----------------------------------------------------------------------===//

static void buildRaise(OpPassManager &pm, const posenc::CpuPipelineOptions &) {
  pm.addPass(posenc::createPosencRaise());
  simplify(pm);
}

static void buildFuse(OpPassManager &pm, const posenc::CpuPipelineOptions &) {
  pm.addPass(posenc::createPosencCheckOperands());
  pm.addPass(posenc::createPosencFuse());
  simplify(pm);
}

static void buildTile(OpPassManager &pm, const posenc::CpuPipelineOptions &options) {
  pm.addPass(posenc::createPosencApplyMaps());
  pm.addPass(posenc::createPosencTabulate());
  posenc::PosencPackWeightsOptions pack;
  pack.vectorBits = options.vectorBits;
  pm.addPass(posenc::createPosencPackWeights(pack));
  // Operations without a kernel of their own run as scalar loops.
  posenc::PosencDecomposeOptions decompose;
  decompose.keep = {"attention", "linear", "layer_norm", "map"};
  pm.addPass(posenc::createPosencDecompose(decompose));
  simplify(pm);
}

static void buildVectorize(OpPassManager &pm, const posenc::CpuPipelineOptions &options) {
  bufferize(pm);
  posenc::PosencVectorizeAttentionOptions attention;
  attention.vectorBits = options.vectorBits;
  pm.addPass(posenc::createPosencVectorizeAttention(attention));
  posenc::PosencVectorizeLinearOptions rows;
  rows.vectorBits = options.vectorBits;
  pm.addPass(posenc::createPosencVectorizeLinear(rows));
  simplify(pm);
}

static void buildCpuLLVM(OpPassManager &pm, const posenc::CpuPipelineOptions &) {
  pm.addPass(posenc::createPosencExpandMath());
  pm.addPass(memref::createResolveRankedShapeTypeResultDimsPass());
  simplify(pm);
  deallocate(pm);
  pm.addNestedPass<func::FuncOp>(bufferization::createOptimizeAllocationLivenessPass());
  pm.addNestedPass<func::FuncOp>(posenc::createPosencPlanMemory());
  pm.addPass(createConvertSCFToOpenMPPass());
  pm.addPass(createCanonicalizerPass());
  lowerToLLVM(pm);
  pm.addPass(posenc::createPosencAnnotateLoops());
}

static constexpr Stage<posenc::CpuPipelineOptions> cpuStages[] = {
    {"raise", buildRaise},
    {"fuse", buildFuse},
    {"tile", buildTile},
    {"vectorize", buildVectorize},
    {"llvm", buildCpuLLVM}};

//===----------------------------------------------------------------------===//
// Pipelines of stages
//===----------------------------------------------------------------------===//

template <typename Options>
static LogicalResult buildStages(OpPassManager &pm, ArrayRef<Stage<Options>> stages,
                                 const Options &options, posenc::PipelineErrorHandler onError) {
  auto find = [&](StringRef name) {
    return llvm::find_if(stages, [&](const Stage<Options> &stage) { return stage.name == name; });
  };
  auto names = [&] {
    return llvm::join(llvm::map_range(stages, [](auto &stage) { return stage.name.str(); }), ", ");
  };
  auto *first = options.from.empty() ? stages.begin() : find(options.from);
  auto *last = options.to.empty() ? stages.end() - 1 : find(options.to);
  if (first == stages.end() || last == stages.end())
    return onError("unknown stage '" + (first == stages.end() ? options.from : options.to) +
                   "', expected one of: " + names());
  if (last < first)
    return onError("stage '" + last->name + "' comes before '" + first->name +
                   "' in: " + names());

  // First in any case: later stages change the types that it keeps.
  pm.addPass(posenc::createPosencRecordSignature());
  for (const Stage<Options> &stage : llvm::make_range(first, last + 1))
    stage.build(pm, options);
  return success();
}

LogicalResult posenc::buildReferencePipeline(OpPassManager &pm,
                                             const ReferencePipelineOptions &options,
                                             PipelineErrorHandler onError) {
  return buildStages<ReferencePipelineOptions>(pm, referenceStages, options, onError);
}

LogicalResult posenc::buildCpuPipeline(OpPassManager &pm, const CpuPipelineOptions &options,
                                       PipelineErrorHandler onError) {
  return buildStages<CpuPipelineOptions>(pm, cpuStages, options, onError);
}

/// What PassPipelineRegistration does, for a builder that can fail.
template <typename Options>
static void registerPipeline(StringRef name, StringRef description,
                             LogicalResult (*build)(OpPassManager &, const Options &,
                                                    posenc::PipelineErrorHandler)) {
  registerPassPipeline(
      name, description,
      [build](OpPassManager &pm, StringRef text, posenc::PipelineErrorHandler onError) {
        Options options;
        return failure(failed(options.parseFromString(text)) ||
                       failed(build(pm, options, onError)));
      },
      [](function_ref<void(const detail::PassOptions &)> handle) { handle(Options()); });
}

void posenc::registerPipelines() {
  registerPipeline("posenc-cpu", "fused, tiled and vectorised code for the CPU", buildCpuPipeline);
  registerPipeline("posenc-reference", "unfused scalar loops, the semantics of every operation",
                   buildReferencePipeline);
}
