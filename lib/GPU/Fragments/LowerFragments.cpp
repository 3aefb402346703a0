//===- LowerFragments.cpp - fragments to instructions of a warp -----------===//

#include "GPU/Fragments/Lowering.h"
#include "posenc/Passes.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace posenc::pgpu;

namespace posenc {
#define GEN_PASS_DEF_POSENCLOWERFRAGMENTS
#include "posenc/Passes.h.inc"
} // namespace posenc

static VectorType vectorOf(Value v) { return cast<VectorType>(v.getType()); }

static SmallVector<Value> elements(LoweringBuilder &b, Value vector) {
  auto op = vector::ToElementsOp::create(b, vector);
  return SmallVector<Value>(op.getResults());
}

/// The row, of two, that element `i` of a sum belongs to.
static int64_t rowOf(int64_t i) { return i / 2 % 2; }

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

/// Pairs of 16-bit elements, as the instruction takes them.
static SmallVector<Value> registers(LoweringBuilder &b, Value fragment) {
  VectorType type = vectorOf(fragment);
  auto words = VectorType::get(type.getNumElements() / 2, b.getI32Type());
  SmallVector<Value> result = elements(b, vector::BitCastOp::create(b, words, fragment));
  if (type.getElementType().isF16())
    for (Value &v : result)
      v = LLVM::BitcastOp::create(b, VectorType::get(2, b.getF16Type()), v);
  return result;
}

Replacement posenc::pgpu::lower(LoweringBuilder &b, MmaOp op) {
  SmallVector<Value> left = registers(b, op.getLeft()), right = registers(b, op.getRight());
  SmallVector<Value> sums = elements(b, op.getSum());
  auto kind = vectorOf(op.getLeft()).getElementType().isF16() ? NVVM::MMATypes::f16
                                                              : NVVM::MMATypes::bf16;
  auto type = LLVM::LLVMStructType::getLiteral(b.getContext(),
                                               SmallVector<Type>(4, b.getF32Type()));
  for (size_t n = 0; n < sums.size() / 4; ++n) {
    MutableArrayRef<Value> sum = MutableArrayRef(sums).slice(4 * n, 4);
    Value next = NVVM::MmaOp::create(
        b, type, left, ArrayRef(right).slice(2 * n, 2), sum, {16, 8, 16}, std::nullopt,
        std::nullopt, std::array{kind, kind},
        std::array{NVVM::MMALayout::row, NVVM::MMALayout::col});
    for (auto [i, v] : llvm::enumerate(sum))
      v = LLVM::ExtractValueOp::create(b, next, i);
  }
  return {vector::FromElementsOp::create(b, vectorOf(op.getSum()), sums)};
}

//===----------------------------------------------------------------------===//
// Rows and columns
//===----------------------------------------------------------------------===//

/// `base` plus an offset that is known for each element.
static Value offsets(LoweringBuilder &b, Value base, VectorType type,
                     llvm::function_ref<int32_t(int64_t)> offset) {
  SmallVector<int32_t> values;
  for (int64_t i = 0; i < type.getNumElements(); ++i)
    values.push_back(offset(i));
  auto words = VectorType::get(type.getNumElements(), b.getI32Type());
  Value all = vector::BroadcastOp::create(b, words, base);
  all = b.add(all, b.constant(DenseElementsAttr::get(words, ArrayRef(values))));
  return arith::IndexCastUIOp::create(b, type, all);
}

static Value columnOf(LoweringBuilder &b) { return b.mul(b.remainder(b.lane(), 4), 2); }

Replacement posenc::pgpu::lower(LoweringBuilder &b, CoordinatesOp op) {
  VectorType type = vectorOf(op.getRows());
  Value row = b.divide(b.lane(), 4);
  return {offsets(b, row, type, [](int64_t i) { return 8 * rowOf(i); }),
          offsets(b, columnOf(b), type, [](int64_t i) { return 8 * (i / 4) + i % 2; })};
}

static Value combine(LoweringBuilder &b, Combine how, Value x, Value y) {
  return how == Combine::add ? b.add(x, y) : LLVM::MaxNumOp::create(b, x, y).getResult();
}

Replacement posenc::pgpu::lower(LoweringBuilder &b, RowReduceOp op) {
  SmallVector<Value> rows[2], result;
  for (auto [i, v] : llvm::enumerate(elements(b, op.getFragment())))
    rows[rowOf(i)].push_back(v);
  for (SmallVector<Value> &row : rows) {
    while (row.size() > 1) { // a tree, since each step waits for the one before
      SmallVector<Value> next;
      for (size_t i = 0; i + 1 < row.size(); i += 2)
        next.push_back(combine(b, op.getCombine(), row[i], row[i + 1]));
      if (row.size() % 2)
        next.push_back(row.back());
      row = std::move(next);
    }
    result.push_back(row[0]);
  }
  return {vector::FromElementsOp::create(b, vectorOf(op.getResult()), result)};
}

