//===- Run.cpp - Check cases, then time them ------------------------------===//

#include "Bench/Run.h"

#include "Bench/Machine.h"
#include "Bench/OnDevice.h"

using namespace posenc;
using namespace posenc::bench;

namespace {
/// A case that is compiled and right.
struct Runnable {
  Case source;
  std::unique_ptr<Runner> runner;
  double error = 0;
  Contender contender;
  std::vector<std::unique_ptr<Peer>> peers;
};
} // namespace

static llvm::Expected<std::unique_ptr<Runnable>>
prepare(mlir::MLIRContext &context, Case source, const RunOptions &options) {
  auto named = [name = source.name](llvm::Error error) {
    return makeError(name + ": " + llvm::toString(std::move(error)));
  };
  auto runnable = std::make_unique<Runnable>();
  runnable->source = std::move(source);
  auto runner = createRunner(context, runnable->source, options.program, options.device);
  if (!runner)
    return named(runner.takeError());
  auto error = runOnce(**runner, runnable->source);
  if (!error)
    return named(error.takeError());

  runnable->runner = std::move(*runner);
  runnable->error = *error;
  runnable->contender.run = [runner = runnable->runner.get()] { return runner->time(); };
  return runnable;
}

static Result makePeerResult(const Peer &peer, Result result) {
  result.library = peer.library;
  result.version = peer.version;
  result.overBase = 0;
  result.overOurs = summarize(peer.contender.seconds).median / result.seconds.median;
  result.seconds = summarize(peer.contender.seconds);
  result.error = peer.error;
  return result;
}

static Result makeResult(const Runnable &runnable, const Bound &fma,
                         const Bound &read, const RunOptions &options) {
  Result result;
  result.name = runnable.source.name;
  result.seconds = summarize(runnable.contender.seconds);
  result.flops = runnable.source.flops;
  result.bytes = runnable.source.bytes;
  result.fma = fma.rate();
  result.read = read.rate();
  result.fmaName = fma.name;
  result.readName = read.name;
  result.error = runnable.error;
  result.threads = options.threads;
  return result;
}

llvm::Error posenc::bench::runCases(mlir::MLIRContext &context,
                                    std::vector<Case> cases,
                                    const RunOptions &options, Report &report) {
  llvm::Error wrong = llvm::Error::success();
  std::vector<std::unique_ptr<Runnable>> runnables;
  for (Case &source : cases) {
    auto runnable = prepare(context, std::move(source), options);
    if (runnable)
      runnables.push_back(std::move(*runnable));
    else
      wrong = llvm::joinErrors(std::move(wrong), runnable.takeError());
  }
  if (runnables.empty())
    return wrong;

  auto fail = [&](llvm::Error error) {
    return llvm::joinErrors(std::move(wrong), std::move(error));
  };
  bool isNarrow = llvm::all_of(runnables, [](auto &runnable) { return runnable->source.isNarrow(); });
  auto fma = options.device
                 ? createProductBound(context, options.program, isNarrow, *options.device)
                 : createFmaBound(context, options.program, options.threads);
  if (!fma)
    return fail(fma.takeError());
  auto read = options.device ? createCopyBound(*options.device)
                             : createReadBound(context, options.program, options.threads);
  if (!read)
    return fail(read.takeError());
  std::vector<Contender *> contenders = {&(*fma)->contender,
                                         &(*read)->contender};
  PeerNotes notes;
  for (auto &runnable : runnables) {
    runnable->peers = startPeers(runnable->source, options.threads, options.peers, notes);
    contenders.push_back(&runnable->contender);
    for (auto &peer : runnable->peers)
      contenders.push_back(&peer->contender);
  }
  notes.print(llvm::errs());
  if (llvm::Error error = timeInTurns(contenders, options.timing))
    return fail(std::move(error));

  llvm::StringMap<double> medians;
  for (auto &runnable : runnables) {
    Result result = makeResult(*runnable, **fma, **read, options);
    medians[result.name] = result.seconds.median;
    if (double base = medians.lookup(runnable->source.base))
      result.overBase = result.seconds.median / base;
    report.add(result);
    for (auto &peer : runnable->peers)
      report.add(makePeerResult(*peer, result));
  }
  return wrong;
}
