//===- Run.h - Check cases, then time them ----------------------*- C++ -*-===//

#ifndef POSENC_BENCH_RUN_H
#define POSENC_BENCH_RUN_H

#include "Bench/Peers.h"
#include "Bench/Report.h"
#include "Bench/Runner.h"

namespace posenc::bench {

struct RunOptions {
  ProgramOptions program;
  TimingOptions timing;
  unsigned threads = 1;
  PeerOptions peers;
  /// Where to run instead of on this processor; may be null.
  DeviceClock *device = nullptr;
};

/// Runs every case once and checks it; then times those that are right in
/// turns, with the bounds of the machine and with other libraries, and reports
/// them. Fails after that with one line for each case that is wrong. What
/// libraries cannot do, or do wrong, is a note on stderr.
llvm::Error runCases(mlir::MLIRContext &context, std::vector<Case> cases,
                     const RunOptions &options, Report &report);

} // namespace posenc::bench

#endif // POSENC_BENCH_RUN_H
