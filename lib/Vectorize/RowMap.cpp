//===- RowMap.cpp - a region on the channels of rows ----------------------===//

#include "Vectorize/RowMap.h"

using namespace mlir;
using namespace posenc;

/// The channel of a member of group `c`.
Value RowMap::channel(Value c, unsigned member) {
  int64_t offset = channels.getOffset();
  if (channels.getPairing() == Pairing::interleaved)
    return b.add(b.mul(c, 2), offset + member);
  c = b.add(c, offset);
  return member ? b.add(c, b.divide(width, 2)) : c;
}

SmallVector<Value> RowMap::loadGroup(Value from, ValueRange at, Value c, int64_t n) {
  if (n && channels.getPairing() == Pairing::interleaved) {
    Value both = b.load(from, join(at, channel(c, 0)), 2 * n);
    auto split = vector::DeinterleaveOp::create(b, both);
    return {split.getRes1(), split.getRes2()};
  }
  Values values;
  for (unsigned member = 0; member < channels.getGroup(); ++member)
    values.push_back(b.load(from, join(at, channel(c, member)), n));
  return values;
}

void RowMap::storeGroup(ValueRange values, Value to, ValueRange at, Value c, int64_t n) {
  if (n && channels.getPairing() == Pairing::interleaved) {
    Value both = vector::InterleaveOp::create(b, values[0], values[1]);
    return b.store(both, to, join(at, channel(c, 0)));
  }
  for (auto [member, value] : llvm::enumerate(values))
    b.store(value, to, join(at, channel(c, member)));
}

/// Whether lanes can be groups without repeating any operation for each of them.
static bool hasVectorForm(Region &region, unsigned size) {
  SmallVector<Value> varying;
  for (BlockArgument argument : region.getArguments())
    if (argument.getArgNumber() < size || argument.getArgNumber() >= size + 3)
      varying.push_back(argument);
  return RegionVectorizer::hasVectorForm(region, varying);
}

int64_t RowMap::wideGroups(Region &region, ChannelsAttr channels, int64_t width,
                           int64_t elements) {
  bool isInterleaved = channels.getPairing() == Pairing::interleaved;
  int64_t members = isInterleaved ? 1 : channels.getGroup();
  if (elements < 2 || channels.getOffset() % elements || width % (members * elements) ||
      !hasVectorForm(region, channels.getGroup()))
    return 0;
  return isInterleaved ? elements / 2 : elements;
}

/// Native vectors, shorter ones for few groups, 0 if there is no vector form.
int64_t RowMap::laneCount(ValueRange inputs, Value out) {
  unsigned size = channels.getGroup();
  if (!llvm::all_of(inputs, hasUnitStride) || !hasUnitStride(out) || !hasVectorForm(region, size))
    return 0;
  int64_t total = channels.getWidth(), lanes = b.lanes;
  int64_t all = cast<MemRefType>(inputs[0].getType()).getShape().back();
  if (!total && ShapedType::isStatic(all))
    total = all - channels.getOffset();
  while (total && lanes > total / size && lanes > 4)
    lanes /= 2;
  return lanes;
}

LogicalResult RowMap::apply(ValueRange inputs, ValueRange at, Value out, ValueRange outAt,
                            ValueRange coordinates) {
  int64_t offset = channels.getOffset();
  unsigned size = channels.getGroup();
  Value zero = b.index(0), last = b.lastSize(inputs[0]);
  width = channels.getWidth() ? b.index(channels.getWidth()) : b.sub(last, offset);
  if (out != inputs[0] && offset)
    b.copy(inputs[0], at, out, outAt, zero, b.index(offset));
  if (out != inputs[0] && channels.getWidth())
    b.copy(inputs[0], at, out, outAt, b.add(width, offset), last);

  RegionVectorizer vectorizer(b, region, outer);
  for (auto [n, value] : llvm::enumerate(coordinates))
    vectorizer.bind(region.getArgument(size + n), value);
  vectorizer.hoist();
  b.channels(zero, b.divide(width, size), laneCount(inputs, out), [&](Value c, int64_t n) {
    SmallVector<RegionVectorizer::Binding> bindings;
    bindings.push_back({region.getArgument(size + 3), Lanes::counting(b, c, 1, n)});
    for (auto [number, input] : llvm::enumerate(inputs))
      for (auto [member, value] : llvm::enumerate(loadGroup(input, at, c, n)))
        bindings.push_back({region.getArgument(number * size + (number ? 4 : 0) + member), value});
    Values results;
    for (const Lanes &result : vectorizer.evaluate(bindings))
      results.push_back(result.asVectors(b, 1, n)[0]);
    storeGroup(results, out, outAt, c, n);
  });
  return failure(vectorizer.failed());
}
