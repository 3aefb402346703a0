//===- Plugin.cpp - posenc in tools that are built without it -------------===//

#include "posenc/Registration.h"

#include "mlir/Tools/Plugins/DialectPlugin.h"
#include "mlir/Tools/Plugins/PassPlugin.h"

// MLIR declares both weak, so that hosts may lack them; here they must exist.
extern "C" LLVM_ATTRIBUTE_VISIBILITY_DEFAULT mlir::DialectPluginLibraryInfo
mlirGetDialectPluginInfo() {
  return {MLIR_PLUGIN_API_VERSION, "posenc", POSENC_VERSION,
          [](mlir::DialectRegistry *registry) { posenc::registerDialect(*registry); }};
}

extern "C" LLVM_ATTRIBUTE_VISIBILITY_DEFAULT mlir::PassPluginLibraryInfo
mlirGetPassPluginInfo() {
  return {MLIR_PLUGIN_API_VERSION, "posenc", POSENC_VERSION,
          [] { posenc::registerPosencPasses(); }};
}
