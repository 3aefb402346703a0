//===- Encodings.cpp - The encodings that can be timed --------------------===//
//
// The float64 functions follow the published definitions, not the compiler.
//
//===----------------------------------------------------------------------===//

#include "Encodings.h"

#include "llvm/Support/MathExtras.h"

#include <cmath>

using namespace posenc;
using namespace posenc::bench;
using llvm::StringRef;

/// The error of an angle, which is a product of f32, for each position.
static constexpr double kAngleError = 1e-7;

static std::string getTable(llvm::ArrayRef<int64_t> shape) {
  return "tensor<" + formatShape(shape, ElementKind::F32) + ">";
}

/// `base^(-2c / dim)` for each pair of channels.
static std::vector<double> getFrequencies(int64_t dim) {
  std::vector<double> frequencies(dim / 2);
  for (int64_t c = 0; c < dim / 2; ++c)
    frequencies[c] = std::pow(10000.0, -2.0 * c / dim);
  return frequencies;
}

//===----------------------------------------------------------------------===//
// Rows and tokens
//===----------------------------------------------------------------------===//

Encoding posenc::bench::makeRope(const Shape &shape, StringRef pairing) {
  Encoding encoding;
  encoding.name = pairing == "half" ? "rope" : "rope-" + pairing.str();
  encoding.site = Encoding::Row;
  encoding.text = ("posenc.rope $x$at {pairing = #posenc.pairing<" + pairing +
                   ">$layout} : ($type$types) -> $type")
                      .str();
  bool isHalf = pairing == "half";
  encoding.peerWords = llvm::json::Object{{"name", "rope"}, {"pairing", pairing}, {"base", 10000}};
  encoding.row = [frequencies = getFrequencies(shape.dim),
                  isHalf](Row row, int64_t position, int64_t, Operands) {
    for (size_t c = 0, n = frequencies.size(); c < n; ++c) {
      double &a = row[isHalf ? c : 2 * c];
      double &b = row[isHalf ? c + n : 2 * c + 1];
      double cosine = std::cos(position * frequencies[c]);
      double sine = std::sin(position * frequencies[c]);
      double first = a * cosine - b * sine;
      b = a * sine + b * cosine;
      a = first;
    }
  };
  encoding.errorPerPosition = kAngleError;
  return encoding;
}

Encoding posenc::bench::makeSinusoidal(const Shape &shape) {
  Encoding encoding;
  encoding.name = "sinusoidal";
  encoding.site = Encoding::Token;
  encoding.text = "posenc.sinusoidal $x {pairing = #posenc.pairing<"
                  "interleaved>} : ($type) -> $type";
  encoding.row = [frequencies = getFrequencies(shape.dim)](
                     Row row, int64_t position, int64_t, Operands) {
    for (size_t c = 0; c < frequencies.size(); ++c) {
      row[2 * c] += std::sin(position * frequencies[c]);
      row[2 * c + 1] += std::cos(position * frequencies[c]);
    }
  };
  encoding.errorPerPosition = kAngleError;
  return encoding;
}

static void addRow(Row row, const HostTensor &table, int64_t index) {
  for (size_t c = 0; c < row.size(); ++c)
    row[c] += table.getFloat(index * row.size() + c);
}

Encoding posenc::bench::makeLearned(const Shape &shape) {
  Encoding encoding;
  encoding.name = "learned";
  encoding.site = Encoding::Token;
  llvm::SmallVector<int64_t> sizes = {shape.queries, shape.dim};
  encoding.text = "posenc.learned $x table(%table) : ($type, " +
                  getTable(sizes) + ") -> $type";
  encoding.operands = {{"table", ElementKind::F32, sizes, "random"}};
  encoding.row = [](Row row, int64_t position, int64_t, Operands operands) {
    addRow(row, *operands[0], position);
  };
  return encoding;
}

Encoding posenc::bench::makeTokenType(const Shape &shape) {
  // As many types as a random integer of an input may be.
  constexpr int64_t types = 100;
  Encoding encoding;
  encoding.name = "token_type";
  encoding.site = Encoding::Token;
  llvm::SmallVector<int64_t> ids = {shape.batch, shape.queries};
  llvm::SmallVector<int64_t> sizes = {types, shape.dim};
  encoding.text = "posenc.token_type $x ids(%ids) table(%table) : ($type, "
                  "tensor<" +
                  formatShape(ids, ElementKind::I64) + ">, " + getTable(sizes) +
                  ") -> $type";
  encoding.operands = {{"ids", ElementKind::I64, ids, "random"},
                       {"table", ElementKind::F32, sizes, "random"}};
  encoding.row = [](Row row, int64_t, int64_t index, Operands operands) {
    addRow(row, *operands[1], operands[0]->getInt(index));
  };
  return encoding;
}

//===----------------------------------------------------------------------===//
// Scores
//===----------------------------------------------------------------------===//

