//===- pe-runner.cpp - compiles a function and runs it --------------------===//

#include "Flags.h"
#include "Results.h"

#include "posenc/Emulator.h"
#include "posenc/Jit/Npy.h"
#include "posenc/Jit/Program.h"
#include "posenc/Pipelines.h"
#include "posenc/Registration.h"
#include "posenc/Runtime.h"

#include "mlir/IR/AsmState.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Support/FileUtilities.h"
#include "mlir/Support/Timing.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/ToolOutputFile.h"

#include <chrono>

using namespace posenc;
using llvm::StringRef;
using llvm::Twine;

static void printStep(const Flags &flags, StringRef step, double seconds) {
  if (flags.times)
    llvm::errs() << llvm::format("%-9s %9.3f ms\n", step.str().c_str(),
                                 seconds * 1e3);
}

/// Makes the device that --device names; `emulator` is set if it is that one.
static llvm::Error setUpDevice(const Flags &flags, ProgramOptions &options,
                               Emulator *&emulator) {
  StringRef name = flags.device;
  if (name != "emulator" && (flags.check || flags.counts))
    return makeError("expected --device=emulator with --" +
                     Twine(flags.check ? "check" : "counts"));
  if (name == "cpu")
    return llvm::Error::success();
  if (name == "cuda") {
    DeviceError error;
    auto device = createCudaDevice(/*ordinal=*/0, error);
    if (!device)
      return makeError(error.text);
    if (options.pipeline == "posenc-nvptx" && !flags.pipeline.getNumOccurrences()) {
      auto chip = findChip(*device);
      if (!chip)
        return chip.takeError();
      options.pipeline = ("posenc-nvptx{chip=" + *chip + "}").str();
    }
    setDevice(std::move(device));
    options.deviceFormat = "isa";
    return llvm::Error::success();
  }
  if (name != "emulator")
    return makeError("expected --device=cpu, emulator or cuda but got '" + name + "'");
  EmulatorOptions emulatorOptions;
  emulatorOptions.check = flags.check;
  emulatorOptions.count = flags.counts;
  emulatorOptions.threads = flags.threads;
  auto device = Emulator::create(emulatorOptions);
  emulator = device.get();
  setDevice(std::move(device));
  options.deviceFormat = "llvm";
  return llvm::Error::success();
}

static mlir::OwningOpRef<mlir::ModuleOp> parse(const Flags &flags,
                                               llvm::SourceMgr &sources,
                                               mlir::MLIRContext &context) {
  auto start = std::chrono::steady_clock::now();
  auto module = mlir::parseSourceFile<mlir::ModuleOp>(sources, &context);
  std::chrono::duration<double> seconds =
      std::chrono::steady_clock::now() - start;
  printStep(flags, "parse", seconds.count());
  return module;
}

static llvm::Error printRepeated(const Flags &flags, Program &program,
                                 Tensors &inputs) {
  llvm::SmallVector<double> seconds;
  for (unsigned i = 0; i < flags.repeat; ++i) {
    CallStatistics statistics;
    auto results = program.jit->call(program.entry, inputs, &statistics);
    if (!results)
      return results.takeError();
    seconds.push_back(statistics.seconds);
  }
  llvm::sort(seconds);
  llvm::outs() << llvm::format("time: median %.4g ms, min %.4g ms, %u runs\n",
                               seconds[seconds.size() / 2] * 1e3,
                               seconds.front() * 1e3, flags.repeat.getValue());
  return llvm::Error::success();
}

static llvm::Error writeObject(const Flags &flags, const Jit &jit) {
  std::string path = flags.objectFile;
  if (path.empty())
    path = flags.inputFile + ".o";
  std::error_code error;
  llvm::ToolOutputFile file(path, error, llvm::sys::fs::OF_None);
  if (error)
    return makeError("cannot write '" + path + "': " + error.message());
  file.os() << jit.getObject().getBuffer();
  file.keep();
  return llvm::Error::success();
}

/// The cache that --cache names. The default is no reason to fail.
static llvm::Expected<std::optional<ObjectCache>> openCache(const Flags &flags) {
  std::string folder = flags.cache;
  if (folder.empty())
    folder = ObjectCache::getDefaultFolder();
  if (folder.empty() || folder == "off")
    return std::nullopt;
  auto cache = ObjectCache::open(folder);
  if (cache)
    return std::move(*cache);
  if (flags.cache.getNumOccurrences())
    return cache.takeError();
  llvm::consumeError(cache.takeError());
  return std::nullopt;
}

