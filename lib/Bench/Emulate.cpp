//===- Emulate.cpp - Check cases on a GPU that needs none -----------------===//

#include "Bench/Emulate.h"

#include "Bench/OnDevice.h"
#include "posenc/Emulator.h"
#include "llvm/Support/Format.h"

using namespace posenc;
using namespace posenc::bench;

static llvm::Error emulate(mlir::MLIRContext &context, Case &source,
                           const ProgramOptions &options, llvm::raw_ostream &os) {
  // One for each case: it adds up what it counts.
  EmulatorOptions emulatorOptions;
  emulatorOptions.count = true;
  std::unique_ptr<Emulator> device = Emulator::create(emulatorOptions);
  const Emulator &emulator = *device;
  setDevice(std::move(device));

  auto clock = DeviceClock::create();
  if (!clock)
    return clock.takeError();
  auto runner = createRunner(context, source, options, clock->get());
  if (!runner)
    return runner.takeError();
  auto error = runOnce(**runner, source);
  if (!error)
    return error.takeError();
  os << source.name << llvm::format(" error %.2g\n", *error);
  emulator.printCounts(os);
  return llvm::Error::success();
}

llvm::Error posenc::bench::emulateCases(mlir::MLIRContext &context, std::vector<Case> cases,
                                        ProgramOptions options, llvm::raw_ostream &os) {
  options.deviceFormat = "llvm";
  llvm::Error wrong = llvm::Error::success();
  for (Case &source : cases)
    if (llvm::Error error = emulate(context, source, options, os))
      wrong = llvm::joinErrors(std::move(wrong), makeError(source.name + ": " +
                                                           llvm::toString(std::move(error))));
  return wrong;
}
