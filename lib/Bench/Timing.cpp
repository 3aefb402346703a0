//===- Timing.cpp - How long things take, side by side --------------------===//

#include "Bench/Timing.h"

#include "llvm/ADT/STLExtras.h"

#include <numeric>

using namespace posenc::bench;

Summary posenc::bench::summarize(llvm::ArrayRef<double> samples) {
  llvm::SmallVector<double> sorted(samples);
  llvm::sort(sorted);
  if (sorted.empty())
    return {};
  auto at = [&](double quantile) {
    return sorted[size_t(quantile * (sorted.size() - 1) + 0.5)];
  };
  return {at(0.5), at(0.1), at(0.9), unsigned(sorted.size())};
}

/// Seconds of counted runs in one turn: many short ones, or a long one.
static constexpr double kTurn = 0.01;
/// A run of this length does not notice what the caches held before.
static constexpr double kLong = 0.02;
/// Before anything counts: clock frequencies rise, pages get touched.
static constexpr double kWarmUp = 0.1;

/// Runs without counting until `seconds` have passed; at least once.
static llvm::Error warmUp(const Contender &contender, double seconds) {
  for (double spent = 0;;) {
    llvm::Expected<double> run = contender.run();
    if (!run)
      return run.takeError();
    spent += *run;
    if (spent >= seconds)
      return llvm::Error::success();
  }
}

static llvm::Error takeTurn(Contender &contender) {
  bool isLong = !contender.seconds.empty() && contender.seconds.back() > kLong;
  if (!isLong)
    if (llvm::Error error = warmUp(contender, 0))
      return error;
  for (double spent = 0; spent < kTurn;) {
    llvm::Expected<double> run = contender.run();
    if (!run)
      return run.takeError();
    contender.seconds.push_back(*run);
    spent += *run;
  }
  return llvm::Error::success();
}

/// Whatever `action` does, the contender leaves what it entered.
static llvm::Error inTurn(Contender &contender,
                          llvm::function_ref<llvm::Error(Contender &)> action) {
  if (contender.enter)
    contender.enter();
  llvm::Error error = action(contender);
  if (contender.leave)
    contender.leave();
  return error;
}

llvm::Error posenc::bench::timeInTurns(llvm::ArrayRef<Contender *> contenders,
                                       const TimingOptions &options) {
  for (Contender *contender : contenders)
    if (llvm::Error error = inTurn(*contender, [](Contender &contender) {
          return warmUp(contender, kWarmUp);
        }))
      return error;

  auto needsTime = [&](const Contender *contender) {
    const auto &seconds = contender->seconds;
    return !contender->isBound &&
           std::accumulate(seconds.begin(), seconds.end(), 0.0) <
               options.minTime;
  };
  for (unsigned round = 0;
       round < options.repeat ||
       (round < options.maxRounds && llvm::any_of(contenders, needsTime));
       ++round)
    for (Contender *contender : contenders)
      if (llvm::Error error = inTurn(*contender, takeTurn))
        return error;
  return llvm::Error::success();
}
