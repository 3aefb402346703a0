//===- Loops.h - scalar tensors, element by element -------------*- C++ -*-===//

#ifndef POSENC_REFERENCE_LOOPS_H
#define POSENC_REFERENCE_LOOPS_H

#include "posenc/Dialect.h"

namespace posenc::reference {
using namespace mlir;

/// A tensor of `sizes`, every element of which `body` computes from its
/// indices in f32 (or in the tensor's own type). One parallel linalg.generic.
Value build(OpBuilder &b, Location loc, ArrayRef<OpFoldResult> sizes, Type element,
            llvm::function_ref<Value(Emitter &, ValueRange)> body);

/// `body(i, acc)` folded over i in [0, size), starting with `init`.
Value fold(Emitter &e, Value size, Value init,
           llvm::function_ref<Value(Emitter &, Value, Value)> body);

/// The values that `region` yields for the arguments.
SmallVector<Value> inlineRegion(OpBuilder &b, Region &region, ValueRange arguments);

/// Applies a row map to a tensor: tokens of rank 3 or heads of rank 4 by layout.
/// `group` receives the channels of one group and (b, h, row, c).
Value mapRows(OpBuilder &b, Location loc, Value x, Type element, Layout layout,
              ChannelsAttr channels,
              llvm::function_ref<SmallVector<Value>(Emitter &, ArrayRef<Value>, ValueRange)> group);

/// Scores and their use, shared by the chain of names and the fused op. Scores
/// receive (b, h, i, j) and the scaled product.
Value scores(OpBuilder &b, Location loc, Value q, Value k, double scale, Layout layout,
             llvm::function_ref<Value(Emitter &, Value, ValueRange)> modify);
/// The output and the log-sum-exp.
std::pair<Value, Value> attend(OpBuilder &b, Location loc, Value scores, Value v,
                               Layout layout, Type element);

/// One for all samples, or that of a sample.
Value startOf(Emitter &e, Value start, Value batch);

/// The cache with rows appended. Touches no others, so that nothing is copied where the
/// cache may be written to.
Value append(OpBuilder &b, AppendOp op);
/// The first rows of a cache, of `sizes` by layout.
Value rowsOfCache(OpBuilder &b, Location loc, Value cache, ArrayRef<OpFoldResult> sizes,
                  Layout layout);

} // namespace posenc::reference

#endif // POSENC_REFERENCE_LOOPS_H
