//===- Chip.h - the GPUs that kernels are written for -----------*- C++ -*-===//

#ifndef POSENC_GPU_CHIP_H
#define POSENC_GPU_CHIP_H

#include "mlir/IR/Operation.h"

#include <optional>

namespace posenc {

struct Chip {
  llvm::StringLiteral name;
  /// The version of PTX, times ten, that first knows it.
  int ptx;
  /// What a block may have of shared memory, in bytes; a kernel that declares more
  /// than `kStaticShared` has to ask for it when it is launched.
  int64_t sharedBytes;
  /// How many processors the largest GPU of its kind in data centres has. A kernel that
  /// may choose cuts its work into as many blocks of threads as fit them, if there is enough.
  int64_t processors;

  /// The number in the name.
  int version() const;
  std::string features() const { return "+ptx" + std::to_string(ptx); }
};

constexpr int64_t kStaticShared = 48 << 10;

/// The chip called `name`; an error at `op` that lists all if there is none.
std::optional<Chip> getChip(mlir::Operation *op, llvm::StringRef name);

} // namespace posenc

#endif // POSENC_GPU_CHIP_H
