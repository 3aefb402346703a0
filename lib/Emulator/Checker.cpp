//===- Checker.cpp - Finds what a device would not report -----------------===//

#include "Checker.h"
#include "Model.h"

#include <cinttypes>

using namespace posenc;
using namespace posenc::emulator;

static const char *getVerb(Access kind) {
  return kind == Access::Read ? "reads" : kind == Access::Write ? "writes" : "updates";
}

static std::string format(const Extent &index) {
  return "(" + std::to_string(index.x) + ", " + std::to_string(index.y) + ", " +
         std::to_string(index.z) + ")";
}

void Checker::enterBlock(Block &block) {
  shared.assign(block.run->kernel.dynamicOffset + block.run->launch.sharedBytes, Cell());
  // Atomics stay known, but their clocks are of threads that are gone.
  for (auto &[address, release] : releases)
    release.clock = Clock();
  seenBlocks.clear();
  blockNumber = (blockNumber + 1) & 0x7fff;
  arrivals.assign(block.meetings.size(), Arrivals());
}

/// "shared offset 64" or "byte 64 of a buffer of 256 bytes".
std::string Checker::describe(Block &block, const char *address) {
  if (block.isShared(address)) {
    int64_t offset = block.getOffset(address);
    std::string text = "shared offset " + std::to_string(offset);
    for (const SharedVariable &v : block.run->kernel.variables)
      if (offset >= v.offset && offset < v.offset + v.bytes)
        text += " (byte " + std::to_string(offset - v.offset) + " of '" + v.name + "')";
    return text;
  }
  Buffer *buffer = memory.find(address);
  if (!buffer)
    return "address " + std::to_string(reinterpret_cast<uintptr_t>(address));
  std::string name = buffer->name.empty() ? "a buffer" : "'" + buffer->name + "'";
  return "byte " + std::to_string(address - buffer->begin) + " of " + name + " of " +
         std::to_string(buffer->bytes) + " bytes";
}

//===----------------------------------------------------------------------===//
// Bounds
//===----------------------------------------------------------------------===//

void Checker::checkBounds(Block &block, const char *address, int bytes, Access kind,
                          const char *what) {
  const Kernel &kernel = block.run->kernel;
  if (block.isShared(address)) {
    int64_t offset = block.getOffset(address), end = offset + bytes;
    int64_t dynamicEnd = kernel.dynamicOffset + block.run->launch.sharedBytes;
    if (offset >= kernel.dynamicOffset && end <= dynamicEnd)
      return;
    const SharedVariable *before = nullptr;
    for (const SharedVariable &v : kernel.variables) {
      if (offset >= v.offset && end <= v.offset + v.bytes)
        return;
      if (v.bytes && v.offset <= offset && (!before || v.offset > before->offset))
        before = &v;
    }
    if (offset >= kernel.dynamicOffset)
      block.fail("%s: %s %d bytes at shared offset %" PRId64
                 ", past the end of the %u dynamic bytes of the launch, which start at %" PRId64,
                 what, getVerb(kind), bytes, offset, block.run->launch.sharedBytes,
                 kernel.dynamicOffset);
    block.fail("%s: %s %d bytes at shared offset %" PRId64 ", past the end of '%s' of %" PRId64
               " bytes",
               what, getVerb(kind), bytes, offset, before ? before->name.c_str() : "nothing",
               before ? before->bytes : 0);
  }
  if (Buffer *buffer = memory.find(address)) {
    int64_t offset = address - buffer->begin;
    if (offset + bytes <= int64_t(buffer->bytes)) {
      if (kind != Access::Read && !buffer->isWritable)
        block.fail("%s: %s a constant, at %s", what, getVerb(kind),
                   describe(block, address).c_str());
      return;
    }
    // Nearer to that buffer than to any other thing.
    if (offset < int64_t(buffer->bytes) + (1 << 20))
      block.fail("%s: %s %d bytes at byte %" PRId64 " of a buffer of %" PRIu64 " bytes", what,
                 getVerb(kind), bytes, offset, buffer->bytes);
  }
  block.fail("%s: %s %d bytes at address %p, which is not memory of the device", what,
             getVerb(kind), bytes, (const void *)address);
}

//===----------------------------------------------------------------------===//
// Races
//===----------------------------------------------------------------------===//

Checker::Cell &Checker::getCell(Block &block, const char *address) {
  if (block.isShared(address))
    return shared[block.getOffset(address)];
  auto number = reinterpret_cast<uintptr_t>(address);
  return pages[number / kPageBytes].cells[number % kPageBytes];
}

bool Checker::isOrdered(const Epoch &epoch, const Thread &thread) const {
  if (epoch.time == 0)
    return true;
  if (epoch.block != blockNumber)
    return epoch.block < seenBlocks.size() && seenBlocks[epoch.block];
  return thread.clock[epoch.thread] >= epoch.time;
}

Checker::Epoch Checker::now(const Thread &thread, bool isAtomic) const {
  Epoch epoch;
  epoch.time = thread.clock[thread.number];
  epoch.thread = thread.number;
  epoch.block = blockNumber;
  epoch.isAtomic = isAtomic;
  return epoch;
}

