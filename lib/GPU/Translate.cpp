//===- Translate.cpp - kernels of a program, written out ------------------===//

#include "posenc/Kernels.h"
#include "posenc/Pipelines.h"
#include "posenc/Registration.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/GPU/Transforms/Passes.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Tools/mlir-translate/Translation.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/Program.h"

using namespace mlir;
using namespace posenc;

/// Whether kernels are in the LLVM dialect already.
static bool isLowered(ModuleOp module) {
  auto modules = module.getOps<gpu::GPUModuleOp>();
  return llvm::any_of(modules, [](gpu::GPUModuleOp kernels) {
    return !kernels.getOps<LLVM::LLVMFuncOp>().empty();
  });
}

static LogicalResult writeKernels(Operation *op, raw_ostream &os, StringRef chip,
                                  StringRef format) {
  auto module = dyn_cast<ModuleOp>(op);
  if (!module)
    return op->emitError("expected a module");
  PassManager pm(op->getContext());
  if (!isLowered(module)) {
    NvptxPipelineOptions options;
    options.chip = chip.str();
    if (failed(buildNvptxPipeline(
            pm, options, [&](const Twine &error) { return op->emitError(error); })))
      return failure();
  }
  GpuModuleToBinaryPassOptions binary;
  binary.compilationTarget = format.str();
  pm.addPass(createGpuModuleToBinaryPass(binary));
  if (failed(pm.run(module)))
    return failure();
  bool isEmpty = true;
  for (auto kernels : module.getOps<gpu::BinaryOp>())
    for (Attribute object : kernels.getObjects()) {
      StringRef text = cast<gpu::ObjectAttr>(object).getObject().getValue();
      os << (format == "isa" ? text.rtrim('\0') : text);
      isEmpty = false;
    }
  return isEmpty ? op->emitError("the module has no kernels") : success();
}

void posenc::registerKernelTranslations() {
  static llvm::cl::opt<std::string> chip(
      "chip", llvm::cl::init("sm_80"),
      llvm::cl::desc("the GPU that kernels are for, unless they are lowered already"));
  auto dialects = [](DialectRegistry &registry) { registerAll(registry); };
  static TranslateFromMLIRRegistration ptx(
      "posenc-to-ptx", "write the kernels of a program as PTX",
      [](Operation *op, raw_ostream &os) { return writeKernels(op, os, chip, "isa"); }, dialects);
  static TranslateFromMLIRRegistration cubin(
      "posenc-to-cubin", "write the kernels of a program as an object for the GPU",
      [](Operation *op, raw_ostream &os) -> LogicalResult {
        if (!llvm::sys::findProgramByName("ptxas"))
          return op->emitError("expected ptxas in PATH to write a cubin, but found none");
        return writeKernels(op, os, chip, "bin");
      },
      dialects);
}
