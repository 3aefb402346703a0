//===- Bufferize.h - posenc operations on buffers ---------------*- C++ -*-===//

#ifndef POSENC_LOWER_BUFFERIZE_H
#define POSENC_LOWER_BUFFERIZE_H

namespace mlir {
class DialectRegistry;
}

namespace posenc {
/// Attaches BufferizableOpInterface to the posenc operations.
void registerBufferization(mlir::DialectRegistry &registry);
} // namespace posenc

#endif // POSENC_LOWER_BUFFERIZE_H
