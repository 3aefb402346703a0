//===- Dialect.cpp - the pgpu dialect and its verifiers -------------------===//

#include "posenc/Fragments.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace posenc::pgpu;

#include "posenc/FragmentDialect.cpp.inc"
#include "posenc/FragmentEnums.cpp.inc"
#define GET_TYPEDEF_CLASSES
#include "posenc/FragmentTypes.cpp.inc"
#define GET_OP_CLASSES
#include "posenc/FragmentOps.cpp.inc"

void PgpuDialect::registerTypes() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "posenc/FragmentTypes.cpp.inc"
      >();
}

void PgpuDialect::initialize() {
  registerTypes();
  addOperations<
#define GET_OP_LIST
#include "posenc/FragmentOps.cpp.inc"
      >();
}

//===----------------------------------------------------------------------===//
// Tiles
//===----------------------------------------------------------------------===//

Type TileType::parse(AsmParser &parser) {
  SmallVector<int64_t> shape;
  Type element;
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseLess() || parser.parseDimensionList(shape, /*allowDynamic=*/false) ||
      parser.parseType(element) || parser.parseGreater())
    return {};
  if (shape.size() != 3) {
    parser.emitError(loc, "expected stages, rows and columns, but found ")
        << shape.size() << " sizes";
    return {};
  }
  return parser.getChecked<TileType>(loc, parser.getContext(), shape[0], shape[1], shape[2],
                                     element);
}

void TileType::print(AsmPrinter &printer) const {
  printer << "<" << getStages() << "x" << getRows() << "x" << getColumns() << "x" << getElement()
          << ">";
}

LogicalResult TileType::verify(function_ref<InFlightDiagnostic()> emitError, int64_t stages,
                               int64_t rows, int64_t columns, Type element) {
  if (!isa<Float16Type, BFloat16Type>(element))
    return emitError() << "expected elements of f16 or bf16, but found " << element;
  if (stages < 1)
    return emitError() << "expected 1 stage at least, but found " << stages;
  if (rows < 8 || rows % 8)
    return emitError() << "expected rows to be a multiple of 8, but found " << rows;
  if (columns < 16 || columns % 16)
    return emitError() << "expected columns to be a multiple of 16, but found " << columns;
  return success();
}

//===----------------------------------------------------------------------===//
// Effects
//===----------------------------------------------------------------------===//

using Effects = SmallVectorImpl<MemoryEffects::EffectInstance>;

void CopyOp::getEffects(Effects &effects) {
  effects.emplace_back(MemoryEffects::Read::get(), &getSourceMutable());
  effects.emplace_back(MemoryEffects::Write::get(), &getTileMutable());
}

void PutOp::getEffects(Effects &effects) {
  effects.emplace_back(MemoryEffects::Write::get(), &getTileMutable());
}

void LoadOp::getEffects(Effects &effects) {
  effects.emplace_back(MemoryEffects::Read::get(), &getTileMutable());
}

void StoreOp::getEffects(Effects &effects) {
  effects.emplace_back(MemoryEffects::Write::get(), &getTargetMutable());
}

//===----------------------------------------------------------------------===//
// Verifiers
//===----------------------------------------------------------------------===//

static int64_t lengthOf(Value v) { return cast<VectorType>(v.getType()).getNumElements(); }
static Type elementOf(Value v) { return getElementTypeOrSelf(v.getType()); }

static LogicalResult verifyElement(Operation *op, Type have, Type want) {
  if (have != want)
    return op->emitOpError("expected elements of ") << want << ", but found " << have;
  return success();
}

/// A sum of 16 rows has whole instructions, which are 8 columns wide.
static LogicalResult verifySum(Operation *op, Value fragment) {
  if (lengthOf(fragment) % 4)
    return op->emitOpError("expected a multiple of 4 elements, but found ") << fragment.getType();
  return success();
}

/// A matrix in memory, whose rows are contiguous.
static LogicalResult verifyMatrix(Operation *op, Value memref) {
  auto type = cast<MemRefType>(memref.getType());
  if (type.getRank() != 2 || !type.isLastDimUnitStride())
    return op->emitOpError("expected a matrix of contiguous rows, but found ") << type;
  return success();
}

LogicalResult CopyOp::verify() {
  auto source = cast<MemRefType>(getSource().getType());
  TileType tile = getTile().getType();
  if (failed(verifyMatrix(*this, getSource())) ||
      failed(verifyElement(*this, source.getElementType(), tile.getElement())))
    return failure();
  if (source.getDimSize(1) != tile.getColumns())
    return emitOpError("expected rows of ")
           << tile.getColumns() << " elements, but found " << source;
  int64_t pitch = source.getStridesAndOffset().first[0];
  if (!ShapedType::isDynamic(pitch) && pitch % 8)
    return emitOpError("expected rows that start at multiples of 16 bytes, but found ") << source;
  return success();
}

LogicalResult PutOp::verify() {
  int64_t length = lengthOf(getValue());
  if (length > 8 || !llvm::isPowerOf2_64(length))
    return emitOpError("expected 1, 2, 4 or 8 elements, but found ") << length;
  return verifyElement(*this, elementOf(getValue()), getTile().getType().getElement());
}

LogicalResult LoadOp::verify() {
  TileType tile = getTile().getType();
  int64_t length = lengthOf(getFragment());
  if (failed(verifyElement(*this, elementOf(getFragment()), tile.getElement())))
    return failure();
  if (length % 8)
    return emitOpError("expected a multiple of 8 elements, but found ") << length;
  if (getTransposed() && getRole() == Role::left)
    return emitOpError("expected a right fragment, since it is transposed");
  // 16 by twice the length of the fragment.
  int64_t rows = getTransposed() ? 2 * length : 16, columns = getTransposed() ? 16 : 2 * length;
  if (rows > tile.getRows() || columns > tile.getColumns())
    return emitOpError("expected a tile of ")
           << rows << " x " << columns << " at least, but found " << tile;
  return success();
}

LogicalResult MmaOp::verify() {
  if (lengthOf(getLeft()) != 8)
    return emitOpError("expected a left fragment of 8 elements, but found ")
           << lengthOf(getLeft());
  if (failed(verifyElement(*this, elementOf(getRight()), elementOf(getLeft()))))
    return failure();
  if (lengthOf(getRight()) % 4)
    return emitOpError("expected a right fragment of a multiple of 4 elements, but found ")
           << lengthOf(getRight());
  if (lengthOf(getSum()) != lengthOf(getRight()))
    return emitOpError("expected as many sums as right elements, but found ")
           << lengthOf(getSum()) << " and " << lengthOf(getRight());
  return success();
}

LogicalResult CoordinatesOp::verify() { return verifySum(*this, getRows()); }
LogicalResult RowReduceOp::verify() { return verifySum(*this, getFragment()); }
LogicalResult SpreadOp::verify() { return verifySum(*this, getFragment()); }

LogicalResult StoreOp::verify() {
  if (failed(verifySum(*this, getFragment())) || failed(verifyMatrix(*this, getTarget())))
    return failure();
  return verifyElement(*this, elementOf(getFragment()), elementOf(getTarget()));
}
