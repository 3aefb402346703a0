//===- Machine.cpp - What the processor can do at most --------------------===//

#include "Bench/Machine.h"

#include "Bench/Template.h"
#include "llvm/MC/MCSubtargetInfo.h"

#include <unistd.h>

using namespace posenc;
using namespace posenc::bench;

Summary Bound::rate() const {
  Summary seconds = summarize(contender.seconds);
  return {amount / seconds.median, amount / seconds.p90, amount / seconds.p10,
          seconds.count};
}

/// Elements of the target's widest native f32 vector.
static llvm::Expected<int64_t> getLanes(const CompileOptions &options) {
  auto target = createTargetMachine(options);
  if (!target)
    return target.takeError();
  const llvm::MCSubtargetInfo *info = (*target)->getMCSubtargetInfo();
  return info->checkFeatures("+avx512f") ? 16 : 8;
}

/// The last stage of posenc-cpu takes loops and vectors as they are.
static llvm::Expected<Program> build(mlir::MLIRContext &context,
                                     llvm::StringRef text,
                                     ProgramOptions options) {
  options.pipeline = "posenc-cpu{from=llvm}";
  return buildProgram(context, text, /*entry=*/"", options);
}

static llvm::Error append(std::vector<HostTensor> &arguments, ElementKind kind,
                          llvm::ArrayRef<int64_t> shape, double value) {
  auto tensor = HostTensor::create(kind, shape);
  if (!tensor)
    return tensor.takeError();
  for (int64_t i = 0, n = tensor->getNumElements(); i < n; ++i)
    tensor->setFloat(i, value);
  arguments.push_back(std::move(*tensor));
  return llvm::Error::success();
}

static std::unique_ptr<Bound>
makeBound(Program program, std::vector<HostTensor> arguments, double amount) {
  auto bound = std::make_unique<Bound>();
  bound->program = std::move(program);
  bound->arguments = std::move(arguments);
  bound->amount = amount;
  bound->contender.isBound = true;
  bound->contender.run = [bound = bound.get()] {
    return bound->program.jit->time(bound->program.entry, bound->arguments);
  };
  return bound;
}

/// "%a0, %a1, ..." for `text` "%a$i", with `separator` between them.
static std::string repeat(unsigned count, llvm::StringRef text,
                          llvm::StringRef separator = ", ") {
  std::string result;
  for (unsigned i = 0; i < count; ++i)
    result +=
        (i ? separator.str() : "") + expand(text, {{"i", std::to_string(i)}});
  return result;
}

//===----------------------------------------------------------------------===//
// Fused multiply-adds
//===----------------------------------------------------------------------===//

// Independent chains: more than the latency times the units of any processor we
// compile for, and few enough for 16 registers. The values converge to 1, as
// numbers that overflow or vanish could take another time.
static constexpr unsigned kChains = 12;

static constexpr llvm::StringLiteral kFmaText = R"(
func.func @fma(%n: index, %threads: index, %x: f32, %out: memref<?x16xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %half = vector.broadcast %x : f32 to $vector
  scf.parallel (%t) = (%c0) to (%threads) step (%c1) {
    %sums:$chains = scf.for %i = %c0 to %n step %c1 iter_args($init) -> ($types) {
      $body
      scf.yield $next : $types
    }
    $add
    %scalar = vector.reduction <add>, %total$chains : $vector into f32
    memref.store %scalar, %out[%t, %c0] : memref<?x16xf32>
    scf.reduce
  }
  return
}
)";

