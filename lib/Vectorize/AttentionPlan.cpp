//===- AttentionPlan.cpp - sizes of attention, by registers and caches ----===//

#include "Vectorize/AttentionKernel.h"

#include <numeric>

using namespace mlir;
using namespace posenc;

static int64_t rowWidth(Value memref) { return cast<MemRefType>(memref.getType()).getDimSize(3); }

/// Whether products of bf16 may be taken in pairs: operands of that type, keys encoded
/// or not. Pairs of keys are cut at the live interval,
/// where the mask has to hide the one outside.
static bool suitsPairs(AttentionOp op) {
  auto isBF16 = [](Value v) { return cast<ShapedType>(v.getType()).getElementType().isBF16(); };
  return isBF16(op.getQuery()) && isBF16(op.getValue()) && op.getValueMap().empty() &&
         (!op.readsCache() || isBF16(op.getKey())) && rowWidth(op.getQuery()) % 2 == 0 &&
         op.getScale().convertToFloat() > 0 && (op.getLive().empty() || !op.getMask().empty());
}

std::optional<int64_t> posenc::rowDistance(Value memref, unsigned rowDim, Type element) {
  auto type = cast<MemRefType>(memref.getType());
  SmallVector<int64_t> strides;
  int64_t offset;
  if (type.getElementType() != element || failed(type.getStridesAndOffset(strides, offset)) ||
      ShapedType::isDynamic(strides[rowDim]))
    return std::nullopt;
  return strides[rowDim];
}

/// Whether the register tile may read the rows where they are: a known distance is
/// an offset of every load, others need a pointer per row, more than there are
/// registers; rows that are pages apart share few sets of the caches.
static bool areReadInPlace(Value memref, unsigned rowDim, Type element) {
  std::optional<int64_t> distance = rowDistance(memref, rowDim, element);
  return distance && (*distance <= 2 * rowWidth(memref) ||
                      *distance * element.getIntOrFloatBitWidth() < 8 * 4096);
}

AttentionPlan::AttentionPlan(AttentionOp op, const Processor &processor)
    : pairs(processor.bf16Pairs && suitsPairs(op)), encodesKeys(!op.getKeyMap().empty()),
      encodesValues(!op.getValueMap().empty()), width(2 * processor.lanes()) {
  auto given = op->getAttrOfType<CpuScheduleAttr>("posenc.cpu_schedule");
  auto choose = [&](int64_t chosen, int64_t own) { return chosen ? chosen : own; };
  pairs &= !given || given.getPairs();
  Builder types(op.getContext());
  Type element = pairs ? types.getBF16Type() : types.getF32Type();
  auto inPlace = [&](Value memref) { return areReadInPlace(memref, op.getRowDim(), element); };
  // Two sums a row in three quarters of the registers; operands and constants. Eight
  // channels of a row of values are half a line of the cache: none is in two.
  rows = choose(given ? given.getRows() : 0, std::min<int64_t>(processor.registers() * 3 / 8, 8));
  firsts = std::min(rows, processor.registers() / 4);
  int64_t valueWidth = rowWidth(op.getOuts()[0]);
  if (op.readsCache()) {
    // Tiles of keys and of channels have to be of one block and of one chunk.
    ArrayRef<int64_t> chunks = cast<ShapedType>(op.getValue().getType()).getShape().drop_front(3);
    auto isPlain = [&](Value v) { return !pairs && getElementTypeOrSelf(v).isF32(); };
    copyKeys = !isPlain(op.getKey()) || cacheUnit % rows;
    copyValues = !isPlain(op.getValue()) || firsts != rows || valueWidth % rows ||
                 (chunks[0] > 1 && chunks[2] % rows);
  } else {
    copyKeys = !encodesKeys && !inPlace(op.getKey());
    copyValues = pairs || (!encodesValues && !inPlace(op.getValue()));
  }
  ahead = choose(given ? given.getAhead() : 0, 6);
  // Scores of a panel stay in the first-level cache, keys and values of a block
  // in half of the second. Pairs need an even number; more than 192 gain nothing.
  int64_t channels = rowWidth(op.getQuery()) + valueWidth;
  int64_t own = std::min(processor.firstLevel * 3 / 4 / (4 * width),
                         processor.secondLevel / 2 / (4 * channels));
  int64_t step = rows % 2 ? 2 * rows : rows;
  if (op.readsCache())
    step = std::lcm(step, cacheUnit);
  own = std::max(std::min<int64_t>(own, 192) / step * step, step);
  keys = choose(given ? given.getKeys() : 0, own);
  if (op.readsCache())
    keys = llvm::alignTo(keys, step);
  // More panels share the cost of a copy, if they fit into the other half, and if
  // there are heads enough for all threads.
  auto size = [&](unsigned dim) { return cast<ShapedType>(op.getQuery().getType()).getDimSize(dim); };
  int64_t heads = std::max<int64_t>(size(0), 1) * std::max<int64_t>(size(op.getHeadDim()), 1);
  bool many = (copyKeys || copyValues) && heads >= 4 &&
              8 * width * 4 * channels <= processor.secondLevel / 2;
  panels = choose(given ? given.getPanels() : 0, many ? 8 : 4);
}
