//===- Bert.cpp - BERT encoders as posenc and linalg ----------------------===//
//
// The encoder of "BERT: Pre-training of Deep Bidirectional Transformers" (arXiv
// 1810.04805) with the tensors of Hugging Face's BertModel: layer norm after
// each residual addition, exact GELU, learned positions, token type 0.
//
//===----------------------------------------------------------------------===//

#include "Bert.h"
#include "BertConfig.h"
#include "Safetensors.h"
#include "SequenceBuilder.h"
#include "posenc/Dialect.h"

#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace posenc;

namespace {

constexpr StringRef weightsName = "weights";
constexpr int64_t dynamic = ShapedType::kDynamic;

class BertBuilder : SequenceBuilder {
public:
  BertBuilder(const BertConfig &config, const SafetensorsFile &file,
              MLIRContext &context)
      : SequenceBuilder(context), config(config), file(file) {
    StringRef embeddings = "embeddings.word_embeddings.weight";
    if (!file.lookup(embeddings) && file.lookup(("bert." + embeddings).str()))
      prefix = "bert.";
  }

  llvm::Expected<OwningOpRef<ModuleOp>> build();

private:
  // Weights.
  Value weight(const Twine &name, ArrayRef<int64_t> shape);
  Value normWeight(const Twine &layer, StringRef name, StringRef oldName);

  // Layers. Tokens are B x S x channels.
  Value encode(StringRef encoding, Value x, ValueRange operands);
  Value embed(Value ids);
  Value linear(Value x, const Twine &layer, int64_t outputs);
  Value layerNorm(Value x, const Twine &layer);
  Value heads(Value x, const Twine &layer);
  Value attention(Value x, Value valid, const Twine &layer);

  void checkSameShape(Value ids, Value mask);
  /// Names the layer that the next operations belong to, for remarks.
  void enter(const Twine &layer) {
    b.setLoc(NameLoc::get(b.getStringAttr(layer)));
  }

  const BertConfig &config;
  const SafetensorsFile &file;
  StringRef prefix;
  /// The first tensor that is not as expected; the module is then dropped.
  std::string problem;
};

} // namespace

//===----------------------------------------------------------------------===//
// Weights
//===----------------------------------------------------------------------===//

Value BertBuilder::weight(const Twine &name, ArrayRef<int64_t> shape) {
  std::string fullName = (prefix + name).str();
  const SafetensorsEntry *entry = file.lookup(fullName);
  auto fail = [&](const llvm::formatv_object_base &message) {
    if (problem.empty())
      problem = llvm::formatv("{0}: tensor '{1}': {2}", file.getPath(),
                              fullName, message.str());
  };
  auto list = [](ArrayRef<int64_t> shape) {
    return llvm::make_range(shape.begin(), shape.end());
  };
  if (!entry)
    fail(llvm::formatv("missing"));
  else if (entry->dtype != "F32")
    fail(llvm::formatv("expected dtype F32 but found {0}", entry->dtype));
  else if (ArrayRef<int64_t>(entry->shape) != shape)
    fail(llvm::formatv("expected shape [{0:$[, ]}] but found [{1:$[, ]}]",
                       list(shape), list(entry->shape)));
  return WeightOp::create(b, RankedTensorType::get(shape, b.getF32Type()),
                          weightsName, fullName, entry ? entry->offset : 0);
}

/// Checkpoints converted from TensorFlow still say gamma and beta.
Value BertBuilder::normWeight(const Twine &layer, StringRef name,
                              StringRef oldName) {
  std::string base = (layer + ".LayerNorm.").str();
  bool isOld = !file.lookup((prefix + base + name).str()) &&
               file.lookup((prefix + base + oldName).str());
  return weight(base + (isOld ? oldName : name), config.hiddenSize);
}

//===----------------------------------------------------------------------===//
// Layers
//===----------------------------------------------------------------------===//

/// Encodings are made by name: their classes are known to their folders only.
Value BertBuilder::encode(StringRef encoding, Value x, ValueRange operands) {
  OperationState state(b.getLoc(), encoding);
  state.addOperands(x);
  state.addOperands(operands);
  state.addTypes(x.getType());
  return b.create(state)->getResult(0);
}

Value BertBuilder::embed(Value ids) {
  std::string layer = "embeddings";
  enter(layer);
  auto table = [&](StringRef name, int64_t rows) {
    return weight(layer + "." + name + ".weight", {rows, config.hiddenSize});
  };
  auto type = RankedTensorType::get({dynamic, dynamic, config.hiddenSize},
                                    b.getF32Type());
  Value words = table("word_embeddings", config.vocabSize);
  Value x = EmbeddingOp::create(b, type, ids, words);

  Value positions = PositionsOp::create(
      b, RankedTensorType::get(dynamic, b.getI64Type()), rows, index(0));
  x = encode("posenc.learned", x,
             {positions, table("position_embeddings", config.maxPositions)});

  // One sentence at a time: every token has type 0.
  Value types = filled({dynamic, dynamic},
                       arith::ConstantOp::create(b, b.getI64IntegerAttr(0)));
  x = encode("posenc.token_type", x,
             {types, table("token_type_embeddings", config.typeVocabSize)});
  return layerNorm(x, layer);
}

Value BertBuilder::linear(Value x, const Twine &layer, int64_t outputs) {
  int64_t inputs = cast<RankedTensorType>(x.getType()).getShape().back();
  Value w = weight(layer + ".weight", {outputs, inputs});
  Value bias = weight(layer + ".bias", outputs);
  Value init = empty({dynamic, dynamic, outputs}, b.getF32Type());
  return LinearOp::create(b, init.getType(), x, w, bias, /*sums=*/nullptr, init).getResult(0);
}

