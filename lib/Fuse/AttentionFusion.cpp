//===- AttentionFusion.cpp - chains of scores to one attention ------------===//

#include "Dialect/Coordinates.h"
#include "Fuse/Fusion.h"
#include "Vectorize/Kernels.h"

#include <cmath>

using namespace mlir;
using namespace posenc;
using namespace posenc::fuse;

static unsigned headDim(Layout layout) { return layout == Layout::bhsd ? 1 : 2; }
static unsigned rowDim(Layout layout) { return layout == Layout::bhsd ? 2 : 1; }

namespace {
/// A chain from products to softmax, encodings in the order of application.
struct Chain {
  ScoresOp scores;
  SmallVector<EncodingOpInterface> encodings;
  AttendOp attend;

  SmallVector<EncodingOpInterface> at(Site site) {
    return llvm::filter_to_vector(
        encodings, [&](EncodingOpInterface encoding) { return encoding.getSite() == site; });
  }
};

/// Builds the regions of one attention.
class RegionBuilder {
public:
  RegionBuilder(RewriterBase &rewriter, AttentionOp attention, Value queries, Value keys)
      : rewriter(rewriter), attention(attention), queries(queries), keys(keys) {}

  void score(ArrayRef<EncodingOpInterface> encodings);
  void mask(ArrayRef<EncodingOpInterface> encodings);
  void live(ArrayRef<EncodingOpInterface> masks);

private:
  Block *begin(Region &region, bool takesScore);
  void end(Block *block, ValueRange results);
  At pair(Emitter &e, EncodingOpInterface encoding, ValueRange at) {
    return pairAt(e, encoding, at[0], at[1], at[2], at[3], queries, keys);
  }

  RewriterBase &rewriter;
  AttentionOp attention;
  Value queries, keys; // how many
  bool isExact = true; ///< but for padding, queries see all of their live interval
};
} // namespace

Block *RegionBuilder::begin(Region &region, bool takesScore) {
  SmallVector<Type> types(4, rewriter.getIndexType());
  if (takesScore)
    types.insert(types.begin(), rewriter.getF32Type());
  SmallVector<Location> locs(types.size(), attention.getLoc());
  return rewriter.createBlock(&region, region.end(), types, locs);
}

void RegionBuilder::end(Block *block, ValueRange results) {
  YieldOp::create(rewriter, attention.getLoc(), results);
  eraseDead(rewriter, *block);
}

void RegionBuilder::score(ArrayRef<EncodingOpInterface> encodings) {
  if (encodings.empty())
    return;
  Block *block = begin(attention.getScoreMod(), /*takesScore=*/true);
  Value s = block->getArgument(0);
  for (EncodingOpInterface encoding : encodings) {
    Emitter e(encoding.getLoc(), rewriter);
    s = encoding.emit(e, s, pair(e, encoding, block->getArguments().drop_front()))[0];
  }
  end(block, s);
}

/// Whether the coordinates of queries and of keys advance by one per row.
static bool isAffine(EncodingOpInterface mask) {
  return llvm::all_of(mask.getPositionOperands(),
                      [](Value positions) { return positions.getDefiningOp<PositionsOp>(); });
}

void RegionBuilder::mask(ArrayRef<EncodingOpInterface> encodings) {
  if (encodings.empty())
    return;
  Block *block = begin(attention.getMask(), /*takesScore=*/false);
  Value visible;
  for (EncodingOpInterface encoding : encodings) {
    Emitter e(encoding.getLoc(), rewriter);
    Value one = encoding.emit(e, {}, pair(e, encoding, block->getArguments()))[0];
    visible = visible ? e.logicalAnd(visible, one) : one;
    isExact &= isIndependent(one, block->getArgument(2)) ||
               (isAffine(encoding) && encoding.isLiveExact());
  }
  end(block, visible);
}

void RegionBuilder::live(ArrayRef<EncodingOpInterface> masks) {
  if (masks.empty())
    return;
  Block *block = begin(attention.getLive(), /*takesScore=*/false);
  ValueRange args = block->getArguments();
  Emitter outer(attention.getLoc(), rewriter);
  Value zero = outer.index(0), afterLast = args[3];
  Value last = outer.sub(afterLast, outer.index(1));

  Value lo, hi;
  for (EncodingOpInterface mask : masks) {
    if (!isAffine(mask))
      continue;
    Emitter e(mask.getLoc(), rewriter);
    At from = pair(e, mask, {args[0], args[1], args[2], zero});
    At to = pair(e, mask, {args[0], args[1], last, zero});
    LiveInterval interval = mask.getLiveKeys(e, from.coord, to.coord);
    // From coordinates to rows, as indices: a far bound must not wrap.
    auto row = [&](Value coordinate) {
      return e.sub(e.toIndex(coordinate), e.toIndex(from.keyCoord));
    };
    if (interval.lo)
      lo = lo ? e.max(lo, row(interval.lo)) : row(interval.lo);
    if (interval.hi)
      hi = hi ? e.min(hi, row(interval.hi)) : row(interval.hi);
  }
  if (!lo && !hi) {
    rewriter.setInsertionPoint(attention);
    rewriter.eraseBlock(block);
    return;
  }

  Emitter e(attention.getLoc(), rewriter);
  auto clamp = [&](Value row) { return e.max(e.min(row, keys), zero); };
  end(block, {lo ? clamp(lo) : zero, hi ? clamp(hi) : keys});
  attention.setExactLive(isExact);
}

