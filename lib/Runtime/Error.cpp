//===- Error.cpp - Run-time errors of compiled code -----------------------===//

#include "Arena.h"
#include "posenc/Runtime.h"

#include <atomic>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <omp.h>

static std::atomic<posenc_error_handler> errorHandler{nullptr};

posenc_error_handler posenc_set_error_handler(posenc_error_handler handler) {
  return errorHandler.exchange(handler);
}

void posenc_fail(const char *message) {
  // Even a region that got a single thread has state in libomp that a longjmp
  // would leave behind, hence the level and not omp_in_parallel().
  if (omp_get_level() == 0)
    if (posenc_error_handler handler = errorHandler.load()) {
      posenc::releaseAll();
      handler(message);
    }
  std::fprintf(stderr, "error: %s\n", message);
  std::fflush(nullptr);
  // Exit handlers of a process whose other threads are still inside a parallel
  // region may wait for those threads for ever.
  std::_Exit(1);
}

void posenc_fail_index(const char *what, int64_t value, int64_t limit) {
  char message[256];
  std::snprintf(message, sizeof(message),
                "%s %" PRId64 " is out of range [0, %" PRId64 ")", what, value,
                limit);
  posenc_fail(message);
}
