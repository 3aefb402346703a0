#ifndef POSENC_LEARNED_TD
#define POSENC_LEARNED_TD

include "posenc/PosencBase.td"

def Posenc_LearnedOp : Posenc_TokenEncoding<"learned",
    (ins RankedTensorOf<[F32, F16, BF16], [HasAnyRankOfPred<[2]>]>:$table,
         DefaultValuedAttr<I64Attr, "0">:$offset), "`table` `(` $table `)`", ["emitChecks"]> {
  let summary = "learned table of positions, added to the tokens";
  let description = [{
    `y[b, i, :] = x[b, i, :] + table[p + offset, :]` (BERT, GPT-2; offset 2:
    OPT, BART). Coordinates are integers; one outside the table is a run-time error; it never
    wraps or clamps.

    Example:

    ```mlir
    func.func @learned(%x: tensor<?x?x8xf32>, %pos: tensor<?xi64>, %table: tensor<512x8xf32>) -> tensor<?x?x8xf32> {
      %y = posenc.learned %x at(%pos) table(%table)
        : (tensor<?x?x8xf32>, tensor<?xi64>, tensor<512x8xf32>) -> tensor<?x?x8xf32>
      return %y : tensor<?x?x8xf32>
    }
    ```
  }];
  let hasVerifier = 1;
}

#endif
