//===- Barriers.cpp - Models of barriers, mbarriers and fences ------------===//

#include "Checker.h"
#include "Model.h"

#include <cinttypes>

using namespace posenc::emulator;

//===----------------------------------------------------------------------===//
// barrier.cta
//===----------------------------------------------------------------------===//

/// Counts one thread in. True if it completes the barrier, which then is as new,
/// and all that waited are awake.
static bool arrive(const Call &call, int id, int expected) {
  Block &block = call.block;
  Thread &thread = call.thread();
  if (id < 0 || id > 15)
    block.fail("%s: expected a barrier from 0 to 15, but got %d", call.site.getName(), id);
  if (expected % kWarpSize && expected != block.getNumThreads())
    block.fail("%s: expected whole warps at barrier %d, but got %d threads", call.site.getName(),
               id, expected);
  Barrier &barrier = block.barriers[id];
  if (barrier.arrived && barrier.expected != expected)
    block.fail("%s: barrier %d expects %d threads here and %d elsewhere", call.site.getName(), id,
               expected, barrier.expected);
  barrier.expected = expected;
  ++barrier.arrived;
  if (block.run->checker) {
    barrier.clock.join(thread.clock);
    thread.clock.tick(thread.number);
  }
  if (barrier.arrived < expected)
    return false;
  for (Thread *other : barrier.waiting) {
    if (block.run->checker)
      other->clock.join(barrier.clock);
    block.wake(*other);
  }
  if (block.run->checker)
    thread.clock.join(barrier.clock);
  barrier = Barrier();
  return true;
}

static void synchronize(const Call &call, int id, int expected) {
  // The last one to arrive is not the first to go on: the order stays the same.
  if (arrive(call, id, expected))
    return call.block.yield("its turn", 0);
  call.block.barriers[id].waiting.push_back(&call.thread());
  call.block.wait("barrier %" PRId64, id);
}

/// All threads of a warp must be at the same place in the program.
static void checkConverged(const Call &call) {
  if (call.block.run->checker)
    call.block.run->checker->enterAligned(call.block, call.site);
}

static void arriveOnly(const Call &call) {
  checkConverged(call);
  arrive(call, call.get<int>(0), call.get<int>(1));
}

static void addCtaBarriers(Models &models) {
  auto all = [](const Call &c) { return c.block.getNumThreads(); };
  for (std::string aligned : {"", ".aligned"}) {
    bool isAligned = !aligned.empty();
    models.add("barrier.cta.sync" + aligned + ".all", [=](const Call &c) {
      if (isAligned)
        checkConverged(c);
      synchronize(c, c.get<int>(0), all(c));
    });
    models.add("barrier.cta.sync" + aligned + ".count", [=](const Call &c) {
      if (isAligned)
        checkConverged(c);
      synchronize(c, c.get<int>(0), c.get<int>(1));
    });
  }
  models.add("barrier.cta.arrive.aligned.count", arriveOnly);
  models.add("barrier.cta.arrive.count", [](const Call &call) {
    arrive(call, call.get<int>(0), call.get<int>(1));
  });
  models.add("asm bar.arrive $0, $1;", arriveOnly); // of nvvm.barrier.arrive
}

//===----------------------------------------------------------------------===//
// mbarrier
//===----------------------------------------------------------------------===//

static Mbarrier &find(const Call &call) {
  auto *address = call.get<const void *>(0);
  Block &block = call.block;
  if (!block.isShared(address))
    block.fail("%s: expected an mbarrier in shared memory", call.site.getName());
  auto found = block.mbarriers.find(block.getOffset(address));
  if (found == block.mbarriers.end())
    block.fail("%s: the mbarrier at shared offset %" PRId64 " is not initialised",
               call.site.getName(), block.getOffset(address));
  return found->second;
}

static void completeIfDone(Block &block, Mbarrier &barrier) {
  if (barrier.pending > 0 || barrier.bytes != 0)
    return;
  ++barrier.phase;
  barrier.pending = barrier.expected;
  barrier.complete.join(barrier.arriving);
  for (Thread *thread : barrier.waiting) {
    if (block.run->checker)
      thread->clock.join(barrier.complete);
    block.wake(*thread);
  }
  barrier.waiting.clear();
  ++block.progress;
}

static void arrive(Block &block, Thread &thread, Mbarrier &barrier, int count, const char *name) {
  if (count > barrier.pending)
    block.fail("%s: %d arrivals at an mbarrier that expects %d more", name, count,
               barrier.pending);
  if (block.run->checker) {
    barrier.arriving.join(thread.clock);
    thread.clock.tick(thread.number);
  }
  barrier.pending -= count;
  completeIfDone(block, barrier);
}

/// Arrivals return the phase they are in; waiting takes it, or its parity.
static Model arrival(int countOperand, bool isDrop) {
  return [=](const Call &call) {
    Mbarrier &barrier = find(call);
    call.set<uint64_t>(barrier.phase);
    int count = countOperand ? call.get<int>(countOperand) : 1;
    if (isDrop)
      barrier.expected -= count;
    arrive(call.block, call.thread(), barrier, count, call.site.getName());
  };
}

static bool isDone(const Call &call, const Mbarrier &barrier, bool isParity) {
  return isParity ? (barrier.phase & 1) != (call.get<uint32_t>(1) & 1)
                  : barrier.phase != call.get<uint64_t>(1);
}

