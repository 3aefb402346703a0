//===- KernelBuilder.h - builds the code of kernels -------------*- C++ -*-===//

#ifndef POSENC_VECTORIZE_KERNELBUILDER_H
#define POSENC_VECTORIZE_KERNELBUILDER_H

#include "posenc/Encoding.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace posenc {

/// Builds a kernel's body or the code around its calls: to what an `Emitter`
/// does it adds memory, loops, and what only vectors can do. Computes in f32,
/// whatever memory holds. For a count of lanes, `n = 0` is a scalar.
class KernelBuilder : public Emitter {
public:
  using Values = llvm::SmallVector<Value>;

  /// Appends to `entry`; constants go to its start, so that loops stay free of
  /// them. `lanes` is the number of f32 in a native vector.
  KernelBuilder(mlir::Location loc, mlir::Block *entry, int64_t lanes);

  const int64_t lanes;
  bool bf16Pairs = false; ///< the processor has AVX512_BF16

  // Values. Divisions are those of a >= 0.
  Value constant(mlir::TypedAttr value) override;
  mlir::VectorType vectorType(int64_t n, mlir::Type element = nullptr); ///< of f32 if null
  Value splat(double value, int64_t n); ///< n f32
  Value splat(double value) { return splat(value, lanes); }
  Value splatInt(int64_t value, int64_t n); ///< n i32
  Value iota(int64_t n);                    ///< n indices 0, 1, ...
  Value broadcast(Value scalar, int64_t n);
  using Emitter::add, Emitter::sub, Emitter::mul, Emitter::min, Emitter::max, Emitter::less;
  Value add(Value a, int64_t b) { return b ? add(a, index(b)) : a; }
  Value sub(Value a, int64_t b) { return b ? sub(a, index(b)) : a; }
  Value mul(Value a, int64_t b) { return b != 1 ? mul(a, index(b)) : a; }
  Value min(Value a, int64_t b) { return min(a, index(b)); }
  Value max(Value a, int64_t b) { return max(a, index(b)); }
  Value divide(Value a, Value b);
  Value divide(Value a, int64_t b) { return b != 1 ? divide(a, index(b)) : a; }
  Value ceilDivide(Value a, Value b);
  Value ceilDivide(Value a, int64_t b) { return divide(add(a, b - 1), b); }
  /// The largest multiple of `b` up to `a`.
  Value roundDown(Value a, int64_t b) { return mul(divide(a, b), b); }
  Value fma(Value a, Value b, Value c);
  /// 2^x for x < 128, relative error about 2e-7. What lies below -126 counts as
  /// -126; a NaN stays one.
  Value exp2(Value x);
  /// The same for a result that is rounded to bf16, relative error about 7e-5.
  Value exp2ForBF16(Value x);
  /// The sum, or the largest, of all lanes, as a tree.
  Value sum(Value v);
  Value largest(Value v);
  /// The sums of several vectors as the lanes of one. If a vector holds several, each of
  /// a segment of its lanes, there may be as many vectors as a segment has lanes: their
  /// first sums come first, then their second ones.
  Value sums(llvm::ArrayRef<Value> vectors, int64_t segment);
  Value sums(llvm::ArrayRef<Value> vectors) { return sums(vectors, lanes); }
  /// The lanes [from, from + n).
  Value slice(Value v, int64_t from, int64_t n);
  /// A native vector of nothing but `v`, one after the other.
  Value repeat(Value v);
  /// Transposes `n` vectors of `n` lanes, 8 or 16.
  Values transpose(llvm::ArrayRef<Value> rows);
  /// One step of a register tile: sums[r][c] += left(r) * right[c].
  void addProducts(llvm::function_ref<Value(int64_t)> left, mlir::ValueRange right,
                   llvm::MutableArrayRef<Value> sums);

  // Pairs: two bf16 in the place of an f32, which is only moved.
  /// Of the elements 2 i and 2 i + 1 of a row; vectors of n pairs, a scalar for n = 0.
  Value loadPairs(Value memref, mlir::ValueRange row, Value i, int64_t n);
  /// Of the lanes of two vectors of f32 or bf16.
  Value makePairs(Value first, Value second);
  /// sum + a[0] b[0] + a[1] b[1]; a scalar that is broadcast should be `b`.
  Value addPairs(Value sum, Value a, Value b);

  // Memory. Of the lanes, only the first `active` exist there.
  Value load(Value memref, mlir::ValueRange at, int64_t n, int64_t active);
  Value load(Value memref, mlir::ValueRange at, int64_t n) { return load(memref, at, n, n); }
  /// Rounds a scalar or a vector to the memref's elements.
  void store(Value value, Value memref, mlir::ValueRange at, int64_t active);
  void store(Value value, Value memref, mlir::ValueRange at);
  /// Copies the channels [from, to) of a row.
  void copy(Value source, mlir::ValueRange sourceRow, Value target, mlir::ValueRange targetRow,
            Value from, Value to);
  /// Asks for an element that is read soon, into the cache of that level.
  void prefetch(Value memref, mlir::ValueRange at, bool isWrite = false, unsigned level = 2);
  /// Memory of a call, f32 unless said otherwise.
  Value scratch(llvm::ArrayRef<int64_t> shape, mlir::Type element = nullptr);
  Value size(Value memref, int64_t dim);
  Value lastSize(Value memref);
  Value rowCount(Value memref);
  /// Indices of all dimensions but the last, or the last few; `row` counts in row-major
  /// order.
  Values leading(Value memref, Value row, int64_t last = 1);
  /// The same for any extents.
  Values delinearize(Value number, mlir::ValueRange extents);

  // Control. A loop counts in the type of its bounds, index or i32.
  void loop(Value from, Value to, int64_t step, llvm::function_ref<void(Value)> body);
  Values loop(Value from, Value to, int64_t step, mlir::ValueRange inits,
              llvm::function_ref<Values(Value, mlir::ValueRange)> body);
  /// A loop that is not unrolled, so that one load walks through memory: hardware
  /// predicts addresses per instruction.
  void walk(Value from, Value to, int64_t step, llvm::function_ref<void(Value)> body);
  /// Parallel loops from 0.
  void parallel(mlir::ValueRange to, llvm::ArrayRef<int64_t> steps,
                llvm::function_ref<void(mlir::ValueRange)> body);
  /// Runs `body(c, n)` over channels [from, to): vectors of `n` lanes, then
  /// scalars, `body(c, 0)`; only these for `n = 0`.
  void channels(Value from, Value to, int64_t n, llvm::function_ref<void(Value, int64_t)> body);
  void ifThen(Value condition, llvm::function_ref<void()> body);
  /// What `body` gives if the condition holds, else `otherwise`.
  Values ifThen(Value condition, mlir::ValueRange otherwise, llvm::function_ref<Values()> body);

protected:
  virtual Value roundToBF16(Value value);

private:
  std::pair<Value, Value> splitExponent(Value x, int64_t steps);
  Value exp2(Value x, llvm::ArrayRef<double> coefficients);
  bool isTableOfExponents(Value x) const;
  Value exp2ByTable(Value x, llvm::ArrayRef<double> coefficients);
  Value reduce(Value v, llvm::function_ref<Value(Value, Value)> combine);

  mlir::Block *entry;
  llvm::DenseMap<mlir::Attribute, Value> constants;
};

/// True if vectors of the last dimension can be read from and written to it.
bool hasUnitStride(mlir::Value memref);

/// A position in memory: a row and a channel in it.
llvm::SmallVector<mlir::Value> join(mlir::ValueRange row, mlir::Value channel);

} // namespace posenc

#endif // POSENC_VECTORIZE_KERNELBUILDER_H
