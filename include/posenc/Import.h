//===- Import.h - Models from other frameworks ------------------*- C++ -*-===//

#ifndef POSENC_IMPORT_H
#define POSENC_IMPORT_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/Support/Error.h"

namespace posenc {

/// Imports the BERT encoder in `directory`, a Hugging Face model folder with
/// `config.json` and `model.safetensors`.
///
/// The module has one public function of ids and mask (both B x S, i64; a token
/// is visible where its mask is not 0):
/// - `embed`, returning B x hidden f32, when the folder has the
///   sentence-transformers files that ask for mean pooling, with rows of unit
///   length when they ask for that too;
/// - `encode`, returning B x S x hidden f32, otherwise.
///
/// Weights stay in their file: the module refers to them by absolute path and
/// byte offset, together with the file's size and the hash of its header.
///
/// Fails, naming the file and the field or tensor, when a file cannot be read,
/// is malformed or truncated, asks for something unsupported, or lacks a tensor
/// of the expected shape and type F32.
llvm::Expected<mlir::OwningOpRef<mlir::ModuleOp>>
importHuggingFace(llvm::StringRef directory, mlir::MLIRContext &context);

/// Registers `--import-huggingface` with mlir-translate tools. Its input file
/// is the folder's `config.json`.
void registerImportTranslations();

} // namespace posenc

#endif // POSENC_IMPORT_H
