//===- MapKernel.cpp - row maps on vectors of channels --------------------===//

#include "Vectorize/Kernels.h"
#include "Vectorize/RowMap.h"

using namespace mlir;
using namespace posenc;

LogicalResult posenc::buildMap(KernelBuilder &b, MapOp op, ValueRange operands,
                               const IRMapping &outer, Value leading, ValueRange rows) {
  ValueRange inputs = operands.take_front(1 + op.getOthers().size());
  Value out = operands[inputs.size()];
  ValueRange offsets = operands.drop_front(inputs.size() + 1);
  // In place of a copy of what the map leaves alone.
  SmallVector<Value> from(inputs);
  if (op.getInput() == op.getOuts()[0])
    from[0] = out;

  Value batch = leading, other; // the second dimension of rank 4
  if (!op.isTokens()) {
    Value extent = b.size(out, 1);
    batch = b.divide(leading, extent);
    other = b.sub(leading, b.mul(batch, extent));
  }
  RowMap map(b, op.getBody(), op.getChannels(), outer);
  LogicalResult result = success();
  b.loop(rows[0], rows[1], 1, [&](Value row) {
    SmallVector<Value> at{batch, row}, where{batch, b.index(0), row};
    if (!op.isTokens()) {
      at = {batch, other, row};
      where = op.getLayout() == Layout::bshd ? SmallVector<Value>{batch, row, other} : at;
    }
    for (auto [value, shift] : llvm::zip(where, offsets))
      value = b.add(value, shift);
    result = map.apply(from, at, out, at, where);
  });
  return result;
}
