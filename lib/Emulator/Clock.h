//===- Clock.h - What happened before what ----------------------*- C++ -*-===//

#ifndef POSENC_LIB_EMULATOR_CLOCK_H
#define POSENC_LIB_EMULATOR_CLOCK_H

#include <algorithm>
#include <cstdint>
#include <vector>

namespace posenc::emulator {

/// A vector clock: for each thread of a block, how much of it is known to have
/// happened. Empty while races are not looked for.
class Clock {
public:
  Clock() = default;
  explicit Clock(size_t threads) : times(threads, 0) {}

  bool isEmpty() const { return times.empty(); }
  uint32_t operator[](size_t thread) const { return times[thread]; }
  void tick(size_t thread) { ++times[thread]; }

  void join(const Clock &other) {
    if (times.size() < other.times.size())
      times.resize(other.times.size(), 0);
    for (size_t i = 0; i < other.times.size(); ++i)
      times[i] = std::max(times[i], other.times[i]);
  }

private:
  std::vector<uint32_t> times;
};

} // namespace posenc::emulator

#endif // POSENC_LIB_EMULATOR_CLOCK_H
