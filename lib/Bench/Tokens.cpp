//===- Tokens.cpp - An encoding of tokens as a case -----------------------===//

#include "Bench/Tokens.h"

#include "Bench/Template.h"
#include "posenc/Jit/InputSpec.h"

using namespace posenc;
using namespace posenc::bench;

static llvm::Expected<double> check(const Shape &shape, const Encoding &encoding,
                                    llvm::ArrayRef<HostTensor> inputs,
                                    const HostTensor &result) {
  llvm::SmallVector<const HostTensor *> operands;
  for (const HostTensor &operand : inputs.drop_front())
    operands.push_back(&operand);
  ErrorMeter meter;
  std::vector<double> row(shape.dim);
  for (int64_t i = 0, n = inputs[0].getNumElements() / shape.dim; i < n; ++i) {
    for (int64_t c = 0; c < shape.dim; ++c)
      row[c] = inputs[0].getFloat(i * shape.dim + c);
    encoding.row(row, i % shape.queries, i, operands);
    for (int64_t c = 0; c < shape.dim; ++c)
      meter.add(result.getFloat(i * shape.dim + c), row[c]);
  }
  return meter.get();
}

llvm::Expected<Case> posenc::bench::makeTokens(const Shape &shape, const Encoding &encoding) {
  bool hasHeads = encoding.site == Encoding::Row;
  auto getSizes = [&](bool isDynamic) {
    llvm::SmallVector<int64_t> sizes = {shape.batch};
    if (hasHeads)
      sizes.push_back(shape.heads);
    sizes.append({isDynamic ? -1 : shape.queries, shape.dim});
    return sizes;
  };
  auto getType = [&](bool isDynamic) { return formatShape(getSizes(isDynamic), shape.kind); };
  std::string type = "tensor<" + getType(shape.isDynamic) + ">", arguments;
  for (const Operand &operand : encoding.operands)
    arguments +=
        ", %" + operand.name + ": tensor<" + formatShape(operand.shape, operand.kind) + ">";
  Case result;
  result.name = (hasHeads ? "rows " : "tokens ") + getType(false) + " " + encoding.name;
  result.entry = "tokens";
  result.program = expand("func.func @tokens(%x: $type$more) -> $type {\n  %y = " +
                              expand(encoding.text, {{"x", "%x"},
                                                     {"type", type},
                                                     {"at", ""},
                                                     {"types", ""},
                                                     {"layout", ""}}) +
                              "\n  return %y : $type\n}\n",
                          {{"type", type}, {"more", arguments}});
  std::vector<Operand> operands = {
      {"x", shape.kind, getSizes(/*isDynamic=*/false), "random"}};
  llvm::append_range(operands, encoding.operands);
  for (auto [index, operand] : llvm::enumerate(operands)) {
    auto input = makeInput(operand.spec, {operand.kind, operand.shape}, index + 1);
    if (!input)
      return input.takeError();
    result.inputs.push_back(std::move(*input));
  }
  // Rows of tables are few, or read by one token each.
  result.bytes = 2.0 * result.inputs[0].getNumBytes();
  result.tolerance = getTolerance(shape.kind) + encoding.errorPerPosition * shape.queries;
  result.shape = getSizes(/*isDynamic=*/false);
  result.check = [shape, encoding](const Case &self, llvm::ArrayRef<HostTensor> results) {
    return check(shape, encoding, self.inputs, results[0]);
  };
  return result;
}
