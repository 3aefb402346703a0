//===- Cases.cpp - What the command line asks to time ---------------------===//

#include "Cases.h"
#include "Encodings.h"

#include "Bench/Attention.h"
#include "Bench/Cache.h"
#include "Bench/Gemm.h"
#include "Bench/Machine.h"
#include "Bench/Model.h"
#include "Bench/Tokens.h"

#include "mlir/Support/FileUtilities.h"
#include "llvm/Support/Path.h"

using namespace posenc;
using namespace posenc::bench;
using llvm::Twine;

llvm::Expected<std::string> posenc::bench::readText(llvm::StringRef path) {
  std::string message;
  auto buffer = mlir::openInputFile(path, &message);
  if (!buffer)
    return makeError(message);
  return buffer->getBuffer().str();
}

llvm::Error posenc::bench::checkSizes(llvm::ArrayRef<std::pair<const char *, int64_t>> sizes) {
  for (auto [name, size] : sizes)
    if (size < 1)
      return makeError("expected --" + Twine(name) + " of at least 1 but got " + Twine(size));
  return llvm::Error::success();
}

/// A vector of cases that cannot be copied.
template <typename... Args> static std::vector<Case> collect(Args &&...cases) {
  std::vector<Case> result;
  (result.push_back(std::move(cases)), ...);
  return result;
}

static llvm::Expected<Shape> getShape(const Flags &flags) {
  Shape shape;
  shape.batch = flags.batch;
  shape.heads = flags.heads;
  shape.keyHeads = flags.keyHeads.getNumOccurrences() ? flags.keyHeads : flags.heads;
  shape.dim = flags.dim;
  shape.queries = flags.queries;
  shape.keys = flags.keys.getNumOccurrences() ? flags.keys : flags.queries;
  shape.kind = flags.kind;
  shape.isRowMajor = flags.layout == Layout::RowMajor;
  shape.isDynamic = flags.isDynamic;
  if (llvm::Error error = checkSizes({{"batch", shape.batch},
                                      {"heads", shape.heads},
                                      {"kv-heads", shape.keyHeads},
                                      {"dim", shape.dim},
                                      {"q", shape.queries},
                                      {"kv", shape.keys}}))
    return error;
  if (shape.heads % shape.keyHeads)
    return makeError("expected --heads to be a multiple of --kv-heads but got " +
                     Twine(shape.heads) + " and " + Twine(shape.keyHeads));
  return shape;
}

//===----------------------------------------------------------------------===//
// Attention
//===----------------------------------------------------------------------===//

static llvm::Expected<std::vector<Encoding>> getEncodings(const Flags &flags, const Shape &shape) {
  std::vector<Encoding> encodings;
  switch (flags.encoding) {
  case EncodingName::None:
    break;
  case EncodingName::Rope:
    if (shape.dim % 2)
      return makeError("expected an even --dim for rope but got " + Twine(shape.dim));
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
      return makeError("expected --window of at least 1 but got " + Twine(flags.window));
    encodings.push_back(makeWindow(shape, flags.window, flags.causal));
  } else if (flags.causal) {
    encodings.push_back(makeCausal(shape));
  }
  return encodings;
}

static llvm::Expected<Case> getCached(const Flags &flags, llvm::StringRef name, const Shape &shape,
                                      llvm::ArrayRef<Encoding> encodings) {
  if (shape.queries > shape.keys)
    return makeError("expected --kv of at least --q for a cache but got " + Twine(shape.keys) +
                     " and " + Twine(shape.queries));
  if (flags.device != "cpu")
    return makeCachedAttention(name, shape, CacheShape(shape, /*lanes=*/0), encodings);
  CompileOptions target;
  target.cpu = flags.cpu;
  target.features = flags.features;
  auto lanes = getLanes(target);
  if (!lanes)
    return lanes.takeError();
  return makeCachedAttention(name, shape, CacheShape(shape, *lanes), encodings);
}

