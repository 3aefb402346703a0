//===- MmaAttention.cpp - attention by matrix instructions ----------------===//

#include "GPU/MmaAttention.h"
#include "Vectorize/Kernels.h"
#include "posenc/Fragments.h"

#include "mlir/Analysis/SliceAnalysis.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;
using namespace posenc;

static MemRefType typeOf(Value v) { return llvm::cast<MemRefType>(v.getType()); }

/// Whether a region looks something up that depends on the key.
static bool readsPerKey(Region &region, unsigned key) {
  if (region.empty())
    return false;
  SetVector<Operation *> slice;
  getForwardSlice(region.getArgument(key), &slice);
  return llvm::any_of(slice, [](Operation *op) { return isa<memref::LoadOp>(op); });
}

MmaPlan::MmaPlan(AttentionOp op, const Chip &chip)
    : width(typeOf(op.getQuery()).getDimSize(3)), valueWidth(typeOf(op.getValue()).getDimSize(3)) {
  // Outputs and scores stay in registers, of which a thread has 255; a score takes two
  // until it is a weight, and regions need some. For sm_100, ptxas loads further ahead.
  int64_t registers = chip.version() / 10 == 10 ? 208 : 256;
  if (!op.getScoreMod().empty())
    registers -= readsPerKey(op.getScoreMod(), 4) ? 72 : 40;
  if (readsPerKey(op.getMask(), 3))
    registers -= 40;
  // Two blocks of threads should share a processor, so that one computes while the
  // other waits; a kilobyte of each is the system's.
  constexpr int64_t own = 1 << 10, most = 96 << 10;
  for (bool isShared : {true, false})
    for (auto [rows, columns] : {std::pair(2, 64), {2, 32}, {1, 64}, {1, 32}, {1, 16}}) {
      strips = rows;
      keys = columns;
      int64_t outputs = strips * valueWidth / 2, bytes = sharedBytes();
      if (outputs > 128 || outputs + strips * keys > registers || bytes > most)
        continue;
      if (!isShared || (keys > 16 && 2 * (bytes + own) <= chip.sharedBytes + own))
        return;
    }
}

/// At most 96 KB, which every chip from sm_80 on has.
int64_t MmaPlan::sharedBytes() const {
  return 2 * (queries() * width + stages * keys * (width + valueWidth));
}

std::string posenc::refuseMmaAttention(AttentionOp op, const Chip &chip) {
  std::string reason;
  llvm::raw_string_ostream os(reason);
  Type element = typeOf(op.getQuery()).getElementType();
  if (chip.version() < 80) {
    os << "expected sm_80 or later for products of 16 x 8 x 16, but found " << chip.name;
    return reason;
  }
  if (op.getKeyChannels() || op.getValueChannels()) {
    os << "expected keys and values that are mapped before, see posenc-apply-maps";
    return reason;
  }
  for (Value v : {op.getQuery(), op.getKey(), op.getValue()}) {
    MemRefType type = typeOf(v);
    int64_t width = type.getDimSize(3);
    if (!isa<Float16Type, BFloat16Type>(element) || type.getElementType() != element)
      os << "expected queries, keys and values of f16, or all of bf16, but found " << type;
    else if (ShapedType::isDynamic(width) || width % 16 || width > 256)
      os << "expected a head width that is a multiple of 16 up to 256, but found " << type;
    else if (!type.getLayout().isIdentity())
      os << "expected rows that start at multiples of 16 bytes, but found " << type;
    if (!reason.empty())
      return reason;
  }
  if (MemRefType out = typeOf(op.getOuts()[0]); !out.getLayout().isIdentity())
    os << "expected results in row-major order, but found " << out;
  else if (DecodePlan::suits(op))
    os << "expected more than " << DecodePlan::mostQueries << " queries, but found "
       << typeOf(op.getQuery());
  return reason;
}

Type MmaAttention::element() { return typeOf(op.getQuery()).getElementType(); }

