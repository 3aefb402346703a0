//===- AttentionMaps.h - keys and values encoded where they are used -*- C++ -*-===//

#ifndef POSENC_VECTORIZE_ATTENTIONMAPS_H
#define POSENC_VECTORIZE_ATTENTIONMAPS_H

#include "Vectorize/Kernels.h"
#include "Vectorize/Outline.h"

namespace posenc {

/// Rows of keys or of values that a region of attention encodes, once for all blocks
/// of queries and all query heads that share them: the kernel reads rows of one head.
class RowEncoder {
public:
  using Value = mlir::Value;

  /// Results have such elements.
  RowEncoder(AttentionOp op, Value rows, mlir::Region &map, ChannelsAttr channels,
             mlir::Type element, mlir::ValueRange offsets, Outliner &outliner);

  bool hasFailed() const { return mlir::failed(call); }

  /// The type of the results of one head, [row, channel].
  mlir::MemRefType headType() const;
  /// Room for the results of some heads.
  Value allocate(KernelBuilder &b, Value heads) const;
  Value head(KernelBuilder &b, Value room, Value number) const;
  /// The rows [from, to) of a head.
  void encode(KernelBuilder &b, Value batch, Value head, Value from, Value to, Value results) const;

private:
  AttentionOp op;
  Value rows;
  unsigned rowDim;
  mlir::MemRefType type; ///< of the results, [head, row, channel]
  mlir::FailureOr<KernelCall> call;
};

/// The encoders of the op's keys and values, those that it has a region for.
mlir::FailureOr<llvm::SmallVector<RowEncoder, 0>> getEncoders(AttentionOp op,
                                                              const AttentionPlan &plan,
                                                              mlir::ValueRange offsets,
                                                              Outliner &outliner);

/// Calls the kernel for every block of queries. If threads have whole heads of keys, the
/// kernel encodes what a block is the first to see; where there are not enough heads for
/// that, all keys are encoded before.
mlir::LogicalResult callEncoded(KernelBuilder &b, AttentionOp op, const AttentionPlan &plan,
                                llvm::ArrayRef<RowEncoder> encoders, const KernelCall &attention,
                                mlir::ValueRange offsets);

} // namespace posenc

#endif // POSENC_VECTORIZE_ATTENTIONMAPS_H
