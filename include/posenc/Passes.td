//===- Passes.td - the stages' passes -------------------------------------===//

#ifndef POSENC_PASSES_TD
#define POSENC_PASSES_TD

include "mlir/Pass/PassBase.td"

def Posenc_VectorBits : Option<"vectorBits", "vector-bits", "int64_t", "0",
    "size of a native vector: 256 (AVX2), 512 (AVX-512), or 0: that of the module or host">;

def Posenc_BF16Pairs : Option<"bf16Pairs", "bf16-pairs", "bool", "false",
    "multiply pairs of bf16 by AVX512_BF16; without vector-bits, also if the module or host has it">;

def PosencRaise : Pass<"posenc-raise"> {
  let summary = "give decomposed attention, rotations, norms and linear layers their names";
  let description = [{
    Recognises what frameworks write out as linalg on tensors and proves, element
    by element, that it is what a posenc operation computes:

    - products of queries and keys, a constant scale, masks, a softmax over the
      keys and products with the values become `posenc.scores`, masks and
      `posenc.attend`. A mask selects, or adds to the score, a number of at most
      -10000: from a tensor `[batch, key]` it becomes `posenc.padding`, from
      `key <= query + offset` on indices `posenc.causal`. Layouts, shared key
      heads and joined dimensions of batch and heads are followed.

    - channels turned in pairs by angles `position * base^(-2c / width)` become
      `posenc.rope`. Pairing, width and base are found by reading every channel
      of the result as an expression of its own and comparing its frequency, in
      f64, with the formula; positions are rows, an offset from them, or a tensor;
    - deviations from the mean of the last dimension, divided by their standard
      deviation, with or without gain and shift, become `posenc.layer_norm`;
    - products with a weight of static size, `[outputs, inputs]` or transposed,
      with or without a bias, become `posenc.linear`.

    It does not matter whether operations are named or generic, in one body or
    several, transposed, reshaped or broadcast. What cannot be proved, and what
    has readers besides the idiom, stays as it is; remarks of the category
    `posenc-raise` say why. It comes first, before anything disturbs the idioms.

    A row without a visible key gives 0, where linalg gives NaN, or the mean of
    all values if its mask is finite.

    Example: `pe-opt --posenc-raise` turns

    ```mlir
    #q = affine_map<(b, h, i, j, d) -> (b, h, i, d)>
    #k = affine_map<(b, h, i, j, d) -> (b, h, j, d)>
    #s = affine_map<(b, h, i, j, d) -> (b, h, i, j)>
    #p = affine_map<(b, h, i, d, j) -> (b, h, i, j)>
    #v = affine_map<(b, h, i, d, j) -> (b, h, j, d)>
    #o = affine_map<(b, h, i, d, j) -> (b, h, i, d)>
    func.func @products(%q: tensor<2x8x16x64xf32>, %k: tensor<2x8x16x64xf32>, %v: tensor<2x8x16x64xf32>) -> tensor<2x8x16x64xf32> {
      %zero = arith.constant 0.0 : f32
      %e = tensor.empty() : tensor<2x8x16x16xf32>
      %z = linalg.fill ins(%zero : f32) outs(%e : tensor<2x8x16x16xf32>) -> tensor<2x8x16x16xf32>
      %s = linalg.generic {indexing_maps = [#q, #k, #s], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]}
        ins(%q, %k : tensor<2x8x16x64xf32>, tensor<2x8x16x64xf32>) outs(%z : tensor<2x8x16x16xf32>) {
      ^bb0(%x: f32, %y: f32, %acc: f32):
        %0 = arith.mulf %x, %y : f32
        %1 = arith.addf %acc, %0 : f32
        linalg.yield %1 : f32
      } -> tensor<2x8x16x16xf32>
      %p = linalg.softmax dimension(3) ins(%s : tensor<2x8x16x16xf32>) outs(%e : tensor<2x8x16x16xf32>) -> tensor<2x8x16x16xf32>
      %f = tensor.empty() : tensor<2x8x16x64xf32>
      %i = linalg.fill ins(%zero : f32) outs(%f : tensor<2x8x16x64xf32>) -> tensor<2x8x16x64xf32>
      %o = linalg.generic {indexing_maps = [#p, #v, #o], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]}
        ins(%p, %v : tensor<2x8x16x16xf32>, tensor<2x8x16x64xf32>) outs(%i : tensor<2x8x16x64xf32>) {
      ^bb0(%x: f32, %y: f32, %acc: f32):
        %0 = arith.mulf %x, %y : f32
        %1 = arith.addf %acc, %0 : f32
        linalg.yield %1 : f32
      } -> tensor<2x8x16x64xf32>
      return %o : tensor<2x8x16x64xf32>
    }
    ```

    into

    ```mlir
    func.func @names(%q: tensor<2x8x16x64xf32>, %k: tensor<2x8x16x64xf32>, %v: tensor<2x8x16x64xf32>) -> tensor<2x8x16x64xf32> {
      %s = posenc.scores %q, %k {scale = 1.0 : f32} : (tensor<2x8x16x64xf32>, tensor<2x8x16x64xf32>) -> tensor<2x8x16x16xf32>
      %o = posenc.attend %s, %v : (tensor<2x8x16x16xf32>, tensor<2x8x16x64xf32>) -> tensor<2x8x16x64xf32>
      return %o : tensor<2x8x16x64xf32>
    }
    ```
  }];
  let dependentDialects = ["PosencDialect", "linalg::LinalgDialect", "tensor::TensorDialect"];
}

