//===- Emulate.h - Check cases on a GPU that needs none ---------*- C++ -*-===//

#ifndef POSENC_BENCH_EMULATE_H
#define POSENC_BENCH_EMULATE_H

#include "Bench/Case.h"
#include "posenc/Jit/Program.h"

namespace posenc::bench {

/// Runs every case once on the emulator and checks it; prints its error, and what
/// its kernels do instead of times. Fails with one line for each case that is wrong.
llvm::Error emulateCases(mlir::MLIRContext &context, std::vector<Case> cases,
                         ProgramOptions options, llvm::raw_ostream &os);

} // namespace posenc::bench

#endif // POSENC_BENCH_EMULATE_H
