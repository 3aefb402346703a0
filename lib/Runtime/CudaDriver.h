//===- CudaDriver.h - The CUDA driver, opened at run time -------*- C++ -*-===//
//
// Declares what we use of libcuda.so.1, whose interface is stable, so that no
// part of CUDA is needed to build or to start a program.
//
//===----------------------------------------------------------------------===//

#ifndef POSENC_LIB_RUNTIME_CUDADRIVER_H
#define POSENC_LIB_RUNTIME_CUDADRIVER_H

#include "posenc/Device.h"

namespace posenc::cuda {

using Result = int;
using DevicePointer = uint64_t;
enum : Result { Success = 0, OutOfMemory = 2, NotFound = 500 };
enum JitOption { ErrorLog = 5, ErrorLogBytes = 6, OptimizationLevel = 7 };
enum Attribute { ComputeMajor = 75, ComputeMinor = 76, MaxSharedOptIn = 97, MemoryPools = 115 };
enum { StreamNonBlocking = 1, PoolReleaseThreshold = 4, AttachGlobal = 1 };
enum FunctionAttribute { MaxDynamicShared = 8, PreferredShared = 9 };

/// A launch attribute of cuLaunchKernelEx; 4 is the size of clusters.
struct LaunchAttribute {
  int id;
  char padding[4];
  union {
    unsigned extent[3];
    char bytes[64];
  } value;
};
struct LaunchConfig {
  unsigned grid[3], block[3], sharedBytes;
  void *stream;
  LaunchAttribute *attributes;
  unsigned numAttributes;
};

/// Each function: our name, the symbol, the parameters.
#define POSENC_CUDA_FUNCTIONS(F)                                                                   \
  F(getErrorName, cuGetErrorName, (Result, const char **))                                         \
  F(getErrorString, cuGetErrorString, (Result, const char **))                                     \
  F(init, cuInit, (unsigned))                                                                      \
  F(deviceCount, cuDeviceGetCount, (int *))                                                        \
  F(deviceGet, cuDeviceGet, (int *, int))                                                          \
  F(deviceName, cuDeviceGetName, (char *, int, int))                                               \
  F(deviceAttribute, cuDeviceGetAttribute, (int *, int, int))                                      \
  F(contextRetain, cuDevicePrimaryCtxRetain, (void **, int))                                       \
  F(contextRelease, cuDevicePrimaryCtxRelease_v2, (int))                                           \
  F(contextSet, cuCtxSetCurrent, (void *))                                                         \
  F(moduleLoad, cuModuleLoadDataEx, (void **, const void *, unsigned, int *, void **))             \
  F(moduleUnload, cuModuleUnload, (void *))                                                        \
  F(moduleFunction, cuModuleGetFunction, (void **, void *, const char *))                          \
  F(functionAttribute, cuFuncSetAttribute, (void *, int, int))                                     \
  F(launchKernel, cuLaunchKernel,                                                                  \
    (void *, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, void *,         \
     void **, void **))                                                                            \
  F(memoryInfo, cuMemGetInfo_v2, (size_t *, size_t *))                                             \
  F(allocate, cuMemAlloc_v2, (DevicePointer *, size_t))                                            \
  F(free, cuMemFree_v2, (DevicePointer))                                                           \
  F(allocateManaged, cuMemAllocManaged, (DevicePointer *, size_t, unsigned))                       \
  F(copy, cuMemcpyAsync, (DevicePointer, DevicePointer, size_t, void *))                           \
  F(fill16, cuMemsetD16Async, (DevicePointer, unsigned short, size_t, void *))                     \
  F(fill32, cuMemsetD32Async, (DevicePointer, unsigned, size_t, void *))                           \
  F(hostRegister, cuMemHostRegister_v2, (void *, size_t, unsigned))                                \
  F(hostUnregister, cuMemHostUnregister, (void *))                                                 \
  F(streamCreate, cuStreamCreate, (void **, unsigned))                                             \
  F(streamDestroy, cuStreamDestroy_v2, (void *))                                                   \
  F(streamSynchronize, cuStreamSynchronize, (void *))                                              \
  F(streamWaitEvent, cuStreamWaitEvent, (void *, void *, unsigned))                                \
  F(eventCreate, cuEventCreate, (void **, unsigned))                                               \
  F(eventDestroy, cuEventDestroy_v2, (void *))                                                     \
  F(eventRecord, cuEventRecord, (void *, void *))                                                  \
  F(eventSynchronize, cuEventSynchronize, (void *))                                                \
  F(eventElapsed, cuEventElapsedTime, (float *, void *, void *))

/// Those that older drivers lack; null there.
#define POSENC_CUDA_OPTIONAL_FUNCTIONS(F)                                                          \
  F(launchKernelEx, cuLaunchKernelEx, (const LaunchConfig *, void *, void **, void **))            \
  F(poolDefault, cuDeviceGetDefaultMemPool, (void **, int))                                        \
  F(poolAttribute, cuMemPoolSetAttribute, (void *, int, void *))                                   \
  F(allocateAsync, cuMemAllocAsync, (DevicePointer *, size_t, void *))                             \
  F(freeAsync, cuMemFreeAsync, (DevicePointer, void *))

struct Driver {
#define POSENC_CUDA_MEMBER(name, symbol, parameters) Result(*name) parameters = nullptr;
  POSENC_CUDA_FUNCTIONS(POSENC_CUDA_MEMBER)
  POSENC_CUDA_OPTIONAL_FUNCTIONS(POSENC_CUDA_MEMBER)
#undef POSENC_CUDA_MEMBER

  /// Opens the library; false if it is absent or lacks a function.
  bool open(DeviceError &error);

  /// Whether `result` is success; otherwise sets `error` to `what`, the name of
  /// the driver's error and its description.
  bool check(Result result, const char *what, DeviceError &error) const;
};

} // namespace posenc::cuda

#endif // POSENC_LIB_RUNTIME_CUDADRIVER_H
