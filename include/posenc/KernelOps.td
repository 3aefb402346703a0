//===- KernelOps.td - what fusion produces, made of regions --------------===//

#ifndef POSENC_KERNEL_OPS_TD
#define POSENC_KERNEL_OPS_TD

include "posenc/PosencBase.td"
include "mlir/Dialect/Linalg/IR/LinalgInterfaces.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"
include "mlir/Interfaces/DestinationStyleOpInterface.td"
include "mlir/Interfaces/TilingInterface.td"

/// Destination-style op on tensors or memrefs, tiled and bufferised as such.
class Posenc_KernelOp<string mnemonic, list<Trait> traits = []>
    : Posenc_Op<mnemonic, !listconcat([DestinationStyleOpInterface,
        DeclareOpInterfaceMethods<MemoryEffectsOpInterface>,
        DeclareOpInterfaceMethods<ReifyRankedShapedTypeOpInterface, ["reifyResultShapes"]>,
        DeclareOpInterfaceMethods<TilingInterface,
          ["getLoopIteratorTypes", "getIterationDomain", "getTiledImplementation",
           "getResultTilePosition", "generateResultTileValue"]>,
        DeclareOpInterfaceMethods<AggregatedOpInterface, ["decomposeOperation"]>
      ], traits)> {
  code dpsDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() { return getOutsMutable(); }
  }];
  let extraClassDeclaration = dpsDeclaration;
}

def Posenc_YieldOp : Posenc_Op<"yield", [Pure, ReturnLike, Terminator,
    ParentOneOf<["AttentionOp", "MapOp", "LinearOp"]>]> {
  let summary = "ends a region of a posenc op";
  let description = [{
    Gives the values of one element: those of a channel group, a score, a
    visibility (i1), a live interval, or an epilogue.

    Example: see `posenc.attention`.
  }];
  let arguments = (ins Variadic<AnyType>:$values);
  let assemblyFormat = "attr-dict ($values^ `:` type($values))?";
}

def Posenc_AttentionOp : Posenc_KernelOp<"attention", [AttrSizedOperandSegments]> {
  let summary = "attention with its encodings as regions";
  let description = [{
    The fused form, the only one that later stages know. For every query row it
    computes `o_i = sum_j softmax_j(score(scale * query(q_i) . key(k_j))) value(v_j)`
    over the keys for which `mask` yields true. A row with no visible key gives
    0 and a log-sum-exp of -inf. Every region may be absent (identity, all
    visible) and may be written by hand: a new encoding without C++.

    | region | arguments | yields |
    |---|---|---|
    | `query`, `key`, `value` | the channels of a group (f32), `b, h, row, c` | as many f32 |
    | `score` | the scaled score (f32), `b, h, i, j` | f32 |
    | `mask` | `b, h, i, j` | i1, true = visible |
    | `live` | `b, h, i0, i1` | `lo, hi`: keys that a query of rows [i0, i1) may see |

    All indices are in whole-problem coordinates: a tile of the op carries the
    offsets of its first element in `at(b, h, i, j)`. For key and value maps `h`
    is the key head and the row is `j`. `c` counts the groups from 0 in the
    channels that the map changes (`query_channels`, ...). Regions may read
    values from outside, tensors by `tensor.extract`. `exact_live` promises that
    one query sees exactly its live interval, but for what parts of the mask that do
    not look at the query hide, and that both bounds grow with the row: tiles inside
    that such parts do not touch need no mask. Keys outside `live` are never read.

    The layouts are those of `posenc.scores`. The optional second destination
    receives the natural log-sum-exp `[batch, head, row]`. With a `count`, keys and
    values are the first rows of caches, as of `posenc.rows`, and have no maps.

    Example:

    ```mlir
    func.func @causal_distance(%q: tensor<1x8x?x64xf32>, %k: tensor<1x2x?x64xf32>,
        %v: tensor<1x2x?x64xf32>, %init: tensor<1x8x?x64xf32>) -> tensor<1x8x?x64xf32> {
      %slope = arith.constant 0.5 : f32
      %o = posenc.attention ins(%q, %k, %v : tensor<1x8x?x64xf32>, tensor<1x2x?x64xf32>, tensor<1x2x?x64xf32>)
                            outs(%init : tensor<1x8x?x64xf32>)
        score {
        ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
          %d = arith.subi %i, %j : index
          %di = arith.index_cast %d : index to i32
          %df = arith.sitofp %di : i32 to f32
          %m = arith.mulf %df, %slope : f32
          %r = arith.subf %s, %m : f32
          posenc.yield %r : f32
        }
        mask {
        ^bb0(%b: index, %h: index, %i: index, %j: index):
          %c = arith.cmpi sle, %j, %i : index
          posenc.yield %c : i1
        }
        {scale = 0.125 : f32} -> tensor<1x8x?x64xf32>
      return %o : tensor<1x8x?x64xf32>
    }
    ```
  }];
  let arguments = (ins AnyShaped:$query, AnyShaped:$key, AnyShaped:$value,
    Variadic<AnyShaped>:$outs, Variadic<Index>:$offsets, Optional<Index>:$count,
    F32Attr:$scale,
    DefaultValuedAttr<Posenc_LayoutAttr, "Layout::bhsd">:$layout,
    OptionalAttr<Posenc_Channels>:$query_channels,
    OptionalAttr<Posenc_Channels>:$key_channels,
    OptionalAttr<Posenc_Channels>:$value_channels,
    UnitAttr:$exact_live);
  let regions = (region AnyRegion:$queryMap, AnyRegion:$keyMap, AnyRegion:$valueMap,
    AnyRegion:$scoreMod, AnyRegion:$mask, AnyRegion:$live);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let assemblyFormat = [{
    `ins` `(` $query `,` $key `,` $value `:` type($query) `,` type($key) `,` type($value) `)`
    (`count` `(` $count^ `)`)? `outs` `(` $outs `:` type($outs) `)` (`at` `(` $offsets^ `)`)?
    (`query` $queryMap^)? (`key` $keyMap^)? (`value` $valueMap^)?
    (`score` $scoreMod^)? (`mask` $mask^)? (`live` $live^)?
    attr-dict (`->` type($results)^)?
  }];
  let extraClassDeclaration = dpsDeclaration # [{
    /// Position of the head and row dimensions in q, k, v and o.
    unsigned getHeadDim() { return getLayout() == Layout::bhsd ? 1 : 2; }
    unsigned getRowDim() { return getLayout() == Layout::bhsd ? 2 : 1; }
    bool readsCache() { return static_cast<bool>(getCount()); }
    /// Position of the head dimension in k and v.
    unsigned getKeyHeadDim() { return readsCache() ? 1 : getHeadDim(); }
  }];
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
  let hasCanonicalizer = 1;
}

