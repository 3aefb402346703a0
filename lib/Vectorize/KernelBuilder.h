//===- KernelBuilder.h - short names for vector kernels ---------*- C++ -*-===//

#ifndef POSENC_VECTORIZE_KERNELBUILDER_H
#define POSENC_VECTORIZE_KERNELBUILDER_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace posenc {

/// Builds the body of one kernel function. Constants go to its entry block, so
/// that loops stay free of them.
class KernelBuilder : public mlir::ImplicitLocOpBuilder {
public:
  using Value = mlir::Value;
  using Values = llvm::SmallVector<Value>;

  /// `lanes` is the number of f32 in a native vector.
  KernelBuilder(mlir::Location loc, mlir::func::FuncOp kernel, int64_t lanes);

  int64_t lanes;
  mlir::VectorType vectorType(int64_t n, mlir::Type element = nullptr);
  mlir::VectorType vectorType() { return vectorType(lanes); }

  Value constant(mlir::TypedAttr value);
  Value index(int64_t value);
  Value f32(double value);
  Value splat(double value);     ///< vector of `lanes` f32
  Value splatInt(int64_t value); ///< vector of `lanes` i32
  Value iota(int64_t n);         ///< vector of `n` indices 0, 1, ...

  Value add(Value a, Value b);
  Value add(Value a, int64_t b) { return b ? add(a, index(b)) : a; }
  Value sub(Value a, Value b);
  Value mul(Value a, Value b);
  Value min(Value a, Value b); ///< signed indices
  Value max(Value a, Value b);
  Value less(Value a, Value b);
  Value addf(Value a, Value b);
  Value subf(Value a, Value b);
  Value mulf(Value a, Value b);
  Value fma(Value a, Value b, Value c);
  /// The instruction of x86: `a > b ? a : b`, so a NaN in `b` comes through.
  Value maxf(Value a, Value b);
  Value select(Value condition, Value a, Value b);
  Value broadcast(Value scalar, int64_t n);

  /// A value of f32 from memory of any float type; `n = 0` is a scalar.
  Value load(Value memref, mlir::ValueRange at, int64_t n);
  /// Rounds to the element type of the memref.
  void store(Value value, Value memref, mlir::ValueRange at);
  Value scratch(llvm::ArrayRef<int64_t> shape);

  Values loop(Value from, Value to, Value step, mlir::ValueRange inits,
              llvm::function_ref<Values(Value, mlir::ValueRange)> body);
  void loop(Value from, Value to, int64_t step, llvm::function_ref<void(Value)> body);
  void ifThen(Value condition, llvm::function_ref<void()> body);

  /// Transposes `n` vectors of `n` lanes, 8 or 16: unpacks within 128 bits,
  /// then exchanges the 128-bit parts.
  Values transpose(llvm::ArrayRef<Value> rows);

private:
  Value roundToBF16(Value value);
  Value shuffle(Value a, Value b, llvm::ArrayRef<int64_t> mask);

  mlir::Block *entry;
  llvm::DenseMap<mlir::Attribute, Value> constants;
};

} // namespace posenc

#endif // POSENC_VECTORIZE_KERNELBUILDER_H
