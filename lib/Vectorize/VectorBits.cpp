//===- VectorBits.cpp - which native vectors to generate for --------------===//

#include "Vectorize/VectorBits.h"

#include "llvm/TargetParser/Host.h"

using namespace mlir;

FailureOr<int64_t> posenc::getVectorBits(ModuleOp module, int64_t option) {
  int64_t bits = option;
  if (auto attribute = module->getAttrOfType<IntegerAttr>("posenc.vector_bits"); !bits && attribute)
    bits = attribute.getInt();
  if (!bits)
    bits = llvm::sys::getHostCPUFeatures().lookup("avx512f") ? 512 : 256;
  if (bits != 256 && bits != 512) {
    emitError(module.getLoc(), "expected vector-bits of 256 or 512, but found ") << bits;
    return failure();
  }
  return bits;
}
