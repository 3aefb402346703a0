//===- FrontOps.td - what people write and importers produce -------------===//

#ifndef POSENC_FRONT_OPS_TD
#define POSENC_FRONT_OPS_TD

include "posenc/PosencBase.td"
include "mlir/IR/SymbolInterfaces.td"

def Posenc_PositionsOp : Posenc_Op<"positions", [Pure,
    DeclareOpInterfaceMethods<ReifyRankedShapedTypeOpInterface, ["reifyResultShapes"]>]> {
  let summary = "coordinates that advance by one per row";
  let description = [{
    Row `i` sits at `start + i`. `start` is the length of the cache: an index,
    or one per sample, which gives coordinates of shape `[batch, row]`. Encodings
    that are given such coordinates need no loads, and masks bound their loops.

    Example:

    ```mlir
    func.func @positions(%n: index, %past: index) -> tensor<?xi64> {
      %pos = posenc.positions %n from %past : index -> tensor<?xi64>
      return %pos : tensor<?xi64>
    }
    ```
  }];
  let arguments = (ins Index:$count,
    AnyTypeOf<[Index, 1DTensorOf<[I64, I32]>], "index or [batch] tensor">:$start);
  let results = (outs RankedTensorOf<[I64], [HasAnyRankOfPred<[1, 2]>]>:$result);
  let assemblyFormat = "$count `from` $start attr-dict `:` type($start) `->` type($result)";
  let hasVerifier = 1;
}

def Posenc_ScoresOp : Posenc_Op<"scores", [Pure,
    DeclareOpInterfaceMethods<ReifyRankedShapedTypeOpInterface, ["reifyResultShapes"]>]> {
  let summary = "scaled products of queries and keys";
  let description = [{
    `s[b, h, i, j] = scale * sum_d q[b, h, i, d] * k[b, h / G, j, d]`, where
    `G` is the number of query heads per key head. The default scale is
    `1 / sqrt(D)`. Scores are f32.

    Example:

    ```mlir
    func.func @scores(%q: tensor<1x8x?x64xf32>, %k: tensor<1x2x?x64xf32>) -> tensor<1x8x?x?xf32> {
      %s = posenc.scores %q, %k {scale = 0.125 : f32}
        : (tensor<1x8x?x64xf32>, tensor<1x2x?x64xf32>) -> tensor<1x8x?x?xf32>
      return %s : tensor<1x8x?x?xf32>
    }
    ```
  }];
  let arguments = (ins Posenc_Heads:$query, Posenc_Heads:$key,
    OptionalAttr<F32Attr>:$scale,
    DefaultValuedAttr<Posenc_LayoutAttr, "Layout::bhsd">:$layout);
  let results = (outs Posenc_Scores:$result);
  let assemblyFormat = "$query `,` $key attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def Posenc_AttendOp : Posenc_Op<"attend", [Pure,
    DeclareOpInterfaceMethods<ReifyRankedShapedTypeOpInterface, ["reifyResultShapes"]>]> {
  let summary = "softmax over the keys and the weighted sum of the values";
  let description = [{
    `o[b, h, i, :] = sum_j softmax_j(s[b, h, i, :]) * v[b, h / G, j, :]`. A row
    without a visible key (all scores -inf) gives 0. The optional second result
    is the natural log-sum-exp of each row, -inf for an empty one.

    Example:

    ```mlir
    func.func @attend(%s: tensor<1x8x?x?xf32>, %v: tensor<1x2x?x64xf32>) -> tensor<1x8x?x64xf32> {
      %o = posenc.attend %s, %v
        : (tensor<1x8x?x?xf32>, tensor<1x2x?x64xf32>) -> tensor<1x8x?x64xf32>
      return %o : tensor<1x8x?x64xf32>
    }
    ```
  }];
  let arguments = (ins Posenc_Scores:$scores, Posenc_Heads:$value,
    DefaultValuedAttr<Posenc_LayoutAttr, "Layout::bhsd">:$layout);
  let results = (outs Posenc_Heads:$result,
    Optional<RankedTensorOf<[F32], [HasAnyRankOfPred<[3]>]>>:$lse);
  let assemblyFormat = "$scores `,` $value attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def Posenc_EmbeddingOp : Posenc_Op<"embedding", [Pure,
    DeclareOpInterfaceMethods<ReifyRankedShapedTypeOpInterface, ["reifyResultShapes"]>]> {
  let summary = "rows of a table chosen by ids";
  let description = [{
    `y[b, i, :] = table[ids[b, i], :]`. An id outside the table is a run-time
    error that names the id.

    Example:

    ```mlir
    func.func @embedding(%ids: tensor<?x?xi64>, %table: tensor<100x8xf32>) -> tensor<?x?x8xf32> {
      %x = posenc.embedding %ids, %table
        : (tensor<?x?xi64>, tensor<100x8xf32>) -> tensor<?x?x8xf32>
      return %x : tensor<?x?x8xf32>
    }
    ```
  }];
  let arguments = (ins RankedTensorOf<[I64, I32], [HasAnyRankOfPred<[2]>]>:$ids,
    RankedTensorOf<[F32, F16, BF16], [HasAnyRankOfPred<[2]>]>:$table);
  let results = (outs Posenc_Tokens:$result);
  let assemblyFormat = "$ids `,` $table attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def Posenc_CheckOp : Posenc_Op<"check", [MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "run-time check that indices lie in [0, limit)";
  let description = [{
    Fails with `<what> N is out of range [0, limit)` when the index, or any
    element of the tensor, is outside.

    Example:

    ```mlir
    func.func @check(%ids: tensor<?x?xi64>, %n: index) {
      posenc.check %ids below %n "token id" : tensor<?x?xi64>
      return
    }
    ```
  }];
  let arguments = (ins AnyTypeOf<[Index, TensorOf<[I64, I32]>, MemRefOf<[I64, I32]>]>:$indices,
    Index:$limit, StrAttr:$what);
  let assemblyFormat = "$indices `below` $limit $what attr-dict `:` type($indices)";
}

