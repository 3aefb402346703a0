//===- Cuda.cpp - GPUs of NVIDIA ------------------------------------------===//

#include "CudaDriver.h"

#include <climits>
#include <cstdio>
#include <map>
#include <mutex>
#include <string>

using namespace posenc;
using namespace posenc::cuda;

namespace {

struct Function {
  void *handle;
  std::string name;
  uint32_t sharedBytes = 48 * 1024; // what every kernel may use
};

class CudaDevice : public Device {
public:
  Driver driver;
  int device = 0, major = 0, minor = 0;
  char name[128] = "";
  void *context = nullptr;
  /// Memory comes from the driver's pool, in the order of a stream.
  bool hasPool = false;
  std::mutex mutex;
  std::map<std::pair<void *, std::string>, Function> functions;
  /// Errors of kernels surface at a later call.
  std::string lastKernel;

  bool open(int ordinal, DeviceError &error) {
    int count = 0;
    if (!driver.open(error) || !check(driver.init(0), "cuInit", error) ||
        !check(driver.deviceCount(&count), "cuDeviceGetCount", error))
      return false;
    if (ordinal < 0 || ordinal >= count)
      return error.fail("no CUDA device %d: the driver finds %d", ordinal, count);
    if (!check(driver.deviceGet(&device, ordinal), "cuDeviceGet", error) ||
        !check(driver.deviceName(name, sizeof(name), device), "cuDeviceGetName", error) ||
        !attribute(major, ComputeMajor, error) || !attribute(minor, ComputeMinor, error) ||
        !check(driver.contextRetain(&context, device), "cuDevicePrimaryCtxRetain", error) ||
        !enter(error))
      return false;
    return openPool(error);
  }

  ~CudaDevice() override {
    if (context)
      driver.contextRelease(device);
  }

  const char *getName() const override { return name; }
  int getVersion() const override { return 10 * major + minor; }

  bool check(Result result, const char *what, DeviceError &error) const {
    return driver.check(result, what, error);
  }

  bool attribute(int &value, Attribute which, DeviceError &error) {
    return check(driver.deviceAttribute(&value, which, device), "cuDeviceGetAttribute", error);
  }

  /// Each thread has its own current context.
  bool enter(DeviceError &error) {
    static thread_local void *current = nullptr;
    if (current == context)
      return true;
    current = check(driver.contextSet(context), "cuCtxSetCurrent", error) ? context : nullptr;
    return current;
  }

  /// Keeps what is freed for the next allocation.
  bool openPool(DeviceError &error) {
    int supported = 0;
    if (!driver.allocateAsync || !driver.freeAsync || !driver.poolDefault || !driver.poolAttribute)
      return true;
    if (!attribute(supported, MemoryPools, error))
      return false;
    if (!supported)
      return true;
    void *pool;
    uint64_t all = UINT64_MAX;
    hasPool = check(driver.poolDefault(&pool, device), "cuDeviceGetDefaultMemPool", error) &&
              check(driver.poolAttribute(pool, PoolReleaseThreshold, &all),
                    "cuMemPoolSetAttribute", error);
    return hasPool;
  }

  bool loadModule(const void *image, size_t size, int optLevel, void *&module,
                  DeviceError &error) override {
    if (!enter(error))
      return false;
    char log[1024] = "";
    int options[] = {ErrorLog, ErrorLogBytes, OptimizationLevel};
    void *values[] = {log, reinterpret_cast<void *>(sizeof(log)),
                      reinterpret_cast<void *>(intptr_t(optLevel))};
    // Of the driver's levels the best is the default, and one more than LLVM has.
    unsigned count = size || optLevel >= 3 ? 2 : 3;
    Result result = driver.moduleLoad(&module, image, count, options, values);
    if (check(result, "cuModuleLoadDataEx", error))
      return true;
    std::string why = error.text;
    return error.fail("%s on %s, which is sm_%d%d%s%s", why.c_str(), name, major, minor,
                      *log ? ": " : "", log);
  }

