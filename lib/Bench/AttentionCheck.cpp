//===- AttentionCheck.cpp - Attention in float64 --------------------------===//

#include "Bench/Attention.h"

#include <cmath>
#include <random>
#include <set>

using namespace posenc;
using namespace posenc::bench;

/// Products that a check may cost, a fraction of a second.
static constexpr double kBudget = 2e8;

namespace {
class Reference {
public:
  Reference(const Shape &shape, llvm::ArrayRef<Encoding> encodings,
            llvm::ArrayRef<HostTensor> inputs)
      : shape(shape), encodings(encodings), inputs(inputs) {
    size_t next = 3;
    for (const Encoding &encoding : encodings) {
      operands.emplace_back();
      for (size_t i = 0; i < encoding.operands.size(); ++i)
        operands.back().push_back(&inputs[next++]);
    }
  }

  /// Reads keys and values of a head, for the rows that follow.
  void enterHead(int64_t sample, int64_t keyHead) {
    keys.clear();
    values.clear();
    for (int64_t j = 0; j < shape.keys; ++j) {
      std::vector<double> key =
          read(inputs[1], sample, keyHead, shape.keyHeads, shape.keys, j);
      encode(key, j, j);
      keys.push_back(std::move(key));
      values.push_back(
          read(inputs[2], sample, keyHead, shape.keyHeads, shape.keys, j));
    }
  }

  std::vector<double> computeRow(int64_t sample, int64_t head, int64_t i) {
    int64_t position = i + shape.keys - shape.queries;
    std::vector<double> query =
        read(inputs[0], sample, head, shape.heads, shape.queries, i);
    // Without coordinates, equal numbers of rows mean equal positions.
    encode(query, position, i);
    std::vector<double> weights(shape.keys);
    double top = -INFINITY, sum = 0;
    for (int64_t j = 0; j < shape.keys; ++j) {
      weights[j] = computeScore(query, head, position, j);
      top = std::max(top, weights[j]);
    }
    std::vector<double> row(shape.dim);
    if (top == -INFINITY)
      return row;
    for (double &weight : weights)
      sum += weight = std::exp(weight - top);
    for (int64_t j = 0; j < shape.keys; ++j)
      for (int64_t c = 0; c < shape.dim; ++c)
        row[c] += weights[j] / sum * values[j][c];
    return row;
  }

  int64_t getOffset(int64_t sample, int64_t head, int64_t heads, int64_t rows,
                    int64_t row) const {
    int64_t outer = shape.isRowMajor ? row : head;
    int64_t inner = shape.isRowMajor ? head : row;
    int64_t outers = shape.isRowMajor ? rows : heads;
    int64_t inners = shape.isRowMajor ? heads : rows;
    return ((sample * outers + outer) * inners + inner) * shape.dim;
  }

private:
  std::vector<double> read(const HostTensor &tensor, int64_t sample,
                           int64_t head, int64_t heads, int64_t rows,
                           int64_t row) const {
    int64_t offset = getOffset(sample, head, heads, rows, row);
    std::vector<double> result(shape.dim);
    for (int64_t c = 0; c < shape.dim; ++c)
      result[c] = tensor.getFloat(offset + c);
    return result;
  }

  void encode(std::vector<double> &row, int64_t position, int64_t index) const {
    for (auto [encoding, more] : llvm::zip(encodings, operands))
      if (encoding.row)
        encoding.row(row, position, index, more);
  }

  double computeScore(llvm::ArrayRef<double> query, int64_t head,
                      int64_t position, int64_t j) const {
    double score = 0;
    for (int64_t c = 0; c < shape.dim; ++c)
      score += query[c] * keys[j][c];
    score /= std::sqrt(double(shape.dim));
    for (auto [encoding, more] : llvm::zip(encodings, operands)) {
      if (encoding.mask && !encoding.mask(position, j))
        return -INFINITY;
      if (encoding.score)
        score = encoding.score(score, head, position, j, more);
    }
    return score;
  }

  const Shape &shape;
  llvm::ArrayRef<Encoding> encodings;
  llvm::ArrayRef<HostTensor> inputs;
  std::vector<llvm::SmallVector<const HostTensor *>> operands;
  std::vector<std::vector<double>> keys, values;
};
} // namespace

/// Up to `count` of `total` indices: the first, the last and others at random.
static std::set<int64_t> sample(int64_t total, int64_t count) {
  std::set<int64_t> indices;
  if (count >= total) {
    for (int64_t i = 0; i < total; ++i)
      indices.insert(i);
    return indices;
  }
  std::mt19937_64 random(total);
  indices.insert(0);
  indices.insert(total - 1);
  while (int64_t(indices.size()) < count)
    indices.insert(random() % total);
  return indices;
}

double posenc::bench::checkAttention(const Shape &shape,
                                     llvm::ArrayRef<Encoding> encodings,
                                     llvm::ArrayRef<HostTensor> inputs,
                                     const HostTensor &result) {
  Reference reference(shape, encodings, inputs);
  ErrorMeter meter;
  int64_t heads = shape.batch * shape.heads;
  double costOfRow = 2.0 * shape.keys * shape.dim;
  bool isSmall = costOfRow * shape.queries * heads <= kBudget;
  int64_t numHeads = isSmall ? heads : std::min<int64_t>(heads, 4);
  int64_t numRows =
      isSmall ? shape.queries
              : std::max<int64_t>(8, kBudget / (costOfRow * numHeads));
  for (int64_t index : sample(heads, numHeads)) {
    int64_t batch = index / shape.heads, head = index % shape.heads;
    reference.enterHead(batch, head / (shape.heads / shape.keyHeads));
    for (int64_t i : sample(shape.queries, numRows)) {
      std::vector<double> expected = reference.computeRow(batch, head, i);
      int64_t offset =
          reference.getOffset(batch, head, shape.heads, shape.queries, i);
      for (int64_t c = 0; c < shape.dim; ++c)
        meter.add(result.getFloat(offset + c), expected[c]);
    }
  }
  return meter.get();
}
