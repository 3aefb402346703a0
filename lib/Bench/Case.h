//===- Case.h - Something to check and to time ------------------*- C++ -*-===//

#ifndef POSENC_BENCH_CASE_H
#define POSENC_BENCH_CASE_H

#include "posenc/Jit/HostTensor.h"
#include "llvm/Support/JSON.h"

#include <functional>
#include <vector>

namespace posenc::bench {

/// A program with its inputs, and what is known about it.
struct Case {
  Case() = default;
  Case(Case &&) = default;
  Case &operator=(Case &&) = default;

  std::string name;
  /// The text of the module, and its function; empty for the only one.
  std::string program, entry;
  std::vector<HostTensor> inputs;
  /// Whether its inputs are of 16 bits, which matrix instructions multiply.
  bool isNarrow() const {
    return !inputs.empty() && isFloat(inputs[0].getKind()) && getByteWidth(inputs[0].getKind()) == 2;
  }
  /// Work of one run. A bound whose work is not known is not looked at.
  double flops = 0, bytes = 0;
  /// Of the first result; empty if `check` looks at shapes itself.
  llvm::SmallVector<int64_t> shape;
  /// How far results of this case are from what they should be.
  std::function<llvm::Expected<double>(const Case &,
                                       llvm::ArrayRef<HostTensor>)>
      check;
  /// The largest error that is right.
  double tolerance = 0;
  /// Name of the case that this one adds something to, if any.
  std::string base;
  /// The same problem in words that other libraries' workers understand; null if
  /// they do not know such problems. They get the inputs by these names.
  llvm::json::Value peerProblem = nullptr;
  std::vector<std::string> inputNames;
  /// What the program has inside, such as weights, for those workers.
  std::vector<std::pair<std::string, std::shared_ptr<HostTensor>>> constants;
};

/// The largest relative error that rounding to `kind` explains, for results of
/// sums of products: 2e-6 for f32 as in docs/numerics.md, with room for sums of
/// some thousands.
double getTolerance(ElementKind kind);

/// The error of `results`; fails if their shape is not that of `source` or if the
/// error exceeds its tolerance.
llvm::Expected<double> checkResults(const Case &source, llvm::ArrayRef<HostTensor> results);

/// Keeps the largest error, relative to the largest expected value: that of one
/// element would say nothing where cancellation leaves it near 0.
class ErrorMeter {
public:
  void add(double actual, double expected);
  double get() const;

private:
  double maxError = 0, maxExpected = 0;
};

} // namespace posenc::bench

#endif // POSENC_BENCH_CASE_H
