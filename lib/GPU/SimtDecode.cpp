//===- SimtDecode.cpp - attention of few queries --------------------------===//

#include "GPU/SimtDecode.h"
#include "GPU/SimtQueries.h"
#include "Vectorize/Kernels.h"

using namespace mlir;
using namespace posenc;

/// Fewer keys are not worth a block of threads of their own.
static constexpr int64_t kFewestKeys = 256;

static MemRefType typeOf(Value v) { return cast<MemRefType>(v.getType()); }

//===----------------------------------------------------------------------===//
// Sizes
//===----------------------------------------------------------------------===//

RowPieces::RowPieces(Value operand, int64_t width)
    : width(width), size(ThreadBuilder::widest(operand)) {
  int64_t pieces = width / size;
  lanes = std::min<int64_t>(kWarp, llvm::PowerOf2Ceil(pieces));
  rounds = llvm::divideCeil(pieces, lanes);
}

SimtDecode::SimtDecode(AttentionOp op, const Chip &chip)
    : op(op), chip(chip), keys(op.getKey(), typeOf(op.getQuery()).getDimSize(3)),
      values(op.getValue(), typeOf(op.getOuts()[0]).getDimSize(3)),
      queries(typeOf(op.getQuery()).getDimSize(op.getRowDim())) {
  // Registers hold queries, outputs and partial sums of each row.
  constexpr int64_t registers = 160, most = 16;
  rows = std::clamp<int64_t>(registers / registersPerRow(), 1, most);
  int64_t h = typeOf(op.getQuery()).getDimSize(op.getHeadDim());
  int64_t shared = typeOf(op.getKey()).getDimSize(op.getKeyHeadDim());
  // As few blocks as possible read the same keys, and have equally many rows.
  if (ShapedType::isStatic(h) && ShapedType::isStatic(shared) && h && shared && queries) {
    int64_t all = h / shared * queries;
    rows = llvm::divideCeil(all, llvm::divideCeil(all, rows));
  }
  while (rows > 1 && sharedBytes() > kStaticShared)
    rows /= 2;
}

int64_t SimtDecode::sharedBytes() const {
  constexpr int64_t alignments = 3 * 128;
  return 4 * rows * (keys.width + warps * (kWarp + pitch())) + alignments;
}

std::string SimtDecode::refuse() const {
  if (sharedBytes() <= kStaticShared && keys.perLane() + values.perLane() <= 160)
    return "";
  return "expected keys and values of fewer channels, but found " + std::to_string(keys.width) +
         " and " + std::to_string(values.width);
}

std::string posenc::refuseSimtDecode(AttentionOp op, const Chip &chip) {
  if (!DecodePlan::suits(op) || !typeOf(op.getQuery()).getDimSize(op.getRowDim()))
    return "expected at least one and at most " + std::to_string(DecodePlan::mostQueries) +
           " queries, a number known when compiling";
  if (op.getKeyChannels() || op.getValueChannels())
    return "expected keys and values that are mapped before, see posenc-apply-maps";
  return SimtDecode(op, chip).refuse();
}

LogicalResult posenc::buildSimtDecode(AttentionOp op, const Chip &chip) {
  return SimtDecode(op, chip).build();
}

//===----------------------------------------------------------------------===//
// Launches
//===----------------------------------------------------------------------===//

LogicalResult SimtDecode::build() {
  KernelBuilder host(op.getLoc(), op->getBlock(), 1);
  host.setInsertionPoint(op);
  heads = host.size(op.getQuery(), op.getHeadDim());
  Value keyHeads = host.size(op.getKey(), op.getKeyHeadDim());
  group = host.divide(heads, keyHeads);
  rowCount = host.mul(group, queries);
  rowBlocks = host.ceilDivide(rowCount, rows);
  keyCount = op.readsCache() ? op.getCount() : host.size(op.getKey(), op.getRowDim());
  Value blocks = host.mul(host.mul(host.size(op.getQuery(), 0), keyHeads), rowBlocks);
  countSplits(host, blocks);
  LogicalResult built = buildLaunch(op, "decode", host.mul(blocks, splits), threads,
                                    [&](ThreadBuilder &builder) {
    t = &builder;
    return buildThread();
  });
  return success(succeeded(built) && succeeded(joinSplits()));
}

/// How many blocks of threads a processor has registers for: besides what rows need,
/// about 88 per thread. What they all wait for from memory decides how fast that is.
int64_t SimtDecode::blocksPerProcessor() const {
  constexpr int64_t registers = 64 << 10, others = 88, most = 4;
  return std::min(registers / (threads * (rows * registersPerRow() + others)), most);
}

