//===- Warp.cpp - Models of shuffles, votes and reductions of a warp ------===//

#include "Checker.h"
#include "Model.h"

#include <algorithm>

using namespace posenc::emulator;

namespace {
enum class Shuffle { Up, Down, Butterfly, Index };

/// The lane that `lane` reads from, and whether it is within bounds; the PTX ISA
/// has these formulas. `c` holds the clamp value and, above it, the bits of a
/// lane number that stay as they are.
struct Source {
  int lane;
  bool isInside;

  Source(Shuffle mode, int self, uint32_t b, uint32_t c) {
    int operand = b & 31, clamp = c & 31, segment = c >> 8 & 31;
    int last = (self & segment) | (clamp & ~segment), first = self & segment;
    switch (mode) {
    case Shuffle::Up:
      lane = self - operand;
      isInside = lane >= last;
      break;
    case Shuffle::Down:
      lane = self + operand;
      isInside = lane <= last;
      break;
    case Shuffle::Butterfly:
      lane = self ^ operand;
      isInside = lane <= last;
      break;
    case Shuffle::Index:
      lane = first | (operand & ~segment);
      isInside = lane <= last;
      break;
    }
    if (!isInside)
      lane = self;
  }
};
} // namespace

/// Operands are the mask, the value, b and c; `hasPredicate` adds a second result.
static Model shuffle(Shuffle mode, bool hasPredicate) {
  return [=](const Call &call) {
    call.meet(call.get<uint32_t>(0), [=, &call](Rendezvous &warp) {
      for (int lane = 0; lane < kWarpSize; ++lane) {
        if (!warp.has(lane))
          continue;
        Source from(mode, lane, warp.get<uint32_t>(lane, 2), warp.get<uint32_t>(lane, 3));
        auto *result = static_cast<uint32_t *>(warp.results[lane]);
        // What a lane gives that is not there is undefined.
        if (!warp.has(from.lane) && call.block.run->checker)
          call.block.fail("%s: lane %d reads from lane %d, which does not take part",
                          call.site.getName(), lane, from.lane);
        result[0] = warp.has(from.lane) ? warp.get<uint32_t>(from.lane, 1) : 0xffffffff;
        if (hasPredicate)
          reinterpret_cast<uint8_t *>(result)[4] = from.isInside;
      }
    });
  };
}

/// `combine(ballot, mask)` of the predicates, which are operand 1.
template <typename T, typename Combine> static Model vote(Combine combine) {
  return [combine](const Call &call) {
    auto mask = call.get<uint32_t>(0);
    call.meet(mask, [=](Rendezvous &warp) {
      uint32_t ballot = 0;
      for (int lane = 0; lane < kWarpSize; ++lane)
        if (warp.has(lane) && (warp.get<uint8_t>(lane, 1) & 1))
          ballot |= 1u << lane;
      for (int lane = 0; lane < kWarpSize; ++lane)
        if (warp.has(lane))
          *static_cast<T *>(warp.results[lane]) = combine(ballot, warp.arrived);
    });
  };
}

/// Operands are the value and the mask.
template <typename T, typename Combine> static Model reduce(Combine combine) {
  return [combine](const Call &call) {
    call.meet(call.get<uint32_t>(1), [combine](Rendezvous &warp) {
      bool isFirst = true;
      T total{};
      for (int lane = 0; lane < kWarpSize; ++lane)
        if (warp.has(lane)) {
          T value = warp.get<T>(lane, 0);
          total = isFirst ? value : combine(total, value);
          isFirst = false;
        }
      for (int lane = 0; lane < kWarpSize; ++lane)
        if (warp.has(lane))
          *static_cast<T *>(warp.results[lane]) = total;
    });
  };
}

/// The lanes with the same value, which is operand 1.
template <typename T> static Model match() {
  return [](const Call &call) {
    call.meet(call.get<uint32_t>(0), [](Rendezvous &warp) {
      for (int lane = 0; lane < kWarpSize; ++lane) {
        if (!warp.has(lane))
          continue;
        uint32_t same = 0;
        for (int other = 0; other < kWarpSize; ++other)
          if (warp.has(other) && warp.get<T>(other, 1) == warp.get<T>(lane, 1))
            same |= 1u << other;
        *static_cast<uint32_t *>(warp.results[lane]) = same;
      }
    });
  };
}

void posenc::emulator::addWarps(Models &models) {
  for (auto [name, mode] : {std::pair("up", Shuffle::Up), {"down", Shuffle::Down},
                            {"bfly", Shuffle::Butterfly}, {"idx", Shuffle::Index}})
    for (std::string type : {"i32", "f32"}) {
      std::string full = std::string("shfl.sync.") + name + "." + type;
      models.add(full, shuffle(mode, false));
      models.add(full + "p", shuffle(mode, true));
    }

  models.add("vote.all.sync", vote<uint8_t>([](uint32_t b, uint32_t m) { return b == m; }));
  models.add("vote.any.sync", vote<uint8_t>([](uint32_t b, uint32_t) { return b != 0; }));
  models.add("vote.uni.sync",
             vote<uint8_t>([](uint32_t b, uint32_t m) { return b == 0 || b == m; }));
  models.add("vote.ballot.sync", vote<uint32_t>([](uint32_t b, uint32_t) { return b; }));
  models.add("match.any.sync.i32", match<uint32_t>());
  models.add("match.any.sync.i64", match<uint64_t>());

  models.add("redux.sync.add", reduce<uint32_t>([](uint32_t a, uint32_t b) { return a + b; }));
  models.add("redux.sync.min", reduce<int32_t>([](int a, int b) { return std::min(a, b); }));
  models.add("redux.sync.max", reduce<int32_t>([](int a, int b) { return std::max(a, b); }));
  models.add("redux.sync.umin",
             reduce<uint32_t>([](uint32_t a, uint32_t b) { return std::min(a, b); }));
  models.add("redux.sync.umax",
             reduce<uint32_t>([](uint32_t a, uint32_t b) { return std::max(a, b); }));
  models.add("redux.sync.and", reduce<uint32_t>([](uint32_t a, uint32_t b) { return a & b; }));
  models.add("redux.sync.or", reduce<uint32_t>([](uint32_t a, uint32_t b) { return a | b; }));
  models.add("redux.sync.xor", reduce<uint32_t>([](uint32_t a, uint32_t b) { return a ^ b; }));

  // The lowest lane leads.
  models.add("elect.sync", [](const Call &call) {
    call.meet(call.get<uint32_t>(0), [](Rendezvous &warp) {
      int leader = __builtin_ctz(warp.arrived);
      for (int lane = 0; lane < kWarpSize; ++lane)
        if (warp.has(lane)) {
          auto *result = static_cast<uint32_t *>(warp.results[lane]);
          result[0] = leader;
          reinterpret_cast<uint8_t *>(result)[4] = lane == leader;
        }
    });
  });

  // Of all these, the only one that orders memory.
  models.add("bar.warp.sync", [](const Call &call) {
    call.meet(call.get<uint32_t>(0), [&call](Rendezvous &warp) {
      if (!call.block.run->checker)
        return;
      Clock all(call.block.getNumThreads());
      for (int lane = 0; lane < kWarpSize; ++lane)
        if (warp.has(lane))
          all.join(warp.threads[lane]->clock);
      for (int lane = 0; lane < kWarpSize; ++lane)
        if (warp.has(lane)) {
          warp.threads[lane]->clock.join(all);
          warp.threads[lane]->clock.tick(warp.threads[lane]->number);
        }
    });
  });
}
