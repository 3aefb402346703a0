//===- Pipelines.h - from posenc IR to the LLVM dialect ---------*- C++ -*-===//

#ifndef POSENC_PIPELINES_H
#define POSENC_PIPELINES_H

#include "mlir/Pass/PassManager.h"

namespace posenc {

/// Unfused scalar loops through every encoding's own `emit`: what the fast
/// pipelines are compared with.
void buildReferencePipeline(mlir::OpPassManager &pm);

void registerPipelines();

} // namespace posenc

#endif // POSENC_PIPELINES_H
