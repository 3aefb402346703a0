//===- Case.cpp - Something to check and to time --------------------------===//

#include "Bench/Case.h"

#include "llvm/Support/Format.h"

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

llvm::Expected<double> posenc::bench::checkResults(const Case &source,
                                                   llvm::ArrayRef<HostTensor> results) {
  if (!source.shape.empty() && results[0].getShape() != llvm::ArrayRef(source.shape))
    return makeError("wrong result, not timed: expected " +
                     formatShape(source.shape, results[0].getKind()) + " but got " +
                     formatShape(results[0].getShape(), results[0].getKind()));
  auto error = source.check(source, results);
  if (!error || *error <= source.tolerance)
    return error;
  std::string text;
  llvm::raw_string_ostream(text) << "wrong result, not timed: error "
                                 << llvm::format("%.2g exceeds %.2g", *error, source.tolerance);
  return makeError(text);
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
