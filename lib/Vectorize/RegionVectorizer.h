//===- RegionVectorizer.h - scalar regions on vectors -----------*- C++ -*-===//

#ifndef POSENC_VECTORIZE_REGIONVECTORIZER_H
#define POSENC_VECTORIZE_REGIONVECTORIZER_H

#include "Vectorize/KernelBuilder.h"

#include "mlir/IR/IRMapping.h"

#include <optional>

namespace posenc {

/// One value of a region for all lanes: a scalar if it is the same for all, else
/// vectors. `step` is known if the lanes are `first + step * lane`.
struct Lanes {
  llvm::SmallVector<mlir::Value, 2> chunks;
  std::optional<int64_t> step;
  llvm::SmallVector<mlir::Value, 2> first; ///< of each chunk, if `step` is known

  Lanes() = default;
  /// A scalar, or one vector.
  Lanes(mlir::Value value) : chunks{value} {}
  explicit Lanes(mlir::ValueRange chunks) : chunks(chunks.begin(), chunks.end()) {}
  /// `base + lane` for `count` chunks of `n` lanes, or the scalar `base`.
  static Lanes counting(KernelBuilder &b, mlir::Value base, unsigned count, int64_t n);

  bool isUniform() const { return !llvm::isa<mlir::VectorType>(chunks[0].getType()); }
  /// `count` vectors of `n` lanes; of scalars for `n = 0`.
  llvm::SmallVector<mlir::Value> asVectors(KernelBuilder &b, unsigned count, int64_t n) const;
};

/// Clones a scalar region into code that computes it for some lanes at once, as
/// many as the values have that its arguments are bound to. Operations whose
/// operands are the same for all lanes stay scalar.
class RegionVectorizer {
public:
  using Binding = std::pair<mlir::Value, Lanes>;

  /// `outer` maps values from outside the region. `dense` is true at run time
  /// if no lane was clamped (null: always), so that steps can be trusted.
  RegionVectorizer(KernelBuilder &b, mlir::Region &region, const mlir::IRMapping &outer,
                   mlir::Value dense = nullptr)
      : b(b), block(region.front()), outer(outer), dense(dense) {}

  /// True if no operation has to be repeated for every lane when the `varying`
  /// arguments are vectors.
  static bool hasVectorForm(mlir::Region &region, mlir::ValueRange varying);

  /// For all evaluations: an argument, or a result in place of its operation.
  void bind(mlir::Value value, Lanes lanes) { bound[value] = std::move(lanes); }
  /// Clones, here and once, what depends on bound values only.
  void hoist();
  /// Binds the other arguments for this call and clones the rest; returns what
  /// the region yields. May be called again, at other places.
  llvm::SmallVector<Lanes> evaluate(llvm::ArrayRef<Binding> bindings);

  /// True once an operation was met that cannot be cloned; it has been reported.
  bool failed() const { return hasFailed; }

private:
  using Values = llvm::DenseMap<mlir::Value, Lanes>;

  Lanes lookup(mlir::Value value, const Values &values) const;
  bool isReady(mlir::Operation &op, const Values &values) const;
  void clone(mlir::Operation &op, Values &values);
  void cloneElementwise(mlir::Operation &op, Values &values);
  void cloneLoad(mlir::memref::LoadOp op, Values &values);
  void cloneLanes(mlir::Operation &op, llvm::ArrayRef<mlir::Value> used, Values &values);
  std::optional<int64_t> stepOf(mlir::Operation &op, const Values &values) const;
  mlir::Value loadWhole(mlir::Value memref, llvm::ArrayRef<Lanes> at, unsigned chunk, int64_t n);
  mlir::Value gather(mlir::Value memref, llvm::ArrayRef<Lanes> at, unsigned chunk, int64_t n);

  KernelBuilder &b;
  mlir::Block &block;
  const mlir::IRMapping &outer;
  mlir::Value dense;
  Values bound;
  bool hasFailed = false;
};

} // namespace posenc

#endif // POSENC_VECTORIZE_REGIONVECTORIZER_H
