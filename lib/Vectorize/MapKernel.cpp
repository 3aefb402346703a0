//===- MapKernel.cpp - row maps on vectors of channels --------------------===//

#include "Vectorize/RowKernels.h"

using namespace mlir;
using namespace posenc;

namespace {

class MapKernel {
  using Values = SmallVector<Value>;

public:
  MapKernel(RowEmitter &e, MapOp op, ValueRange operands, const IRMapping &outer)
      : e(e), op(op), channels(op.getChannels()), inputs(operands.take_front(1 + op.getOthers().size())),
        out(operands[inputs.size()]), offsets(operands.drop_front(inputs.size() + 1)), outer(outer) {}

  void build(Value leading, ValueRange rows);

private:
  void row(ValueRange at, RegionLanes &region);
  void group(ValueRange at, RegionLanes &region, Value c, int64_t n);
  Values loadGroup(Value from, ValueRange at, Value c, int64_t n);
  void storeGroup(ValueRange values, ValueRange at, Value c, int64_t n);
  Value channel(Value c, unsigned member);
  void copy(ValueRange at, Value from, Value to);
  static Values position(ValueRange at, Value channel) {
    Values result(at);
    result.push_back(channel);
    return result;
  }

  RowEmitter &e;
  MapOp op;
  ChannelsAttr channels;
  ValueRange inputs;
  Value out;
  ValueRange offsets;
  const IRMapping &outer;
  Value width; ///< channels that change
};

} // namespace

/// The channel of a member of group `c`.
Value MapKernel::channel(Value c, unsigned member) {
  Value offset = e.index(channels.getOffset());
  if (channels.getPairing() == Pairing::interleaved)
    return e.plus(e.add(offset, e.mul(c, e.index(2))), member);
  c = e.add(offset, c);
  return member ? e.add(c, e.divide(width, 2)) : c;
}

MapKernel::Values MapKernel::loadGroup(Value from, ValueRange at, Value c, int64_t n) {
  if (n && channels.getPairing() == Pairing::interleaved) {
    Value both = e.load(from, position(at, channel(c, 0)), 2 * n);
    auto split = vector::DeinterleaveOp::create(e, both);
    return {split.getRes1(), split.getRes2()};
  }
  Values values;
  for (unsigned member = 0; member < channels.getGroup(); ++member)
    values.push_back(e.load(from, position(at, channel(c, member)), n));
  return values;
}

void MapKernel::storeGroup(ValueRange values, ValueRange at, Value c, int64_t n) {
  if (n && channels.getPairing() == Pairing::interleaved) {
    Value both = vector::InterleaveOp::create(e, values[0], values[1]);
    return e.store(both, out, position(at, channel(c, 0)));
  }
  for (auto [member, value] : llvm::enumerate(values))
    e.store(value, out, position(at, channel(c, member)));
}

/// `n` groups from `c` on, one for n = 0.
void MapKernel::group(ValueRange at, RegionLanes &region, Value c, int64_t n) {
  Block &block = op.getBody().front();
  SmallVector<RegionLanes::Binding> bindings;
  unsigned size = channels.getGroup(), argument = 0;
  auto bind = [&](Lane lane) { bindings.push_back({block.getArgument(argument++), lane}); };
  for (Value v : loadGroup(inputs[0], at, c, n))
    bind({v});
  argument += 3; // b, h and row, bound before
  Value counting = c;
  if (n)
    counting = arith::AddIOp::create(e, e.broadcast(c, n),
                                     vector::StepOp::create(e, e.vector(n, e.getIndexType())));
  bind({counting, c});
  for (Value input : inputs.drop_front())
    for (Value v : loadGroup(input, at, c, n))
      bind({v});
  assert(argument == block.getNumArguments() && size <= 2);
  storeGroup(region.evaluate(bindings, n), at, c, n);
}

/// Channels that the map leaves alone.
void MapKernel::copy(ValueRange at, Value from, Value to) {
  bool vectors = hasUnitStride(inputs[0]) && hasUnitStride(out);
  e.channels(from, to, [&](Value c, int64_t n) {
    e.store(e.load(inputs[0], position(at, c), n), out, position(at, c));
  }, vectors);
}

void MapKernel::build(Value leading, ValueRange rows) {
  Region &body = op.getBody();
  Value last = e.lastSize(inputs[0]), offset = e.index(channels.getOffset());
  width = channels.getWidth() ? e.index(channels.getWidth()) : e.sub(last, offset);

  SmallVector<Value> varying;
  unsigned size = channels.getGroup();
  for (BlockArgument argument : body.getArguments())
    if (argument.getArgNumber() < size || argument.getArgNumber() >= size + 3)
      varying.push_back(argument);
  bool vectors = llvm::all_of(inputs, hasUnitStride) && hasUnitStride(out) &&
                 RegionLanes::isSupported(body, varying);

  bool tokens = op.isTokens(), rowsFirst = op.getLayout() == Layout::bshd;
  Value batch = leading, other; // the second dimension of rank 4
  if (!tokens) {
    Value extent = e.size(inputs[0], 1);
    batch = e.divide(leading, extent);
    other = e.sub(leading, e.mul(batch, extent));
  }
  e.loop(rows[0], rows[1], 1, [&](Value m) {
    Values at = tokens ? Values{batch, m} : Values{batch, other, m};
    Values where{batch, e.index(0), m};
    if (!tokens)
      where = rowsFirst ? Values{batch, m, other} : Values{batch, other, m};
    for (auto [value, shift] : llvm::zip(where, offsets))
      value = e.add(value, shift);
    RegionLanes region(e, body, outer);
    SmallVector<std::pair<Value, Value>> uniform;
    for (unsigned i = 0; i < 3; ++i)
      uniform.push_back({body.getArgument(size + i), where[i]});
    region.hoist(uniform);

    if (op.getInput() != op.getOuts()[0]) {
      if (channels.getOffset())
        copy(at, e.index(0), offset);
      if (channels.getWidth())
        copy(at, e.add(offset, width), last);
    }
    e.channels(e.index(0), e.divide(width, size),
               [&](Value c, int64_t n) { group(at, region, c, n); }, vectors);
  });
}

void posenc::buildMap(RowEmitter &e, MapOp op, ValueRange operands, const IRMapping &outer,
                      Value leading, ValueRange rows) {
  MapKernel(e, op, operands, outer).build(leading, rows);
}
