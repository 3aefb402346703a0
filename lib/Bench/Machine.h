//===- Machine.h - What the processor can do at most ------------*- C++ -*-===//
//
// The two bounds that every figure stands beside. They are programs for the
// same target as what is timed, compiled by the same compiler, and are timed in
// turns with it: the clock frequency of a shared or a warm machine is not that
// of its data sheet.
//
//===----------------------------------------------------------------------===//

#ifndef POSENC_BENCH_MACHINE_H
#define POSENC_BENCH_MACHINE_H

#include "Bench/Timing.h"
#include "posenc/Jit/Program.h"

namespace posenc::bench {

/// Elements of the target's widest native f32 vector.
llvm::Expected<int64_t> getLanes(const CompileOptions &options);

/// A bound: something to run, and how much that does.
struct Bound {
  /// As reports call it.
  llvm::StringRef name;
  /// Flops or bytes of one run.
  double amount = 0;
  Contender contender;

  /// Amount per second of the runs so far: of the median, and of the tails.
  Summary rate() const;
};

/// f32 fused multiply-adds, as many as `threads` threads can do.
llvm::Expected<std::unique_ptr<Bound>>
createFmaBound(mlir::MLIRContext &context, const ProgramOptions &options,
               unsigned threads);

/// One linear pass of `threads` threads over memory that no cache holds.
llvm::Expected<std::unique_ptr<Bound>>
createReadBound(mlir::MLIRContext &context, const ProgramOptions &options,
                unsigned threads);

} // namespace posenc::bench

#endif // POSENC_BENCH_MACHINE_H
