//===- Fragments.h - the pgpu dialect ---------------------------*- C++ -*-===//

#ifndef POSENC_FRAGMENTS_H
#define POSENC_FRAGMENTS_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "posenc/FragmentEnums.h.inc"

#include "posenc/FragmentDialect.h.inc"

#define GET_TYPEDEF_CLASSES
#include "posenc/FragmentTypes.h.inc"

#define GET_OP_CLASSES
#include "posenc/FragmentOps.h.inc"

#endif // POSENC_FRAGMENTS_H
