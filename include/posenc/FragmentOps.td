//===- FragmentOps.td - matrices spread over the threads of a warp --------===//

#ifndef POSENC_FRAGMENT_OPS_TD
#define POSENC_FRAGMENT_OPS_TD

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/OpBase.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Pgpu_Dialect : Dialect {
  let name = "pgpu";
  let cppNamespace = "::posenc::pgpu";
  let summary = "matrices spread over the threads of a warp";
  let description = [{
    What linalg, vector, gpu and nvvm lack between a loop over tiles and the
    matrix instructions of NVIDIA GPUs from sm_80 on. A *tile* is a matrix in
    shared memory. A *fragment* is the part of a matrix that one thread of a warp
    holds: a plain 1-D vector, on which arith, math and vector work as on any
    other. Three layouts exist, those of `mma.m16n8k16`, for thread `t` of a warp:

    | fragment | element `i` is at row | column |
    |---|---|---|
    | `sum`, 16 x N: N/2 x f32 | `t/4 + 8 * (i/2 % 2)` | `8 * (i/4) + 2 * (t%4) + i%2` |
    | `left`, 16 x K: K/2 elements | as `sum` | as `sum` |
    | `right`, 16 x N: N/2 elements | `2 * (t%4) + i%2 + 8 * (i/2 % 2)` | `8 * (i/4) + t/4` |

    Since `left` has the layout of `sum`, a sum that is rounded to 16 bits is the
    left operand of the next product.

    Rows of tiles are swizzled, so that neither copies nor `ldmatrix` meet bank
    conflicts: of a row r with W pieces of 16 bytes, 2^s being the largest power of
    two up to 8 that divides W, piece c lies at `c xor (r / 2^(3-s) mod 2^s)`.
    Nothing but the operations of this dialect has to know.
  }];
  let useDefaultTypePrinterParser = 1;
  let extraClassDeclaration = "void registerTypes();";
}

//===----------------------------------------------------------------------===//
// Types
//===----------------------------------------------------------------------===//

def Pgpu_Tile : TypeDef<Pgpu_Dialect, "Tile"> {
  let mnemonic = "tile";
  let summary = "a ring of matrices in shared memory";
  let description = [{
    `!pgpu.tile<stages x rows x columns x element>`: as many matrices of one shape
    as there are stages, so that one can be filled while another is read. Elements
    are f16 or bf16, columns a multiple of 16, rows of 8.

    Example: `!pgpu.tile<2x64x128xbf16>`
  }];
  let parameters = (ins "int64_t":$stages, "int64_t":$rows, "int64_t":$columns,
                    "::mlir::Type":$element);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    int64_t getRowBytes() const { return 2 * getColumns(); }
    int64_t getStageBytes() const { return getRows() * getRowBytes(); }
    int64_t getBytes() const { return getStages() * getStageBytes(); }
  }];
}

class Pgpu_Enum<string name, string summary, list<I32EnumAttrCase> cases>
    : I32EnumAttr<name, summary, cases> {
  let cppNamespace = "::posenc::pgpu";
}
def Pgpu_Role : Pgpu_Enum<"Role", "which operand of a product a fragment is", [
  I32EnumAttrCase<"left", 0>, I32EnumAttrCase<"right", 1>]>;
def Pgpu_Combine : Pgpu_Enum<"Combine", "how a row is reduced", [
  I32EnumAttrCase<"add", 0>, I32EnumAttrCase<"max", 1>]>;

class Pgpu_Vector<list<Type> elements>
    : VectorOfRankAndType<[1], elements>;
def Pgpu_Narrow : Pgpu_Vector<[F16, BF16]>;
def Pgpu_Sum : Pgpu_Vector<[F32]>;
def Pgpu_PerRow : FixedVectorOfLengthAndType<[2], [F32]>,
    BuildableType<"::mlir::VectorType::get({2}, $_builder.getF32Type())">;

//===----------------------------------------------------------------------===//
// Operations
//===----------------------------------------------------------------------===//

class Pgpu_Op<string mnemonic, list<Trait> traits = []>
    : Op<Pgpu_Dialect, mnemonic, traits>;

def Pgpu_AllocOp : Pgpu_Op<"alloc", [MemoryEffects<[MemAlloc]>]> {
  let summary = "a ring of tiles in the shared memory of the block";
  let description = [{
    Lies in the dynamic shared memory of the launch, behind the tiles that were
    allocated before it; the launch has to give as many bytes as all of them have.

    Example: see `pgpu.mma`.
  }];
  let results = (outs Pgpu_Tile:$tile);
  let assemblyFormat = "attr-dict `:` type($tile)";
}

