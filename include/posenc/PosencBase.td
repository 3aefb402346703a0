//===- PosencBase.td - dialect, attributes, base classes of encodings -----===//
//
// What the .td file of an encoding includes, and all it needs.
//
//===----------------------------------------------------------------------===//

#ifndef POSENC_BASE_TD
#define POSENC_BASE_TD

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/OpBase.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "posenc/EncodingInterface.td"

def Posenc_Dialect : Dialect {
  let name = "posenc";
  let cppNamespace = "::posenc";
  let summary = "Position encodings and attention as first-class operations";
  let description = [{
    Position encodings are named operations that implement
    `EncodingOpInterface`; attention is a chain `scores`, encodings, `attend`.
    Fusion turns the names into regions of one `posenc.attention`, and no later
    stage knows a name.

    Conventions: attention operands are `[batch, head, row, channel]` (layout
    `bhsd`) or `[batch, row, head, channel]` (`bshd`); token tensors are
    `[batch, row, channel]`. Regions compute on f32, whatever the operands'
    element type. Coordinates reach a region as i32 or f32 values.
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::math::MathDialect",
    "::mlir::tensor::TensorDialect", "::mlir::linalg::LinalgDialect"
  ];
  let useDefaultAttributePrinterParser = 1;
  let extraClassDeclaration = [{
    /// Adds one encoding's operation; called by `RegisterEncoding`.
    template <typename Op> void addEncoding() { addOperations<Op>(); }
    void registerAttributes();
  }];
}

//===----------------------------------------------------------------------===//
// Attributes
//===----------------------------------------------------------------------===//

class Posenc_Enum<string name, string summary, list<I32EnumAttrCase> cases>
    : I32EnumAttr<name, summary, cases> {
  let cppNamespace = "::posenc";
  let genSpecializedAttr = 0;
}

def Posenc_Layout : Posenc_Enum<"Layout", "order of an attention operand's dimensions", [
  I32EnumAttrCase<"bhsd", 0>, I32EnumAttrCase<"bshd", 1>]>;
def Posenc_LayoutAttr : EnumAttr<Posenc_Dialect, Posenc_Layout, "layout"> {
  let assemblyFormat = "`<` $value `>`";
}

def Posenc_Pairing : Posenc_Enum<"Pairing", "which channels a row map takes together", [
  I32EnumAttrCase<"each", 0>, I32EnumAttrCase<"half", 1>,
  I32EnumAttrCase<"interleaved", 2>]>;
def Posenc_PairingAttr : EnumAttr<Posenc_Dialect, Posenc_Pairing, "pairing"> {
  let assemblyFormat = "`<` $value `>`";
}

def Posenc_Channels : AttrDef<Posenc_Dialect, "Channels"> {
  let mnemonic = "channels";
  let summary = "the channels that a row map changes, and how it pairs them";
  let description = [{
    `each`: channel by channel. `half`: pair `c` is channels `offset + c` and
    `offset + c + width/2`. `interleaved`: pair `c` is channels `offset + 2c`
    and `offset + 2c + 1`. Channels outside `[offset, offset + width)` are
    copied; `width = 0` stands for all that follow `offset`.

    Example: `#posenc.channels<half, offset = 0, width = 64>`
  }];
  let parameters = (ins EnumParameter<Posenc_Pairing>:$pairing,
                    "int64_t":$offset, "int64_t":$width);
  let assemblyFormat = "`<` $pairing `,` `offset` `=` $offset `,` `width` `=` $width `>`";
  let extraClassDeclaration = [{
    /// Number of channels that one application of the map takes: 1 or 2.
    int64_t getGroup() const { return getPairing() == Pairing::each ? 1 : 2; }
  }];
}

def Posenc_Form : Posenc_Enum<"Form", "in what way a kernel for GPUs is written", [
  I32EnumAttrCase<"simt", 0>, I32EnumAttrCase<"mma", 1>, I32EnumAttrCase<"wgmma", 2>,
  I32EnumAttrCase<"decode", 3>]>;

def Posenc_Schedule : AttrDef<Posenc_Dialect, "Schedule"> {
  let mnemonic = "schedule";
  let summary = "how an operation is to be computed on a GPU";
  let description = [{
    The attribute `posenc.schedule` of a `posenc.attention` or `posenc.linear`, or of
    a `posenc.attend` that becomes one, asks for a form: `simt` (any shape and
    type), `mma` (matrix instructions of a warp), `wgmma` (of a warp group) or
    `decode` (at most 16 queries). It is an error if that form cannot compute it.
    In the form `decode`, keys are cut into so many `splits`, each for blocks of threads
    of its own; 0 leaves the number to a model of the chip.

    Example: `#posenc.schedule<decode, splits = 8>`
  }];
  let parameters = (ins EnumParameter<Posenc_Form>:$form,
                    DefaultValuedParameter<"int64_t", "0">:$splits);
  let assemblyFormat = "`<` $form (`,` `splits` `=` $splits^)? `>`";
  let genVerifyDecl = 1;
}

def Posenc_CpuSchedule : AttrDef<Posenc_Dialect, "CpuSchedule"> {
  let mnemonic = "cpu_schedule";
  let summary = "sizes by which attention is computed on a CPU";
  let description = [{
    The attribute `posenc.cpu_schedule` of a `posenc.attention`, or of a
    `posenc.attend` that becomes one, for more than 16 queries. What is left out, or
    0, is chosen by a model of the processor: `rows` of a register tile (keys, or
    channels of the result) by its registers, `keys` of a block, a multiple of
    `rows`, by its caches. `panels` of two vectors of queries share a block; weights
    are computed `ahead` of their products by so many steps; `pairs = false` keeps
    products of bf16 in f32. A transform script sets it by `transform.annotate`.

    Example: `#posenc.cpu_schedule<rows = 6, keys = 96, panels = 8>`
  }];
  let parameters = (ins DefaultValuedParameter<"int64_t", "0">:$rows,
                    DefaultValuedParameter<"int64_t", "0">:$keys,
                    DefaultValuedParameter<"int64_t", "0">:$panels,
                    DefaultValuedParameter<"int64_t", "0">:$ahead,
                    DefaultValuedParameter<"bool", "true">:$pairs);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

//===----------------------------------------------------------------------===//
// Types of operands
//===----------------------------------------------------------------------===//

def Posenc_Float : AnyTypeOf<[F32, F16, BF16], "f32, f16 or bf16">;
def Posenc_Tokens : RankedTensorOf<[F32, F16, BF16], [HasAnyRankOfPred<[3]>],
                             "[batch, row, channel] tensor">;
def Posenc_Heads : RankedTensorOf<[F32, F16, BF16], [HasAnyRankOfPred<[4]>],
                            "rank-4 attention operand">;
def Posenc_Scores : RankedTensorOf<[F32], [HasAnyRankOfPred<[4]>],
                             "[batch, head, query, key] tensor of f32">;
def Posenc_Positions : RankedTensorOf<[I64, I32, F32], [HasAnyRankOfPred<[1, 2]>],
                                "[row] or [batch, row] tensor of coordinates">;

//===----------------------------------------------------------------------===//
// Base classes
//===----------------------------------------------------------------------===//

class Posenc_Op<string mnemonic, list<Trait> traits = []>
    : Op<Posenc_Dialect, mnemonic, traits>;

/// An encoding: `posenc.<name> %x at(%positions...) <format> {attributes}`.
/// `emit` is the one method its .cpp has to define. A second variadic operand
/// is not possible; everything else goes into `extra` and `format`.
class Posenc_Encoding<string mnemonic, string site, Type type, dag extra,
                      string format, list<string> methods, list<Trait> traits>
    : Posenc_Op<mnemonic, !listconcat([
        Pure, AllTypesMatch<["x", "result"]>,
        DeclareOpInterfaceMethods<EncodingOpInterface, !listconcat(["emit"], methods)>
      ], traits)> {
  let arguments = !con((ins type:$x, Variadic<Posenc_Positions>:$positions), extra);
  let results = (outs type:$result);
  let assemblyFormat = "$x (`at` `(` $positions^ `)`)? " # format #
                       " attr-dict `:` functional-type(operands, results)";
  code siteDefinition = [{
    ::posenc::Site $cppClass::getSite() { return ::posenc::Site::}] # site # [{; }
    ::mlir::Value $cppClass::getInput() { return getX(); }
    ::mlir::OperandRange $cppClass::getPositionOperands() { return getPositions(); }
  }];
  let extraClassDefinition = siteDefinition;
}

/// Acts on a token tensor `[batch, row, channel]`. At most one position operand.
class Posenc_TokenEncoding<string mnemonic, dag extra = (ins), string format = "",
                           list<string> methods = [], list<Trait> traits = []>
    : Posenc_Encoding<mnemonic, "Token", Posenc_Tokens, extra, format, methods, traits>;

/// Acts on the rows of q, k or v. At most one position operand.
class Posenc_RowEncoding<string mnemonic, dag extra = (ins), string format = "",
                         list<string> methods = [], list<Trait> traits = []>
    : Posenc_Encoding<mnemonic, "Row", Posenc_Heads,
        !con(extra, (ins DefaultValuedAttr<Posenc_LayoutAttr, "Layout::bhsd">:$layout)),
        format, methods, traits>;

/// Acts on scores `[batch, head, query, key]`. No or two position operands:
/// those of the queries and those of the keys.
class Posenc_ScoreEncoding<string mnemonic, dag extra = (ins), string format = "",
                           list<string> methods = [], list<Trait> traits = []>
    : Posenc_Encoding<mnemonic, "Score", Posenc_Scores, extra, format, methods, traits>;

/// Decides which keys a query may attend to; hidden scores become -inf.
class Posenc_MaskEncoding<string mnemonic, dag extra = (ins), string format = "",
                          list<string> methods = [], list<Trait> traits = []>
    : Posenc_Encoding<mnemonic, "Mask", Posenc_Scores, extra, format, methods, traits>;

#endif // POSENC_BASE_TD