Encoding posenc::bench::makeAlibi(const Shape &shape) {
  Encoding encoding;
  encoding.name = "alibi";
  encoding.site = Encoding::Score;
  encoding.text = "posenc.alibi $x : ($type) -> $type";
  encoding.peerWords = llvm::json::Object{{"name", encoding.name}};
  int64_t n = llvm::bit_floor(uint64_t(shape.heads));
  encoding.score = [n](double score, int64_t head, int64_t query, int64_t key,
                       Operands) {
    double exponent =
        head < n ? double(head + 1) / n : (2.0 * (head - n) + 1) / (2.0 * n);
    return score - std::exp2(-8 * exponent) * std::abs(query - key);
  };
  return encoding;
}

/// The first distance of each of `count` buckets of one side; integers, since a
/// rounded logarithm would move the borders.
static std::vector<int64_t> getStarts(int64_t count, int64_t maxDistance) {
  int64_t exact = count / 2, wide = count - exact;
  std::vector<int64_t> starts;
  for (int64_t n = 0; n <= exact; ++n)
    starts.push_back(n);
  // n >= exact * (maxDistance / exact)^(k / wide), both sides to the `wide`.
  for (int64_t k = 1; k < wide; ++k) {
    auto power = [](unsigned __int128 base, int64_t exponent) {
      unsigned __int128 result = 1;
      while (exponent--)
        result *= base;
      return result;
    };
    int64_t n = starts.back();
    while (power(n, wide) < power(maxDistance, k) * power(exact, wide - k))
      ++n;
    starts.push_back(n);
  }
  return starts;
}

Encoding posenc::bench::makeT5(const Shape &shape, bool isCausal) {
  constexpr int64_t buckets = 32, maxDistance = 128;
  Encoding encoding;
  encoding.name = "t5";
  encoding.site = Encoding::Score;
  llvm::SmallVector<int64_t> sizes = {buckets, shape.heads};
  encoding.text = std::string("posenc.t5_bucket $x table(%buckets)") +
                  (isCausal ? " {causal}" : "") + " : ($type, " +
                  getTable(sizes) + ") -> $type";
  encoding.operands = {{"buckets", ElementKind::F32, sizes, "random"}};
  int64_t side = isCausal ? buckets : buckets / 2;
  encoding.peerWords = llvm::json::Object{{"name", encoding.name},
                                          {"buckets", buckets},
                                          {"max_distance", maxDistance},
                                          {"causal", isCausal}};
  encoding.score = [starts = getStarts(side, maxDistance), side,
                    isCausal](double score, int64_t head, int64_t query,
                              int64_t key, Operands operands) {
    int64_t distance =
        isCausal ? std::max<int64_t>(query - key, 0) : std::abs(query - key);
    int64_t bucket = llvm::upper_bound(starts, distance) - starts.begin() - 1;
    if (!isCausal && key > query)
      bucket += side;
    const HostTensor &table = *operands[0];
    return score + table.getFloat(bucket * table.getShape()[1] + head);
  };
  return encoding;
}

//===----------------------------------------------------------------------===//
// Masks
//===----------------------------------------------------------------------===//

Encoding posenc::bench::makeCausal(const Shape &shape) {
  Encoding encoding;
  encoding.name = "causal";
  encoding.site = Encoding::Mask;
  encoding.text = "posenc.causal $x : ($type) -> $type";
  encoding.peerWords = llvm::json::Object{{"name", encoding.name}};
  encoding.mask = [](int64_t query, int64_t key) { return key <= query; };
  return encoding;
}

Encoding posenc::bench::makeWindow(const Shape &shape, int64_t size,
                                   bool isCausal) {
  Encoding encoding;
  encoding.name = "window";
  encoding.site = Encoding::Mask;
  int64_t left = size - 1, right = isCausal ? 0 : size - 1;
  encoding.text = "posenc.window $x {left = " + std::to_string(left) +
                  " : i64, right = " + std::to_string(right) +
                  " : i64} : ($type) -> $type";
  encoding.peerWords =
      llvm::json::Object{{"name", encoding.name}, {"left", left}, {"right", right}};
  encoding.mask = [left, right](int64_t query, int64_t key) {
    return query - left <= key && key <= query + right;
  };
  return encoding;
}

Encoding posenc::bench::makePadding(const Shape &shape) {
  Encoding encoding;
  encoding.name = "padding";
  encoding.site = Encoding::Mask;
  llvm::SmallVector<int64_t> sizes = {shape.batch, shape.keys};
  encoding.text = "posenc.padding $x valid(%valid) : ($type, tensor<" +
                  formatShape(sizes, ElementKind::I1) + ">) -> $type";
  // A batch without padding: the mask costs what it costs, and hides nothing.
  encoding.operands = {{"valid", ElementKind::I1, sizes, "ones"}};
  encoding.peerWords = llvm::json::Object{{"name", encoding.name}};
  encoding.mask = [](int64_t, int64_t) { return true; };
  return encoding;
}
