//===- LaunchEffects.h - what a launch may do to memory ---------*- C++ -*-===//

#ifndef POSENC_GPU_LAUNCHEFFECTS_H
#define POSENC_GPU_LAUNCHEFFECTS_H

namespace mlir {
class DialectRegistry;
}

namespace posenc {
/// Lets gpu.launch_func say that it reads and writes its operands, and allocates
/// nothing: who frees buffers has to know.
void registerLaunchEffects(mlir::DialectRegistry &registry);
} // namespace posenc

#endif // POSENC_GPU_LAUNCHEFFECTS_H
