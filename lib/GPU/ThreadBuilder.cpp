//===- ThreadBuilder.cpp - builds the code of a thread --------------------===//

#include "GPU/ThreadBuilder.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"

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

Value ThreadBuilder::loadWide(Value memref, ValueRange at, int64_t n) {
  if (n == 1)
    return load(memref, at, 0);
  Type element = memrefOf(memref).getElementType();
  Value value = vector::LoadOp::create(*this, vectorType(n, element), memref, at,
                                       /*nontemporal=*/false,
                                       llvm::MaybeAlign(n * element.getIntOrFloatBitWidth() / 8));
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
                          llvm::MaybeAlign(n * element.getIntOrFloatBitWidth() / 8));
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
  return arith::TruncFOp::create(*this, getBF16Type(), value);
}

//===----------------------------------------------------------------------===//
// Warps
//===----------------------------------------------------------------------===//

Value ThreadBuilder::reduceWarp(Value v, function_ref<Value(Value, Value)> combine) {
  for (int32_t distance = kWarp / 2; distance; distance /= 2) {
    auto other = gpu::ShuffleOp::create(*this, v, distance, kWarp, gpu::ShuffleMode::XOR);
    v = combine(v, other.getShuffleResult());
  }
  return v;
}

Value ThreadBuilder::warpMax(Value v) {
  return reduceWarp(v, [&](Value a, Value b) { return max(a, b); });
}

Value ThreadBuilder::warpSum(Value v) {
  return reduceWarp(v, [&](Value a, Value b) { return add(a, b); });
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