LogicalResult posenc::buildMmaAttention(AttentionOp op, const Chip &chip) {
  return MmaAttention(op, chip).build();
}

LogicalResult MmaAttention::build() {
  KernelBuilder host(op.getLoc(), op->getBlock(), 1);
  host.setInsertionPoint(op);
  heads = host.size(op.getQuery(), op.getHeadDim());
  queryCount = host.size(op.getQuery(), op.getRowDim());
  keyCount = host.size(op.getKey(), op.getRowDim());
  blocks = host.ceilDivide(queryCount, plan.queries());
  Value all = host.mul(host.mul(host.size(op.getQuery(), 0), heads), blocks);
  return buildLaunch(
      op, "mma_attention", all, plan.warps * kWarp,
      [&](ThreadBuilder &builder) {
        t = &builder;
        return buildThread();
      },
      plan.sharedBytes());
}

//===----------------------------------------------------------------------===//
// Places
//===----------------------------------------------------------------------===//

void MmaAttention::place() {
  Value outer = t->divide(t->block, blocks), number = t->sub(t->block, t->mul(outer, blocks));
  // Later rows may see more keys: their blocks begin first.
  if (!op.getLive().empty())
    number = t->sub(t->sub(blocks, 1), number);
  batch = t->divide(outer, heads);
  head = t->sub(outer, t->mul(batch, heads));
  keyHead = t->divide(head, t->divide(heads, t->size(op.getKey(), op.getHeadDim())));
  row = t->mul(number, plan.queries());
  warp = t->uniform(t->warp);
  warpRow = t->add(row, t->mul(warp, plan.warpRows()));
}

MmaAttention::Bounds MmaAttention::live(Value from, Value to) {
  Value offset = op.getOffsets().empty() ? t->index(0) : op.getOffsets()[3];
  auto bounds = liveKeys(*t, op, none, {coordinate(batch, 0), coordinate(head, 1),
                                        coordinate(from, 2), coordinate(to, 2)},
                         offset, keyCount);
  failed |= mlir::failed(bounds);
  return mlir::failed(bounds) ? Bounds{keyCount, keyCount} : Bounds{bounds->first, bounds->second};
}

void MmaAttention::findLive() {
  auto last = [&](Value first, int64_t rows) { return t->min(t->add(first, rows), queryCount); };
  keys = live(row, last(row, plan.queries()));
  // A warp behind the last query has the last.
  Value first = t->min(warpRow, t->sub(queryCount, 1)), end = last(warpRow, plan.warpRows());
  end = t->max(end, t->add(first, 1));
  seen = live(first, end);
  if (op.getMask().empty())
    whole = keys;
  else if (isLiveExact(op, /*padding=*/false))
    whole = {live(t->sub(end, 1), end).begin, live(first, t->add(first, 1)).end};
  if (whole.begin)
    whole.end = t->min(whole.end, keys.end);
  // Numbers of 32 bits need half the registers, of which there are few.
  for (Bounds *bounds : {&keys, &seen, &whole})
    if (bounds->begin)
      *bounds = {t->toInt(bounds->begin), t->toInt(bounds->end)};
}

Value MmaAttention::cast(Value fragment, Type element) {
  return arith::IndexCastOp::create(*t, t->vectorType(kFragment, element), fragment);
}

Value MmaAttention::matrix(Value operand, Value head) {
  SmallVector<OpFoldResult> offsets{batch, t->getIndexAttr(0), t->getIndexAttr(0),
                                    t->getIndexAttr(0)};
  SmallVector<OpFoldResult> sizes(4, t->getIndexAttr(1)), strides(4, t->getIndexAttr(1));
  offsets[op.getHeadDim()] = head;
  MemRefType type = typeOf(operand);
  auto extent = [&](unsigned dim) -> OpFoldResult {
    if (type.isDynamicDim(dim))
      return t->size(operand, dim);
    return t->getIndexAttr(type.getDimSize(dim));
  };
  sizes[op.getRowDim()] = extent(op.getRowDim());
  sizes[3] = extent(3);
  auto result = memref::SubViewOp::inferRankReducedResultType(
      {type.getDimSize(op.getRowDim()), type.getDimSize(3)}, type, offsets, sizes, strides);
  return memref::SubViewOp::create(*t, llvm::cast<MemRefType>(result), operand, offsets, sizes, strides);
}

