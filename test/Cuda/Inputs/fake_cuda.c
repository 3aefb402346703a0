/* A CUDA driver without a GPU: memory is the host's, kernels do nothing. Calls go
   to the file FAKE_CUDA_LOG, code that is loaded to FAKE_CUDA_PTX.
   FAKE_CUDA_FAIL=<function>:<error>:<n> makes the n-th call of a function fail;
   FAKE_CUDA_DEVICES is the number of devices, FAKE_CUDA_MAJOR and FAKE_CUDA_MINOR
   are their capability, FAKE_CUDA_MS is the time between any two events. */

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef int Result;

static void note(const char *text) {
  const char *path = getenv("FAKE_CUDA_LOG");
  FILE *file = path ? fopen(path, "a") : NULL;
  if (!file)
    return;
  fprintf(file, "%s\n", text);
  fclose(file);
}

/* Logs a call; returns the error that it must fail with. */
static Result begin(const char *name, const char *detail) {
  char line[512];
  snprintf(line, sizeof(line), "%s %s", name, detail);
  note(line);
  const char *wish = getenv("FAKE_CUDA_FAIL");
  static int calls = 0;
  char function[64];
  int error, number;
  if (!wish || sscanf(wish, "%63[^:]:%d:%d", function, &error, &number) != 3 ||
      strcmp(function, name) || ++calls != number)
    return 0;
  return error;
}

#define BEGIN(...)                                                             \
  do {                                                                         \
    char detail[256];                                                          \
    snprintf(detail, sizeof(detail), __VA_ARGS__);                             \
    Result error = begin(__func__, detail);                                    \
    if (error)                                                                 \
      return error;                                                            \
  } while (0)

/* Small numbers instead of addresses; -1 for what comes after many others. */
static void *objects[256];
static int numObjects;
static int number(void *object) {
  for (int i = 0; i < numObjects; ++i)
    if (objects[i] == object)
      return i;
  if (numObjects == sizeof(objects) / sizeof(*objects))
    return -1;
  objects[numObjects] = object;
  return numObjects++;
}

