//===- PlanMemory.cpp - the buffers of a call in one piece of memory ------===//
//
// Where a buffer is freed is known by now: buffers whose lives do not overlap
// take turns in a slot of the piece. Sizes may be dynamic, so that slots, not
// bytes, are shared: a slot is as large as the largest of its buffers.
//
//===----------------------------------------------------------------------===//

#include "posenc/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;

namespace posenc {
#define GEN_PASS_DEF_POSENCPLANMEMORY
#include "posenc/Passes.h.inc"
} // namespace posenc

namespace {

/// The alignment of buffers: a cache line, and the widest vector.
constexpr int64_t kLine = 64;

/// An allocation that is freed in its own block, and between which operations of
/// the body it lives.
struct Buffer {
  memref::AllocOp alloc;
  memref::DeallocOp dealloc;
  Operation *first, *last;
  int64_t bytes; ///< per element of the dynamic sizes' product
};

struct Slot {
  SmallVector<Buffer *> buffers;
  bool isFree(const Buffer &buffer) const { return buffers.back()->last->isBeforeInBlock(buffer.first); }
  /// Whether all its buffers have the sizes of `buffer`, but for constant factors.
  bool fits(Buffer &buffer) const {
    return llvm::all_of(buffers, [&](Buffer *other) {
      return other->alloc.getDynamicSizes() == buffer.alloc.getDynamicSizes();
    });
  }
};

/// Of a function, or of one iteration of a parallel loop.
class Plan {
public:
  explicit Plan(Block &body) : body(body) {}
  void run();

private:
  void collect(memref::AllocOp alloc);
  bool hoistSizes(Buffer &buffer, Operation *top);
  void assign();
  Value bytesOf(OpBuilder &b, Slot &slot);
  void place();

  Block &body;
  SmallVector<Buffer> buffers;
  SmallVector<Slot> slots;
};

} // namespace

void Plan::collect(memref::AllocOp alloc) {
  MemRefType type = alloc.getType();
  if (!type.getLayout().isIdentity() || type.getMemorySpace() || !type.getElementType().isIntOrIndexOrFloat())
    return;
  // Iterations of a parallel loop would share the buffer.
  for (Operation *parent = alloc->getParentOp(); parent != body.getParentOp();
       parent = parent->getParentOp())
    if (!isa<scf::ForOp, scf::IfOp, scf::WhileOp>(parent))
      return;
  memref::DeallocOp dealloc;
  for (Operation *user : alloc->getUsers())
    if (auto found = dyn_cast<memref::DeallocOp>(user)) {
      if (dealloc || found->getBlock() != alloc->getBlock())
        return;
      dealloc = found;
    }
  if (!dealloc)
    return;
  Type element = type.getElementType();
  int64_t bytes = element.isIndex() ? 8 : llvm::divideCeil(element.getIntOrFloatBitWidth(), 8);
  for (int64_t size : type.getShape())
    if (ShapedType::isStatic(size))
      bytes *= size;
  buffers.push_back({alloc, dealloc, body.findAncestorOpInBlock(*alloc),
                     body.findAncestorOpInBlock(*dealloc), bytes});
}

/// Moves what computes the sizes in front of `top`; fails if that needs memory.
bool Plan::hoistSizes(Buffer &buffer, Operation *top) {
  SetVector<Operation *> slice;
  auto isAvailable = [&](Block *block) {
    return block == &body || block->getParent()->isProperAncestor(body.getParent());
  };
  std::function<bool(Value)> visit = [&](Value value) {
    Operation *op = value.getDefiningOp();
    if (!op || slice.contains(op))
      return op || isAvailable(value.getParentBlock());
    Operation *ancestor = body.findAncestorOpInBlock(*op);
    if (!ancestor || (ancestor == op && op->isBeforeInBlock(top)))
      return true;
    if (op->getNumRegions() || !isPure(op) || !llvm::all_of(op->getOperands(), visit))
      return false;
    slice.insert(op);
    return true;
  };
  if (!llvm::all_of(buffer.alloc.getDynamicSizes(), visit))
    return false;
  for (Operation *op : slice)
    op->moveBefore(top);
  return true;
}