def PosencCheckOperands : Pass<"posenc-check-operands"> {
  let summary = "check at run time what the verifiers cannot see";
  let description = [{
    In front of every operation whose operands have dynamic sizes, `cf.assert`
    compares them, as the verifiers do with static ones; `posenc.check` compares
    ids and positions with their tables. Every pipeline starts with it: without,
    operands that contradict each other are read out of bounds.

    Example: `pe-opt --posenc-check-operands`.
  }];
  let dependentDialects = ["arith::ArithDialect", "cf::ControlFlowDialect", "tensor::TensorDialect"];
}

def PosencFuse : Pass<"posenc-fuse"> {
  let summary = "turn the names of encodings into regions";
  let description = [{
    From here on nothing knows the name of an encoding:

    - `posenc.scores`, encodings of scores and masks, `posenc.attend` become one
      `posenc.attention`; masks whose coordinates advance by one per row also
      give the keys that a tile of queries may see.
    - Encodings of the rows of q, k and v move into that attention; other
      encodings of rows and tokens become `posenc.map`, one for each chain. That of
      tokens takes in the `posenc.embedding` or `linalg.generic` that they are
      looked up by.
    - Elementwise `linalg.generic` operations that follow a `posenc.linear` move
      into its epilogue.
    - Layers that read one input and do the same to their outputs, such as those
      of query, key and value, become one, if their weights are known from the
      start.

    A value that others read as well stays as it is, and so do encodings of
    scores outside such a chain. Remarks of the category `posenc-fuse` say why:
    `pe-opt --posenc-fuse --remarks-filter=posenc-fuse --remark-format=emitRemark`.

    Example: `pe-opt --posenc-fuse` turns

    ```mlir
    func.func @names(%q: tensor<1x8x?x64xf32>, %k: tensor<1x8x?x64xf32>, %v: tensor<1x8x?x64xf32>) -> tensor<1x8x?x64xf32> {
      %s = posenc.scores %q, %k {scale = 0.125 : f32}
        : (tensor<1x8x?x64xf32>, tensor<1x8x?x64xf32>) -> tensor<1x8x?x?xf32>
      %m = posenc.causal %s {top_left} : (tensor<1x8x?x?xf32>) -> tensor<1x8x?x?xf32>
      %o = posenc.attend %m, %v
        : (tensor<1x8x?x?xf32>, tensor<1x8x?x64xf32>) -> tensor<1x8x?x64xf32>
      return %o : tensor<1x8x?x64xf32>
    }
    ```

    into, once simplified,

    ```mlir
    func.func @regions(%q: tensor<1x8x?x64xf32>, %k: tensor<1x8x?x64xf32>, %v: tensor<1x8x?x64xf32>) -> tensor<1x8x?x64xf32> {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c2 = arith.constant 2 : index
      %c1_i32 = arith.constant 1 : i32
      %queries = tensor.dim %q, %c2 : tensor<1x8x?x64xf32>
      %keys = tensor.dim %k, %c2 : tensor<1x8x?x64xf32>
      %init = tensor.empty(%queries) : tensor<1x8x?x64xf32>
      %o = posenc.attention ins(%q, %k, %v : tensor<1x8x?x64xf32>, tensor<1x8x?x64xf32>, tensor<1x8x?x64xf32>)
                            outs(%init : tensor<1x8x?x64xf32>)
        mask {
        ^bb0(%b: index, %h: index, %i: index, %j: index):
          %query = arith.index_cast %i : index to i32
          %key = arith.index_cast %j : index to i32
          %visible = arith.cmpi sle, %key, %query : i32
          posenc.yield %visible : i1
        }
        live {
        ^bb0(%b: index, %h: index, %i0: index, %i1: index):
          %last = arith.subi %i1, %c1 : index
          %query = arith.index_cast %last : index to i32
          %end = arith.addi %query, %c1_i32 : i32
          %row = arith.index_cast %end : i32 to index
          %below = arith.minsi %row, %keys : index
          %hi = arith.maxsi %below, %c0 : index
          posenc.yield %c0, %hi : index, index
        }
        {exact_live, scale = 0.125 : f32} -> tensor<1x8x?x64xf32>
      return %o : tensor<1x8x?x64xf32>
    }
    ```
  }];
  let dependentDialects = ["tensor::TensorDialect", "linalg::LinalgDialect"];
}

