#include "posenc/Encoding.h"

#include "llvm/ADT/APInt.h"

#define GET_OP_CLASSES
#include "T5Bucket.h.inc"
#define GET_OP_CLASSES
#include "T5Bucket.cpp.inc"

using namespace mlir;
using namespace posenc;

static RegisterEncoding<T5BucketOp> registration;

// With maxTableSize, bounds the powers that the table is derived from.
constexpr int64_t maxBuckets = 512;

LogicalResult T5BucketOp::verify() {
  ShapedType table = getTable().getType();
  int64_t buckets = table.getDimSize(0);
  if (ShapedType::isDynamic(buckets))
    return emitOpError("expected a static number of buckets");
  int64_t step = getCausal() ? 2 : 4;
  if (buckets < step || buckets > maxBuckets || buckets % step)
    return emitOpError("expected a multiple of ")
           << step << " buckets, at most " << maxBuckets << ", but found " << buckets;
  if (failed(verifyCompatibleShape({getX().getType().getDimSize(1)}, {table.getDimSize(1)})))
    return emitOpError("expected a table for ")
           << getX().getType().getDimSize(1) << " heads, but found " << table.getDimSize(1);
  int64_t exact = buckets / step;
  if (getMaxDistance() <= static_cast<uint64_t>(exact) || getMaxDistance() > maxTableSize)
    return emitOpError("expected max_distance in (")
           << exact << ", " << maxTableSize << "], but found "
           << static_cast<int64_t>(getMaxDistance());
  return success();
}

/// `base^exponent`, wide enough for both bounds above.
static llvm::APInt power(int64_t base, int64_t exponent, unsigned bits) {
  llvm::APInt result(bits, 1), square(bits, base);
  for (; exponent; exponent /= 2, square *= square)
    if (exponent % 2)
      result *= square;
  return result;
}

/// The bucket of every distance up to `maxDistance` on a side of `count`
/// buckets. Bucket `m + k` starts at the first `n` with
/// `(n / m)^(count - m) >= (maxDistance / m)^k`, compared in integers.
static SmallVector<int32_t> bucketsOfSide(int64_t count, int64_t maxDistance) {
  int64_t m = count / 2, above = count - m;
  SmallVector<int32_t> buckets;
  for (int64_t n = 0; n < m; ++n)
    buckets.push_back(n);
  int64_t n = m;
  for (int64_t k = 1; k < above; ++k) {
    // n^above >= maxDistance^k * m^(above - k)
    unsigned bits = 17 * (above + 1);
    llvm::APInt bound = power(maxDistance, k, bits) * power(m, above - k, bits);
    int64_t lo = n, hi = maxDistance;
    while (lo < hi) {
      int64_t mid = (lo + hi) / 2;
      if (power(mid, above, bits).uge(bound))
        hi = mid;
      else
        lo = mid + 1;
    }
    for (; n < lo; ++n)
      buckets.push_back(m + k - 1);
  }
  for (; n <= maxDistance; ++n)
    buckets.push_back(count - 1);
  return buckets;
}

SmallVector<Value> T5BucketOp::emit(Emitter &e, ValueRange x, const At &at) {
  int64_t buckets = getTable().getType().getDimSize(0), maxDistance = getMaxDistance();
  int64_t side = getCausal() ? buckets : buckets / 2;
  Value delta = e.sub(at.keyCoord, at.coord);
  auto limit = [&](int64_t n) {
    return isa<FloatType>(delta.getType()) ? e.f32(n) : e.i32(n);
  };
  // Bounded first, so that no coordinate whatever leaves the table.
  delta = e.toInt(e.max(e.min(delta, limit(maxDistance)), limit(-maxDistance)));
  Value distance = getCausal() ? e.max(e.neg(delta), e.i32(0)) : e.abs(delta);
  Value bucket = e.lookup(e.table(bucketsOfSide(side, maxDistance)), e.toIndex(distance));
  if (!getCausal())
    bucket = e.add(bucket, e.select(e.less(e.i32(0), delta), e.i32(side), e.i32(0)));
  return {e.add(x[0], e.lookup(getTable(), {e.toIndex(bucket), at.head}))};
}

void T5BucketOp::emitChecks(OpBuilder &b, Location loc) {
  checkSize(b, loc, getTable(), 1, getX(), 1, "posenc.t5_bucket: expected a table for every head");
}

bool T5BucketOp::isTranslationInvariant() { return true; }
bool T5BucketOp::isHeadDependent() { return true; }
bool T5BucketOp::isToeplitz() { return true; }
