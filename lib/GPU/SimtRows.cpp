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

/// How many heads a thread takes: what does not depend on them, as the cosine of an
/// angle, is computed once, and their accesses are on their way together.
static int64_t chooseHeads(MapOp op, unsigned headDim) {
  constexpr int64_t most = 4;
  int64_t heads = op.isTokens() ? 1 : cast<MemRefType>(op.getInput().getType()).getDimSize(headDim);
  if (ShapedType::isDynamic(heads))
    return 1;
  for (int64_t n = most; n > 1; --n)
    if (heads % n == 0)
      return n;
  return 1;
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
  unsigned rowDim = op.getRowDim(), headDim = op.getLayout() == Layout::bhsd ? 1 : 2;
  int64_t heads = chooseHeads(op, headDim);
  Value width = channels.getWidth() ? host.index(channels.getWidth()) : host.sub(last, offset);
  // Groups, then the channels that are copied.
  Value groups = host.divide(width, size * atOnce);
  bool copies = x != out && (offset || channels.getWidth());
  Value items = copies ? host.add(groups, host.sub(last, width)) : groups;
  SmallVector<Value> extents;
  for (int64_t d = 0; d + 1 < cast<MemRefType>(x.getType()).getRank(); ++d)
    extents.push_back(host.size(x, d));
  if (heads > 1)
    extents[headDim] = host.divide(extents[headDim], heads);
  Value total = items;
  for (Value extent : extents)
    total = host.mul(total, extent);
  Value blocks = host.ceilDivide(total, threads);

  return buildLaunch(op, "map", blocks, threads, [&](ThreadBuilder &t) {
    bool failed = false;
    Value id = t.add(t.mul(t.block, threads), t.thread);
    t.ifThen(t.less(id, total), [&] {
      Value row = t.divide(id, items), item = t.sub(id, t.mul(row, items));
      SmallVector<SmallVector<Value>> rows{t.delinearize(row, extents)};
      for (int64_t h = 1; h < heads; ++h) {
        rows.push_back(rows.back());
        rows.back()[headDim] = t.add(rows.back()[headDim], extents[headDim]);
      }
      auto coordinate = [&](Value at, unsigned n) {
        return op.getOffsets().empty() ? at : t.add(at, op.getOffsets()[n]);
      };
      t.ifThen(t.less(item, groups), [&] {
        Value c = t.mul(item, atOnce);
        IRMapping none;
        Block &body = op.getBody().front();
        RowMap map(t, op.getBody(), channels, none, width);
        RegionVectorizer vectorizer(t, op.getBody(), none);
        vectorizer.bind(body.getArgument(size), coordinate(rows[0][0], 0));
        vectorizer.bind(body.getArgument(size + 2), coordinate(rows[0][rowDim], 2));
        vectorizer.bind(body.getArgument(size + 3), Lanes::counting(t, c, 1, lanes));
        SmallVector<SmallVector<RegionVectorizer::Binding>> bindings;
        for (ArrayRef<Value> at : rows) {
          Value head = op.isTokens() ? t.index(0) : at[headDim];
          auto &own = bindings.emplace_back();
          own.push_back({body.getArgument(size + 1), coordinate(head, 1)});
          for (auto [n, member] : llvm::enumerate(map.loadGroup(x, at, c, lanes)))
            own.push_back({body.getArgument(n), member});
          unsigned next = size + 4;
          for (Value other : op.getOthers())
            for (Value member : map.loadGroup(other, at, c, lanes))
              own.push_back({body.getArgument(next++), member});
        }
        vectorizer.hoist();
        for (auto [at, own] : llvm::zip(rows, bindings)) {
          SmallVector<Value> results;
          for (const Lanes &result : vectorizer.evaluate(own))
            results.push_back(result.asVectors(t, 1, lanes)[0]);
          map.storeGroup(results, out, at, c, lanes);
        }
        failed |= vectorizer.failed();
      });
      if (!copies)
        return;
      t.ifThen(t.lessEqual(groups, item), [&] {
        Value c = t.sub(item, groups);
        c = t.select(t.less(c, t.index(offset)), c, t.add(c, width));
        for (ArrayRef<Value> at : rows)
          t.store(t.load(x, join(at, c), 0), out, join(at, c));
      });
    });
    t.align();
    return failure(failed);
  });
}
