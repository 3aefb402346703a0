//===- Movement.cpp - reshapes, slices and concatenations -----------------===//

#include "Raise/Term.h"

#include "mlir/Interfaces/ValueBoundsOpInterface.h"

using namespace mlir;
using namespace posenc;
using namespace posenc::raise;

static std::optional<int64_t> constantOf(AffineExpr e) {
  if (auto c = dyn_cast<AffineConstantExpr>(e))
    return c.getValue();
  return std::nullopt;
}

/// Whether `e` is `x op n`; sets `x`.
static bool isBinary(AffineExpr e, AffineExprKind kind, int64_t n, AffineExpr &x) {
  auto binary = dyn_cast<AffineBinaryOpExpr>(e);
  if (!binary || binary.getKind() != kind || constantOf(binary.getRHS()) != n)
    return false;
  x = binary.getLHS();
  return true;
}

/// One index for several, the last of which runs fastest. Undoes `split`.
static AffineExpr join(Reader &reader, ArrayRef<AffineExpr> at, ArrayRef<int64_t> sizes) {
  AffineExpr inner;
  int64_t size = 1;
  for (auto [e, n] : llvm::reverse(llvm::zip_equal(at, sizes))) {
    if (n == 1)
      continue;
    AffineExpr x, y;
    if (!inner)
      inner = e;
    else if (isBinary(e, AffineExprKind::FloorDiv, size, x) &&
             isBinary(inner, AffineExprKind::Mod, size, y) && x == y)
      inner = x;
    else
      inner = e * size + inner;
    size *= n;
  }
  return inner ? inner : reader.number(0);
}

/// Several indices for one. The sizes but the first are known.
static void split(Reader &reader, AffineExpr e, ArrayRef<int64_t> sizes,
                  SmallVectorImpl<AffineExpr> &at) {
  for (unsigned d = 0; d < sizes.size(); ++d) {
    int64_t inner = 1;
    for (int64_t n : sizes.drop_front(d + 1))
      inner *= n;
    if (sizes[d] == 1) {
      at.push_back(reader.number(0));
      continue;
    }
    if (inner == 1) {
      at.push_back(e);
      e = reader.number(0);
      continue;
    }
    // What is added to a multiple of the size was joined to it, or is a number:
    // nothing is carried. (Nothing here may reorder sums.)
    AffineExpr outer;
    auto sum = dyn_cast<AffineBinaryOpExpr>(e);
    if (sum && sum.getKind() == AffineExprKind::Add &&
        isBinary(sum.getLHS(), AffineExprKind::Mul, inner, outer) &&
        (!constantOf(sum.getRHS()) ||
         (*constantOf(sum.getRHS()) >= 0 && *constantOf(sum.getRHS()) < inner))) {
      at.push_back(outer);
      e = sum.getRHS();
    } else {
      at.push_back(e.floorDiv(inner));
      e = e % inner;
    }
  }
}

/// The sizes of the dimensions in `group`; null where one but the first is unknown.
static std::optional<SmallVector<int64_t>> sizesOf(RankedTensorType type,
                                                   ArrayRef<int64_t> group) {
  SmallVector<int64_t> sizes;
  for (int64_t d : group)
    sizes.push_back(type.getDimSize(d));
  if (llvm::any_of(llvm::drop_begin(sizes), ShapedType::isDynamic))
    return std::nullopt;
  return sizes;
}

static std::optional<Term> expand(Reader &reader, tensor::ExpandShapeOp op,
                                  ArrayRef<AffineExpr> at) {
  Term t{op.getSrc(), {}};
  for (const ReassociationIndices &group : op.getReassociationIndices()) {
    auto sizes = sizesOf(op.getResultType(), group);
    if (!sizes)
      return std::nullopt;
    SmallVector<AffineExpr> indices;
    for (int64_t d : group)
      indices.push_back(at[d]);
    t.at.push_back(join(reader, indices, *sizes));
  }
  return t;
}

static std::optional<Term> collapse(Reader &reader, tensor::CollapseShapeOp op,
                                    ArrayRef<AffineExpr> at) {
  Term t{op.getSrc(), {}};
  for (auto [group, e] : llvm::zip_equal(op.getReassociationIndices(), at)) {
    auto sizes = sizesOf(op.getSrcType(), group);
    if (!sizes)
      return std::nullopt;
    split(reader, e, *sizes, t.at);
  }
  return t;
}

