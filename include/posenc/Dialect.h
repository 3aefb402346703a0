//===- Dialect.h - the posenc dialect ---------------------------*- C++ -*-===//

#ifndef POSENC_DIALECT_H
#define POSENC_DIALECT_H

#include "posenc/Encoding.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"
#include "mlir/Interfaces/TilingInterface.h"

namespace posenc {
using namespace mlir; // generated interface methods name upstream types
}

#define GET_OP_CLASSES
#include "posenc/PosencOps.h.inc"

#endif // POSENC_DIALECT_H
