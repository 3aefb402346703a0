//===- Kernel.h - What a launch needs to know -------------------*- C++ -*-===//

#ifndef POSENC_LIB_EMULATOR_KERNEL_H
#define POSENC_LIB_EMULATOR_KERNEL_H

#include "posenc/Device.h"

#include <mutex>
#include <string>
#include <vector>

namespace posenc::emulator {

class Checker;
class Counts;

/// A variable in shared memory; one without size takes what a launch gives it.
struct SharedVariable {
  std::string name;
  int64_t offset, bytes;
};

struct Kernel {
  std::string name;
  void (*entry)(void **arguments) = nullptr;
  /// The bytes of each argument that is passed by its address, else 0.
  std::vector<int64_t> byValueBytes;
  /// 0: not required. From nvvm.reqntid and nvvm.maxntid.
  Extent requiredBlock = {0, 0, 0};
  int64_t maxThreads = 1024;
  std::vector<SharedVariable> variables;
  /// Where static variables end.
  int64_t staticBytes = 0;
  /// Where the variables without size are.
  int64_t dynamicOffset = 0;
  std::string chip;
};

/// Which of the orders that a device may take: threads in ascending or
/// descending order, copies as early or as late as possible.
struct Schedule {
  bool isBackward = false, isEarly = false;
};

/// One launch under one schedule.
struct Run {
  const Kernel &kernel;
  const KernelLaunch &launch;
  Schedule schedule;
  Checker *checker; // null: nothing is checked
  Counts *counts;   // null: nothing is counted

  std::mutex mutex;
  bool hasFailed = false;
  DeviceError error;
};

} // namespace posenc::emulator

#endif // POSENC_LIB_EMULATOR_KERNEL_H
