//===- Cache.cpp - Attention to a cache as a case -------------------------===//

#include "Bench/Cache.h"

#include "Bench/Attention.h"
#include "Bench/Template.h"
#include "posenc/Jit/InputSpec.h"

#include <cmath>
#include <limits>

using namespace posenc;
using namespace posenc::bench;
using llvm::StringRef;

CacheShape::CacheShape(const Shape &shape, int64_t lanes)
    : rows(lanes ? 2 * lanes : 32), keyChannels(lanes ? 1 : shape.dim),
      valueChannels(lanes == 16 ? 32 : 16) {
  while (valueChannels > 16 && shape.dim % valueChannels)
    valueChannels /= 2;
  if (!lanes || shape.dim % valueChannels)
    valueChannels = shape.dim;
}

static std::string getTensor(llvm::ArrayRef<int64_t> sizes, ElementKind kind) {
  return "tensor<" + formatShape(sizes, kind) + ">";
}

//===----------------------------------------------------------------------===//
// Program
//===----------------------------------------------------------------------===//

namespace {
struct Types {
  llvm::SmallVector<int64_t> query, fresh, keys, values;

  Types(const Shape &shape, const CacheShape &cache) {
    int64_t blocks = llvm::divideCeil(shape.keys, cache.rows);
    query = rows(shape, shape.heads, shape.queries);
    fresh = rows(shape, shape.keyHeads, shape.queries);
    auto inChunks = [&](int64_t channels) -> llvm::SmallVector<int64_t> {
      return {shape.batch, shape.keyHeads, blocks, shape.dim / channels, cache.rows, channels};
    };
    keys = inChunks(cache.keyChannels);
    values = inChunks(cache.valueChannels);
  }

  static llvm::SmallVector<int64_t> rows(const Shape &shape, int64_t heads,
                                         int64_t count) {
    if (shape.isRowMajor)
      return {shape.batch, count, heads, shape.dim};
    return {shape.batch, heads, count, shape.dim};
  }
};
} // namespace

static std::string getText(const Shape &shape, const CacheShape &cache,
                           llvm::ArrayRef<Encoding> encodings) {
  Types types(shape, cache);
  auto tensor = [&](llvm::ArrayRef<int64_t> sizes) { return getTensor(sizes, shape.kind); };
  std::string layout = shape.isRowMajor ? "layout = #posenc.layout<bshd>" : "";
  Substitutions words = {
      {"count", std::to_string(shape.queries)},
      {"qtype", tensor(types.query)},
      {"new", tensor(types.fresh)},
      {"ktype", tensor(types.keys)},
      {"vtype", tensor(types.values)},
      {"rows", tensor(Types::rows(shape, shape.keyHeads, -1))},
      {"stype", getTensor({shape.batch, shape.heads, shape.queries, -1},
                          ElementKind::F32)},
      {"a", layout.empty() ? "" : " {" + layout + "}"}};
  std::string rows, scores, more, q = "%q", k = "%k", s = "%s";
  unsigned numValues = 0;
  auto apply = [&](const Encoding &encoding, std::string &value, StringRef type, bool isRow) {
    std::string next = "%" + std::to_string(numValues++);
    (isRow ? rows : scores) +=
        "  " + next + " = " +
        expand(encoding.text, {{"x", value},
                               {"type", words[type]},
                               {"at", isRow ? " at(%pos)" : ""},
                               {"types", isRow ? ", tensor<?xi64>" : ""},
                               {"layout", layout.empty() ? "" : ", " + layout}}) +
        "\n";
    value = next;
  };
  for (const Encoding &encoding : encodings) {
    if (encoding.site == Encoding::Row) {
      apply(encoding, q, "qtype", true);
      apply(encoding, k, "new", true);
    } else {
      apply(encoding, s, "stype", false);
    }
    for (const Operand &operand : encoding.operands)
      more += ", %" + operand.name + ": " + getTensor(operand.shape, operand.kind);
  }
  if (!rows.empty())
    rows = "  %pos = posenc.positions %n from %past : index -> tensor<?xi64>\n" + rows;
  words["encode"] = rows;
  words["modify"] = scores;
  words["more"] = more;
  words["q"] = q;
  words["k"] = k;
  words["s"] = s;
  return expand(R"(func.func @attention(%q: $qtype, %k: $new, %v: $new,
    %kc: $ktype {bufferization.writable = true},
    %vc: $vtype {bufferization.writable = true},
    %past: index$more) -> ($qtype, $ktype, $vtype) {
  %n = arith.constant $count : index
  %total = arith.addi %past, %n : index
$encode  %kc1 = posenc.append $k into %kc at %past$a : $new into $ktype
  %vc1 = posenc.append %v into %vc at %past$a : $new into $vtype
  %keys = posenc.rows %total of %kc1$a : $ktype -> $rows
  %values = posenc.rows %total of %vc1$a : $vtype -> $rows
  %s = posenc.scores $q, %keys$a : ($qtype, $rows) -> $stype
$modify  %o = posenc.attend $s, %values$a : ($stype, $rows) -> $qtype
  return %o, %kc1, %vc1 : $qtype, $ktype, $vtype
}
)",
                words);
}

