//===- Raise.h - from decomposed idioms to names ----------------*- C++ -*-===//

#ifndef POSENC_RAISE_RAISE_H
#define POSENC_RAISE_RAISE_H

#include "Raise/Term.h"

#include "mlir/IR/PatternMatch.h"
#include "llvm/ADT/MapVector.h"

namespace posenc::raise {

/// Why idioms that were recognised were not raised. One is met more than once,
/// as part of larger and smaller expressions: what counts is whether any of
/// them could be raised. `anchor` tells which idiom is meant.
class Missed {
public:
  explicit Missed(StringRef idiom) : idiom(idiom) {}
  ~Missed();
  void add(Operation *anchor, const Twine &reason);
  void forget(Operation *anchor) { done.insert(anchor); }

private:
  StringRef idiom;
  llvm::MapVector<Operation *, std::pair<Location, std::string>> reasons;
  SmallPtrSet<Operation *, 8> done;
};

//===----------------------------------------------------------------------===//
// The idioms, each tried on the operation that ends it
//===----------------------------------------------------------------------===//

/// Products with values of a softmax of products of queries and keys.
bool raiseAttention(RewriterBase &rewriter, linalg::LinalgOp root, Missed &missed);
/// Deviations from the mean of a row by their standard deviation, gain, shift.
bool raiseNorm(RewriterBase &rewriter, linalg::LinalgOp root, Missed &missed);
/// Pairs of channels turned by angles that grow with the position; `root` is
/// whatever gives them their final place.
bool raiseRotation(RewriterBase &rewriter, Operation *root, Missed &missed);
/// Products with a matrix, and a bias.
bool raiseLinear(RewriterBase &rewriter, linalg::LinalgOp root, Missed &missed);

//===----------------------------------------------------------------------===//
// What they share
//===----------------------------------------------------------------------===//

/// The operations that lead from `source` to `root`, in order.
SmallVector<Operation *> between(Value source, Operation *root);
/// Puts what `build` makes in the place of `root` and drops `ops`, which led to
/// it, unless somebody else reads one of them. Questions for their sizes go to
/// what they were made from.
bool replaceIdiom(RewriterBase &rewriter, Operation *root, ArrayRef<Operation *> ops,
                  Missed &missed, Operation *anchor, function_ref<Value()> build);

std::string nameOf(Operation *op);
/// `v` as a value of `type`, which may be more or less static.
Value typed(OpBuilder &b, Location loc, Value v, Type type);
/// An affine function of symbols of the reader.
Value buildIndex(OpBuilder &b, Location loc, Reader &reader, AffineExpr e);
/// Coordinates from `start` on for each of dimension `row` of `v`.
Value buildPositions(OpBuilder &b, Location loc, Value v, int64_t row, Value start);
/// `v` with its dimensions in the order `permutation`.
Value transposed(OpBuilder &b, Location loc, Value v, ArrayRef<int64_t> permutation);

} // namespace posenc::raise

#endif // POSENC_RAISE_RAISE_H