Value MmaAttention::tile(int64_t stages, int64_t rows, int64_t columns) {
  return pgpu::AllocOp::create(
      *t, pgpu::TileType::get(t->getContext(), stages, rows, columns, element()));
}

//===----------------------------------------------------------------------===//
// The loop over keys
//===----------------------------------------------------------------------===//

LogicalResult MmaAttention::buildThread() {
  place();
  findLive();
  queryTile = tile(1, plan.queries(), plan.width);
  keyTile = tile(plan.stages, plan.keys, plan.width);
  valueTile = tile(plan.stages, plan.keys, plan.valueWidth);
  keyMatrix = matrix(op.getKey(), keyHead);
  valueMatrix = matrix(op.getValue(), keyHead);
  loadQueries();
  loadKeys(keys.begin, t->i32(0));

  auto places = pgpu::CoordinatesOp::create(*t, t->vectorType(kFragment, t->getIndexType()),
                                            t->vectorType(kFragment, t->getIndexType()));
  columns = cast(places.getColumns(), t->getI32Type());
  Value rowsOfSum = cast(places.getRows(), t->getI32Type());
  double scale = op.getScale().convertToDouble();
  factor = op.getScoreMod().empty() && scale > 0 ? scale * kLog2E : kLog2E;
  Value last = t->broadcast(t->toInt(coordinate(t->sub(queryCount, 1), 2)), kFragment);
  for (int64_t s = 0; s < plan.strips; ++s) {
    Regions &region = regions.emplace_back();
    // Rows behind the last query repeat it, so that regions see valid rows only.
    Value first = t->broadcast(t->toInt(coordinate(firstRowOf(s), 2)), kFragment);
    Value rows = cast(t->min(t->add(first, rowsOfSum), last), t->getIndexType());
    auto prepare = [&](Region &body, unsigned leading) {
      auto vectorizer = std::make_unique<RegionVectorizer>(*t, body, none);
      vectorizer->bind(body.getArgument(leading), coordinate(batch, 0));
      vectorizer->bind(body.getArgument(leading + 1), coordinate(head, 1));
      vectorizer->bind(body.getArgument(leading + 2), rows);
      vectorizer->hoist();
      return vectorizer;
    };
    if (!op.getScoreMod().empty())
      region.score = prepare(op.getScoreMod(), 1);
    if (!op.getMask().empty())
      region.mask = prepare(op.getMask(), 0);
  }

  Value zeros = t->splat(0, kFragment);
  Strip start{Values(plan.valueWidth / 16, zeros), t->splat(-kInfinity, 2), t->splat(0, 2)};
  Values state = flatten(std::vector<Strip>(plan.strips, start));
  state.push_back(t->i32(0)); // the stage
  Values result = t->loop(keys.begin, keys.end, plan.keys, state, [&](Value key, ValueRange carried) {
    Value stage = carried.back(), other = t->sub(t->i32(1), stage);
    Value next = t->add(key, t->i32(plan.keys));
    NVVM::CpAsyncWaitGroupOp::create(*t, 0);
    t->syncBlock(); // all have read the other stage, and see this one
    if (!paddingConditions(op).empty()) {
      clearPadding(key, stage);
      t->syncBlock();
    }
    t->ifThen(t->less(next, keys.end), [&] { loadKeys(next, other); });
    carried = carried.drop_back();
    auto block = [&](bool isEdge) {
      return flatten(addBlock(key, stage, isEdge, unflatten(carried)));
    };
    // Whole warps skip what none of their rows may see, and have code of their own,
    // without a mask, for what all rows see.
    auto edge = [&] {
      Value isSeen = t->logicalAnd(t->less(key, seen.end), t->less(seen.begin, next));
      return t->ifThen(isSeen, carried, [&] { return block(/*isEdge=*/true); });
    };
    Values flat;
    if (whole.begin) {
      Value isWhole = t->logicalAnd(t->lessEqual(whole.begin, key), t->lessEqual(next, whole.end));
      flat = either(isWhole, carried.getTypes(),
                    [&] { return block(/*isEdge=*/false); }, edge);
    } else {
      flat = edge();
    }
    flat.push_back(other);
    return flat;
  });
  for (auto [s, strip] : llvm::enumerate(unflatten(ArrayRef(result).drop_back())))
    store(strip, s);
  for (Regions &region : regions)
    failed |= (region.score && region.score->failed()) || (region.mask && region.mask->failed());
  t->contract();
  t->align();
  return success(!failed);
}

