//===- Model.cpp - Special registers, and the list of models --------------===//

#include "Model.h"

using namespace posenc;
using namespace posenc::emulator;

Models::Models() {
  addRegisters(*this);
  addArithmetic(*this);
  addWarps(*this);
  addBarriers(*this);
  addCopies(*this);
  addMatrices(*this);
}

const Models &Models::get() {
  static const Models models;
  return models;
}

const Model *Models::find(llvm::StringRef name) const {
  auto found = models.find(name);
  if (found != models.end())
    return &found->second;
  auto [stem, suffix] = name.rsplit('.');
  if (suffix.size() == 2 && suffix[0] == 'p' && isdigit(suffix[1]))
    return find(stem);
  return nullptr;
}

void posenc::emulator::addRegisters(Models &models) {
  auto add = [&](llvm::StringRef name, auto value) {
    models.add(("read.ptx.sreg." + llvm::Twine(name)).str(),
               [value](const Call &call) { call.set<int32_t>(value(call.block)); });
  };
  auto addExtent = [&](llvm::StringRef name, auto extent) {
    add((llvm::Twine(name) + ".x").str(), [extent](Block &b) { return extent(b).x; });
    add((llvm::Twine(name) + ".y").str(), [extent](Block &b) { return extent(b).y; });
    add((llvm::Twine(name) + ".z").str(), [extent](Block &b) { return extent(b).z; });
  };
  addExtent("tid", [](Block &b) { return b.thread->index; });
  addExtent("ntid", [](Block &b) { return b.run->launch.block; });
  addExtent("ctaid", [](Block &b) { return b.index; });
  addExtent("nctaid", [](Block &b) { return b.run->launch.grid; });
  // Every block is a cluster of its own.
  addExtent("cluster.ctaid", [](Block &) { return Extent{0, 0, 0}; });
  addExtent("cluster.nctaid", [](Block &) { return Extent(); });
  addExtent("clusterid", [](Block &b) { return b.index; });
  addExtent("nclusterid", [](Block &b) { return b.run->launch.grid; });
  add("cluster.ctarank", [](Block &) { return 0; });
  add("cluster.nctarank", [](Block &) { return 1; });

  add("laneid", [](Block &b) { return b.thread->getLane(); });
  add("warpid", [](Block &b) { return b.thread->getWarp(); });
  add("nwarpid", [](Block &b) { return (b.getNumThreads() + kWarpSize - 1) / kWarpSize; });
  add("warpsize", [](Block &) { return kWarpSize; });
  add("smid", [](Block &) { return 0; });
  add("nsmid", [](Block &) { return 1; });
  add("lanemask.eq", [](Block &b) { return 1u << b.thread->getLane(); });
  add("lanemask.lt", [](Block &b) { return (1u << b.thread->getLane()) - 1; });
  add("lanemask.le", [](Block &b) { return (2u << b.thread->getLane()) - 1; });
  add("lanemask.gt", [](Block &b) { return ~((2u << b.thread->getLane()) - 1); });
  add("lanemask.ge", [](Block &b) { return ~((1u << b.thread->getLane()) - 1); });
  add("dynamic.smem.size", [](Block &b) { return b.run->launch.sharedBytes; });
  add("total.smem.size",
      [](Block &b) { return b.run->kernel.staticBytes + b.run->launch.sharedBytes; });

  // Time passes with what happens.
  add("clock", [](Block &b) { return b.progress; });
  for (const char *name : {"clock64", "globaltimer"})
    models.add(std::string("read.ptx.sreg.") + name,
               [](const Call &call) { call.set<int64_t>(call.block.progress); });

  models.add("exit", [](const Call &call) { call.block.exit(); });
  models.add("nanosleep", [](const Call &call) { call.block.yield("time to pass", 0); });
  // What only a real device notices.
  for (const char *name :
       {"setmaxnreg.inc.sync.aligned.u32", "setmaxnreg.dec.sync.aligned.u32", "prefetch.L1",
        "prefetch.L2", "prefetch.global.L1", "prefetch.global.L2", "prefetch.tensormap",
        "griddepcontrol.wait", "griddepcontrol.launch.dependents", "pm.event.mask"})
    models.add(name, [](const Call &) {});
}