def Posenc_MapOp : Posenc_KernelOp<"map", [AttrSizedOperandSegments]> {
  let summary = "a function of every row and its coordinate";
  let description = [{
    Applies a row map to tokens `[batch, row, channel]` or heads (rank 4, by
    layout), group of channels by group, in f32. The region has the arguments
    of a row map of `posenc.attention` (`h` is 0 for tokens), followed by the
    same channels of each further input. The inputs and the result have one shape; the result may
    have another element type.

    Example:

    ```mlir
    func.func @ramp(%x: tensor<1x?x8xf32>, %init: tensor<1x?x8xf32>) -> tensor<1x?x8xf32> {
      %y = posenc.map ins(%x : tensor<1x?x8xf32>) outs(%init : tensor<1x?x8xf32>) {
      ^bb0(%a: f32, %b: index, %h: index, %i: index, %c: index):
        %ii = arith.index_cast %i : index to i32
        %if = arith.sitofp %ii : i32 to f32
        %r = arith.addf %a, %if : f32
        posenc.yield %r : f32
      } {channels = #posenc.channels<each, offset = 0, width = 0>} -> tensor<1x?x8xf32>
      return %y : tensor<1x?x8xf32>
    }
    ```
  }];
  let arguments = (ins AnyShaped:$input, Variadic<AnyShaped>:$others, Variadic<AnyShaped>:$outs,
    Variadic<Index>:$offsets, Posenc_Channels:$channels,
    DefaultValuedAttr<Posenc_LayoutAttr, "Layout::bhsd">:$layout);
  let regions = (region SizedRegion<1>:$body);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let assemblyFormat = [{
    `ins` `(` $input `:` type($input) `)` (`with` `(` $others^ `:` type($others) `)`)?
    `outs` `(` $outs `:` type($outs) `)` (`at` `(` $offsets^ `)`)?
    $body attr-dict (`->` type($results)^)?
  }];
  let extraClassDeclaration = dpsDeclaration # [{
    bool isTokens() { return ::llvm::cast<::mlir::ShapedType>(getInput().getType()).getRank() == 3; }
    unsigned getRowDim() { return isTokens() || getLayout() == Layout::bshd ? 1 : 2; }
  }];
  let hasVerifier = 1;
}

