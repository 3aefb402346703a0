//===- AttentionMaps.cpp - keys and values encoded where they are used ----===//
//
// Encoding all keys before attention writes and reads them once more, through
// memory or a cache that is shared. A thread that computes all that needs a head of
// keys has room for one head, which stays in its own cache, and the first block of
// queries that meets a block of keys encodes it. As nobody else has that room, threads
// do not wait for each other, and no key is encoded twice.
//
//===----------------------------------------------------------------------===//

#include "Vectorize/AttentionMaps.h"
#include "Vectorize/RowMap.h"

#include "mlir/Dialect/UB/IR/UBOps.h"

using namespace mlir;
using namespace posenc;

/// Rows that a call encodes where all are encoded first.
static constexpr int64_t kRows = 64;
/// So many heads of keys for a thread are about as much work for each.
static constexpr int64_t kManyHeads = 4;

LogicalResult posenc::encodeRows(KernelBuilder &b, AttentionOp op, Region &map,
                                 ChannelsAttr channels, const IRMapping &outer, Value rows,
                                 ValueRange head, ValueRange coordinates, Value from, Value to,
                                 Value results) {
  LogicalResult done = success();
  RowMap encoder(b, map, channels, outer);
  b.loop(from, to, 1, [&](Value row) {
    Value where[] = {coordinates[0], coordinates[1], b.add(row, coordinates[2])};
    done = encoder.apply(rows, rowAt(op, head[0], head[1], row), results, row, where);
  });
  return done;
}

RowEncoder::RowEncoder(AttentionOp op, Value rows, Region &map, ChannelsAttr channels,
                       Type element, ValueRange offsets, Outliner &outliner)
    : op(op), rows(rows), rowDim(op.getRowDim()) {
  auto of = cast<MemRefType>(rows.getType());
  type = MemRefType::get({ShapedType::kDynamic, of.getDimSize(op.getRowDim()), of.getDimSize(3)},
                         element);
  KernelBuilder b = outliner.before(op);
  Value heads = b.size(op.getQuery(), op.getHeadDim());
  Value group = b.divide(heads, b.size(rows, op.getHeadDim()));
  SmallVector<Value> operands{rows, offsets[0], b.divide(offsets[1], group), offsets[3]};
  operands.push_back(ub::PoisonOp::create(b, headType()));
  auto body = [&](KernelBuilder &k, ValueRange arguments, const IRMapping &outer, ValueRange at) {
    Value coordinates[] = {k.add(at[0], arguments[1]), k.add(at[1], arguments[2]), arguments[3]};
    return encodeRows(k, op, map, channels, outer, arguments[0], at.take_front(2), coordinates,
                      at[2], at[3], arguments[4]);
  };
  call = outliner.outline("map", map, operands, 4, body);
}

MemRefType RowEncoder::headType() const {
  ArrayRef<int64_t> shape = type.getShape();
  auto layout = StridedLayoutAttr::get(type.getContext(), ShapedType::kDynamic, {shape[2], 1});
  return MemRefType::get(shape.drop_front(), type.getElementType(), layout);
}

Value RowEncoder::allocate(KernelBuilder &b, Value heads) const {
  SmallVector<Value> sizes{heads};
  if (type.isDynamicDim(1))
    sizes.push_back(b.size(rows, rowDim));
  return memref::AllocOp::create(b, type, sizes, b.getI64IntegerAttr(64));
}

Value RowEncoder::head(KernelBuilder &b, Value room, Value number) const {
  SmallVector<OpFoldResult> offsets(3, b.getIndexAttr(0)), strides(3, b.getIndexAttr(1));
  SmallVector<OpFoldResult> sizes = memref::getMixedSizes(b, b.getLoc(), room);
  offsets[0] = number;
  sizes[0] = b.getIndexAttr(1);
  return memref::SubViewOp::create(b, headType(), room, offsets, sizes, strides);
}

void RowEncoder::encode(KernelBuilder &b, Value batch, Value head, Value from, Value to,
                        Value results) const {
  call->with(results)(b, {batch, head, from, to});
}

FailureOr<SmallVector<RowEncoder, 0>> posenc::getEncoders(AttentionOp op, const AttentionPlan &plan,
                                                          ValueRange offsets, Outliner &outliner) {
  SmallVector<RowEncoder, 0> encoders;
  Builder types(op.getContext());
  Type element = plan.pairs ? Type(types.getBF16Type()) : types.getF32Type();
  if (auto channels = op.getKeyChannels())
    encoders.emplace_back(op, op.getKey(), op.getKeyMap(), *channels, element, offsets, outliner);
  if (auto channels = op.getValueChannels())
    encoders.emplace_back(op, op.getValue(), op.getValueMap(), *channels, types.getF32Type(),
                          offsets, outliner);
  if (llvm::any_of(encoders, [](const RowEncoder &encoder) { return encoder.hasFailed(); }))
    return failure();
  return encoders;
}

