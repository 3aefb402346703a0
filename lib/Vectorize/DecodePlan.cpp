//===- DecodePlan.cpp - sizes of attention of few queries -----------------===//

#include "Vectorize/Kernels.h"

using namespace mlir;
using namespace posenc;

static int64_t rowWidth(Value memref) { return cast<MemRefType>(memref.getType()).getDimSize(3); }

static int64_t countQueries(AttentionOp op) {
  return cast<ShapedType>(op.getQuery().getType()).getDimSize(op.getRowDim());
}

/// Whether scores may be products of pairs of bf16, read where they are, a quad of pairs
/// at a time: those of f32 are the same, unless a map has made queries that are not bf16.
static bool suitsPairs(AttentionOp op) {
  auto isBF16 = [](Value v) { return cast<ShapedType>(v.getType()).getElementType().isBF16(); };
  return isBF16(op.getQuery()) && isBF16(op.getKey()) && op.getQueryMap().empty() &&
         op.getKeyMap().empty() && rowWidth(op.getQuery()) % (2 * DecodePlan::quad) == 0;
}

/// Key heads whose rows lie side by side and fill a page, which is read as a whole. Not if
/// values have to be converted: a few rows at a time would be.
static int64_t headsOfPage(ShapedType keys) {
  if (!keys.getElementType().isF32())
    return 1;
  int64_t bytes = keys.getDimSize(3) * keys.getElementTypeBitWidth() / 8;
  return std::clamp<int64_t>(std::min<int64_t>(4096 / bytes, 16), 1, keys.getDimSize(2));
}

bool DecodePlan::suits(AttentionOp op) {
  int64_t queries = countQueries(op);
  return ShapedType::isStatic(queries) && queries <= mostQueries;
}

StringRef posenc::refuseCaches(ShapedType keys, ShapedType values) {
  ArrayRef<int64_t> k = keys.getShape(), v = values.getShape();
  if (k[4] != v[4])
    return "blocks of keys and of values differ in their number of rows";
  if (k[4] % cacheUnit || k[4] > 4 * cacheUnit)
    return "blocks are not of 16, 32, 48 or 64 rows";
  if (k[5] != 1)
    return "chunks of keys are not of one channel";
  if (ShapedType::isDynamic(k[3]) || ShapedType::isDynamic(v[3]))
    return "the number of chunks is not known";
  if (v[3] > 1 && v[5] % 16)
    return "chunks of values are not of all channels or a multiple of 16";
  return {};
}

std::optional<DecodePlan> DecodePlan::get(AttentionOp op, const Processor &processor) {
  if (!suits(op))
    return std::nullopt;
  auto query = cast<ShapedType>(op.getQuery().getType());
  auto key = cast<ShapedType>(op.getKey().getType());
  DecodePlan plan;
  int64_t lanes = processor.lanes();
  int64_t queries = plan.queries = countQueries(op);
  plan.tileRows = lanes / tileKeys;
  int64_t widest = std::max(rowWidth(op.getQuery()), rowWidth(op.getOuts()[0]));
  int64_t most = std::clamp<int64_t>(8192 / widest, plan.tileRows, 64);

  int64_t heads = query.getDimSize(op.getHeadDim()), keyHeads = key.getDimSize(op.getKeyHeadDim());
  bool known = ShapedType::isStatic(heads) && ShapedType::isStatic(keyHeads);
  int64_t all = known ? heads / keyHeads * queries : most;
  plan.oneBlock = known && all <= most;
  plan.rows = std::min(all, most);

  // Products with four rows take so little time that hardware is never late. Those of more
  // add up sums across lanes, which take half as long as they: quads from two vectors on,
  // or from one if its products are those of pairs.
  int64_t ofVector = lanes / quad, vectorsOfRows = llvm::divideCeil(plan.rows, ofVector);
  // So are those of one if it reads several heads side by side.
  bool sideBySide = known && !op.readsCache() && op.getLayout() == Layout::bshd;
  if (sideBySide && plan.rows >= ofVector)
    plan.heads = headsOfPage(key);
  plan.pairs = processor.bf16Pairs && !op.readsCache() && suitsPairs(op);
  plan.quads = !op.readsCache() &&
               plan.rows >= (plan.pairs || plan.heads > 1 ? ofVector : 2 * ofVector);
  plan.pairs &= plan.quads;
  plan.fetches = plan.quads || (op.readsCache() && plan.rows > 4);
  // Register tiles are rows by the keys of a block or of a tile, and rows by channels.
  int64_t sums = lanes == 16 ? 16 : 8;
  auto rowsBy = [&](int64_t vectors) { return std::max<int64_t>(sums / vectors, 1); };
  auto even = [&](int64_t count, int64_t most) { // tiles of about equal heights
    return llvm::divideCeil(count, llvm::divideCeil(count, most));
  };
  if (op.readsCache()) {
    plan.keys = key.getDimSize(4);
    plan.valueChannels = cast<ShapedType>(op.getValue().getType()).getDimSize(5);
    plan.tileRows = even(plan.rows, std::min<int64_t>(rowsBy(plan.keys / lanes), 8));
  } else if (plan.quads) {
    plan.keys = plan.heads > 1 && plan.rows <= 16 ? 64 : 32;
    plan.valueChannels = 2 * lanes;
    plan.tileRows = even(vectorsOfRows, rowsBy(tileKeys));
  }
  if (plan.quads || op.readsCache()) {
    int64_t vectors = llvm::divideCeil(plan.valueChannels, lanes);
    plan.valueRows = even(plan.rows, rowsBy(vectors));
    // There are registers for half as many sums again, if one pass is enough then.
    if (plan.quads && lanes == 16 && plan.rows * vectors <= sums * 3 / 2)
      plan.valueRows = plan.rows;
  } else if (sideBySide) {
    plan.heads = std::clamp<int64_t>(most / plan.rows, 1, std::min<int64_t>(keyHeads, 4));
  }
  return plan;
}
