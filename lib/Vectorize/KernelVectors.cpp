//===- KernelVectors.cpp - values of kernels, mostly vectors --------------===//

#include "Vectorize/KernelBuilder.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

#include <cmath>

using namespace mlir;
using namespace posenc;

VectorType KernelBuilder::vectorType(int64_t n, Type element) {
  return VectorType::get({n}, element ? element : getF32Type());
}

Value KernelBuilder::splat(double value, int64_t n) {
  return constant(DenseElementsAttr::get(vectorType(n), static_cast<float>(value)));
}

Value KernelBuilder::splatInt(int64_t value, int64_t n) {
  return constant(
      DenseElementsAttr::get(vectorType(n, getI32Type()), static_cast<int32_t>(value)));
}

Value KernelBuilder::iota(int64_t n) {
  return constant(getIndexVectorAttr(llvm::to_vector(llvm::seq<int64_t>(0, n))));
}

Value KernelBuilder::broadcast(Value scalar, int64_t n) {
  if (!n)
    return scalar;
  return vector::BroadcastOp::create(*this, vectorType(n, scalar.getType()), scalar);
}

Value KernelBuilder::divide(Value a, Value b) { return arith::DivUIOp::create(*this, a, b); }

Value KernelBuilder::ceilDivide(Value a, Value b) { return divide(add(a, sub(b, 1)), b); }

Value KernelBuilder::fma(Value a, Value b, Value c) {
  if (isa<VectorType>(a.getType()))
    return vector::FMAOp::create(*this, a, b, c);
  return math::FmaOp::create(*this, a, b, c);
}

// No operation of this may carry fast-math flags: they would remove the rounding
// by the magic number.
Value KernelBuilder::exp2(Value x) {
  if (isTableOfExponents(x))
    return exp2ByTable(x, {0.24022886, 0.69315734});
  // Minimax of 2^r on [-1/2, 1/2].
  return exp2(x, {0.00133813025, 0.00966636852, 0.0555038101, 0.24022349, 0.693147181, 1.0});
}

Value KernelBuilder::exp2ForBF16(Value x) {
  if (isTableOfExponents(x))
    return exp2ByTable(x, {0.69314718});
  return exp2(x, {0.05517167, 0.24261112, 0.69326099, 0.99992807});
}

/// x = n + rest, where n is a multiple of 1 / steps, which is a power of two.
std::pair<Value, Value> KernelBuilder::splitExponent(Value x, int64_t steps) {
  int64_t n = cast<VectorType>(x.getType()).getNumElements();
  x = max(splat(-126.0, n), x);
  Value magic = splat(12582912.0 / steps, n); // 1.5 * 2^23: its last bits are the integer
  Value rounded = add(x, magic);
  Value rest = sub(x, sub(rounded, magic));
  return {arith::BitcastOp::create(*this, vectorType(n, getI32Type()), rounded), rest};
}

Value KernelBuilder::exp2(Value x, ArrayRef<double> coefficients) {
  int64_t n = cast<VectorType>(x.getType()).getNumElements();
  auto [whole, rest] = splitExponent(x, 1);
  Value power = splat(coefficients[0], n);
  for (double c : coefficients.drop_front())
    power = fma(power, rest, splat(c, n));
  Value exponent = arith::ShLIOp::create(*this, whole, splatInt(23, n));
  Value bits = add(arith::BitcastOp::create(*this, exponent.getType(), power), exponent);
  return arith::BitcastOp::create(*this, vectorType(n), bits);
}

/// Two registers of AVX-512 hold a table, which spares multiply-adds: kernels have
/// no others to give while products run.
bool KernelBuilder::isTableOfExponents(Value x) const {
  return lanes == 16 && cast<VectorType>(x.getType()).getNumElements() == lanes;
}

