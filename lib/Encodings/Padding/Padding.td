#ifndef POSENC_PADDING_TD
#define POSENC_PADDING_TD

include "posenc/PosencBase.td"

def Posenc_PaddingOp : Posenc_MaskEncoding<"padding",
    (ins RankedTensorOf<[I1], [HasAnyRankOfPred<[2]>]>:$valid), "`valid` `(` $valid `)`", ["emitChecks"]> {
  let summary = "a query sees the keys that are not padding";
  let description = [{
    Key `j` of sample `b` is visible when `valid[b, j]` is true.

    Example:

    ```mlir
    func.func @padding(%s: tensor<?x8x?x?xf32>, %valid: tensor<?x?xi1>) -> tensor<?x8x?x?xf32> {
      %r = posenc.padding %s valid(%valid)
        : (tensor<?x8x?x?xf32>, tensor<?x?xi1>) -> tensor<?x8x?x?xf32>
      return %r : tensor<?x8x?x?xf32>
    }
    ```
  }];
  let hasVerifier = 1;
}

#endif