static void blockUntilDone(const Call &call, bool isParity) {
  Mbarrier &barrier = find(call);
  if (!isDone(call, barrier, isParity)) {
    barrier.waiting.push_back(&call.thread());
    call.block.wait("the mbarrier at shared offset %" PRId64,
                    call.block.getOffset(call.get<void *>(0)));
  } else if (call.block.run->checker) {
    call.thread().clock.join(barrier.complete);
  }
}

/// A try may take as long as it likes, so ours waits until it succeeds.
static Model tryWait(bool isParity) {
  return [=](const Call &call) {
    blockUntilDone(call, isParity);
    call.set<uint8_t>(1);
  };
}

static Model testWait(bool isParity) {
  return [=](const Call &call) {
    if (!isDone(call, find(call), isParity))
      call.block.yield("the mbarrier at shared offset %" PRId64,
                       call.block.getOffset(call.get<void *>(0)));
    bool done = isDone(call, find(call), isParity);
    if (done && call.block.run->checker)
      call.thread().clock.join(find(call).complete);
    call.set<uint8_t>(done);
  };
}

/// What nvvm.mbarrier.try_wait.parity becomes: a loop in assembly.
static void addWaitLoop(Models &models, llvm::StringRef space) {
  models.add(("asm { .reg .pred P1; LAB_WAIT: mbarrier.try_wait.parity" + llvm::Twine(space) +
              ".b64 P1, [$0], $1, $2; @P1 bra.uni DONE; bra.uni LAB_WAIT; DONE: }")
                 .str(),
             [](const Call &call) { blockUntilDone(call, /*isParity=*/true); });
}

static void expectBytes(const Call &call) { find(call).bytes += call.get<int>(1); }

static void addMbarriers(Models &models) {
  auto add = [&](std::string name, Model model) {
    models.add("mbarrier." + name, model);
    models.add("mbarrier." + name + ".shared", model);
  };
  add("init", [](const Call &call) {
    auto *address = call.get<char *>(0);
    int count = call.get<int>(1);
    if (!call.block.isShared(address) || call.block.getOffset(address) % 8)
      call.block.fail("%s: expected 8 aligned bytes of shared memory", call.site.getName());
    if (count < 1)
      call.block.fail("%s: expected a positive count, but got %d", call.site.getName(), count);
    Mbarrier fresh;
    fresh.expected = fresh.pending = count;
    call.block.mbarriers[call.block.getOffset(address)] = fresh;
  });
  add("inval", [](const Call &call) {
    find(call);
    call.block.mbarriers.erase(call.block.getOffset(call.get<void *>(0)));
  });
  add("arrive", arrival(0, false));
  add("arrive.drop", arrival(0, true));
  add("arrive.noComplete", arrival(1, false));
  add("arrive.drop.noComplete", arrival(1, true));
  add("test.wait", testWait(false));
  addWaitLoop(models, "");
  addWaitLoop(models, ".shared");

  // The forms with a scope of memory.
  for (std::string semantics : {"", ".relaxed"})
    for (std::string scope : {"cta", "cluster"})
      for (std::string space : {"cta", "cluster"}) {
        std::string end = semantics + ".scope." + scope + ".space." + space;
        models.add("mbarrier.arrive" + end, arrival(1, false));
        models.add("mbarrier.arrive.drop" + end, arrival(1, true));
        models.add("mbarrier.expect.tx.scope." + scope + ".space." + space, expectBytes);
        models.add("mbarrier.complete.tx.scope." + scope + ".space." + space,
                   [](const Call &call) {
                     find(call).bytes -= call.get<int>(1);
                     completeIfDone(call.block, find(call));
                   });
        models.add("mbarrier.arrive.expect.tx" + end, [](const Call &call) {
          expectBytes(call);
          arrival(0, false)(call);
        });
        for (bool isParity : {false, true}) {
          std::string parity = isParity ? ".parity" : "";
          models.add("mbarrier.test.wait" + parity + end, testWait(isParity));
          models.add("mbarrier.try.wait" + parity + end, tryWait(isParity));
          models.add("mbarrier.try.wait" + parity + ".tl" + end, tryWait(isParity));
        }
      }

  // Arrives once the thread's copies so far are done.
  for (bool isCounted : {false, true})
    for (std::string space : {"", ".shared"})
      models.add(std::string("cp.async.mbarrier.arrive") + (isCounted ? "" : ".noinc") + space,
                 [=](const Call &call) {
                   Mbarrier *barrier = &find(call);
                   Thread *thread = &call.thread();
                   Block *block = &call.block;
                   const char *name = call.site.getName();
                   if (isCounted)
                     ++barrier->pending;
                   thread->groups.push_back(std::move(thread->copies));
                   thread->copies.clear();
                   block->schedule([=] {
                     block->finishCopies(*thread, 0);
                     arrive(*block, *thread, *barrier, 1, name);
                   });
                 });
}

void posenc::emulator::addBarriers(Models &models) {
  addCtaBarriers(models);
  addMbarriers(models);
  // One thread runs at a time here, so that memory is always in order; races are
  // found by clocks, to which fences alone mean nothing.
  for (const char *name :
       {"membar.cta", "membar.gl", "membar.sys", "fence.sc.cluster",
        "fence.mbarrier_init.release.cluster",
        "fence.proxy.async", "fence.proxy.async.global", "fence.proxy.async.shared_cta",
        "fence.proxy.async.shared_cluster", "fence.proxy.alias"})
    models.add(name, [](const Call &) {});
}
