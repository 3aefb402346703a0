//===- Attention.cpp - Attention as a case --------------------------------===//

#include "Bench/Attention.h"

#include "Bench/Template.h"
#include "posenc/Jit/InputSpec.h"
#include "llvm/ADT/StringExtras.h"

using namespace posenc;
using namespace posenc::bench;
using llvm::StringRef;

std::string posenc::bench::describe(const Shape &shape) {
  auto number = [](StringRef label, int64_t value) {
    return label.str() + std::to_string(value);
  };
  std::string text = shape.batch == 1 ? "" : number("b", shape.batch) + " ";
  text += number("h", shape.heads);
  if (shape.keyHeads != shape.heads)
    text += number("/", shape.keyHeads);
  text += number(" d", shape.dim) + number(" q", shape.queries) +
          number(" kv", shape.keys) + " " + getName(shape.kind).str();
  return text + (shape.isRowMajor ? " bshd" : "") +
         (shape.isDynamic ? " dynamic" : "");
}

//===----------------------------------------------------------------------===//
// Program
//===----------------------------------------------------------------------===//

static llvm::SmallVector<int64_t> getSizes(const Shape &shape, int64_t heads,
                                           int64_t rows) {
  if (shape.isRowMajor)
    return {shape.batch, rows, heads, shape.dim};
  return {shape.batch, heads, rows, shape.dim};
}

/// `size` of a row dimension as its type spells it.
static int64_t getRows(const Shape &shape, int64_t size) {
  return shape.isDynamic ? -1 : size;
}

static std::string getTensor(llvm::ArrayRef<int64_t> sizes, ElementKind kind) {
  return "tensor<" + formatShape(sizes, kind) + ">";
}

namespace {
/// Writes the text, value by value.
class Writer {
public:
  Writer(const Shape &shape) : shape(shape) {
    query =
        getTensor(getSizes(shape, shape.heads, getRows(shape, shape.queries)),
                  shape.kind);
    key = getTensor(getSizes(shape, shape.keyHeads, getRows(shape, shape.keys)),
                    shape.kind);
    scores = getTensor({shape.batch, shape.heads, getRows(shape, shape.queries),
                        getRows(shape, shape.keys)},
                       ElementKind::F32);
  }

  /// The last queries of longer rows do not start at position 0.
  void definePositions() {
    body += expand("  %count = arith.constant $q : index\n"
                   "  %past = arith.constant $past : index\n"
                   "  %pos = posenc.positions %count from %past : index -> "
                   "tensor<?xi64>\n",
                   {{"q", std::to_string(shape.queries)},
                    {"past", std::to_string(shape.keys - shape.queries)}});
  }

  /// `value` of `type` becomes what `encoding` makes of it.
  void apply(const Encoding &encoding, std::string &value,
             const std::string &type, bool hasPositions = false) {
    std::string next = "%" + std::to_string(numValues++);
    body +=
        "  " + next + " = " +
        expand(encoding.text, {{"x", value},
                               {"type", type},
                               {"at", hasPositions ? " at(%pos)" : ""},
                               {"types", hasPositions ? ", tensor<?xi64>" : ""},
                               {"layout", layout(", ")}}) +
        "\n";
    value = next;
  }

  std::string layout(StringRef separator) const {
    return shape.isRowMajor ? separator.str() + "layout = #posenc.layout<bshd>"
                            : "";
  }

  const Shape &shape;
  std::string query, key, scores, body;
  unsigned numValues = 0;
};
} // namespace

