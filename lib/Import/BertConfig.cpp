//===- BertConfig.cpp - What a model folder says about a BERT -------------===//

#include "BertConfig.h"

#include "Json.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"

using namespace llvm;
using namespace posenc;

namespace {

template <typename... Args> Error failure(const char *format, Args &&...args) {
  return createStringError(formatv(format, std::forward<Args>(args)...).str());
}

Expected<json::Value> readJSON(StringRef path) {
  auto buffer = MemoryBuffer::getFile(path);
  if (std::error_code error = buffer.getError())
    return failure("{0}: {1}", path, StringRef(error.message()).lower());
  Expected<json::Value> value = parseJSON((*buffer)->getBuffer());
  if (!value)
    return failure("{0}: malformed JSON: {1}", path, toString(value.takeError()));
  return value;
}

std::string joinPath(StringRef directory, StringRef name) {
  SmallString<256> path(directory);
  sys::path::append(path, name);
  return path.str().str();
}

/// The fields of one JSON file. The first problem is kept and later reads
/// return defaults, so that a list of fields reads as a list.
class Fields {
public:
  static Expected<Fields> open(StringRef path) {
    Expected<json::Value> value = readJSON(path);
    if (!value)
      return value.takeError();
    if (!value->getAsObject())
      return failure("{0}: expected a JSON object", path);
    return Fields(path, std::move(*value));
  }

  /// A count of one or more that fits a tensor dimension.
  int64_t positive(StringRef key) {
    const json::Value *value = require(key);
    std::optional<int64_t> number = value ? value->getAsInteger() : 0;
    if (value && (!number || *number < 1 || *number > INT32_MAX))
      fail(formatv("expected '{0}' to be a positive integer but found {1}", key,
                   *value));
    return problem.empty() ? *number : 1;
  }

  double nonNegative(StringRef key) {
    const json::Value *value = require(key);
    std::optional<double> number = value ? value->getAsNumber() : 0.0;
    if (value && (!number || *number < 0))
      fail(formatv("expected '{0}' to be a number of at least 0 but found {1}",
                   key, *value));
    return problem.empty() ? *number : 0;
  }

  /// Refuses any string but `supported`; a missing field means `supported`
  /// unless `required`.
  void only(StringRef key, StringRef supported, bool required = false) {
    const json::Value *value = required ? require(key) : find(key);
    if (value && value->getAsString() != supported)
      fail(formatv("unsupported {0} {1} (supported: {2})", key, *value,
                   supported));
  }

  bool flag(StringRef key) {
    const json::Value *value = find(key);
    return value && value->getAsBoolean().value_or(false);
  }

  void fail(const Twine &message) {
    if (problem.empty())
      problem = (path + ": " + message).str();
  }

  const json::Object &getObject() const { return *root.getAsObject(); }

  /// The first problem met since the file was opened.
  Error takeError() {
    return problem.empty() ? Error::success() : createStringError(problem);
  }

private:
  Fields(StringRef path, json::Value root)
      : path(path.str()), root(std::move(root)) {}

  const json::Value *find(StringRef key) const { return getObject().get(key); }

  const json::Value *require(StringRef key) {
    const json::Value *value = find(key);
    if (!value)
      fail(formatv("missing '{0}'", key));
    return value;
  }

  std::string path;
  json::Value root;
  std::string problem;
};

Error readEncoder(StringRef directory, BertConfig &config) {
  Expected<Fields> fields = Fields::open(joinPath(directory, "config.json"));
  if (!fields)
    return fields.takeError();
  // The type comes first: the fields of another architecture mean nothing.
  fields->only("model_type", "bert", /*required=*/true);
  config.hiddenSize = fields->positive("hidden_size");
  config.layers = fields->positive("num_hidden_layers");
  config.heads = fields->positive("num_attention_heads");
  config.intermediateSize = fields->positive("intermediate_size");
  config.maxPositions = fields->positive("max_position_embeddings");
  config.typeVocabSize = fields->positive("type_vocab_size");
  config.vocabSize = fields->positive("vocab_size");
  config.layerNormEps = fields->nonNegative("layer_norm_eps");
  // "gelu" is the exact form with erf; "gelu_new" and others approximate it.
  fields->only("hidden_act", "gelu", /*required=*/true);
  fields->only("position_embedding_type", "absolute");
  if (config.hiddenSize % config.heads)
    fields->fail(formatv("expected 'hidden_size' to be a multiple of "
                         "'num_attention_heads' but found {0} and {1}",
                         config.hiddenSize, config.heads));
  for (StringRef key : {"is_decoder", "add_cross_attention"})
    if (fields->flag(key))
      fields->fail(formatv("unsupported {0} true (supported: false)", key));
  return fields->takeError();
}

Error readPooling(StringRef path, BertConfig &config) {
  Expected<Fields> fields = Fields::open(path);
  if (!fields)
    return fields.takeError();
  config.pooling = Pooling::Mean;
  constexpr StringRef mean = "pooling_mode_mean_tokens";
  // Newer files say "pooling_mode": "mean"; older ones set one flag per mode.
  fields->only("pooling_mode", "mean");
  for (const auto &[key, value] : fields->getObject()) {
    StringRef name = key;
    if (name.starts_with("pooling_mode_") && name != mean &&
        value.getAsBoolean().value_or(false))
      fields->fail(formatv("unsupported {0} (supported: {1})", name, mean));
  }
  if (!fields->flag(mean) && !fields->getObject().get("pooling_mode"))
    fields->fail(formatv("expected '{0}' to be true", mean));
  return fields->takeError();
}

/// sentence-transformers: a list of modules that run one after the other.
Error readModules(StringRef directory, BertConfig &config) {
  std::string path = joinPath(directory, "modules.json");
  if (!sys::fs::exists(path)) {
    std::string pooling = joinPath(directory, "1_Pooling/config.json");
    return sys::fs::exists(pooling) ? readPooling(pooling, config)
                                    : Error::success();
  }
  Expected<json::Value> root = readJSON(path);
  if (!root)
    return root.takeError();
  const json::Array *modules = root->getAsArray();
  if (!modules)
    return failure("{0}: expected a JSON array", path);
  enum { Start, Encoded, Pooled, Normalized } state = Start;
  for (const json::Value &value : *modules) {
    const json::Object *module = value.getAsObject();
    std::optional<StringRef> type, folder;
    if (module) {
      type = module->getString("type");
      folder = module->getString("path");
    }
    if (!type || !folder)
      return failure("{0}: expected modules with 'type' and 'path'", path);
    StringRef name = type->rsplit('.').second;
    if (name == "Transformer" && state == Start && folder->empty()) {
      state = Encoded;
    } else if (name == "Pooling" && state == Encoded) {
      std::string sub = joinPath(directory, *folder);
      if (Error error = readPooling(joinPath(sub, "config.json"), config))
        return error;
      state = Pooled;
    } else if (name == "Normalize" && state == Pooled) {
      config.normalize = true;
      state = Normalized;
    } else {
      return failure("{0}: unsupported module \"{1}\" at \"{2}\" (supported: "
                     "Transformer at \"\", then Pooling, then Normalize)",
                     path, *type, *folder);
    }
  }
  return Error::success();
}

} // namespace

Expected<BertConfig> BertConfig::read(StringRef directory) {
  BertConfig config = {};
  if (Error error = readEncoder(directory, config))
    return error;
  if (Error error = readModules(directory, config))
    return error;
  return config;
}
