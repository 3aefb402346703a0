//===- RegionVectorizer.h - scalar regions on vectors -----------*- C++ -*-===//

#ifndef POSENC_VECTORIZE_REGIONVECTORIZER_H
#define POSENC_VECTORIZE_REGIONVECTORIZER_H

#include "Vectorize/KernelBuilder.h"

#include "mlir/IR/IRMapping.h"

#include <optional>

namespace posenc {

/// One scalar value of a region for all lanes: a scalar if all have the same,
/// else vectors. `step` is known if the lanes are `first + step * lane`.
struct Lanes {
  llvm::SmallVector<mlir::Value, 2> chunks;
  bool uniform = false;
  std::optional<int64_t> step;
  llvm::SmallVector<mlir::Value, 2> first; ///< of each chunk, if `step` is known

  static Lanes scalar(mlir::Value value);
  static Lanes vectors(mlir::ValueRange chunks);
  /// `base + lane` for `count` chunks of `lanes`.
  static Lanes counting(KernelBuilder &b, mlir::Value base, unsigned count, int64_t lanes);

  /// The chunks as vectors, whether uniform or not.
  llvm::SmallVector<mlir::Value> asVectors(KernelBuilder &b, unsigned count, int64_t lanes) const;
};

/// Clones a scalar region into code that computes `count * lanes` elements at
/// once. Operations whose operands are the same for all lanes stay scalar;
/// those that depend on no deferred argument are cloned once by `hoist`.
class RegionVectorizer {
public:
  /// `outer` maps values from outside the region. `dense` is true at run time
  /// if no lane was clamped (null: always), so that steps can be trusted.
  RegionVectorizer(KernelBuilder &b, mlir::Region &region, unsigned count, int64_t lanes,
                   mlir::IRMapping &outer, mlir::Value dense = nullptr)
      : b(b), block(region.front()), count(count), lanes(lanes), outer(outer), dense(dense) {}

  void bind(unsigned argument, Lanes value);
  /// Clones what depends on bound arguments only.
  void hoist();
  /// Binds the other arguments for this call and clones the rest; returns what
  /// the region yields. May be called again, at other places.
  llvm::SmallVector<Lanes> evaluate(llvm::ArrayRef<std::pair<unsigned, Lanes>> arguments);

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
  mlir::Value gather(mlir::memref::LoadOp op, mlir::Value memref, llvm::ArrayRef<Lanes> at,
                     unsigned chunk);

  KernelBuilder &b;
  mlir::Block &block;
  unsigned count;
  int64_t lanes;
  mlir::IRMapping &outer;
  mlir::Value dense;
  Values bound;
  llvm::DenseSet<mlir::Operation *> hoisted;
  bool hasFailed = false;
};

} // namespace posenc

#endif // POSENC_VECTORIZE_REGIONVECTORIZER_H
