//===- Rotation.h - what rotated channels are made of -----------*- C++ -*-===//

#ifndef POSENC_RAISE_ROTATION_H
#define POSENC_RAISE_ROTATION_H

#include "Raise/Raise.h"

namespace posenc::raise {

/// coefficient * x, or coefficient * x * cos or sin of an angle.
struct Summand {
  double coefficient;
  std::optional<Term> x; // null = 1
  Operation *function = nullptr;
  std::optional<Term> angle;
};

/// A channel of the result: a copy, or a rotation with a partner.
struct Channel {
  double cosine = 0.0, sine = 0.0;
  int64_t partner = -1; // -1 = a copy
  double frequency = 0.0;
};

/// Which pairs turn, and how fast.
struct Rotation {
  Pairing pairing;
  int64_t offset, width;
  double base, amplitude;
};

/// `t` as a sum. Fails on what is none of these.
LogicalResult addSummands(Reader &reader, const Term &t, double factor,
                          SmallVectorImpl<Summand> &summands);
/// What the channels have in common. Fails with a reason.
std::optional<Rotation> rotationOf(ArrayRef<Channel> channels, std::string &reason);

} // namespace posenc::raise

#endif // POSENC_RAISE_ROTATION_H
