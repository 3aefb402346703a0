//===- EntryPoint.h - Functions that a host may call ------------*- C++ -*-===//
//
// Lowering replaces the types of a function by pointers; the attribute
// `posenc.signature`, a TypeAttr with the original function type, says what its
// callers pass. Types may be ranked tensors, memrefs of identity layout, or
// scalars, of the elements that ElementKind lists; an `index` is an i64.
//
//===----------------------------------------------------------------------===//

#ifndef POSENC_JIT_ENTRYPOINT_H
#define POSENC_JIT_ENTRYPOINT_H

#include "mlir/IR/BuiltinOps.h"
#include "posenc/Jit/InputSpec.h"

namespace posenc {

inline constexpr llvm::StringLiteral kSignatureAttr = "posenc.signature";
/// Called once, if the module defines it, before anything else.
inline constexpr llvm::StringLiteral kLoadFunction = "posenc_load";

struct EntryPoint {
  std::string name;
  llvm::SmallVector<HostType> arguments;
  llvm::SmallVector<HostType> results;
};

/// Gives each public func.func with a body the attributes that make it an entry
/// point of the lowered module: its signature, unless it has one, and a C
/// interface. To be called before a pipeline changes the types.
void markEntryPoints(mlir::ModuleOp module);

/// The names of the public functions of `module` that have a body and, if they
/// are llvm.func, a signature, in order.
llvm::SmallVector<llvm::StringRef> getEntryPointNames(mlir::ModuleOp module);

/// The entry point `name`, or the only one if `name` is empty. Fails if there
/// is no such function, if it is ambiguous, or if its types are not supported.
llvm::Expected<EntryPoint> findEntryPoint(mlir::ModuleOp module,
                                          llvm::StringRef name);

/// The arguments that `specs` describe, one for each, as makeInput does; each
/// has its own default seed, so that two of them differ.
llvm::Expected<llvm::SmallVector<HostTensor>>
makeInputs(llvm::ArrayRef<std::string> specs, const EntryPoint &entry);

} // namespace posenc

#endif // POSENC_JIT_ENTRYPOINT_H