/// In the order of their lives, each into a slot that is free: of buffers of such
/// sizes if there is one, the one that grows least.
void Plan::assign() {
  for (Buffer &buffer : buffers) {
    Slot *best = nullptr;
    auto cost = [&](Slot &slot) {
      int64_t most = 0;
      for (Buffer *other : slot.buffers)
        most = std::max(most, other->bytes);
      return std::tuple(!slot.fits(buffer), most < buffer.bytes, std::abs(most - buffer.bytes));
    };
    for (Slot &slot : slots)
      if (slot.isFree(buffer) && (!best || cost(slot) < cost(*best)))
        best = &slot;
    if (!best)
      best = &slots.emplace_back();
    best->buffers.push_back(&buffer);
  }
}

/// The size of a slot, in whole cache lines.
Value Plan::bytesOf(OpBuilder &b, Slot &slot) {
  Location loc = slot.buffers[0]->alloc.getLoc();
  auto index = [&](int64_t value) -> Value { return arith::ConstantIndexOp::create(b, loc, value); };
  SmallVector<Buffer *> largest; // of each list of sizes
  for (Buffer *buffer : slot.buffers) {
    auto *same = llvm::find_if(largest, [&](Buffer *other) {
      return other->alloc.getDynamicSizes() == buffer->alloc.getDynamicSizes();
    });
    if (same == largest.end())
      largest.push_back(buffer);
    else if ((*same)->bytes < buffer->bytes)
      *same = buffer;
  }
  Value most;
  for (Buffer *buffer : largest) {
    Value bytes = index(buffer->bytes);
    for (Value size : buffer->alloc.getDynamicSizes())
      bytes = arith::MulIOp::create(b, loc, bytes, size);
    // Sizes that a later assertion refuses may be negative.
    bytes = arith::MaxSIOp::create(b, loc, bytes, index(0));
    most = most ? arith::MaxSIOp::create(b, loc, most, bytes).getResult() : bytes;
  }
  Value lines = arith::DivUIOp::create(b, loc, arith::AddIOp::create(b, loc, most, index(kLine - 1)),
                                       index(kLine));
  return arith::MulIOp::create(b, loc, lines, index(kLine));
}

void Plan::place() {
  Operation *top = buffers.front().first, *end = body.getTerminator();
  OpBuilder b(top);
  Location loc = top->getLoc();
  SmallVector<Value> offsets;
  Value total = arith::ConstantIndexOp::create(b, loc, 0);
  for (Slot &slot : slots) {
    offsets.push_back(total);
    total = arith::AddIOp::create(b, loc, total, bytesOf(b, slot));
  }
  auto type = MemRefType::get({ShapedType::kDynamic}, b.getI8Type());
  auto piece = memref::AllocOp::create(b, loc, type, total, b.getI64IntegerAttr(kLine));
  piece->setAttr("posenc.kept", b.getUnitAttr());
  for (auto [slot, offset] : llvm::zip_equal(slots, offsets))
    for (Buffer *buffer : slot.buffers) {
      b.setInsertionPoint(buffer->alloc);
      auto view = memref::ViewOp::create(b, buffer->alloc.getLoc(), buffer->alloc.getType(), piece, offset,
                                         buffer->alloc.getDynamicSizes());
      buffer->dealloc.erase();
      buffer->alloc.replaceAllUsesWith(view.getResult());
      buffer->alloc.erase();
    }
  b.setInsertionPoint(end);
  memref::DeallocOp::create(b, loc, piece);
}

void Plan::run() {
  body.walk([&](memref::AllocOp alloc) { collect(alloc); });
  if (buffers.empty())
    return;
  Operation *top = buffers.front().first;
  llvm::erase_if(buffers, [&](Buffer &buffer) { return !hoistSizes(buffer, top); });
  if (buffers.empty())
    return;
  assign();
  place();
}

namespace {
struct PlanMemory : posenc::impl::PosencPlanMemoryBase<PlanMemory> {
  void runOnOperation() override {
    func::FuncOp function = getOperation();
    // A function of several blocks has no order of lives.
    if (!function->hasAttr("posenc.signature") || !llvm::hasSingleElement(function.getBody()))
      return;
    Plan(function.getBody().front()).run();
    function.walk([](scf::ParallelOp loop) { Plan(*loop.getBody()).run(); });
  }
};
} // namespace
