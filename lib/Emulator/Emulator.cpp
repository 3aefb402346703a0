//===- Emulator.cpp - A GPU that needs none -------------------------------===//

#include "posenc/Emulator.h"
#include "Code.h"
#include "Counts.h"
#include "Memory.h"

#include <atomic>
#include <cinttypes>
#include <cstring>
#include <thread>

using namespace posenc;
using namespace posenc::emulator;

namespace {

/// A kernel, and the module that counts what it executes.
struct Function {
  const Kernel *kernel;
  Code *code;
};

class EmulatorDevice : public Emulator {
public:
  explicit EmulatorDevice(const EmulatorOptions &options) : options(options) {}

  const char *getName() const override { return "the emulator"; }
  int getVersion() const override { return 80; }

  bool loadModule(const void *image, size_t size, int, void *&module,
                  DeviceError &error) override {
    llvm::StringRef bytes(static_cast<const char *>(image), size);
    if (!bytes.starts_with("BC\xc0\xde"))
      return error.fail("the emulator runs LLVM bitcode, but the module is %s",
                        size ? "an object of another kind" : "PTX");
    auto code = Code::load(bytes, options.check, options.count, memory);
    if (!code)
      return error.fail("%s", llvm::toString(code.takeError()).c_str());
    module = code->release();
    return true;
  }
  void unloadModule(void *module) override {
    auto *code = static_cast<Code *>(module);
    llvm::erase_if(functions, [&](auto &function) { return function->code == code; });
    delete code;
  }
  bool getFunction(void *module, const char *name, void *&function,
                   DeviceError &error) override {
    auto *code = static_cast<Code *>(module);
    const Kernel *kernel = code->findKernel(name);
    if (!kernel)
      return error.fail("the module has no kernel '%s'", name);
    functions.push_back(std::make_unique<Function>(Function{kernel, code}));
    function = functions.back().get();
    return true;
  }

  bool launch(const KernelLaunch &launch, DeviceError &error) override;

  bool allocate(uint64_t bytes, bool, void *, void *&pointer, DeviceError &error) override {
    pointer = memory.allocate(bytes, options.check);
    return pointer || error.fail("out of memory on the emulator: asked for %" PRIu64
                                 " bytes where all is %" PRIu64,
                                 bytes, Memory::kLimit);
  }
  bool free(void *pointer, bool, void *, DeviceError &error) override {
    return memory.free(pointer) || error.fail("release of %p, which is not allocated", pointer);
  }
  bool copy(void *to, const void *from, size_t bytes, void *, DeviceError &error) override;
  bool fill(void *to, uint32_t value, int width, size_t count, void *,
            DeviceError &error) override {
    if (!isInside(to, count * width, "fills", error))
      return false;
    for (size_t i = 0; i < count; ++i)
      std::memcpy(static_cast<char *>(to) + i * width, &value, width);
    memory.markWritten(to, count * width);
    return true;
  }
  void protect(void *pointer) override { memory.find(pointer)->isWritable = false; }
  bool registerHost(void *, size_t, DeviceError &error) override {
    return error.fail("the emulator does not let kernels use memory of the host");
  }
  bool unregisterHost(void *, DeviceError &) override { return true; }

  // Everything is complete when its call returns.
  bool createStream(void *&stream, DeviceError &) override { return createHandle(stream); }
  bool destroyStream(void *stream, DeviceError &) override { return destroyHandle(stream); }
  bool synchronize(void *, DeviceError &) override { return true; }
  bool createEvent(void *&event, DeviceError &) override { return createHandle(event); }
  bool destroyEvent(void *event, DeviceError &) override { return destroyHandle(event); }
  bool record(void *, void *, DeviceError &) override { return true; }
  bool synchronizeEvent(void *, DeviceError &) override { return true; }
  bool wait(void *, void *, DeviceError &) override { return true; }
  bool getElapsed(void *, void *, float &, DeviceError &error) override {
    return error.fail("the emulator has no times: it counts");
  }

  void printCounts(llvm::raw_ostream &os) const override { counts.print(os); }

private:
  static bool createHandle(void *&handle) {
    handle = new char;
    return true;
  }
  static bool destroyHandle(void *handle) {
    delete static_cast<char *>(handle);
    return true;
  }
  bool isInside(const void *address, uint64_t bytes, const char *verb, DeviceError &error);
  bool runBlocks(Run &run);
  Block &getBlock(size_t worker, size_t threads);

