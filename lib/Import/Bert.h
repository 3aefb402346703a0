//===- Bert.h - BERT encoders as posenc and linalg --------------*- C++ -*-===//

#ifndef POSENC_IMPORT_BERT_H
#define POSENC_IMPORT_BERT_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/Support/Error.h"

namespace posenc {

struct BertConfig;
class SafetensorsFile;

/// Builds the module described at `importHuggingFace` from a configuration and
/// the header of the weights (tensor names as in Hugging Face's BertModel, with
/// or without the prefix "bert."). The context must have posenc, cf, func and
/// linalg loaded.
///
/// Fails, naming the tensor, when one is missing, has another shape than the
/// configuration implies, or is not F32.
llvm::Expected<mlir::OwningOpRef<mlir::ModuleOp>>
buildBert(const BertConfig &config, const SafetensorsFile &file,
          mlir::MLIRContext &context);

} // namespace posenc

#endif // POSENC_IMPORT_BERT_H
