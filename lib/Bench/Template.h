//===- Template.h - Programs from pieces of text ----------------*- C++ -*-===//

#ifndef POSENC_BENCH_TEMPLATE_H
#define POSENC_BENCH_TEMPLATE_H

#include "posenc/Jit/Program.h"

namespace posenc::bench {

using Substitutions = llvm::StringMap<std::string>;

/// Replaces each `$name` of `text`; the longest run of letters is the name. A
/// name that is not in `values` stays.
std::string expand(llvm::StringRef text, const Substitutions &values);

/// Parses, lowers and loads a program.
llvm::Expected<Program> buildProgram(mlir::MLIRContext &context,
                                     llvm::StringRef text,
                                     llvm::StringRef entry,
                                     const ProgramOptions &options);

} // namespace posenc::bench

#endif // POSENC_BENCH_TEMPLATE_H
