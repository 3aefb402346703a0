//===- LinearLoops.cpp - linear layers: plan and scalar loops -------------===//

#include "Vectorize/RowKernels.h"

#include <numeric>

using namespace mlir;
using namespace posenc;

LinearPlan::LinearPlan(LinearOp op, ValueRange operands, int64_t lanes) {
  unit = lanes == 16 ? 4 : 1;
  auto x = cast<MemRefType>(operands[0].getType()), w = cast<MemRefType>(operands[1].getType()),
       out = cast<MemRefType>(operands.back().getType());
  inputs = w.getDimSize(1);
  outputs = out.getShape().back();
  Region &epilogue = op.getEpilogue();
  vectors = w.getRank() == 3 && w.hasStaticShape() && w.getLayout().isIdentity() && inputs > 0 &&
            ShapedType::isStatic(outputs) &&
            llvm::all_of(operands.drop_front(2), hasUnitStride) &&
            (epilogue.empty() || RegionLanes::isSupported(epilogue, epilogue.getArguments()));

  // Rows whose pitch is a multiple of many cache lines share few sets of the
  // first cache (64 sets of 64 bytes, 8 ways): a tile would evict itself.
  int64_t height = unit * tiles;
  bool conflicts = inputs > 0 && inputs % 16 == 0 &&
                   height * std::gcd(inputs / 16, int64_t(64)) > 6 * 64;
  bool plain = x.getElementType().isF32() && x.getRank() <= 2;
  // An odd number of cache lines spreads the scratch over all sets; the stack
  // bounds its size.
  int64_t lines = llvm::divideCeil(inputs, 16), stack = (512 << 10) / 4;
  pitch = 16 * (lines + (lines % 2 ? 0 : 1));
  bool canCopy = hasUnitStride(operands[0]) && pitch * unit <= stack;
  copyRows = vectors && canCopy && (conflicts || !plain);
  vectors = vectors && (plain || canCopy);

  // The block of rows stays in the second cache while the panels pass.
  rows = 96;
  if (!vectors)
    return;
  int64_t budget = copyRows ? stack / pitch : (800 << 10) / (4 * inputs);
  rows = std::min(rows, std::max(height, budget / height * height));
  if (copyRows && rows > budget)
    rows = budget / unit * unit;
}

void posenc::buildLinearLoops(RowEmitter &e, LinearOp op, ValueRange operands,
                              const IRMapping &outer, ValueRange rows, ValueRange panels) {
  Value x = operands[0], w = operands[1], out = operands.back();
  bool packed = op.isPacked();
  Value inputs = e.lastSize(x), width = e.index(16);
  Value first = e.mul(panels[0], width), end = e.min(e.mul(panels[1], width), e.lastSize(out));
  e.loop(rows[0], rows[1], 1, [&](Value row) {
    // Operands may have been collapsed in different ways.
    SmallVector<SmallVector<Value>> at;
    for (Value operand : operands)
      at.push_back(e.leading(operand, row));
    auto load = [&](unsigned operand, Value last) {
      SmallVector<Value> position(at[operand]);
      position.push_back(last);
      return e.load(operands[operand], position, 0);
    };
    e.loop(first, end, 1, [&](Value n) {
      Value acc = e.loop(e.index(0), inputs, 1, ValueRange{e.f32(0)}, [&](Value k, ValueRange sum) {
        Value weight = packed ? e.load(w, {e.divide(n, 16), k, arith::RemUIOp::create(e, n, width)}, 0)
                              : e.load(w, {n, k}, 0);
        return SmallVector<Value>{e.add(sum[0], e.mul(load(0, k), weight))};
      })[0];
      SmallVector<Value> values{acc};
      for (unsigned i = 0; i < op.getExtras().size(); ++i)
        values.push_back(load(2 + i, n));
      Value result;
      if (op.getEpilogue().empty()) {
        result = values[0];
        for (Value extra : ArrayRef(values).drop_front())
          result = e.add(result, extra);
      } else {
        SmallVector<RegionLanes::Binding> bindings;
        for (auto [argument, value] : llvm::zip_equal(op.getEpilogue().getArguments(), values))
          bindings.push_back({argument, {value}});
        result = RegionLanes(e, op.getEpilogue(), outer).evaluate(bindings, 0)[0];
      }
      SmallVector<Value> position(at.back());
      position.push_back(n);
      e.store(result, out, position);
    });
  });
}