/// 2^n (1 + r (c + r (...))) with |r| <= 1/64, the powers of n from a table.
Value KernelBuilder::exp2ByTable(Value x, ArrayRef<double> coefficients) {
  constexpr int64_t steps = 32, shift = 23 - 5;
  auto [whole, rest] = splitExponent(x, steps);
  // All of n is added to the bits, its fraction too: the table goes without.
  SmallVector<int32_t> powers;
  for (int32_t i = 0; i < steps; ++i)
    powers.push_back(llvm::bit_cast<int32_t>(static_cast<float>(std::exp2(i / double(steps)))) -
                     (i << shift));
  VectorType ints = vectorType(lanes, getI32Type());
  auto half = [&](int64_t first) {
    return constant(
        DenseElementsAttr::get(ints, ArrayRef<int32_t>(powers).slice(first, steps / 2)));
  };
  Value base = LLVM::CallIntrinsicOp::create(
                   *this, ints, getStringAttr("llvm.x86.avx512.vpermi2var.d.512"),
                   ValueRange{half(0), whole, half(steps / 2)})
                   .getResult(0);
  Value exponent = arith::ShLIOp::create(*this, whole, splatInt(shift, lanes));
  Value power = arith::BitcastOp::create(*this, vectorType(lanes), add(base, exponent));
  Value slope = splat(coefficients[0], lanes);
  for (double c : coefficients.drop_front())
    slope = fma(slope, rest, splat(c, lanes));
  return fma(mul(power, rest), slope, power);
}

Value KernelBuilder::slice(Value v, int64_t from, int64_t n) {
  return vector::ExtractStridedSliceOp::create(*this, v, ArrayRef<int64_t>{from},
                                               ArrayRef<int64_t>{n}, ArrayRef<int64_t>{1});
}

Value KernelBuilder::repeat(Value v) {
  int64_t n = cast<VectorType>(v.getType()).getNumElements();
  SmallVector<int64_t> mask;
  for (int64_t lane = 0; lane < lanes; ++lane)
    mask.push_back(lane % n);
  return vector::ShuffleOp::create(*this, v, v, mask);
}

Value KernelBuilder::reduce(Value v, function_ref<Value(Value, Value)> combine) {
  // vector.reduction would be a chain of scalar operations.
  for (int64_t half = cast<VectorType>(v.getType()).getDimSize(0) / 2; half; half /= 2) {
    v = combine(slice(v, 0, half), slice(v, half, half));
  }
  return vector::ExtractOp::create(*this, v, int64_t(0));
}

Value KernelBuilder::sum(Value v) {
  return reduce(v, [&](Value x, Value y) { return add(x, y); });
}

Value KernelBuilder::largest(Value v) {
  return reduce(v, [&](Value x, Value y) { return max(x, y); });
}

// Each step halves the segments that hold one sum each, and joins two vectors
// while there are two. Within 128 bits their segments alternate, which is one
// instruction; longer ones follow each other.
Value KernelBuilder::sums(ArrayRef<Value> vectors, int64_t whole) {
  int64_t each = lanes / whole;
  struct Part {
    Value v;
    SmallVector<int64_t> sums; ///< that its segments hold
  };
  // Where a step takes the segments of its result from: halves of x's or y's.
  auto join = [&](ArrayRef<int64_t> x, ArrayRef<int64_t> y, int64_t segment, auto take) {
    bool alternate = segment <= 4;
    for (size_t i = 0; i < x.size() + y.size(); ++i) {
      bool second = alternate ? !y.empty() && i % 2 : i >= x.size();
      take(second, alternate && !y.empty() ? i / 2 : second ? i - x.size() : i);
    }
  };
  auto fold = [&](SmallVector<Part> parts, bool build) {
    for (int64_t segment = whole; segment > 1; segment /= 2) {
      SmallVector<Part> next;
      for (size_t p = 0; p < parts.size(); p += 2) {
        Part &x = parts[p], *y = p + 1 < parts.size() ? &parts[p + 1] : nullptr;
        Part joined;
        SmallVector<int64_t> low, high;
        int64_t length = x.sums.size() * segment;
        join(x.sums, y ? ArrayRef<int64_t>(y->sums) : ArrayRef<int64_t>(), segment,
             [&](bool second, int64_t from) {
               joined.sums.push_back((second ? y->sums : x.sums)[from]);
               for (int64_t lane = 0; lane < segment / 2; ++lane) {
                 low.push_back(second * length + from * segment + lane);
                 high.push_back(low.back() + segment / 2);
               }
             });
        if (build)
          joined.v = add(vector::ShuffleOp::create(*this, x.v, y ? y->v : x.v, low),
                         vector::ShuffleOp::create(*this, x.v, y ? y->v : x.v, high));
        next.push_back(joined);
      }
      parts = std::move(next);
    }
    return parts[0];
  };
  // A first run tells which place ends up in which lane.
  SmallVector<Part> parts;
  for (size_t i = 0; i < llvm::PowerOf2Ceil(vectors.size()); ++i)
    parts.push_back({nullptr, llvm::to_vector(llvm::seq<int64_t>(i * each, (i + 1) * each))});
  SmallVector<int64_t> order = fold(parts, /*build=*/false).sums;
  for (auto [lane, place] : llvm::enumerate(ArrayRef(order).take_front(parts.size())))
    parts[place / each].v = vectors[std::min(lane, vectors.size() - 1)];
  return fold(parts, /*build=*/true).v;
}

