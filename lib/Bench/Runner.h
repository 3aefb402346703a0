//===- Runner.h - A program and its inputs, wherever they are --*- C++ -*-===//

#ifndef POSENC_BENCH_RUNNER_H
#define POSENC_BENCH_RUNNER_H

#include "Bench/Case.h"
#include "posenc/Jit/Program.h"

namespace posenc::bench {

class DeviceClock;

class Runner {
public:
  virtual ~Runner() = default;
  virtual llvm::Expected<llvm::SmallVector<HostTensor>> call() = 0;
  /// Seconds of one call.
  virtual llvm::Expected<double> time() = 0;
  const EntryPoint &getEntry() const { return program.entry; }

protected:
  explicit Runner(Program program) : program(std::move(program)) {}

  Program program;
};

/// Compiles `source` for this processor, or for `device` if that is not null. Both
/// must outlive the runner.
llvm::Expected<std::unique_ptr<Runner>> createRunner(mlir::MLIRContext &context, Case &source,
                                                     const ProgramOptions &options,
                                                     DeviceClock *device);

/// Runs `source` once and returns its error, which is within the tolerance.
llvm::Expected<double> runOnce(Runner &runner, const Case &source);

} // namespace posenc::bench

#endif // POSENC_BENCH_RUNNER_H
