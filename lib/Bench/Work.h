//===- Work.h - What one call has to do at least ----------------*- C++ -*-===//

#ifndef POSENC_BENCH_WORK_H
#define POSENC_BENCH_WORK_H

#include "posenc/Jit/Program.h"

namespace posenc::bench {

struct Work {
  /// Of products, linear layers and attention, there of visible pairs only.
  double flops = 0;
  /// Weights that are read as a whole, once; of tables no more than a call looks
  /// up, which is not counted.
  double bytes = 0;
};

/// Counts what `entry` of the program does for these inputs. Sizes and masks are
/// known at run time only: the program itself computes them, with everything
/// else left out. Fails where work is repeated by a loop, which hides how often.
llvm::Expected<Work> countWork(mlir::MLIRContext &context, llvm::StringRef text,
                               llvm::StringRef entry,
                               llvm::MutableArrayRef<HostTensor> inputs);

} // namespace posenc::bench

#endif // POSENC_BENCH_WORK_H
