//===- DecodeKernel.cpp - few queries against blocks of keys --------------===//

#include "Vectorize/DecodeKernel.h"
#include "Vectorize/AttentionKernel.h"

using namespace mlir;
using namespace posenc;

static int64_t rowWidth(Value memref) { return cast<MemRefType>(memref.getType()).getDimSize(3); }

DecodeKernel::DecodeKernel(KernelBuilder &b, AttentionOp op, const DecodePlan &plan,
                           ValueRange operands, const IRMapping &outer, ValueRange at)
    : b(b), op(op), plan(plan), outer(outer), width(rowWidth(op.getQuery())),
      valueWidth(rowWidth(op.getOuts()[0])) {
  ValueRange rest = operands.drop_front(3 + op.getOuts().size());
  args = {operands[0], operands[1], operands[2], operands[3],
          op.getOuts().size() > 1 ? operands[4] : Value(), rest.take_front(4), rest[4],
          op.readsCache() ? rest[5] : Value(), at[0], at[1], plan.oneBlock ? b.index(0) : at[2],
          at[3], at[4]};
}

LogicalResult posenc::buildDecode(KernelBuilder &b, AttentionOp op, const DecodePlan &plan,
                                  ValueRange operands, const IRMapping &outer, ValueRange at) {
  return DecodeKernel(b, op, plan, operands, outer, at).build();
}

LogicalResult DecodeKernel::build() {
  // A call of memcpy for every row would be in the way.
  b.getInsertionBlock()->getParentOp()->setAttr("passthrough",
                                                b.getStrArrayAttr({"noinline", "no-builtin-memcpy"}));
  auto padded = [&](int64_t n) -> int64_t { return llvm::alignTo(n, b.lanes); };
  queries = b.scratch({plan.heads, plan.rows, padded(width)});
  result = b.scratch({plan.heads, plan.rows, padded(valueWidth)});
  weights = b.scratch({plan.heads, padded(plan.rows), plan.keys});
  maxima = b.scratch({plan.heads, plan.rows});
  sums = b.scratch({plan.heads, plan.rows, b.lanes});
  if (!args.count) {
    keyRows = {args.key, Value(), width, &op.getKeyMap(), op.getKeyChannels()};
    valueRows = {args.value, Value(), valueWidth, &op.getValueMap(), op.getValueChannels()};
    Type element = cast<ShapedType>(args.key.getType()).getElementType();
    int64_t copied = plan.quads ? plan.keys : plan.tileKeys;
    bool inPlace = op.getKeyMap().empty() && element.isF32() && width % plan.quad == 0;
    if (!plan.quads || !(inPlace || plan.pairs))
      keyRows.scratch = b.scratch({copied, padded(width)});
    if (!plan.quads || !op.getValueMap().empty())
      valueRows.scratch = b.scratch({copied, padded(valueWidth)});
  }
  if (plan.quads) {
    int64_t groups = llvm::divideCeil(plan.rows, rowsOfQuad());
    int64_t channels = llvm::divideCeil(width, channelsOfQuad());
    quads = b.scratch({plan.heads, groups, channels, b.lanes});
  }
  if (!isLiveExact(op, /*padding=*/false))
    seen = b.scratch({plan.heads, plan.keys});

  Value keyHeads = b.size(args.key, op.getKeyHeadDim());
  heads = plan.heads == 1 ? b.index(1) : b.min(b.sub(keyHeads, args.head), plan.heads);
  group = b.divide(b.size(args.query, op.getHeadDim()), keyHeads);
  rows = b.mul(group, plan.queries);

  forHeads([&](Value head) {
    b.loop(b.index(0), b.index(plan.rows), 1, [&](Value row) {
      readQuery(head, row);
      b.store(b.f32(hiddenScore), maxima, {head, row});
      b.store(b.splat(0.0), sums, {head, row, b.index(0)});
      b.loop(b.index(0), b.lastSize(result), b.lanes,
             [&](Value d) { b.store(b.splat(0.0), result, {head, row, d}); });
    });
    if (quads)
      packQuads(head);
  });

  // Each part takes whole blocks of the keys that any row sees.
  Interval live = liveKeys(b.index(0), b.index(plan.queries), /*all=*/false);
  Value low = live.first, high = live.second;
  lowest = low;
  if (args.count) // whose blocks start where they start
    low = b.roundDown(low, plan.keys);
  Interval inner = live;
  if (op.getExactLive() && isLiveExact(op, /*padding=*/false)) {
    auto first = liveKeys(b.index(0), b.index(1), /*all=*/true);
    auto last = liveKeys(b.index(plan.queries - 1), b.index(plan.queries), /*all=*/true);
    inner = {b.max(first.first, last.first), b.min(first.second, last.second)};
  }
  Value blocks = b.ceilDivide(b.max(b.sub(high, low), 0), plan.keys);
  auto start = [&](Value part) {
    return b.add(low, b.mul(b.divide(b.mul(blocks, part), args.parts), plan.keys));
  };
  Value begin = start(args.part), end = b.min(start(b.add(args.part, 1)), high);
  b.loop(begin, end, plan.keys, [&](Value first) { block(first, end, inner); });

  forHeads([&](Value head) {
    b.loop(b.index(0), b.index(plan.rows), 1, [&](Value row) { writeResult(head, row); });
  });
  return success(!failed);
}