def Posenc_LinearOp : Posenc_KernelOp<"linear", [AttrSizedOperandSegments]> {
  let summary = "a linear layer with what follows it";
  let description = [{
    `y[..., n] = epilogue(sum_k x[..., k] * w[n, k], extras...)`, accumulated in
    f32. The weight is `[N, K]`, or packed into panels of P outputs
    `[ceil(N / P), K, P]`, or into panels of pairs of inputs `[ceil(N / P), K / 2, P, 2]`.
    Extras are `[N]`, or `[..., N]` with the rows of the input. Without
    an epilogue they are added. A destination in memory may be split into heads,
    `[..., H, D]` with `H * D = N`, wherever these lie (`posenc-group-heads`).

    `sums` changes how products are made, not what they are: with it, two panels by two
    tiles of rows need seven products of half the depth in the place of eight. It holds
    what these take beside the weight itself, `[4, N / 2P, K / 2, P]`: of the panels 2p and
    2p + 1, whose halves of inputs are a, b and c, d, the sums c - a, d - c + a, d - c, and
    b - d + c - a. Rows and panels without a partner are multiplied as always.

    Example:

    ```mlir
    func.func @linear(%x: tensor<?x?x8xf32>, %w: tensor<32x8xf32>, %bias: tensor<32xf32>,
        %init: tensor<?x?x32xf32>) -> tensor<?x?x32xf32> {
      %y = posenc.linear ins(%x, %w : tensor<?x?x8xf32>, tensor<32x8xf32>) with(%bias : tensor<32xf32>)
                         outs(%init : tensor<?x?x32xf32>)
        epilogue {
        ^bb0(%acc: f32, %b: f32):
          %0 = arith.addf %acc, %b : f32
          %zero = arith.constant 0.0 : f32
          %1 = arith.maximumf %0, %zero : f32
          posenc.yield %1 : f32
        } -> tensor<?x?x32xf32>
      return %y : tensor<?x?x32xf32>
    }
    ```
  }];
  let arguments = (ins AnyShaped:$input, AnyShaped:$weight, Variadic<AnyShaped>:$extras,
    Optional<AnyShaped>:$sums, Variadic<AnyShaped>:$outs);
  let regions = (region AnyRegion:$epilogue);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let assemblyFormat = [{
    `ins` `(` $input `,` $weight `:` type($input) `,` type($weight) `)`
    (`with` `(` $extras^ `:` type($extras) `)`)? (`sums` `(` $sums^ `:` type($sums) `)`)?
    `outs` `(` $outs `:` type($outs) `)`
    (`epilogue` $epilogue^)? attr-dict (`->` type($results)^)?
  }];
  let extraClassDeclaration = dpsDeclaration # [{
    bool isPacked() { return ::llvm::cast<::mlir::ShapedType>(getWeight().getType()).getRank() >= 3; }
    /// Packed, with pairs of inputs innermost.
    bool isPaired() { return ::llvm::cast<::mlir::ShapedType>(getWeight().getType()).getRank() == 4; }
    /// The width of the input that the weight is for.
    int64_t getInputs() {
      int64_t size = ::llvm::cast<::mlir::ShapedType>(getWeight().getType()).getDimSize(1);
      return isPaired() && !::mlir::ShapedType::isDynamic(size) ? 2 * size : size;
    }
    /// Whether the outputs of a row are split into heads of `getHeadWidth()` channels.
    bool isSplit() {
      return ::llvm::cast<::mlir::ShapedType>(getOuts()[0].getType()).getRank() >
             ::llvm::cast<::mlir::ShapedType>(getInput().getType()).getRank();
    }
    int64_t getHeadWidth() { return ::llvm::cast<::mlir::ShapedType>(getOuts()[0].getType()).getShape().back(); }
    /// Outputs of a row.
    int64_t getOutputs() {
      ::llvm::ArrayRef<int64_t> shape = ::llvm::cast<::mlir::ShapedType>(getOuts()[0].getType()).getShape();
      return isSplit() ? shape.drop_back().back() * shape.back() : shape.back();
    }
    /// Outputs of a panel of a packed weight.
    int64_t getPanel() { return ::llvm::cast<::mlir::ShapedType>(getWeight().getType()).getDimSize(2); }
  }];
  let hasCanonicalizer = 1;
  let hasVerifier = 1;
}

def Posenc_LayerNormOp : Posenc_KernelOp<"layer_norm"> {
  let summary = "layer normalisation of the last dimension";
  let description = [{
    `y = (x - mean) / sqrt(var + eps) * gamma + beta` with the biased variance,
    in f32, one pass over a row.

    Example:

    ```mlir
    func.func @norm(%x: tensor<?x?x8xf32>, %g: tensor<8xf32>, %b: tensor<8xf32>,
        %init: tensor<?x?x8xf32>) -> tensor<?x?x8xf32> {
      %y = posenc.layer_norm ins(%x, %g, %b : tensor<?x?x8xf32>, tensor<8xf32>, tensor<8xf32>)
                             outs(%init : tensor<?x?x8xf32>) {eps = 1.0e-12 : f32} -> tensor<?x?x8xf32>
      return %y : tensor<?x?x8xf32>
    }
    ```
  }];
  let arguments = (ins AnyShaped:$input, AnyShaped:$gamma, AnyShaped:$beta,
    Variadic<AnyShaped>:$outs, F32Attr:$eps);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let assemblyFormat = [{
    `ins` `(` $input `,` $gamma `,` $beta `:` type($input) `,` type($gamma) `,` type($beta) `)`
    `outs` `(` $outs `:` type($outs) `)` attr-dict (`->` type($results)^)?
  }];
  let hasVerifier = 1;
}

#endif // POSENC_KERNEL_OPS_TD