//===----------------------------------------------------------------------===//
// Inputs
//===----------------------------------------------------------------------===//

namespace {
/// Rows of keys or values, and where they are in a cache.
struct Rows {
  const Shape &shape;
  int64_t blockRows, channels;

  /// Calls `visit(sample, head, row, offset)` for rows [from, to), where `offset`
  /// is that of the row's first channel in `count` rows.
  void forEach(int64_t from, int64_t to, int64_t count,
               llvm::function_ref<void(int64_t, int64_t, int64_t, int64_t)> visit) const {
    for (int64_t b = 0; b < shape.batch; ++b)
      for (int64_t h = 0; h < shape.keyHeads; ++h)
        for (int64_t i = from; i < to; ++i) {
          int64_t row = shape.isRowMajor ? (b * count + i - from) * shape.keyHeads + h
                                         : (b * shape.keyHeads + h) * count + i - from;
          visit(b, h, i, row * shape.dim);
        }
  }
  int64_t inCache(int64_t sample, int64_t head, int64_t row, int64_t channel) const {
    int64_t blocks = llvm::divideCeil(shape.keys, blockRows);
    int64_t block = (sample * shape.keyHeads + head) * blocks + row / blockRows;
    int64_t chunk = block * (shape.dim / channels) + channel / channels;
    return (chunk * blockRows + row % blockRows) * channels + channel % channels;
  }
};

/// What the check knows: queries, all keys and values, operands.
using Exact = std::vector<HostTensor>;
} // namespace

static llvm::Expected<HostTensor> makeOne(const Operand &operand, uint64_t seed) {
  return makeInput(operand.spec, {operand.kind, operand.shape}, seed);
}

/// The rows of `all` from `past` on, as they come in.
static llvm::Error addFresh(Case &result, StringRef name, const HostTensor &all, const Rows &rows,
                            llvm::ArrayRef<int64_t> sizes) {
  auto fresh = HostTensor::create(all.getKind(), sizes);
  if (!fresh)
    return fresh.takeError();
  const Shape &shape = rows.shape;
  int64_t past = shape.keys - shape.queries;
  llvm::SmallVector<int64_t> sources;
  rows.forEach(0, shape.keys, shape.keys, [&](int64_t, int64_t, int64_t row, int64_t offset) {
    if (row >= past)
      sources.push_back(offset);
  });
  size_t next = 0;
  rows.forEach(past, shape.keys, shape.queries, [&](int64_t, int64_t, int64_t, int64_t offset) {
    int64_t source = sources[next++];
    for (int64_t c = 0; c < shape.dim; ++c)
      fresh->setFloat(offset + c, all.getFloat(source + c));
  });
  result.inputNames.push_back(name.str());
  result.inputs.push_back(std::move(*fresh));
  return llvm::Error::success();
}

/// Earlier rows, encoded; what else there is room for is NaN.
static llvm::Error addCache(Case &result, StringRef name, const HostTensor &all, const Rows &rows,
                            llvm::ArrayRef<int64_t> sizes,
                            llvm::function_ref<void(Row, int64_t)> encode) {
  auto cache = HostTensor::create(all.getKind(), sizes);
  if (!cache)
    return cache.takeError();
  for (int64_t i = 0, n = cache->getNumElements(); i < n; ++i)
    cache->setFloat(i, std::numeric_limits<double>::quiet_NaN());
  const Shape &shape = rows.shape;
  std::vector<double> channels(shape.dim);
  rows.forEach(0, shape.keys, shape.keys, [&](int64_t b, int64_t h, int64_t row, int64_t offset) {
    if (row >= shape.keys - shape.queries)
      return;
    for (int64_t c = 0; c < shape.dim; ++c)
      channels[c] = all.getFloat(offset + c);
    encode(channels, row);
    for (int64_t c = 0; c < shape.dim; ++c)
      cache->setFloat(rows.inCache(b, h, row, c), channels[c]);
  });
  result.inputNames.push_back(name.str());
  result.inputs.push_back(std::move(*cache));
  return llvm::Error::success();
}

