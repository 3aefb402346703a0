//===- Numbers.h - Narrow floats --------------------------------*- C++ -*-===//

#ifndef POSENC_LIB_EMULATOR_NUMBERS_H
#define POSENC_LIB_EMULATOR_NUMBERS_H

#include <cstdint>
#include <cstring>

namespace posenc::emulator {

template <typename To, typename From> To bitCast(From from) {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  std::memcpy(&to, &from, sizeof(to));
  return to;
}

/// bf16, rounded to nearest, ties to even.
class BFloat {
public:
  explicit BFloat(float value) {
    auto wide = bitCast<uint32_t>(value);
    bool isNaN = (wide & 0x7fffffff) > 0x7f800000;
    bits = isNaN ? wide >> 16 | 0x40 : (wide + 0x7fff + (wide >> 16 & 1)) >> 16;
  }
  static BFloat fromBits(uint16_t bits) {
    BFloat value(0);
    value.bits = bits;
    return value;
  }
  operator float() const { return bitCast<float>(uint32_t(bits) << 16); }
  uint16_t bits;
};

/// f16.
class Half {
public:
  explicit Half(float value) : bits(bitCast<uint16_t>(static_cast<_Float16>(value))) {}
  static Half fromBits(uint16_t bits) {
    Half value(0);
    value.bits = bits;
    return value;
  }
  operator float() const { return static_cast<float>(bitCast<_Float16>(bits)); }
  uint16_t bits;
};

template <typename T> uint16_t toBits(T value) { return value.bits; }

/// f32 with 10 bits of mantissa, rounded to nearest, ties away from zero.
inline uint32_t roundToTF32(float value) {
  auto bits = bitCast<uint32_t>(value);
  if ((bits & 0x7f800000) == 0x7f800000)
    return bits;
  return (bits + 0x1000) & 0xffffe000;
}

} // namespace posenc::emulator

#endif // POSENC_LIB_EMULATOR_NUMBERS_H
