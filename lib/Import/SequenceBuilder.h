//===- SequenceBuilder.h - linalg on padded sequences -----------*- C++ -*-===//

#ifndef POSENC_IMPORT_SEQUENCEBUILDER_H
#define POSENC_IMPORT_SEQUENCEBUILDER_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace posenc {

/// Builds f32 arithmetic on batches of padded sequences with linalg. Shapes
/// have two dynamic extents at most: the first is the batch, the second the
/// row. `valid` is B x S, i1, true where a token is not padding.
class SequenceBuilder {
public:
  using Value = mlir::Value;
  using Body = llvm::function_ref<Value(mlir::ValueRange)>;

  explicit SequenceBuilder(mlir::MLIRContext &context)
      : b(mlir::UnknownLoc::get(&context), &context) {}

  Value index(int64_t value);
  Value f32(double value);
  Value empty(llvm::ArrayRef<int64_t> shape, mlir::Type element);
  Value filled(llvm::ArrayRef<int64_t> shape, Value value);

  /// One linalg.generic; `body` sees the inputs' elements, then the result's.
  Value generic(mlir::ValueRange inputs,
                llvm::ArrayRef<mlir::AffineMap> inputMaps, Value init,
                mlir::AffineMap initMap,
                llvm::ArrayRef<mlir::utils::IteratorType> iterators, Body body);
  /// The same with identity maps: inputs and result have one shape.
  Value elementwise(mlir::ValueRange inputs, mlir::Type element, Body body);

  Value add(Value x, Value y);
  /// 0.5 x (1 + erf(x / sqrt 2)).
  Value gelu(Value x);
  /// B x S integers to i1: whether they differ from 0.
  Value notZero(Value mask);
  /// B x S x C to B x C: the mean over the valid tokens, 0 where there is none.
  Value meanPool(Value x, Value valid);
  /// B x C, each row divided by its L2 norm; a row of zeros stays.
  Value unitRows(Value x);

protected:
  mlir::ImplicitLocOpBuilder b;
  /// The run-time sizes of the two dynamic extents.
  Value batch, rows;
};

} // namespace posenc

#endif // POSENC_IMPORT_SEQUENCEBUILDER_H
