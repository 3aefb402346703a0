//===- RowEmitter.h - vectors of channels in rows ---------------*- C++ -*-===//

#ifndef POSENC_VECTORIZE_ROWEMITTER_H
#define POSENC_VECTORIZE_ROWEMITTER_H

#include "posenc/Encoding.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace posenc {

/// Builds kernels that work on rows, channels as lanes. Computes in f32,
/// whatever memory holds.
class RowEmitter : public Emitter {
public:
  using Values = llvm::SmallVector<Value>;

  RowEmitter(mlir::Location loc, mlir::Block *entry, int64_t lanes)
      : Emitter(loc, mlir::OpBuilder::atBlockEnd(entry)), lanes(lanes) {}

  const int64_t lanes; ///< f32 of a native vector

  mlir::VectorType vector(int64_t n, mlir::Type element) {
    return mlir::VectorType::get(n, element);
  }
  Value splat(double value);
  Value broadcast(Value scalar, int64_t n);
  Value addf(Value a, Value b) { return mlir::arith::AddFOp::create(*this, a, b); }
  Value subf(Value a, Value b) { return mlir::arith::SubFOp::create(*this, a, b); }
  Value mulf(Value a, Value b) { return mlir::arith::MulFOp::create(*this, a, b); }
  Value plus(Value a, int64_t b) { return b ? add(a, index(b)) : a; }
  Value divide(Value a, int64_t b); ///< a / b for a >= 0
  Value divide(Value a, Value b);
  Value ceilDivide(Value a, Value b);
  /// The sum of all lanes, as a tree.
  Value sum(Value v);

  /// `n` elements as f32, a scalar for `n = 0`. Of the lanes, only the first
  /// `active` exist.
  Value load(Value memref, mlir::ValueRange at, int64_t n, int64_t active);
  Value load(Value memref, mlir::ValueRange at, int64_t n) { return load(memref, at, n, n); }
  /// Rounds a scalar or a vector to the memref's elements.
  void store(Value value, Value memref, mlir::ValueRange at, int64_t active);
  void store(Value value, Value memref, mlir::ValueRange at);

  /// Indices of all dimensions but the last; `row` counts in row-major order.
  Values leading(Value memref, Value row);
  Value size(Value memref, int64_t dim);
  Value lastSize(Value memref);
  Value rowCount(Value memref);

  void loop(Value from, Value to, int64_t step, llvm::function_ref<void(Value)> body);
  Values loop(Value from, Value to, int64_t step, mlir::ValueRange inits,
              llvm::function_ref<Values(Value, mlir::ValueRange)> body);
  /// Runs `body(c, n)` over channels [from, to): vectors, then scalars (n = 0).
  void channels(Value from, Value to, llvm::function_ref<void(Value, int64_t)> body,
                bool vectors = true);
  /// Runs `body(n)` for the n in [1, count] that `selector` equals; others do nothing.
  void choose(Value selector, int64_t count, llvm::function_ref<void(int64_t)> body);

private:
  Value constantLike(mlir::Type type, int64_t value);
  Value roundToBF16(Value value);
};

/// True if vectors of the last dimension can be read from and written to it.
bool hasUnitStride(mlir::Value memref);

} // namespace posenc

#endif // POSENC_VECTORIZE_ROWEMITTER_H
