//===- Registration.cpp - what every tool registers -----------------------===//

#include "posenc/Registration.h"
#include "GPU/LaunchEffects.h"
#include "Lower/Bufferize.h"
#include "Lower/IntrinsicEffects.h"
#include "posenc/Fragments.h"
#include "posenc/Passes.h"
#include "posenc/Pipelines.h"

#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/InitAllPasses.h"
#include "mlir/Target/LLVMIR/Dialect/All.h"

using namespace mlir;

void posenc::registerDialect(DialectRegistry &registry) {
  registry.insert<PosencDialect, pgpu::PgpuDialect>();
  registerBufferization(registry);
  registerLaunchEffects(registry);
  registerIntrinsicEffects(registry);
}

void posenc::registerAll(DialectRegistry &registry) {
  registerAllDialects(registry);
  registerAllExtensions(registry);
  registerAllToLLVMIRTranslations(registry);
  registerDialect(registry);
}

void posenc::registerPosencPasses() {
  registerPosencStagePasses();
  registerPipelines();
}

void posenc::registerAllPasses() {
  mlir::registerAllPasses();
  registerPosencPasses();
}
