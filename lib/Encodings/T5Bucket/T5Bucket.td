#ifndef POSENC_T5_BUCKET_TD
#define POSENC_T5_BUCKET_TD

include "posenc/PosencBase.td"

def Posenc_T5BucketOp : Posenc_ScoreEncoding<"t5_bucket",
    (ins RankedTensorOf<[F32, F16, BF16], [HasAnyRankOfPred<[2]>]>:$table,
         DefaultValuedAttr<I64Attr, "128">:$max_distance, UnitAttr:$causal),
    "`table` `(` $table `)`",
    ["emitChecks", "isTranslationInvariant", "isHeadDependent", "isToeplitz"]> {
  let summary = "learned bias per head and bucket of distances";
  let description = [{
    `s[b, h, i, j] + table[bucket(pk[j] - pq[i]), h]` (T5, Raffel et al. 2019,
    arXiv 1910.10683), for a table of `N` buckets and `H` heads. By default half
    of the buckets are for keys after the query and half for the others; under
    `causal` all are for keys up to the query, and later keys share bucket 0.
    Of the `K` buckets of one side, with `m = K / 2`, distances `n < m` have one
    each; beyond, bucket `m + floor(ln(n / m) / ln(max_distance / m) * (K - m))`,
    at most `K - 1`. Buckets are found by exact integer arithmetic at compile
    time, since a rounded logarithm moves distances on a boundary; of a
    fractional distance the fraction is dropped. `N` must be static.

    Example:

    ```mlir
    func.func @t5(%s: tensor<1x8x?x?xf32>, %q: tensor<?xi64>, %k: tensor<?xi64>,
        %table: tensor<32x8xf32>) -> tensor<1x8x?x?xf32> {
      %r = posenc.t5_bucket %s at(%q, %k) table(%table)
        : (tensor<1x8x?x?xf32>, tensor<?xi64>, tensor<?xi64>, tensor<32x8xf32>) -> tensor<1x8x?x?xf32>
      return %r : tensor<1x8x?x?xf32>
    }
    ```
  }];
  let hasVerifier = 1;
}

#endif
