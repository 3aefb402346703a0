//===- Mgpu.cpp - What host code calls to use a device --------------------===//
//
// The functions that upstream's GPU lowering calls, with its signatures, over
// the device of this process. Every failure is a posenc_fail.
//
//===----------------------------------------------------------------------===//

#include "posenc/Device.h"
#include "posenc/Runtime.h"

#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <map>
#include <mutex>
#include <string>

using namespace posenc;

namespace {

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

struct State {
  std::recursive_mutex mutex;
  std::unique_ptr<Device> device;
  /// By their content: a program that is loaded twice is compiled once.
  std::map<std::string, Module> modules;
  std::map<std::pair<Module *, const char *>, void *> functions;
  std::map<void *, Buffer> buffers;
  std::map<void *, int> streams, events;
  std::map<std::pair<const void *, int64_t>, void *> constants;
};

} // namespace

/// Never destroyed: compiled code unloads its modules at exit.
static State &getState() {
  static auto *state = new State;
  return *state;
}

Device *posenc::getDevice(DeviceError &error) {
  State &state = getState();
  std::lock_guard<std::recursive_mutex> lock(state.mutex);
  if (!state.device)
    state.device = createCudaDevice(/*ordinal=*/0, error);
  return state.device.get();
}

void posenc::setDevice(std::unique_ptr<Device> device) {
  State &state = getState();
  std::lock_guard<std::recursive_mutex> lock(state.mutex);
  state.device = std::move(device);
}

/// Runs `step(device, error)`; the lock is released before a failure leaves.
template <typename Step> static void run(Step step) {
  DeviceError error;
  bool ok = [&] {
    State &state = getState();
    std::lock_guard<std::recursive_mutex> lock(state.mutex);
    Device *device = getDevice(error);
    return device && step(state, *device, error);
  }();
  if (!ok)
    posenc_fail(error.text);
}

static void *addModule(const char *image, size_t size, bool isText, int optLevel) {
  State &state = getState();
  std::lock_guard<std::recursive_mutex> lock(state.mutex);
  std::string content(image, size);
  Module &module = state.modules[content + char(optLevel)];
  if (module.users++ == 0)
    module = {std::move(content), isText, optLevel, nullptr, 1};
  return &module;
}

static bool load(Device &device, Module &module, DeviceError &error) {
  return module.handle ||
         device.loadModule(module.image.data(), module.isText ? 0 : module.image.size(),
                           module.optLevel, module.handle, error);
}

static void launch(void *function, Extent cluster, Extent grid, Extent block, int32_t shared,
                   void *stream, void **arguments) {
  run([&](State &, Device &device, DeviceError &error) {
    // Nothing to do is no error, as in a loop.
    if (grid.x == 0 || grid.y == 0 || grid.z == 0)
      return true;
    return device.launch({function, grid, block, cluster, uint32_t(shared), stream, arguments},
                         error);
  });
}

