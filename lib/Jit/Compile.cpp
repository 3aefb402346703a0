//===- Compile.cpp - From the LLVM dialect to optimised LLVM IR -----------===//

#include "posenc/Jit/Compile.h"

#include "mlir/Target/LLVMIR/Export.h"
#include "mlir/Target/LLVMIR/LLVMTranslationInterface.h"
#include "posenc/Jit/Analyses.h"
#include "posenc/Jit/HostTensor.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/StandardInstrumentations.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/SubtargetFeature.h"
#include "llvm/Transforms/IPO/Internalize.h"

using namespace posenc;

static void initializeTarget() {
  static const bool once = [] {
    llvm::InitializeNativeTarget();
    llvm::InitializeNativeTargetAsmPrinter();
    llvm::InitializeNativeTargetAsmParser();
    return true;
  }();
  (void)once;
}

llvm::Expected<std::unique_ptr<llvm::TargetMachine>>
posenc::createTargetMachine(const CompileOptions &options) {
  initializeTarget();
  llvm::Triple triple(llvm::sys::getProcessTriple());
  std::string error;
  const llvm::Target *target =
      llvm::TargetRegistry::lookupTarget(triple, error);
  if (!target)
    return makeError(error);

  llvm::SubtargetFeatures features;
  std::string cpu = options.cpu;
  if (cpu.empty() || cpu == "native") {
    cpu = llvm::sys::getHostCPUName().str();
    for (auto &[feature, isEnabled] : llvm::sys::getHostCPUFeatures())
      features.AddFeature(feature, isEnabled);
  }
  std::unique_ptr<llvm::MCSubtargetInfo> info(
      target->createMCSubtargetInfo(triple, "", ""));
  if (!info->isCPUStringValid(cpu))
    return makeError("unknown processor '" + cpu + "' for " +
                     triple.getArchName());
  llvm::SubtargetFeatures extra(options.features);
  for (const std::string &feature : extra.getFeatures()) {
    if (llvm::none_of(info->getAllProcessorFeatures(), [&](const auto &known) {
          return known.Key == llvm::SubtargetFeatures::StripFlag(feature);
        }))
      return makeError("unknown processor feature '" + feature + "' for " +
                       triple.getArchName());
    features.AddFeature(feature);
  }

  static constexpr llvm::CodeGenOptLevel levels[] = {
      llvm::CodeGenOptLevel::None, llvm::CodeGenOptLevel::Less,
      llvm::CodeGenOptLevel::Default, llvm::CodeGenOptLevel::Aggressive};
  return std::unique_ptr<llvm::TargetMachine>(target->createTargetMachine(
      triple, cpu, features.getString(), llvm::TargetOptions(),
      llvm::Reloc::PIC_, std::nullopt, levels[std::min(options.optLevel, 3u)],
      /*JIT=*/true));
}

llvm::Error posenc::checkRunsHere(const llvm::TargetMachine &target) {
  // What a compiler may use unasked; others (wbnoinvd, amx, ...) take intrinsics, and
  // virtual machines often hide them.
  static constexpr llvm::StringLiteral used[] = {"sse", "ssse", "avx",    "fma",   "f16c", "xop",
                                                 "bmi", "lzcnt", "popcnt", "movbe", "tbm"};
  const llvm::MCSubtargetInfo &info = *target.getMCSubtargetInfo();
  for (auto &entry : llvm::sys::getHostCPUFeatures()) {
    llvm::StringRef feature = entry.getKey();
    bool isUsed = llvm::any_of(used, [&](auto prefix) { return feature.starts_with(prefix); });
    if (!entry.getValue() && isUsed && info.checkFeatures(("+" + feature).str()))
      return makeError("this machine lacks " + feature + ", which code for processor '" +
                       target.getTargetCPU() + "' may use");
  }
  return llvm::Error::success();
}

