//===- DeviceState.h - What programs have on the device ---------*- C++ -*-===//

#ifndef POSENC_LIB_RUNTIME_DEVICESTATE_H
#define POSENC_LIB_RUNTIME_DEVICESTATE_H

#include "posenc/Device.h"
#include "posenc/Runtime.h"

#include <map>
#include <mutex>
#include <set>
#include <string>

namespace posenc {

/// Modules are loaded when their first kernel is asked for: global constructors
/// announce them, where an error has nobody to go to.
struct Module {
  std::string image;
  bool isText;
  int optLevel;
  void *handle = nullptr;
  int users = 0;
};

struct Buffer {
  uint64_t bytes;
  bool isShared;
};

struct DeviceState {
  std::recursive_mutex mutex;
  std::unique_ptr<Device> device;
  /// By their content: a program that is loaded twice is compiled once.
  std::map<std::string, Module> modules;
  std::map<std::pair<Module *, const char *>, void *> functions;
  std::map<void *, Buffer> buffers;
  std::set<void *> streams, events;
  /// A stream of the host that all calls use, and whether something was copied to
  /// the host there since it was last waited for.
  void *lent = nullptr;
  bool isUnread = false;
  std::map<std::pair<const void *, int64_t>, void *> constants;
};

/// That of this process. Never destroyed: compiled code unloads its modules at exit.
DeviceState &getDeviceState();

/// Runs `step(state, device, error)`. The lock is released before a failure, which
/// is a posenc_fail, leaves.
template <typename Step> void runOnDevice(Step step) {
  DeviceError error;
  bool ok = [&] {
    DeviceState &state = getDeviceState();
    std::lock_guard<std::recursive_mutex> lock(state.mutex);
    Device *device = getDevice(error);
    return device && step(state, *device, error);
  }();
  if (!ok)
    posenc_fail(error.text);
}

} // namespace posenc

#endif // POSENC_LIB_RUNTIME_DEVICESTATE_H
