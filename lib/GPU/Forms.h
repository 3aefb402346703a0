//===- Forms.h - in what ways an operation becomes a kernel -----*- C++ -*-===//

#ifndef POSENC_GPU_FORMS_H
#define POSENC_GPU_FORMS_H

#include "GPU/Chip.h"
#include "posenc/Dialect.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

namespace posenc {

/// One way to write a kernel for `Op`, which is on buffers.
template <typename Op> struct KernelForm {
  Form form;
  /// Why the form cannot compute `op` on `chip`; empty if it can.
  std::string (*refuse)(Op op, const Chip &chip);
  /// Builds a gpu.launch before `op`, which is erased afterwards. An error is
  /// reported at `op`.
  mlir::LogicalResult (*build)(Op op, const Chip &chip);
};

/// The forms there are, the one to prefer first; the last never refuses.
llvm::ArrayRef<KernelForm<AttentionOp>> getForms(AttentionOp);
llvm::ArrayRef<KernelForm<LinearOp>> getForms(LinearOp);

// Matrix instructions of a warp: f16 and bf16 from sm_80 on.
std::string refuseMmaAttention(AttentionOp op, const Chip &chip);
mlir::LogicalResult buildMmaAttention(AttentionOp op, const Chip &chip);
std::string refuseMmaLinear(LinearOp op, const Chip &chip);
mlir::LogicalResult buildMmaLinear(LinearOp op, const Chip &chip);
// Few queries: keys are read once for all heads that share them.
std::string refuseSimtDecode(AttentionOp op, const Chip &chip);
mlir::LogicalResult buildSimtDecode(AttentionOp op, const Chip &chip);
// One thread per element, row or tile of registers: any shape, any type.
mlir::LogicalResult buildSimtAttention(AttentionOp op, const Chip &chip);
mlir::LogicalResult buildSimtLinear(LinearOp op, const Chip &chip);
mlir::LogicalResult buildSimtLayerNorm(LayerNormOp op);
mlir::LogicalResult buildSimtMap(MapOp op);
/// A thread for each point of the parallel dimensions, the last of which goes along
/// the threads of a warp. Reductions become loops of a thread. Erases `op`.
mlir::LogicalResult buildSimtLoops(mlir::RewriterBase &rewriter, mlir::linalg::LinalgOp op);
/// The same for loops in each other that are marked `posenc.independent`.
mlir::LogicalResult buildSimtNest(mlir::scf::ForOp outermost);

} // namespace posenc

#endif // POSENC_GPU_FORMS_H