extern "C" {

//===----------------------------------------------------------------------===//
// Modules and launches
//===----------------------------------------------------------------------===//

void *mgpuModuleLoad(void *data, size_t size) {
  return addModule(static_cast<char *>(data), size, /*isText=*/false, 0);
}

void *mgpuModuleLoadJIT(void *text, int32_t optLevel) {
  auto *begin = static_cast<char *>(text);
  return addModule(begin, std::strlen(begin), /*isText=*/true, optLevel);
}

void mgpuModuleUnload(void *handle) {
  State &state = getState();
  std::lock_guard<std::recursive_mutex> lock(state.mutex);
  auto *module = static_cast<Module *>(handle);
  if (--module->users > 0)
    return;
  for (auto it = state.functions.begin(); it != state.functions.end();)
    it = it->first.first == module ? state.functions.erase(it) : std::next(it);
  if (module->handle && state.device)
    state.device->unloadModule(module->handle);
  for (auto it = state.modules.begin(); it != state.modules.end(); ++it)
    if (&it->second == module) {
      state.modules.erase(it);
      return;
    }
}

/// Called before every launch.
void *mgpuModuleGetFunction(void *handle, const char *name) {
  void *function = nullptr;
  run([&](State &state, Device &device, DeviceError &error) {
    auto *module = static_cast<Module *>(handle);
    // The name is a constant of the program, so its address will do.
    void *&known = state.functions[{module, name}];
    if (!known && !(load(device, *module, error) &&
                    device.getFunction(module->handle, name, known, error)))
      return false;
    function = known;
    return true;
  });
  return function;
}

void mgpuLaunchKernel(void *function, intptr_t gridX, intptr_t gridY, intptr_t gridZ,
                      intptr_t blockX, intptr_t blockY, intptr_t blockZ, int32_t shared,
                      void *stream, void **arguments, void **, size_t) {
  launch(function, {}, {gridX, gridY, gridZ}, {blockX, blockY, blockZ}, shared, stream, arguments);
}

void mgpuLaunchClusterKernel(void *function, intptr_t clusterX, intptr_t clusterY,
                             intptr_t clusterZ, intptr_t gridX, intptr_t gridY, intptr_t gridZ,
                             intptr_t blockX, intptr_t blockY, intptr_t blockZ, int32_t shared,
                             void *stream, void **arguments, void **, size_t) {
  launch(function, {clusterX, clusterY, clusterZ}, {gridX, gridY, gridZ}, {blockX, blockY, blockZ},
         shared, stream, arguments);
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

void *mgpuMemAlloc(uint64_t bytes, void *stream, bool isShared) {
  void *memory = nullptr;
  run([&](State &state, Device &device, DeviceError &error) {
    if (!device.allocate(bytes, isShared, stream, memory, error))
      return false;
    state.buffers[memory] = {bytes, isShared};
    return true;
  });
  return memory;
}

void mgpuMemFree(void *memory, void *stream) {
  if (!memory)
    return;
  run([&](State &state, Device &device, DeviceError &error) {
    auto found = state.buffers.find(memory);
    if (found == state.buffers.end())
      return error.fail("release of %p, which is not allocated on the device", memory);
    bool isShared = found->second.isShared;
    state.buffers.erase(found);
    return device.free(memory, isShared, stream, error);
  });
}

void mgpuMemcpy(void *to, void *from, size_t bytes, void *stream) {
  if (bytes)
    run([&](State &, Device &device, DeviceError &error) {
      return device.copy(to, from, bytes, stream, error);
    });
}

void mgpuMemset32(void *to, unsigned value, size_t count, void *stream) {
  if (count)
    run([&](State &, Device &device, DeviceError &error) {
      return device.fill(to, value, /*width=*/4, count, stream, error);
    });
}

void mgpuMemset16(void *to, unsigned short value, size_t count, void *stream) {
  if (count)
    run([&](State &, Device &device, DeviceError &error) {
      return device.fill(to, value, /*width=*/2, count, stream, error);
    });
}

/// The bytes of a contiguous memref, from its descriptor.
static uint64_t getBytes(int64_t rank, const int64_t *descriptor, int64_t elementBytes) {
  uint64_t bytes = elementBytes;
  for (int64_t i = 0; i < rank; ++i)
    bytes *= descriptor[3 + i];
  return bytes;
}

void mgpuMemHostRegisterMemRef(int64_t rank, void *descriptor, int64_t elementBytes) {
  auto *words = static_cast<int64_t *>(descriptor);
  run([&](State &, Device &device, DeviceError &error) {
    return device.registerHost(reinterpret_cast<char *>(words[1]) + words[2] * elementBytes,
                               getBytes(rank, words, elementBytes), error);
  });
}

void mgpuMemHostUnregisterMemRef(int64_t, void *descriptor, int64_t elementBytes) {
  auto *words = static_cast<int64_t *>(descriptor);
  run([&](State &, Device &device, DeviceError &error) {
    return device.unregisterHost(reinterpret_cast<char *>(words[1]) + words[2] * elementBytes,
                                 error);
  });
}

void *posenc_device_constant(const void *host, int64_t bytes) {
  void *memory = nullptr;
  run([&](State &state, Device &device, DeviceError &error) {
    auto found = state.constants.find({host, bytes});
    if (found == state.constants.end()) {
      void *copy;
      if (!device.allocate(bytes, /*isShared=*/false, nullptr, copy, error))
        return false;
      found = state.constants.emplace(std::make_pair(host, bytes), copy).first;
      if (!device.copy(copy, host, bytes, nullptr, error) || !device.synchronize(nullptr, error)) {
        DeviceError ignored;
        device.free(copy, /*isShared=*/false, nullptr, ignored);
        state.constants.erase(found);
        return false;
      }
    }
    memory = found->second;
    return true;
  });
  return memory;
}

void posenc_device_forget_constants() {
  State &state = getState();
  std::lock_guard<std::recursive_mutex> lock(state.mutex);
  DeviceError ignored;
  for (auto &[host, memory] : state.constants)
    state.device->free(memory, /*isShared=*/false, nullptr, ignored);
  state.constants.clear();
}

//===----------------------------------------------------------------------===//
// Streams and events
//===----------------------------------------------------------------------===//

void mgpuSetDefaultDevice(int32_t ordinal) {
  State &state = getState();
  DeviceError error;
  {
    std::lock_guard<std::recursive_mutex> lock(state.mutex);
    if (state.device)
      return; // one device for all of a process
    state.device = createCudaDevice(ordinal, error);
    if (state.device)
      return;
  }
  posenc_fail(error.text);
}

void *mgpuStreamCreate() {
  void *stream = nullptr;
  run([&](State &state, Device &device, DeviceError &error) {
    bool ok = device.createStream(stream, error);
    if (ok)
      state.streams[stream] = 1;
    return ok;
  });
  return stream;
}

void mgpuStreamDestroy(void *stream) {
  run([&](State &state, Device &device, DeviceError &error) {
    state.streams.erase(stream);
    return device.destroyStream(stream, error);
  });
}

void mgpuStreamSynchronize(void *stream) {
  run([&](State &, Device &device, DeviceError &error) {
    return device.synchronize(stream, error);
  });
}

void mgpuStreamWaitEvent(void *stream, void *event) {
  run([&](State &, Device &device, DeviceError &error) {
    return device.wait(stream, event, error);
  });
}

void *mgpuEventCreate() {
  void *event = nullptr;
  run([&](State &state, Device &device, DeviceError &error) {
    bool ok = device.createEvent(event, error);
    if (ok)
      state.events[event] = 1;
    return ok;
  });
  return event;
}

void mgpuEventDestroy(void *event) {
  run([&](State &state, Device &device, DeviceError &error) {
    state.events.erase(event);
    return device.destroyEvent(event, error);
  });
}

void mgpuEventSynchronize(void *event) {
  run([&](State &, Device &device, DeviceError &error) {
    return device.synchronizeEvent(event, error);
  });
}

void mgpuEventRecord(void *event, void *stream) {
  run([&](State &, Device &device, DeviceError &error) {
    return device.record(event, stream, error);
  });
}

float posenc_event_elapsed(void *start, void *end) {
  float milliseconds = 0;
  run([&](State &, Device &device, DeviceError &error) {
    return device.getElapsed(start, end, milliseconds, error);
  });
  return milliseconds;
}

//===----------------------------------------------------------------------===//
// What is left
//===----------------------------------------------------------------------===//

void posenc_device_live(int64_t *objects, int64_t *bytes) {
  State &state = getState();
  std::lock_guard<std::recursive_mutex> lock(state.mutex);
  *objects = state.buffers.size() + state.streams.size() + state.events.size();
  *bytes = 0;
  for (auto &[memory, buffer] : state.buffers)
    *bytes += buffer.bytes;
}

void posenc_device_release() {
  State &state = getState();
  std::lock_guard<std::recursive_mutex> lock(state.mutex);
  if (!state.device)
    return;
  // After an error the device may refuse all of it; there is nobody to tell.
  DeviceError ignored;
  for (auto &[stream, unused] : state.streams)
    state.device->synchronize(stream, ignored);
  for (auto &[memory, buffer] : state.buffers)
    state.device->free(memory, buffer.isShared, nullptr, ignored);
  for (auto &[event, unused] : state.events)
    state.device->destroyEvent(event, ignored);
  for (auto &[stream, unused] : state.streams)
    state.device->destroyStream(stream, ignored);
  state.buffers.clear();
  state.events.clear();
  state.streams.clear();
}
}
