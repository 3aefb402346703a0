//===- ThreadBuilder.cpp - builds the code of a thread --------------------===//

#include "GPU/ThreadBuilder.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace posenc;

static MemRefType memrefOf(Value v) { return cast<MemRefType>(v.getType()); }

ThreadBuilder::ThreadBuilder(gpu::LaunchOp launch)
    : KernelBuilder(launch.getLoc(), &launch.getBody().front(), /*lanes=*/1), launch(launch) {
  block = launch.getBlockIds().x;
  thread = launch.getThreadIds().x;
  warp = divide(thread, kWarp);
  lane = sub(thread, mul(warp, kWarp));
}

Value ThreadBuilder::fma(Value a, Value b, Value c) {
  return math::FmaOp::create(*this, a, b, c);
}

void ThreadBuilder::contract() {
  auto flags = arith::FastMathFlagsAttr::get(getContext(), arith::FastMathFlags::contract);
  launch.walk([&](arith::ArithFastMathInterface op) { op->setAttr(op.getFastMathAttrName(), flags); });
}

/// A power of two that divides a number.
static int64_t divisor(Value v) {
  constexpr int64_t most = 1 << 20;
  if (std::optional<int64_t> known = getConstantIntValue(v))
    return *known ? std::min(*known & -*known, most) : most;
  Operation *op = v.getDefiningOp();
  if (isa_and_nonnull<arith::MulIOp>(op))
    return std::min(divisor(op->getOperand(0)) * divisor(op->getOperand(1)), most);
  if (isa_and_nonnull<arith::AddIOp>(op))
    return std::min(divisor(op->getOperand(0)), divisor(op->getOperand(1)));
  if (isa_and_nonnull<arith::DivUIOp>(op)) // of a width by two
    if (std::optional<int64_t> by = getConstantIntValue(op->getOperand(1)))
      if (int64_t whole = divisor(op->getOperand(0)); *by > 0 && whole % *by == 0)
        return whole / *by;
  return 1;
}

