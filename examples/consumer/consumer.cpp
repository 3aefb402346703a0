//===- consumer.cpp - posenc as a library ---------------------------------===//
//
//   consumer FILE PIPELINE
//
// Parses a file, runs a pass or a pipeline by its name, prints what results.
//
//===----------------------------------------------------------------------===//

#include "posenc/Registration.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"

int main(int argc, char **argv) {
  if (argc != 3)
    return llvm::errs() << "usage: consumer FILE PIPELINE\n", 1;
  mlir::DialectRegistry registry;
  posenc::registerAll(registry);
  posenc::registerAllPasses();
  mlir::MLIRContext context(registry);
  auto module = mlir::parseSourceFile<mlir::ModuleOp>(argv[1], &context);
  mlir::PassManager passes(&context);
  if (!module || mlir::failed(mlir::parsePassPipeline(argv[2], passes)) ||
      mlir::failed(passes.run(*module)))
    return 1;
  module->print(llvm::outs());
}