/// Whether a slice takes all of dimension `d` of `tensor`.
static bool isFull(Value tensor, int64_t d, OpFoldResult offset, OpFoldResult size,
                   OpFoldResult stride) {
  if (!isConstantIntValue(offset, 0) || !isConstantIntValue(stride, 1))
    return false;
  int64_t n = cast<RankedTensorType>(tensor.getType()).getDimSize(d);
  if (std::optional<int64_t> constant = getConstantIntValue(size);
      constant && ShapedType::isStatic(n))
    return *constant == n;
  FailureOr<bool> equal = ValueBoundsConstraintSet::areEqual({tensor, d}, {size});
  return succeeded(equal) && *equal;
}

/// A dimension that varies must be taken whole, so that a variable which spans
/// the slice also spans what it was taken from.
static std::optional<Term> slice(Reader &reader, tensor::ExtractSliceOp op,
                                 ArrayRef<AffineExpr> at) {
  Term t{op.getSource(), {}};
  llvm::SmallBitVector dropped = op.getDroppedDims();
  unsigned next = 0;
  for (auto [d, offset, size, stride] :
       llvm::enumerate(op.getMixedOffsets(), op.getMixedSizes(), op.getMixedStrides())) {
    AffineExpr e = dropped[d] ? reader.number(0) : at[next++];
    if (isFull(op.getSource(), d, offset, size, stride)) {
      t.at.push_back(e);
      continue;
    }
    std::optional<int64_t> first = getConstantIntValue(offset), by = getConstantIntValue(stride);
    if (!constantOf(e) || !first || !by)
      return std::nullopt;
    t.at.push_back(e * *by + *first);
  }
  return t;
}

static std::optional<Term> insert(Reader &reader, tensor::InsertSliceOp op,
                                  ArrayRef<AffineExpr> at) {
  Term source{op.getSource(), {}};
  llvm::SmallBitVector dropped = op.getDroppedDims();
  for (auto [d, offset, size, stride] :
       llvm::enumerate(op.getMixedOffsets(), op.getMixedSizes(), op.getMixedStrides())) {
    AffineExpr e = at[d];
    if (!isFull(op.getDest(), d, offset, size, stride)) {
      std::optional<int64_t> i = constantOf(e), first = getConstantIntValue(offset),
                             count = getConstantIntValue(size), by = getConstantIntValue(stride);
      if (!i || !first || !count || !by)
        return std::nullopt;
      int64_t from = *i - *first;
      if (from < 0 || from % *by || from / *by >= *count)
        return Term{op.getDest(), SmallVector<AffineExpr, 4>(at)};
      e = reader.number(from / *by);
    }
    if (!dropped[d])
      source.at.push_back(e);
  }
  return source;
}

static std::optional<Term> concat(Reader &reader, tensor::ConcatOp op, ArrayRef<AffineExpr> at) {
  std::optional<int64_t> i = constantOf(at[op.getDim()]);
  if (!i)
    return std::nullopt;
  for (Value input : op.getInputs()) {
    int64_t n = cast<RankedTensorType>(input.getType()).getDimSize(op.getDim());
    if (ShapedType::isDynamic(n))
      return std::nullopt;
    if (*i < n) {
      Term t{input, SmallVector<AffineExpr, 4>(at)};
      t.at[op.getDim()] = reader.number(*i);
      return t;
    }
    *i -= n;
  }
  return std::nullopt;
}

std::optional<Term> raise::stepMovement(Reader &reader, Operation *op, ArrayRef<AffineExpr> at) {
  if (auto cast = dyn_cast<tensor::CastOp>(op))
    return isa<RankedTensorType>(cast.getSource().getType())
               ? std::optional<Term>(Term{cast.getSource(), SmallVector<AffineExpr, 4>(at)})
               : std::nullopt;
  if (auto splat = dyn_cast<tensor::SplatOp>(op))
    return Term{splat.getInput(), {}};
  if (auto reshape = dyn_cast<tensor::ExpandShapeOp>(op))
    return expand(reader, reshape, at);
  if (auto reshape = dyn_cast<tensor::CollapseShapeOp>(op))
    return collapse(reader, reshape, at);
  if (auto part = dyn_cast<tensor::ExtractSliceOp>(op))
    return slice(reader, part, at);
  if (auto part = dyn_cast<tensor::InsertSliceOp>(op))
    return insert(reader, part, at);
  if (auto parts = dyn_cast<tensor::ConcatOp>(op))
    return concat(reader, parts, at);
  return std::nullopt;
}