Result cuGetErrorName(Result error, const char **name) {
  *name = error == 2     ? "CUDA_ERROR_OUT_OF_MEMORY"
          : error == 100 ? "CUDA_ERROR_NO_DEVICE"
          : error == 209 ? "CUDA_ERROR_NO_BINARY_FOR_GPU"
          : error == 500 ? "CUDA_ERROR_NOT_FOUND"
          : error == 700 ? "CUDA_ERROR_ILLEGAL_ADDRESS"
                         : NULL;
  return *name ? 0 : 1;
}
Result cuGetErrorString(Result error, const char **text) {
  *text = "as the test asked";
  return 0;
}
Result cuInit(unsigned flags) {
  BEGIN("");
  return 0;
}
Result cuDeviceGetCount(int *count) {
  const char *devices = getenv("FAKE_CUDA_DEVICES");
  *count = devices ? atoi(devices) : 1;
  return 0;
}
Result cuDeviceGet(int *device, int ordinal) {
  *device = ordinal;
  return 0;
}
Result cuDeviceGetName(char *name, int size, int device) {
  snprintf(name, size, "Fake GPU");
  return 0;
}
Result cuDeviceGetAttribute(int *value, int attribute, int device) {
  const char *major = getenv("FAKE_CUDA_MAJOR"), *minor = getenv("FAKE_CUDA_MINOR");
  *value = attribute == 75   ? (major ? atoi(major) : 8)
           : attribute == 76 ? (minor ? atoi(minor) : 6)
           : attribute == 97 ? 101376
                             : 1;
  return 0;
}
Result cuDevicePrimaryCtxRetain(void **context, int device) {
  *context = &numObjects;
  return 0;
}
Result cuDevicePrimaryCtxRelease_v2(int device) { return 0; }
Result cuCtxSetCurrent(void *context) { return 0; }
Result cuModuleLoadDataEx(void **module, const void *image, unsigned count,
                          int *options, void **values) {
  const char *target = strstr(image, ".target");
  char level[32] = "";
  for (unsigned i = 0; i < count; ++i)
    if (options[i] == 5)
      strcpy(values[i], "the log of the compiler");
    else if (options[i] == 7)
      snprintf(level, sizeof(level), " level %d", (int)(intptr_t)values[i]);
  target = target ? target : "an object";
  BEGIN("%.*s%s", (int)strcspn(target, ",\n"), target, level);
  const char *path = getenv("FAKE_CUDA_PTX");
  FILE *file = path && *target == '.' ? fopen(path, "a") : NULL;
  if (file) {
    fputs(image, file);
    fclose(file);
  }
  *module = malloc(1);
  return 0;
}
Result cuModuleUnload(void *module) {
  BEGIN("");
  return 0;
}
Result cuModuleGetFunction(void **function, void *module, const char *name) {
  BEGIN("%s", name);
  *function = malloc(1);
  return 0;
}
Result cuFuncSetAttribute(void *function, int attribute, int value) {
  BEGIN("%d = %d", attribute, value);
  return 0;
}
Result cuLaunchKernel(void *function, unsigned gx, unsigned gy, unsigned gz,
                      unsigned bx, unsigned by, unsigned bz, unsigned shared,
                      void *stream, void **arguments, void **extra) {
  BEGIN("grid %u %u %u block %u %u %u shared %u stream %d arguments %d %d", gx,
        gy, gz, bx, by, bz, shared, number(stream), number(*(void **)arguments[0]),
        number(*(void **)arguments[1]));
  return 0;
}
Result cuMemGetInfo_v2(size_t *free, size_t *total) {
  *free = 1000;
  *total = 4000;
  return 0;
}
static Result allocate(uint64_t *pointer, size_t bytes, const char *name) {
  char detail[64];
  void *memory = calloc(bytes, 1);
  snprintf(detail, sizeof(detail), "%zu bytes", bytes);
  Result error = begin(name, detail);
  if (error)
    return error;
  *pointer = (uint64_t)memory;
  snprintf(detail, sizeof(detail), "  is %d", number(memory));
  note(detail);
  return 0;
}
Result cuMemAlloc_v2(uint64_t *pointer, size_t bytes) {
  return allocate(pointer, bytes, __func__);
}
Result cuMemAllocManaged(uint64_t *pointer, size_t bytes, unsigned flags) {
  return allocate(pointer, bytes, __func__);
}
Result cuMemFree_v2(uint64_t pointer) {
  BEGIN("%d", number((void *)pointer));
  return 0;
}
Result cuMemcpyAsync(uint64_t to, uint64_t from, size_t bytes, void *stream) {
  BEGIN("%zu bytes", bytes);
  memcpy((void *)to, (void *)from, bytes);
  return 0;
}
Result cuMemsetD16Async(uint64_t to, unsigned short value, size_t count, void *stream) {
  BEGIN("%zu", count);
  return 0;
}
Result cuMemsetD32Async(uint64_t to, unsigned value, size_t count, void *stream) {
  BEGIN("%zu", count);
  return 0;
}
Result cuMemHostRegister_v2(void *memory, size_t bytes, unsigned flags) {
  BEGIN("%zu bytes", bytes);
  return 0;
}
Result cuMemHostUnregister(void *memory) {
  BEGIN("");
  return 0;
}
Result cuStreamCreate(void **stream, unsigned flags) {
  *stream = malloc(1);
  BEGIN("%d", number(*stream));
  return 0;
}
Result cuStreamDestroy_v2(void *stream) {
  BEGIN("%d", number(stream));
  return 0;
}
Result cuStreamSynchronize(void *stream) {
  BEGIN("%d", number(stream));
  return 0;
}
Result cuStreamWaitEvent(void *stream, void *event, unsigned flags) {
  BEGIN("%d %d", number(stream), number(event));
  return 0;
}
Result cuEventCreate(void **event, unsigned flags) {
  *event = malloc(1);
  BEGIN("%d", number(*event));
  return 0;
}
Result cuEventDestroy_v2(void *event) {
  BEGIN("%d", number(event));
  return 0;
}
Result cuEventRecord(void *event, void *stream) {
  BEGIN("%d %d", number(event), number(stream));
  return 0;
}
Result cuEventSynchronize(void *event) {
  BEGIN("%d", number(event));
  return 0;
}
#ifndef OLD
Result cuEventElapsedTime(float *milliseconds, void *start, void *end) {
  BEGIN("%d %d", number(start), number(end));
  const char *wish = getenv("FAKE_CUDA_MS");
  *milliseconds = wish ? atof(wish) : 1.5;
  return 0;
}
#endif
#ifdef POOL
Result cuDeviceGetDefaultMemPool(void **pool, int device) {
  *pool = &numObjects;
  return 0;
}
Result cuMemPoolSetAttribute(void *pool, int attribute, void *value) {
  BEGIN("%d = %llu", attribute, *(unsigned long long *)value);
  return 0;
}
Result cuMemAllocAsync(uint64_t *pointer, size_t bytes, void *stream) {
  return allocate(pointer, bytes, __func__);
}
Result cuMemFreeAsync(uint64_t pointer, void *stream) {
  BEGIN("%d", number((void *)pointer));
  return 0;
}
#endif
