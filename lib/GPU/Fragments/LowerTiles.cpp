//===- LowerTiles.cpp - shared memory to addresses and ldmatrix -----------===//

#include "GPU/Fragments/Lowering.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace posenc::pgpu;

constexpr int64_t piece = 8; ///< elements that one copy, or one row of ldmatrix, takes

Value LoweringBuilder::divide(Value a, int64_t b) {
  return b == 1 ? a : arith::DivUIOp::create(*this, a, i32(b)).getResult();
}
Value LoweringBuilder::remainder(Value a, int64_t b) {
  return b == 1 ? i32(0) : arith::RemUIOp::create(*this, a, i32(b)).getResult();
}
Value LoweringBuilder::exclusiveOr(Value a, Value b) { return arith::XOrIOp::create(*this, a, b); }
Value LoweringBuilder::lane() {
  return toInt(gpu::LaneIdOp::create(*this, getIndexAttr(32)));
}
Value LoweringBuilder::thread() {
  return toInt(gpu::ThreadIdOp::create(*this, gpu::Dimension::x));
}

/// Neighbouring rows put the same piece into different groups of four banks; see
/// the description of the dialect. What is constant stays outside of what a thread
/// has to compute, so that one register serves many loads.
Value Shared::address(LoweringBuilder &b, Value tile, Value stage, Value row, Value at,
                      Offset constant) const {
  auto type = cast<TileType>(tile.getType());
  int64_t pieces = type.getColumns() / piece, size = std::min<int64_t>(pieces & -pieces, 8);
  at = b.exclusiveOr(at, b.remainder(b.divide(row, 8 / size), size));
  int64_t inside = constant.pieces % size;
  if (inside)
    at = b.exclusiveOr(at, b.i32(inside));
  Value offset = b.add(b.mul(stage, type.getStageBytes()), b.mul(row, type.getRowBytes()));
  offset = b.add(offset, b.mul(at, 2 * piece));
  int64_t known = offsets.lookup(tile.getDefiningOp()) + constant.rows * type.getRowBytes() +
                  (constant.pieces - inside) * 2 * piece;
  Value base = LLVM::AddressOfOp::create(b, memory);
  auto advance = [&](LLVM::GEPArg by) {
    base = LLVM::GEPOp::create(b, base.getType(), b.getI8Type(), base,
                               ArrayRef<LLVM::GEPArg>(by));
  };
  advance(offset);
  if (known)
    advance(int32_t(known));
  return base;
}

/// An index as one of i32 and a constant, which is a multiple of 8.
static std::pair<Value, int64_t> split(LoweringBuilder &b, Value index) {
  APInt known;
  auto isKnown = [&](Value v) { return matchPattern(v, m_ConstantInt(&known)) && !known.urem(8); };
  if (isKnown(index))
    return {b.i32(0), known.getSExtValue()};
  if (auto sum = index.getDefiningOp<arith::AddIOp>(); sum && isKnown(sum.getRhs()))
    return {b.toInt(sum.getLhs()), known.getSExtValue()};
  return {b.toInt(index), 0};
}

/// The address of the first element of a row, in bytes, and their distance.
static std::pair<Value, Value> rowAddress(LoweringBuilder &b, Value memref) {
  auto type = cast<MemRefType>(memref.getType());
  auto [strides, offset] = type.getStridesAndOffset();
  auto words = [&](Value index) {
    return arith::IndexCastOp::create(b, b.getI64Type(), index).getResult();
  };
  int64_t size = type.getElementTypeBitWidth() / 8;
  Value bytes = b.constant(b.getI64IntegerAttr(size));
  Value base = words(memref::ExtractAlignedPointerAsIndexOp::create(b, memref));
  if (offset == 0 && !ShapedType::isDynamic(strides[0]))
    return {base, b.constant(b.getI64IntegerAttr(strides[0] * size))};
  auto parts = memref::ExtractStridedMetadataOp::create(b, memref);
  base = b.add(base, b.mul(words(parts.getOffset()), bytes));
  return {base, b.mul(words(parts.getStrides()[0]), bytes)};
}

