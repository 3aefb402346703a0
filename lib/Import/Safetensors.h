//===- Safetensors.h - Headers of safetensors files -------------*- C++ -*-===//
//
// A safetensors file is a little-endian u64 N, N bytes of JSON that give every
// tensor its dtype, shape and byte range, and the tensors, back to back, to
// the end of the file (https://github.com/huggingface/safetensors, "Format").
//
// The compiler reads the header only. The tensors stay in the file: the module
// names them by byte offset and the program maps the file when it is loaded.
//
//===----------------------------------------------------------------------===//

#ifndef POSENC_IMPORT_SAFETENSORS_H
#define POSENC_IMPORT_SAFETENSORS_H

#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <string>

namespace posenc {

/// One tensor of a safetensors file, checked against the file that holds it.
struct SafetensorsEntry {
  std::string name;
  /// The format's own name of the element type: "F32", "BF16", "I64", ...
  std::string dtype;
  /// Row-major, outermost dimension first. Empty for a scalar.
  llvm::SmallVector<int64_t, 4> shape;
  /// Bytes from the start of the file, a multiple of the element size.
  uint64_t offset = 0;
  /// Bytes occupied: the element count times the element size.
  uint64_t byteSize = 0;
};

/// The header of one safetensors file.
class SafetensorsFile {
public:
  /// Reads and checks the header of the file at `path`; the file is mapped, so
  /// tensor data is not read.
  ///
  /// Fails when the file cannot be opened, is shorter than its header says, has
  /// a header that is not the expected JSON, or describes tensors that overlap,
  /// leave gaps, are misaligned, disagree with shape x dtype or do not end
  /// where the file ends. Each error names the file and, where there is one,
  /// the tensor.
  static llvm::Expected<SafetensorsFile> open(llvm::StringRef path);

  llvm::StringRef getPath() const { return path; }

  /// Bytes in the whole file.
  uint64_t getFileSize() const { return fileSize; }

  /// FNV-1a-64 of the length field and the JSON: what a program compares at
  /// load time to see that the file still has the layout it was compiled for.
  uint64_t getHeaderHash() const { return headerHash; }

  /// The tensor called `name`, or null.
  const SafetensorsEntry *lookup(llvm::StringRef name) const;

private:
  SafetensorsFile() = default;

  std::string path;
  uint64_t fileSize = 0;
  uint64_t headerHash = 0;
  llvm::StringMap<SafetensorsEntry> entries;
};

} // namespace posenc

#endif // POSENC_IMPORT_SAFETENSORS_H
