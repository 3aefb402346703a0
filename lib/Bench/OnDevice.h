//===- OnDevice.h - Programs that run on a GPU ------------------*- C++ -*-===//
//
// Inputs are copied to the device once, and stay there: what is timed is what the
// device does for a call, between two events, not how data gets there.
//
//===----------------------------------------------------------------------===//

#ifndef POSENC_BENCH_ONDEVICE_H
#define POSENC_BENCH_ONDEVICE_H

#include "Bench/Machine.h"
#include "Bench/Runner.h"
#include "posenc/Device.h"

namespace posenc::bench {

/// A stream of the device of this process that all calls use while this exists, and
/// two events in it.
class DeviceClock {
public:
  static llvm::Expected<std::unique_ptr<DeviceClock>> create();
  ~DeviceClock();

  /// Seconds of each of `count` runs that follow each other without a pause. `run`
  /// only has to say what is to do.
  llvm::Expected<double> time(unsigned count, llvm::function_ref<llvm::Error()> run);

  Device &getDevice() { return device; }
  void *getStream() { return stream; }

private:
  explicit DeviceClock(Device &device) : device(device) {}

  Device &device;
  void *stream = nullptr, *start = nullptr, *end = nullptr;
};

/// Of a program compiled by `posenc-nvptx{resident}`.
class DeviceRunner : public Runner {
public:
  static llvm::Expected<std::unique_ptr<Runner>>
  create(Program program, llvm::MutableArrayRef<HostTensor> inputs, DeviceClock &clock);

  llvm::Expected<llvm::SmallVector<HostTensor>> call() override;
  llvm::Expected<double> time() override;

private:
  DeviceRunner(Program program, DeviceClock &clock) : Runner(std::move(program)), clock(clock) {}

  DeviceClock &clock;
  std::vector<DeviceTensor> inputs;
  /// Calls between two events: many short ones, as recording takes some microseconds.
  unsigned calls = 1;
};

/// Copies of memory that no cache of the device holds; amounts are bytes read and
/// bytes written.
llvm::Expected<std::unique_ptr<Bound>> createCopyBound(DeviceClock &clock);

/// What a kernel that does nothing else can multiply and add: by matrix instructions of
/// 16 bits if `isNarrow` and the chip has them, else in f32.
llvm::Expected<std::unique_ptr<Bound>> createProductBound(mlir::MLIRContext &context,
                                                          const ProgramOptions &options,
                                                          bool isNarrow, DeviceClock &clock);

} // namespace posenc::bench

#endif // POSENC_BENCH_ONDEVICE_H