void DecodeKernel::forHeads(llvm::function_ref<void(Value)> body) {
  b.loop(b.index(0), heads, 1, body);
}

/// Rows are the queries of the first head of the group, of the second, ...;
/// those behind the last repeat it.
Value DecodeKernel::queryHead(Value head, Value row) {
  row = b.min(b.add(args.row, row), b.sub(rows, 1));
  return b.add(b.mul(b.add(args.head, head), group), b.divide(row, plan.queries));
}

Value DecodeKernel::queryRow(Value row) {
  row = b.min(b.add(args.row, row), b.sub(rows, 1));
  return b.sub(row, b.mul(b.divide(row, plan.queries), plan.queries));
}

/// The keys that queries [from, to) may see: what some head does, or what all do.
DecodeKernel::Interval DecodeKernel::liveKeys(Value from, Value to, bool all) {
  Value keys = args.count ? args.count : b.size(args.key, op.getRowDim());
  auto bounds = [&](Value head) {
    Values at{coordinate(args.batch, 0), coordinate(head, 1), coordinate(from, 2),
              coordinate(to, 2)};
    FailureOr<Interval> local = posenc::liveKeys(b, op, outer, at, args.offsets[3], keys);
    failed |= mlir::failed(local);
    return mlir::failed(local) ? Values(2, keys) : Values{local->first, local->second};
  };
  Value first = b.mul(args.head, group);
  Values result = bounds(first);
  if (!op.getLive().empty() && !op.getLive().getArgument(1).use_empty())
    result = b.loop(b.add(first, 1), b.mul(b.add(args.head, heads), group), 1, result,
                    [&](Value head, ValueRange old) {
                      Values next = bounds(head);
                      if (all)
                        return Values{b.max(old[0], next[0]), b.min(old[1], next[1])};
                      return Values{b.min(old[0], next[0]), b.max(old[1], next[1])};
                    });
  return {result[0], result[1]};
}

void DecodeKernel::block(Value first, Value end, Interval inner) {
  Value count = b.min(b.sub(end, first), plan.keys);
  if (args.count) {
    Value from = b.max(b.sub(lowest, first), 0);
    forHeads([&](Value head) { scoreBlock(head, first); });
    softmax(first, end, inner);
    forHeads([&](Value head) { valueBlock(head, first, from, count); });
    return;
  }
  if (plan.quads) {
    forHeads([&](Value head) { scoreQuads(head, first, count); });
    softmax(first, end, inner);
    forHeads([&](Value head) {
      plan.heads > 1 ? valueRowTiles(head, first, count) : valueQuads(head, first, count);
    });
    return;
  }
  auto tiles = [&](const Operand &operand, auto tile) {
    forKeys(count, [&](Value key, int64_t keys) {
      forHeads([&](Value head) {
        stage(operand, head, b.add(first, key), keys, /*to=*/b.index(0));
        forTiles(plan.rows, plan.tileRows,
                 [&](Value row, int64_t rows) { tile(head, key, keys, row, rows); });
      });
    });
  };
  tiles(keyRows, [&](auto... tile) { scoreTile(tile...); });
  softmax(first, end, inner);
  tiles(valueRows, [&](Value head, Value key, int64_t keys, Value row, int64_t rows) {
    auto load = [&](Value k, Value d, int64_t) {
      return b.load(valueRows.scratch, {b.sub(k, key), d}, b.lanes);
    };
    valueTile(head, key, keys, row, rows, load, [](Value) {});
  });
}