Cases posenc::bench::getAttentionCases(const Flags &flags) {
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
  if (flags.cache)
    name += " cache";
  if (!flags.cpu.empty())
    name += " for " + flags.cpu;
  auto attention = flags.cache ? getCached(flags, name, *shape, *encodings)
                               : makeAttention(name, *shape, *encodings);
  if (!attention)
    return attention.takeError();
  if (!flags.program.empty()) {
    auto text = readText(flags.program);
    if (!text)
      return text.takeError();
    attention->program = *text;
    attention->entry.clear();
  }
  return collect(*attention);
}

//===----------------------------------------------------------------------===//
// Encodings
//===----------------------------------------------------------------------===//

Cases posenc::bench::getEncodingCases(const Flags &flags) {
  auto shape = getShape(flags);
  if (!shape)
    return shape.takeError();
  if (shape->dim % 2)
    return makeError("expected an even --dim but got " + Twine(shape->dim));
  std::vector<Case> cases;
  std::string plain = "attention " + describe(*shape) + (flags.causal ? " causal" : "");
  auto add = [&](llvm::StringRef name, std::vector<Encoding> encodings,
                 bool isCausal = false) -> llvm::Error {
    if (flags.causal && !isCausal)
      encodings.push_back(makeCausal(*shape));
    auto next = makeAttention(name.empty() ? plain : plain + " " + name.str(), *shape, encodings);
    if (!next)
      return next.takeError();
    if (!name.empty())
      next->base = plain;
    cases.push_back(std::move(*next));
    return llvm::Error::success();
  };
  // A window of a quarter of the keys.
  int64_t window = std::max<int64_t>(shape->keys / 4, 1);
  std::vector<Encoding> all = {makeRope(*shape), makeRope(*shape, "interleaved"),
                               makeAlibi(*shape), makeT5(*shape, flags.causal),
                               makePadding(*shape)};
  if (!flags.causal)
    all.push_back(makeCausal(*shape));
  if (llvm::Error error = add("", {}))
    return error;
  for (Encoding &encoding : all) {
    std::string name = encoding.name;
    if (llvm::Error error = add(name, {std::move(encoding)}))
      return error;
  }
  if (llvm::Error error = add("window" + std::to_string(window),
                              {makeWindow(*shape, window, flags.causal)}, /*isCausal=*/true))
    return error;

  auto rows = makeTokens(*shape, makeRope(*shape));
  if (!rows)
    return rows.takeError();
  cases.push_back(std::move(*rows));
  // The tokens that these heads come from.
  Shape tokens = *shape;
  tokens.dim *= tokens.heads;
  for (const Encoding &encoding :
       {makeSinusoidal(tokens), makeLearned(tokens), makeTokenType(tokens)}) {
    auto next = makeTokens(tokens, encoding);
    if (!next)
      return next.takeError();
    cases.push_back(std::move(*next));
  }
  return cases;
}

//===----------------------------------------------------------------------===//
// Linear layers and models
//===----------------------------------------------------------------------===//

Cases posenc::bench::getGemmCases(const Flags &flags) {
  if (llvm::Error error = checkSizes({{"m", flags.m}, {"n", flags.n}, {"k", flags.k}}))
    return error;
  auto gemm = makeGemm({flags.m, flags.n, flags.k, flags.kind, flags.bias, flags.gelu});
  if (!gemm)
    return gemm.takeError();
  return collect(*gemm);
}

Cases posenc::bench::getModelCases(const Flags &flags, mlir::MLIRContext &context) {
  if (flags.kind == ElementKind::F16)
    return makeError("expected --dtype=f32 or bf16 for a model but got f16");
  auto text = readText(flags.inputFile);
  if (!text)
    return text.takeError();
  auto model = makeModel(context, llvm::sys::path::stem(flags.inputFile), *text, flags.entry,
                         std::vector<std::string>(flags.inputs.begin(), flags.inputs.end()),
                         flags.kind);
  if (!model)
    return model.takeError();
  if (!flags.peersModel.empty())
    model->peerProblem = llvm::json::Object{{"kind", "bert"},
                                            {"dtype", getName(flags.kind)},
                                            {"folder", flags.peersModel.getValue()}};
  return collect(*model);
}
