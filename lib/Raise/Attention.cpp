//===- Attention.cpp - products, scale, masks, softmax, products ----------===//

#include "Raise/Attention.h"

using namespace mlir;
using namespace posenc;
using namespace posenc::raise;

namespace {
/// What was recognised from the root back to queries, keys and values.
class Matcher {
public:
  Matcher(linalg::LinalgOp root) : reader(root.getContext()), root(root) {}

  /// Whether `root` multiplies the result of a softmax: then it is attention,
  /// though maybe of a form that has no name.
  bool isAttention(std::string &reason);
  LogicalResult match(std::string &reason);
  Value build(OpBuilder &b);
  Value getProducts() { return products; }

private:
  LogicalResult matchScores(Term s, std::string &reason);
  LogicalResult matchAxes(std::string &reason);
  LogicalResult matchOperands(std::string &reason);
  bool takeFactor(Term &t);
  Term unscaled(Term t);

  Reader reader;
  linalg::LinalgOp root;
  Term result, weights, value, scores, query, key;
  Value products; // the tensor of unscaled scores
  double scale = 1.0;
  AffineExpr width;
  Axes axes;
  SmallVector<std::pair<Term, bool>> conditions;
  SmallVector<Mask> masks;
  Operand q, k, v;
  Layout layout = Layout::bhsd;
};
} // namespace

bool Matcher::isAttention(std::string &reason) {
  result = reader.element(root->getResult(0));
  std::optional<Reduction> sum = reader.sum(result);
  // What only moves the products is left where it is.
  if (!sum || sum->op != root)
    return false;
  auto product = reader.match<arith::MulFOp>(sum->body);
  if (!product)
    return false;
  axes.key = sum->over;
  for (unsigned i : {0, 1}) {
    weights = (*product)[i];
    value = (*product)[1 - i];
    std::optional<Term> s = softmaxOf(reader, weights, axes.key, reason);
    if (s)
      scores = *s;
    if (s || !reason.empty())
      return true;
  }
  return false;
}

/// Moves constant factors of `t` into the scale.
bool Matcher::takeFactor(Term &t) {
  if (!reader.match<arith::MulFOp, arith::DivFOp, arith::NegFOp>(t))
    return false;
  Factors factors = reader.factors(t);
  if (factors.above.size() != 1 || !factors.below.empty())
    return false;
  scale *= factors.constant;
  t = factors.above[0];
  return true;
}

static bool takeWidening(Reader &reader, Term &t) {
  auto x = reader.match<arith::ExtFOp>(t);
  if (x)
    t = (*x)[0];
  return bool(x);
}

/// Peels masks and scales off the scores, from the outside in.
LogicalResult Matcher::matchScores(Term s, std::string &reason) {
  auto isHiding = [&](const Term &t) {
    std::optional<double> c = reader.constant(t);
    return c && hides(*c * scale);
  };
  for (;;) {
    if (auto x = reader.match<arith::SelectOp>(s)) {
      bool negated = isHiding((*x)[1]);
      if (!negated && !isHiding((*x)[2])) {
        reason = "its scores are selected against something else than a large negative number";
        return failure();
      }
      conditions.push_back({(*x)[0], negated});
      s = (*x)[negated ? 2 : 1];
      continue;
    }
    if (auto x = reader.match<arith::AddFOp>(s)) {
      unsigned i = 0;
      std::optional<std::pair<Term, bool>> condition;
      for (; i < 2 && !condition; ++i)
        condition = conditionOf(reader, (*x)[i], scale);
      if (!condition) {
        reason = "what is added to its scores is no mask";
        return failure();
      }
      conditions.push_back(*condition);
      s = (*x)[2 - i];
      continue;
    }
    if (takeFactor(s))
      continue;
    if (reader.match<arith::MulFOp, arith::DivFOp>(s)) {
      reason = "the scale of its scores is not constant";
      return failure();
    }
    break;
  }

  std::optional<Reduction> sum = reader.sum(s);
  auto product = sum ? reader.match<arith::MulFOp>(sum->body) : std::nullopt;
  if (!product) {
    SmallVector<Term> operands;
    Operation *op = reader.operation(s, operands);
    reason = "its scores " + (op ? "are computed by " + nameOf(op) : "") +
             (op ? "" : "do not come from products of queries and keys");
    return failure();
  }
  products = sum->op->getResult(0);
  width = sum->over;
  query = unscaled((*product)[0]);
  key = unscaled((*product)[1]);
  while (takeWidening(reader, value)) {
  }
  return success();
}

/// The tensor that `t` is first an element of.
static Term tensorOf(Reader &reader, Term t) {
  while (!isa<ShapedType>(t.value.getType())) {
    std::optional<Term> next = reader.step(t);
    if (!next)
      break;
    t = *next;
  }
  return t;
}