def PosencApplyMaps : Pass<"posenc-apply-maps"> {
  let summary = "encode keys and values once instead of per block of queries";
  let description = [{
    The key and value maps of a `posenc.attention` become a `posenc.map` before
    it, for kernels that have none, as those for GPUs: every block of queries, and
    every query head of a group, would otherwise repeat them. The encoded keys keep
    their element type and take memory in proportion to their number. Tiles of
    attention keep their maps.

    Example: `pe-opt --posenc-fuse --posenc-apply-maps`.
  }];
  let dependentDialects = ["PosencDialect", "tensor::TensorDialect"];
}

def PosencReadCaches : Pass<"posenc-read-caches"> {
  let summary = "let attention read caches as they are";
  let description = [{
    A `posenc.attention` whose keys and values are the same number of `posenc.rows`
    of two caches takes the caches, and nothing is put in rows. It has no key or
    value map; the caches have blocks of a multiple of 16 rows, at most 64, chunks of
    one channel for keys, and for values all channels or a multiple of 16. For a GPU,
    there are at most 16 queries, known when compiling, blocks are of any size, and
    chunks of keys and values of a multiple of 16 bytes. Remarks of the category
    `posenc-read-caches` say what is missing.

    Example: `pe-opt --posenc-fuse --canonicalize --cse --posenc-read-caches`.
  }];
  let options = [
    Option<"gpu", "gpu", "bool", "false", "for a GPU">];
  let dependentDialects = ["PosencDialect"];
}

def PosencTabulate : Pass<"posenc-tabulate"> {
  let summary = "evaluate functions of coordinates once, not per head or per pair";
  let description = [{
    Two kinds of costly values (functions such as cos, elements gathered from a
    table) leave the regions of `posenc.map` and `posenc.attention` for tables
    that are made before the op:

    - what a map of heads computes from the row and the channel alone, as the
      cosine of a rotation: a table `[batch, row, channel group]`, shared by the heads;
    - what a score region computes from the head and the distance of the pair alone,
      however it is written, as a bias by buckets: a table `[batch, head, distance]`,
      of as many distances as there are queries and keys.

    No table grows with queries times keys. An op with at most 16 queries, known
    when compiling, keeps its regions. So does `posenc.map` with `maps=false`, for
    kernels whose threads have a row of several heads.

    Example: `pe-opt --posenc-fuse --posenc-apply-maps --posenc-tabulate --canonicalize --cse`.
  }];
  let options = [
    Option<"maps", "maps", "bool", "true", "make tables for posenc.map, too">];
  let dependentDialects = ["PosencDialect", "arith::ArithDialect", "tensor::TensorDialect"];
}

