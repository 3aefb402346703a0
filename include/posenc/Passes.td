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
  let dependentDialects = ["linalg::LinalgDialect", "scf::SCFDialect", "tensor::TensorDialect"];
}

#endif // POSENC_PASSES_TD
