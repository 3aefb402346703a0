//===- EncodingInterface.td - what every encoding answers -----------------===//

#ifndef POSENC_ENCODING_INTERFACE_TD
#define POSENC_ENCODING_INTERFACE_TD

include "mlir/IR/OpBase.td"

def EncodingOpInterface : OpInterface<"EncodingOpInterface"> {
  let cppNamespace = "::posenc";
  let description = [{
    A position encoding or a mask. `emit` is the only place that holds its
    mathematics: the reference lowering, CPU vectors and GPU fragments are all
    derived from the scalar code that it builds.

    The queries below drive rewrites; none of them may be answered by name.
  }];
  let verify = [{ return ::posenc::verifyEncoding($_op); }];

  let methods = [
    InterfaceMethod<[{
      Builds the encoding for one element with elementwise arith and math ops.
      `x` holds the channel (or pair of channels) of a token or row, the score
      of a pair, or nothing for a mask; all are f32. `at` says where the element
      sits. Returns as many values as `x` has, or one i1 (true = visible).
    }], "::llvm::SmallVector<::mlir::Value>", "emit",
      (ins "::posenc::Emitter &":$e, "::mlir::ValueRange":$x,
           "const ::posenc::At &":$at)>,

    InterfaceMethod<"Where the encoding acts.", "::posenc::Site", "getSite">,
    InterfaceMethod<"The tensor that it encodes.", "::mlir::Value", "getInput">,
    InterfaceMethod<"Coordinates of the rows, or of queries and keys.",
      "::mlir::OperandRange", "getPositionOperands">,

    InterfaceMethod<[{
      The channels that a row map changes and how it pairs them. Default: every
      channel by itself.
    }], "::posenc::ChannelsAttr", "getChannels", (ins), [{}], [{
      return ::posenc::ChannelsAttr::get($_op.getContext(), ::posenc::Pairing::each, 0, 0);
    }]>,

    InterfaceMethod<[{
      For a mask whose coordinates advance by one per row: the coordinates
      `[lo, hi)` that *some* query in the coordinate range `[first, last]` may
      see. Either bound may be null (none). Default: no bound.
    }], "::posenc::LiveInterval", "getLiveKeys",
      (ins "::posenc::Emitter &":$e, "::mlir::Value":$first, "::mlir::Value":$last),
      [{}], [{ return {}; }]>,
    InterfaceMethod<[{
      Whether a single query sees exactly the interval that `getLiveKeys`
      returns for it, and both bounds grow with the coordinate. Then tiles
      strictly inside need no mask.
    }], "bool", "isLiveExact", (ins), [{}], [{ return false; }]>,

    InterfaceMethod<[{
      Without position operands: whether row 0 of the queries and row 0 of the
      keys coincide. Default: the last rows do (bottom-right alignment).
    }], "bool", "isTopLeft", (ins), [{}], [{ return false; }]>,

    InterfaceMethod<[{
      Builds run-time checks of the operands (`posenc.check`), once and outside
      the loops. Default: none.
    }], "void", "emitChecks", (ins "::mlir::OpBuilder &":$b, "::mlir::Location":$loc),
      [{}], [{ return; }]>,

    InterfaceMethod<"May coordinates be rebased by a constant?",
      "bool", "isTranslationInvariant", (ins), [{}], [{ return false; }]>,
    InterfaceMethod<"May encoded keys be stored in a cache?",
      "bool", "isKeyCacheable", (ins), [{}], [{ return true; }]>,
    InterfaceMethod<"Does it depend on the run-time length?",
      "bool", "needsLength", (ins), [{}], [{ return false; }]>,
    InterfaceMethod<"Does it depend on the head?",
      "bool", "isHeadDependent", (ins), [{}], [{ return false; }]>,
    InterfaceMethod<"Does it depend on key minus query coordinate only?",
      "bool", "isToeplitz", (ins), [{}], [{ return false; }]>,
  ];
}

#endif // POSENC_ENCODING_INTERFACE_TD