def Posenc_WeightsOp : Posenc_Op<"weights", [Symbol]> {
  let summary = "a file of weights that is mapped when the module is loaded";
  let description = [{
    A safetensors file, its size in bytes and the 64-bit FNV-1a hash of its
    header. The file is mapped, not read; a file that has changed its size or
    header since is a run-time error.

    Example:

    ```mlir
    posenc.weights @weights {path = "model.safetensors", size = 1024 : i64, header_hash = 7 : i64}
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, StrAttr:$path, I64Attr:$size,
    I64Attr:$header_hash);
  let assemblyFormat = "$sym_name attr-dict";
}

def Posenc_WeightOp : Posenc_Op<"weight", [Pure, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "one tensor of a file of weights";
  let description = [{
    The bytes from `offset` on of the named `posenc.weights`, as a read-only
    tensor in row-major order. The name is for people and for messages.

    Example:

    ```mlir
    posenc.weights @weights {path = "model.safetensors", size = 1024 : i64, header_hash = 7 : i64}
    func.func @weight() -> tensor<4x8xf32> {
      %w = posenc.weight @weights "encoder.bias" at 128 : tensor<4x8xf32>
      return %w : tensor<4x8xf32>
    }
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$file, StrAttr:$name, I64Attr:$offset);
  let results = (outs AnyTypeOf<[AnyStaticShapeTensor, AnyStaticShapeMemRef]>:$result);
  let assemblyFormat = "$file $name `at` $offset attr-dict `:` type($result)";
  let hasVerifier = 1;
}

def Posenc_OnDeviceOp : Posenc_Op<"on_device", [Pure,
    AllTypesMatch<["source", "result"]>]> {
  let summary = "the copy on the device of memory that never changes";
  let description = [{
    Made the first time and kept: weights and tables are uploaded once.

    Example:

    ```mlir
    func.func @upload(%table: memref<32x8xf32>) -> memref<32x8xf32> {
      %copy = posenc.on_device %table : memref<32x8xf32>
      return %copy : memref<32x8xf32>
    }
    ```
  }];
  let arguments = (ins AnyStaticShapeMemRef:$source);
  let results = (outs AnyStaticShapeMemRef:$result);
  let assemblyFormat = "$source attr-dict `:` type($source)";
}

#endif // POSENC_FRONT_OPS_TD
