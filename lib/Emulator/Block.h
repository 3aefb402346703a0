//===- Block.h - The threads of one block -----------------------*- C++ -*-===//
//
// All threads of a block are fibers of one host thread: one runs until it has to
// wait for others, then the next. That order is one of those that a GPU may take,
// and is the same in every run.
//
//===----------------------------------------------------------------------===//

#ifndef POSENC_LIB_EMULATOR_BLOCK_H
#define POSENC_LIB_EMULATOR_BLOCK_H

#include "Clock.h"
#include "Fiber.h"
#include "Kernel.h"
#include "posenc/Device.h"

#include <deque>
#include <functional>
#include <map>
#include <string>

namespace posenc::emulator {

class Block;
class Checker;
class Counts;
struct CallSite;

constexpr int kWarpSize = 32;

/// An asynchronous copy to shared memory; bytes beyond `sourceBytes` are zeros.
struct Copy {
  char *to;
  const char *from;
  int bytes, sourceBytes;
};

struct Thread {
  enum State { Ready, Waiting, Exited };

  Block *block;
  int number; // x first
  Extent index;
  Fiber fiber;
  State state;
  /// What it waits for, as a format of one number.
  const char *reason;
  int64_t reasonNumber;
  /// Copies that are issued but not in a group, and groups not waited for.
  std::vector<Copy> copies;
  std::deque<std::vector<Copy>> groups;
  Clock clock;

  int getWarp() const { return number / kWarpSize; }
  int getLane() const { return number % kWarpSize; }
};

/// Threads of a warp on their way into one instruction; the last one to arrive
/// executes it for all.
struct Rendezvous {
  const CallSite *site;
  uint32_t mask, arrived;
  Thread *threads[kWarpSize];
  void *results[kWarpSize];
  const char *operands[kWarpSize];

  template <typename T> T get(int lane, int operand) const {
    return *reinterpret_cast<const T *>(operands[lane] + 16 * operand);
  }
  bool has(int lane) const { return arrived >> lane & 1; }
};

/// barrier.cta with one of the 16 numbers.
struct Barrier {
  int expected = 0, arrived = 0;
  std::vector<Thread *> waiting;
  Clock clock;
};

struct Mbarrier {
  int expected, pending;
  int64_t bytes = 0; // that asynchronous copies still have to write
  uint64_t phase = 0;
  std::vector<Thread *> waiting;
  Clock arriving, complete;
};

class Block {
public:
  /// Shared memory starts at a multiple of this size, and below 4 GiB: 32 bits
  /// are enough for its addresses, as on the device.
  static constexpr size_t kSharedBytes = 1 << 18;

  /// The block that this host thread emulates.
  static Block &getCurrent();

  explicit Block(size_t threads);
  ~Block();
  Block(const Block &) = delete;

  /// How many threads it has stacks for.
  size_t getCapacity() const { return stacks.size(); }
  bool isUsable() const { return shared && stacks.get(0); }

  /// Runs all threads; false, with an error in `run`, if that fails.
  bool execute(Run &run, Extent index);

  /// Ends the run because of what the current thread does.
  [[noreturn]] void fail(const char *format, ...) __attribute__((format(printf, 2, 3)));

  /// Ends the turn of the current thread until someone wakes it. `reason` is
  /// what the report of a deadlock says, a format of `number`.
  void wait(const char *reason, int64_t number);
  void wake(Thread &thread);
  /// Lets the others go on; false if nothing has happened since for long.
  void yield(const char *reason, int64_t number);
  [[noreturn]] void exit();

  /// Runs `execute` once all of the warp's threads in `mask` are in it.
  void meet(const CallSite &site, uint32_t mask, void *result, const char *operands,
            const std::function<void(Rendezvous &)> &execute);

  /// Starts a copy that finishCopies ends.
  void issue(const Copy &copy);
  /// Makes the pending copies of a thread happen, the oldest group first, until
  /// `groups` groups are left.
  void finishCopies(Thread &thread, size_t groups);
  /// Happens when no thread can go on without it, or at once.
  void schedule(std::function<void()> action);

  bool isShared(const void *address) const {
    return size_t(static_cast<const char *>(address) - shared) < kSharedBytes;
  }
  bool isStack(const void *address) const;
  int64_t getOffset(const void *address) const {
    return static_cast<const char *>(address) - shared;
  }
  int getNumThreads() const { return threads.size(); }

  Run *run = nullptr;
  Extent index;
  Thread *thread = nullptr; // whose turn it is
  char *shared = nullptr;
  std::vector<Thread> threads;
  Barrier barriers[16];
  std::map<int64_t, Mbarrier> mbarriers; // by offset
  std::vector<std::vector<Rendezvous>> meetings; // by warp
  uint64_t progress = 0;

private:
  static void body(void *thread);
  bool runReady();
  void reportDeadlock();
  uint32_t getRequired(const Rendezvous &meeting, int warp) const;

  Stacks stacks;
  std::deque<std::function<void()>> scheduled;
};

} // namespace posenc::emulator

#endif // POSENC_LIB_EMULATOR_BLOCK_H
