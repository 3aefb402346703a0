//===- CpuPasses.td - from regions to code for processors --------------===//

#ifndef POSENC_CPU_PASSES_TD
#define POSENC_CPU_PASSES_TD

include "mlir/Pass/PassBase.td"

def PosencGroupHeads : Pass<"posenc-group-heads", "ModuleOp"> {
  let summary = "let linear layers write each head's rows next to each other";
  let description = [{
    A buffer `[..., N]` that linear layers write and attention or maps read by heads of
    D channels becomes one of `[N / D, ..., D]`: the rows of a head are then one stream,
    where they were N elements apart, each on a page of its own. Nothing is copied. The
    layers get a destination that is split into heads, readers a view with other strides.
    Buffers with any other reader stay as they are, as do those with heads that are no
    multiple of a vector.

    A `memref<?x?x1152xf32>` that attention reads as `?x?x12x32`, three times, becomes a
    `memref<36x?x?x32xf32>`; the layer writes a view of it, `memref<?x36x32xf32, strided<[32, ?, 1]>>`.

    Example: `pe-opt --posenc-group-heads=vector-bits=512`.
  }];
  let options = [Posenc_VectorBits];
  let dependentDialects = ["arith::ArithDialect", "memref::MemRefDialect"];
}

def PosencVectorizeAttention : Pass<"posenc-vectorize-attention", "ModuleOp"> {
  let summary = "lower attention on buffers to vector kernels";
  let description = [{
    Every `posenc.attention` on memrefs becomes a parallel loop over batch, query
    head and blocks of queries, which calls a private function that equal
    operations share: an online softmax over blocks of keys with queries as
    lanes, register tiles of the given vector size, and the regions of the op
    cloned on vectors, which compute with exponents of 2 where they are linear in
    the score. Where keys end or begin within a panel of queries, tiles are computed
    for the half that sees them. Head widths must be static and channels contiguous.

    Where queries and values are bf16 and the processor multiplies pairs of them,
    the products are taken so: of two channels for the scores, of two keys for the
    sums of values.

    What the op's regions encode, keys or values, is encoded once for all query heads
    and blocks of queries that share it. Where threads have whole heads of keys, as
    many for each or four and more, each has room for one head, and a block of
    queries encodes those keys that it is the first to meet. Otherwise all keys are
    encoded before, which takes room for all heads.

    Sizes of tiles and blocks come from a model of registers and caches, or from
    the op's `posenc.cpu_schedule`.

    With at most 16 queries, known when compiling, reading keys and values is what
    takes time. Then a call takes all query heads that share a key head, keys or
    channels are lanes, and every key and value is read once. With fewer calls
    than threads, parts of the keys are computed apart and merged.

    Example: `pe-opt --posenc-vectorize-attention=vector-bits=512`.
  }];
  let options = [Posenc_VectorBits, Posenc_BF16Pairs];
  let dependentDialects = ["func::FuncDialect", "memref::MemRefDialect", "scf::SCFDialect",
    "LLVM::LLVMDialect", "ub::UBDialect", "vector::VectorDialect", "x86vector::X86VectorDialect"];
}

def PosencVectorizeLinear : Pass<"posenc-vectorize-linear", "ModuleOp"> {
  let summary = "lower linear layers, normalisations and maps on buffers to vector kernels";
  let description = [{
    Every `posenc.linear`, `posenc.layer_norm` and `posenc.map` on memrefs
    becomes a parallel loop over blocks of rows that calls a private function,
    which equal operations share. Products use register tiles of the given
    vector size on packed weights; regions are cloned on vectors. What cannot be
    vectorised becomes scalar loops. Products of packed pairs of bf16 are sums of two, if the
    processor has them.

    Example: `pe-opt --posenc-decompose=keep=linear,layer_norm,map --one-shot-bufferize=bufferize-function-boundaries=1 --posenc-vectorize-linear`.
  }];
  let options = [Posenc_VectorBits, Posenc_BF16Pairs];
  let dependentDialects = ["func::FuncDialect", "memref::MemRefDialect", "scf::SCFDialect",
    "vector::VectorDialect", "x86vector::X86VectorDialect"];
}

def PosencRecordSignature : Pass<"posenc-record-signature", "ModuleOp"> {
  let summary = "keep the types of public functions for callers";
  let description = [{
    Sets `posenc.signature` on every public function, which survives the
    lowering to LLVM, and asks for a C interface: by these a runner knows
    shapes and element types. Their tensor arguments become read-only, but for those
    with `bufferization.writable = true`, which get `posenc.in_place`.

    Example: `pe-opt --posenc-record-signature`.
  }];
  let dependentDialects = ["bufferization::BufferizationDialect", "LLVM::LLVMDialect"];
}

def PosencReturnArguments : Pass<"posenc-return-arguments", "func::FuncOp"> {
  let summary = "return arguments that were changed in place, instead of copies";
  let description = [{
    A function must not return a buffer that its caller owns already, so the
    deallocation has it return a copy. An argument with `posenc.in_place` was given
    to be changed: what is returned is the argument itself.

    Example: `pe-opt --posenc-return-arguments` turns

    ```mlir
    func.func @copy(%cache: memref<?xf32> {posenc.in_place}) -> memref<?xf32> {
      %0 = bufferization.clone %cache : memref<?xf32> to memref<?xf32>
      return %0 : memref<?xf32>
    }
    ```

    into

    ```mlir
    func.func @same(%cache: memref<?xf32>) -> memref<?xf32> {
      return %cache : memref<?xf32>
    }
    ```
  }];
  let dependentDialects = ["bufferization::BufferizationDialect"];
}

