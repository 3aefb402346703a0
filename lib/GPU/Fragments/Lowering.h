//===- Lowering.h - tiles and fragments to NVVM -----------------*- C++ -*-===//

#ifndef POSENC_GPU_FRAGMENTS_LOWERING_H
#define POSENC_GPU_FRAGMENTS_LOWERING_H

#include "posenc/Encoding.h"
#include "posenc/Fragments.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

namespace posenc::pgpu {

/// Builds what takes the place of one operation: arithmetic on i32.
class LoweringBuilder : public Emitter {
public:
  using Emitter::Emitter;

  using Emitter::add, Emitter::mul;
  Value add(Value a, int64_t b) { return b ? add(a, i32(b)) : a; }
  Value mul(Value a, int64_t b) { return b != 1 ? mul(a, i32(b)) : a; }
  Value divide(Value a, int64_t b);    ///< of a >= 0
  Value remainder(Value a, int64_t b); ///< of a >= 0
  Value exclusiveOr(Value a, Value b);
  /// The number of this thread in its warp, and in its block.
  Value lane();
  Value thread();
};

/// Where the tiles of a kernel are in its shared memory.
struct Shared {
  mlir::LLVM::GlobalOp memory;
  llvm::DenseMap<mlir::Operation *, int64_t> offsets;

  /// What is added to a row, a multiple of 8, and to a piece that is 0 or 1, an even
  /// number.
  struct Offset {
    int64_t rows = 0, pieces = 0;
  };
  /// The address of piece `at`, of 16 bytes, of a row.
  mlir::Value address(LoweringBuilder &b, mlir::Value tile, mlir::Value stage, mlir::Value row,
                      mlir::Value at, Offset constant) const;
};

// Each returns what replaces the results of the operation.
using Replacement = llvm::SmallVector<mlir::Value, 2>;
Replacement lower(LoweringBuilder &b, CopyOp op, const Shared &shared, int64_t threads);
Replacement lower(LoweringBuilder &b, PutOp op, const Shared &shared);
Replacement lower(LoweringBuilder &b, LoadOp op, const Shared &shared);
Replacement lower(LoweringBuilder &b, MmaOp op);
Replacement lower(LoweringBuilder &b, CoordinatesOp op);
Replacement lower(LoweringBuilder &b, RowReduceOp op);
Replacement lower(LoweringBuilder &b, QuadReduceOp op);
Replacement lower(LoweringBuilder &b, SpreadOp op);
Replacement lower(LoweringBuilder &b, StoreOp op);

} // namespace posenc::pgpu

#endif // POSENC_GPU_FRAGMENTS_LOWERING_H
