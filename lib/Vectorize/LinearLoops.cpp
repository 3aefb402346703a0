//===- LinearLoops.cpp - linear layers: plan and scalar loops -------------===//

#include "Vectorize/SevenProducts.h"

#include <numeric>

using namespace mlir;
using namespace posenc;

/// A step of a register tile reads `width` vectors of weights and broadcasts
/// `height` inputs for their product of FMAs; processors do not load faster than
/// they multiply. Accumulators, weights and one input fill the registers, but for
/// those that LLVM needs to move values around.
int64_t LinearPlan::chooseHeight(int64_t panel, int64_t lanes) {
  int64_t registers = lanes == 16 ? 32 : 16, width = llvm::divideCeil(panel, lanes);
  int64_t height = (registers - registers / 16 - width - 1) / width;
  // Higher tiles save few loads, and each height is code.
  return std::clamp<int64_t>(height, 1, 12);
}

/// 12 rows of 32 with 32 registers, 6 of 16 with 16: of the tiles that reach the
/// peak, the highest that are two vectors wide. The first tile of a panel, which
/// waits for memory, then has the most products per weight. Narrower if that pads
/// far less.
int64_t LinearPlan::choosePanel(int64_t outputs, int64_t lanes) {
  int64_t best = 2 * lanes;
  for (int64_t panel = best - 16; panel > 0; panel -= 16)
    if (9 * llvm::alignTo(outputs, panel) < 8 * llvm::alignTo(outputs, best))
      best = panel;
  return best;
}

LinearPlan::LinearPlan(LinearOp op, ValueRange operands, int64_t lanes, bool bf16Pairs,
                       bool sevenProducts) {
  auto x = cast<MemRefType>(operands[0].getType()), w = cast<MemRefType>(operands[1].getType());
  panel = op.isPacked() ? op.getPanel() : 16;
  height = chooseHeight(panel, lanes);
  inputs = op.getInputs();
  outputs = op.getOutputs();
  Region &epilogue = op.getEpilogue();
  vectors = op.isPacked() && w.hasStaticShape() && w.getLayout().isIdentity() && inputs > 0 &&
            ShapedType::isStatic(outputs) &&
            llvm::all_of(operands.drop_front(2), hasUnitStride) &&
            (!op.isSplit() || op.getHeadWidth() % lanes == 0) &&
            (epilogue.empty() ||
             RegionVectorizer::hasVectorForm(epilogue, epilogue.getArguments()));

  // Rows whose pitch is a multiple of many cache lines share few sets of the
  // first cache (64 sets of 64 bytes, 8 ways): a tile would evict itself.
  int64_t perLine = 512 / x.getElementTypeBitWidth();
  bool conflicts = inputs > 0 && inputs % perLine == 0 &&
                   height * std::gcd(inputs / perLine, int64_t(64)) > 6 * 64;
  pairs = op.isPaired();
  vectors &= !pairs || (bf16Pairs && w.getElementType().isBF16());
  bool plain = (pairs ? x.getElementType().isBF16() : x.getElementType().isF32()) && x.getRank() <= 2;
  // An odd number of cache lines spreads the scratch over all sets; the stack
  // bounds its size.
  int64_t line = pairs ? 32 : 16, lines = llvm::divideCeil(inputs, line), stack = (8 << 10) * line;
  pitch = line * (lines + (lines % 2 ? 0 : 1));
  bool canCopy = hasUnitStride(operands[0]) && pitch * height <= stack;
  copyRows = vectors && canCopy && (conflicts || !plain);
  vectors = vectors && (copyRows || plain);

  // The block of rows stays in the second cache while the panels pass. The higher
  // it is, the fewer times the weight comes from memory.
  rows = 384;
  if (!vectors)
    return;
  int64_t budget = copyRows ? stack / pitch : (800 << 10) * 8 / (x.getElementTypeBitWidth() * inputs);
  rows = std::min(rows, std::max(height, budget / height * height));
  if (copyRows && rows > budget)
    rows = budget;
  if (sevenProducts && op.getSums() && x.getElementType().isF32() && hasUnitStride(operands[0])) {
    half = SevenProducts::halfBlock(inputs, height, lanes);
    rows = half ? 2 * half : rows;
  }
}

Value posenc::flat(KernelBuilder &b, Value memref) {
  SmallVector<ReassociationIndices> all(1);
  for (int64_t d = 0; d < cast<MemRefType>(memref.getType()).getRank(); ++d)
    all[0].push_back(d);
  return memref::CollapseShapeOp::create(b, memref, ArrayRef(all));
}

Value LinearPlan::count(KernelBuilder &b, Value out) const {
  return ShapedType::isDynamic(outputs) ? b.lastSize(out) : b.index(outputs);
}

SmallVector<Value> posenc::outputAt(KernelBuilder &b, LinearOp op, Value out, Value row, Value n) {
  if (!op.isSplit())
    return join(b.leading(out, row), n);
  Value head = b.divide(n, op.getHeadWidth());
  return join(join(b.leading(out, row, 2), head), b.sub(n, b.mul(head, op.getHeadWidth())));
}

LogicalResult posenc::buildLinearLoops(KernelBuilder &b, LinearOp op, const LinearPlan &plan,
                                       ValueRange operands, const IRMapping &outer,
                                       ValueRange rows, ValueRange panels) {
  Value x = operands[0], w = operands[1], out = operands.back();
  int64_t width = plan.panel;
  Value first = b.mul(panels[0], width), end = b.min(b.mul(panels[1], width), plan.count(b, out));
  LogicalResult status = success();
  b.loop(rows[0], rows[1], 1, [&](Value row) {
    // Operands may have been collapsed in different ways.
    SmallVector<SmallVector<Value>> at;
    for (Value operand : operands.drop_back())
      at.push_back(b.leading(operand, row));
    auto load = [&](unsigned operand, Value last) {
      return b.load(operands[operand], join(at[operand], last), 0);
    };
    auto weight = [&](Value n, Value k) {
      if (!op.isPacked())
        return b.load(w, {n, k}, 0);
      Value panel = b.divide(n, width);
      Value output = b.sub(n, b.mul(panel, width));
      if (!op.isPaired())
        return b.load(w, {panel, k, output}, 0);
      Value pair = b.divide(k, 2);
      return b.load(w, {panel, pair, output, b.sub(k, b.mul(pair, 2))}, 0);
    };
    b.loop(first, end, 1, [&](Value n) {
      auto product = [&](Value k, ValueRange sum) {
        return SmallVector<Value>{b.add(sum[0], b.mul(load(0, k), weight(n, k)))};
      };
      Value acc = b.loop(b.index(0), b.lastSize(x), 1, ValueRange{b.f32(0)}, product)[0];
      SmallVector<Value> values{acc};
      for (unsigned i = 0; i < op.getExtras().size(); ++i)
        values.push_back(load(2 + i, n));
      Value result = acc;
      if (op.getEpilogue().empty()) {
        for (Value extra : ArrayRef(values).drop_front())
          result = b.add(result, extra);
      } else {
        SmallVector<RegionVectorizer::Binding> bindings;
        for (auto [argument, value] : llvm::zip_equal(op.getEpilogue().getArguments(), values))
          bindings.push_back({argument, value});
        RegionVectorizer epilogue(b, op.getEpilogue(), outer);
        result = epilogue.evaluate(bindings)[0].chunks[0];
        status = failure(epilogue.failed());
      }
      b.store(result, out, outputAt(b, op, out, row, n));
    });
  });
  return status;
}