SmallVector<Value> MmaAttention::flatten(ArrayRef<Strip> strips) {
  Values flat;
  for (const Strip &strip : strips) {
    llvm::append_range(flat, strip.outputs);
    flat.append({strip.maximum, strip.sum});
  }
  return flat;
}

std::vector<MmaAttention::Strip> MmaAttention::unflatten(ValueRange flat) {
  std::vector<Strip> strips;
  for (size_t size = flat.size() / plan.strips; !flat.empty(); flat = flat.drop_front(size))
    strips.push_back({Values(flat.take_front(size - 2)), flat[size - 2], flat[size - 1]});
  return strips;
}

SmallVector<Value> MmaAttention::either(Value condition, TypeRange types,
                                        function_ref<Values()> ifTrue,
                                        function_ref<Values()> ifFalse) {
  auto branch = scf::IfOp::create(*t, types, condition, /*addThenBlock=*/true,
                                  /*addElseBlock=*/true);
  for (bool isTrue : {true, false}) {
    OpBuilder::InsertionGuard guard(*t);
    t->setInsertionPointToStart(isTrue ? branch.thenBlock() : branch.elseBlock());
    scf::YieldOp::create(*t, isTrue ? ifTrue() : ifFalse());
  }
  return Values(branch.getResults());
}

/// The values of keys that no query sees may be anything, and a weight of 0 does
/// not make a NaN vanish: zeros take their place.
void MmaAttention::clearPadding(Value key, Value stage) {
  int64_t perRow = plan.warps * kWarp / plan.keys;
  Value tileRow = t->divide(t->thread, perRow);
  Value part = t->sub(t->thread, t->mul(tileRow, perRow));
  Value at = t->min(t->add(t->toIndex(key), tileRow), t->sub(t->toIndex(keys.end), 1));
  Value visible = isVisible(*t, op, none, coordinate(batch, 0), coordinate(head, 1),
                            coordinate(at, 3));
  Value zeros = t->constant(t->getZeroAttr(t->vectorType(kFragment, element())));
  Value isHidden = arith::XOrIOp::create(*t, visible, t->constant(t->getBoolAttr(true)));
  t->ifThen(isHidden, [&] {
    t->loop(t->mul(part, kFragment), t->index(plan.valueWidth), perRow * kFragment, [&](Value c) {
      pgpu::PutOp::create(*t, zeros, valueTile, t->toIndex(stage), tileRow, c);
    });
  });
}

/// Begins to copy a block of keys and values, and zeros behind the last.
void MmaAttention::loadKeys(Value key, Value stage) {
  Value first = t->toIndex(key), end = t->toIndex(keys.end), at = t->toIndex(stage);
  pgpu::CopyOp::create(*t, keyMatrix, first, end, keyTile, at);
  pgpu::CopyOp::create(*t, valueMatrix, first, end, valueTile, at);
  NVVM::CpAsyncCommitGroupOp::create(*t);
}
