//===- Mgpu.cpp - What host code calls to use a device --------------------===//
//
// The functions that upstream's GPU lowering calls, with its signatures, over
// the device of this process. Every failure is a posenc_fail.
//
//===----------------------------------------------------------------------===//

#include "DeviceState.h"

#include <cstring>

using namespace posenc;

static void *addModule(const char *image, size_t size, bool isText, int optLevel) {
  DeviceState &state = getDeviceState();
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
  runOnDevice([&](DeviceState &, Device &device, DeviceError &error) {
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
  DeviceState &state = getDeviceState();
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
  runOnDevice([&](DeviceState &state, Device &device, DeviceError &error) {
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
  runOnDevice([&](DeviceState &state, Device &device, DeviceError &error) {
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
  runOnDevice([&](DeviceState &state, Device &device, DeviceError &error) {
    auto found = state.buffers.find(memory);
    if (found == state.buffers.end())
      return error.fail("release of %p, which is not allocated on the device", memory);
    bool isShared = found->second.isShared;
    state.buffers.erase(found);
    return device.free(memory, isShared, stream, error);
  });
}

static bool isOfDevice(const DeviceState &state, void *memory) {
  auto next = state.buffers.upper_bound(memory);
  if (next == state.buffers.begin())
    return false;
  auto &[start, buffer] = *std::prev(next);
  return static_cast<char *>(memory) < static_cast<char *>(start) + buffer.bytes;
}

void mgpuMemcpy(void *to, void *from, size_t bytes, void *stream) {
  if (bytes)
    runOnDevice([&](DeviceState &state, Device &device, DeviceError &error) {
      state.isUnread |= !isOfDevice(state, to);
      return device.copy(to, from, bytes, stream, error);
    });
}

void mgpuMemset32(void *to, unsigned value, size_t count, void *stream) {
  if (count)
    runOnDevice([&](DeviceState &, Device &device, DeviceError &error) {
      return device.fill(to, value, /*width=*/4, count, stream, error);
    });
}

void mgpuMemset16(void *to, unsigned short value, size_t count, void *stream) {
  if (count)
    runOnDevice([&](DeviceState &, Device &device, DeviceError &error) {
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
  runOnDevice([&](DeviceState &, Device &device, DeviceError &error) {
    return device.registerHost(reinterpret_cast<char *>(words[1]) + words[2] * elementBytes,
                               getBytes(rank, words, elementBytes), error);
  });
}

void mgpuMemHostUnregisterMemRef(int64_t, void *descriptor, int64_t elementBytes) {
  auto *words = static_cast<int64_t *>(descriptor);
  runOnDevice([&](DeviceState &, Device &device, DeviceError &error) {
    return device.unregisterHost(reinterpret_cast<char *>(words[1]) + words[2] * elementBytes,
                                 error);
  });
}

//===----------------------------------------------------------------------===//
// Streams and events
//===----------------------------------------------------------------------===//

void mgpuSetDefaultDevice(int32_t ordinal) {
  DeviceState &state = getDeviceState();
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
  runOnDevice([&](DeviceState &state, Device &device, DeviceError &error) {
    if ((stream = state.lent))
      return true;
    bool ok = device.createStream(stream, error);
    if (ok)
      state.streams.insert(stream);
    return ok;
  });
  return stream;
}

void mgpuStreamDestroy(void *stream) {
  runOnDevice([&](DeviceState &state, Device &device, DeviceError &error) {
    if (state.lent && stream == state.lent)
      return true;
    state.streams.erase(stream);
    return device.destroyStream(stream, error);
  });
}

void mgpuStreamSynchronize(void *stream) {
  runOnDevice([&](DeviceState &state, Device &device, DeviceError &error) {
    if (state.lent && stream == state.lent && !state.isUnread)
      return true;
    state.isUnread = false;
    return device.synchronize(stream, error);
  });
}

void mgpuStreamWaitEvent(void *stream, void *event) {
  runOnDevice([&](DeviceState &, Device &device, DeviceError &error) {
    return device.wait(stream, event, error);
  });
}

void *mgpuEventCreate() {
  void *event = nullptr;
  runOnDevice([&](DeviceState &state, Device &device, DeviceError &error) {
    bool ok = device.createEvent(event, error);
    if (ok)
      state.events.insert(event);
    return ok;
  });
  return event;
}

void mgpuEventDestroy(void *event) {
  runOnDevice([&](DeviceState &state, Device &device, DeviceError &error) {
    state.events.erase(event);
    return device.destroyEvent(event, error);
  });
}

void mgpuEventSynchronize(void *event) {
  runOnDevice([&](DeviceState &, Device &device, DeviceError &error) {
    return device.synchronizeEvent(event, error);
  });
}

void mgpuEventRecord(void *event, void *stream) {
  runOnDevice([&](DeviceState &, Device &device, DeviceError &error) {
    return device.record(event, stream, error);
  });
}
}
