//===- Registration.h - what every tool registers ---------------*- C++ -*-===//

#ifndef POSENC_REGISTRATION_H
#define POSENC_REGISTRATION_H

namespace mlir {
class DialectRegistry;
}

namespace posenc {
/// The posenc dialect, all upstream dialects, and their interfaces.
void registerAll(mlir::DialectRegistry &registry);
/// The posenc dialect and its interfaces only (for plugins).
void registerDialect(mlir::DialectRegistry &registry);
/// All upstream passes, the posenc passes and the pipelines.
void registerAllPasses();
/// The posenc passes and pipelines only (for plugins).
void registerPosencPasses();
} // namespace posenc

#endif // POSENC_REGISTRATION_H