Value BertBuilder::layerNorm(Value x, const Twine &layer) {
  Value gamma = normWeight(layer, "weight", "gamma");
  Value beta = normWeight(layer, "bias", "beta");
  auto type = cast<RankedTensorType>(x.getType());
  Value init = empty(type.getShape(), type.getElementType());
  return LayerNormOp::create(b, type, x, gamma, beta, init,
                             b.getF32FloatAttr(config.layerNormEps))
      .getResult(0);
}

/// A projection split into B x S x heads x channels.
Value BertBuilder::heads(Value x, const Twine &layer) {
  int64_t channels = config.hiddenSize / config.heads;
  auto type = RankedTensorType::get({dynamic, dynamic, config.heads, channels},
                                    b.getF32Type());
  SmallVector<OpFoldResult> shape = {batch, rows, b.getIndexAttr(config.heads),
                                     b.getIndexAttr(channels)};
  SmallVector<ReassociationIndices> groups = {{0}, {1}, {2, 3}};
  return tensor::ExpandShapeOp::create(
      b, type, linear(x, layer, config.hiddenSize), groups, shape);
}

Value BertBuilder::attention(Value x, Value valid, const Twine &layer) {
  enter(layer);
  std::string self = (layer + ".self.").str();
  Value query = heads(x, self + "query");
  Value key = heads(x, self + "key");
  Value value = heads(x, self + "value");
  int64_t channels = config.hiddenSize / config.heads;
  auto scoresType = RankedTensorType::get(
      {dynamic, config.heads, dynamic, dynamic}, b.getF32Type());
  auto scale = b.getF32FloatAttr(1.0 / std::sqrt(double(channels)));
  auto layout = LayoutAttr::get(b.getContext(), Layout::bshd);
  Value scores = ScoresOp::create(b, scoresType, query, key, scale, layout);
  scores = encode("posenc.padding", scores, valid);
  Value heads =
      AttendOp::create(b, value.getType(), Type(), scores, value, layout)
          .getResult();
  SmallVector<ReassociationIndices> groups = {{0}, {1}, {2, 3}};
  Value merged = tensor::CollapseShapeOp::create(b, x.getType(), heads, groups);
  Value output = linear(merged, layer + ".output.dense", config.hiddenSize);
  return layerNorm(add(output, x), layer + ".output");
}

//===----------------------------------------------------------------------===//
// Module
//===----------------------------------------------------------------------===//

void BertBuilder::checkSameShape(Value ids, Value mask) {
  Value maskBatch = tensor::DimOp::create(b, mask, 0);
  Value maskRows = tensor::DimOp::create(b, mask, 1);
  auto check = [&](Value size, Value expected, StringRef message) {
    Value same =
        arith::CmpIOp::create(b, arith::CmpIPredicate::eq, size, expected);
    cf::AssertOp::create(b, same, message);
  };
  check(maskBatch, batch, "expected ids and mask with the same batch size");
  check(maskRows, rows, "expected ids and mask with the same length");
}

llvm::Expected<OwningOpRef<ModuleOp>> BertBuilder::build() {
  OwningOpRef<ModuleOp> module = ModuleOp::create(b, b.getLoc());
  b.setInsertionPointToEnd(module->getBody());
  WeightsOp::create(b, weightsName, file.getPath(), file.getFileSize(),
                    file.getHeaderHash());

  auto idsType = RankedTensorType::get({dynamic, dynamic}, b.getI64Type());
  bool pooled = config.pooling == Pooling::Mean;
  SmallVector<int64_t> shape = {dynamic, dynamic, config.hiddenSize};
  if (pooled)
    shape.erase(shape.begin() + 1);
  auto resultType = RankedTensorType::get(shape, b.getF32Type());
  auto func =
      func::FuncOp::create(b, pooled ? "embed" : "encode",
                           b.getFunctionType({idsType, idsType}, resultType));
  b.setInsertionPointToStart(func.addEntryBlock());
  Value ids = func.getArgument(0), mask = func.getArgument(1);
  ids.setLoc(NameLoc::get(b.getStringAttr("ids")));
  mask.setLoc(NameLoc::get(b.getStringAttr("mask")));

  batch = tensor::DimOp::create(b, ids, 0);
  rows = tensor::DimOp::create(b, ids, 1);
  checkSameShape(ids, mask);
  Value valid = notZero(mask);

  Value x = embed(ids);
  for (int64_t i = 0; i < config.layers; ++i) {
    std::string layer = llvm::formatv("encoder.layer.{0}", i);
    x = attention(x, valid, layer + ".attention");
    enter(layer);
    Value inner =
        gelu(linear(x, layer + ".intermediate.dense", config.intermediateSize));
    Value outer = linear(inner, layer + ".output.dense", config.hiddenSize);
    x = layerNorm(add(outer, x), layer + ".output");
  }
  enter("pooling");
  if (pooled)
    x = meanPool(x, valid);
  if (config.normalize)
    x = unitRows(x);
  func::ReturnOp::create(b, x);
  if (!problem.empty())
    return llvm::createStringError(problem);
  return module;
}

llvm::Expected<OwningOpRef<ModuleOp>>
posenc::buildBert(const BertConfig &config, const SafetensorsFile &file,
                  MLIRContext &context) {
  return BertBuilder(config, file, context).build();
}