/// Enough blocks to fill the processors; a part of the keys each.
void SimtDecode::countSplits(KernelBuilder &host, Value blocks) {
  auto schedule = op->getAttrOfType<ScheduleAttr>("posenc.schedule");
  if (int64_t given = schedule ? schedule.getSplits() : 0) {
    splits = host.index(given);
  } else {
    Value wanted = host.divide(host.index(blocksPerProcessor() * chip.processors), host.max(blocks, 1));
    splits = host.max(host.min(wanted, host.divide(keyCount, kFewestKeys)), 1);
  }
  // A block that has all keys writes results.
  Value parts = host.select(host.less(host.index(1), splits), splits, host.index(0));
  Value rowsOfAll = host.mul(host.mul(host.size(op.getQuery(), 0), heads), queries);
  auto type = MemRefType::get({ShapedType::kDynamic, ShapedType::kDynamic, pitch()},
                              host.getF32Type());
  partial = memref::AllocOp::create(host, type, ValueRange{parts, rowsOfAll});
}

void SimtDecode::place() {
  Value rowBlock, outer = t->block, keyHeads = t->size(op.getKey(), op.getKeyHeadDim());
  auto next = [&](Value extent) {
    Value quotient = t->divide(outer, extent), rest = t->sub(outer, t->mul(quotient, extent));
    outer = quotient;
    return rest;
  };
  // Blocks that read the same keys follow each other.
  rowBlock = next(rowBlocks);
  split = next(splits);
  keyHead = next(keyHeads);
  batch = outer;
  firstRow = t->mul(rowBlock, rows);
}

SimtDecode::Row SimtDecode::rowOf(Value tileRow) {
  Value n = t->min(t->add(firstRow, tileRow), t->sub(rowCount, 1)), number = t->divide(n, queries);
  return {t->add(t->mul(keyHead, group), number), t->sub(n, t->mul(number, queries))};
}

LogicalResult SimtDecode::buildThread() {
  queryTile = t->shared({rows, keys.width});
  weightTile = t->shared({warps * rows, kWarp});
  partTile = t->shared({warps, rows, pitch()});
  t->warp = t->uniform(t->warp);
  place();
  for (int64_t r = 0; r < rows; ++r)
    row.push_back(rowOf(t->index(r)));
  loadQueries();
  auto live = findLive();
  if (failed(live))
    return failure();
  // Each part takes whole turns of the warps.
  constexpr int64_t turn = warps * kWarp;
  Value turns = t->ceilDivide(t->max(t->sub(live->second, live->first), 0), turn);
  auto start = [&](Value part) {
    return t->add(live->first, t->mul(t->divide(t->mul(turns, part), splits), turn));
  };
  Value begin = start(split), end = t->min(start(t->add(split, 1)), live->second);
  auto state = SimtSoftmax::start(*t, rows, values.rounds, values.size);
  Values flat = t->loop(t->add(begin, t->mul(t->warp, kWarp)), end, turn, state.flatten(),
                        [&](Value first, ValueRange carried) {
    return addTile(first, end, SimtSoftmax::unflatten(carried, rows)).flatten();
  });
  joinWarps(SimtSoftmax::unflatten(flat, rows));
  return success();
}

/// Through their map to shared memory, and from there this lane's pieces to registers.
void SimtDecode::loadQueries() {
  loadSimtQueries(*t, op, queryTile, t->index(0), rows, t->thread, threads, [&](Value tileRow) {
    Row row = rowOf(tileRow);
    return QueryRow{batch, row.head, row.query};
  });
  t->syncBlock();
  Value zeros = keys.size == 1 ? t->f32(0) : t->splat(0, keys.size);
  for (int64_t r = 0; r < rows; ++r) {
    Values pieces;
    for (int64_t c = 0; c < keys.rounds; ++c) {
      Value q = t->loadWide(queryTile, {t->index(r), channel(keys, c)}, keys.size);
      if (!keys.isWhole(c)) {
        Value piece = t->sub(t->lane, t->roundDown(t->lane, keys.lanes));
        Value inside = t->less(t->mul(t->add(piece, c * keys.lanes), keys.size), t->index(keys.width));
        q = t->select(inside, q, zeros);
      }
      pieces.push_back(q);
    }
    query.push_back(pieces);
  }
}

/// The keys that some query of some head of the group may see.
FailureOr<std::pair<Value, Value>> SimtDecode::findLive() {
  IRMapping none;
  Value offset = op.getOffsets().empty() ? t->index(0) : op.getOffsets()[3];
  bool failed = false;
  auto bounds = [&](Value head) {
    auto live = liveKeys(*t, op, none,
                         {coordinate(batch, 0), coordinate(head, 1), coordinate(t->index(0), 2),
                          coordinate(t->index(queries), 2)}, offset, keyCount);
    failed |= mlir::failed(live);
    return mlir::failed(live) ? Values(2, keyCount) : Values{live->first, live->second};
  };
  Value first = t->mul(keyHead, group);
  Values all = bounds(first);
  if (!op.getLive().empty() && !op.getLive().getArgument(1).use_empty())
    all = t->loop(t->add(first, 1), t->add(first, group), 1, all, [&](Value head, ValueRange old) {
      Values next = bounds(head);
      return Values{t->min(old[0], next[0]), t->max(old[1], next[1])};
    });
  if (failed)
    return failure();
  return std::pair<Value, Value>{all[0], all[1]};
}
