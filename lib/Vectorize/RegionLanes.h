//===- RegionLanes.h - scalar regions on vectors of channels ----*- C++ -*-===//

#ifndef POSENC_VECTORIZE_REGIONLANES_H
#define POSENC_VECTORIZE_REGIONLANES_H

#include "Vectorize/RowEmitter.h"

#include "mlir/IR/IRMapping.h"

namespace posenc {

/// What a value of a region is for a vector of lanes: one scalar for all, or a
/// vector. `first` is that of lane 0 if each lane adds one to the lane before.
struct Lane {
  mlir::Value value;
  mlir::Value first = nullptr;
  bool isVector() const { return llvm::isa<mlir::VectorType>(value.getType()); }
};

/// Clones a region of a kernel op for scalars or for vectors.
class RegionLanes {
public:
  using Binding = std::pair<mlir::Value, Lane>;

  /// `outer` maps values from outside the region.
  RegionLanes(RowEmitter &e, mlir::Region &region, const mlir::IRMapping &outer)
      : e(e), block(region.front()), scalars(outer) {}

  /// True if the region can be cloned when `varying` of its values are vectors.
  static bool isSupported(mlir::Region &region, mlir::ValueRange varying);

  /// Gives arguments that are the same for all lanes, then clones here what
  /// depends on them only.
  void hoist(llvm::ArrayRef<std::pair<mlir::Value, mlir::Value>> uniform);

  /// Clones the rest; returns what is yielded, as vectors of `n` lanes (scalars
  /// for `n = 0`). Operations whose results are bound are left out.
  llvm::SmallVector<mlir::Value> evaluate(llvm::ArrayRef<Binding> bindings, int64_t n);

private:
  Lane vectorOp(mlir::Operation &op, int64_t n);
  mlir::Value vectorLoad(mlir::memref::LoadOp op, int64_t n);
  mlir::Value asVector(mlir::Value value, int64_t n);

  RowEmitter &e;
  mlir::Block &block;
  mlir::IRMapping scalars;
  llvm::DenseMap<mlir::Value, Lane> vectors; ///< of the current evaluation
};

} // namespace posenc

#endif // POSENC_VECTORIZE_REGIONLANES_H