llvm::Expected<Case> posenc::bench::makeCachedAttention(StringRef name, const Shape &shape,
                                                        const CacheShape &cache,
                                                        llvm::ArrayRef<Encoding> encodings) {
  Types types(shape, cache);
  auto exact = std::make_shared<Exact>();
  std::vector<Operand> operands = {{"q", shape.kind, types.query, "random"},
                                   {"k", shape.kind, Types::rows(shape, shape.keyHeads, shape.keys), "random"},
                                   {"v", shape.kind, Types::rows(shape, shape.keyHeads, shape.keys), "random"}};
  for (const Encoding &encoding : encodings)
    llvm::append_range(operands, encoding.operands);
  Case result;
  for (auto [index, operand] : llvm::enumerate(operands)) {
    auto input = makeOne(operand, index + 1);
    if (!input)
      return input.takeError();
    result.bytes += input->getNumBytes();
    exact->push_back(std::move(*input));
  }
  const HostTensor &query = (*exact)[0], &keys = (*exact)[1], &values = (*exact)[2];
  result.bytes += query.getNumBytes();
  result.name = name.str();
  result.program = getText(shape, cache, encodings);
  result.entry = "attention";

  auto add = [&](StringRef name, llvm::Expected<HostTensor> tensor) -> llvm::Error {
    if (!tensor)
      return tensor.takeError();
    result.inputNames.push_back(name.str());
    result.inputs.push_back(std::move(*tensor));
    return llvm::Error::success();
  };
  auto encode = [&](Row row, int64_t position) {
    for (const Encoding &encoding : encodings)
      if (encoding.row)
        encoding.row(row, position, position, {});
  };
  Rows ofKeys{shape, cache.rows, cache.keyChannels}, ofValues{shape, cache.rows, cache.valueChannels};
  if (llvm::Error error = add("q", query.clone()))
    return error;
  if (llvm::Error error = addFresh(result, "k", keys, ofKeys, types.fresh))
    return error;
  if (llvm::Error error = addFresh(result, "v", values, ofValues, types.fresh))
    return error;
  if (llvm::Error error = addCache(result, "keys", keys, ofKeys, types.keys, encode))
    return error;
  if (llvm::Error error = addCache(result, "values", values, ofValues, types.values, [](Row, int64_t) {}))
    return error;
  auto past = HostTensor::create(ElementKind::I64, {});
  if (!past)
    return past.takeError();
  past->setInt(0, shape.keys - shape.queries);
  if (llvm::Error error = add("past", std::move(past)))
    return error;
  for (size_t n = 3; n < operands.size(); ++n)
    if (llvm::Error error = add(operands[n].name, (*exact)[n].clone()))
      return error;

  result.flops = 4.0 * shape.batch * shape.heads * shape.dim * countVisible(shape, encodings);
  result.tolerance = getTolerance(shape.kind);
  for (const Encoding &encoding : encodings)
    result.tolerance += encoding.errorPerPosition * shape.keys;
  result.shape = llvm::to_vector(query.getShape());
  result.check = [shape, cache, exact, encodings = std::vector<Encoding>(encodings)](
                     const Case &, llvm::ArrayRef<HostTensor> results) {
    double error = checkAttention(shape, encodings, *exact, results[0]);
    // Appended values are where they belong.
    Rows rows{shape, cache.rows, cache.valueChannels};
    rows.forEach(0, shape.keys, shape.keys, [&](int64_t b, int64_t h, int64_t row, int64_t offset) {
      for (int64_t c = 0; c < shape.dim; ++c)
        if (results[2].getFloat(rows.inCache(b, h, row, c)) != (*exact)[2].getFloat(offset + c))
          error = std::numeric_limits<double>::infinity();
    });
    return error;
  };
  return result;
}