def PosencPackWeights : Pass<"posenc-pack-weights", "ModuleOp"> {
  let summary = "pack the weights of linear layers into panels of outputs";
  let description = [{
    A weight `[N, K]` of a `posenc.linear` becomes `[ceil(N / P), K, P]`, P being
    as wide as a register tile of the vectors that will be used, unless `panels` is false.
    Weights of bf16 become `[ceil(N / P), K / 2, P, 2]`, pairs of inputs, where the
    processor multiplies those and K is even. What comes from `posenc.weight` and constants alone is packed once: the function
    `@posenc_load`, which has to be called before all others, fills globals that
    the layers read. Other weights are packed where they are used. Extras that are
    put together from weights are prepared in the same way.

    `bf16-weights` rounds what is packed once to bf16, which takes half the memory.
    With AVX512_BF16, inputs are rounded as well and products of pairs are taken;
    without, weights are converted as they are read. Sums are f32 in any case.

    `seven-products` gives layers of f32 the `sums` of weights that are packed once, which
    take as much memory again. Left out are layers that are known to have fewer than 384
    rows, or whose number of inputs is above 2048 or no multiple of two vectors, and those
    that `bf16-weights` rounds.

    Example: `pe-opt --posenc-pack-weights=bf16-weights`.
  }];
  let options = [Posenc_VectorBits, Posenc_BF16Pairs,
    Option<"panels", "panels", "bool", "true", "pack weights, rather than only joining them">,
    Option<"bf16Weights", "bf16-weights", "bool", "false", "round packed weights to bf16">,
    Option<"sevenProducts", "seven-products", "bool", "false",
      "prepare f32 layers for seven products in the place of eight">];
  let dependentDialects = ["bufferization::BufferizationDialect", "func::FuncDialect",
    "linalg::LinalgDialect", "memref::MemRefDialect", "tensor::TensorDialect"];
}

def PosencNarrowActivations : Pass<"posenc-narrow-activations"> {
  let summary = "round to bf16 what is only multiplied in bf16";
  let description = [{
    The result of a linear layer or of attention becomes bf16 if its readers are
    linear layers whose weights are packed in pairs of bf16, which round it anyway, or
    attention whose queries, keys and values all become bf16 then. So does that of a
    layer normalisation, which may go around such layers and be added to what they give.

    Example: `pe-opt --posenc-pack-weights=bf16-weights --posenc-narrow-activations`.
  }];
  let dependentDialects = ["tensor::TensorDialect"];
}

def PosencDecompose : Pass<"posenc-decompose"> {
  let summary = "lower every posenc operation to unfused linalg";
  let description = [{
    The reference semantics: each encoding becomes one `linalg.generic` whose
    body is what its `emit` builds, attention becomes products and a softmax
    over materialised scores. So does `linalg.softmax`, which has no loops of its
    own. Attention of heads whose width is not static is never left alone, since
    it has no kernel.

    Example: `pe-opt --posenc-decompose`.
  }];
  let options = [ListOption<"keep", "keep", "std::string",
    "operations to leave alone, by their names without the dialect">];
  let dependentDialects = ["linalg::LinalgDialect", "scf::SCFDialect", "tensor::TensorDialect"];
}

def PosencWiden : Pass<"posenc-widen", "mlir::ModuleOp"> {
  let summary = "compute in f64 what is computed in narrower floats";
  let description = [{
    What f32 code is compared with where its own rounding would be in doubt:
    arithmetic on f32, f16 and bf16 becomes f64, and conversions between them
    vanish. Arguments, results, weights and calls keep their types, with
    conversions next to them, so callers see no difference but the last digits.
    Operations with names of their own are decomposed first. A function that has
    buffers of these types stays as it is.

    Example: `pe-opt --posenc-decompose --posenc-widen`.
  }];
  let dependentDialects = ["arith::ArithDialect"];
}

include "posenc/CpuPasses.td"
include "posenc/GpuPasses.td"

#endif // POSENC_PASSES_TD