/// Some threads, as many as a power of two, have a row, and each keeps its column:
/// what one copy adds to the addresses of another is a constant.
Replacement posenc::pgpu::lower(LoweringBuilder &b, CopyOp op, const Shared &shared, int64_t threads) {
  TileType tile = op.getTile().getType();
  int64_t perRow = tile.getColumns() / piece;
  int64_t across = std::min<int64_t>(llvm::PowerOf2Ceil(perRow), threads);
  int64_t down = threads / across;
  auto wide = [&](Value v) { return arith::ExtSIOp::create(b, b.getI64Type(), v).getResult(); };
  auto when = [&](Value condition, llvm::function_ref<void()> body) {
    auto branch = scf::IfOp::create(b, condition, /*withElseRegion=*/false);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(branch.thenBlock());
    body();
  };
  std::pair<Value, Value> rows = rowAddress(b, op.getSource());
  Value thread = b.thread(), stage = b.toInt(op.getStage());
  Value row = b.divide(thread, across), column = b.remainder(thread, across);
  Value first = b.add(b.toInt(op.getFirst()), row);
  Value count = b.sub(b.toInt(op.getEnd()), first); // rows that exist, from this one on
  Value from = b.add(b.add(rows.first, wide(b.mul(column, 2 * piece))), b.mul(wide(first), rows.second));
  auto copy = [&](int64_t done, int64_t at) {
    Value further = b.constant(b.getI64IntegerAttr(done)),
          offset = b.constant(b.getI64IntegerAttr(2 * piece * at));
    auto global = LLVM::LLVMPointerType::get(b.getContext(), 1);
    Value source = b.add(from, b.add(b.mul(rows.second, further), offset));
    // Of a row that does not exist nothing is read.
    Value bytes = b.select(b.less(b.i32(done), count), b.i32(2 * piece), b.i32(0));
    Value target = shared.address(b, op.getTile(), stage, b.add(row, done % 8), b.add(column, at),
                                  {done / 8 * 8, 0});
    NVVM::CpAsyncOp::create(b, target, LLVM::IntToPtrOp::create(b, global, source), 2 * piece,
                            NVVM::LoadCacheModifierKind::CG, bytes);
  };
  for (int64_t done = 0; done < tile.getRows(); done += down)
    for (int64_t at = 0; at < perRow; at += across) {
      Value isInside;
      if (done + down > tile.getRows())
        isInside = b.less(row, b.i32(tile.getRows() - done));
      if (at + across > perRow) {
        Value exists = b.less(column, b.i32(perRow - at));
        isInside = isInside ? b.logicalAnd(isInside, exists) : exists;
      }
      if (isInside)
        when(isInside, [&] { copy(done, at); });
      else
        copy(done, at);
    }
  return {};
}

Replacement posenc::pgpu::lower(LoweringBuilder &b, PutOp op, const Shared &shared) {
  Value column = b.toInt(op.getColumn());
  Value at = shared.address(b, op.getTile(), b.toInt(op.getStage()), b.toInt(op.getRow()),
                            b.divide(column, piece), {});
  auto type = op.getValue().getType();
  if (int64_t length = type.getNumElements(); length < piece)
    at = LLVM::GEPOp::create(b, at.getType(), type.getElementType(), at,
                             ArrayRef<LLVM::GEPArg>{b.remainder(column, piece)});
  LLVM::StoreOp::create(b, op.getValue(), at, /*alignment=*/2 * type.getNumElements());
  return {};
}

Replacement posenc::pgpu::lower(LoweringBuilder &b, LoadOp op, const Shared &shared) {
  auto type = cast<VectorType>(op.getFragment().getType());
  Value lane = b.lane(), stage = b.toInt(op.getStage());
  // Lane 8 m + r gives the address of row r of matrix m; four are loaded at once.
  // Matrices 0 and 1 are on top of each other, but of keys, side by side.
  Value low = b.remainder(lane, 16), high = b.divide(lane, 16);
  Value row = low, at = high;
  if (op.getTransposed()) {
    row = b.add(b.remainder(lane, 8), b.mul(high, 8));
    at = b.remainder(b.divide(lane, 8), 2);
  }
  auto [firstRow, rowOffset] = split(b, op.getRow());
  row = b.add(firstRow, row);
  // Of columns, only a constant alone leaves the last bit of `at` to the lanes.
  std::optional<int64_t> column = getConstantIntValue(op.getColumn());
  if (column && *column % 16)
    column.reset();
  if (!column)
    at = b.add(b.divide(b.toInt(op.getColumn()), piece), at);
  // Rows of a right fragment are registers, so those of the tile have to be turned.
  bool turn = op.getRole() == Role::right && !op.getTransposed();
  auto layout = turn ? NVVM::MMALayout::col : NVVM::MMALayout::row;
  auto words = LLVM::LLVMStructType::getLiteral(b.getContext(),
                                                SmallVector<Type>(4, b.getI32Type()));
  SmallVector<Value> registers;
  for (int64_t n = 0; n < type.getNumElements() / 8; ++n) {
    Shared::Offset constant{rowOffset, column.value_or(0) / piece};
    Value place = at;
    if (op.getTransposed())
      constant.rows += 16 * n;
    else if (column)
      constant.pieces += 2 * n;
    else
      place = b.add(at, 2 * n);
    auto shape = NVVM::LdStMatrixShapeAttr::get(b.getContext(), 8, 8);
    Value from = shared.address(b, op.getTile(), stage, row, place, constant);
    Value four = NVVM::LdMatrixOp::create(b, words, from, 4, layout, shape,
                                          NVVM::LdStMatrixEltType::B16);
    for (int64_t i = 0; i < 4; ++i)
      registers.push_back(LLVM::ExtractValueOp::create(b, four, i));
  }
  auto packed = VectorType::get(registers.size(), b.getI32Type());
  Value all = vector::FromElementsOp::create(b, packed, registers);
  return {vector::BitCastOp::create(b, type, all)};
}
