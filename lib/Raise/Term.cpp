//===- Term.cpp - tensors read one element at a time ----------------------===//

#include "Raise/Term.h"

using namespace mlir;
using namespace posenc;
using namespace posenc::raise;

linalg::LinalgOp raise::bodyOf(Value v) {
  Block *block = v.getParentBlock();
  return block ? dyn_cast_or_null<linalg::LinalgOp>(block->getParentOp()) : nullptr;
}

bool raise::dependsOn(const Term &t, AffineExpr variable) {
  unsigned position = cast<AffineDimExpr>(variable).getPosition();
  return llvm::any_of(t.at, [&](AffineExpr e) { return e.isFunctionOfDim(position); });
}

Value raise::tensorAt(Reader &reader, const Term &t, ArrayRef<AffineExpr> at) {
  for (std::optional<Term> next = t; next; next = reader.step(*next))
    if (isa<RankedTensorType>(next->value.getType()) && llvm::equal(next->at, at))
      return next->value;
  return {};
}

AffineExpr Reader::simplify(AffineExpr e) {
  return simplifyAffineExpr(e, variables, symbols.size());
}

Term Reader::element(Value tensor) {
  Term t{tensor, {}};
  for (int64_t d = 0; d < cast<ShapedType>(tensor.getType()).getRank(); ++d)
    t.at.push_back(variable());
  return t;
}

Term Reader::replace(Term t, AffineExpr from, AffineExpr to) {
  for (AffineExpr &e : t.at)
    e = e.replace(from, to);
  return t;
}

/// The loops around the body of `op` when it computes the element `at` of a
/// result with this map. Loops of a reduction get new variables, or 0 where
/// they run once.
std::optional<SmallVector<AffineExpr, 4>> Reader::loops(linalg::LinalgOp op, AffineMap map,
                                                        ArrayRef<AffineExpr> at) {
  SmallVector<AffineExpr, 4> loops(op.getNumLoops());
  for (auto [e, index] : llvm::zip_equal(map.getResults(), at)) {
    if (isa<AffineConstantExpr>(e))
      continue;
    auto dim = dyn_cast<AffineDimExpr>(e);
    if (!dim || loops[dim.getPosition()])
      return std::nullopt;
    loops[dim.getPosition()] = index;
  }
  SmallVector<int64_t> sizes = op.getStaticLoopRanges();
  for (auto [loop, kind, size] : llvm::zip_equal(loops, op.getIteratorTypesArray(), sizes)) {
    if (loop)
      continue;
    if (kind != utils::IteratorType::reduction && size != 1)
      return std::nullopt;
    loop = size == 1 ? number(0) : variable();
  }
  return loops;
}

/// Only plain indices: sums would let a variable leave the bounds of a tensor.
static bool isPlain(AffineMap map) {
  return llvm::all_of(map.getResults(), llvm::IsaPred<AffineDimExpr, AffineConstantExpr>);
}

static bool runsOnce(linalg::LinalgOp op) {
  SmallVector<int64_t> sizes = op.getStaticLoopRanges();
  return llvm::all_of(llvm::zip_equal(op.getIteratorTypesArray(), sizes), [](auto loop) {
    return std::get<0>(loop) == utils::IteratorType::parallel || std::get<1>(loop) == 1;
  });
}

std::optional<Term> Reader::stepArgument(BlockArgument argument, ArrayRef<AffineExpr> at) {
  auto op = cast<linalg::LinalgOp>(argument.getOwner()->getParentOp());
  OpOperand *operand = op.getMatchingOpOperand(argument);
  // What a reduction has so far is no element of the destination.
  if (op.isDpsInit(operand) && !runsOnce(op))
    return std::nullopt;
  if (!isa<ShapedType>(operand->get().getType()))
    return Term{operand->get(), {}};
  AffineMap map = op.getMatchingIndexingMap(operand);
  if (!isPlain(map))
    return std::nullopt;
  Term t{operand->get(), {}};
  for (AffineExpr e : map.getResults())
    t.at.push_back(e.replaceDims(at));
  return t;
}

std::optional<Term> Reader::stepLinalg(linalg::LinalgOp op, OpResult result,
                                       ArrayRef<AffineExpr> at) {
  AffineMap map = op.getIndexingMapMatchingResult(result);
  if (!op.hasPureTensorSemantics() || !runsOnce(op) || !isPlain(map))
    return std::nullopt;
  auto around = loops(op, map, at);
  if (!around)
    return std::nullopt;
  Value yielded = op.getBlock()->getTerminator()->getOperand(result.getResultNumber());
  // A sum of one term that starts at 0 is the term.
  auto sum = yielded.getDefiningOp<arith::AddFOp>();
  OpOperand *init = op.getDpsInitOperand(result.getResultNumber());
  if (sum && op.getNumReductionLoops() &&
      sum.getLhs() == Value(op.getMatchingBlockArgument(init)) &&
      constant({init->get(), SmallVector<AffineExpr, 4>(at)}) == 0.0)
    yielded = sum.getRhs();
  return Term{yielded, *around};
}

