//===- Pipelines.h - from posenc IR to the LLVM dialect ---------*- C++ -*-===//

#ifndef POSENC_PIPELINES_H
#define POSENC_PIPELINES_H

#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassOptions.h"

namespace posenc {

/// Unfused scalar loops through every encoding's own `emit`: what the fast
/// pipelines are compared with.
void buildReferencePipeline(mlir::OpPassManager &pm);

struct CpuPipelineOptions : mlir::PassPipelineOptions<CpuPipelineOptions> {
  Option<int64_t> vectorBits{
      *this, "vector-bits",
      llvm::cl::desc("size of a native vector, 256 or 512; 0: that of the module or host"),
      llvm::cl::init(0)};
};

/// Encodings fused into attention, attention tiled, vectorised and spread over
/// threads. Memory beside operands and results is O(rows): no scores, bias or
/// mask are materialised.
void buildCpuPipeline(mlir::OpPassManager &pm, const CpuPipelineOptions &options);

void registerPipelines();

} // namespace posenc

#endif // POSENC_PIPELINES_H
