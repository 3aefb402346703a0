//===- Pipelines.h - from posenc IR to the LLVM dialect ---------*- C++ -*-===//

#ifndef POSENC_PIPELINES_H
#define POSENC_PIPELINES_H

#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassOptions.h"

namespace posenc {

class Device;

/// A pipeline is a sequence of stages. Between two of them the IR is complete:
/// it can be printed, changed, and taken up `from` the next one.
template <typename T> struct StagedPipelineOptions : mlir::PassPipelineOptions<T> {
  template <typename Value> using Option = typename mlir::PassPipelineOptions<T>::template Option<Value>;
  Option<std::string> from{*this, "from", llvm::cl::desc("first stage to run; default: the first")};
  Option<std::string> to{*this, "to", llvm::cl::desc("last stage to run; default: the last")};
};

struct ReferencePipelineOptions : StagedPipelineOptions<ReferencePipelineOptions> {
  Option<bool> f64{*this, "f64", llvm::cl::desc("compute in f64, whatever the types")};
};

struct CpuPipelineOptions : StagedPipelineOptions<CpuPipelineOptions> {
  Option<int64_t> vectorBits{
      *this, "vector-bits",
      llvm::cl::desc("size of a native vector, 256 or 512; 0: that of the module or host"),
      llvm::cl::init(0)};
  Option<bool> bf16Pairs{
      *this, "bf16-pairs",
      llvm::cl::desc("multiply pairs of bf16; without vector-bits, also if the module or host can"),
      llvm::cl::init(false)};
  Option<bool> bf16Weights{*this, "bf16-weights",
                           llvm::cl::desc("round the weights of linear layers to bf16"),
                           llvm::cl::init(false)};
  Option<bool> sevenProducts{
      *this, "seven-products",
      llvm::cl::desc("multiply blocks of f32 layers by Winograd's form of Strassen's products"),
      llvm::cl::init(false)};
};

struct NvptxPipelineOptions : StagedPipelineOptions<NvptxPipelineOptions> {
  Option<std::string> chip{*this, "chip", llvm::cl::desc("the GPU, as in sm_80"),
                           llvm::cl::init("sm_80")};
  Option<std::string> form{*this, "form",
                           llvm::cl::desc("form of kernels to prefer; default: the best")};
  Option<bool> resident{*this, "resident",
                        llvm::cl::desc("arguments and results are memory of the device"),
                        llvm::cl::init(false)};
};

/// The chip that kernels are best compiled for to run on `device`; an error if that is
/// too old.
llvm::Expected<llvm::StringRef> findChip(const Device &device);

/// Receives what is wrong with the options of a pipeline, and returns failure.
using PipelineErrorHandler = llvm::function_ref<mlir::LogicalResult(const llvm::Twine &)>;

/// Unfused scalar loops through every encoding's own `emit`: what the fast
/// pipelines are compared with. Fails if a stage does not exist.
mlir::LogicalResult buildReferencePipeline(mlir::OpPassManager &pm,
                                           const ReferencePipelineOptions &options,
                                           PipelineErrorHandler onError);

/// Encodings fused into attention, attention tiled, vectorised and spread over
/// threads. Memory beside operands and results is O(rows): no scores, bias or
/// mask are materialised. Fails if a stage does not exist.
mlir::LogicalResult buildCpuPipeline(mlir::OpPassManager &pm, const CpuPipelineOptions &options,
                                     PipelineErrorHandler onError);

/// The same on an NVIDIA GPU: the stages up to tiling are those of the CPU, then
/// every operation is a kernel. Leaves a gpu.module in the NVVM dialect, and host
/// code that calls the functions of upstream's mgpu interface.
mlir::LogicalResult buildNvptxPipeline(mlir::OpPassManager &pm,
                                       const NvptxPipelineOptions &options,
                                       PipelineErrorHandler onError);

void registerPipelines();

} // namespace posenc

#endif // POSENC_PIPELINES_H
