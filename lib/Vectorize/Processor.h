//===- Processor.h - the processor that kernels are made for ----*- C++ -*-===//

#ifndef POSENC_VECTORIZE_PROCESSOR_H
#define POSENC_VECTORIZE_PROCESSOR_H

#include "mlir/IR/BuiltinOps.h"

namespace posenc {

/// What schedules are chosen by. Registers and caches are the smallest of the
/// processors that have such vectors.
struct Processor {
  int64_t vectorBits; ///< 256 (AVX2) or 512 (AVX-512)
  bool bf16Pairs;     ///< has AVX512_BF16: conversions, and sums of two products
  int64_t firstLevel = 32 << 10, secondLevel = 512 << 10; ///< bytes of caches

  int64_t lanes() const { return vectorBits / 32; } ///< f32 of a vector
  int64_t registers() const { return vectorBits == 512 ? 32 : 16; }

  /// What a pass's options ask for, else what the module's `posenc.vector_bits`
  /// and `posenc.bf16_pairs` say, which a runner sets for the processor that it
  /// compiles for, else the machine that we run on.
  static mlir::FailureOr<Processor> get(mlir::ModuleOp module, int64_t vectorBits, bool bf16Pairs);
};

} // namespace posenc

#endif // POSENC_VECTORIZE_PROCESSOR_H
