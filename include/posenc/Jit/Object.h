//===- Object.h - From a lowered module to an object -------------*- C++ -*-===//

#ifndef POSENC_JIT_OBJECT_H
#define POSENC_JIT_OBJECT_H

#include "posenc/Jit/Compile.h"
#include "posenc/Jit/EntryPoint.h"
#include "llvm/Support/MemoryBuffer.h"

namespace posenc {

/// The function that calls a module's global constructors.
inline constexpr llvm::StringLiteral kConstructFunction = "posenc_construct";

/// A module in machine code, not yet linked.
struct Object {
  /// The functions to call: invokers of entry points, and what prepares the
  /// module before the first call.
  llvm::SmallVector<std::string> names;
  std::unique_ptr<llvm::MemoryBuffer> code; ///< relocatable
};

/// Compiles `module`, which must be completely lowered, so that `entries` can be
/// called. MLIR's diagnostics come before an error of the translation.
llvm::Expected<Object> compileObject(mlir::ModuleOp module,
                                     llvm::ArrayRef<EntryPoint> entries,
                                     const CompileOptions &options);

} // namespace posenc

#endif // POSENC_JIT_OBJECT_H
