//===- Coordinates.h - from row numbers to coordinates ----------*- C++ -*-===//

#ifndef POSENC_DIALECT_COORDINATES_H
#define POSENC_DIALECT_COORDINATES_H

#include "posenc/Dialect.h"

namespace posenc {

/// The coordinate of row `row` in sample `batch`, i32 or f32: `start + row` for
/// `posenc.positions`, else an element of the tensor.
mlir::Value coordinate(Emitter &e, mlir::Value positions, mlir::Value batch, mlir::Value row);

/// Where an element of a token or row encoding sits. Indices are in
/// whole-problem coordinates.
At rowAt(Emitter &e, EncodingOpInterface op, mlir::Value batch, mlir::Value head,
         mlir::Value row, mlir::Value channel);

/// Where a pair of a score or mask encoding sits. `queries` and `keys` are the
/// lengths that align rows without coordinates; null = those of the scores.
At pairAt(Emitter &e, EncodingOpInterface op, mlir::Value batch, mlir::Value head,
          mlir::Value query, mlir::Value key, mlir::Value queries = {}, mlir::Value keys = {});

} // namespace posenc

#endif // POSENC_DIALECT_COORDINATES_H
