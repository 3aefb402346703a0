//===- Tabulate.cpp - functions of coordinates, evaluated once ------------===//
//
// An angle's cosine is the same for all heads, a bias of a distance for all
// pairs that far apart. Which values are such is read off the regions.
//
//===----------------------------------------------------------------------===//

#include "Vectorize/Kernels.h"
#include "posenc/Passes.h"

using namespace mlir;
using namespace posenc;

namespace posenc {
#define GEN_PASS_DEF_POSENCTABULATE
#include "posenc/Passes.h.inc"
} // namespace posenc

namespace {

/// How a value follows from two coordinates of its region: as the sum
/// `first * a + second * b` and what is the same for all elements, as another
/// function of that sum, or in another way.
struct Dependence {
  int64_t first = 0, second = 0;
  bool linear = true, other = false;

  bool isInvariant() const { return !other && linear && !first && !second; }
  /// Whether a - b decides.
  bool isOfDistance() const { return !other && first == -second; }
  static Dependence unknown() { return {0, 0, false, true}; }
};

class Values {
public:
  explicit Values(Block &block) : block(block) {}
  Dependence &operator[](Value v) { return map[v]; }
  Dependence of(Value v) const { return map.lookup(v); } // from above: invariant

  void follow() {
    for (Operation &op : block)
      for (Value result : op.getResults())
        map[result] = follow(op);
  }

  /// Values of f32 that `isTabled` says a table can hold, that cost more than to
  /// read one, and that an operation uses for which there is no table.
  SmallVector<Value> frontier(llvm::function_ref<bool(Value)> isTabled) const {
    SmallVector<Value> result;
    for (Operation &op : block)
      for (Value v : op.getResults()) {
        auto ends = [&](Operation *user) {
          return user->getBlock() != &block || !llvm::all_of(user->getResults(), isTabled) ||
                 user->hasTrait<OpTrait::IsTerminator>();
        };
        if (v.getType().isF32() && isTabled(v) && isCostly(v) && llvm::any_of(v.getUsers(), ends))
          result.push_back(v);
      }
    return result;
  }

  /// The operations that compute `v`, once more.
  Value clone(OpBuilder &b, Value v, IRMapping &mapping) const {
    Operation *op = v.getDefiningOp();
    if (mapping.contains(v) || !op || op->getBlock() != &block)
      return mapping.lookupOrDefault(v);
    for (Value operand : op->getOperands())
      clone(b, operand, mapping);
    b.clone(*op, mapping);
    return mapping.lookup(v);
  }

private:
  Dependence follow(Operation &op) const {
    if (op.getNumRegions() || !isMemoryEffectFree(&op))
      return Dependence::unknown();
    SmallVector<Dependence> x;
    for (Value operand : op.getOperands())
      x.push_back(of(operand));
    if (llvm::any_of(x, [](auto &d) { return d.other; }))
      return Dependence::unknown();
    bool linear = llvm::all_of(x, [](auto &d) { return d.linear; });
    if (linear && isa<arith::IndexCastOp>(op))
      return x[0];
    if (linear && isa<arith::AddIOp>(op))
      return {x[0].first + x[1].first, x[0].second + x[1].second};
    if (linear && isa<arith::SubIOp>(op))
      return {x[0].first - x[1].first, x[0].second - x[1].second};
    if (llvm::all_of(x, [](auto &d) { return d.isInvariant(); }))
      return {};
    if (llvm::all_of(x, [](auto &d) { return d.isOfDistance(); }))
      return {1, -1, /*linear=*/false};
    return Dependence::unknown();
  }

  /// Functions of the math dialect take many instructions, and elements of a
  /// tensor at computed places are gathered one by one.
  bool isCostly(Value v) const {
    Operation *op = v.getDefiningOp();
    if (!op || op->getBlock() != &block)
      return false;
    if (isa<math::MathDialect>(op->getDialect()) &&
        !isa<math::AbsFOp, math::AbsIOp, math::FmaOp, math::CopySignOp>(op))
      return true;
    auto element = dyn_cast<tensor::ExtractOp>(op);
    if (element && llvm::any_of(element.getIndices(), [&](Value at) { return !of(at).linear; }))
      return true;
    return llvm::any_of(op->getOperands(), [&](Value x) { return isCostly(x); });
  }