  EmulatorOptions options;
  Memory memory;
  Counts counts;
  std::vector<std::unique_ptr<Function>> functions;
  std::vector<std::unique_ptr<Block>> blocks; // one for each host thread
};

} // namespace

std::unique_ptr<Emulator> Emulator::create(const EmulatorOptions &options) {
  return std::make_unique<EmulatorDevice>(options);
}

//===----------------------------------------------------------------------===//
// Copies
//===----------------------------------------------------------------------===//

/// Whether a range that starts in a buffer of the device also ends in it; other
/// addresses are the host's.
bool EmulatorDevice::isInside(const void *address, uint64_t bytes, const char *verb,
                              DeviceError &error) {
  Buffer *buffer = memory.find(address);
  uint64_t offset = buffer ? static_cast<const char *>(address) - buffer->begin : 0;
  if (!buffer || offset >= buffer->bytes || offset + bytes <= buffer->bytes)
    return true;
  return error.fail("the host %s %" PRIu64 " bytes at byte %" PRIu64 " of a buffer of %" PRIu64
                    " bytes",
                    verb, bytes, offset, buffer->bytes);
}

bool EmulatorDevice::copy(void *to, const void *from, size_t bytes, void *, DeviceError &error) {
  if (!isInside(to, bytes, "writes", error) || !isInside(from, bytes, "reads", error))
    return false;
  std::memmove(to, from, bytes);
  auto isOnDevice = [&](Buffer *buffer, const void *address) {
    return buffer && static_cast<const char *>(address) < buffer->begin + buffer->bytes;
  };
  Buffer *source = memory.find(from);
  bool isTracked = isOnDevice(source, from) && !source->isWritten.empty();
  if (!isTracked) {
    memory.markWritten(to, bytes);
    return true;
  }
  Buffer *target = memory.find(to);
  uint64_t begin = static_cast<const char *>(from) - source->begin;
  for (uint64_t i = 0; i < bytes; ++i) {
    bool isWritten = source->isWritten[begin + i];
    if (isOnDevice(target, to) && !target->isWritten.empty())
      target->isWritten[static_cast<char *>(to) - target->begin + i] = isWritten;
    else if (!isWritten)
      return error.fail("the host reads byte %" PRIu64 " of a buffer of %" PRIu64
                        " bytes, which nobody has written",
                        begin + i, source->bytes);
  }
  return true;
}

//===----------------------------------------------------------------------===//
// Launches
//===----------------------------------------------------------------------===//

/// What a block may use if a kernel asks for it, in bytes.
static int64_t getSharedLimit(llvm::StringRef chip) {
  auto number = chip.drop_while([](char c) { return !isdigit(c); });
  int version = 0;
  number.take_while([](char c) { return isdigit(c); }).getAsInteger(10, version);
  switch (version) {
  case 75:
    return 64 << 10;
  case 80:
  case 87:
    return 163 << 10;
  case 86:
  case 89:
  case 120:
    return 99 << 10;
  default:
    return 227 << 10;
  }
}

