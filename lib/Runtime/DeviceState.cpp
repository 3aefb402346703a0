//===- DeviceState.cpp - What programs have on the device -----------------===//

#include "DeviceState.h"

using namespace posenc;

DeviceState &posenc::getDeviceState() {
  static auto *state = new DeviceState;
  return *state;
}

Device *posenc::getDevice(DeviceError &error) {
  DeviceState &state = getDeviceState();
  std::lock_guard<std::recursive_mutex> lock(state.mutex);
  if (!state.device)
    state.device = createCudaDevice(/*ordinal=*/0, error);
  return state.device.get();
}

void posenc::setDevice(std::unique_ptr<Device> device) {
  DeviceState &state = getDeviceState();
  std::lock_guard<std::recursive_mutex> lock(state.mutex);
  state.device = std::move(device);
}

void posenc::lendStream(void *stream) {
  DeviceState &state = getDeviceState();
  std::lock_guard<std::recursive_mutex> lock(state.mutex);
  state.lent = stream;
  state.isUnread = false;
}

void *posenc::getLentStream() {
  DeviceState &state = getDeviceState();
  std::lock_guard<std::recursive_mutex> lock(state.mutex);
  return state.lent;
}

void posenc::disown(void *memory) {
  DeviceState &state = getDeviceState();
  std::lock_guard<std::recursive_mutex> lock(state.mutex);
  state.buffers.erase(memory);
}

void *posenc_device_constant(const void *host, int64_t bytes) {
  void *memory = nullptr;
  runOnDevice([&](DeviceState &state, Device &device, DeviceError &error) {
    if (auto found = state.constants.find({host, bytes}); found != state.constants.end()) {
      memory = found->second;
      return true;
    }
    if (!device.allocate(bytes, /*isShared=*/false, nullptr, memory, error))
      return false;
    if (!device.copy(memory, host, bytes, nullptr, error) || !device.synchronize(nullptr, error)) {
      DeviceError ignored;
      device.free(memory, /*isShared=*/false, nullptr, ignored);
      return false;
    }
    device.protect(memory);
    state.constants[{host, bytes}] = memory;
    return true;
  });
  return memory;
}

void posenc_device_forget_constants() {
  DeviceState &state = getDeviceState();
  std::lock_guard<std::recursive_mutex> lock(state.mutex);
  DeviceError ignored;
  for (auto &[host, memory] : state.constants)
    state.device->free(memory, /*isShared=*/false, nullptr, ignored);
  state.constants.clear();
}

float posenc_event_elapsed(void *start, void *end) {
  float milliseconds = 0;
  runOnDevice([&](DeviceState &, Device &device, DeviceError &error) {
    return device.getElapsed(start, end, milliseconds, error);
  });
  return milliseconds;
}

void posenc_device_live(int64_t *objects, int64_t *bytes) {
  DeviceState &state = getDeviceState();
  std::lock_guard<std::recursive_mutex> lock(state.mutex);
  *objects = state.buffers.size() + state.streams.size() + state.events.size();
  *bytes = 0;
  for (auto &[memory, buffer] : state.buffers)
    *bytes += buffer.bytes;
}

void posenc_device_release() {
  DeviceState &state = getDeviceState();
  std::lock_guard<std::recursive_mutex> lock(state.mutex);
  if (!state.device)
    return;
  // After an error the device may refuse all of it; there is nobody to tell.
  DeviceError ignored;
  for (void *stream : state.streams)
    state.device->synchronize(stream, ignored);
  for (auto &[memory, buffer] : state.buffers)
    state.device->free(memory, buffer.isShared, nullptr, ignored);
  for (void *event : state.events)
    state.device->destroyEvent(event, ignored);
  for (void *stream : state.streams)
    state.device->destroyStream(stream, ignored);
  state.buffers.clear();
  state.events.clear();
  state.streams.clear();
}
