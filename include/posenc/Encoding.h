//===- Encoding.h - how an encoding states its mathematics ------*- C++ -*-===//
//
// All that the .cpp file of an encoding includes.
//
//===----------------------------------------------------------------------===//

#ifndef POSENC_ENCODING_H
#define POSENC_ENCODING_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

namespace posenc {

/// Where an encoding acts: on tokens, on rows of q, k or v, on scores, or on
/// the visibility of a pair.
enum class Site { Token, Row, Score, Mask };

/// Where one element sits, in whole-problem coordinates.
///
/// `batch`, `head`, `row`, `key` and `channel` are indices; `channel` counts
/// the groups of channels that a row map changes. `coord` is the coordinate of
/// the row (of the query, for a score) and `keyCoord` that of the key, i32 or
/// f32. What a site lacks is null: `key` and `keyCoord` outside scores and
/// masks, `channel` inside them.
struct At {
  mlir::Value batch, head, row, key, channel;
  mlir::Value coord, keyCoord;
};

/// Key coordinates [lo, hi), i32; null = unbounded.
struct LiveInterval {
  mlir::Value lo, hi;
};

/// Verifiers bound by it what the length of a compile-time table follows from.
constexpr int64_t maxTableSize = 1 << 16;

/// Builds arith and math operations: an `OpBuilder` that knows its location.
/// Operands of one call have one type; arithmetic takes vectors as well.
class Emitter : public mlir::ImplicitLocOpBuilder {
public:
  using ImplicitLocOpBuilder::ImplicitLocOpBuilder;
  using Value = mlir::Value;

  /// Where constants go is for kernels to decide.
  virtual Value constant(mlir::TypedAttr value);
  Value f32(double value);
  Value i32(int64_t value);
  Value index(int64_t value);

  Value add(Value a, Value b);
  Value sub(Value a, Value b);
  Value mul(Value a, Value b);
  Value div(Value a, Value b); ///< f32 only
  Value min(Value a, Value b); ///< signed, NaN is not propagated
  Value max(Value a, Value b);
  Value neg(Value a);
  Value abs(Value a);
  Value sin(Value a);
  Value cos(Value a);
  Value logicalAnd(Value a, Value b);
  Value select(Value condition, Value ifTrue, Value ifFalse);
  Value less(Value a, Value b);      ///< a < b, signed or ordered
  Value lessEqual(Value a, Value b); ///< a <= b

  /// f32 of an index, an integer or another float.
  Value toFloat(Value a);
  /// i32 of an index or an integer (coordinates stay below 2^31).
  Value toInt(Value a);
  /// index of an integer.
  Value toIndex(Value a);

  /// A constant 1-D table, derived at compile time in f64.
  Value table(llvm::ArrayRef<double> values); ///< tensor<Nxf32>
  Value table(llvm::ArrayRef<int32_t> values); ///< tensor<Nxi32>
  /// One element of a tensor, f16 and bf16 widened to f32.
  Value lookup(Value tensor, mlir::ValueRange indices);
};

class PosencDialect;

/// Checks at run time that every index of the integer tensor `indices` is a row
/// of `table`; `what` names an index in the message.
void checkIndices(mlir::OpBuilder &b, mlir::Location loc, mlir::Value indices,
                  mlir::Value table, llvm::StringRef what);

/// Encodings that the static registrars of `lib/Encodings` have announced.
using EncodingRegistration = void (*)(PosencDialect &);
llvm::SmallVectorImpl<EncodingRegistration> &encodingRegistrations();
mlir::LogicalResult verifyEncoding(mlir::Operation *op);

/// Checks at run time that two dimensions agree, unless both are static: those
/// the verifier compares. `message` is the whole error.
void checkSize(mlir::OpBuilder &b, mlir::Location loc, mlir::Value first, unsigned firstDim,
               mlir::Value second, unsigned secondDim, const llvm::Twine &message);

/// One static object of this class in an encoding's .cpp adds the op to the
/// dialect; nothing else has to be edited.
template <typename Op> struct RegisterEncoding {
  RegisterEncoding();
};

} // namespace posenc

#include "posenc/PosencEnums.h.inc"

#define GET_ATTRDEF_CLASSES
#include "posenc/PosencAttrs.h.inc"

#include "posenc/EncodingInterface.h.inc"
#include "posenc/PosencDialect.h.inc"

namespace posenc {
/// Whether `channels`, which the message calls by `name`, lie within `size`.
mlir::LogicalResult verifyChannels(mlir::Operation *op, ChannelsAttr channels, int64_t size,
                                   llvm::StringRef name);

/// Checks at run time that the coordinates of `encoding`, plus `offset`, are
/// rows of `table`.
void checkCoordinates(mlir::OpBuilder &b, mlir::Location loc,
                      EncodingOpInterface encoding, mlir::Value table,
                      int64_t offset, llvm::StringRef what);
} // namespace posenc

template <typename Op> posenc::RegisterEncoding<Op>::RegisterEncoding() {
  encodingRegistrations().push_back(
      [](PosencDialect &dialect) { dialect.addEncoding<Op>(); });
}

#endif // POSENC_ENCODING_H