static bool checkLaunch(const Kernel &kernel, const KernelLaunch &launch, DeviceError &error) {
  const char *name = kernel.name.c_str();
  const Extent &grid = launch.grid, &block = launch.block, &required = kernel.requiredBlock;
  auto isBelow = [](const Extent &e, int64_t x, int64_t y, int64_t z) {
    return e.x >= 1 && e.y >= 1 && e.z >= 1 && e.x <= x && e.y <= y && e.z <= z;
  };
  int64_t threads = block.x * block.y * block.z;
  if (!isBelow(block, 1024, 1024, 64) || threads > kernel.maxThreads)
    return error.fail("launch of kernel '%s' with blocks of %" PRId64 " x %" PRId64 " x %" PRId64
                      " threads, where at most %" PRId64 " are allowed",
                      name, block.x, block.y, block.z, kernel.maxThreads);
  if (required.x && (required.x != block.x || required.y != block.y || required.z != block.z))
    return error.fail("launch of kernel '%s' with blocks of %" PRId64 " x %" PRId64 " x %" PRId64
                      " threads, where it requires %" PRId64 " x %" PRId64 " x %" PRId64,
                      name, block.x, block.y, block.z, required.x, required.y, required.z);
  if (!isBelow(grid, INT32_MAX, 65535, 65535))
    return error.fail("launch of kernel '%s' with a grid of %" PRId64 " x %" PRId64 " x %" PRId64
                      " blocks, where at most 2147483647 x 65535 x 65535 are allowed",
                      name, grid.x, grid.y, grid.z);
  int64_t shared = kernel.staticBytes + launch.sharedBytes, limit = getSharedLimit(kernel.chip);
  if (shared > limit)
    return error.fail("kernel '%s' needs %" PRId64 " bytes of shared memory, but %s has %" PRId64,
                      name, shared, kernel.chip.empty() ? "a block" : kernel.chip.c_str(), limit);
  if (kernel.dynamicOffset + launch.sharedBytes > int64_t(Block::kSharedBytes))
    return error.fail("kernel '%s' has too many variables in shared memory to keep them apart",
                      name);
  if (launch.cluster.x * launch.cluster.y * launch.cluster.z != 1)
    return error.fail("launch of kernel '%s' in clusters, which the emulator does not know", name);
  return true;
}

Block &EmulatorDevice::getBlock(size_t worker, size_t threads) {
  if (blocks.size() <= worker)
    blocks.resize(worker + 1);
  auto &block = blocks[worker];
  if (!block || block->getCapacity() < threads) {
    block.reset();
    block = std::make_unique<Block>(threads);
  }
  return *block;
}

bool EmulatorDevice::runBlocks(Run &run) {
  const Extent &grid = run.launch.grid, &size = run.launch.block;
  int64_t count = grid.x * grid.y * grid.z;
  size_t workers = options.threads ? options.threads : std::thread::hardware_concurrency();
  workers = std::clamp<int64_t>(options.check || options.count ? 1 : workers, 1, count);
  for (size_t worker = 0; worker < workers; ++worker)
    if (!getBlock(worker, size.x * size.y * size.z).isUsable())
      return run.error.fail("no memory for the threads of a block");
  std::atomic<int64_t> next = 0;
  auto work = [&](size_t worker) {
    for (int64_t n; (n = next++) < count && !run.hasFailed;) {
      int64_t i = run.schedule.isBackward ? count - 1 - n : n;
      blocks[worker]->execute(run, {i % grid.x, i / grid.x % grid.y, i / grid.x / grid.y});
    }
  };
  std::vector<std::thread> helpers;
  for (size_t worker = 1; worker < workers; ++worker)
    helpers.emplace_back(work, worker);
  work(0);
  for (std::thread &helper : helpers)
    helper.join();
  return !run.hasFailed;
}

bool EmulatorDevice::launch(const KernelLaunch &launch, DeviceError &error) {
  const Kernel *kernel = static_cast<Function *>(launch.function)->kernel;
  Code *code = static_cast<Function *>(launch.function)->code;
  if (!checkLaunch(*kernel, launch, error))
    return false;
  auto runOnce = [&](Schedule schedule, bool isCounted) {
    Checker checker(memory);
    Run run{*kernel, launch, schedule, options.check ? &checker : nullptr,
            isCounted ? &counts : nullptr, {}, false, {}};
    bool ok = runBlocks(run);
    if (!ok)
      error = run.error;
    return ok;
  };
  if (options.count) {
    Counts::Kernel &entry = counts.enterLaunch(kernel->name);
    int64_t blocks = launch.grid.x * launch.grid.y * launch.grid.z;
    ++entry.launches;
    entry.blocks += blocks;
    entry.threads += blocks * launch.block.x * launch.block.y * launch.block.z;
  }
  Memory::Snapshot snapshot;
  if (options.check)
    snapshot = memory.save();
  if (!runOnce({/*isBackward=*/false, /*isEarly=*/false}, options.count))
    return false;
  if (options.count)
    code->takeCounts(counts.enterLaunch(kernel->name));
  if (!options.check)
    return true;
  memory.restore(snapshot);
  return runOnce({/*isBackward=*/true, /*isEarly=*/true}, /*isCounted=*/false);
}
