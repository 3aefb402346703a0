//===- Heads.cpp - what the dimensions of an operand mean -----------------===//

#include "Raise/Attention.h"

using namespace mlir;
using namespace posenc;
using namespace posenc::raise;

enum : unsigned { batchAxis, headAxis, rowAxis, channelAxis };

static std::array<unsigned, 4> orderOf(Layout layout) {
  if (layout == Layout::bhsd)
    return {batchAxis, headAxis, rowAxis, channelAxis};
  return {batchAxis, rowAxis, headAxis, channelAxis};
}

bool Operand::isLaidOut(Layout layout) const {
  std::array<unsigned, 4> order = orderOf(layout);
  for (unsigned d = 0; d < 4; ++d)
    if (dims[order[d]] != d)
      return false;
  return true;
}

/// How many query heads share the key head `e`; 0 = it is not one.
static int64_t groupOf(AffineExpr e, AffineExpr head) {
  if (e == head)
    return 1;
  auto division = dyn_cast<AffineBinaryOpExpr>(e);
  if (!division || division.getKind() != AffineExprKind::FloorDiv || division.getLHS() != head)
    return 0;
  auto group = dyn_cast<AffineConstantExpr>(division.getRHS());
  return group ? group.getValue() : 0;
}

static std::optional<Operand> operandOf(const Term &t, const Axes &axes, AffineExpr row,
                                        AffineExpr channel) {
  auto type = dyn_cast<RankedTensorType>(t.value.getType());
  if (!type || type.getRank() > 4)
    return std::nullopt;
  Operand operand{t.value, {-1, -1, -1, -1}, /*group=*/0};
  SmallVector<int64_t> units;
  for (auto [d, e] : llvm::enumerate(t.at)) {
    unsigned axis = channelAxis;
    if (e == row)
      axis = rowAxis;
    else if (axes.batch && e == axes.batch)
      axis = batchAxis;
    else if (axes.head && groupOf(e, axes.head)) {
      axis = headAxis;
      operand.group = groupOf(e, axes.head);
    } else if (e != channel) {
      if (type.getDimSize(d) != 1)
        return std::nullopt;
      units.push_back(d);
      continue;
    }
    if (operand.dims[axis] >= 0)
      return std::nullopt;
    operand.dims[axis] = d;
  }
  if (operand.dims[rowAxis] < 0 || operand.dims[channelAxis] < 0)
    return std::nullopt;
  // Heads may share a tensor, samples may not.
  if (axes.batch && operand.dims[batchAxis] < 0)
    return std::nullopt;
  // A dimension of size 1 stands for one that is missing.
  for (unsigned axis : {headAxis, batchAxis})
    if (operand.dims[axis] < 0 && !units.empty())
      operand.dims[axis] = units.pop_back_val();
  if (!units.empty())
    return std::nullopt;
  return operand;
}

std::optional<Axes> raise::split(Reader &reader, Axes axes, const Term &t) {
  for (std::optional<Term> next = t; next; next = reader.step(*next))
    for (unsigned d = 0; d + 1 < next->at.size(); ++d) {
      AffineExpr before = next->at[d], after = next->at[d + 1];
      // One sample only.
      if (before == reader.number(0) && after == axes.batch)
        return Axes{nullptr, axes.batch, axes.query, axes.key, axes.channel};
      auto batch = dyn_cast<AffineBinaryOpExpr>(before);
      if (batch && batch.getKind() == AffineExprKind::FloorDiv && batch.getLHS() == axes.batch)
        for (AffineExpr head : next->at)
          if (head == axes.batch % batch.getRHS())
            return Axes{batch, head, axes.query, axes.key, axes.channel};
    }
  return std::nullopt;
}

SmallVector<Operand> raise::operandsOf(Reader &reader, Term t, const Axes &axes, AffineExpr row,
                                       AffineExpr channel) {
  SmallVector<Operand> operands;
  for (std::optional<Term> next = t; next; next = reader.step(*next))
    if (std::optional<Operand> operand = operandOf(*next, axes, row, channel))
      operands.push_back(*operand);
  return operands;
}

Value raise::buildOperand(OpBuilder &b, Location loc, const Operand &operand, Layout layout) {
  // The dimensions that there are, in order; those that are not have size 1.
  SmallVector<int64_t> permutation;
  SmallVector<ReassociationIndices> groups;
  SmallVector<int64_t> shape;
  SmallVector<OpFoldResult> sizes;
  auto type = cast<RankedTensorType>(operand.tensor.getType());
  ReassociationIndices group;
  for (auto [d, axis] : llvm::enumerate(orderOf(layout))) {
    group.push_back(d);
    int64_t from = operand.dims[axis];
    shape.push_back(from < 0 ? 1 : type.getDimSize(from));
    sizes.push_back(from < 0 ? b.getIndexAttr(1)
                             : tensor::getMixedSize(b, loc, operand.tensor, from));
    if (from < 0)
      continue;
    permutation.push_back(from);
    groups.push_back(std::exchange(group, {}));
  }
  Value v = transposed(b, loc, operand.tensor, permutation);
  if (groups.size() == 4)
    return v;
  return tensor::ExpandShapeOp::create(
      b, loc, RankedTensorType::get(shape, type.getElementType()), v, groups, sizes);
}

Value raise::buildResult(OpBuilder &b, Location loc, Value o, Layout layout, const Term &t,
                         const Axes &axes) {
  int64_t head = layout == Layout::bhsd ? 1 : 2, row = 3 - head;
  SmallVector<int64_t> order;
  SmallVector<ReassociationIndices> groups;
  for (auto [d, e] : llvm::enumerate(t.at)) {
    SmallVector<int64_t> dims;
    if (d == 0 && t.at.size() == 2)
      dims = {0, head};
    if (e == axes.query)
      dims.push_back(row);
    else if (e == axes.channel)
      dims.push_back(3);
    else if (t.at.size() == 4)
      dims.push_back(e == axes.batch ? 0 : head);
    else
      dims = {0, head}; // either, or both joined
    ReassociationIndices &group = groups.emplace_back();
    for (int64_t from : dims) {
      group.push_back(order.size());
      order.push_back(from);
    }
  }
  o = transposed(b, loc, o, order);
  return groups.size() == 4 ? o : tensor::CollapseShapeOp::create(b, loc, o, groups).getResult();
}
