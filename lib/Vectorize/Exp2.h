//===- Exp2.h - powers of two on vectors ------------------------*- C++ -*-===//

#ifndef POSENC_VECTORIZE_EXP2_H
#define POSENC_VECTORIZE_EXP2_H

#include "Vectorize/KernelBuilder.h"

namespace posenc {

/// 2^x for x <= 0 on a native vector, relative error about 2e-7. What lies
/// below -126 counts as -126; a NaN stays one.
mlir::Value buildExp2(KernelBuilder &b, mlir::Value x);

} // namespace posenc

#endif // POSENC_VECTORIZE_EXP2_H
