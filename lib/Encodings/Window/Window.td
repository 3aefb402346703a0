#ifndef POSENC_WINDOW_TD
#define POSENC_WINDOW_TD

include "posenc/PosencBase.td"

def Posenc_WindowOp : Posenc_MaskEncoding<"window",
    (ins DefaultValuedAttr<I64Attr, "-1">:$left, DefaultValuedAttr<I64Attr, "-1">:$right,
         UnitAttr:$top_left), "",
    ["getLiveKeys", "isLiveExact", "isTopLeft", "isTranslationInvariant", "isToeplitz"]> {
  let summary = "a query sees the keys near its own coordinate";
  let description = [{
    Key `j` is visible to query `i` when `pq[i] - left <= pk[j] <= pq[i] + right`;
    both bounds are inclusive, and -1 stands for none. A causal window of `W`
    keys, the query's own among them, is `left = W - 1, right = 0`. Alignment
    without coordinates as for `posenc.causal`.

    Example:

    ```mlir
    func.func @window(%s: tensor<1x8x?x?xf32>) -> tensor<1x8x?x?xf32> {
      %r = posenc.window %s {left = 255 : i64, right = 0 : i64}
        : (tensor<1x8x?x?xf32>) -> tensor<1x8x?x?xf32>
      return %r : tensor<1x8x?x?xf32>
    }
    ```
  }];
  let hasFolder = 1;
  let hasVerifier = 1;
}

#endif
