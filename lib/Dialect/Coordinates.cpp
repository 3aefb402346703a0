//===- Coordinates.cpp - from row numbers to coordinates ------------------===//

#include "Dialect/Coordinates.h"

using namespace mlir;
using namespace posenc;

Value posenc::coordinate(Emitter &e, Value positions, Value batch, Value row) {
  if (auto iota = positions.getDefiningOp<PositionsOp>()) {
    Value start = iota.getStart();
    if (!start.getType().isIndex())
      start = e.lookup(start, batch);
    return e.add(e.toInt(row), e.toInt(start));
  }
  bool perSample = cast<ShapedType>(positions.getType()).getRank() == 2;
  Value value = e.lookup(positions, perSample ? ValueRange{batch, row} : ValueRange{row});
  return value.getType().isF32() ? value : e.toInt(value);
}

At posenc::rowAt(Emitter &e, EncodingOpInterface op, Value batch, Value head, Value row,
                 Value channel) {
  At at{batch, head, row, nullptr, channel, nullptr, nullptr};
  at.coord = op.getPositionOperands().empty()
                 ? e.toInt(row)
                 : coordinate(e, op.getPositionOperands().front(), batch, row);
  return at;
}

At posenc::pairAt(Emitter &e, EncodingOpInterface op, Value batch, Value head, Value query,
                  Value key, Value queries, Value keys) {
  At at{batch, head, query, key, nullptr, nullptr, nullptr};
  OperandRange positions = op.getPositionOperands();
  if (!positions.empty()) {
    at.coord = coordinate(e, positions[0], batch, query);
    at.keyCoord = coordinate(e, positions[1], batch, key);
    if (at.coord.getType() != at.keyCoord.getType()) {
      at.coord = e.toFloat(at.coord);
      at.keyCoord = e.toFloat(at.keyCoord);
    }
    return at;
  }
  at.coord = e.toInt(query);
  at.keyCoord = e.toInt(key);
  if (!op.isTopLeft()) {
    if (!queries)
      queries = tensor::DimOp::create(e, op.getInput(), 2);
    if (!keys)
      keys = tensor::DimOp::create(e, op.getInput(), 3);
    at.coord = e.add(at.coord, e.toInt(e.sub(keys, queries)));
  }
  return at;
}
