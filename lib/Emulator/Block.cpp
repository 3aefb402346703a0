//===- Block.cpp - The threads of one block -------------------------------===//

#include "Block.h"
#include "Checker.h"
#include "Counts.h"
#include "Model.h"

#include <cinttypes>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <sys/mman.h>

using namespace posenc;
using namespace posenc::emulator;

static thread_local Block *current = nullptr;

Block &Block::getCurrent() { return *current; }

/// Shared memory at a multiple of its size below 4 GiB.
static char *mapShared() {
  for (uintptr_t at = 0x10000000; at < 0xf0000000; at += Block::kSharedBytes) {
    void *wanted = reinterpret_cast<void *>(at);
    void *mapped = mmap(wanted, Block::kSharedBytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
    if (mapped == wanted)
      return static_cast<char *>(mapped);
    if (mapped != MAP_FAILED)
      munmap(mapped, Block::kSharedBytes); // a kernel that does not know the flag
  }
  return nullptr;
}

Block::Block(size_t count) : shared(mapShared()), threads(count), stacks(count) {}

Block::~Block() {
  if (shared)
    munmap(shared, kSharedBytes);
}

bool Block::isStack(const void *address) const {
  auto *stack = stacks.get(thread->number);
  return address >= stack && address < stack + Stacks::kBytes;
}

//===----------------------------------------------------------------------===//
// Turns
//===----------------------------------------------------------------------===//

void Block::body(void *argument) {
  auto *thread = static_cast<Thread *>(argument);
  thread->block->run->kernel.entry(thread->block->run->launch.arguments);
  thread->block->exit();
}

void Block::exit() {
  finishCopies(*thread, 0);
  thread->state = Thread::Exited;
  ++progress;
  // The rest of the warp need not wait for it any longer.
  for (Rendezvous &meeting : meetings[thread->getWarp()])
    if (meeting.arrived == getRequired(meeting, thread->getWarp()))
      for (int lane = 0; lane < kWarpSize; ++lane)
        if (meeting.has(lane)) {
          wake(*meeting.threads[lane]); // it finds that it is the last
          break;
        }
  thread->fiber.suspend();
  __builtin_unreachable();
}

void Block::wait(const char *reason, int64_t number) {
  thread->state = Thread::Waiting;
  thread->reason = reason;
  thread->reasonNumber = number;
  thread->fiber.suspend();
}

void Block::wake(Thread &other) {
  other.state = Thread::Ready;
  ++progress;
}

void Block::yield(const char *reason, int64_t number) {
  thread->reason = reason;
  thread->reasonNumber = number;
  thread->fiber.suspend();
}

void Block::schedule(std::function<void()> action) {
  if (run->schedule.isEarly)
    action();
  else
    scheduled.push_back(std::move(action));
}

/// Gives each thread that is ready a turn; false if all have exited.
bool Block::runReady() {
  bool hasLive = false;
  for (size_t i = 0; i < threads.size() && !run->hasFailed; ++i) {
    thread = &threads[run->schedule.isBackward ? threads.size() - 1 - i : i];
    if (thread->state == Thread::Ready)
      thread->fiber.resume();
    hasLive |= thread->state != Thread::Exited;
  }
  return hasLive;
}

bool Block::execute(Run &launch, Extent at) {
  run = &launch;
  index = at;
  current = this;
  const Extent &size = run->launch.block;
  size_t count = size.x * size.y * size.z;
  threads.resize(count);
  meetings.assign((count + kWarpSize - 1) / kWarpSize, {});
  std::fill(std::begin(barriers), std::end(barriers), Barrier());
  mbarriers.clear();
  scheduled.clear();
  // NaN in every format: what is used without having been written is seen.
  std::memset(shared, 0xff, run->kernel.dynamicOffset + run->launch.sharedBytes);
  if (run->checker)
    run->checker->enterBlock(*this);
  for (size_t i = 0; i < count; ++i) {
    Thread &t = threads[i];
    t.block = this;
    t.number = i;
    t.index = {int64_t(i) % size.x, int64_t(i) / size.x % size.y, int64_t(i) / size.x / size.y};
    t.state = Thread::Ready;
    t.copies.clear();
    t.groups.clear();
    if (run->checker) {
      t.clock = Clock(count);
      t.clock.tick(i); // time 0 is before all
    }
    t.fiber.start(stacks.get(i), body, &t);
  }
  // A thread may poll for a while before what it polls for can happen.
  constexpr int kPatience = 100;
  int idle = 0;
  for (uint64_t before = progress; runReady() && !run->hasFailed; before = progress) {
    idle = progress == before ? idle + 1 : 0;
    bool canRun = std::any_of(threads.begin(), threads.end(),
                              [](const Thread &t) { return t.state == Thread::Ready; });
    if (canRun && idle < kPatience)
      continue;
    if (!scheduled.empty()) {
      auto action = std::move(scheduled.front());
      scheduled.pop_front();
      action();
      idle = 0;
      ++progress;
      continue;
    }
    reportDeadlock();
  }
  if (run->counts)
    run->counts->leaveBlock(*this);
  return !run->hasFailed;
}

//===----------------------------------------------------------------------===//
// Errors
//===----------------------------------------------------------------------===//

void Block::fail(const char *format, ...) {
  {
    std::lock_guard<std::mutex> lock(run->mutex);
    if (!run->hasFailed) {
      char what[1024];
      va_list arguments;
      va_start(arguments, format);
      std::vsnprintf(what, sizeof(what), format, arguments);
      va_end(arguments);
      const Extent &t = thread->index;
      run->error.fail("kernel '%s', block (%" PRId64 ", %" PRId64 ", %" PRId64
                      "), thread (%" PRId64 ", %" PRId64 ", %" PRId64 "): %s",
                      run->kernel.name.c_str(), index.x, index.y, index.z, t.x, t.y, t.z, what);
      run->hasFailed = true;
    }
  }
  thread->state = Thread::Exited;
  thread->fiber.suspend(); // for ever
  __builtin_unreachable();
}

/// One line for each group of neighbours that wait for the same.
void Block::reportDeadlock() {
  std::string text;
  auto describe = [](const Thread &t) {
    char reason[128];
    if (t.state == Thread::Exited)
      return std::string("exited");
    std::snprintf(reason, sizeof(reason), t.reason, t.reasonNumber);
    return "wait for " + std::string(reason);
  };
  for (size_t i = 0; i < threads.size();) {
    std::string what = describe(threads[i]);
    size_t end = i + 1;
    while (end < threads.size() && describe(threads[end]) == what)
      ++end;
    text += (text.empty() ? "" : "; ");
    text += end - i == 1 ? "thread " + std::to_string(i)
                         : "threads " + std::to_string(i) + " to " + std::to_string(end - 1);
    text += " " + what;
    i = end;
  }
  for (int id = 0; id < 16; ++id)
    if (barriers[id].arrived)
      text += "; at barrier " + std::to_string(id) + " " + std::to_string(barriers[id].arrived) +
              " of " + std::to_string(barriers[id].expected) + " threads have arrived";
  for (auto &[offset, barrier] : mbarriers)
    if (!barrier.waiting.empty())
      text += "; the mbarrier at shared offset " + std::to_string(offset) + " lacks " +
              std::to_string(barrier.pending) + " of " + std::to_string(barrier.expected) +
              " arrivals" +
              (barrier.bytes ? " and " + std::to_string(barrier.bytes) + " bytes" : "");
  std::lock_guard<std::mutex> lock(run->mutex);
  if (!run->hasFailed)
    run->error.fail("kernel '%s', block (%" PRId64 ", %" PRId64 ", %" PRId64 "): deadlock: %s",
                    run->kernel.name.c_str(), index.x, index.y, index.z, text.c_str());
  run->hasFailed = true;
}

//===----------------------------------------------------------------------===//
// Warps
//===----------------------------------------------------------------------===//

/// The threads in the mask that can still come.
uint32_t Block::getRequired(const Rendezvous &meeting, int warp) const {
  uint32_t live = 0;
  for (int lane = 0; lane < kWarpSize; ++lane) {
    size_t number = warp * kWarpSize + lane;
    if (number < threads.size() && threads[number].state != Thread::Exited)
      live |= 1u << lane;
  }
  return meeting.mask & live;
}

void Block::meet(const CallSite &site, uint32_t mask, void *result, const char *operands,
                 const std::function<void(Rendezvous &)> &execute) {
  int warp = thread->getWarp(), lane = thread->getLane();
  if (!(mask >> lane & 1))
    fail("%s: lane %d is not in its own mask 0x%08x", site.getName(), lane, mask);
  auto &pending = meetings[warp];
  auto find = [&] {
    return std::find_if(pending.begin(), pending.end(),
                        [&](const Rendezvous &other) { return other.mask & mask; });
  };
  auto meeting = find();
  if (meeting == pending.end())
    meeting = pending.insert(pending.end(), Rendezvous{&site, mask, 0, {}, {}, {}});
  if (meeting->mask != mask)
    fail("%s with mask 0x%08x, but others of the warp are in %s with mask 0x%08x", site.getName(),
         mask, meeting->site->getName(), meeting->mask);
  if (meeting->site != &site)
    fail("divergent warp: %s, but others of the warp are in %s%s", site.getName(),
         meeting->site->getName(),
         meeting->site->getName() == std::string(site.getName()) ? " at another place" : "");
  meeting->arrived |= 1u << lane;
  meeting->threads[lane] = thread;
  meeting->results[lane] = result;
  meeting->operands[lane] = operands;
  if (meeting->arrived != getRequired(*meeting, warp)) {
    wait(site.getReason(), 0);
    // Woken because it is done, or because the last one that was missing exited.
    meeting = find();
    if (meeting == pending.end() || !meeting->has(lane))
      return;
  }
  Rendezvous complete = *meeting;
  pending.erase(meeting);
  execute(complete);
  for (int other = 0; other < kWarpSize; ++other)
    if (complete.has(other) && complete.threads[other] != thread)
      wake(*complete.threads[other]);
}

//===----------------------------------------------------------------------===//
// Asynchronous copies
//===----------------------------------------------------------------------===//

static void perform(const Copy &copy) {
  std::memcpy(copy.to, copy.from, copy.sourceBytes);
  std::memset(copy.to + copy.sourceBytes, 0, copy.bytes - copy.sourceBytes);
}

void Block::issue(const Copy &copy) {
  thread->copies.push_back(copy);
  if (run->schedule.isEarly)
    perform(copy);
}

void Block::finishCopies(Thread &owner, size_t groups) {
  while (owner.groups.size() > groups) {
    for (const Copy &copy : owner.groups.front()) {
      if (!run->schedule.isEarly)
        perform(copy);
      if (run->checker)
        run->checker->finishCopy(owner, copy);
    }
    owner.groups.pop_front();
  }
}
