//===- SevenProducts.h - Strassen's products of register tiles --*- C++ -*-===//
//
// Two tiles of rows by two panels are eight products of half the inputs each. In
// Winograd's form of Strassen's algorithm they are seven, of sums of blocks.
//
//===----------------------------------------------------------------------===//

#ifndef POSENC_VECTORIZE_SEVENPRODUCTS_H
#define POSENC_VECTORIZE_SEVENPRODUCTS_H

#include "Vectorize/LinearEpilogue.h"

namespace posenc {

class SevenProducts {
  using Value = mlir::Value;
  using Values = llvm::SmallVector<Value>;

public:
  /// Rows of half a block, whole tiles; 0 if there are better no seven products.
  static int64_t halfBlock(int64_t inputs, int64_t height, int64_t lanes);

  /// How many outputs a panel should have.
  static int64_t choosePanel(int64_t outputs, int64_t lanes);
  /// Rows of a layer that are worth the sums, and their way from memory.
  static constexpr int64_t fewest = 384;

  /// `operands` are those of the kernel.
  SevenProducts(KernelBuilder &b, const LinearPlan &plan, mlir::ValueRange operands,
                LinearEpilogue &epilogue);

  /// As many rows and panels as come in pairs; the first panel has to be an even one.
  /// `input` has these rows from `firstRow` on.
  void build(Value input, Value firstRow, mlir::ValueRange rows, mlir::ValueRange panels);
  /// The first row of `panel` that was left.
  Value firstLeft(Value panel);

private:
  enum Rows : unsigned;
  void addRows();
  struct Product {
    Rows rows;
    Value weights, at; ///< from there on
  };
  Values product(const Product &product, const Product &next, Value row, Values acc);
  void panelPair(Value panel);

  KernelBuilder &b;
  const LinearPlan &plan;
  LinearEpilogue &epilogue;
  Value x, first, weight, sums, blocks, kept;
  Value start, half, left, endOfPairs; ///< rows and panels of a call
};

} // namespace posenc

#endif // POSENC_VECTORIZE_SEVENPRODUCTS_H
