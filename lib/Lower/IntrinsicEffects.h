//===- IntrinsicEffects.h - what intrinsics do to memory --------*- C++ -*-===//

#ifndef POSENC_LOWER_INTRINSICEFFECTS_H
#define POSENC_LOWER_INTRINSICEFFECTS_H

namespace mlir {
class DialectRegistry;
}

namespace posenc {
/// Lets llvm.call_intrinsic say whether it touches memory, as LLVM does: who frees
/// buffers has to know.
void registerIntrinsicEffects(mlir::DialectRegistry &registry);
} // namespace posenc

#endif // POSENC_LOWER_INTRINSICEFFECTS_H