  void unloadModule(void *module) override {
    DeviceError ignored;
    std::lock_guard<std::mutex> lock(mutex);
    for (auto it = functions.begin(); it != functions.end();)
      it = it->first.first == module ? functions.erase(it) : std::next(it);
    if (enter(ignored))
      driver.moduleUnload(module);
  }

  bool getFunction(void *module, const char *name, void *&function,
                   DeviceError &error) override {
    std::lock_guard<std::mutex> lock(mutex);
    auto key = std::make_pair(module, std::string(name));
    if (auto found = functions.find(key); found != functions.end()) {
      function = &found->second;
      return true;
    }
    void *handle;
    if (!enter(error))
      return false;
    Result result = driver.moduleFunction(&handle, module, name);
    if (result == NotFound)
      return error.fail("the module has no kernel '%s'", name);
    if (!check(result, "cuModuleGetFunction", error))
      return false;
    function = &functions.emplace(key, Function{handle, name}).first->second;
    return true;
  }

  bool launch(const KernelLaunch &l, DeviceError &error) override {
    auto *function = static_cast<Function *>(l.function);
    if (!enter(error) || !allowShared(*function, l.sharedBytes, error))
      return false;
    std::lock_guard<std::mutex> lock(mutex);
    lastKernel = function->name;
    std::string what = "launch of kernel '" + lastKernel + "'";
    bool isCluster = l.cluster.x * l.cluster.y * l.cluster.z != 1;
    if (!isCluster)
      return check(driver.launchKernel(function->handle, l.grid.x, l.grid.y, l.grid.z, l.block.x,
                                       l.block.y, l.block.z, l.sharedBytes, l.stream, l.arguments,
                                       nullptr),
                   what.c_str(), error);
    if (!driver.launchKernelEx)
      return error.fail("%s: the CUDA driver has no cuLaunchKernelEx for clusters", what.c_str());
    LaunchAttribute cluster = {4, {}, {}};
    for (auto [to, from] : {std::pair(0, l.cluster.x), {1, l.cluster.y}, {2, l.cluster.z}})
      cluster.value.extent[to] = from;
    LaunchConfig config = {{unsigned(l.grid.x), unsigned(l.grid.y), unsigned(l.grid.z)},
                           {unsigned(l.block.x), unsigned(l.block.y), unsigned(l.block.z)},
                           l.sharedBytes,
                           l.stream,
                           &cluster,
                           1};
    return check(driver.launchKernelEx(&config, function->handle, l.arguments, nullptr),
                 what.c_str(), error);
  }

  /// Kernels must ask for more than 48 KiB of shared memory.
  bool allowShared(Function &function, uint32_t bytes, DeviceError &error) {
    std::lock_guard<std::mutex> lock(mutex);
    if (bytes <= function.sharedBytes)
      return true;
    int limit = 0;
    if (!attribute(limit, MaxSharedOptIn, error))
      return false;
    if (bytes > uint32_t(limit))
      return error.fail("kernel '%s' needs %u bytes of shared memory, but %s has %d",
                        function.name.c_str(), bytes, name, limit);
    // Two blocks of what asks for so much fit a processor if its cache is small.
    constexpr int allOfIt = 100; // percent
    if (!check(driver.functionAttribute(function.handle, MaxDynamicShared, bytes),
               "cuFuncSetAttribute", error) ||
        !check(driver.functionAttribute(function.handle, PreferredShared, allOfIt),
               "cuFuncSetAttribute", error))
      return false;
    function.sharedBytes = bytes;
    return true;
  }

  bool allocate(uint64_t bytes, bool isShared, void *stream, void *&memory,
                DeviceError &error) override {
    if (!enter(error))
      return false;
    DevicePointer pointer = 0;
    bytes = bytes ? bytes : 1; // the driver refuses 0
    Result result = isShared  ? driver.allocateManaged(&pointer, bytes, AttachGlobal)
                    : hasPool ? driver.allocateAsync(&pointer, bytes, stream)
                              : driver.allocate(&pointer, bytes);
    memory = reinterpret_cast<void *>(pointer);
    if (result != OutOfMemory)
      return check(result, "allocation", error);
    size_t free = 0, total = 0;
    driver.memoryInfo(&free, &total);
    return error.fail("out of memory on %s: asked for %llu bytes where %zu of %zu are free "
                      "(CUDA_ERROR_OUT_OF_MEMORY)",
                      name, (unsigned long long)bytes, free, total);
  }

