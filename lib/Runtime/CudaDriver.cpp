//===- CudaDriver.cpp - The CUDA driver, opened at run time ---------------===//

#include "CudaDriver.h"

#include <cstdarg>
#include <cstdio>
#include <dlfcn.h>

using namespace posenc;

bool DeviceError::fail(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(text, sizeof(text), format, arguments);
  va_end(arguments);
  return false;
}

bool cuda::Driver::open(DeviceError &error) {
  // Never closed: the driver keeps threads of its own.
  void *library = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
  if (!library)
    return error.fail("no CUDA driver: %s", dlerror());
#define POSENC_CUDA_LOAD(name, symbol, parameters)                                                 \
  name = reinterpret_cast<Result(*) parameters>(dlsym(library, #symbol));
#define POSENC_CUDA_REQUIRE(name, symbol, parameters)                                              \
  POSENC_CUDA_LOAD(name, symbol, parameters)                                                       \
  if (!name)                                                                                       \
    return error.fail("the CUDA driver is too old: it has no " #symbol);
  POSENC_CUDA_FUNCTIONS(POSENC_CUDA_REQUIRE)
  POSENC_CUDA_OPTIONAL_FUNCTIONS(POSENC_CUDA_LOAD)
#undef POSENC_CUDA_REQUIRE
#undef POSENC_CUDA_LOAD
  return true;
}

bool cuda::Driver::check(Result result, const char *what, DeviceError &error) const {
  if (result == Success)
    return true;
  const char *name = nullptr, *text = nullptr;
  if (getErrorName(result, &name) != Success || !name)
    return error.fail("%s failed: CUDA error %d", what, result);
  getErrorString(result, &text);
  return error.fail("%s failed: %s (%s)", what, name, text ? text : "no description");
}
