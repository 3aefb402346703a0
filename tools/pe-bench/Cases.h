//===- Cases.h - What the command line asks to time -------------*- C++ -*-===//

#ifndef POSENC_TOOLS_PE_BENCH_CASES_H
#define POSENC_TOOLS_PE_BENCH_CASES_H

#include "Flags.h"

#include "Bench/Case.h"
#include "mlir/IR/MLIRContext.h"

namespace posenc::bench {

using Cases = llvm::Expected<std::vector<Case>>;

Cases getAttentionCases(const Flags &flags);
/// Attention without an encoding, then with each; tokens likewise.
Cases getEncodingCases(const Flags &flags);
Cases getGemmCases(const Flags &flags);
Cases getModelCases(const Flags &flags, mlir::MLIRContext &context);

llvm::Expected<std::string> readText(llvm::StringRef path);

/// `--NAME` must be at least 1.
llvm::Error checkSizes(llvm::ArrayRef<std::pair<const char *, int64_t>> sizes);

} // namespace posenc::bench

#endif // POSENC_TOOLS_PE_BENCH_CASES_H
