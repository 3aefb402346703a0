//===- BertConfig.h - What a model folder says about a BERT -----*- C++ -*-===//
//
// Reads the JSON files of a Hugging Face model folder. What the compiler does
// not implement is refused here, by name, so that nothing is silently ignored.
//
//===----------------------------------------------------------------------===//

#ifndef POSENC_IMPORT_BERTCONFIG_H
#define POSENC_IMPORT_BERTCONFIG_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <cstdint>

namespace posenc {

/// What happens to the hidden states of the tokens.
enum class Pooling {
  /// Nothing: they are the result, B x S x hidden.
  None,
  /// The mean over the tokens whose mask is set, B x hidden.
  Mean,
};

/// The architecture of a BERT encoder and its sentence-transformers head.
struct BertConfig {
  int64_t hiddenSize;
  int64_t layers;
  int64_t heads;
  int64_t intermediateSize;
  /// Rows of the learned position table: the longest sequence.
  int64_t maxPositions;
  int64_t typeVocabSize;
  int64_t vocabSize;
  /// Added to the variance, inside the root.
  double layerNormEps;

  Pooling pooling = Pooling::None;
  /// Whether each pooled row is scaled to unit L2 length.
  bool normalize = false;

  /// Reads `config.json` and, where the folder has them, `modules.json` and
  /// the pooling module's `config.json`.
  ///
  /// Fails, naming the file and the field, when a file cannot be read or
  /// parsed, a field is missing or has the wrong type, the model is not a BERT
  /// encoder, or it asks for something unsupported (activations other than the
  /// exact GELU, position encodings other than the learned table, pooling
  /// other than the mean).
  static llvm::Expected<BertConfig> read(llvm::StringRef directory);
};

} // namespace posenc

#endif // POSENC_IMPORT_BERTCONFIG_H
