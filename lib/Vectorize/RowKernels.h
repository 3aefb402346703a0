//===- RowKernels.h - kernels of linear, layer_norm and map -----*- C++ -*-===//
//
// Each function builds the body of a kernel: `operands` are those of the op as
// arguments of the kernel, the inputs before the destination, and `outer` maps
// what the regions use from outside.
//
//===----------------------------------------------------------------------===//

#ifndef POSENC_VECTORIZE_ROWKERNELS_H
#define POSENC_VECTORIZE_ROWKERNELS_H

#include "Vectorize/RegionLanes.h"
#include "posenc/Dialect.h"

namespace posenc {

/// How a linear layer is computed. Heights of register tiles are multiples of
/// `unit` up to `unit * tiles`; fewer rows than `unit` may remain.
struct LinearPlan {
  LinearPlan(LinearOp op, mlir::ValueRange operands, int64_t lanes);

  static constexpr int64_t panel = 16, tiles = 6, unroll = 4;
  bool vectors;        ///< else scalar loops
  bool copyRows;       ///< rows of the input go to scratch first
  int64_t unit = 1;
  int64_t inputs = 0, outputs = 0;
  int64_t pitch = 0;   ///< between rows of the scratch
  int64_t rows;        ///< that one call of the kernel takes at most
};

/// Rows [rows[0], rows[1]) and panels [panels[0], panels[1]).
void buildLinear(RowEmitter &e, LinearOp op, mlir::ValueRange operands,
                 const mlir::IRMapping &outer, mlir::ValueRange rows, mlir::ValueRange panels);
/// The same as scalar loops.
void buildLinearLoops(RowEmitter &e, LinearOp op, mlir::ValueRange operands,
                      const mlir::IRMapping &outer, mlir::ValueRange rows, mlir::ValueRange panels);

/// Rows [rows[0], rows[1]).
void buildLayerNorm(RowEmitter &e, LayerNormOp op, mlir::ValueRange operands, mlir::ValueRange rows);

/// Positions [rows[0], rows[1]) of the last dimension but one; `outer` counts
/// those before it.
void buildMap(RowEmitter &e, MapOp op, mlir::ValueRange operands, const mlir::IRMapping &outer,
              mlir::Value leading, mlir::ValueRange rows);

} // namespace posenc

#endif // POSENC_VECTORIZE_ROWKERNELS_H