void KernelBuilder::addProducts(function_ref<Value(int64_t)> left, ValueRange right,
                                MutableArrayRef<Value> sums) {
  for (int64_t r = 0, rows = sums.size() / right.size(); r < rows; ++r) {
    Value x = broadcast(left(r), lanes);
    for (auto [y, sum] : llvm::zip(right, sums.slice(r * right.size(), right.size())))
      sum = fma(x, y, sum);
  }
}

/// Unpacks within 128 bits, then exchanges the 128-bit parts.
SmallVector<Value> KernelBuilder::transpose(ArrayRef<Value> rows) {
  int64_t n = rows.size(), parts = n / 4;
  auto shuffle = [&](Value a, Value b, ArrayRef<int64_t> mask) -> Value {
    return vector::ShuffleOp::create(*this, a, b, mask);
  };
  // A pattern of four lanes in each 128-bit part; 4 and more name the second vector.
  auto within = [&](ArrayRef<int64_t> pattern) {
    SmallVector<int64_t> mask;
    for (int64_t part = 0; part < parts; ++part)
      for (int64_t lane : pattern)
        mask.push_back(4 * part + (lane < 4 ? lane : lane - 4 + n));
    return mask;
  };
  auto across = [&](ArrayRef<int64_t> sources) {
    SmallVector<int64_t> mask;
    for (int64_t source : sources)
      for (int64_t lane = 0; lane < 4; ++lane)
        mask.push_back(4 * source + lane);
    return mask;
  };
  auto low = within({0, 4, 1, 5}), high = within({2, 6, 3, 7});
  auto lowPairs = within({0, 1, 4, 5}), highPairs = within({2, 3, 6, 7});
  // quads[g][c]: part l holds column 4l + c of the rows 4g to 4g + 3.
  SmallVector<std::array<Value, 4>> quads;
  for (int64_t g = 0; g < parts; ++g) {
    Value a = rows[4 * g], b = rows[4 * g + 1], c = rows[4 * g + 2], d = rows[4 * g + 3];
    Value ab = shuffle(a, b, low), abHigh = shuffle(a, b, high);
    Value cd = shuffle(c, d, low), cdHigh = shuffle(c, d, high);
    quads.push_back({shuffle(ab, cd, lowPairs), shuffle(ab, cd, highPairs),
                     shuffle(abHigh, cdHigh, lowPairs), shuffle(abHigh, cdHigh, highPairs)});
  }
  Values out(n);
  for (int64_t c = 0; c < 4; ++c) {
    if (parts == 2) {
      for (int64_t l = 0; l < 2; ++l)
        out[4 * l + c] = shuffle(quads[0][c], quads[1][c], across({l, 2 + l}));
      continue;
    }
    auto even = across({0, 2, 4, 6}), odd = across({1, 3, 5, 7});
    Value even01 = shuffle(quads[0][c], quads[1][c], even);
    Value odd01 = shuffle(quads[0][c], quads[1][c], odd);
    Value even23 = shuffle(quads[2][c], quads[3][c], even);
    Value odd23 = shuffle(quads[2][c], quads[3][c], odd);
    out[c] = shuffle(even01, even23, even);
    out[8 + c] = shuffle(even01, even23, odd);
    out[4 + c] = shuffle(odd01, odd23, even);
    out[12 + c] = shuffle(odd01, odd23, odd);
  }
  return out;
}