/// Follows the scores of `attend` to their origin; explains why it cannot.
static std::optional<Chain> match(AttendOp attend) {
  Chain chain;
  chain.attend = attend;
  for (Value s = attend.getScores();;) {
    Operation *producer = s.getDefiningOp();
    if (!producer || !isa<ScoresOp, EncodingOpInterface>(producer)) {
      explain(attend, "its scores do not come from 'posenc.scores'");
      return std::nullopt;
    }
    auto where = [&] { return "the result of '" + producer->getName().getStringRef().str() + "' "; };
    if (size_t uses = dataUses(s).size(); uses != 1) {
      explain(attend, where() + "has " + Twine(uses) + " uses");
      return std::nullopt;
    }
    if (producer->getBlock() != attend->getBlock()) {
      explain(attend, where() + "comes from another block, which may run less often");
      return std::nullopt;
    }
    if ((chain.scores = dyn_cast<ScoresOp>(producer)))
      break;
    chain.encodings.push_back(cast<EncodingOpInterface>(producer));
    s = chain.encodings.back().getInput();
  }
  if (chain.scores.getLayout() != attend.getLayout()) {
    explain(attend, "its layout is '" + stringifyLayout(attend.getLayout()) +
                        "', but that of the scores '" +
                        stringifyLayout(chain.scores.getLayout()) + "'");
    return std::nullopt;
  }
  std::reverse(chain.encodings.begin(), chain.encodings.end());
  return chain;
}

static double scaleOf(ScoresOp scores) {
  if (scores.getScale())
    return scores.getScale()->convertToFloat();
  return 1.0 / std::sqrt(double(scores.getQuery().getType().getDimSize(3)));
}

/// Lets questions for a size of scores ask queries and keys, so that the scores
/// themselves can go.
static void askOperands(RewriterBase &rewriter, Value s, ScoresOp scores) {
  unsigned head = headDim(scores.getLayout()), row = rowDim(scores.getLayout());
  std::pair<Value, unsigned> sources[] = {{scores.getQuery(), 0},
                                          {scores.getQuery(), head},
                                          {scores.getQuery(), row},
                                          {scores.getKey(), row}};
  for (Operation *user : llvm::make_early_inc_range(s.getUsers())) {
    auto dim = dyn_cast<tensor::DimOp>(user);
    if (!dim || !dim.getConstantIndex() || *dim.getConstantIndex() > 3)
      continue;
    auto [source, n] = sources[*dim.getConstantIndex()];
    OpBuilder::InsertionGuard guard(rewriter);
    rewriter.setInsertionPoint(dim);
    rewriter.replaceOpWithNewOp<tensor::DimOp>(dim, source, n);
  }
}

void fuse::fuseScores(RewriterBase &rewriter, AttendOp attend) {
  std::optional<Chain> chain = match(attend);
  if (!chain)
    return;
  Location loc = attend.getLoc();
  Layout layout = attend.getLayout();
  Value q = chain->scores.getQuery(), k = chain->scores.getKey(), v = attend.getValue();
  unsigned head = headDim(layout), row = rowDim(layout);

  rewriter.setInsertionPoint(attend);
  auto count = [&](Value x) {
    return getValueOrCreateConstantIndexOp(rewriter, loc,
                                           tensor::getMixedSize(rewriter, loc, x, row));
  };
  Value queries = count(q), keys = count(k);

  std::pair<Value, int64_t> shape[4] = {{q, 0}, {}, {}, {v, 3}};
  shape[head] = {q, head};
  shape[row] = {q, row};
  SmallVector<Value> outs = {emptyOf(rewriter, loc, attend.getResult().getType(), shape)};
  if (Value lse = attend.getLse())
    outs.push_back(emptyOf(rewriter, loc, cast<RankedTensorType>(lse.getType()),
                           {{q, 0}, {q, head}, {q, row}}));

  auto attention = AttentionOp::create(
      rewriter, loc, ValueRange(outs).getTypes(), q, k, v, outs, /*offsets=*/ValueRange{},
      /*count=*/nullptr,
      rewriter.getF32FloatAttr(scaleOf(chain->scores)),
      LayoutAttr::get(rewriter.getContext(), layout), /*query_channels=*/nullptr,
      /*key_channels=*/nullptr, /*value_channels=*/nullptr);
  for (StringRef name : {"posenc.schedule", "posenc.cpu_schedule"})
    if (Attribute schedule = attend->getAttr(name))
      attention->setAttr(name, schedule);
  RegionBuilder regions(rewriter, attention, queries, keys);
  regions.score(chain->at(Site::Score));
  regions.mask(chain->at(Site::Mask));
  regions.live(chain->at(Site::Mask));

  rewriter.replaceOp(attend, attention.getResults());
  SmallVector<Operation *> names = {chain->scores};
  llvm::append_range(names, chain->encodings);
  for (Operation *op : llvm::reverse(names)) {
    askOperands(rewriter, op->getResult(0), chain->scores);
    if (op->use_empty())
      rewriter.eraseOp(op);
  }
  for (Value size : {queries, keys})
    if (Operation *op = size.getDefiningOp(); op && isOpTriviallyDead(op))
      rewriter.eraseOp(op);
}
