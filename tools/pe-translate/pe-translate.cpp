//===- pe-translate.cpp - models to MLIR, MLIR to LLVM IR and PTX ---------===//

#include "posenc/Import.h"
#include "posenc/Kernels.h"

#include "mlir/InitAllTranslations.h"
#include "mlir/Tools/mlir-translate/MlirTranslateMain.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

int main(int argc, char **argv) {
  mlir::registerAllTranslations();
  posenc::registerImportTranslations();
  posenc::registerKernelTranslations();

  // Translations read one file: a model folder stands for its configuration.
  llvm::SmallVector<std::string> arguments(argv, argv + argc);
  for (std::string &argument : arguments)
    if (llvm::sys::fs::is_directory(argument))
      argument += "/config.json";
  llvm::SmallVector<char *> pointers;
  for (std::string &argument : arguments)
    pointers.push_back(argument.data());
  return mlir::failed(mlir::mlirTranslateMain(pointers.size(), pointers.data(),
                                              "posenc translation driver"));
}
