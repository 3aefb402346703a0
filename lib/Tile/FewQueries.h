//===- FewQueries.h - attention that reads its keys once --------*- C++ -*-===//

#ifndef POSENC_TILE_FEWQUERIES_H
#define POSENC_TILE_FEWQUERIES_H

#include "posenc/Dialect.h"

namespace posenc {

/// Whether one block holds all queries, as is known when compiling: what is
/// computed per key is computed once anyway.
inline bool hasFewQueries(AttentionOp op) {
  int64_t rows = llvm::cast<mlir::ShapedType>(op.getQuery().getType()).getDimSize(op.getRowDim());
  return !mlir::ShapedType::isDynamic(rows) && rows <= 16;
}

} // namespace posenc

#endif // POSENC_TILE_FEWQUERIES_H