def PosencLowerRuntime : Pass<"posenc-lower-runtime", "ModuleOp"> {
  let summary = "lower checks and weights to calls of the runtime library";
  let description = [{
    `posenc.check` becomes a loop and a call of `posenc_fail_index`;
    `cf.assert` a call of `posenc_fail`, which the host survives;
    `posenc.weight` an address in the file that `posenc_weights` maps; what
    `posenc-plan-memory` allocates, memory that `posenc_acquire` lends until the
    end of the call. Expects buffers.

    Example: `pe-opt --posenc-decompose --one-shot-bufferize=bufferize-function-boundaries=1 --posenc-lower-runtime`.
  }];
  let dependentDialects = ["LLVM::LLVMDialect", "func::FuncDialect", "scf::SCFDialect"];
}

def PosencPlanMemory : Pass<"posenc-plan-memory", "func::FuncOp"> {
  let summary = "put the buffers of a call into one piece of memory";
  let description = [{
    In functions that callers from outside may call, as `posenc-record-signature`
    marks them, buffers that are allocated and freed in one block become views of
    one piece, which its size is asked for once. Buffers whose lives do not overlap
    share their place; sizes may be dynamic. `posenc-lower-runtime` takes the piece
    from the runtime library, where each thread keeps it for its next call.

    The buffers of an iteration of a parallel loop are views of a piece of its own, of
    the thread that runs it.

    What stays allocated: results, which belong to the caller, and what has a size that
    is read from memory. Comes after the
    deallocation, when it is known how long buffers live.

    Example: `pe-opt --posenc-plan-memory` turns

    ```mlir
    func.func @buffers(%n: index, %x: f32) attributes {posenc.signature = (index, f32) -> ()} {
      %a = memref.alloc(%n) : memref<?xf32>
      linalg.fill ins(%x : f32) outs(%a : memref<?xf32>)
      memref.dealloc %a : memref<?xf32>
      %b = memref.alloc(%n) : memref<?x2xf32>
      linalg.fill ins(%x : f32) outs(%b : memref<?x2xf32>)
      memref.dealloc %b : memref<?x2xf32>
      return
    }
    ```

    into views of one slot, of `8 * %n` bytes in whole cache lines:

    ```mlir
    func.func @views(%bytes: index, %n: index, %x: f32) {
      %zero = arith.constant 0 : index
      %piece = memref.alloc(%bytes) {alignment = 64 : i64, posenc.kept} : memref<?xi8>
      %a = memref.view %piece[%zero][%n] : memref<?xi8> to memref<?xf32>
      linalg.fill ins(%x : f32) outs(%a : memref<?xf32>)
      %b = memref.view %piece[%zero][%n] : memref<?xi8> to memref<?x2xf32>
      linalg.fill ins(%x : f32) outs(%b : memref<?x2xf32>)
      memref.dealloc %piece : memref<?xi8>
      return
    }
    ```
  }];
  let dependentDialects = ["arith::ArithDialect", "memref::MemRefDialect"];
}

def PosencExpandMath : Pass<"posenc-expand-math"> {
  let summary = "write exp, erf, tanh, sin, cos and rsqrt of f32 as arithmetic";
  let description = [{
    On scalars and vectors, without branches or calls. Results below
    the normal numbers become 0. Errors are those of `docs/numerics.md`. GELU written out
    with erf, `x/2 (1 + erf(x / sqrt 2))`, is one function, which vectors of
    AVX-512 take from a table if it is rounded to bf16.

    Example: `pe-opt --posenc-expand-math`.
  }];
  let options = [Posenc_VectorBits, ListOption<"keep", "keep", "std::string",
    "functions to leave alone, by their names without the dialect">];
  let dependentDialects = ["arith::ArithDialect", "LLVM::LLVMDialect", "math::MathDialect"];
}

def PosencOutlineLoops : Pass<"posenc-outline-loops", "ModuleOp"> {
  let summary = "make parallel loops that differ in their operands only one function";
  let description = [{
    Layers of one shape call the same kernel in a parallel loop each. Where such
    `scf.parallel` are equal but for values from outside, they become calls of one
    private function. Loops with results stay.

    Example: `pe-opt --posenc-outline-loops`.
  }];
  let dependentDialects = ["func::FuncDialect"];
}

def PosencBalanceLoops : Pass<"posenc-balance-loops", "ModuleOp"> {
  let summary = "hand out iterations of unequal length one by one";
  let description = [{
    An `omp.wsloop` that calls a function marked `posenc.uneven`, as kernels are
    that skip keys, gets a dynamic schedule: a thread that is done takes the next
    iteration. Comes after `convert-scf-to-openmp`.

    Example: `pe-opt --convert-scf-to-openmp --posenc-balance-loops`.
  }];
  let dependentDialects = ["omp::OpenMPDialect"];
}

def PosencAnnotateLoops : Pass<"posenc-annotate-loops"> {
  let summary = "keep what loops say about their unrolling";
  let description = [{
    The conversions of upstream MLIR carry `llvm.loop_annotation` from a loop to
    its last branch, where LLVM IR is made from `loop_annotation` only. Comes
    last, on the LLVM dialect.

    Example: `pe-opt --posenc-annotate-loops`.
  }];
  let dependentDialects = ["LLVM::LLVMDialect"];
}

#endif // POSENC_CPU_PASSES_TD