def Pgpu_CopyOp : Pgpu_Op<"copy", [DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "begins to copy rows into a tile";
  let description = [{
    All threads of the block copy rows `first, first + 1, ...` of `source` into a
    stage of the tile, by `cp.async`. Rows from `end` on become zeros, and are
    not read. The copy belongs to the group that the next
    `nvvm.cp.async.commit.group` closes; once every thread has waited for it,
    a barrier makes the rows visible to all. Rows start at multiples of 16 bytes,
    and the function has a `known_block_size`.

    Example: see `pgpu.mma`.
  }];
  let arguments = (ins AnyStridedMemRef:$source, Index:$first, Index:$end,
                   Pgpu_Tile:$tile, Index:$stage);
  let assemblyFormat = [{
    $source `[` $first `to` $end `]` `,` $tile `[` $stage `]` attr-dict
    `:` type($source) `,` type($tile)
  }];
  let hasVerifier = 1;
}

def Pgpu_PutOp : Pgpu_Op<"put", [DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "stores neighbouring elements of a row into a tile";
  let description = [{
    By this thread, as soon as it gets here: 1, 2, 4 or 8 elements from `column`
    on, which is a multiple of their number.

    Example:

    ```mlir
    gpu.module @kernels {
      gpu.func @zeros() kernel {
        %tile = pgpu.alloc : !pgpu.tile<1x16x16xf16>
        %c0 = arith.constant 0 : index
        %row = gpu.thread_id x
        %zeros = arith.constant dense<0.0> : vector<8xf16>
        pgpu.put %zeros, %tile[%c0, %row, %c0] : vector<8xf16>, !pgpu.tile<1x16x16xf16>
        gpu.return
      }
    }
    ```
  }];
  let arguments = (ins Pgpu_Narrow:$value, Pgpu_Tile:$tile, Index:$stage, Index:$row, Index:$column);
  let assemblyFormat = [{
    $value `,` $tile `[` $stage `,` $row `,` $column `]` attr-dict `:` type($value) `,` type($tile)
  }];
  let hasVerifier = 1;
}

def Pgpu_LoadOp : Pgpu_Op<"load", [DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "loads a fragment from a tile";
  let description = [{
    By `ldmatrix`, all threads of a warp together, from the element at `row` and
    `column` on, which are multiples of 8: a `left` fragment of 16 rows, or a
    `right` one of 16 rows. A `transposed` right fragment is that of the
    transposed tile: it has 16 columns of the tile and as many of its rows as the
    fragment has columns.

    Example: see `pgpu.mma`.
  }];
  let arguments = (ins Pgpu_Tile:$tile, Index:$stage, Index:$row, Index:$column,
                   EnumProp<Pgpu_Role>:$role, UnitProp:$transposed);
  let results = (outs Pgpu_Narrow:$fragment);
  let assemblyFormat = [{
    $tile `[` $stage `,` $row `,` $column `]` `as` (`transposed` $transposed^)? $role attr-dict
    `:` type($tile) `->` type($fragment)
  }];
  let hasVerifier = 1;
}

def Pgpu_MmaOp : Pgpu_Op<"mma", [Pure, AllTypesMatch<["sum", "result"]>]> {
  let summary = "adds the product of two fragments to a third";
  let description = [{
    `result = sum + left x right` by `mma.sync.m16n8k16`: 16 x N sums, a left
    fragment of 16 x 16 and a right one of 16 x N.

    Example: four warps each multiply 16 rows of x by y, transposed.

    ```mlir
    gpu.module @kernels {
      gpu.func @product(%x: memref<64x64xbf16>, %y: memref<32x64xbf16>, %z: memref<64x32xf32>)
          kernel attributes {known_block_size = array<i32: 128, 1, 1>} {
        %c0 = arith.constant 0 : index
        %c16 = arith.constant 16 : index
        %c32 = arith.constant 32 : index
        %c64 = arith.constant 64 : index
        %a = pgpu.alloc : !pgpu.tile<1x64x64xbf16>
        %b = pgpu.alloc : !pgpu.tile<1x32x64xbf16>
        pgpu.copy %x[%c0 to %c64], %a[%c0] : memref<64x64xbf16>, !pgpu.tile<1x64x64xbf16>
        pgpu.copy %y[%c0 to %c32], %b[%c0] : memref<32x64xbf16>, !pgpu.tile<1x32x64xbf16>
        nvvm.cp.async.commit.group
        nvvm.cp.async.wait.group 0
        gpu.barrier
        %thread = gpu.thread_id x
        %warp = arith.divui %thread, %c32 : index
        %row = arith.muli %warp, %c16 : index
        %zero = arith.constant dense<0.0> : vector<16xf32>
        %sum = scf.for %k = %c0 to %c64 step %c16 iter_args(%acc = %zero) -> (vector<16xf32>) {
          %left = pgpu.load %a[%c0, %row, %k] as left : !pgpu.tile<1x64x64xbf16> -> vector<8xbf16>
          %right = pgpu.load %b[%c0, %c0, %k] as transposed right
            : !pgpu.tile<1x32x64xbf16> -> vector<16xbf16>
          %next = pgpu.mma %left, %right, %acc : vector<8xbf16>, vector<16xbf16>, vector<16xf32>
          scf.yield %next : vector<16xf32>
        }
        pgpu.store %sum, %z[%row to %c64, %c0] : vector<16xf32>, memref<64x32xf32>
        gpu.return
      }
    }
    ```
  }];
  let arguments = (ins Pgpu_Narrow:$left, Pgpu_Narrow:$right, Pgpu_Sum:$sum);
  let results = (outs Pgpu_Sum:$result);
  let assemblyFormat = [{
    $left `,` $right `,` $sum attr-dict `:` type($left) `,` type($right) `,` type($sum)
  }];
  let hasVerifier = 1;
}

