//===- Counts.cpp - What kernels execute ----------------------------------===//

#include "Counts.h"
#include "Model.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/raw_ostream.h"

#include <set>

using namespace posenc::emulator;

/// The turns that shared memory needs for 16 bytes or less of each address, of
/// which as many go together as fill 128 bytes, and how many of them are due to
/// conflicts. Threads that read the same word share it.
static std::pair<int, int> countTurns(llvm::ArrayRef<const char *> addresses, int bytes) {
  size_t together = std::min(kWarpSize, 128 / std::max(bytes, 4));
  int turns = 0, conflicts = 0;
  for (size_t first = 0; first < addresses.size(); first += together) {
    std::set<uintptr_t> words[32];
    for (const char *address : addresses.slice(first).take_front(together)) {
      auto begin = reinterpret_cast<uintptr_t>(address);
      for (uintptr_t word = begin / 4; word <= (begin + bytes - 1) / 4; ++word)
        words[word % 32].insert(word);
    }
    size_t most = 1;
    for (auto &bank : words)
      most = std::max(most, bank.size());
    turns += most;
    conflicts += most - 1;
  }
  return {turns, conflicts};
}

void Counts::finish(Block &block, const WarpAccess &access) {
  llvm::SmallVector<const char *> addresses;
  for (int lane = 0; lane < kWarpSize; ++lane)
    if (access.lanes >> lane & 1)
      addresses.push_back(access.addresses[lane]);
  bool isShared = block.isShared(addresses.front());
  Kernel::Space &space = isShared ? access.isWrite ? current->sharedStores : current->sharedLoads
                         : access.isWrite ? current->globalStores
                                          : current->globalLoads;
  ++space.accesses;
  space.bytes += addresses.size() * access.bytes;
  if (isShared) {
    auto [turns, conflicts] = countTurns(addresses, access.bytes);
    space.transactions += turns;
    space.conflicts += conflicts;
    return;
  }
  std::set<uintptr_t> sectors;
  for (const char *address : addresses) {
    auto begin = reinterpret_cast<uintptr_t>(address);
    for (uintptr_t sector = begin / 32; sector <= (begin + access.bytes - 1) / 32; ++sector)
      sectors.insert(sector);
  }
  space.transactions += sectors.size();
}

void Counts::addAccess(Block &block, const void *site, const void *address, int bytes,
                       bool isWrite) {
  if (block.isStack(address))
    return;
  Thread &thread = *block.thread;
  int lane = thread.getLane(), warp = thread.getWarp();
  Stream &stream = streams[{site, warp}];
  uint64_t at = stream.reached[lane]++ - stream.finished;
  if (at >= stream.open.size())
    stream.open.resize(at + 1);
  WarpAccess &access = stream.open[at];
  access.lanes |= 1u << lane;
  access.addresses[lane] = static_cast<const char *>(address);
  access.bytes = bytes;
  access.isWrite = isWrite;
  int size = std::min(block.getNumThreads() - warp * kWarpSize, kWarpSize);
  while (!stream.open.empty() && __builtin_popcount(stream.open.front().lanes) == size) {
    finish(block, stream.open.front());
    stream.open.pop_front();
    ++stream.finished;
  }
}

void Counts::leaveBlock(Block &block) {
  for (auto &[key, stream] : streams)
    for (const WarpAccess &access : stream.open)
      if (access.lanes)
        finish(block, access);
  streams.clear();
}

void Counts::addCopy(Block &block, const CallSite &site, const Copy &copy) {
  // Two streams: any two addresses of the site will do.
  if (copy.sourceBytes)
    addAccess(block, &site, copy.from, copy.sourceBytes, /*isWrite=*/false);
  addAccess(block, &site.name, copy.to, copy.bytes, /*isWrite=*/true);
}

/// Each matrix is one access, of eight rows.
void Counts::addMatrices(Block &block, const CallSite &, const Rendezvous &warp, int matrices,
                         bool isWrite) {
  Kernel::Space &space = isWrite ? current->sharedStores : current->sharedLoads;
  ++space.accesses;
  space.bytes += matrices * 128;
  for (int m = 0; m < matrices; ++m) {
    llvm::SmallVector<const char *> rows;
    for (int row = 0; row < 8; ++row)
      rows.push_back(warp.get<const char *>(8 * m + row, 0));
    auto [turns, conflicts] = countTurns(rows, 16);
    space.transactions += turns;
    space.conflicts += conflicts;
  }
}

void Counts::print(llvm::raw_ostream &os) const {
  for (auto &entry : kernels) {
    const std::string &name = entry.first;
    const Kernel &k = entry.second;
    os << "kernel '" << name << "': " << k.launches << " launches, " << k.blocks << " blocks, "
       << k.threads << " threads\n";
    auto &i = k.instructions;
    os << "  instructions of threads: float " << i[Float] << ", special " << i[Special]
       << ", integer " << i[Integer] << ", memory " << i[Memory_] << ", control " << i[Control]
       << '\n';
    for (auto &[model, count] : k.models)
      os << "  " << model << ": " << count << '\n';
    auto print = [&](const char *what, const Kernel::Space &space, const char *unit) {
      if (!space.accesses)
        return;
      os << "  " << what << " of warps: " << space.accesses << ", " << space.bytes << " bytes, "
         << space.transactions << ' ' << unit;
      if (&space == &k.sharedLoads || &space == &k.sharedStores)
        os << ", " << space.conflicts << " bank conflicts";
      os << '\n';
    };
    print("global loads", k.globalLoads, "sectors");
    print("global stores", k.globalStores, "sectors");
    print("shared loads", k.sharedLoads, "turns");
    print("shared stores", k.sharedStores, "turns");
  }
}