Replacement posenc::pgpu::lower(LoweringBuilder &b, QuadReduceOp op) {
  SmallVector<Value> rows = elements(b, op.getValue());
  for (Value &row : rows)
    for (int64_t distance : {1, 2}) {
      Value other = NVVM::ShflOp::create(b, row.getType(), b.i32(-1), row, b.i32(distance),
                                         b.i32(31), NVVM::ShflKind::bfly, nullptr);
      row = combine(b, op.getCombine(), row, other);
    }
  return {vector::FromElementsOp::create(b, vectorOf(op.getResult()), rows)};
}

Replacement posenc::pgpu::lower(LoweringBuilder &b, SpreadOp op) {
  SmallVector<int64_t> mask;
  for (int64_t i = 0; i < vectorOf(op.getFragment()).getNumElements(); ++i)
    mask.push_back(rowOf(i));
  return {vector::ShuffleOp::create(b, op.getValue(), op.getValue(), mask)};
}

Replacement posenc::pgpu::lower(LoweringBuilder &b, StoreOp op) {
  int64_t count = vectorOf(op.getFragment()).getNumElements();
  auto pair = llvm::Align(vectorOf(op.getFragment()).getElementTypeBitWidth() / 4);
  Value column = b.add(op.getColumn(), b.toIndex(columnOf(b)));
  for (int64_t r = 0; r < 2; ++r) {
    Value row = b.toIndex(b.add(b.divide(b.lane(), 4), 8 * r));
    row = b.add(op.getFirst(), row);
    auto branch = scf::IfOp::create(b, b.less(row, op.getEnd()), /*withElseRegion=*/false);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(branch.thenBlock());
    for (int64_t i = 2 * r; i < count; i += 4) {
      Value two = vector::ShuffleOp::create(b, op.getFragment(), op.getFragment(),
                                            ArrayRef<int64_t>{i, i + 1});
      Value at = b.add(column, b.index(8 * (i / 4)));
      vector::StoreOp::create(b, two, op.getTarget(), ValueRange{row, at},
                              /*nontemporal=*/false, pair);
    }
  }
  return {};
}

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

/// One symbol of no size: where the dynamic shared memory of a launch begins.
static LLVM::GlobalOp dynamicMemory(gpu::GPUModuleOp module) {
  OpBuilder b = OpBuilder::atBlockBegin(module.getBody());
  auto bytes = LLVM::LLVMArrayType::get(b.getI8Type(), 0);
  auto memory = LLVM::GlobalOp::create(b, module.getLoc(), bytes, /*isConstant=*/false,
                                       LLVM::Linkage::External, "pgpu_shared", Attribute(),
                                       /*alignment=*/128, /*addrSpace=*/3);
  SymbolTable(module).insert(memory);
  return memory;
}

/// Lowers the operations of one kernel, and fails on what cannot be.
static LogicalResult lower(gpu::GPUFuncOp kernel, LLVM::GlobalOp memory) {
  Shared shared;
  shared.memory = memory;
  int64_t bytes = 0;
  SmallVector<Operation *> ops;
  kernel.walk([&](Operation *op) {
    if (auto alloc = dyn_cast<AllocOp>(op)) {
      shared.offsets[op] = bytes;
      bytes += llvm::alignTo(alloc.getTile().getType().getBytes(), 128);
    }
    if (isa_and_nonnull<PgpuDialect>(op->getDialect()))
      ops.push_back(op);
  });
  // Backwards, so that allocations come last.
  for (Operation *op : llvm::reverse(ops)) {
    for (Value v : op->getOperands())
      if (isa<TileType>(v.getType()) && !v.getDefiningOp<AllocOp>())
        return op->emitOpError("expected the tile to be that of a pgpu.alloc");
    LoweringBuilder b(op->getLoc(), OpBuilder(op));
    if (auto copy = dyn_cast<CopyOp>(op)) {
      std::optional<ArrayRef<int32_t>> block = kernel.getKnownBlockSize();
      if (!block || (*block)[1] != 1 || (*block)[2] != 1)
        return op->emitOpError("expected the kernel to have a known_block_size of one dimension");
      lower(b, copy, shared, (*block)[0]);
      op->erase();
      continue;
    }
    Replacement values = llvm::TypeSwitch<Operation *, Replacement>(op)
        .Case<PutOp, LoadOp>([&](auto op) { return lower(b, op, shared); })
        .Case<MmaOp, CoordinatesOp, RowReduceOp, QuadReduceOp, SpreadOp, StoreOp>(
            [&](auto op) { return lower(b, op); })
        .Default([](Operation *) { return Replacement(); });
    if (!isa<AllocOp>(op))
      op->replaceAllUsesWith(values);
    op->erase();
  }
  return success();
}

namespace {
struct LowerFragments : posenc::impl::PosencLowerFragmentsBase<LowerFragments> {
  void runOnOperation() override {
    LLVM::GlobalOp memory;
    for (auto kernel : getOperation().getOps<gpu::GPUFuncOp>()) {
      bool any = kernel.walk([](AllocOp) { return WalkResult::interrupt(); }).wasInterrupted();
      if (any && !memory)
        memory = dynamicMemory(getOperation());
      if (failed(::lower(kernel, memory)))
        return signalPassFailure();
    }
  }
};
} // namespace