def Pgpu_CoordinatesOp : Pgpu_Op<"coordinates", [Pure, AllTypesMatch<["rows", "columns"]>]> {
  let summary = "where in its matrix each element of a sum is";
  let description = [{
    The row and the column of each element of a `sum` fragment, counted from the
    first of the matrix. What a function of coordinates computes for one element,
    the same operations on these vectors compute for a fragment.

    Example: see `pgpu.quad_reduce`.
  }];
  let results = (outs Pgpu_Vector<[Index]>:$rows, Pgpu_Vector<[Index]>:$columns);
  let assemblyFormat = "attr-dict `:` type($rows)";
  let hasVerifier = 1;
}

def Pgpu_RowReduceOp : Pgpu_Op<"row_reduce", [Pure]> {
  let summary = "reduces what one thread holds of each of its two rows";
  let description = [{
    Element r of the result is made of the elements of row `t/4 + 8 r` that this
    thread has of a `sum` fragment. `max` ignores NaN.

    Example: see `pgpu.quad_reduce`.
  }];
  let arguments = (ins EnumProp<Pgpu_Combine>:$combine, Pgpu_Sum:$fragment);
  let results = (outs Pgpu_PerRow:$result);
  let assemblyFormat = "$combine $fragment attr-dict `:` type($fragment)";
  let hasVerifier = 1;
}

def Pgpu_QuadReduceOp : Pgpu_Op<"quad_reduce", [Pure, AllTypesMatch<["value", "result"]>]> {
  let summary = "reduces over the four threads that share rows";
  let description = [{
    Every thread of a quad gets the result, by two shuffles per row.

    Example: the sum of the columns at which each of 16 rows is largest.

    ```mlir
    gpu.module @kernels {
      gpu.func @largest(%x: vector<16xf32>, %out: memref<16x32xf32>) kernel {
        %own = pgpu.row_reduce max %x : vector<16xf32>
        %row = pgpu.quad_reduce max %own
        %all = pgpu.spread %row : vector<16xf32>
        %isLargest = arith.cmpf oeq, %x, %all : vector<16xf32>
        %rows, %columns = pgpu.coordinates : vector<16xindex>
        %zero = arith.constant dense<0> : vector<16xindex>
        %at = arith.select %isLargest, %columns, %zero : vector<16xi1>, vector<16xindex>
        %numbers = arith.index_cast %at : vector<16xindex> to vector<16xi32>
        %floats = arith.sitofp %numbers : vector<16xi32> to vector<16xf32>
        %part = pgpu.row_reduce add %floats : vector<16xf32>
        %sum = pgpu.quad_reduce add %part
        %result = pgpu.spread %sum : vector<16xf32>
        %c0 = arith.constant 0 : index
        %c16 = arith.constant 16 : index
        pgpu.store %result, %out[%c0 to %c16, %c0] : vector<16xf32>, memref<16x32xf32>
        gpu.return
      }
    }
    ```
  }];
  let arguments = (ins EnumProp<Pgpu_Combine>:$combine, Pgpu_PerRow:$value);
  let results = (outs Pgpu_PerRow:$result);
  let assemblyFormat = "$combine $value attr-dict";
}

def Pgpu_SpreadOp : Pgpu_Op<"spread", [Pure]> {
  let summary = "gives each element of a fragment the value of its row";
  let description = [{
    The inverse of `pgpu.row_reduce`: element i of the result is element
    `i/2 % 2` of the value.

    Example: see `pgpu.quad_reduce`.
  }];
  let arguments = (ins Pgpu_PerRow:$value);
  let results = (outs Pgpu_Sum:$fragment);
  let assemblyFormat = "$value attr-dict `:` type($fragment)";
  let hasVerifier = 1;
}

def Pgpu_StoreOp : Pgpu_Op<"store", [DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "stores a fragment into memory";
  let description = [{
    A `sum` fragment goes to the rows `first, first + 1, ...` and the columns from
    `column` on, two neighbouring elements at a time. Rows from `end` on do not
    exist and are not written. Elements are those of the memref already; rows and
    `column` are even numbers of elements.

    Example: see `pgpu.mma`.
  }];
  let arguments = (ins Pgpu_Vector<[F16, BF16, F32]>:$fragment, AnyStridedMemRef:$target,
                   Index:$first, Index:$end, Index:$column);
  let assemblyFormat = [{
    $fragment `,` $target `[` $first `to` $end `,` $column `]` attr-dict
    `:` type($fragment) `,` type($target)
  }];
  let hasVerifier = 1;
}

#endif // POSENC_FRAGMENT_OPS_TD
