//===- Fusion.h - from names to regions -------------------------*- C++ -*-===//

#ifndef POSENC_FUSE_FUSION_H
#define POSENC_FUSE_FUSION_H

#include "posenc/Dialect.h"

#include "mlir/IR/PatternMatch.h"

namespace posenc::fuse {
using namespace mlir;

//===----------------------------------------------------------------------===//
// The rewrites
//===----------------------------------------------------------------------===//

/// Scores, their encodings and `attend` become one posenc.attention.
void fuseScores(RewriterBase &rewriter, AttendOp attend);
/// Row encodings of q, k and v move into the regions of `attention`.
void fuseRows(RewriterBase &rewriter, AttentionOp attention);
/// `encodings`, of tokens or rows and in program order, become posenc.map, one
/// for each chain.
void fuseMaps(RewriterBase &rewriter, ArrayRef<EncodingOpInterface> encodings);
/// Elementwise operations that follow `linear` move into its epilogue.
void fuseEpilogue(RewriterBase &rewriter, LinearOp linear);
/// Layers, in program order, that read one input and have their weights from the
/// start become one layer each.
void mergeLinears(RewriterBase &rewriter, ArrayRef<LinearOp> linears);

//===----------------------------------------------------------------------===//
// What they share
//===----------------------------------------------------------------------===//

/// Uses of `v` other than questions for a size, which `forwardSizes` redirects.
SmallVector<OpOperand *> dataUses(Value v);
/// Lets questions for a size of `from` ask `to`, which has the same shape.
void forwardSizes(RewriterBase &rewriter, Value from, Value to);

/// The layout of a row encoding; that of tokens is meaningless.
Layout layoutOf(EncodingOpInterface encoding);
/// The channels that `encoding` changes, with their number where it is known.
ChannelsAttr channelsOf(EncodingOpInterface encoding);
/// `channels` with their number where `x` tells it.
ChannelsAttr withWidth(ChannelsAttr channels, Value x);

/// Builds a row map on top of `block`, whose arguments start with one group of
/// channels and b, h, row, c. What the block computes then sees the result.
void prependMap(RewriterBase &rewriter, Block *block, EncodingOpInterface encoding);

/// Erases operations of `block` whose results nothing uses.
void eraseDead(RewriterBase &rewriter, Block &block);

/// A tensor.empty of `type`; `sizes` are asked for its dynamic dimensions only.
Value emptyOf(OpBuilder &b, Location loc, RankedTensorType type,
              ArrayRef<std::pair<Value, int64_t>> sizes);

/// Remarks that `op` was left alone, and why.
void explain(Operation *op, const Twine &reason);

} // namespace posenc::fuse

#endif // POSENC_FUSE_FUSION_H
