//===- DeviceBounds.cpp - What a GPU can do at most -----------------------===//

#include "Bench/OnDevice.h"
#include "Bench/Template.h"

#include "posenc/Pipelines.h"

using namespace posenc;
using namespace posenc::bench;

static std::unique_ptr<Bound> makeBound(llvm::StringRef name, double amount,
                                        std::function<llvm::Expected<double>()> run) {
  auto bound = std::make_unique<Bound>();
  bound->name = name;
  bound->amount = amount;
  bound->contender.isBound = true;
  bound->contender.run = std::move(run);
  return bound;
}

//===----------------------------------------------------------------------===//
// Copies
//===----------------------------------------------------------------------===//

// Several times the last level cache of any GPU that we compile for.
static constexpr int64_t kCopyBytes = 256 << 20;

llvm::Expected<std::unique_ptr<Bound>> posenc::bench::createCopyBound(DeviceClock &clock) {
  auto zeros = HostTensor::create(ElementKind::I8, {kCopyBytes});
  if (!zeros)
    return zeros.takeError();
  auto buffers = std::make_shared<std::vector<DeviceTensor>>();
  for (int i = 0; i < 2; ++i) {
    auto buffer = DeviceTensor::upload(*zeros);
    if (!buffer)
      return buffer.takeError();
    buffers->push_back(std::move(*buffer));
  }
  return makeBound("copy", 2.0 * kCopyBytes, [&clock, buffers] {
    return clock.time(4, [&]() -> llvm::Error {
      DeviceError error;
      if (clock.getDevice().copy((*buffers)[0].getData(), (*buffers)[1].getData(), kCopyBytes,
                                 clock.getStream(), error))
        return llvm::Error::success();
      return makeError(error.text);
    });
  });
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

// Eight independent chains in each warp, and enough warps to fill a GPU several times.
// Operands differ, between lanes as well: zeros would take less power, and then the
// clock is faster than in any use; of equal chains a compiler might leave one.
static constexpr llvm::StringLiteral kProducts = R"(
module attributes {gpu.container_module} {
  gpu.module @kernels {
    gpu.func @products(%out: $memory) kernel {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %steps = arith.constant $steps : index
      %scales = arith.constant dense<[$scales]> : $vector
      %thread = gpu.thread_id x
      %block = gpu.block_id x
      %threads = arith.constant $threads : index
      %first = arith.muli %block, %threads : index
      %at = arith.addi %first, %thread : index
      %integer = arith.index_cast %thread : index to i32
      %float = arith.sitofp %integer : i32 to f32
      %lanes = vector.broadcast %float : f32 to $vector
      %init = arith.mulf %lanes, %scales : $vector
      $operands
      %sums = scf.for %i = %c0 to %steps step %c1 iter_args(%acc = %init) -> ($vector) {
        $product
        scf.yield %next : $vector
      }
      %sum = vector.reduction <add>, %sums : $vector into f32
      memref.store %sum, %out[%at] : $memory
      gpu.return
    }
  }
  func.func @products(%out: $memory) {
    %c1 = arith.constant 1 : index
    %blocks = arith.constant $blocks : index
    %threads = arith.constant $threads : index
    gpu.launch_func @kernels::@products blocks in (%blocks, %c1, %c1) threads in (%threads, %c1, %c1)
      args(%out : $memory)
    return
  }
}
)";

llvm::Expected<std::unique_ptr<Bound>>
posenc::bench::createProductBound(mlir::MLIRContext &context, const ProgramOptions &options,
                                  bool isNarrow, DeviceClock &clock) {
  // Takes about a millisecond on a large GPU.
  constexpr int64_t blocks = 1056, threads = 256, steps = 2048;
  bool isMatrix = isNarrow && clock.getDevice().getVersion() >= 80;
  int64_t sums = isMatrix ? 32 : 8, count = blocks * threads;
  std::string scales;
  for (int64_t i = 0; i < sums; ++i)
    scales += (i ? ", " : "") + std::to_string(1e-4 * (i + 1));
  std::string text = expand(
      kProducts,
      {{"memory", "memref<" + std::to_string(count) + "xf32>"},
       {"vector", "vector<" + std::to_string(sums) + "xf32>"},
       {"steps", std::to_string(steps)},
       {"threads", std::to_string(threads)},
       {"blocks", std::to_string(blocks)},
       {"scales", scales},
       {"operands", isMatrix ? "%right = arith.truncf %init : vector<32xf32> to vector<32xbf16>\n"
                               "      %left = vector.extract_strided_slice %right {offsets = [0], "
                               "sizes = [8], strides = [1]} : vector<32xbf16> to vector<8xbf16>"
                             : ""},
       {"product", isMatrix ? "%next = pgpu.mma %left, %right, %acc : vector<8xbf16>, "
                              "vector<32xbf16>, vector<32xf32>"
                            : "%next = math.fma %acc, %init, %init : vector<8xf32>"}});
  auto chip = findChip(clock.getDevice());
  if (!chip)
    return chip.takeError();
  ProgramOptions last = options;
  last.pipeline = ("posenc-nvptx{from=kernels resident chip=" + *chip + "}").str();
  auto program = buildProgram(context, text, /*entry=*/"", last);
  if (!program)
    return program.takeError();
  auto out = HostTensor::create(ElementKind::F32, {count});
  if (!out)
    return out.takeError();
  auto runner = DeviceRunner::create(std::move(*program), *out, clock);
  if (!runner)
    return runner.takeError();
  // A fragment of 16 x 32 sums, 16 terms each, for a warp; or a multiply-add each.
  double flops = isMatrix ? 2.0 * 16 * 32 * 16 * (count / 32) * steps : 2.0 * sums * count * steps;
  return makeBound(isMatrix ? "mma" : "fma", flops,
                   [runner = std::shared_ptr<Runner>(std::move(*runner))] { return runner->time(); });
}
