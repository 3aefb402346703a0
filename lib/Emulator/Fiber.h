//===- Fiber.h - Threads that take turns ------------------------*- C++ -*-===//

#ifndef POSENC_LIB_EMULATOR_FIBER_H
#define POSENC_LIB_EMULATOR_FIBER_H

#include <csetjmp>
#include <cstddef>
#include <memory>
#include <ucontext.h>

namespace posenc::emulator {

/// Stacks that lie side by side, each with a page below that nobody may touch.
class Stacks {
public:
  static constexpr size_t kBytes = 256 << 10;

  explicit Stacks(size_t count);
  ~Stacks();
  Stacks(const Stacks &) = delete;

  size_t size() const { return count; }
  /// The lowest address of stack `index`.
  char *get(size_t index) const { return memory + index * kBytes; }

private:
  size_t count;
  char *memory;
};

/// A function with a stack of its own, all of whose turns are on one thread of
/// the host. Between turns it costs nothing, and it may be abandoned.
class Fiber {
public:
  /// The next turn starts `body(argument)`, which must not return.
  void start(char *stack, void (*body)(void *), void *argument);

  /// Gives the fiber a turn, until it calls suspend().
  void resume();

  /// Ends the turn; returns when the next one begins.
  void suspend();

private:
  std::jmp_buf self, caller;
  ucontext_t context;
  bool isFresh = false;
};

} // namespace posenc::emulator

#endif // POSENC_LIB_EMULATOR_FIBER_H
