//===- Code.cpp - A module that the emulator has loaded -------------------===//

#include "Code.h"
#include "posenc/Jit/HostTensor.h"

#include "llvm/Bitcode/BitcodeReader.h"
#include "llvm/ExecutionEngine/Orc/JITTargetMachineBuilder.h"
#include "llvm/IR/Verifier.h"
#include "llvm/Support/TargetSelect.h"

using namespace posenc;
using namespace posenc::emulator;
namespace orc = llvm::orc;

static llvm::Expected<std::unique_ptr<orc::LLJIT>> createJit() {
  llvm::InitializeNativeTarget();
  llvm::InitializeNativeTargetAsmPrinter();
  auto host = orc::JITTargetMachineBuilder::detectHost();
  if (!host)
    return host.takeError();
  // The module is optimised, and multiplications and additions fuse as in PTX.
  host->setCodeGenOptLevel(llvm::CodeGenOptLevel::Less);
  host->getOptions().AllowFPOpFusion = llvm::FPOpFusion::Fast;
  return orc::LLJITBuilder().setJITTargetMachineBuilder(std::move(*host)).create();
}

llvm::Expected<std::unique_ptr<Code>> Code::load(llvm::StringRef bitcode, bool check, bool count,
                                                 Memory &memory) {
  auto context = std::make_unique<llvm::LLVMContext>();
  auto module = llvm::parseBitcodeFile(llvm::MemoryBufferRef(bitcode, "kernels"), *context);
  if (!module)
    return module.takeError();
  auto jit = createJit();
  if (!jit)
    return jit.takeError();
  std::unique_ptr<Code> code(new Code(memory));
  joinAccesses(**module);
  (*module)->setTargetTriple((*jit)->getTargetTriple());
  (*module)->setDataLayout((*jit)->getDataLayout());
  if (llvm::Error error = rewrite(**module, check, count, code->tables))
    return error;
  std::string message;
  llvm::raw_string_ostream os(message);
  if (llvm::verifyModule(**module, &os))
    return makeError("the emulator cannot rewrite the kernels: " + message);

  llvm::SmallVector<std::pair<std::string, Buffer>> variables;
  for (llvm::GlobalVariable &global : (*module)->globals()) {
    if (global.isDeclaration())
      return makeError("kernels use the variable '" + global.getName() +
                       "', which nothing defines");
    Buffer buffer;
    buffer.bytes = (*module)->getDataLayout().getTypeAllocSize(global.getValueType());
    buffer.name = global.hasName() ? global.getName().str() : "a constant";
    buffer.isWritable = !global.isConstant();
    global.setLinkage(llvm::GlobalValue::ExternalLinkage);
    global.setName("variable." + llvm::Twine(variables.size()));
    variables.push_back({global.getName().str(), std::move(buffer)});
  }
  if (llvm::Error error =
          (*jit)->addIRModule(orc::ThreadSafeModule(std::move(*module), std::move(context))))
    return error;
  for (Kernel &kernel : code->tables.kernels) {
    auto address = (*jit)->lookup(getEntryName(kernel.name));
    if (!address)
      return address.takeError();
    kernel.entry = address->toPtr<void (*)(void **)>();
  }
  for (auto &[name, buffer] : variables) {
    auto address = (*jit)->lookup(name);
    if (!address)
      return address.takeError();
    buffer.begin = address->toPtr<char *>();
    code->variables.push_back(buffer.begin);
    memory.addVariable(std::move(buffer));
  }
  code->jit = std::move(*jit);
  return code;
}

Code::~Code() {
  for (char *variable : variables)
    memory.removeVariable(variable);
}

const Kernel *Code::findKernel(llvm::StringRef name) const {
  for (const Kernel &kernel : tables.kernels)
    if (kernel.name == name)
      return &kernel;
  return nullptr;
}

void Code::takeCounts(Counts::Kernel &counts) {
  for (auto [entries, contents] : llvm::zip(tables.entries, tables.contents)) {
    for (auto [total, count] : llvm::zip(counts.instructions, contents))
      total += entries * count;
    entries = 0;
  }
}
