//===- VectorBits.h - which native vectors to generate for ------*- C++ -*-===//

#ifndef POSENC_VECTORIZE_VECTORBITS_H
#define POSENC_VECTORIZE_VECTORBITS_H

#include "mlir/IR/BuiltinOps.h"

namespace posenc {

/// 256 (AVX2) or 512 (AVX-512): what a pass's option asks for, else the
/// module's `posenc.vector_bits`, which a runner sets for the processor that it
/// compiles for, else the widest of the machine that we run on. Anything else
/// is an error at the module.
mlir::FailureOr<int64_t> getVectorBits(mlir::ModuleOp module, int64_t option);

} // namespace posenc

#endif // POSENC_VECTORIZE_VECTORBITS_H
