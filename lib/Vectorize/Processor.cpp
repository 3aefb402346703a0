//===- Processor.cpp - the processor that kernels are made for ------------===//

#include "Vectorize/Processor.h"

#include "llvm/TargetParser/Host.h"

using namespace mlir;
using namespace posenc;

/// 256 (AVX2) or 512 (AVX-512); an error at the module if it is to be anything else.
static FailureOr<int64_t> getVectorBits(ModuleOp module, int64_t option) {
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

FailureOr<Processor> Processor::get(ModuleOp module, int64_t vectorBits, bool bf16Pairs) {
  FailureOr<int64_t> bits = getVectorBits(module, vectorBits);
  if (failed(bits))
    return failure();
  if (!vectorBits && !module->hasAttr("posenc.vector_bits"))
    bf16Pairs |= llvm::sys::getHostCPUFeatures().lookup("avx512bf16");
  if (!vectorBits)
    bf16Pairs |= module->hasAttr("posenc.bf16_pairs");
  return Processor{*bits, bf16Pairs && *bits == 512};
}
