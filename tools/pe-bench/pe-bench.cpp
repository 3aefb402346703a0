//===- pe-bench.cpp - checks compiled code, then times it -----------------===//

#include "Cases.h"

#include "Bench/Emulate.h"
#include "Bench/OnDevice.h"
#include "Bench/Run.h"
#include "posenc/Pipelines.h"
#include "posenc/Registration.h"
#include "posenc/Runtime.h"

#include "mlir/Pass/PassManager.h"
#include "mlir/Support/Timing.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/ToolOutputFile.h"

using namespace posenc;
using namespace posenc::bench;

static llvm::Error writeText(llvm::StringRef path, llvm::StringRef text) {
  std::error_code error;
  llvm::ToolOutputFile file(path, error, llvm::sys::fs::OF_None);
  if (error)
    return makeError("cannot write '" + path + "': " + error.message());
  file.os() << text;
  file.keep();
  return llvm::Error::success();
}

static Cases getCases(const Flags &flags, mlir::MLIRContext &context) {
  if (flags.attention)
    return getAttentionCases(flags);
  if (flags.encodings)
    return getEncodingCases(flags);
  if (flags.gemm)
    return getGemmCases(flags);
  if (flags.model)
    return getModelCases(flags, context);
  return makeError("expected a subcommand: attention, encodings, gemm or model");
}

/// Where other libraries and their workers are, in the build tree and installed.
static PeerOptions getPeers(const Flags &flags, const char *program) {
  PeerOptions options;
  options.libraries.assign(flags.peers.begin(), flags.peers.end());
  if (options.libraries == std::vector<std::string>{""})
    options.libraries = flags.device == "cuda"
                            ? std::vector<std::string>{"torch_cuda"}
                            : std::vector<std::string>{"onnxruntime", "openvino", "torch", "jax",
                                                       "iree"};
  static int anchor;
  llvm::SmallString<128> root(llvm::sys::fs::getMainExecutable(program, &anchor));
  llvm::sys::path::remove_filename(root);
  llvm::sys::path::append(root, "..");
  options.python = flags.peersPython.empty() ? (root + "/peers/bin/python").str()
                                             : flags.peersPython.getValue();
  options.script = (root + "/share/posenc/peers/worker.py").str();
  return options;
}

/// The first GPU, which becomes the device of this process.
static llvm::Error openGpu() {
  DeviceError error;
  auto gpu = createCudaDevice(/*ordinal=*/0, error);
  if (!gpu)
    return makeError(error.text);
  setDevice(std::move(gpu));
  return llvm::Error::success();
}

/// The pipeline that flags ask for, or else the one that is best for what runs it.
static llvm::Expected<std::string> getPipeline(const Flags &flags) {
  if (flags.pipeline.getNumOccurrences())
    return flags.pipeline.getValue();
  bool rounds = flags.model && flags.kind == ElementKind::BF16;
  if (flags.device == "cpu")
    return rounds ? "posenc-cpu{bf16-weights}" : "posenc-cpu";
  if (rounds)
    return makeError("expected a --pipeline that rounds to bf16 on a GPU");
  if (flags.device == "emulator")
    return "posenc-nvptx{resident}";
  DeviceError error;
  Device &gpu = *getDevice(error);
  auto chip = findChip(gpu);
  if (!chip)
    return chip.takeError();
  llvm::errs() << "note: " << gpu.getName() << ", code for " << *chip << '\n';
  return ("posenc-nvptx{resident chip=" + *chip + "}").str();
}

static llvm::Error run(const Flags &flags, const char *program) {
  if (flags.threads < 1)
    return makeError("expected --threads of at least 1 but got 0");
  if (flags.device != "cpu" && flags.device != "emulator" && flags.device != "cuda")
    return makeError("expected --device=cpu, emulator or cuda but got '" + flags.device + "'");
  if (flags.device == "cuda")
    if (llvm::Error error = openGpu())
      return error;
  auto pipeline = getPipeline(flags);
  if (!pipeline)
    return pipeline.takeError();
  RunOptions options;
  options.program.pipeline = *pipeline;
  options.program.cpu = flags.cpu;
  options.program.features = flags.features;
  options.timing.repeat = std::max(flags.repeat.getValue(), 1u);
  options.timing.minTime = flags.minTime;
  options.threads = flags.threads;
  options.peers = getPeers(flags, program);
  posenc_set_threads(flags.threads);

  mlir::DialectRegistry registry;
  registerAll(registry);
  mlir::MLIRContext context(registry);
  Cases cases = getCases(flags, context);
  if (!cases)
    return cases.takeError();
  if (!flags.emitMlir.empty())
    return writeText(flags.emitMlir, cases->front().program);
  if (flags.tolerance.getNumOccurrences())
    for (Case &source : *cases)
      source.tolerance = flags.tolerance;
  if (flags.device == "emulator")
    return emulateCases(context, std::move(*cases), options.program, llvm::outs());
  std::unique_ptr<DeviceClock> clock;
  if (flags.device == "cuda") {
    auto opened = DeviceClock::create();
    if (!opened)
      return opened.takeError();
    clock = std::move(*opened);
    options.device = clock.get();
    options.program.deviceFormat = "isa";
  }
  Report report(flags.json, llvm::outs());
  return runCases(context, std::move(*cases), options, report);
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  // Read when OpenMP starts: its threads must not spin while others are timed.
  setenv("KMP_BLOCKTIME", "10", /*overwrite=*/0);
  registerAllPasses();
  // Not among the flags of the subcommands, but Program::build looks at them.
  mlir::registerPassManagerCLOptions();
  mlir::registerDefaultTimingManagerCLOptions();
  Flags flags;
  cl::ParseCommandLineOptions(argc, argv,
                              "checks compiled code, then times it\n");
  if (llvm::Error error = run(flags, argv[0])) {
    llvm::outs().flush();
    llvm::handleAllErrors(std::move(error), [](llvm::ErrorInfoBase &info) {
      llvm::errs() << "error: " << info.message() << '\n';
    });
    return EXIT_FAILURE;
  }
  return EXIT_SUCCESS;
}
