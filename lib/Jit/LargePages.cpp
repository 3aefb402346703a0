//===- LargePages.cpp - memory in larger pages ----------------------------===//

#include "LargePages.h"

#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/ExecutionEngine/Orc/ObjectLinkingLayer.h"
#include "llvm/Support/MathExtras.h"

#include <sys/mman.h>

using namespace posenc;
namespace orc = llvm::orc;

void posenc::preferLargePages(char *data, size_t numBytes) {
  auto address = reinterpret_cast<uintptr_t>(data);
  uintptr_t begin = llvm::alignTo(address, kLargePage);
  uintptr_t end = llvm::alignDown(address + numBytes, kLargePage);
  if (begin < end) // it is a wish: without, all works as well
    (void)madvise(reinterpret_cast<void *>(begin), end - begin, MADV_HUGEPAGE);
}

namespace {
/// Acts between the allocation of memory, which is in this process, and its first use.
struct LargeGlobals : orc::ObjectLinkingLayer::Plugin {
  void modifyPassConfig(orc::MaterializationResponsibility &, llvm::jitlink::LinkGraph &,
                        llvm::jitlink::PassConfiguration &config) override {
    config.PostAllocationPasses.push_back([](llvm::jitlink::LinkGraph &graph) {
      for (llvm::jitlink::Section &section : graph.sections()) {
        llvm::jitlink::SectionRange range(section);
        preferLargePages(range.getStart().toPtr<char *>(), range.getSize());
      }
      return llvm::Error::success();
    });
  }
  llvm::Error notifyFailed(orc::MaterializationResponsibility &) override {
    return llvm::Error::success();
  }
  llvm::Error notifyRemovingResources(orc::JITDylib &, orc::ResourceKey) override {
    return llvm::Error::success();
  }
  void notifyTransferringResources(orc::JITDylib &, orc::ResourceKey, orc::ResourceKey) override {}
};
} // namespace

void posenc::preferLargePages(orc::LLJIT &lljit) {
  if (auto *layer = llvm::dyn_cast<orc::ObjectLinkingLayer>(&lljit.getObjLinkingLayer()))
    layer->addPlugin(std::make_shared<LargeGlobals>());
}
