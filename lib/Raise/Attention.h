//===- Attention.h - the parts of decomposed attention ----------*- C++ -*-===//

#ifndef POSENC_RAISE_ATTENTION_H
#define POSENC_RAISE_ATTENTION_H

#include "Raise/Raise.h"

namespace posenc::raise {

//===----------------------------------------------------------------------===//
// Softmax
//===----------------------------------------------------------------------===//

/// The scores whose softmax over `key` is `p`. Otherwise null, with a reason if
/// it is a softmax of another kind.
std::optional<Term> softmaxOf(Reader &reader, const Term &p, AffineExpr key,
                              std::string &reason);

//===----------------------------------------------------------------------===//
// Heads: what the dimensions of an operand mean
//===----------------------------------------------------------------------===//

/// Variables of one score, and of a channel of the values. A single dimension of batch and heads is either
/// split into both, or all batch; what is missing is null.
struct Axes {
  AffineExpr batch, head, query, key, channel;
};

/// A tensor of queries, keys or values.
struct Operand {
  Value tensor;
  /// Its dimensions of batch, head, row and channel; -1 where it has none.
  std::array<int64_t, 4> dims;
  /// Query heads that read one of its heads; 0 = all.
  int64_t group;

  bool isLaidOut(Layout layout) const;
};

/// `axes` with a single dimension of batch and heads as they were before `t`
/// joined them, if it did.
std::optional<Axes> split(Reader &reader, Axes axes, const Term &t);
/// The tensors whose elements `t` is, as operands, from the nearest on.
SmallVector<Operand> operandsOf(Reader &reader, Term t, const Axes &axes, AffineExpr row,
                                AffineExpr channel);
/// `operand` in rank 4 and in the order of `layout`.
Value buildOperand(OpBuilder &b, Location loc, const Operand &operand, Layout layout);
/// `o`, in the order of `layout`, with the dimensions that `t` has.
Value buildResult(OpBuilder &b, Location loc, Value o, Layout layout, const Term &t,
                  const Axes &axes);

//===----------------------------------------------------------------------===//
// Masks
//===----------------------------------------------------------------------===//

/// A condition under which a key is visible.
struct Mask {
  /// Of batch and key only: padding; null for a mask of coordinates.
  std::optional<Term> valid;
  bool negated = false;
  /// Keys up to the query's row plus this are visible.
  AffineExpr offset;
};

/// Whether a score of this size leaves nothing of an exponential.
inline bool hides(double score) { return score <= -1.0e4; }

/// Appends the masks whose conjunction is `condition`. Fails with a reason.
LogicalResult masksOf(Reader &reader, const Term &condition, bool negated, const Axes &axes,
                      SmallVectorImpl<Mask> &masks, std::string &reason);
/// The condition of an additive mask: 0 where visible, else hiding.
/// `factor` is what multiplies it later.
std::optional<std::pair<Term, bool>> conditionOf(Reader &reader, const Term &bias, double factor);
/// `scores` with the hidden ones at -inf; `q` and `k` are laid out by `layout`.
Value buildMask(OpBuilder &b, Location loc, Reader &reader, const Mask &mask, const Axes &axes,
                Value scores, Value q, Value k, Layout layout);

} // namespace posenc::raise

#endif // POSENC_RAISE_ATTENTION_H
