//===- Kernels.h - kernels of a program, written out ------------*- C++ -*-===//

#ifndef POSENC_KERNELS_H
#define POSENC_KERNELS_H

namespace posenc {

/// Registers `--posenc-to-ptx` and `--posenc-to-cubin` with mlir-translate tools:
/// the kernels of a module, which goes through the pipeline posenc-nvptx before
/// unless it has. For a cubin, ptxas has to be in PATH.
void registerKernelTranslations();

} // namespace posenc

#endif // POSENC_KERNELS_H
