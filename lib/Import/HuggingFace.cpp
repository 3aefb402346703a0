//===- HuggingFace.cpp - Model folders to modules -------------------------===//

#include "Bert.h"
#include "BertConfig.h"
#include "Safetensors.h"
#include "posenc/Dialect.h"
#include "posenc/Import.h"
#include "posenc/Registration.h"

#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Tools/mlir-translate/Translation.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/WithColor.h"

using namespace llvm;
using namespace posenc;

Expected<mlir::OwningOpRef<mlir::ModuleOp>>
posenc::importHuggingFace(StringRef directory, mlir::MLIRContext &context) {
  Expected<BertConfig> config = BertConfig::read(directory);
  if (!config)
    return config.takeError();
  // The module may be run from another folder than it was imported in.
  SmallString<256> path(directory);
  sys::path::append(path, "model.safetensors");
  if (std::error_code error = sys::fs::make_absolute(path))
    return createStringError(error, path);
  sys::path::remove_dots(path, /*remove_dot_dot=*/true);
  Expected<SafetensorsFile> file = SafetensorsFile::open(path);
  if (!file)
    return file.takeError();
  context.loadDialect<mlir::cf::ControlFlowDialect, mlir::func::FuncDialect,
                      mlir::linalg::LinalgDialect, PosencDialect>();
  return buildBert(*config, *file, context);
}

void posenc::registerImportTranslations() {
  static mlir::TranslateToMLIRRegistration registration(
      "import-huggingface",
      "import a BERT encoder from a Hugging Face model folder",
      [](SourceMgr &sources,
         mlir::MLIRContext *context) -> mlir::OwningOpRef<mlir::Operation *> {
        StringRef config = sources.getMemoryBuffer(sources.getMainFileID())
                               ->getBufferIdentifier();
        if (config == "<stdin>") {
          WithColor::error() << "expected the path of a model folder\n";
          return nullptr;
        }
        StringRef directory = sys::path::parent_path(config);
        auto module =
            importHuggingFace(directory.empty() ? "." : directory, *context);
        if (module)
          return mlir::OwningOpRef<mlir::Operation *>(module->release());
        WithColor::error() << toString(module.takeError()) << '\n';
        return nullptr;
      },
      [](mlir::DialectRegistry &registry) { registerAll(registry); });
}
