//===- Build.cpp - what raised operations need around them ----------------===//

#include "Raise/Raise.h"

#include "mlir/Dialect/Affine/Utils.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"

using namespace mlir;
using namespace posenc;
using namespace posenc::raise;

std::string raise::nameOf(Operation *op) {
  return "'" + op->getName().getStringRef().str() + "'";
}

Value raise::typed(OpBuilder &b, Location loc, Value v, Type type) {
  return v.getType() == type ? v : tensor::CastOp::create(b, loc, type, v).getResult();
}

Value raise::transposed(OpBuilder &b, Location loc, Value v, ArrayRef<int64_t> permutation) {
  if (isIdentityPermutation(permutation))
    return v;
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, loc, v);
  applyPermutationToVector(sizes, permutation);
  Value init = tensor::EmptyOp::create(b, loc, sizes, getElementTypeOrSelf(v));
  return linalg::TransposeOp::create(b, loc, v, init, permutation).getResult()[0];
}

Value raise::buildIndex(OpBuilder &b, Location loc, Reader &reader, AffineExpr e) {
  SmallVector<Value> symbols;
  SmallVector<AffineExpr> numbers;
  for (auto [n, symbol] : llvm::enumerate(reader.getSymbols())) {
    numbers.push_back(b.getAffineSymbolExpr(symbols.size()));
    if (e.isFunctionOfSymbol(n))
      symbols.push_back(symbol.getType().isIndex()
                            ? symbol
                            : arith::IndexCastOp::create(b, loc, b.getIndexType(), symbol));
  }
  return affine::expandAffineExpr(b, loc, e.replaceSymbols(numbers), {}, symbols);
}

Value raise::buildPositions(OpBuilder &b, Location loc, Value v, int64_t row, Value start) {
  Value count =
      getValueOrCreateConstantIndexOp(b, loc, tensor::getMixedSize(b, loc, v, row));
  int64_t size = cast<RankedTensorType>(v.getType()).getDimSize(row);
  return PositionsOp::create(b, loc, RankedTensorType::get(size, b.getI64Type()), count, start);
}