void Checker::checkCell(Block &block, const char *address, Cell &cell, Access kind,
                        const char *what) {
  const Thread &thread = *block.thread;
  auto race = [&](const Epoch &other, const char *did) {
    std::string who = "a thread of another block";
    if (other.block == blockNumber)
      who = "thread " + format(block.threads[other.thread].index);
    block.fail("data race: %s %s %s, which %s %s, and no barrier is between the two", what,
               getVerb(kind), describe(block, address).c_str(), who.c_str(), did);
  };
  if (cell.copier)
    block.fail("%s %s %s, which a cp.async of thread %s may still be writing: no "
               "cp.async.wait_group is in between",
               what, getVerb(kind), describe(block, address).c_str(),
               format(block.threads[cell.copier - 1].index).c_str());
  bool isAtomic = kind == Access::Atomic;
  if (!isOrdered(cell.write, thread) && !(isAtomic && cell.write.isAtomic))
    race(cell.write, "wrote");
  if (kind != Access::Read)
    for (const Epoch &read : cell.reads)
      if (!isOrdered(read, thread) && !(isAtomic && read.isAtomic))
        race(read, "reads");
}

/// Atomics order what comes before them with what comes after them elsewhere.
void Checker::synchronize(Block &block, const void *address) {
  Thread &thread = *block.thread;
  Release &release = releases[address];
  if (release.block == blockNumber)
    thread.clock.join(release.clock);
  else
    release.clock = Clock();
  auto merge = [](std::vector<bool> &to, const std::vector<bool> &from) {
    to.resize(std::max(to.size(), from.size()));
    for (size_t i = 0; i < from.size(); ++i)
      to[i] = to[i] || from[i];
  };
  merge(seenBlocks, release.blocks);
  merge(release.blocks, seenBlocks);
  if (release.blocks.size() <= size_t(blockNumber))
    release.blocks.resize(blockNumber + 1);
  release.blocks[blockNumber] = true;
  release.block = blockNumber;
  release.clock.join(thread.clock);
  thread.clock.tick(thread.number);
}

void Checker::access(Block &block, const void *pointer, int bytes, int alignment, Access kind,
                     const char *what) {
  auto *address = static_cast<const char *>(pointer);
  if (block.isStack(address))
    return;
  const Run &run = *block.run;
  for (size_t i = 0; i < run.kernel.byValueBytes.size(); ++i) {
    auto *argument = static_cast<const char *>(run.launch.arguments[i]);
    if (address >= argument && address + bytes <= argument + run.kernel.byValueBytes[i])
      return;
  }
  checkBounds(block, address, bytes, kind, what);
  if (reinterpret_cast<uintptr_t>(address) % alignment)
    block.fail("%s: %s %d bytes at %s, which is not a multiple of %d", what, getVerb(kind), bytes,
               describe(block, address).c_str(), alignment);
  if (kind == Access::Atomic)
    synchronize(block, address);
  bool isShared = block.isShared(address);
  Buffer *buffer = isShared ? nullptr : memory.find(address);
  if (buffer && !buffer->isWritable)
    return;
  Epoch epoch = now(*block.thread, kind == Access::Atomic);
  for (int i = 0; i < bytes; ++i) {
    Cell &cell = getCell(block, address + i);
    checkCell(block, address + i, cell, kind, what);
    bool isWritten = isShared || buffer->isWritten.empty()
                         ? !isShared || cell.write.time
                         : buffer->isWritten[address + i - buffer->begin];
    if (kind != Access::Write && !isWritten)
      block.fail("%s: %s %s, which nobody has written", what, getVerb(kind),
                 describe(block, address + i).c_str());
    if (kind == Access::Read)
      cell.reads[block.thread->getWarp() % 4] = epoch;
    else
      cell.write = epoch;
  }
  if (buffer && kind != Access::Read)
    memory.markWritten(const_cast<char *>(address), bytes);
}

//===----------------------------------------------------------------------===//
// Asynchronous copies, convergence
//===----------------------------------------------------------------------===//

void Checker::startCopy(Block &block, const Copy &copy, const char *what) {
  if (copy.sourceBytes)
    access(block, copy.from, copy.sourceBytes, copy.bytes, Access::Read, what);
  access(block, copy.to, copy.bytes, copy.bytes, Access::Write, what);
  for (int i = 0; i < copy.bytes; ++i)
    getCell(block, copy.to + i).copier = block.thread->number + 1;
}

void Checker::finishCopy(Thread &owner, const Copy &copy) {
  for (int i = 0; i < copy.bytes; ++i) {
    Cell &cell = getCell(*owner.block, copy.to + i);
    cell.write = now(owner, false);
    cell.copier = 0;
  }
}

void Checker::enterAligned(Block &block, const CallSite &site) {
  Thread &thread = *block.thread;
  Arrivals &warp = arrivals[thread.getWarp()];
  uint64_t at = warp.reached[thread.getLane()]++ - warp.finished;
  if (at == warp.sites.size())
    warp.sites.push_back(&site);
  if (warp.sites[at] != &site)
    block.fail("divergent barrier: %s, but others of the warp are at a barrier elsewhere",
               site.getName());
  int size = std::min(block.getNumThreads() - thread.getWarp() * kWarpSize, kWarpSize);
  uint64_t all = *std::min_element(warp.reached, warp.reached + size);
  for (; warp.finished < all; ++warp.finished)
    warp.sites.pop_front();
}
