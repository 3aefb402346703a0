//===- Case.cpp - Something to check and to time --------------------------===//

#include "Bench/Case.h"

#include <cmath>
#include <limits>

using namespace posenc;
using namespace posenc::bench;

double posenc::bench::getTolerance(ElementKind kind) {
  switch (kind) {
  case ElementKind::F16:
    return 2e-3;
  case ElementKind::BF16:
    return 1.5e-2;
  default:
    return 1e-5;
  }
}

void ErrorMeter::add(double actual, double expected) {
  double error = std::fabs(actual - expected);
  // Whatever is not a number is wrong.
  if (std::isnan(error))
    error = std::numeric_limits<double>::infinity();
  maxError = std::max(maxError, error);
  maxExpected = std::max(maxExpected, std::fabs(expected));
}

double ErrorMeter::get() const {
  return maxError == 0 ? 0 : maxError / maxExpected;
}
