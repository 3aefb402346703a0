//===- Join.cpp - Neighbouring accesses to memory become one --------------===//
//
// Optimised IR has scalars where PTX has vectors: the code generator joins them.
// What is counted and checked are the accesses that PTX has.
//
//===----------------------------------------------------------------------===//

#include "Rewrite.h"

#include "posenc/Jit/Analyses.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/Transforms/Scalar/EarlyCSE.h"
#include "llvm/Transforms/Scalar/SeparateConstOffsetFromGEP.h"
#include "llvm/Transforms/Vectorize/LoadStoreVectorizer.h"

using namespace posenc;
using namespace posenc::emulator;

/// The code generator for the chip of the kernels, null if LLVM has none.
static std::unique_ptr<llvm::TargetMachine> createGenerator(const llvm::Module &module) {
  LLVMInitializeNVPTXTargetInfo();
  LLVMInitializeNVPTXTarget();
  LLVMInitializeNVPTXTargetMC();
  llvm::Triple triple("nvptx64-nvidia-cuda");
  std::string error;
  const llvm::Target *target = llvm::TargetRegistry::lookupTarget(triple, error);
  if (!target)
    return nullptr;
  llvm::StringRef chip = "sm_80";
  for (const llvm::Function &function : module)
    if (function.hasFnAttribute("target-cpu"))
      chip = function.getFnAttribute("target-cpu").getValueAsString();
  return std::unique_ptr<llvm::TargetMachine>(target->createTargetMachine(
      triple, chip, "", llvm::TargetOptions(), llvm::Reloc::PIC_));
}

void posenc::emulator::joinAccesses(llvm::Module &module) {
  std::unique_ptr<llvm::TargetMachine> generator = createGenerator(module);
  if (!generator)
    return;
  llvm::PassBuilder builder(generator.get());
  Analyses analyses(builder);
  llvm::FunctionPassManager passes;
  passes.addPass(llvm::SeparateConstOffsetFromGEPPass());
  passes.addPass(llvm::EarlyCSEPass());
  passes.addPass(llvm::LoadStoreVectorizerPass());
  for (llvm::Function &function : module)
    if (!function.isDeclaration())
      passes.run(function, analyses.functions);
}
