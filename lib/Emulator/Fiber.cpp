//===- Fiber.cpp - Threads that take turns --------------------------------===//

// The fortified longjmp takes a jump to another stack for an error.
#undef _FORTIFY_SOURCE

#include "Fiber.h"

#include <cstdint>
#include <sys/mman.h>
#include <unistd.h>

using namespace posenc::emulator;

Stacks::Stacks(size_t count) : count(count) {
  void *mapped = mmap(nullptr, count * kBytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  memory = mapped == MAP_FAILED ? nullptr : static_cast<char *>(mapped);
  for (size_t i = 0; memory && i < count; ++i)
    mprotect(get(i), getpagesize(), PROT_NONE);
}

Stacks::~Stacks() {
  if (memory)
    munmap(memory, count * kBytes);
}

/// makecontext passes integers only.
static void enter(unsigned bodyHigh, unsigned bodyLow, unsigned argumentHigh,
                  unsigned argumentLow) {
  auto join = [](unsigned high, unsigned low) {
    return uintptr_t(uint64_t(high) << 32 | low);
  };
  reinterpret_cast<void (*)(void *)>(join(bodyHigh, bodyLow))(
      reinterpret_cast<void *>(join(argumentHigh, argumentLow)));
}

void Fiber::start(char *stack, void (*body)(void *), void *argument) {
  getcontext(&context);
  context.uc_stack.ss_sp = stack;
  context.uc_stack.ss_size = Stacks::kBytes;
  context.uc_link = nullptr;
  auto b = reinterpret_cast<uint64_t>(body), a = reinterpret_cast<uint64_t>(argument);
  makecontext(&context, reinterpret_cast<void (*)()>(enter), 4, unsigned(b >> 32), unsigned(b),
              unsigned(a >> 32), unsigned(a));
  isFresh = true;
}

// ucontext only starts a fiber: its switches are system calls, those of setjmp
// are not.
void Fiber::resume() {
  if (_setjmp(caller) != 0)
    return;
  if (!isFresh)
    _longjmp(self, 1);
  isFresh = false;
  setcontext(&context);
}

void Fiber::suspend() {
  if (_setjmp(self) == 0)
    _longjmp(caller, 1);
}