static llvm::Error run(const Flags &flags, mlir::ModuleOp module,
                       ObjectCache *cache) {
  ProgramOptions options;
  options.cache = cache;
  options.cpu = flags.cpu;
  options.features = flags.features;
  options.optLevel = flags.optLevel;
  options.sharedLibs.append(flags.sharedLibs.begin(), flags.sharedLibs.end());
  if (flags.pipeline.getNumOccurrences() || findUntranslatable(module))
    options.pipeline = flags.pipeline.getNumOccurrences() || flags.device == "cpu"
                           ? flags.pipeline.getValue()
                           : "posenc-nvptx";
  Emulator *emulator = nullptr;
  if (llvm::Error error = setUpDevice(flags, options, emulator))
    return error;

  // All that can be wrong with the flags comes before the compilation.
  auto entry = findEntryPoint(module, flags.entry);
  if (!entry)
    return entry.takeError();
  auto inputs = makeInputs(std::vector<std::string>(flags.inputs.begin(), flags.inputs.end()), *entry);
  if (!inputs)
    return inputs.takeError();
  size_t numResults = entry->results.size();
  if (auto error = checkCount("output", flags.outputs.size(), numResults))
    return error;
  if (auto error = checkCount("expect", flags.expected.size(), numResults))
    return error;

  mlir::OwningOpRef<mlir::ModuleOp> source;
  Tensors pristine;
  if (flags.verify) {
    source = module.clone();
    auto copies = cloneAll(*inputs);
    if (!copies)
      return copies.takeError();
    pristine = std::move(*copies);
  }
  auto program = Program::build(module, flags.entry, options);
  if (!program)
    return program.takeError();
  if (program->times.cache) {
    printStep(flags, "cache", program->times.cache);
  } else {
    printStep(flags, "pipeline", program->times.pipeline);
    if (!options.deviceFormat.empty())
      printStep(flags, "kernels", program->times.device);
    printStep(flags, "compile", program->times.compile);
  }
  printStep(flags, "load", program->times.load);
  if (flags.dumpObject)
    if (llvm::Error error = writeObject(flags, *program->jit))
      return error;

  CallStatistics statistics;
  auto results = program->jit->call(program->entry, *inputs, &statistics);
  if (!results)
    return results.takeError();
  printStep(flags, "run", statistics.seconds);
  if (flags.counts)
    emulator->printCounts(llvm::outs());
  if (llvm::Error error = writeOutputs(flags, *results))
    return error;
  if (flags.checkLeaks && statistics.leakedBuffers)
    return makeError("entry point '" + program->entry.name + "' leaks " +
                     Twine(statistics.leakedBytes) + " bytes (buffers: " +
                     Twine(statistics.leakedBuffers) + ")");
  if (llvm::Error error = checkExpected(flags, program->entry, *results))
    return error;
  if (flags.verify)
    if (llvm::Error error = checkReference(flags, *source, options,
                                           std::move(pristine), *results))
      return error;
  return flags.repeat ? printRepeated(flags, *program, *inputs)
                      : llvm::Error::success();
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  mlir::DialectRegistry registry;
  registerAll(registry);
  registerAllPasses();
  hideLibraryOptions();
  mlir::registerAsmPrinterCLOptions();
  mlir::registerMLIRContextCLOptions();
  mlir::registerPassManagerCLOptions();
  mlir::registerDefaultTimingManagerCLOptions();
  // Those look into the compilation, or change it: then there must be one.
  llvm::StringSet<> libraryOptions = getOptionNames();
  Flags flags;
  cl::ParseCommandLineOptions(argc, argv, "compiles a function and runs it\n");

  auto fail = [](const Twine &message) {
    llvm::outs().flush();
    llvm::errs() << "error: " << message << '\n';
    return EXIT_FAILURE;
  };
  if (flags.optLevel > 3)
    return fail("expected -O0 to -O3 but got -O" + Twine(flags.optLevel));
  // OpenMP ends the process when the system refuses a thread.
  if (flags.threads < 0 || flags.threads > 4096)
    return fail("expected --threads of 0 to 4096 but got " + Twine(flags.threads));
  posenc_set_threads(flags.threads);

  std::string message;
  auto buffer = mlir::openInputFile(flags.inputFile, &message);
  if (!buffer)
    return fail(message);
  mlir::MLIRContext context(registry);
  llvm::SourceMgr sources;
  sources.AddNewSourceBuffer(std::move(buffer), llvm::SMLoc());
  mlir::SourceMgrDiagnosticHandler handler(sources, &context);
  mlir::OwningOpRef<mlir::ModuleOp> module = parse(flags, sources, context);
  if (!module)
    return EXIT_FAILURE;
  auto cache = openCache(flags);
  if (!cache)
    return fail(llvm::toString(cache.takeError()));
  if (hasOption(libraryOptions))
    cache->reset();
  if (llvm::Error error = run(flags, *module, *cache ? &**cache : nullptr))
    return fail(llvm::toString(std::move(error)));
  return EXIT_SUCCESS;
}
