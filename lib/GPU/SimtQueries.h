//===- SimtQueries.h - queries into shared memory ---------------*- C++ -*-===//

#ifndef POSENC_GPU_SIMTQUERIES_H
#define POSENC_GPU_SIMTQUERIES_H

#include "GPU/ThreadBuilder.h"
#include "posenc/Dialect.h"

namespace posenc {

struct QueryRow {
  mlir::Value batch, head, query;
};

/// Queries, after their map, to the `rows` rows of `tile` from `firstRow` on, f32; `find`
/// says which query belongs into the n-th. `count` threads do it, this one is number
/// `thread`. They have not waited for each other at the end.
void loadSimtQueries(ThreadBuilder &t, AttentionOp op, mlir::Value tile, mlir::Value firstRow,
                     int64_t rows, mlir::Value thread, int64_t count,
                     llvm::function_ref<QueryRow(mlir::Value)> find);

} // namespace posenc

#endif // POSENC_GPU_SIMTQUERIES_H
