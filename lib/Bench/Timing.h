//===- Timing.h - How long things take, side by side ------------*- C++ -*-===//

#ifndef POSENC_BENCH_TIMING_H
#define POSENC_BENCH_TIMING_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/Error.h"

#include <functional>
#include <vector>

namespace posenc::bench {

/// The middle and the tails of some measurements.
struct Summary {
  double median = 0, p10 = 0, p90 = 0;
  unsigned count = 0;
};

Summary summarize(llvm::ArrayRef<double> samples);

/// Something to time. All members but `run` may be absent.
struct Contender {
  /// Runs once and returns the seconds that it took.
  std::function<llvm::Expected<double>()> run;
  /// Before and after a turn, such as waking another process.
  std::function<void()> enter, leave;
  /// Whether rounds go on until this one has had its time.
  bool isBound = false;
  /// Seconds of each run that counts.
  llvm::SmallVector<double, 0> seconds;
};

struct TimingOptions {
  /// At least so many rounds, each with at least one run of every contender.
  unsigned repeat = 10;
  /// At least so many seconds of every contender that is no bound, unless that
  /// takes more than `maxRounds` rounds.
  double minTime = 0.5;
  unsigned maxRounds = 200;
};

/// Times the contenders in turns, so that what happens to the machine meanwhile
/// happens to all. Each is warmed up, before the first round and in each turn
/// again, as the caches hold what the one before it left.
llvm::Error timeInTurns(llvm::ArrayRef<Contender *> contenders,
                        const TimingOptions &options);

} // namespace posenc::bench

#endif // POSENC_BENCH_TIMING_H
