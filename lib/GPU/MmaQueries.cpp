//===- MmaQueries.cpp - queries into shared memory, through their map -----===//

#include "GPU/MmaAttention.h"
#include "Vectorize/Kernels.h"
#include "Vectorize/RowMap.h"
#include "posenc/Fragments.h"

using namespace mlir;
using namespace posenc;

/// Joins what `loadQueries` copies to the group of the first keys.
void MmaAttention::loadQueries() {
  Value rows = matrix(op.getQuery(), head);
  if (op.getQueryMap().empty())
    pgpu::CopyOp::create(*t, rows, row, queryCount, queryTile, t->index(0));
  else
    mapQueries(rows);
}

/// Stores values of f32 into a row of the tile of queries.
static void put(ThreadBuilder &t, Value tile, Value row, Value channel, Value values) {
  Type element = cast<pgpu::TileType>(tile.getType()).getElement();
  if (!isa<VectorType>(values.getType()))
    values = t.broadcast(values, 1);
  auto type = cast<VectorType>(values.getType());
  values = arith::TruncFOp::create(t, t.vectorType(type.getNumElements(), element), values);
  pgpu::PutOp::create(t, values, tile, t.index(0), row, channel);
}

/// Every thread takes some groups of channels of some rows. Rows behind the last
/// query repeat it.
void MmaAttention::mapQueries(Value rows) {
  ChannelsAttr channels = *op.getQueryChannels();
  int64_t offset = channels.getOffset(), size = channels.getGroup();
  int64_t width = channels.getWidth() ? channels.getWidth() : plan.width - offset;
  int64_t groups = RowMap::wideGroups(op.getQueryMap(), channels, width, kFragment);
  int64_t wide = std::max<int64_t>(groups, 1), perRow = width / size / wide;
  auto eachItem = [&](int64_t perRow, llvm::function_ref<void(Value, Value, Value)> body) {
    if (perRow)
      t->strided(t->thread, t->index(plan.queries() * perRow), plan.warps * kWarp, [&](Value item) {
        Value tileRow = t->divide(item, perRow), number = t->sub(item, t->mul(tileRow, perRow));
        body(tileRow, t->min(t->add(row, tileRow), t->sub(queryCount, 1)), number);
      });
  };
  eachItem(perRow, [&](Value tileRow, Value source, Value number) {
    Value c = t->mul(number, wide);
    RowMap map(*t, op.getQueryMap(), channels, none, t->index(width));
    RegionVectorizer vectorizer(*t, op.getQueryMap(), none);
    SmallVector<RegionVectorizer::Binding> bindings;
    auto bind = [&](unsigned argument, Lanes lanes) {
      bindings.push_back({op.getQueryMap().getArgument(argument), std::move(lanes)});
    };
    Values members = map.loadGroup(op.getQuery(), rowAt(op, batch, head, source), c, groups);
    for (auto [n, member] : llvm::enumerate(members))
      bind(n, member);
    bind(size, coordinate(batch, 0));
    bind(size + 1, coordinate(head, 1));
    bind(size + 2, coordinate(source, 2));
    bind(size + 3, Lanes::counting(*t, c, 1, groups));
    Values results;
    for (const Lanes &result : vectorizer.evaluate(bindings))
      results.push_back(result.asVectors(*t, 1, groups)[0]);
    failed |= vectorizer.failed();
    if (groups && channels.getPairing() == Pairing::interleaved)
      results = {vector::InterleaveOp::create(*t, results[0], results[1])};
    for (auto [n, result] : llvm::enumerate(results))
      put(*t, queryTile, tileRow, map.channel(c, n), result);
  });
  // Channels that the map does not know.
  eachItem(plan.width - width, [&](Value tileRow, Value source, Value number) {
    Value c = t->select(t->less(number, t->index(offset)), number, t->add(number, width));
    put(*t, queryTile, tileRow, c, t->load(rows, {source, c}, 0));
  });
}
