//===- Gemm.h - A linear layer as a case ------------------------*- C++ -*-===//

#ifndef POSENC_BENCH_GEMM_H
#define POSENC_BENCH_GEMM_H

#include "Bench/Case.h"

namespace posenc::bench {

/// `y[m, n] = gelu(sum_k x[m, k] * w[n, k] + bias[n])`.
struct Gemm {
  int64_t rows, outputs, inputs;
  ElementKind kind = ElementKind::F32;
  bool hasBias = false, hasGelu = false;
};

/// The case. The weights come from a file, as those of a model do, so that they
/// are packed when the program is loaded; the file lives as long as the case.
llvm::Expected<Case> makeGemm(const Gemm &gemm);

} // namespace posenc::bench

#endif // POSENC_BENCH_GEMM_H
