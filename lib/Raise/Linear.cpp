//===- Linear.cpp - products with a matrix, and a bias --------------------===//

#include "Raise/Raise.h"

using namespace mlir;
using namespace posenc;
using namespace posenc::raise;

namespace {
struct Layer {
  linalg::LinalgOp products;
  Value input, weight, bias; // no bias: null
  bool transposed = false;   // the weight is [inputs, outputs]
};
} // namespace

static Term narrow(Reader &reader, Term t) {
  while (auto x = reader.match<arith::ExtFOp>(t))
    t = (*x)[0];
  return t;
}

/// Sums over k of x[..., k] * w[n, k], on top of zero or of a bias.
static std::optional<Layer> matchProducts(Reader &reader, const Term &t, ArrayRef<AffineExpr> at) {
  std::optional<Reduction> sum = reader.reduction(t);
  if (!sum || !isa<arith::AddFOp>(sum->combiner))
    return std::nullopt;
  auto product = reader.match<arith::MulFOp>(sum->body);
  if (!product)
    return std::nullopt;

  Layer layer;
  layer.products = sum->op;
  SmallVector<AffineExpr, 4> row(at);
  row.back() = sum->over;
  AffineExpr output = at.back();
  for (unsigned i : {0, 1}) {
    Term x = narrow(reader, (*product)[i]), w = narrow(reader, (*product)[1 - i]);
    layer.input = tensorAt(reader, x, row);
    layer.weight = tensorAt(reader, w, {output, sum->over});
    if (!layer.weight) {
      layer.weight = tensorAt(reader, w, {sum->over, output});
      layer.transposed = bool(layer.weight);
    }
    if (layer.input && layer.weight)
      break;
  }
  if (!layer.input || !layer.weight ||
      !cast<ShapedType>(layer.weight.getType()).hasStaticShape())
    return std::nullopt;
  if (reader.constant(sum->init) != 0.0) {
    layer.bias = tensorAt(reader, sum->init, output);
    if (!layer.bias)
      return std::nullopt;
  }
  return layer;
}

static std::optional<Layer> match(Reader &reader, const Term &y) {
  if (y.at.size() < 2)
    return std::nullopt;
  auto sum = reader.match<arith::AddFOp>(y);
  if (!sum)
    return matchProducts(reader, y, y.at);
  for (unsigned i : {0, 1}) {
    Value bias = tensorAt(reader, (*sum)[1 - i], y.at.back());
    std::optional<Layer> layer =
        bias ? matchProducts(reader, (*sum)[i], y.at) : std::optional<Layer>();
    if (!layer || layer->bias)
      continue;
    layer->bias = bias;
    return layer;
  }
  return std::nullopt;
}

bool raise::raiseLinear(RewriterBase &rewriter, linalg::LinalgOp root, Missed &missed) {
  Reader reader(root.getContext());
  Value result = root->getResult(0);
  std::optional<Layer> layer = match(reader, reader.element(result));
  // What only moves the products is left where it is.
  if (!layer || (layer->products != root && !layer->bias))
    return false;
  Value products = layer->products->getResult(0);
  for (Value v : {result, products})
    if (!getElementTypeOrSelf(v).isF32()) {
      missed.add(layer->products, "it does not sum in f32");
      return false;
    }
  SmallVector<Operation *> ops;
  if (layer->products != root) {
    if (products.getParentBlock() != root->getBlock())
      return false;
    ops = between(products, root);
    ops.insert(ops.begin(), layer->products);
  }

  return replaceIdiom(rewriter, root, ops, missed, layer->products, [&] {
    Location loc = root.getLoc();
    Value weight = layer->weight;
    if (layer->transposed)
      weight = transposed(rewriter, loc, weight, {1, 0});
    SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(rewriter, loc, layer->input);
    sizes.back() = tensor::getMixedSize(rewriter, loc, weight, 0);
    Value init = tensor::EmptyOp::create(rewriter, loc, sizes, rewriter.getF32Type());
    SmallVector<Value> extras;
    if (layer->bias)
      extras.push_back(layer->bias);
    Value y = LinearOp::create(rewriter, loc, init.getType(), layer->input, weight, extras, nullptr, init)
                  .getResult(0);
    return typed(rewriter, loc, y, result.getType());
  });
}