llvm::Expected<std::unique_ptr<Bound>>
posenc::bench::createFmaBound(mlir::MLIRContext &context,
                              const ProgramOptions &options, unsigned threads) {
  auto lanes = getLanes(options);
  if (!lanes)
    return lanes.takeError();
  std::string vector = "vector<" + std::to_string(*lanes) + "xf32>";
  std::string add = "%total0 = arith.constant dense<0.0> : " + vector;
  for (unsigned i = 0; i < kChains; ++i)
    add += expand("\n    %total$j = arith.addf %total$i, %sums#$i : $v",
                  {{"i", std::to_string(i)},
                   {"j", std::to_string(i + 1)},
                   {"v", vector}});
  auto program =
      build(context,
            expand(kFmaText,
                   {{"vector", vector},
                    {"chains", std::to_string(kChains)},
                    {"init", repeat(kChains, "%a$i = %half")},
                    {"types", repeat(kChains, vector)},
                    {"body",
                     repeat(kChains,
                            "%b$i = vector.fma %a$i, %half, %half : " + vector,
                            "\n      ")},
                    {"next", repeat(kChains, "%b$i")},
                    {"add", add}}),
            options);
  if (!program)
    return program.takeError();

  // About 2 ms.
  constexpr int64_t steps = 1 << 20;
  std::vector<HostTensor> arguments;
  for (auto [kind, value] : {std::pair(ElementKind::I64, double(steps)),
                             std::pair(ElementKind::I64, double(threads)),
                             std::pair(ElementKind::F32, 0.5)})
    if (llvm::Error error = append(arguments, kind, {}, value))
      return error;
  // A cache line for each thread.
  if (llvm::Error error = append(arguments, ElementKind::F32, {threads, 16}, 0))
    return error;
  return makeBound(std::move(*program), std::move(arguments),
                   2.0 * kChains * *lanes * steps * threads);
}

//===----------------------------------------------------------------------===//
// Reads
//===----------------------------------------------------------------------===//

static constexpr unsigned kLoads = 8;

static constexpr llvm::StringLiteral kReadText = R"(
func.func @read(%x: memref<?xf32>, %threads: index, %out: memref<?x16xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %step = arith.constant $step : index
  %zero = arith.constant dense<0.0> : $vector
  %size = memref.dim %x, %c0 : memref<?xf32>
  %share = arith.divui %size, %threads : index
  scf.parallel (%t) = (%c0) to (%threads) step (%c1) {
    %begin = arith.muli %t, %share : index
    %end = arith.addi %begin, %share : index
    %sums:$loads = scf.for %i = %begin to %end step %step iter_args($init) -> ($types) {
      $body
      scf.yield $next : $types
    }
    $add
    %scalar = vector.reduction <add>, %total$loads : $vector into f32
    memref.store %scalar, %out[%t, %c0] : memref<?x16xf32>
    scf.reduce
  }
  return
}
)";

/// Four times the last level cache, and at least 128 MiB, as not every system
/// says how large that is.
static int64_t getReadBytes() {
  int64_t cache = std::max(sysconf(_SC_LEVEL3_CACHE_SIZE), 0l);
  return std::max<int64_t>(4 * cache, 128 << 20);
}

llvm::Expected<std::unique_ptr<Bound>>
posenc::bench::createReadBound(mlir::MLIRContext &context,
                               const ProgramOptions &options,
                               unsigned threads) {
  auto lanes = getLanes(options);
  if (!lanes)
    return lanes.takeError();
  std::string vector = "vector<" + std::to_string(*lanes) + "xf32>";
  std::string body, add = "%total0 = arith.constant dense<0.0> : " + vector;
  for (unsigned i = 0; i < kLoads; ++i) {
    Substitutions names = {{"i", std::to_string(i)},
                           {"j", std::to_string(i + 1)},
                           {"offset", std::to_string(i * *lanes)},
                           {"v", vector}};
    body += expand(R"(
      %o$i = arith.constant $offset : index
      %p$i = arith.addi %i, %o$i : index
      %x$i = vector.load %x[%p$i] : memref<?xf32>, $v
      %b$i = arith.addf %a$i, %x$i : $v)",
                   names);
    add += expand("\n    %total$j = arith.addf %total$i, %sums#$i : $v", names);
  }
  auto program =
      build(context,
            expand(kReadText, {{"vector", vector},
                               {"loads", std::to_string(kLoads)},
                               {"step", std::to_string(kLoads * *lanes)},
                               {"init", repeat(kLoads, "%a$i = %zero")},
                               {"types", repeat(kLoads, vector)},
                               {"body", body},
                               {"next", repeat(kLoads, "%b$i")},
                               {"add", add}}),
            options);
  if (!program)
    return program.takeError();

  // Whole steps for each thread.
  int64_t step = kLoads * *lanes;
  int64_t count = getReadBytes() / 4 / (step * threads) * step * threads;
  std::vector<HostTensor> arguments;
  if (llvm::Error error = append(arguments, ElementKind::F32, {count}, 1))
    return error;
  if (llvm::Error error = append(arguments, ElementKind::I64, {}, threads))
    return error;
  if (llvm::Error error = append(arguments, ElementKind::F32, {threads, 16}, 0))
    return error;
  return makeBound(std::move(*program), std::move(arguments), 4.0 * count);
}
