#ifndef POSENC_ALIBI_TD
#define POSENC_ALIBI_TD

include "posenc/PosencBase.td"

def Posenc_AlibiOp : Posenc_ScoreEncoding<"alibi",
    (ins DefaultValuedAttr<F64Attr, "8.0">:$max_bias), "",
    ["isTranslationInvariant", "isHeadDependent", "isToeplitz"]> {
  let summary = "linear distance bias with a slope per head";
  let description = [{
    `s[b, h, i, j] - m_h * |pq[i] - pk[j]|` (ALiBi, Press et al. 2021, arXiv
    2108.12409). With `n = 2^floor(log2 H)` the slopes are `2^(-B (h + 1) / n)`
    for the first `n` heads and `2^(-B (2 (h - n) + 1) / (2 n))` for the rest;
    `B` is `max_bias`. The number of heads must be static.

    Example:

    ```mlir
    func.func @alibi(%s: tensor<1x8x?x?xf32>, %q: tensor<?xi64>, %k: tensor<?xi64>) -> tensor<1x8x?x?xf32> {
      %r = posenc.alibi %s at(%q, %k)
        : (tensor<1x8x?x?xf32>, tensor<?xi64>, tensor<?xi64>) -> tensor<1x8x?x?xf32>
      return %r : tensor<1x8x?x?xf32>
    }
    ```
  }];
  let hasVerifier = 1;
}

#endif
