//===- Invoker.h - One calling convention for all functions -----*- C++ -*-===//
//
// An invoker is a function `void(void **slots)` in LLVM IR that calls the C
// interface of an entry point. Slot i holds the address of argument i, a memref
// descriptor or a scalar; the last slot holds the address of the results, a
// struct of descriptors and scalars.
//
//===----------------------------------------------------------------------===//

#ifndef POSENC_LIB_JIT_INVOKER_H
#define POSENC_LIB_JIT_INVOKER_H

#include "posenc/Jit/EntryPoint.h"
#include "llvm/IR/Module.h"

namespace posenc {

inline constexpr llvm::StringLiteral kInvokerPrefix = "posenc_invoke_";
inline constexpr llvm::StringLiteral kInterfacePrefix = "_mlir_ciface_";

/// Adds the invoker of `entry`. Fails if the module has no C interface for it,
/// or one that does not match the signature.
llvm::Error addInvoker(llvm::Module &module, const EntryPoint &entry);

/// Bytes of the descriptor or scalar that stands for a value of `type`.
int64_t getPassedSize(const HostType &type);

/// Where each result lies in the struct of results, in bytes, and, as the last
/// element, how large the struct is.
llvm::SmallVector<int64_t> getResultOffsets(const EntryPoint &entry);

} // namespace posenc

#endif // POSENC_LIB_JIT_INVOKER_H
