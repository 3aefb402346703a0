//===- CacheOps.td - keys and values of earlier tokens --------------------===//

#ifndef POSENC_CACHE_OPS_TD
#define POSENC_CACHE_OPS_TD

include "posenc/PosencBase.td"

/// Rows in an order in which decoding reads them: what `linalg.pack` makes of
/// `[batch, head, row, channel]` by tiles of rows and channels.
def Posenc_Cache : RankedTensorOf<[F32, F16, BF16], [HasAnyRankOfPred<[6]>],
                            "[batch, head, block, chunk, row, channel] cache">;

def Posenc_AppendOp : Posenc_Op<"append", [Pure, AllTypesMatch<["cache", "result"]>,
    DeclareOpInterfaceMethods<ReifyRankedShapedTypeOpInterface, ["reifyResultShapes"]>]> {
  let summary = "puts rows of keys or values into a cache";
  let description = [{
    Row `i` of the operand becomes row `at + i` of the cache; its other rows stay.
    `at` is an index, or one position per sample, `[batch]`, for caches that hold
    more of some samples than of others.
    A cache has room for whole blocks of `R` rows, and each block holds `C`
    channels of all its rows next to each other:

    `cache[b, h, (at + i) / R, d / C, (at + i) % R, d % C] = rows[b, h, i, d]`

    Elements are rounded to those of the cache. Rows that do not fit are a
    run-time error. Positions are those of `posenc.positions` from `at`: keys that
    depend on them are encoded before they are appended, once.

    On the CPU, `C = 1` for keys and a multiple of 16 for values, and `R` a multiple
    of 16, is what attention reads as it is, at the speed of memory when decoding; on GPUs, any `R`, and chunks of
    a multiple of 16 bytes. A cache that comes in as
    an argument with `bufferization.writable = true` is changed in place.

    Example:

    ```mlir
    func.func @append(%k: tensor<1x2x?x64xf32>, %cache: tensor<1x2x?x64x32x1xf32>, %past: index)
        -> tensor<1x2x?x64x32x1xf32> {
      %0 = posenc.append %k into %cache at %past : tensor<1x2x?x64xf32> into tensor<1x2x?x64x32x1xf32>
      return %0 : tensor<1x2x?x64x32x1xf32>
    }
    func.func @append_ragged(%k: tensor<?x2x1x64xf32>, %cache: tensor<?x2x?x64x32x1xf32>, %past: tensor<?xi64>)
        -> tensor<?x2x?x64x32x1xf32> {
      %0 = posenc.append %k into %cache at %past : tensor<?x2x1x64xf32> into tensor<?x2x?x64x32x1xf32> at tensor<?xi64>
      return %0 : tensor<?x2x?x64x32x1xf32>
    }
    ```
  }];
  let arguments = (ins Posenc_Heads:$rows, Posenc_Cache:$cache,
    AnyTypeOf<[Index, 1DTensorOf<[I64, I32]>], "index or [batch] tensor">:$start,
    DefaultValuedAttr<Posenc_LayoutAttr, "Layout::bhsd">:$layout);
  let results = (outs Posenc_Cache:$result);
  let assemblyFormat = [{
    $rows `into` $cache `at` $start attr-dict `:` type($rows) `into` type($cache)
    custom<AppendStart>(type($start))
  }];
  let hasVerifier = 1;
}

def Posenc_RowsOp : Posenc_Op<"rows", [Pure,
    DeclareOpInterfaceMethods<ReifyRankedShapedTypeOpInterface, ["reifyResultShapes"]>]> {
  let summary = "the first rows of a cache";
  let description = [{
    The rows `[0, count)` that `posenc.append` put there, in their order and as any
    other keys or values. On the CPU, attention reads a cache of these sizes itself and
    makes no rows of it; on GPUs, attention of at most 16 queries does, a number known
    when compiling.

    Example:

    ```mlir
    func.func @rows(%cache: tensor<1x2x?x64x32x1xf32>, %count: index) -> tensor<1x2x?x64xf32> {
      %k = posenc.rows %count of %cache : tensor<1x2x?x64x32x1xf32> -> tensor<1x2x?x64xf32>
      return %k : tensor<1x2x?x64xf32>
    }
    ```
  }];
  let arguments = (ins Index:$count, Posenc_Cache:$cache,
    DefaultValuedAttr<Posenc_LayoutAttr, "Layout::bhsd">:$layout);
  let results = (outs Posenc_Heads:$result);
  let assemblyFormat = "$count `of` $cache attr-dict `:` type($cache) `->` type($result)";
  let hasVerifier = 1;
}

#endif // POSENC_CACHE_OPS_TD
