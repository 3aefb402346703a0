//===- Pipelines.cpp - from posenc IR to the LLVM dialect -----------------===//

#include "posenc/Pipelines.h"
#include "posenc/Passes.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Bufferization/Pipelines/Passes.h"
#include "mlir/Dialect/Bufferization/Transforms/Passes.h"
#include "mlir/Dialect/GPU/Transforms/Passes.h"
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

/// Loops and buffers to the LLVM dialect; `launches` if kernels are launched.
static void lowerToLLVM(OpPassManager &pm, bool launches = false) {
  pm.addPass(posenc::createPosencLowerRuntime());
  pm.addPass(createConvertLinalgToLoopsPass());
  pm.addPass(createConvertBufferizationToMemRefPass());
  pm.addPass(memref::createExpandStridedMetadataPass());
  pm.addPass(createLowerAffinePass());
  pm.addPass(createSCFToControlFlowPass());
  if (launches)
    pm.addPass(createGpuToLLVMConversionPass());
  // Scalar erf has no LLVM intrinsic; everything that has one keeps it. What the
  // C library computes is taken out of vectors lane by lane.
  pm.addPass(createConvertMathToLLVMPass());
  pm.addPass(createConvertMathToLibmPass());
  ConvertVectorToLLVMPassOptions vectors;
  vectors.x86Vector = true;
  pm.addPass(createConvertVectorToLLVMPass(vectors));
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

static void buildDecompose(OpPassManager &pm, const posenc::ReferencePipelineOptions &options) {
  pm.addPass(posenc::createPosencCheckOperands());
  pm.addPass(posenc::createPosencDecompose());
  simplify(pm);
  if (!options.f64)
    return;
  pm.addPass(posenc::createPosencWiden());
  // Its conversions of whole tensors.
  pm.addPass(createConvertElementwiseToLinalgPass());
  simplify(pm);
}

static void buildBufferize(OpPassManager &pm, const posenc::ReferencePipelineOptions &) {
  bufferize(pm);
}

static void buildReferenceLLVM(OpPassManager &pm, const posenc::ReferencePipelineOptions &) {
  deallocate(pm);
  pm.addNestedPass<func::FuncOp>(posenc::createPosencReturnArguments());
  lowerToLLVM(pm);
}

static constexpr Stage<posenc::ReferencePipelineOptions> referenceStages[] = {
    {"decompose", buildDecompose}, {"bufferize", buildBufferize}, {"llvm", buildReferenceLLVM}};

//===----------------------------------------------------------------------===//
// posenc-cpu
//===----------------------------------------------------------------------===//

template <typename Options> static void buildRaise(OpPassManager &pm, const Options &) {
  pm.addPass(posenc::createPosencRaise());
  simplify(pm);
}

template <typename Options> static void buildFuse(OpPassManager &pm, const Options &) {
  pm.addPass(posenc::createPosencCheckOperands());
  pm.addPass(posenc::createPosencFuse());
  simplify(pm);
}

/// Operations without a kernel of their own run as scalar loops.
static void decomposeOthers(OpPassManager &pm) {
  posenc::PosencDecomposeOptions decompose;
  decompose.keep = {"attention", "linear", "layer_norm", "map"};
  pm.addPass(posenc::createPosencDecompose(decompose));
  simplify(pm);
}

static void buildTile(OpPassManager &pm, const posenc::CpuPipelineOptions &options) {
  pm.addPass(posenc::createPosencReadCaches());
  pm.addPass(posenc::createPosencTabulate());
  posenc::PosencPackWeightsOptions pack;
  pack.vectorBits = options.vectorBits;
  pack.bf16Pairs = options.bf16Pairs;
  pack.bf16Weights = options.bf16Weights;
  pack.sevenProducts = options.sevenProducts;
  pm.addPass(posenc::createPosencPackWeights(pack));
  if (options.bf16Weights)
    pm.addPass(posenc::createPosencNarrowActivations());
  decomposeOthers(pm);
}

static void buildVectorize(OpPassManager &pm, const posenc::CpuPipelineOptions &options) {
  bufferize(pm);
  posenc::PosencGroupHeadsOptions heads;
  heads.vectorBits = options.vectorBits;
  pm.addPass(posenc::createPosencGroupHeads(heads));
  posenc::PosencVectorizeAttentionOptions attention;
  attention.vectorBits = options.vectorBits;
  attention.bf16Pairs = options.bf16Pairs;
  pm.addPass(posenc::createPosencVectorizeAttention(attention));
  posenc::PosencVectorizeLinearOptions rows;
  rows.vectorBits = options.vectorBits;
  rows.bf16Pairs = options.bf16Pairs;
  pm.addPass(posenc::createPosencVectorizeLinear(rows));
  simplify(pm);
}

static void buildCpuLLVM(OpPassManager &pm, const posenc::CpuPipelineOptions &options) {
  posenc::PosencExpandMathOptions math;
  math.vectorBits = options.vectorBits;
  pm.addPass(posenc::createPosencExpandMath(math));
  pm.addPass(memref::createResolveRankedShapeTypeResultDimsPass());
  simplify(pm);
  deallocate(pm);
  pm.addNestedPass<func::FuncOp>(posenc::createPosencReturnArguments());
  pm.addNestedPass<func::FuncOp>(bufferization::createOptimizeAllocationLivenessPass());
  pm.addNestedPass<func::FuncOp>(posenc::createPosencPlanMemory());
  pm.addPass(posenc::createPosencOutlineLoops());
  pm.addPass(createConvertSCFToOpenMPPass());
  pm.addPass(posenc::createPosencBalanceLoops());
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
// posenc-nvptx
//===----------------------------------------------------------------------===//

static void buildNvptxTile(OpPassManager &pm, const posenc::NvptxPipelineOptions &options) {
  if (options.form.empty() || options.form == "decode") {
    posenc::PosencReadCachesOptions caches;
    caches.gpu = true;
    pm.addPass(posenc::createPosencReadCaches(caches));
  }
  pm.addPass(posenc::createPosencApplyMaps());
  posenc::PosencTabulateOptions tabulate;
  tabulate.maps = false;
  pm.addPass(posenc::createPosencTabulate(tabulate));
  posenc::PosencPackWeightsOptions join;
  join.panels = false;
  pm.addPass(posenc::createPosencPackWeights(join));
  decomposeOthers(pm);
}

/// Operations become kernels, which are functions of a module of their own.
static void buildKernels(OpPassManager &pm, const posenc::NvptxPipelineOptions &options) {
  bufferize(pm);
  posenc::PosencMapToGpuOptions map;
  map.chip = options.chip;
  map.form = options.form;
  pm.addPass(posenc::createPosencMapToGpu(map));
  simplify(pm);
  pm.addPass(createGpuLaunchSinkIndexComputationsPass());
  pm.addPass(createGpuKernelOutliningPass());
  simplify(pm);
  posenc::PosencMergeKernelsOptions merge;
  merge.chip = options.chip;
  pm.addPass(posenc::createPosencMergeKernels(merge));
}

/// Which memory is the device's, when it is released, and what waits for what.
static void buildPlace(OpPassManager &pm, const posenc::NvptxPipelineOptions &options) {
  deallocate(pm);
  pm.addNestedPass<func::FuncOp>(posenc::createPosencReturnArguments());
  pm.addNestedPass<func::FuncOp>(bufferization::createOptimizeAllocationLivenessPass());
  posenc::PosencPlaceBuffersOptions place;
  place.resident = options.resident;
  pm.addPass(posenc::createPosencPlaceBuffers(place));
  simplify(pm);
  pm.addNestedPass<func::FuncOp>(createGpuAsyncRegionPass());
}

static void buildNvptxLLVM(OpPassManager &pm, const posenc::NvptxPipelineOptions &) {
  OpPassManager &kernels = pm.nest<gpu::GPUModuleOp>();
  kernels.addPass(posenc::createPosencLowerFragments());
  posenc::PosencExpandMathOptions math;
  math.keep = {"exp2"};
  kernels.addPass(posenc::createPosencExpandMath(math));
  kernels.addPass(memref::createExpandStridedMetadataPass());
  kernels.addPass(createLowerAffinePass());
  kernels.addPass(createSCFToControlFlowPass());
  kernels.addPass(createCanonicalizerPass());
  kernels.addPass(createCSEPass());
  kernels.addPass(posenc::createPosencConvertToNVVM());
  kernels.addPass(createReconcileUnrealizedCastsPass());
  pm.addPass(posenc::createPosencExpandMath());
  lowerToLLVM(pm, /*launches=*/true);
}

static constexpr Stage<posenc::NvptxPipelineOptions> nvptxStages[] = {
    {"raise", buildRaise},     {"fuse", buildFuse},   {"tile", buildNvptxTile},
    {"kernels", buildKernels}, {"place", buildPlace}, {"llvm", buildNvptxLLVM}};

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

LogicalResult posenc::buildNvptxPipeline(OpPassManager &pm, const NvptxPipelineOptions &options,
                                         PipelineErrorHandler onError) {
  return buildStages<NvptxPipelineOptions>(pm, nvptxStages, options, onError);
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
  registerPipeline("posenc-nvptx", "fused kernels for NVIDIA GPUs, and host code", buildNvptxPipeline);
  registerPipeline("posenc-reference", "unfused scalar loops, the semantics of every operation",
                   buildReferencePipeline);
}
