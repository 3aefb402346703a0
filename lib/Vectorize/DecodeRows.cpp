//===- DecodeRows.cpp - queries into a call of decode, results out of it --===//

#include "Vectorize/AttentionKernel.h"
#include "Vectorize/DecodeKernel.h"
#include "Vectorize/RowMap.h"

#include "mlir/Dialect/Math/IR/Math.h"

#include <limits>

using namespace mlir;
using namespace posenc;

/// Without a score region the softmax needs the scores in powers of two only.
double DecodeKernel::scoreScale() {
  return op.getScale().convertToFloat() * (op.getScoreMod().empty() ? log2e : 1.0);
}

/// One row of queries to scratch, mapped and, unless it is rounded afterwards, scaled; zeros
/// follow it.
void DecodeKernel::readQuery(Value head, Value row) {
  Value from = queryHead(head, row), query = queryRow(row), zero = b.index(0);
  Value end = b.lastSize(queries);
  b.store(b.splat(0.0), queries, {head, row, b.sub(end, b.lanes)});
  Values at = rowAt(from, query), to{head, row};
  if (op.getQueryMap().empty()) {
    b.copy(args.query, at, queries, to, zero, b.index(width));
  } else {
    Values coordinates{coordinate(args.batch, 0), coordinate(from, 1), coordinate(query, 2)};
    failed |= mlir::failed(RowMap(b, op.getQueryMap(), *op.getQueryChannels(), outer)
                               .apply(args.query, at, queries, to, coordinates));
  }
  double scale = plan.pairs ? 1.0 : scoreScale();
  b.loop(zero, end, b.lanes, [&](Value d) {
    Value q = b.load(queries, join(to, d), b.lanes);
    b.store(b.mul(q, b.splat(scale)), queries, join(to, d));
  });
}

/// `lse` may be null. A row that saw no key still has the maximum it started with.
void posenc::writeDecoded(KernelBuilder &b, Value maximum, Value sum, int64_t width, Value out,
                          ValueRange row, Value lse, ValueRange lseAt,
                          llvm::function_ref<Value(Value, int64_t)> channel) {
  Value seen = b.less(b.f32(hiddenScore / 2), maximum);
  Value isNan = arith::CmpFOp::create(b, arith::CmpFPredicate::UNO, sum, sum);
  seen = arith::OrIOp::create(b, seen, isNan);
  Value inverse = b.select(seen, b.div(b.f32(1.0), sum), b.f32(0.0));
  b.channels(b.index(0), b.index(width), b.lanes, [&](Value d, int64_t n) {
    b.store(b.mul(channel(d, n), b.broadcast(inverse, n)), out, join(row, d));
  });
  if (!lse)
    return;
  Value natural = b.add(b.mul(maximum, b.f32(1.0 / log2e)), math::LogOp::create(b, sum));
  Value none = b.f32(-std::numeric_limits<double>::infinity());
  b.store(b.select(seen, natural, none), lse, lseAt);
}

/// One row, normalised, or as the part of it that is merged later.
void DecodeKernel::writeResult(Value head, Value row) {
  Value to = queryHead(head, row), query = queryRow(row);
  Value maximum = b.load(maxima, {head, row}, 0);
  Value sum = b.sum(b.load(sums, {head, row, b.index(0)}, b.lanes));
  auto write = [&] {
    Value whole = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, args.parts, b.index(1));
    b.ifThen(whole, [&] {
      writeDecoded(b, maximum, sum, valueWidth, args.out, rowAt(to, query), args.lse,
                   {args.batch, to, query},
                   [&](Value d, int64_t n) { return b.load(result, {head, row, d}, n); });
    });
    b.ifThen(b.less(b.index(1), args.parts), [&] {
      Values at{args.part, args.batch, to, query};
      Value end = b.lastSize(result);
      b.loop(b.index(0), end, b.lanes, [&](Value d) {
        b.store(b.load(result, {head, row, d}, b.lanes), args.partial, join(at, d));
      });
      b.store(maximum, args.partial, join(at, end));
      b.store(sum, args.partial, join(at, b.add(end, 1)));
    });
  };
  if (plan.oneBlock)
    write();
  else
    b.ifThen(b.less(b.add(args.row, row), rows), write);
}