std::optional<Term> Reader::step(const Term &t) {
  if (auto argument = dyn_cast<BlockArgument>(t.value))
    return bodyOf(argument) ? stepArgument(argument, t.at) : std::nullopt;
  auto result = cast<OpResult>(t.value);
  if (auto op = dyn_cast<linalg::LinalgOp>(result.getOwner()))
    return stepLinalg(op, result, t.at);
  if (auto extract = dyn_cast<tensor::ExtractOp>(result.getOwner())) {
    Term element{extract.getTensor(), {}};
    for (Value index : extract.getIndices()) {
      AffineExpr e = affine({index, t.at});
      if (!e || !(isa<AffineDimExpr, AffineConstantExpr>(e)))
        return std::nullopt;
      element.at.push_back(e);
    }
    return element;
  }
  return stepMovement(*this, result.getOwner(), t.at);
}

Term Reader::resolve(Term t) {
  while (std::optional<Term> next = step(t))
    t = *next;
  return t;
}

Operation *Reader::operation(const Term &t, SmallVectorImpl<Term> &operands) {
  Term r = resolve(t);
  Operation *op = r.value.getDefiningOp();
  if (!op || !OpTrait::hasElementwiseMappableTraits(op))
    return nullptr;
  for (Value operand : op->getOperands())
    operands.push_back({operand, r.at});
  return op;
}

std::optional<Reduction> Reader::reduction(const Term &t) {
  Term r = resolve(t);
  auto op = r.value.getDefiningOp<linalg::LinalgOp>();
  if (!op || !op.hasPureTensorSemantics() || op.getNumReductionLoops() != 1)
    return std::nullopt;
  auto result = cast<OpResult>(r.value);
  AffineMap map = op.getIndexingMapMatchingResult(result);
  auto around = isPlain(map) ? loops(op, map, r.at) : std::nullopt;
  if (!around)
    return std::nullopt;
  SmallVector<unsigned> over;
  op.getReductionDims(over);
  // A loop over one element is resolved before.
  if (!isa<AffineDimExpr>((*around)[over[0]]))
    return std::nullopt;

  Value yielded = op.getBlock()->getTerminator()->getOperand(result.getResultNumber());
  Operation *combiner = yielded.getDefiningOp();
  OpOperand *init = op.getDpsInitOperand(result.getResultNumber());
  BlockArgument soFar = op.getMatchingBlockArgument(init);
  if (!combiner || bodyOf(yielded) != op || combiner->getNumOperands() != 2 ||
      !soFar.hasOneUse() || *soFar.user_begin() != combiner)
    return std::nullopt;
  Value other = combiner->getOperand(combiner->getOperand(0) == soFar ? 1 : 0);
  return Reduction{op, combiner, {init->get(), r.at}, {other, *around}, (*around)[over[0]]};
}

std::optional<Reduction> Reader::sum(const Term &t) {
  std::optional<Reduction> r = reduction(t);
  if (!r || !isa<arith::AddFOp>(r->combiner) || constant(r->init) != 0.0)
    return std::nullopt;
  return r;
}

std::optional<Reduction> Reader::maximum(const Term &t) {
  std::optional<Reduction> r = reduction(t);
  if (!r || !isa<arith::MaximumFOp, arith::MaxNumFOp>(r->combiner))
    return std::nullopt;
  std::optional<double> init = constant(r->init);
  return init && *init < -3.4e38 ? r : std::nullopt;
}

bool Reader::same(const Term &x, const Term &y) {
  Term a = resolve(x), b = resolve(y);
  auto alike = [&](AffineExpr i, AffineExpr j) { return i == j || simplify(i - j) == number(0); };
  if (a.value == b.value &&
      ((!isa<ShapedType>(a.value.getType()) && !bodyOf(a.value)) || llvm::equal(a.at, b.at, alike)))
    return true;

  auto i = a.value.getDefiningOp<linalg::IndexOp>(), j = b.value.getDefiningOp<linalg::IndexOp>();
  if (i && j)
    return alike(a.at[i.getDim()], b.at[j.getDim()]);

  SmallVector<Term> left, right;
  Operation *p = operation(a, left), *q = operation(b, right);
  if (p && q)
    return p->getName() == q->getName() && p->getAttrs() == q->getAttrs() &&
           llvm::equal(left, right, [&](const Term &i, const Term &j) { return same(i, j); });
  if (std::optional<double> c = constant(a))
    return c == constant(b);
  std::optional<Reduction> r = reduction(a), s = reduction(b);
  return r && s && r->combiner->getName() == s->combiner->getName() &&
         r->op.getStaticLoopRanges() == s->op.getStaticLoopRanges() && same(r->init, s->init) &&
         same(r->body, replace(s->body, s->over, r->over));
}
