//===- pe-bench.cpp - checks compiled code, then times it -----------------===//

#include "Encodings.h"
#include "Flags.h"

#include "Bench/Attention.h"
#include "Bench/Emulate.h"
#include "Bench/Run.h"
#include "posenc/Registration.h"
#include "posenc/Runtime.h"

#include "mlir/Pass/PassManager.h"
#include "mlir/Support/FileUtilities.h"
#include "mlir/Support/Timing.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/ToolOutputFile.h"

using namespace posenc;
using namespace posenc::bench;
using llvm::Twine;

//===----------------------------------------------------------------------===//
// Shapes
//===----------------------------------------------------------------------===//

static llvm::Expected<Shape> getShape(const Flags &flags) {
  Shape shape;
  shape.batch = flags.batch;
  shape.heads = flags.heads;
  shape.keyHeads =
      flags.keyHeads.getNumOccurrences() ? flags.keyHeads : flags.heads;
  shape.dim = flags.dim;
  shape.queries = flags.queries;
  shape.keys = flags.keys.getNumOccurrences() ? flags.keys : flags.queries;
  shape.kind = flags.kind;
  shape.isRowMajor = flags.layout == Layout::RowMajor;
  shape.isDynamic = flags.isDynamic;
  for (auto [name, size] :
       {std::pair("batch", shape.batch), std::pair("heads", shape.heads),
        std::pair("kv-heads", shape.keyHeads), std::pair("dim", shape.dim),
        std::pair("q", shape.queries), std::pair("kv", shape.keys)})
    if (size < 1)
      return makeError("expected --" + Twine(name) + " of at least 1 but got " +
                       Twine(size));
  if (shape.heads % shape.keyHeads)
    return makeError(
        "expected --heads to be a multiple of --kv-heads but got " +
        Twine(shape.heads) + " and " + Twine(shape.keyHeads));
  return shape;
}

//===----------------------------------------------------------------------===//
// Files
//===----------------------------------------------------------------------===//

static llvm::Error writeText(llvm::StringRef path, llvm::StringRef text) {
  std::error_code error;
  llvm::ToolOutputFile file(path, error, llvm::sys::fs::OF_None);
  if (error)
    return makeError("cannot write '" + path + "': " + error.message());
  file.os() << text;
  file.keep();
  return llvm::Error::success();
}

static llvm::Expected<std::string> readText(llvm::StringRef path) {
  std::string message;
  auto buffer = mlir::openInputFile(path, &message);
  if (!buffer)
    return makeError(message);
  return buffer->getBuffer().str();
}

//===----------------------------------------------------------------------===//
// Subcommands
//===----------------------------------------------------------------------===//

static llvm::Expected<std::vector<Encoding>> getEncodings(const Flags &flags,
                                                          const Shape &shape) {
  std::vector<Encoding> encodings;
  switch (flags.encoding) {
  case EncodingName::None:
    break;
  case EncodingName::Rope:
    if (shape.dim % 2)
      return makeError("expected an even --dim for rope but got " +
                       Twine(shape.dim));
    encodings.push_back(makeRope(shape));
    break;
  case EncodingName::Alibi:
    encodings.push_back(makeAlibi(shape));
    break;
  case EncodingName::T5:
    encodings.push_back(makeT5(shape, flags.causal));
    break;
  }
  if (flags.window.getNumOccurrences()) {
    if (flags.window < 1)
      return makeError("expected --window of at least 1 but got " +
                       Twine(flags.window));
    encodings.push_back(makeWindow(shape, flags.window, flags.causal));
  } else if (flags.causal) {
    encodings.push_back(makeCausal(shape));
  }
  return encodings;
}

static llvm::Expected<std::vector<Case>> getAttentionCases(const Flags &flags) {
  auto shape = getShape(flags);
  if (!shape)
    return shape.takeError();
  auto encodings = getEncodings(flags, *shape);
  if (!encodings)
    return encodings.takeError();
  std::string name = "attention " + describe(*shape);
  for (const Encoding &encoding : *encodings)
    name += " " + encoding.name;
  if (flags.window.getNumOccurrences())
    name += std::to_string(flags.window) + (flags.causal ? " causal" : "");
  auto attention = makeAttention(name, *shape, *encodings);
  if (!attention)
    return attention.takeError();
  if (!flags.program.empty()) {
    auto text = readText(flags.program);
    if (!text)
      return text.takeError();
    attention->program = *text;
    attention->entry.clear();
  }
  std::vector<Case> cases;
  cases.push_back(std::move(*attention));
  return cases;
}

static llvm::Error run(const Flags &flags) {
  if (flags.threads < 1)
    return makeError("expected --threads of at least 1 but got 0");
  if (flags.device != "cpu" && flags.device != "emulator")
    return makeError("expected --device=cpu or emulator but got '" + flags.device + "'");
  RunOptions options;
  options.program.cpu = flags.cpu;
  options.program.features = flags.features;
  options.program.pipeline = flags.pipeline;
  options.timing.repeat = std::max(flags.repeat.getValue(), 1u);
  options.timing.minTime = flags.minTime;
  options.threads = flags.threads;
  posenc_set_threads(flags.threads);

  llvm::Expected<std::vector<Case>> cases = getAttentionCases(flags);
  if (!cases)
    return cases.takeError();
  if (!flags.emitMlir.empty())
    return writeText(flags.emitMlir, cases->front().program);

  mlir::DialectRegistry registry;
  registerAll(registry);
  mlir::MLIRContext context(registry);
  if (flags.device == "emulator") {
    if (!flags.pipeline.getNumOccurrences())
      options.program.pipeline = "posenc-nvptx";
    return emulateCases(context, std::move(*cases), options.program, llvm::outs());
  }
  Report report(flags.json, llvm::outs());
  return runCases(context, std::move(*cases), options, report);
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  registerAllPasses();
  // Not among the flags of the subcommands, but Program::build looks at them.
  mlir::registerPassManagerCLOptions();
  mlir::registerDefaultTimingManagerCLOptions();
  Flags flags;
  cl::ParseCommandLineOptions(argc, argv,
                              "checks compiled code, then times it\n");
  if (!flags.attention) {
    llvm::errs() << "error: expected a subcommand: attention\n";
    return EXIT_FAILURE;
  }
  if (llvm::Error error = run(flags)) {
    llvm::outs().flush();
    llvm::handleAllErrors(std::move(error), [](llvm::ErrorInfoBase &info) {
      llvm::errs() << "error: " << info.message() << '\n';
    });
    return EXIT_FAILURE;
  }
  return EXIT_SUCCESS;
}
