//===- ThreadBuilder.h - builds the code of a thread ------------*- C++ -*-===//

#ifndef POSENC_GPU_THREADBUILDER_H
#define POSENC_GPU_THREADBUILDER_H

#include "Vectorize/KernelBuilder.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"

namespace posenc {

constexpr int64_t kWarp = 32;

/// Builds what one thread of a launch does. Vectors are consecutive elements of
/// the thread, not lanes; for their length, 1 is a scalar.
class ThreadBuilder : public KernelBuilder {
public:
  explicit ThreadBuilder(mlir::gpu::LaunchOp launch);

  Value block, thread; ///< the block in the grid, the thread in the block
  Value warp, lane;    ///< the warp in the block, the lane in the warp

  /// a * b + c, rounded once; of scalars and vectors.
  Value fma(Value a, Value b, Value c);

  /// Lets a product and the sum it goes into be one instruction, in all that was built.
  void contract();

  /// Tells of the vectors in memory that were built when they start at a multiple of
  /// their size, or of 16 bytes, as far as types of memory and numbers show it.
  void align();

  // Memory.
  /// How many consecutive elements of a row, 1 or a power of two, one access of at
  /// most 16 bytes can take: all rows must start at a multiple of it.
  static int64_t widest(Value memref);
  /// `n` elements in f32, where `n` divides the row and the place.
  Value loadWide(Value memref, mlir::ValueRange at, int64_t n);
  void storeWide(Value value, Value memref, mlir::ValueRange at);
  /// Element `i` of a vector; a scalar is its own.
  Value element(Value vector, int64_t i);
  Value join(mlir::ArrayRef<Value> elements);
  /// Memory of the block, f32.
  Value shared(llvm::ArrayRef<int64_t> shape);

  // Warps. Every lane calls them.
  /// What the lane has whose number differs by `distance`, a power of two.
  Value shuffle(Value v, int64_t distance);
  // All lanes get the result.
  Value warpMax(Value v);
  Value warpSum(Value v);
  /// Whether a condition holds in any lane.
  Value any(Value condition);
  /// A number that is the same for all lanes, which the assembler is told this way:
  /// what follows from it takes registers of the warp.
  Value uniform(Value v);
  /// Makes what lanes have written to shared memory visible to each other.
  void syncWarp();
  /// The same for all threads of the block.
  void syncBlock();

  /// The statement `body` for every `i` in [0, count) that is `first` modulo `step`.
  void strided(Value first, Value count, int64_t step, llvm::function_ref<void(Value)> body) {
    loop(first, count, step, body);
  }

protected:
  Value roundToBF16(Value value) override;

private:
  Value reduceWarp(Value v, llvm::function_ref<Value(Value, Value)> combine);
  mlir::gpu::LaunchOp launch;
};

/// A launch of `blocks` blocks of `threads` threads before `op`, whose kernel is
/// called after it, with `sharedBytes` of dynamic shared memory. `body` builds what
/// a thread does.
mlir::LogicalResult
buildLaunch(mlir::Operation *op, llvm::StringRef name, mlir::Value blocks, int64_t threads,
            llvm::function_ref<mlir::LogicalResult(ThreadBuilder &)> body,
            int64_t sharedBytes = 0);

} // namespace posenc

#endif // POSENC_GPU_THREADBUILDER_H