  bool free(void *memory, bool isShared, void *stream, DeviceError &error) override {
    auto pointer = reinterpret_cast<DevicePointer>(memory);
    return enter(error) && check(hasPool && !isShared ? driver.freeAsync(pointer, stream)
                                                      : driver.free(pointer),
                                 "release of memory", error);
  }

  bool copy(void *to, const void *from, size_t bytes, void *stream, DeviceError &error) override {
    // Addresses are unified: the driver knows which of the two are its own.
    return enter(error) && check(driver.copy(reinterpret_cast<DevicePointer>(to),
                                             reinterpret_cast<DevicePointer>(from), bytes, stream),
                                 "cuMemcpyAsync", error);
  }

  bool fill(void *to, uint32_t value, int width, size_t count, void *stream,
            DeviceError &error) override {
    auto pointer = reinterpret_cast<DevicePointer>(to);
    return enter(error) && check(width == 2 ? driver.fill16(pointer, value, count, stream)
                                            : driver.fill32(pointer, value, count, stream),
                                 "cuMemsetAsync", error);
  }

  bool registerHost(void *memory, size_t bytes, DeviceError &error) override {
    return enter(error) &&
           check(driver.hostRegister(memory, bytes, 0), "cuMemHostRegister", error);
  }
  bool unregisterHost(void *memory, DeviceError &error) override {
    return enter(error) && check(driver.hostUnregister(memory), "cuMemHostUnregister", error);
  }

  bool createStream(void *&stream, DeviceError &error) override {
    return enter(error) &&
           check(driver.streamCreate(&stream, StreamNonBlocking), "cuStreamCreate", error);
  }
  bool destroyStream(void *stream, DeviceError &error) override {
    return enter(error) && check(driver.streamDestroy(stream), "cuStreamDestroy", error);
  }
  bool synchronize(void *stream, DeviceError &error) override {
    if (!enter(error))
      return false;
    Result result = driver.streamSynchronize(stream);
    if (result == Success)
      return true;
    std::lock_guard<std::mutex> lock(mutex);
    std::string what = lastKernel.empty() ? "cuStreamSynchronize"
                                          : "kernel '" + lastKernel + "', or one before it,";
    return check(result, what.c_str(), error);
  }

  bool createEvent(void *&event, DeviceError &error) override {
    return enter(error) && check(driver.eventCreate(&event, 0), "cuEventCreate", error);
  }
  bool destroyEvent(void *event, DeviceError &error) override {
    return enter(error) && check(driver.eventDestroy(event), "cuEventDestroy", error);
  }
  bool record(void *event, void *stream, DeviceError &error) override {
    return enter(error) && check(driver.eventRecord(event, stream), "cuEventRecord", error);
  }
  bool synchronizeEvent(void *event, DeviceError &error) override {
    return enter(error) && check(driver.eventSynchronize(event), "cuEventSynchronize", error);
  }
  bool wait(void *stream, void *event, DeviceError &error) override {
    return enter(error) &&
           check(driver.streamWaitEvent(stream, event, 0), "cuStreamWaitEvent", error);
  }
  bool getElapsed(void *start, void *end, float &milliseconds, DeviceError &error) override {
    return enter(error) &&
           check(driver.eventElapsed(&milliseconds, start, end), "cuEventElapsedTime", error);
  }
};

} // namespace

std::unique_ptr<Device> posenc::createCudaDevice(int ordinal, DeviceError &error) {
  auto device = std::make_unique<CudaDevice>();
  if (!device->open(ordinal, error))
    return nullptr;
  return device;
}