std::string
posenc::bench::getAttentionText(const Shape &shape,
                                llvm::ArrayRef<Encoding> encodings) {
  Writer writer(shape);
  std::string q = "%q", k = "%k", s = "%s";
  bool hasPositions = shape.queries != shape.keys &&
                      llvm::any_of(encodings, [](const Encoding &encoding) {
                        return encoding.site == Encoding::Row;
                      });
  if (hasPositions)
    writer.definePositions();
  for (const Encoding &encoding : encodings)
    if (encoding.site == Encoding::Row) {
      writer.apply(encoding, q, writer.query, hasPositions);
      writer.apply(encoding, k, writer.key);
    }
  std::string attributes =
      shape.isRowMajor ? " {" + writer.layout("") + "}" : "";
  writer.body +=
      expand("  %s = posenc.scores $q, $k$a : ($qtype, $ktype) -> $stype\n",
             {{"q", q},
              {"k", k},
              {"a", attributes},
              {"qtype", writer.query},
              {"ktype", writer.key},
              {"stype", writer.scores}});
  for (const Encoding &encoding : encodings)
    if (encoding.site == Encoding::Score || encoding.site == Encoding::Mask)
      writer.apply(encoding, s, writer.scores);

  std::string arguments;
  for (const Encoding &encoding : encodings)
    for (const Operand &operand : encoding.operands)
      arguments +=
          ", %" + operand.name + ": " + getTensor(operand.shape, operand.kind);
  return expand(
      R"(func.func @attention(%q: $qtype, %k: $ktype, %v: $ktype$more) -> $qtype {
$body  %o = posenc.attend $s, %v$a : ($stype, $ktype) -> $qtype
  return %o : $qtype
}
)",
      {{"more", arguments},
       {"body", writer.body},
       {"s", s},
       {"a", attributes},
       {"qtype", writer.query},
       {"ktype", writer.key},
       {"stype", writer.scores}});
}

//===----------------------------------------------------------------------===//
// Case
//===----------------------------------------------------------------------===//

int64_t posenc::bench::countVisible(const Shape &shape,
                                    llvm::ArrayRef<Encoding> encodings) {
  int64_t count = 0;
  for (int64_t i = 0; i < shape.queries; ++i)
    for (int64_t j = 0; j < shape.keys; ++j)
      count += llvm::all_of(encodings, [&](const Encoding &encoding) {
        return !encoding.mask ||
               encoding.mask(i + shape.keys - shape.queries, j);
      });
  return count;
}

llvm::Expected<Case>
posenc::bench::makeAttention(StringRef name, const Shape &shape,
                             llvm::ArrayRef<Encoding> encodings) {
  Case result;
  result.name = name.str();
  result.program = getAttentionText(shape, encodings);
  result.entry = "attention";

  std::vector<Operand> operands = {
      {"q", shape.kind, getSizes(shape, shape.heads, shape.queries), "random"},
      {"k", shape.kind, getSizes(shape, shape.keyHeads, shape.keys), "random"},
      {"v", shape.kind, getSizes(shape, shape.keyHeads, shape.keys), "random"}};
  for (const Encoding &encoding : encodings)
    llvm::append_range(operands, encoding.operands);
  for (auto [index, operand] : llvm::enumerate(operands)) {
    auto input =
        makeInput(operand.spec, {operand.kind, operand.shape}, index + 1);
    if (!input)
      return input.takeError();
    result.bytes += input->getNumBytes();
    result.inputNames.push_back(operand.name);
    result.inputs.push_back(std::move(*input));
  }
  result.bytes += result.inputs[0].getNumBytes();

  // A product for the scores and one for the output.
  int64_t pairs = countVisible(shape, encodings);
  result.flops = 4.0 * shape.batch * shape.heads * shape.dim * pairs;
  result.tolerance = getTolerance(shape.kind);
  for (const Encoding &encoding : encodings)
    result.tolerance +=
        encoding.errorPerPosition * std::max(shape.keys, shape.queries);
  llvm::json::Array words;
  for (const Encoding &encoding : encodings)
    words.push_back(encoding.peerWords);
  result.peerProblem = llvm::json::Object{{"kind", "attention"},
                                          {"batch", shape.batch},
                                          {"heads", shape.heads},
                                          {"kv_heads", shape.keyHeads},
                                          {"dim", shape.dim},
                                          {"queries", shape.queries},
                                          {"keys", shape.keys},
                                          {"dtype", getName(shape.kind)},
                                          {"layout", shape.isRowMajor ? "bshd" : "bhsd"},
                                          {"encodings", std::move(words)}};
  result.shape = llvm::to_vector(result.inputs[0].getShape());
  result.check = [shape, encodings = std::vector<Encoding>(encodings)](
                     const Case &self, llvm::ArrayRef<HostTensor> results) {
    return checkAttention(shape, encodings, self.inputs, results[0]);
  };
  return result;
}
