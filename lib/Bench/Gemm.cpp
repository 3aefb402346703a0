//===- Gemm.cpp - A linear layer as a case --------------------------------===//

#include "Bench/Gemm.h"

#include "Bench/Template.h"
#include "posenc/Jit/InputSpec.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/FileUtilities.h"

#include <cmath>

using namespace posenc;
using namespace posenc::bench;

/// Products that a check may cost, a fraction of a second.
static constexpr double kBudget = 2e8;

static std::string getType(llvm::ArrayRef<int64_t> shape, ElementKind kind) {
  return "tensor<" + formatShape(shape, kind) + ">";
}

//===----------------------------------------------------------------------===//
// Weights
//===----------------------------------------------------------------------===//

namespace {
using Weight = std::shared_ptr<HostTensor>;

/// A safetensors file with the weight, and with the bias if there is one.
struct WeightFile {
  llvm::SmallString<128> path;
  llvm::FileRemover remover;
  /// Where each tensor starts.
  llvm::SmallVector<int64_t> offsets;
  int64_t size = 0;
  uint64_t headerHash = 0xcbf29ce484222325u;

  llvm::Error write(llvm::ArrayRef<Weight> tensors);
};
} // namespace

llvm::Error WeightFile::write(llvm::ArrayRef<Weight> tensors) {
  int fd;
  if (std::error_code error =
          llvm::sys::fs::createTemporaryFile("pe-bench", "safetensors", fd, path))
    return makeError("cannot write a file of weights: " + error.message());
  remover.setFile(path);
  std::string header = "{";
  for (auto [index, tensor] : llvm::enumerate(tensors)) {
    std::string kind = getName(tensor->getKind()).upper();
    auto sizes = llvm::map_range(tensor->getShape(), [](int64_t n) { return std::to_string(n); });
    header += (index ? ",\"" : "\"") + std::to_string(index) + "\":{\"dtype\":\"" + kind +
              "\",\"shape\":[" + llvm::join(sizes, ",") + "],\"data_offsets\":[" +
              std::to_string(size) + "," + std::to_string(size + tensor->getNumBytes()) + "]}";
    offsets.push_back(size);
    size += tensor->getNumBytes();
  }
  header += "}";
  header.append(llvm::offsetToAlignment(header.size() + 8, llvm::Align(64)), ' ');
  char length[8];
  llvm::support::endian::write64le(length, header.size());
  header.insert(0, length, 8);
  for (unsigned char byte : header)
    headerHash = (headerHash ^ byte) * 0x100000001b3u;
  for (int64_t &offset : offsets)
    offset += header.size();
  size += header.size();

  llvm::raw_fd_ostream os(fd, /*shouldClose=*/true);
  os << header;
  for (const Weight &tensor : tensors)
    os.write(tensor->getData(), tensor->getNumBytes());
  os.close();
  if (std::error_code error = os.error()) {
    os.clear_error();
    return makeError("cannot write '" + path + "': " + error.message());
  }
  return llvm::Error::success();
}

//===----------------------------------------------------------------------===//
// Program
//===----------------------------------------------------------------------===//

static std::string getText(const Gemm &gemm, const WeightFile &file) {
  std::string xType = getType({gemm.rows, gemm.inputs}, gemm.kind);
  std::string wType = getType({gemm.outputs, gemm.inputs}, gemm.kind);
  std::string bType = getType({gemm.outputs}, gemm.kind);
  std::string yType = getType({gemm.rows, gemm.outputs}, gemm.kind);
  std::string bias, extra, epilogue;
  if (gemm.hasBias) {
    bias = "  %bias = posenc.weight @weights \"bias\" at " + std::to_string(file.offsets[1]) +
           " : " + bType + "\n";
    extra = " with(%bias : " + bType + ")";
  }
  if (gemm.hasGelu)
    epilogue = expand(R"( epilogue {
  ^bb0(%acc: f32$argument):
$add    %half = arith.constant 0.5 : f32
    %root = arith.constant 0.707106769 : f32
    %one = arith.constant 1.0 : f32
    %0 = arith.mulf %$sum, %root : f32
    %1 = math.erf %0 : f32
    %2 = arith.addf %1, %one : f32
    %3 = arith.mulf %$sum, %half : f32
    %4 = arith.mulf %3, %2 : f32
    posenc.yield %4 : f32
  })",
                      {{"argument", gemm.hasBias ? ", %b: f32" : ""},
                       {"add", gemm.hasBias ? "    %sum = arith.addf %acc, %b : f32\n" : ""},
                       {"sum", gemm.hasBias ? "sum" : "acc"}});
  return expand(R"(posenc.weights @weights {path = "$path", size = $size : i64, header_hash = $hash : i64}
func.func @gemm(%x: $xtype) -> $ytype {
  %w = posenc.weight @weights "weight" at $at : $wtype
$bias  %init = tensor.empty() : $ytype
  %y = posenc.linear ins(%x, %w : $xtype, $wtype)$extra outs(%init : $ytype)$epilogue -> $ytype
  return %y : $ytype
}
)",
                {{"path", llvm::StringRef(file.path).str()},
                 {"size", std::to_string(file.size)},
                 {"hash", std::to_string(int64_t(file.headerHash))},
                 {"at", std::to_string(file.offsets[0])},
                 {"xtype", xType},
                 {"wtype", wType},
                 {"ytype", yType},
                 {"bias", bias},
                 {"extra", extra},
                 {"epilogue", epilogue}});
}

