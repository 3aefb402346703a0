//===- Passes.h - the stages' passes ----------------------------*- C++ -*-===//

#ifndef POSENC_PASSES_H
#define POSENC_PASSES_H

#include "posenc/Dialect.h"
#include "posenc/Fragments.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/OpenMP/OpenMPDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Dialect/X86Vector/X86VectorDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace posenc {
using namespace mlir; // the generated declarations name upstream dialects

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "posenc/Passes.h.inc"
} // namespace posenc

#endif // POSENC_PASSES_H
