//===- Machine.cpp - What the processor can do at most --------------------===//

#include "Bench/Machine.h"

#include "Bench/Template.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/Support/FormatVariadic.h"

#include <unistd.h>

using namespace posenc;
using namespace posenc::bench;

Summary Bound::rate() const {
  Summary seconds = summarize(contender.seconds);
  return {amount / seconds.median, amount / seconds.p90, amount / seconds.p10,
          seconds.count};
}

llvm::Expected<int64_t> posenc::bench::getLanes(const CompileOptions &options) {
  auto target = createTargetMachine(options);
  if (!target)
    return target.takeError();
  const llvm::MCSubtargetInfo *info = (*target)->getMCSubtargetInfo();
  return info->checkFeatures("+avx512f") ? 16 : 8;
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

static std::unique_ptr<Bound> makeBound(llvm::StringRef name, Program program,
                                        std::vector<HostTensor> arguments, double amount) {
  auto bound = std::make_unique<Bound>();
  bound->name = name;
  bound->amount = amount;
  bound->contender.isBound = true;
  bound->contender.run = [program = std::make_shared<Program>(std::move(program)),
                          arguments = std::make_shared<std::vector<HostTensor>>(
                              std::move(arguments))] {
    return program->jit->time(program->entry, *arguments);
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
// The loop of both
//===----------------------------------------------------------------------===//

namespace {
/// What a probe does with its accumulators, `%a0` and so on: `body` makes `%b0`
/// and so on of them at each `%i` in [%begin, %end), which `range` defines for
/// thread `%t`. `arguments` come first.
struct Probe {
  unsigned accumulators;
  double start;
  std::string vector, arguments, range, step, body;
};
} // namespace

static constexpr llvm::StringLiteral kProbeText = R"(
func.func @probe($arguments, %threads: index, %out: memref<?x16xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %step = arith.constant $step : index
  %start = arith.constant dense<$start> : $vector
  scf.parallel (%t) = (%c0) to (%threads) step (%c1) {
    $range
    %sums:$count = scf.for %i = %begin to %end step %step iter_args($init) -> ($types) {
      $body
      scf.yield $next : $types
    }
    $add
    %scalar = vector.reduction <add>, %total$last : $vector into f32
    memref.store %scalar, %out[%t, %c0] : memref<?x16xf32>
    scf.reduce
  }
  return
}
)";

static llvm::Expected<Program> build(mlir::MLIRContext &context,
                                     const ProgramOptions &options,
                                     const Probe &probe) {
  unsigned count = probe.accumulators;
  std::string add;
  for (unsigned i = 1; i < count; ++i)
    add += expand("%total$i = arith.addf $before, %sums#$i : $v\n    ",
                  {{"i", std::to_string(i)},
                   {"before",
                    i == 1 ? "%sums#0" : "%total" + std::to_string(i - 1)},
                   {"v", probe.vector}});
  std::string text = expand(kProbeText,
                            {{"arguments", probe.arguments},
                             {"step", probe.step},
                             {"start", llvm::formatv("{0:e}", probe.start)},
                             {"vector", probe.vector},
                             {"range", probe.range},
                             {"count", std::to_string(count)},
                             {"init", repeat(count, "%a$i = %start")},
                             {"types", repeat(count, probe.vector)},
                             {"body", probe.body},
                             {"next", repeat(count, "%b$i")},
                             {"add", add},
                             {"last", std::to_string(count - 1)}});
  // The last stage of posenc-cpu takes loops and vectors as they are.
  ProgramOptions last = options;
  last.pipeline = "posenc-cpu{from=llvm}";
  return buildProgram(context, text, /*entry=*/"", last);
}

/// The arguments that every probe has: threads, and a cache line for each.
static llvm::Error appendThreads(std::vector<HostTensor> &arguments,
                                 unsigned threads) {
  if (llvm::Error error = append(arguments, ElementKind::I64, {}, threads))
    return error;
  return append(arguments, ElementKind::F32, {threads, 16}, 0);
}

//===----------------------------------------------------------------------===//
// Fused multiply-adds
//===----------------------------------------------------------------------===//

// Independent chains: more than the latency times the units of any processor we
// compile for, and few enough for 16 registers. The values converge to 1, as
// numbers that overflow or vanish could take another time.
static constexpr unsigned kChains = 12;

llvm::Expected<std::unique_ptr<Bound>>
posenc::bench::createFmaBound(mlir::MLIRContext &context,
                              const ProgramOptions &options, unsigned threads) {
  auto lanes = getLanes(options);
  if (!lanes)
    return lanes.takeError();
  std::string vector = "vector<" + std::to_string(*lanes) + "xf32>";
  // %x is not known when compiling.
  auto program = build(
      context, options,
      {kChains, 0.5, vector, "%n: index, %x: f32",
       "%half = vector.broadcast %x : f32 to " + vector +
           "\n    %begin = arith.constant 0 : index"
           "\n    %end = arith.addi %n, %begin : index",
       "1",
       repeat(kChains, "%b$i = vector.fma %a$i, %half, %half : " + vector,
              "\n      ")});
  if (!program)
    return program.takeError();

  // About 2 ms.
  constexpr int64_t steps = 1 << 20;
  std::vector<HostTensor> arguments;
  if (llvm::Error error = append(arguments, ElementKind::I64, {}, steps))
    return error;
  if (llvm::Error error = append(arguments, ElementKind::F32, {}, 0.5))
    return error;
  if (llvm::Error error = appendThreads(arguments, threads))
    return error;
  return makeBound("fma", std::move(*program), std::move(arguments),
                   2.0 * kChains * *lanes * steps * threads);
}

//===----------------------------------------------------------------------===//
// Reads
//===----------------------------------------------------------------------===//

static constexpr unsigned kLoads = 8;

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
  std::string vector = "vector<" + std::to_string(*lanes) + "xf32>", body;
  for (unsigned i = 0; i < kLoads; ++i)
    body += expand(R"(
      %o$i = arith.constant $offset : index
      %p$i = arith.addi %i, %o$i : index
      %x$i = vector.load %x[%p$i] : memref<?xf32>, $v
      %b$i = arith.addf %a$i, %x$i : $v)",
                   {{"i", std::to_string(i)},
                    {"offset", std::to_string(i * *lanes)},
                    {"v", vector}});
  int64_t step = kLoads * *lanes;
  auto program =
      build(context, options,
            {kLoads, 0, vector, "%x: memref<?xf32>",
             R"(%size = memref.dim %x, %c0 : memref<?xf32>
    %share = arith.divui %size, %threads : index
    %begin = arith.muli %t, %share : index
    %end = arith.addi %begin, %share : index)",
             std::to_string(step), body});
  if (!program)
    return program.takeError();

  // Whole steps for each thread.
  int64_t count = getReadBytes() / 4 / (step * threads) * step * threads;
  std::vector<HostTensor> arguments;
  if (llvm::Error error = append(arguments, ElementKind::F32, {count}, 1))
    return error;
  if (llvm::Error error = appendThreads(arguments, threads))
    return error;
  return makeBound("read", std::move(*program), std::move(arguments), 4.0 * count);
}
