//===- Term.h - tensors read one element at a time --------------*- C++ -*-===//
//
// One computation can be written in many ways: named or generic operations, one
// body or several, transposed, reshaped, sliced and concatenated. All of them
// look alike once a tensor is read as the scalar expression of one element.
//
//===----------------------------------------------------------------------===//

#ifndef POSENC_RAISE_TERM_H
#define POSENC_RAISE_TERM_H

#include "posenc/Dialect.h"

namespace posenc::raise {
using namespace mlir;

/// An element of a tensor, or a scalar of the body of a linalg operation.
/// `at` are its indices, or those of the loops around the body. Their dimensions
/// are variables that the reader hands out; each stays in bounds of every
/// tensor that it alone indexes.
struct Term {
  Value value;
  SmallVector<AffineExpr, 4> at;
};

/// `body` combined over all values of the variable `over`.
struct Reduction {
  linalg::LinalgOp op;
  Operation *combiner;
  Term init, body;
  AffineExpr over;
};

/// constant * above... / below...
struct Factors {
  double constant = 1.0;
  SmallVector<Term, 4> above, below;
};

class Reader {
public:
  explicit Reader(MLIRContext *context) : context(context) {}

  //===--------------------------------------------------------------------===//
  // From tensors to scalars
  //===--------------------------------------------------------------------===//

  AffineExpr variable() { return getAffineDimExpr(variables++, context); }
  AffineExpr number(int64_t n) { return getAffineConstantExpr(n, context); }
  /// The element of `tensor` at new variables.
  Term element(Value tensor);
  /// `t` by what it comes from unchanged, if that is known: the operand of a
  /// body, the value that a body yields, a tensor before it was reshaped.
  std::optional<Term> step(const Term &t);
  /// `t` as far back as `step` leads.
  Term resolve(Term t);
  Term replace(Term t, AffineExpr from, AffineExpr to);

  //===--------------------------------------------------------------------===//
  // What a scalar is
  //===--------------------------------------------------------------------===//

  /// The elementwise operation that computes `t`, or null.
  Operation *operation(const Term &t, SmallVectorImpl<Term> &operands);
  /// The operands if one of `Ops` computes `t`.
  template <typename... Ops> std::optional<SmallVector<Term, 3>> match(const Term &t) {
    SmallVector<Term, 3> operands;
    if (!isa_and_present<Ops...>(operation(t, operands)))
      return std::nullopt;
    return operands;
  }
  std::optional<Reduction> reduction(const Term &t);
  /// A reduction by addition that starts at 0.
  std::optional<Reduction> sum(const Term &t);
  /// A reduction by maximum that starts at the least number.
  std::optional<Reduction> maximum(const Term &t);

  /// The value in f64 of what does not depend on any input.
  std::optional<double> constant(const Term &t);
  /// `t` as a product, however its factors are associated.
  Factors factors(const Term &t);
  /// An integer as an affine function of variables, and of `symbols`.
  AffineExpr affine(const Term &t);
  /// Whether `a` and `b` are computed alike from the same values.
  bool same(const Term &a, const Term &b);

  AffineExpr simplify(AffineExpr e);
  ArrayRef<Value> getSymbols() const { return symbols; }

private:
  std::optional<SmallVector<AffineExpr, 4>> loops(linalg::LinalgOp op, AffineMap map,
                                                  ArrayRef<AffineExpr> at);
  void addFactors(const Term &t, bool inverse, Factors &factors);
  std::optional<Term> stepArgument(BlockArgument argument, ArrayRef<AffineExpr> at);
  std::optional<Term> stepLinalg(linalg::LinalgOp op, OpResult result, ArrayRef<AffineExpr> at);

  MLIRContext *context;
  unsigned variables = 0;
  SmallVector<Value> symbols;
};

/// The first tensor on the way from `t` to its origin whose element at `at` it is.
Value tensorAt(Reader &reader, const Term &t, ArrayRef<AffineExpr> at);
/// The operation whose body computes `v`, or null.
linalg::LinalgOp bodyOf(Value v);
/// Whether one index of `t` depends on `variable`.
bool dependsOn(const Term &t, AffineExpr variable);
/// Reads reshapes, slices and concatenations: `at` of the result becomes `at` of
/// the operand that holds the element.
std::optional<Term> stepMovement(Reader &reader, Operation *op, ArrayRef<AffineExpr> at);

} // namespace posenc::raise

#endif // POSENC_RAISE_TERM_H
