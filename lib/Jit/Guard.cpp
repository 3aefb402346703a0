//===- Guard.cpp - Survive run-time errors of compiled code ---------------===//

#include "Guard.h"

#include "posenc/Jit/HostTensor.h"
#include "posenc/Runtime.h"

#include <csetjmp>

using namespace posenc;

namespace {
struct Frame {
  std::jmp_buf target;
  std::string message;
};
} // namespace

static thread_local Frame *currentFrame = nullptr;

static void leaveFrame(const char *message) {
  Frame *frame = currentFrame;
  if (!frame)
    return;
  frame->message = message;
  std::longjmp(frame->target, 1);
}

/// Apart from callGuarded, as no variable may change between the two returns of
/// setjmp.
static bool callInFrame(void (*function)(void **), void **slots, Frame *frame) {
  if (setjmp(frame->target) != 0)
    return false;
  function(slots);
  return true;
}

llvm::Error posenc::callGuarded(void (*function)(void **), void **slots) {
  Frame frame;
  currentFrame = &frame;
  posenc_error_handler previous = posenc_set_error_handler(leaveFrame);
  bool hasReturned = callInFrame(function, slots, &frame);
  posenc_set_error_handler(previous);
  currentFrame = nullptr;
  return hasReturned ? llvm::Error::success() : makeError(frame.message);
}
