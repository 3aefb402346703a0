//===- Processor.cpp - the processor that kernels are made for ------------===//

#include "Vectorize/Processor.h"
#include "Vectorize/VectorBits.h"

#include "llvm/TargetParser/Host.h"

using namespace mlir;
using namespace posenc;

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
