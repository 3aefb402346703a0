//===- Results.cpp - Writes and checks what a function returned -----------===//

#include "Results.h"

#include "posenc/Jit/Npy.h"
#include "llvm/Support/Format.h"

using namespace posenc;
using llvm::StringRef;
using llvm::Twine;

/// Every file flag needs its '@', as an input does.
static llvm::Expected<StringRef> getFileName(StringRef flag, StringRef spec) {
  if (!spec.consume_front("@"))
    return makeError("expected --" + flag + "=@FILE.npy but got '" + spec +
                     "'");
  return spec;
}

llvm::Error posenc::checkCount(StringRef flag, size_t count, size_t results) {
  if (count <= results)
    return llvm::Error::success();
  return makeError("too many --" + flag + ": expected at most " +
                   Twine(results) + " but got " + Twine(count));
}

llvm::Error posenc::writeOutputs(const Flags &flags, const Tensors &results) {
  for (auto [index, result] : llvm::enumerate(results)) {
    if (index < flags.outputs.size() && flags.outputs[index] != "-") {
      auto path = getFileName("output", flags.outputs[index]);
      if (!path)
        return path.takeError();
      if (llvm::Error error = writeNpy(*path, result))
        return error;
    } else if (index < flags.outputs.size() || flags.outputs.empty()) {
      llvm::outs() << "result " << index << ": ";
      result.print(llvm::outs());
      llvm::outs() << '\n';
    }
  }
  return llvm::Error::success();
}

/// Prints how far `actual`, the result `index`, is from `expected`.
static llvm::Error checkResult(const Flags &flags, size_t index,
                               const HostTensor &actual,
                               const HostTensor &expected) {
  auto difference = compare(actual, expected);
  if (!difference)
    return makeError("result " + Twine(index) + ": " +
                     llvm::toString(difference.takeError()));
  llvm::outs() << "result " << index
               << llvm::format(": max abs error %.3g (tolerance %.3g)\n",
                               difference->maxError,
                               flags.tolerance.getValue());
  if (difference->maxError <= flags.tolerance)
    return llvm::Error::success();
  std::string message;
  llvm::raw_string_ostream(message)
      << "result " << index << " at index " << difference->index
      << llvm::format(": expected %.9g but got %.9g",
                      expected.getFloat(difference->index),
                      actual.getFloat(difference->index));
  return makeError(message);
}

llvm::Error posenc::checkExpected(const Flags &flags, const EntryPoint &entry,
                                 const Tensors &results) {
  for (auto [index, spec] : llvm::enumerate(flags.expected)) {
    auto path = getFileName("expect", spec);
    if (!path)
      return path.takeError();
    auto expected = readNpy(*path, entry.results[index].kind);
    if (!expected)
      return expected.takeError();
    if (llvm::Error error =
            checkResult(flags, index, results[index], *expected))
      return error;
  }
  return llvm::Error::success();
}

llvm::Error posenc::checkReference(const Flags &flags, mlir::ModuleOp module,
                                  ProgramOptions options, Tensors inputs,
                                  const Tensors &results) {
  options.pipeline = "posenc-reference";
  auto reference = Program::build(module, flags.entry, options);
  if (!reference)
    return reference.takeError();
  auto expected = reference->jit->call(reference->entry, inputs);
  if (!expected)
    return expected.takeError();
  for (auto [index, result] : llvm::enumerate(results))
    if (llvm::Error error =
            checkResult(flags, index, result, (*expected)[index]))
      return error;
  return llvm::Error::success();
}
