#ifndef POSENC_CAUSAL_TD
#define POSENC_CAUSAL_TD

include "posenc/PosencBase.td"

def Posenc_CausalOp : Posenc_MaskEncoding<"causal", (ins UnitAttr:$top_left), "",
    ["getLiveKeys", "isLiveExact", "isTopLeft", "isTranslationInvariant", "isToeplitz"]> {
  let summary = "a query sees the keys up to its own coordinate";
  let description = [{
    Key `j` is visible to query `i` when `pk[j] <= pq[i]`. Without coordinates
    the last query is aligned with the last key (bottom-right), or the first
    with the first under `top_left`; with more queries than keys the former
    leaves the first rows empty.

    Example:

    ```mlir
    func.func @causal(%s: tensor<1x8x?x?xf32>) -> tensor<1x8x?x?xf32> {
      %r = posenc.causal %s : (tensor<1x8x?x?xf32>) -> tensor<1x8x?x?xf32>
      return %r : tensor<1x8x?x?xf32>
    }
    ```
  }];
}

#endif
