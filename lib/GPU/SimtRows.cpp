//===- SimtRows.cpp - layer normalisation and row maps --------------------===//

#include "GPU/Forms.h"
#include "GPU/ThreadBuilder.h"
#include "Vectorize/RowMap.h"

#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace posenc;

//===----------------------------------------------------------------------===//
// Layer normalisation: a warp per row
//===----------------------------------------------------------------------===//

LogicalResult posenc::buildSimtLayerNorm(LayerNormOp op) {
  if (!op.hasPureBufferSemantics())
    return op.emitOpError("expected buffers to map to a GPU");
  constexpr int64_t warps = 4;
  KernelBuilder host(op.getLoc(), op->getBlock(), 1);
  host.setInsertionPoint(op);
  Value x = op.getInput(), out = op.getOuts()[0], rows = host.rowCount(out);
  Value blocks = host.ceilDivide(rows, warps);
  return buildLaunch(op, "layer_norm", blocks, warps * kWarp, [&](ThreadBuilder &t) {
    Value row = t.add(t.mul(t.block, warps), t.warp);
    t.ifThen(t.less(row, rows), [&] {
      Value width = t.lastSize(x), inverse = t.div(t.f32(1), t.toFloat(width));
      int64_t n = std::min({t.widest(x), t.widest(out), t.widest(op.getGamma()),
                            t.widest(op.getBeta())});
      SmallVector<Value> from = t.leading(x, row), to = t.leading(out, row);
      Value first = t.mul(t.lane, n);
      auto load = [&](Value c) { return t.loadWide(x, join(from, c), n); };
      auto mean = [&](function_ref<Value(Value)> term) {
        Value sum = t.loop(first, width, n * kWarp, ValueRange{t.f32(0)},
                           [&](Value c, ValueRange acc) {
          Value values = load(c), total = acc[0];
          for (int64_t i = 0; i < n; ++i)
            total = t.add(total, term(t.element(values, i)));
          return SmallVector<Value>{total};
        })[0];
        return t.mul(t.warpSum(sum), inverse);
      };
      Value mu = mean([](Value v) { return v; });
      Value variance = mean([&](Value v) {
        Value d = t.sub(v, mu);
        return t.mul(d, d);
      });
      Value eps = t.f32(op.getEps().convertToDouble());
      Value scale = t.div(t.f32(1), math::SqrtOp::create(t, t.add(variance, eps)));
      t.loop(first, width, n * kWarp, [&](Value c) {
        Value values = load(c), gamma = t.loadWide(op.getGamma(), c, n),
              beta = t.loadWide(op.getBeta(), c, n);
        SmallVector<Value> results;
        for (int64_t i = 0; i < n; ++i) {
          Value y = t.mul(t.sub(t.element(values, i), mu), scale);
          results.push_back(t.fma(y, t.element(gamma, i), t.element(beta, i)));
        }
        t.storeWide(t.join(results), out, join(to, c));
      });
    });
    return success();
  });
}

//===----------------------------------------------------------------------===//
// Maps: a thread per group of channels, or per some of which an access takes 16 bytes
//===----------------------------------------------------------------------===//

/// How many groups a thread takes at once; 0: one, as scalars.
static int64_t chooseGroups(MapOp op) {
  Value x = op.getInput();
  int64_t elements = std::min(ThreadBuilder::widest(x), ThreadBuilder::widest(op.getOuts()[0]));
  if (llvm::any_of(op.getOthers(), [](Value other) { return !hasUnitStride(other); }))
    return 0;
  int64_t width = op.getChannels().getWidth();
  if (!width && elements > 1) // rows are static
    width = cast<MemRefType>(x.getType()).getShape().back() - op.getChannels().getOffset();
  return RowMap::wideGroups(op.getBody(), op.getChannels(), width, elements);
}

LogicalResult posenc::buildSimtMap(MapOp op) {
  if (!op.hasPureBufferSemantics())
    return op.emitOpError("expected buffers to map to a GPU");
  constexpr int64_t threads = 256;
  KernelBuilder host(op.getLoc(), op->getBlock(), 1);
  host.setInsertionPoint(op);
  Value x = op.getInput(), out = op.getOuts()[0], last = host.lastSize(x);
  ChannelsAttr channels = op.getChannels();
  int64_t offset = channels.getOffset(), size = channels.getGroup(), lanes = chooseGroups(op);
  int64_t atOnce = std::max<int64_t>(lanes, 1);
  Value width = channels.getWidth() ? host.index(channels.getWidth()) : host.sub(last, offset);
  // Groups, then the channels that are copied.
  Value groups = host.divide(width, size * atOnce);
  bool copies = x != out && (offset || channels.getWidth());
  Value items = copies ? host.add(groups, host.sub(last, width)) : groups;
  Value total = host.mul(host.rowCount(x), items);
  Value blocks = host.ceilDivide(total, threads);

  return buildLaunch(op, "map", blocks, threads, [&](ThreadBuilder &t) {
    bool failed = false;
    Value id = t.add(t.mul(t.block, threads), t.thread);
    t.ifThen(t.less(id, total), [&] {
      Value row = t.divide(id, items), item = t.sub(id, t.mul(row, items));
      SmallVector<Value> at = t.leading(x, row);
      t.ifThen(t.less(item, groups), [&] {
        SmallVector<Value> where{at[0], t.index(0), at[1]};
        if (!op.isTokens())
          where = op.getLayout() == Layout::bhsd ? at : SmallVector<Value>{at[0], at[2], at[1]};
        for (auto [value, shift] : llvm::zip(where, op.getOffsets()))
          value = t.add(value, shift);
        Value c = t.mul(item, atOnce);
        IRMapping none;
        RowMap map(t, op.getBody(), channels, none, width);
        RegionVectorizer vectorizer(t, op.getBody(), none);
        SmallVector<RegionVectorizer::Binding> bindings;
        auto bind = [&](Lanes lanes) {
          bindings.push_back({op.getBody().getArgument(bindings.size()), std::move(lanes)});
        };
        for (Value member : map.loadGroup(x, at, c, lanes))
          bind(member);
        for (Value coordinate : where)
          bind(coordinate);
        bind(Lanes::counting(t, c, 1, lanes));
        for (Value other : op.getOthers())
          for (Value member : map.loadGroup(other, at, c, lanes))
            bind(member);
        SmallVector<Value> results;
        for (const Lanes &result : vectorizer.evaluate(bindings))
          results.push_back(result.asVectors(t, 1, lanes)[0]);
        failed |= vectorizer.failed();
        map.storeGroup(results, out, at, c, lanes);
      });
      if (!copies)
        return;
      t.ifThen(t.lessEqual(groups, item), [&] {
        Value c = t.sub(item, groups);
        c = t.select(t.less(c, t.index(offset)), c, t.add(c, width));
        t.store(t.load(x, join(at, c), 0), out, join(at, c));
      });
    });
    t.align();
    return failure(failed);
  });
}
