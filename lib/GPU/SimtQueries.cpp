//===- SimtQueries.cpp - queries into shared memory -----------------------===//

#include "GPU/SimtQueries.h"
#include "Reference/Loops.h"
#include "Vectorize/Kernels.h"
#include "Vectorize/RowMap.h"

using namespace mlir;
using namespace posenc;

void posenc::loadSimtQueries(ThreadBuilder &t, AttentionOp op, Value tile, Value firstRow, int64_t rows,
                             Value thread, int64_t count, function_ref<QueryRow(Value)> find) {
  Value query = op.getQuery();
  int64_t all = cast<MemRefType>(query.getType()).getDimSize(3);
  // `perRow` items of each row in turns of the threads.
  auto eachItem = [&](int64_t perRow, function_ref<void(Value, const QueryRow &, Value)> body) {
    if (perRow > 0)
      t.strided(thread, t.index(rows * perRow), count, [&](Value item) {
        Value row = t.divide(item, perRow), number = t.sub(item, t.mul(row, perRow));
        QueryRow found = find(row);
        body(t.add(firstRow, row), found, number);
      });
  };
  auto channels = op.getQueryChannels();
  int64_t offset = channels ? channels->getOffset() : 0, mapped = 0;
  if (channels)
    mapped = channels->getWidth() ? channels->getWidth() : all - offset;
  eachItem(all - mapped, [&](Value tileRow, const QueryRow &row, Value c) {
    if (mapped)
      c = t.select(t.less(c, t.index(offset)), c, t.add(c, mapped));
    Value v = t.load(query, posenc::join(rowAt(op, row.batch, row.head, row.query), c), 0);
    t.store(v, tile, {tileRow, c});
  });
  if (!channels)
    return;
  eachItem(mapped / channels->getGroup(), [&](Value tileRow, const QueryRow &row, Value c) {
    auto coordinate = [&](Value v, unsigned n) {
      return op.getOffsets().empty() ? v : t.add(v, op.getOffsets()[n]);
    };
    IRMapping none;
    RowMap map(t, op.getQueryMap(), *channels, none, t.index(mapped));
    SmallVector<Value> arguments =
        map.loadGroup(query, rowAt(op, row.batch, row.head, row.query), c, 0);
    arguments.append({coordinate(row.batch, 0), coordinate(row.head, 1), coordinate(row.query, 2), c});
    map.storeGroup(reference::inlineRegion(t, op.getQueryMap(), arguments), tile, tileRow, c, 0);
  });
}
