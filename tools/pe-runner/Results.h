//===- Results.h - Writes and checks what a function returned ---*- C++ -*-===//

#ifndef POSENC_TOOLS_PE_RUNNER_RESULTS_H
#define POSENC_TOOLS_PE_RUNNER_RESULTS_H

#include "Flags.h"

#include "posenc/Jit/Program.h"

namespace posenc {

using Tensors = llvm::SmallVector<HostTensor>;

/// Fails if a flag is there more often than there are results.
llvm::Error checkCount(llvm::StringRef flag, size_t count, size_t results);

/// To the files of --output, or to stdout.
llvm::Error writeOutputs(const Flags &flags, const Tensors &results);

/// Fails if a result is further from the file of its --expect than --tolerance.
llvm::Error checkExpected(const Flags &flags, const EntryPoint &entry, const Tensors &results);

/// The same, for what the reference pipeline makes of `module` and `inputs`.
llvm::Error checkReference(const Flags &flags, mlir::ModuleOp module, ProgramOptions options,
                           Tensors inputs, const Tensors &results);

} // namespace posenc

#endif // POSENC_TOOLS_PE_RUNNER_RESULTS_H
