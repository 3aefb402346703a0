//===- Kernels.h - what a kernel's function computes ------------*- C++ -*-===//
//
// Each function builds the body of a kernel: `operands` are those of the op as
// arguments of the kernel, the inputs before the destination, and `outer` maps
// what the regions use from outside. They fail, with an error, on regions that
// cannot be vectorised.
//
//===----------------------------------------------------------------------===//

#ifndef POSENC_VECTORIZE_KERNELS_H
#define POSENC_VECTORIZE_KERNELS_H

#include "Vectorize/RegionVectorizer.h"
#include "posenc/Dialect.h"

namespace posenc {

/// How attention is computed: sizes of the register tile and of the blocks
/// around it. The accumulators of `rows * width` fill the register file but for
/// the operands.
struct AttentionPlan {
  AttentionPlan(AttentionOp op, int64_t lanes);

  int64_t width;      ///< queries of a panel, two native vectors
  int64_t rows;       ///< keys, or channels of the result, of a register tile
  int64_t panels;     ///< panels that share a block of keys
  int64_t keys = 192; ///< keys of a block, a multiple of `rows`
  int64_t queries() const { return width * panels; }
};

/// One block of queries: `at` is its batch, head and first row.
mlir::LogicalResult buildAttention(KernelBuilder &b, AttentionOp op, mlir::ValueRange operands,
                                   const mlir::IRMapping &outer, mlir::ValueRange at);

/// How a linear layer is computed. Register tiles are one panel wide and up to
/// `height` rows high.
struct LinearPlan {
  LinearPlan(LinearOp op, mlir::ValueRange operands, int64_t lanes);

  /// How many outputs a panel of a packed weight should have.
  static int64_t choosePanel(int64_t outputs, int64_t lanes);

  bool vectors;        ///< else scalar loops
  bool copyRows;       ///< rows of the input go to scratch first
  int64_t panel, height;
  int64_t inputs = 0, outputs = 0;
  int64_t pitch = 0;   ///< between rows of the scratch
  int64_t rows;        ///< that one call of the kernel takes at most
};

/// Rows [rows[0], rows[1]) and panels [panels[0], panels[1]).
mlir::LogicalResult buildLinear(KernelBuilder &b, LinearOp op, mlir::ValueRange operands,
                                const mlir::IRMapping &outer, mlir::ValueRange rows,
                                mlir::ValueRange panels);
/// The same as scalar loops.
mlir::LogicalResult buildLinearLoops(KernelBuilder &b, LinearOp op, mlir::ValueRange operands,
                                     const mlir::IRMapping &outer, mlir::ValueRange rows,
                                     mlir::ValueRange panels);

/// Rows [rows[0], rows[1]).
void buildLayerNorm(KernelBuilder &b, LayerNormOp op, mlir::ValueRange operands,
                    mlir::ValueRange rows);

/// Positions [rows[0], rows[1]) of the last dimension but one; `leading` counts
/// those before it.
mlir::LogicalResult buildMap(KernelBuilder &b, MapOp op, mlir::ValueRange operands,
                             const mlir::IRMapping &outer, mlir::Value leading,
                             mlir::ValueRange rows);

} // namespace posenc

#endif // POSENC_VECTORIZE_KERNELS_H