void ThreadBuilder::align() {
  auto one = [](auto op, VectorType vector) {
    auto type = memrefOf(op.getBase());
    if (!type.getElementType().isIntOrFloat() || type.getElementTypeBitWidth() < 8)
      return;
    int64_t size = type.getElementTypeBitWidth() / 8, row = type.getShape().back();
    int64_t elements = std::min(vector.getNumElements(), 16 / size);
    if (type.getLayout().isIdentity() && ShapedType::isStatic(row) && row % elements == 0 &&
        divisor(op.getIndices().back()) % elements == 0)
      op.setAlignment(elements * size);
  };
  launch.walk([&](vector::LoadOp op) { one(op, op.getVectorType()); });
  launch.walk([&](vector::StoreOp op) { one(op, op.getVectorType()); });
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

int64_t ThreadBuilder::widest(Value memref) {
  MemRefType type = memrefOf(memref);
  int64_t row = type.getShape().back();
  if (!type.getLayout().isIdentity() || ShapedType::isDynamic(row))
    return 1;
  int64_t n = 16 * 8 / type.getElementTypeBitWidth();
  while (row % n)
    n /= 2;
  return n;
}

/// No access has more than 16 bytes.
static llvm::MaybeAlign alignmentOf(int64_t n, Type element) {
  return llvm::MaybeAlign(std::min<int64_t>(n * element.getIntOrFloatBitWidth() / 8, 16));
}

Value ThreadBuilder::loadWide(Value memref, ValueRange at, int64_t n) {
  if (n == 1)
    return load(memref, at, 0);
  Type element = memrefOf(memref).getElementType();
  Value value = vector::LoadOp::create(*this, vectorType(n, element), memref, at,
                                       /*nontemporal=*/false,
                                       alignmentOf(n, element));
  return element.isF32() ? value : arith::ExtFOp::create(*this, vectorType(n), value).getResult();
}

void ThreadBuilder::storeWide(Value value, Value memref, ValueRange at) {
  auto type = dyn_cast<VectorType>(value.getType());
  if (!type)
    return store(value, memref, at);
  Type element = memrefOf(memref).getElementType();
  int64_t n = type.getNumElements();
  if (!element.isF32())
    value = arith::TruncFOp::create(*this, vectorType(n, element), value);
  vector::StoreOp::create(*this, value, memref, at, /*nontemporal=*/false,
                          alignmentOf(n, element));
}

Value ThreadBuilder::element(Value vector, int64_t i) {
  return isa<VectorType>(vector.getType()) ? vector::ExtractOp::create(*this, vector, i).getResult()
                                           : vector;
}

Value ThreadBuilder::join(ArrayRef<Value> elements) {
  if (elements.size() == 1)
    return elements.front();
  return vector::FromElementsOp::create(
      *this, vectorType(elements.size(), elements.front().getType()), elements);
}

Value ThreadBuilder::shared(ArrayRef<int64_t> shape) {
  auto space = gpu::AddressSpaceAttr::get(getContext(), gpu::AddressSpace::Workgroup);
  auto type = MemRefType::get(shape, getF32Type(), MemRefLayoutAttrInterface{}, space);
  return launch.addWorkgroupAttribution(type, getLoc());
}

/// Processors convert; those that cannot have LLVM write it out.
Value ThreadBuilder::roundToBF16(Value value) {
  Type type = getBF16Type();
  if (auto vector = dyn_cast<VectorType>(value.getType()))
    type = vector.cloneWith({}, type);
  return arith::TruncFOp::create(*this, type, value);
}

//===----------------------------------------------------------------------===//
// Warps
//===----------------------------------------------------------------------===//

Value ThreadBuilder::shuffle(Value v, int64_t distance) {
  return gpu::ShuffleOp::create(*this, v, static_cast<int32_t>(distance), kWarp,
                                gpu::ShuffleMode::XOR)
      .getShuffleResult();
}

Value ThreadBuilder::reduceWarp(Value v, function_ref<Value(Value, Value)> combine) {
  for (int64_t distance = kWarp / 2; distance; distance /= 2)
    v = combine(v, shuffle(v, distance));
  return v;
}

Value ThreadBuilder::warpMax(Value v) {
  return reduceWarp(v, [&](Value a, Value b) { return max(a, b); });
}

Value ThreadBuilder::warpSum(Value v) {
  return reduceWarp(v, [&](Value a, Value b) { return add(a, b); });
}

Value ThreadBuilder::any(Value condition) {
  return NVVM::VoteSyncOp::create(*this, getI1Type(), i32(-1), condition,
                                  NVVM::VoteSyncKind::any);
}

Value ThreadBuilder::uniform(Value v) {
  auto first = gpu::ShuffleOp::create(*this, toInt(v), i32(0), i32(kWarp), gpu::ShuffleMode::IDX);
  return toIndex(first.getShuffleResult());
}

void ThreadBuilder::syncWarp() { NVVM::SyncWarpOp::create(*this, i32(-1)); }

void ThreadBuilder::syncBlock() { gpu::BarrierOp::create(*this); }

//===----------------------------------------------------------------------===//
// Launches
//===----------------------------------------------------------------------===//

LogicalResult posenc::buildLaunch(Operation *op, StringRef name, Value blocks, int64_t threads,
                                  function_ref<LogicalResult(ThreadBuilder &)> body,
                                  int64_t sharedBytes) {
  ImplicitLocOpBuilder b(op->getLoc(), op);
  Value one = arith::ConstantIndexOp::create(b, 1);
  Value size = arith::ConstantIndexOp::create(b, threads);
  Value shared = sharedBytes ? arith::ConstantIntOp::create(b, sharedBytes, 32) : Value();
  auto launch = gpu::LaunchOp::create(b, blocks, one, one, size, one, one, shared);
  launch.setFunctionAttr(FlatSymbolRefAttr::get(b.getContext(), name));
  ThreadBuilder thread(launch);
  if (failed(body(thread)))
    return failure();
  gpu::TerminatorOp::create(thread);
  return success();
}
