//===- Program.cpp - From a module to something that runs -----------------===//

#include "posenc/Jit/Compile.h"
#include "posenc/Jit/Program.h"

#include "Invoker.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "llvm/MC/MCSubtargetInfo.h"

#include <chrono>

using namespace posenc;
using llvm::StringRef;
using llvm::Twine;

/// Runs `step` and adds the seconds it took to `seconds`.
template <typename Step> static auto measure(double &seconds, Step step) {
  auto start = std::chrono::steady_clock::now();
  auto result = step();
  seconds +=
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start)
          .count();
  return result;
}

/// The parser reports "<name>:1:7: error: text", a caret line and more; only
/// the text is of interest here.
static std::string getFirstError(StringRef log) {
  auto [line, rest] = log.ltrim().split('\n');
  auto [location, text] = line.split("error: ");
  return (text.empty() ? line : text).str();
}

static llvm::Error runPipeline(mlir::ModuleOp module, StringRef pipeline) {
  mlir::PassManager manager(module->getContext());
  if (mlir::failed(mlir::applyPassManagerCLOptions(manager)))
    return makeError("invalid pass manager options");
  mlir::applyDefaultTimingPassManagerCLOptions(manager);

  std::string log;
  llvm::raw_string_ostream os(log);
  mlir::LogicalResult parsed = mlir::failure();
  if (pipeline.starts_with("builtin.module(")) {
    auto passes = mlir::parsePassPipeline(pipeline, os);
    parsed = passes;
    if (mlir::succeeded(passes))
      static_cast<mlir::OpPassManager &>(manager) = std::move(*passes);
  } else {
    parsed = mlir::parsePassPipeline(pipeline, manager, os);
  }
  if (mlir::failed(parsed))
    return makeError("invalid pipeline '" + pipeline +
                     "': " + getFirstError(log));
  // Once, at the end: after each of some fifty passes it takes a third of their time.
  manager.enableVerifier(false);
  if (mlir::failed(manager.run(module)) || mlir::failed(mlir::verify(module)))
    return makeError("pipeline '" + pipeline + "' failed");
  return llvm::Error::success();
}

/// Tells the pipeline what the processor has that we compile for.
static void markProcessor(mlir::ModuleOp module, const llvm::TargetMachine &target) {
  const llvm::MCSubtargetInfo &processor = *target.getMCSubtargetInfo();
  module->setAttr("posenc.vector_bits",
                  mlir::IntegerAttr::get(mlir::IntegerType::get(module.getContext(), 64),
                                         processor.checkFeatures("+avx512f") ? 512 : 256));
  if (processor.checkFeatures("+avx512bf16"))
    module->setAttr("posenc.bf16_pairs", mlir::UnitAttr::get(module.getContext()));
}

/// Says in each function for which chip it is, which LLVM IR would not know.
static void markChip(mlir::gpu::GPUModuleOp kernels) {
  mlir::ArrayAttr targets = kernels.getTargetsAttr();
  auto target = targets && !targets.empty()
                    ? mlir::dyn_cast<mlir::NVVM::NVVMTargetAttr>(targets[0])
                    : nullptr;
  if (target)
    for (auto function : kernels.getOps<mlir::LLVM::LLVMFuncOp>())
      function.setTargetCpu(target.getChip());
}

/// Makes everything private that only others than `entry` need, kernels included.
static void hideOthers(mlir::ModuleOp module, StringRef entry) {
  module.walk([&](mlir::LLVM::LLVMFuncOp function) {
    StringRef name = function.getName();
    bool isKernel = mlir::isa<mlir::gpu::GPUModuleOp>(function->getParentOp());
    if (isKernel || (name != entry && name != kLoadFunction &&
                     !(name.consume_front(kInterfacePrefix) && name == entry)))
      mlir::SymbolTable::setSymbolVisibility(
          function, mlir::SymbolTable::Visibility::Private);
  });
}

/// Compiles each gpu.module in place, as far as `entry` uses it.
static llvm::Error compileDevice(mlir::ModuleOp module, StringRef entry, StringRef format) {
  if (module.getOps<mlir::gpu::GPUModuleOp>().empty())
    return llvm::Error::success();
  if (format == "llvm")
    llvm::for_each(module.getOps<mlir::gpu::GPUModuleOp>(), markChip);
  if (format.empty())
    return makeError("the module has kernels, but no device was chosen to run them");
  hideOthers(module, entry);
  return runPipeline(
      module,
      ("builtin.module(symbol-dce,gpu-module-to-binary{format=" + format + "})").str());
}

/// Lowers and compiles.
static llvm::Expected<Object> compile(mlir::ModuleOp module, Program &program,
                                      const llvm::TargetMachine &target,
                                      const ProgramOptions &options) {
  if (!options.pipeline.empty()) {
    markEntryPoints(module);
    markProcessor(module, target);
    if (llvm::Error error = measure(program.times.pipeline, [&] {
          return runPipeline(module, options.pipeline);
        }))
      return error;
  }
  if (llvm::Error error = measure(program.times.device, [&] {
        return compileDevice(module, program.entry.name, options.deviceFormat);
      }))
    return error;
  if (mlir::Operation *op = findUntranslatable(module))
    return makeError(
        "expected a module in the LLVM dialect but got operation '" +
        op->getName().getStringRef() + "'");
  return measure(program.times.compile,
                 [&] { return compileObject(module, program.entry, options); });
}

/// The object from the cache, or else compiled and kept there.
static llvm::Expected<Object> find(mlir::ModuleOp module, Program &program,
                                   const llvm::TargetMachine &target,
                                   const ProgramOptions &options) {
  std::string key;
  double seconds = 0;
  std::optional<Object> found = measure(seconds, [&] {
    key = ObjectCache::getKey(module, program.entry.name, options.pipeline, target, options);
    return options.cache->find(key);
  });
  if (found) {
    program.times.cache = seconds;
    return std::move(*found);
  }
  llvm::Expected<Object> object = compile(module, program, target, options);
  if (object)
    options.cache->store(key, *object);
  return object;
}

llvm::Expected<Program> Program::build(mlir::ModuleOp module, StringRef name,
                                       const ProgramOptions &options) {
  // Before the types change, and before a wrong name costs time.
  llvm::Expected<EntryPoint> entry = findEntryPoint(module, name);
  if (!entry)
    return entry.takeError();
  Program program;
  program.entry = std::move(*entry);
  auto target = createTargetMachine(options);
  if (!target)
    return target.takeError();
  if (llvm::Error error = checkRunsHere(**target))
    return error;
  bool isKept = options.cache && options.deviceFormat.empty();
  llvm::Expected<Object> object =
      (isKept ? find : compile)(module, program, **target, options);
  if (!object)
    return object.takeError();
  if (llvm::Error error = measure(program.times.load, [&]() -> llvm::Error {
        auto jit = Jit::create(std::move(*object), options.sharedLibs);
        if (!jit)
          return jit.takeError();
        program.jit = std::move(*jit);
        return program.jit->load();
      }))
    return error;
  return program;
}
