//===- OnDevice.cpp - Programs that run on a GPU --------------------------===//

#include "Bench/OnDevice.h"

#include <cmath>

using namespace posenc;
using namespace posenc::bench;

//===----------------------------------------------------------------------===//
// Time
//===----------------------------------------------------------------------===//

llvm::Expected<std::unique_ptr<DeviceClock>> DeviceClock::create() {
  DeviceError error;
  Device *device = posenc::getDevice(error);
  if (!device)
    return makeError(error.text);
  std::unique_ptr<DeviceClock> clock(new DeviceClock(*device));
  if (!device->createStream(clock->stream, error) || !device->createEvent(clock->start, error) ||
      !device->createEvent(clock->end, error))
    return makeError(error.text);
  lendStream(clock->stream);
  return clock;
}

DeviceClock::~DeviceClock() {
  lendStream(nullptr);
  // After an error the device may refuse; there is nobody to tell.
  DeviceError ignored;
  for (void *event : {start, end})
    if (event)
      device.destroyEvent(event, ignored);
  if (stream)
    device.destroyStream(stream, ignored);
}

llvm::Expected<double> DeviceClock::time(unsigned count, llvm::function_ref<llvm::Error()> run) {
  DeviceError error;
  if (!device.record(start, stream, error))
    return makeError(error.text);
  for (unsigned i = 0; i < count; ++i)
    if (llvm::Error failure = run())
      return failure;
  float milliseconds;
  if (!device.record(end, stream, error) || !device.synchronize(stream, error) ||
      !device.getElapsed(start, end, milliseconds, error))
    return makeError(error.text);
  return milliseconds * 1e-3 / count;
}

//===----------------------------------------------------------------------===//
// Programs
//===----------------------------------------------------------------------===//

llvm::Expected<std::unique_ptr<Runner>>
DeviceRunner::create(Program program, llvm::MutableArrayRef<HostTensor> inputs, DeviceClock &clock) {
  std::unique_ptr<DeviceRunner> runner(new DeviceRunner(std::move(program), clock));
  for (auto [index, input] : llvm::enumerate(inputs)) {
    if (runner->getEntry().arguments[index].isScalar) {
      runner->inputs.push_back(DeviceTensor::view(input.getKind(), input.getShape(), input.getData()));
      continue;
    }
    auto copy = DeviceTensor::upload(input);
    if (!copy)
      return copy.takeError();
    runner->inputs.push_back(std::move(*copy));
  }
  return runner;
}

llvm::Expected<llvm::SmallVector<HostTensor>> DeviceRunner::call() {
  auto results = program.jit->call(program.entry, inputs);
  if (!results)
    return results.takeError();
  llvm::SmallVector<HostTensor> copies;
  for (const DeviceTensor &result : *results) {
    auto copy = result.download();
    if (!copy)
      return copy.takeError();
    copies.push_back(std::move(*copy));
  }
  return copies;
}

/// What is between two events should take this long, in seconds.
static constexpr double kSpan = 2e-3;
static constexpr unsigned kMostCalls = 200;

llvm::Expected<double> DeviceRunner::time() {
  auto seconds = clock.time(calls, [&]() -> llvm::Error {
    return program.jit->call(program.entry, inputs).takeError();
  });
  if (seconds && *seconds > 0)
    calls = std::clamp<double>(std::ceil(kSpan / *seconds), 1, kMostCalls);
  return seconds;
}
