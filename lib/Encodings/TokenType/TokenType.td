#ifndef POSENC_TOKEN_TYPE_TD
#define POSENC_TOKEN_TYPE_TD

include "posenc/PosencBase.td"

def Posenc_TokenTypeOp : Posenc_TokenEncoding<"token_type",
    (ins RankedTensorOf<[I64, I32], [HasAnyRankOfPred<[2]>]>:$ids,
         RankedTensorOf<[F32, F16, BF16], [HasAnyRankOfPred<[2]>]>:$table),
    "`ids` `(` $ids `)` `table` `(` $table `)`", ["emitChecks"]> {
  let summary = "a table row for the kind of each token, added to the tokens";
  let description = [{
    `y[b, i, :] = x[b, i, :] + table[ids[b, i], :]`, for any annotation of
    tokens by integers: segment (BERT), part of speech, speaker, page. An id
    outside the table is a run-time error.

    Example:

    ```mlir
    func.func @token_type(%x: tensor<?x?x8xf32>, %ids: tensor<?x?xi64>, %table: tensor<2x8xf32>) -> tensor<?x?x8xf32> {
      %y = posenc.token_type %x ids(%ids) table(%table)
        : (tensor<?x?x8xf32>, tensor<?x?xi64>, tensor<2x8xf32>) -> tensor<?x?x8xf32>
      return %y : tensor<?x?x8xf32>
    }
    ```
  }];
  let hasVerifier = 1;
}

#endif