//===----------------------------------------------------------------------===//
// Check
//===----------------------------------------------------------------------===//

/// Compares with float64: all elements, or a grid of them if they are many.
static double check(const Gemm &gemm, const HostTensor &x, llvm::ArrayRef<Weight> weights,
                    const HostTensor &y) {
  double affordable = std::max(kBudget / gemm.inputs, 64.0);
  double share = double(gemm.rows) * gemm.outputs / affordable;
  // Odd, so that it visits every place in a register tile.
  int64_t step = share <= 1 ? 1 : int64_t(share) | 1;
  ErrorMeter meter;
  for (int64_t i = 0, n = gemm.rows * gemm.outputs; i < n; i += step) {
    int64_t row = i / gemm.outputs, output = i % gemm.outputs;
    double sum = 0;
    for (int64_t k = 0; k < gemm.inputs; ++k)
      sum += x.getFloat(row * gemm.inputs + k) * weights[0]->getFloat(output * gemm.inputs + k);
    if (gemm.hasBias)
      sum += weights[1]->getFloat(output);
    if (gemm.hasGelu)
      sum = 0.5 * sum * (1 + std::erf(sum * std::sqrt(0.5)));
    meter.add(y.getFloat(i), sum);
  }
  return meter.get();
}

llvm::Expected<Case> posenc::bench::makeGemm(const Gemm &gemm) {
  Case result;
  result.name = "gemm m" + std::to_string(gemm.rows) + " n" + std::to_string(gemm.outputs) +
                " k" + std::to_string(gemm.inputs) + " " + getName(gemm.kind).str() +
                (gemm.hasBias ? " bias" : "") + (gemm.hasGelu ? " gelu" : "");
  auto x = makeInput("random", {gemm.kind, {gemm.rows, gemm.inputs}}, 1);
  if (!x)
    return x.takeError();
  std::vector<Weight> weights;
  llvm::SmallVector<llvm::SmallVector<int64_t>> shapes = {{gemm.outputs, gemm.inputs}};
  if (gemm.hasBias)
    shapes.push_back({gemm.outputs});
  for (auto [index, shape] : llvm::enumerate(shapes)) {
    auto weight = makeInput("random", {gemm.kind, shape}, index + 2);
    if (!weight)
      return weight.takeError();
    weights.push_back(std::make_shared<HostTensor>(std::move(*weight)));
    result.constants.push_back({index ? "bias" : "weight", weights.back()});
  }
  auto file = std::make_shared<WeightFile>();
  if (llvm::Error error = file->write(weights))
    return error;

  result.program = getText(gemm, *file);
  result.entry = "gemm";
  double outputs = double(gemm.rows) * gemm.outputs;
  result.flops = 2 * outputs * gemm.inputs;
  result.bytes = x->getNumBytes() + outputs * getByteWidth(gemm.kind);
  for (const Weight &weight : weights)
    result.bytes += weight->getNumBytes();
  result.inputNames = {"x"};
  result.peerProblem = llvm::json::Object{{"kind", "gemm"},
                                          {"dtype", getName(gemm.kind)},
                                          {"bias", gemm.hasBias},
                                          {"gelu", gemm.hasGelu}};
  result.inputs.push_back(std::move(*x));
  result.tolerance = getTolerance(gemm.kind);
  result.shape = {gemm.rows, gemm.outputs};
  result.check = [gemm, weights, file](const Case &self, llvm::ArrayRef<HostTensor> results) {
    return check(gemm, self.inputs[0], weights, results[0]);
  };
  return result;
}