mlir::Operation *posenc::findUntranslatable(mlir::ModuleOp module) {
  mlir::Operation *found = nullptr;
  module->walk([&](mlir::Operation *op) {
    mlir::Dialect *dialect = op->getDialect();
    if (dialect &&
        dialect
            ->getRegisteredInterface<mlir::LLVMTranslationDialectInterface>())
      return mlir::WalkResult::advance();
    found = op;
    return mlir::WalkResult::interrupt();
  });
  return found;
}

llvm::Expected<std::unique_ptr<llvm::Module>>
posenc::translate(mlir::ModuleOp module, llvm::LLVMContext &context,
                  llvm::TargetMachine &target) {
  std::unique_ptr<llvm::Module> result =
      mlir::translateModuleToLLVMIR(module, context);
  if (!result)
    return makeError("translation to LLVM IR failed");
  result->setTargetTriple(target.getTargetTriple());
  result->setDataLayout(target.createDataLayout());
  return result;
}

/// For code whose loops are in the shape that they should have, with vectors: what
/// simplifies it, and unrolls small loops. A pipeline for loops that are still to be
/// vectorised takes three times as long.
static constexpr llvm::StringLiteral kKernelPipeline =
    "sroa<modify-cfg>,early-cse<memssa>,simplifycfg,instcombine<no-verify-fixpoint>,"
    "loop-mssa(loop-simplifycfg,licm<allowspeculation>,loop-rotate,licm<allowspeculation>),"
    "simplifycfg,instcombine<no-verify-fixpoint>,loop(indvars,loop-deletion),gvn,"
    "loop-unroll<O3>,sroa<modify-cfg>,early-cse<memssa>,instcombine<no-verify-fixpoint>,"
    "loop-mssa(licm<allowspeculation>),simplifycfg,adce";

void posenc::optimize(llvm::Module &module, llvm::TargetMachine &target,
                      unsigned level,
                      llvm::function_ref<bool(llvm::StringRef)> isExported) {
  static const llvm::OptimizationLevel levels[] = {
      llvm::OptimizationLevel::O0, llvm::OptimizationLevel::O1,
      llvm::OptimizationLevel::O2, llvm::OptimizationLevel::O3};
  llvm::PipelineTuningOptions tuning;
  tuning.LoopVectorization = tuning.SLPVectorization = level >= 2;
  // Passes do not look at "optnone" themselves.
  llvm::PassInstrumentationCallbacks callbacks;
  llvm::OptNoneInstrumentation skip(/*DebugLogging=*/false);
  skip.registerCallbacks(callbacks);
  llvm::PassBuilder builder(&target, tuning, std::nullopt, &callbacks);
  Analyses analyses(builder);

  llvm::ModulePassManager passes;
  passes.addPass(llvm::InternalizePass([&](const llvm::GlobalValue &value) {
    return isExported(value.getName());
  }));
  level = std::min(level, 3u);
  if (level == 0) {
    passes.addPass(builder.buildO0DefaultPipeline(levels[0]));
    passes.run(module, analyses.modules);
    return;
  }

  // The pipeline skips what is not to be optimised, and may put another function
  // with the same attributes in the place of one.
  auto forKernels = [&](llvm::function_ref<void(llvm::Function &)> action) {
    for (llvm::Function &function : module)
      if (function.hasFnAttribute("posenc-kernel") && !function.isDeclaration())
        action(function);
  };
  forKernels([](llvm::Function &kernel) { kernel.addFnAttr(llvm::Attribute::OptimizeNone); });
  passes.addPass(builder.buildPerModuleDefaultPipeline(levels[level]));
  passes.run(module, analyses.modules);

  llvm::FunctionPassManager kernelPasses;
  llvm::cantFail(builder.parsePassPipeline(kernelPasses, kKernelPipeline));
  analyses.modules.clear();
  analyses.functions.clear();
  forKernels([&](llvm::Function &kernel) {
    kernel.removeFnAttr(llvm::Attribute::OptimizeNone);
    kernelPasses.run(kernel, analyses.functions);
  });
}