/// Tells which loops of the root run over samples, heads, queries and channels.
LogicalResult Matcher::matchAxes(std::string &reason) {
  auto reads = [&](const Term &t, AffineExpr e) { return dependsOn(tensorOf(reader, t), e); };
  if (reads(query, axes.key))
    std::swap(query, key);
  if (reads(query, axes.key) || !reads(key, axes.key)) {
    reason = "its products are not those of queries with keys";
    return failure();
  }
  for (AffineExpr e : result.at) {
    if (reads(weights, e))
      continue;
    if (axes.channel || !reads(value, e)) {
      reason = "its result has a dimension of neither scores nor values";
      return failure();
    }
    axes.channel = e;
  }
  // The last dimension of the scores that only queries have; others are heads
  // that share keys.
  SmallVector<AffineExpr> batches;
  for (AffineExpr e : tensorOf(reader, weights).at) {
    if (e == axes.key || isa<AffineConstantExpr>(e))
      continue;
    batches.push_back(e);
    if (reads(query, e) && !reads(key, e) && !reads(value, e))
      axes.query = e;
  }
  if (!axes.channel || !axes.query) {
    reason = "it has no dimension of " + std::string(axes.channel ? "queries" : "channels");
    return failure();
  }
  llvm::erase(batches, axes.query);
  if (batches.size() > 2) {
    reason = "it has more than two dimensions of samples and heads";
    return failure();
  }
  if (!batches.empty())
    axes.batch = batches[0];
  if (batches.size() == 2)
    axes.head = batches[1];
  return success();
}

/// `t` as it was before it was scaled and widened.
Term Matcher::unscaled(Term t) {
  while (takeFactor(t) || takeWidening(reader, t)) {
  }
  return t;
}

LogicalResult Matcher::matchOperands(std::string &reason) {
  SmallVector<Axes> choices = {axes};
  if (axes.batch && !axes.head)
    for (const Term &t : {query, key, value})
      if (std::optional<Axes> both = split(reader, axes, t))
        choices.insert(choices.begin(), *both);

  for (const Axes &choice : choices) {
    SmallVector<Operand> all[] = {operandsOf(reader, query, choice, choice.query, width),
                                  operandsOf(reader, key, choice, choice.key, width),
                                  operandsOf(reader, value, choice, choice.key, choice.channel)};
    // Every query head is one of its own.
    llvm::erase_if(all[0], [&](const Operand &operand) { return choice.head && operand.group != 1; });
    if (llvm::any_of(all, [](ArrayRef<Operand> operands) { return operands.empty(); }))
      continue;
    axes = choice;
    // The last, from before heads were repeated.
    auto pick = [](ArrayRef<Operand> operands, Layout layout) {
      for (const Operand &operand : llvm::reverse(operands))
        if (operand.isLaidOut(layout))
          return std::optional(operand);
      return std::optional<Operand>();
    };
    // Tensors that only became bhsd by transposition are taken from before.
    if (llvm::all_of(all, [&](ArrayRef<Operand> o) { return pick(o, Layout::bshd); }))
      layout = Layout::bshd;
    Operand *picked[] = {&q, &k, &v};
    for (auto [operand, operands] : llvm::zip_equal(picked, all))
      *operand = pick(operands, layout).value_or(operands.front());
    if (k.group == v.group)
      return success();
    reason = "its keys and values are shared by different numbers of heads";
    return failure();
  }
  reason = "the dimensions of its operands are not those of samples, heads, rows and channels";
  return failure();
}

LogicalResult Matcher::match(std::string &reason) {
  if (failed(matchScores(scores, reason)))
    return failure();
  for (Value v : {products, Value(root->getResult(0))})
    if (Type type = getElementTypeOrSelf(v); !type.isF32()) {
      llvm::raw_string_ostream(reason) << "it sums in " << type << " instead of f32";
      return failure();
    }
  if (failed(matchAxes(reason)))
    return failure();
  if (failed(matchOperands(reason)))
    return failure();
  for (auto [condition, negated] : conditions)
    if (failed(masksOf(reader, condition, negated, axes, masks, reason)))
      return failure();
  return success();
}

Value Matcher::build(OpBuilder &b) {
  Location loc = root.getLoc();
  Value qv = buildOperand(b, loc, q, layout), kv = buildOperand(b, loc, k, layout),
        vv = buildOperand(b, loc, v, layout);
  auto sizes = [](Value v) { return cast<RankedTensorType>(v.getType()).getShape(); };
  int64_t head = layout == Layout::bhsd ? 1 : 2, row = 3 - head;
  auto type = RankedTensorType::get(
      {sizes(qv)[0], sizes(qv)[head], sizes(qv)[row], sizes(kv)[row]}, b.getF32Type());
  Value s = ScoresOp::create(b, loc, type, qv, kv, b.getF32FloatAttr(scale),
                             LayoutAttr::get(b.getContext(), layout));
  for (const Mask &mask : llvm::reverse(masks))
    s = buildMask(b, loc, reader, mask, axes, s, qv, kv, layout);
  SmallVector<int64_t> shape(sizes(qv));
  shape[3] = sizes(vv)[3];
  Value o = AttendOp::create(b, loc, RankedTensorType::get(shape, b.getF32Type()), Type(), s, vv,
                             layout)
                .getResult();
  return typed(b, loc, buildResult(b, loc, o, layout, result, axes),
               root->getResult(0).getType());
}

bool raise::raiseAttention(RewriterBase &rewriter, linalg::LinalgOp root, Missed &missed) {
  std::string reason;
  Matcher matcher(root);
  if (!matcher.isAttention(reason))
    return false;
  if (!reason.empty() || failed(matcher.match(reason))) {
    missed.add(root, reason);
    return false;
  }
  if (matcher.getProducts().getParentBlock() != root->getBlock()) {
    missed.add(root, "its products come from another block, which may run less often");
    return false;
  }
  SmallVector<Operation *> ops = between(matcher.getProducts(), root);
  ops.insert(ops.begin(), matcher.getProducts().getDefiningOp());
  return replaceIdiom(rewriter, root, ops, missed, root,
                      [&] { return matcher.build(rewriter); });
}
