//===- pe-opt.cpp - runs passes and pipelines on MLIR ---------------------===//

#include "posenc/Registration.h"

#include "mlir/Tools/mlir-opt/MlirOptMain.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  posenc::registerAll(registry);
  posenc::registerAllPasses();
  return mlir::asMainReturnCode(
      mlir::MlirOptMain(argc, argv, "posenc optimizer driver\n", registry));
}
