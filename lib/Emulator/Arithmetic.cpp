//===- Arithmetic.cpp - Models of arithmetic ------------------------------===//
//
// Approximations are computed in f32, which is at least as exact as what a device
// does; .ftz flushes denormal operands and results to zero.
//
//===----------------------------------------------------------------------===//

#include "Model.h"
#include "Numbers.h"

#include <cmath>

using namespace posenc::emulator;

static float flush(float x) {
  return std::fpclassify(x) == FP_SUBNORMAL ? std::copysign(0.0f, x) : x;
}

/// A function of floats, also with .ftz.
template <typename Function>
static void addFloat(Models &models, llvm::StringRef stem, llvm::StringRef end,
                     Function function) {
  auto unary = [&](std::string name, bool isFlushed) {
    models.add(name, [=](const Call &call) {
      float x = call.get<float>(0);
      float y = function(isFlushed ? flush(x) : x);
      call.set(isFlushed ? flush(y) : y);
    });
  };
  unary((llvm::Twine(stem) + end).str(), false);
  unary((llvm::Twine(stem) + ".ftz" + end).str(), true);
}

/// A function of two floats, also with .ftz.
template <typename Function>
static void addFloats(Models &models, llvm::StringRef stem, Function function) {
  for (bool isFlushed : {false, true})
    models.add((llvm::Twine(stem) + (isFlushed ? ".ftz.f" : ".f")).str(), [=](const Call &call) {
      float x = call.get<float>(0), y = call.get<float>(1);
      float z = isFlushed ? flush(function(flush(x), flush(y))) : function(x, y);
      call.set(z);
    });
}

static float maximum(float x, float y) { return x != x || y != y ? NAN : std::fmax(x, y); }
static float minimum(float x, float y) { return x != x || y != y ? NAN : std::fmin(x, y); }

/// Two floats to a pair of narrow ones: the first becomes the upper half.
template <typename T> static void addPair(Models &models, const char *name, bool isRelu) {
  models.add(name, [isRelu](const Call &call) {
    auto narrow = [&](int operand) {
      float x = call.get<float>(operand);
      return uint32_t(toBits(T(isRelu && !(x > 0) ? (x != x ? x : 0.0f) : x)));
    };
    call.set<uint32_t>(narrow(0) << 16 | narrow(1));
  });
}

void posenc::emulator::addArithmetic(Models &models) {
  for (auto [stem, end] : {std::pair("ex2.approx", ".f"), {"ex2.approx", ".f32"},
                           {"ex2.approx", ""}})
    addFloat(models, stem, end, [](float x) { return std::exp2(x); });
  addFloat(models, "lg2.approx", ".f", [](float x) { return std::log2(x); });
  addFloat(models, "sin.approx", ".f", [](float x) { return std::sin(x); });
  addFloat(models, "cos.approx", ".f", [](float x) { return std::cos(x); });
  addFloat(models, "tanh.approx", ".f", [](float x) { return std::tanh(x); });
  addFloat(models, "tanh.approx", ".f32", [](float x) { return std::tanh(x); });
  addFloat(models, "sqrt.approx", ".f", [](float x) { return std::sqrt(x); });
  addFloat(models, "sqrt.rn", ".f", [](float x) { return std::sqrt(x); });
  addFloat(models, "sqrt", ".f", [](float x) { return std::sqrt(x); });
  addFloat(models, "rsqrt.approx", ".f", [](float x) { return 1.0f / std::sqrt(x); });
  addFloat(models, "rcp.approx", ".f", [](float x) { return 1.0f / x; });
  addFloat(models, "rcp.rn", ".f", [](float x) { return 1.0f / x; });
  addFloat(models, "fabs", ".f", [](float x) { return std::fabs(x); });
  addFloat(models, "fabs", ".f32", [](float x) { return std::fabs(x); });
  addFloat(models, "floor", ".f", [](float x) { return std::floor(x); });
  addFloat(models, "ceil", ".f", [](float x) { return std::ceil(x); });
  addFloat(models, "trunc", ".f", [](float x) { return std::trunc(x); });
  addFloat(models, "round", ".f", [](float x) { return std::nearbyint(x); });

  addFloats(models, "fmax", [](float x, float y) { return std::fmax(x, y); });
  addFloats(models, "fmin", [](float x, float y) { return std::fmin(x, y); });
  for (bool isFlushed : {false, true}) {
    std::string ftz = isFlushed ? ".ftz" : "";
    models.add("fmax" + ftz + ".nan.f",
               [](const Call &c) { c.set(maximum(c.get<float>(0), c.get<float>(1))); });
    models.add("fmin" + ftz + ".nan.f",
               [](const Call &c) { c.set(minimum(c.get<float>(0), c.get<float>(1))); });
    models.add("fma.rn" + ftz + ".f", [](const Call &c) {
      c.set(std::fma(c.get<float>(0), c.get<float>(1), c.get<float>(2)));
    });
  }
  addFloats(models, "div.approx", [](float x, float y) { return x / y; });
  addFloats(models, "div.full", [](float x, float y) { return x / y; });
  addFloats(models, "div.rn", [](float x, float y) { return x / y; });
  addFloats(models, "mul.rn", [](float x, float y) { return x * y; });
  addFloats(models, "add.rn", [](float x, float y) { return x + y; });

  addPair<BFloat>(models, "ff2bf16x2.rn", false);
  addPair<BFloat>(models, "ff2bf16x2.rn.relu", true);
  addPair<Half>(models, "ff2f16x2.rn", false);
  addPair<Half>(models, "ff2f16x2.rn.relu", true);
  models.add("f2bf16.rn",
             [](const Call &c) { c.set<uint16_t>(toBits(BFloat(c.get<float>(0)))); });
  for (const char *name : {"f2tf32.rna", "f2tf32.rn"})
    models.add(name, [](const Call &c) { c.set<uint32_t>(roundToTF32(c.get<float>(0))); });

  models.add("prmt", [](const Call &c) {
    uint64_t bytes = uint64_t(c.get<uint32_t>(1)) << 32 | c.get<uint32_t>(0);
    uint32_t selector = c.get<uint32_t>(2), value = 0;
    for (int i = 0; i < 4; ++i) {
      unsigned select = selector >> 4 * i & 0xf;
      uint8_t byte = bytes >> 8 * (select & 7);
      if (select & 8) // replicates the sign
        byte = byte & 0x80 ? 0xff : 0;
      value |= uint32_t(byte) << 8 * i;
    }
    c.set(value);
  });
}
