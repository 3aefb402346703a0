//===- Runner.cpp - A program and its inputs, wherever they are -----------===//

#include "Bench/Runner.h"

#include "Bench/OnDevice.h"
#include "Bench/Template.h"

using namespace posenc;
using namespace posenc::bench;

namespace {
/// On this processor.
class HostRunner : public Runner {
public:
  HostRunner(Program program, Case &source) : Runner(std::move(program)), source(source) {}

  llvm::Expected<llvm::SmallVector<HostTensor>> call() override {
    return program.jit->call(program.entry, source.inputs);
  }
  llvm::Expected<double> time() override {
    return program.jit->time(program.entry, source.inputs);
  }

private:
  Case &source;
};
} // namespace

llvm::Expected<std::unique_ptr<Runner>>
posenc::bench::createRunner(mlir::MLIRContext &context, Case &source,
                            const ProgramOptions &options, DeviceClock *device) {
  auto program = buildProgram(context, source.program, source.entry, options);
  if (!program)
    return program.takeError();
  if (device)
    return DeviceRunner::create(std::move(*program), source.inputs, *device);
  return std::make_unique<HostRunner>(std::move(*program), source);
}

llvm::Expected<double> posenc::bench::runOnce(Runner &runner, const Case &source) {
  auto results = runner.call();
  if (!results)
    return results.takeError();
  return checkResults(source, *results);
}