  Block &block;
  DenseMap<Value, Dependence> map;
};

using Sizes = SmallVector<OpFoldResult>;

/// A table `sizes` of what `fill` makes of the three coordinates.
Value table(OpBuilder &b, Location loc, const Sizes &sizes,
            llvm::function_ref<Value(OpBuilder &, ValueRange)> fill) {
  Value init = tensor::EmptyOp::create(b, loc, sizes, b.getF32Type());
  auto *context = b.getContext();
  auto map = MapOp::create(b, loc, TypeRange{init.getType()}, init, ValueRange{}, ValueRange{init},
                           ValueRange{}, ChannelsAttr::get(context, Pairing::each, 0, 0),
                           LayoutAttr::get(context, Layout::bhsd));
  OpBuilder::InsertionGuard guard(b);
  Type index = b.getIndexType();
  Block *body = b.createBlock(&map.getBody(), {}, {b.getF32Type(), index, index, index, index},
                              SmallVector<Location>(5, loc));
  Value v = fill(b, {body->getArgument(1), body->getArgument(3), body->getArgument(4)});
  YieldOp::create(b, loc, v);
  return map.getResult(0);
}

/// What a map of rows computes without its channels and its head, for every
/// row and group of channels. `rows` is the operand that the region maps.
void tabulateMap(Operation *op, Value rows, unsigned rowDim, Region &region,
                 ChannelsAttr channels) {
  Block &block = region.front();
  unsigned size = channels.getGroup();
  Value batch = block.getArgument(size), row = block.getArgument(size + 2),
        group = block.getArgument(size + 3);
  // Batch, row and group are the places of the table: none of them needs following.
  Values values(block);
  for (BlockArgument argument : block.getArguments())
    if (argument != batch && argument != row && argument != group)
      values[argument] = Dependence::unknown();
  values.follow();

  int64_t last = cast<ShapedType>(rows.getType()).getDimSize(3), width = channels.getWidth();
  if (!width && ShapedType::isDynamic(last))
    return;
  OpBuilder b(op);
  Location loc = op->getLoc();
  OpFoldResult groups = b.getIndexAttr((width ? width : last - channels.getOffset()) / size);
  for (Value v : values.frontier([&](Value v) { return !values.of(v).other; })) {
    b.setInsertionPoint(op);
    Sizes sizes{tensor::getMixedSize(b, loc, rows, 0), tensor::getMixedSize(b, loc, rows, rowDim),
                groups};
    Value t = table(b, loc, sizes, [&](OpBuilder &b, ValueRange at) {
      IRMapping mapping;
      mapping.map(SmallVector<Value>{batch, row, group}, at);
      return values.clone(b, v, mapping);
    });
    b.setInsertionPointAfterValue(v);
    v.replaceAllUsesWith(tensor::ExtractOp::create(b, loc, t, ValueRange{batch, row, group}));
  }
}

/// What a score region computes from the distance of a pair, for every head and
/// distance.
void tabulateScores(AttentionOp op) {
  Block &block = op.getScoreMod().front();
  Value batch = block.getArgument(1), head = block.getArgument(2), query = block.getArgument(3),
        key = block.getArgument(4);
  Values values(block);
  values[block.getArgument(0)] = Dependence::unknown();
  values[query] = {1, 0};
  values[key] = {0, 1};
  values.follow();

  OpBuilder b(op);
  Location loc = op.getLoc();
  auto isTabled = [&](Value v) { return values.of(v).isOfDistance(); };
  for (Value v : values.frontier(isTabled)) {
    if (values.of(v).isInvariant())
      continue;
    b.setInsertionPoint(op);
    Value queries = tensor::DimOp::create(b, loc, op.getQuery(), op.getRowDim());
    Value keys = op.getCount();
    if (!keys)
      keys = tensor::DimOp::create(b, loc, op.getKey(), op.getRowDim());
    Value one = arith::ConstantIndexOp::create(b, loc, 1);
    Value lastKey = arith::SubIOp::create(b, loc, keys, one);
    Value count = b.createOrFold<arith::AddIOp>(loc, queries, lastKey);
    count = b.createOrFold<arith::MaxSIOp>(loc, count, arith::ConstantIndexOp::create(b, loc, 0));
    Sizes sizes{tensor::getMixedSize(b, loc, op.getQuery(), 0),
                tensor::getMixedSize(b, loc, op.getQuery(), op.getHeadDim()),
                getAsOpFoldResult(count)};
    // The last key and query t are as far apart as all pairs of i - j + last key = t.
    Value t = table(b, loc, sizes, [&](OpBuilder &b, ValueRange at) {
      IRMapping mapping;
      mapping.map(SmallVector<Value>{batch, head, query}, at);
      mapping.map(key, lastKey);
      return values.clone(b, v, mapping);
    });
    b.setInsertionPointAfterValue(v);
    Value place = arith::AddIOp::create(b, loc, arith::SubIOp::create(b, loc, query, key), lastKey);
    v.replaceAllUsesWith(tensor::ExtractOp::create(b, loc, t, ValueRange{batch, head, place}));
  }
}

bool hasSeveralHeads(Value x, unsigned dim) {
  return cast<ShapedType>(x.getType()).getDimSize(dim) != 1;
}

struct Tabulate : posenc::impl::PosencTabulateBase<Tabulate> {
  using PosencTabulateBase::PosencTabulateBase;

  void runOnOperation() override {
    SmallVector<MapOp> rows;
    SmallVector<AttentionOp> attentions;
    getOperation()->walk([&](Operation *op) {
      if (auto map = dyn_cast<MapOp>(op); maps && map && map.hasPureTensorSemantics() &&
                                          !map.isTokens() && map.getOffsets().empty())
        rows.push_back(map);
      if (auto attention = dyn_cast<AttentionOp>(op);
          attention && attention.hasPureTensorSemantics() && attention.getOffsets().empty() &&
          !DecodePlan::suits(attention))
        attentions.push_back(attention);
    });
    for (MapOp op : rows)
      if (hasSeveralHeads(op.getInput(), op.getRowDim() == 1 ? 2 : 1))
        tabulateMap(op, op.getInput(), op.getRowDim(), op.getBody(), op.getChannels());
    for (AttentionOp op : attentions) {
      auto tabulate = [&](Value rows, Region &map, std::optional<ChannelsAttr> channels) {
        if (channels && hasSeveralHeads(rows, op.getHeadDim()))
          tabulateMap(op, rows, op.getRowDim(), map, *channels);
      };
      tabulate(op.getQuery(), op.getQueryMap(), op.getQueryChannels());
      tabulate(op.getKey(), op.getKeyMap(), op.getKeyChannels());
      tabulate(op.getValue(), op.getValueMap(), op.getValueChannels());
      if (!op.getScoreMod().empty())
        tabulateScores(op);
    }
  }
};

} // namespace
