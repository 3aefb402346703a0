//===- Model.h - A program of somebody else's as a case ---------*- C++ -*-===//

#ifndef POSENC_BENCH_MODEL_H
#define POSENC_BENCH_MODEL_H

#include "Bench/Case.h"
#include "posenc/Jit/Program.h"

namespace posenc::bench {

/// The case that runs `entry` of the program `text`; empty for the only one.
/// The results must be those of pipeline posenc-reference in f64, as far as the
/// program's types and `products`, to which linear layers may round, allow. Fails if
/// the inputs do not fit, and if nothing says how much work there is.
llvm::Expected<Case> makeModel(mlir::MLIRContext &context, llvm::StringRef name,
                               llvm::StringRef text, llvm::StringRef entry,
                               llvm::ArrayRef<std::string> inputs,
                               ElementKind products = ElementKind::F32);

} // namespace posenc::bench

#endif // POSENC_BENCH_MODEL_H
