//===- Npy.h - Arrays in numpy's file format --------------------*- C++ -*-===//

#ifndef POSENC_JIT_NPY_H
#define POSENC_JIT_NPY_H

#include "posenc/Jit/HostTensor.h"

namespace posenc {

/// Reads an .npy file (format 1.0, 2.0 or 3.0; little-endian, C order) whose
/// elements must be of `kind`: nothing is converted. As numpy has no bf16, its
/// bits are stored as '<u2' ('|V2' is accepted as well). Errors name the file.
llvm::Expected<HostTensor> readNpy(llvm::StringRef path, ElementKind kind);

/// The same for the bytes of a file; errors do not name it.
llvm::Expected<HostTensor> parseNpy(llvm::StringRef bytes, ElementKind kind);

/// Writes format 1.0.
llvm::Error writeNpy(llvm::StringRef path, const HostTensor &tensor);

} // namespace posenc

#endif // POSENC_JIT_NPY_H
