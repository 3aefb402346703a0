//===- Passes.td - the stages' passes -------------------------------------===//

#ifndef POSENC_PASSES_TD
#define POSENC_PASSES_TD

include "mlir/Pass/PassBase.td"

def PosencDecompose : Pass<"posenc-decompose"> {
  let summary = "lower every posenc operation to unfused linalg";
  let description = [{
    The reference semantics: each encoding becomes one `linalg.generic` whose
    body is what its `emit` builds, attention becomes products and a softmax
    over materialised scores.

    Example: `pe-opt --posenc-decompose`.
  }];
  let options = [Option<"keepKernels", "keep-kernels", "bool", "false",
    "leave operations with regions alone: attention, map, linear, layer_norm">];
  let dependentDialects = ["linalg::LinalgDialect", "scf::SCFDialect", "tensor::TensorDialect"];
}

def PosencRecordSignature : Pass<"posenc-record-signature", "ModuleOp"> {
  let summary = "keep the types of public functions for callers";
  let description = [{
    Sets `posenc.signature` on every public function, which survives the
    lowering to LLVM, and asks for a C interface: by these a runner knows
    shapes and element types.

    Example: `pe-opt --posenc-record-signature`.
  }];
}

def PosencLowerRuntime : Pass<"posenc-lower-runtime", "ModuleOp"> {
  let summary = "lower checks and weights to calls of the runtime library";
  let description = [{
    `posenc.check` becomes a loop and a call of `posenc_fail_index`;
    `cf.assert` a call of `posenc_fail`, which the host survives;
    `posenc.weight` an address in the file that `posenc_weights` maps. Expects
    buffers.

    Example: `pe-opt --posenc-decompose --one-shot-bufferize=bufferize-function-boundaries=1 --posenc-lower-runtime`.
  }];
  let dependentDialects = ["LLVM::LLVMDialect", "func::FuncDialect", "scf::SCFDialect"];
}

#endif // POSENC_PASSES_TD