namespace {
/// The loops around the calls.
class EncodedCalls {
public:
  EncodedCalls(KernelBuilder &b, AttentionOp op, int64_t step, ArrayRef<RowEncoder> encoders,
               const KernelCall &attention, ValueRange offsets)
      : b(b), op(op), step(step), encoders(encoders), attention(attention), offsets(offsets),
        batches(b.size(op.getQuery(), 0)), heads(b.size(op.getQuery(), op.getHeadDim())),
        queries(b.size(op.getQuery(), op.getRowDim())),
        keyHeads(b.size(op.getKey(), op.getHeadDim())), keys(b.size(op.getKey(), op.getRowDim())),
        group(b.divide(heads, keyHeads)) {}

  LogicalResult build() {
    Value threads = threadCount(b, op), units = b.mul(batches, keyHeads);
    Value rest = b.sub(units, b.mul(b.divide(units, threads), threads));
    Value isEven = b.lessEqual(rest, b.index(0));
    Value isMany = b.lessEqual(b.mul(threads, kManyHeads), units);
    auto branch = scf::IfOp::create(b, arith::OrIOp::create(b, isEven, isMany).getResult(),
                                    /*withElseRegion=*/true);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(branch.thenBlock());
    b.parallel({batches, keyHeads}, {1, 1}, [&](ValueRange at) { oneHead(at[0], at[1]); });
    b.setInsertionPointToStart(branch.elseBlock());
    allHeads();
    return failure(hasFailed);
  }

private:
  SmallVector<Value> allocate(Value heads) {
    SmallVector<Value> rooms;
    for (const RowEncoder &encoder : encoders)
      rooms.push_back(encoder.allocate(b, heads));
    return rooms;
  }
  SmallVector<Value> select(ValueRange rooms, Value number) {
    SmallVector<Value> results;
    for (auto [encoder, room] : llvm::zip(encoders, rooms))
      results.push_back(encoder.head(b, room, number));
    return results;
  }

  /// All query heads that share a head of keys.
  void oneHead(Value batch, Value keyHead) {
    SmallVector<Value> results = select(allocate(b.index(1)), b.index(0));
    Value first = b.mul(keyHead, group), end = b.add(first, group);
    results.push_back(count(firstLiveKey(batch, first)));
    b.loop(first, end, 1, [&](Value head) {
      b.loop(b.index(0), queries, step, [&](Value row) {
        attention.with(results)(b, {batch, head, row});
      });
    });
  }

  /// Memory that says how many keys are encoded.
  Value count(Value number) {
    Value done = memref::AllocOp::create(b, MemRefType::get({1}, b.getIndexType()),
                                         b.getI64IntegerAttr(64));
    memref::StoreOp::create(b, number, done, ValueRange{b.index(0)});
    return done;
  }

  /// The first key that any query of a group may see: none before it is encoded.
  Value firstLiveKey(Value batch, Value head) {
    if (op.getLive().empty())
      return b.index(0);
    Block &live = op.getLive().front();
    if (!isIndependent(live.getTerminator()->getOperand(0), live.getArgument(1)))
      return b.index(0);
    SmallVector<Value> at{b.add(batch, offsets[0]), b.add(head, offsets[1]), offsets[2],
                          b.add(queries, offsets[2])};
    auto bounds = liveKeys(b, op, IRMapping(), at, offsets[3], keys);
    hasFailed |= failed(bounds);
    return failed(bounds) ? b.index(0) : bounds->first;
  }

  void allHeads() {
    SmallVector<Value> rooms = allocate(b.mul(batches, keyHeads));
    auto number = [&](Value batch, Value keyHead) { return b.add(b.mul(batch, keyHeads), keyHead); };
    b.parallel({batches, keyHeads, keys}, {1, 1, kRows}, [&](ValueRange at) {
      Value end = b.min(b.add(at[2], kRows), keys);
      auto results = select(rooms, number(at[0], at[1]));
      for (auto [encoder, rows] : llvm::zip(encoders, results))
        encoder.encode(b, at[0], at[1], at[2], end, rows);
    });
    Value done = count(keys);
    b.parallel({batches, heads, queries}, {1, 1, step}, [&](ValueRange at) {
      auto results = select(rooms, number(at[0], b.divide(at[1], group)));
      results.push_back(done);
      attention.with(results)(b, at);
    });
  }

  KernelBuilder &b;
  AttentionOp op;
  int64_t step;
  ArrayRef<RowEncoder> encoders;
  const KernelCall &attention;
  ValueRange offsets;
  Value batches, heads, queries, keyHeads, keys, group;
  bool hasFailed = false;
};
} // namespace

LogicalResult posenc::callEncoded(KernelBuilder &b, AttentionOp op, const AttentionPlan &plan,
                                  ArrayRef<RowEncoder> encoders, const KernelCall &attention,
                                  ValueRange offsets) {
  return EncodedCalls(b, op, plan.queries(), encoders, attention, offsets).build();
}
