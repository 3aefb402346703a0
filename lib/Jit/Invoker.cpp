//===- Invoker.cpp - One calling convention for all functions -------------===//

#include "Invoker.h"

#include "llvm/IR/IRBuilder.h"

using namespace posenc;

int64_t posenc::getPassedSize(const HostType &type) {
  return type.isScalar ? getByteWidth(type.kind)
                       : 8 * int64_t(3 + 2 * type.shape.size());
}

llvm::SmallVector<int64_t> posenc::getResultOffsets(const EntryPoint &entry) {
  llvm::SmallVector<int64_t> offsets;
  int64_t end = 0;
  for (const HostType &type : entry.results) {
    offsets.push_back(
        llvm::alignTo(end, type.isScalar ? getByteWidth(type.kind) : 8));
    end = offsets.back() + getPassedSize(type);
  }
  offsets.push_back(end);
  return offsets;
}

/// How a value of `type` is passed: a descriptor by its address.
static llvm::Type *getPassedType(llvm::LLVMContext &context,
                                 const HostType &type) {
  if (!type.isScalar)
    return llvm::PointerType::getUnqual(context);
  switch (type.kind) {
  case ElementKind::F64:
    return llvm::Type::getDoubleTy(context);
  case ElementKind::F32:
    return llvm::Type::getFloatTy(context);
  case ElementKind::F16:
    return llvm::Type::getHalfTy(context);
  case ElementKind::BF16:
    return llvm::Type::getBFloatTy(context);
  case ElementKind::I1:
    return llvm::Type::getInt1Ty(context);
  default:
    return llvm::Type::getIntNTy(context, 8 * getByteWidth(type.kind));
  }
}

llvm::Error posenc::addInvoker(llvm::Module &module, const EntryPoint &entry) {
  llvm::LLVMContext &context = module.getContext();
  llvm::Type *pointer = llvm::PointerType::getUnqual(context);

  // Several results, or one descriptor, come back through a leading pointer.
  bool hasResultPointer =
      entry.results.size() > 1 ||
      (entry.results.size() == 1 && !entry.results[0].isScalar);
  llvm::SmallVector<llvm::Type *> types;
  if (hasResultPointer)
    types.push_back(pointer);
  for (const HostType &type : entry.arguments)
    types.push_back(getPassedType(context, type));
  llvm::Type *resultType = hasResultPointer || entry.results.empty()
                               ? llvm::Type::getVoidTy(context)
                               : getPassedType(context, entry.results[0]);
  auto *functionType = llvm::FunctionType::get(resultType, types, false);

  llvm::Function *function =
      module.getFunction((kInterfacePrefix + entry.name).str());
  if (!function || function->isDeclaration())
    return makeError("entry point '" + entry.name +
                     "' has no C interface (llvm.emit_c_interface)");
  if (function->getFunctionType() != functionType)
    return makeError("the C interface of entry point '" + entry.name +
                     "' does not match its " + kSignatureAttr);

  auto *invoker = llvm::Function::Create(
      llvm::FunctionType::get(llvm::Type::getVoidTy(context), {pointer}, false),
      llvm::Function::ExternalLinkage, kInvokerPrefix + entry.name, module);
  llvm::IRBuilder<> builder(
      llvm::BasicBlock::Create(context, "entry", invoker));
  auto loadSlot = [&](size_t index) {
    return builder.CreateLoad(pointer, builder.CreateConstGEP1_64(
                                           pointer, invoker->getArg(0), index));
  };
  llvm::SmallVector<llvm::Value *> operands;
  if (hasResultPointer)
    operands.push_back(loadSlot(entry.arguments.size()));
  for (auto [index, type] : llvm::enumerate(entry.arguments)) {
    llvm::Value *address = loadSlot(index);
    operands.push_back(
        type.isScalar
            ? builder.CreateLoad(getPassedType(context, type), address)
            : address);
  }
  llvm::Value *result = builder.CreateCall(function, operands);
  if (!resultType->isVoidTy())
    builder.CreateStore(result, loadSlot(entry.arguments.size()));
  builder.CreateRetVoid();
  return llvm::Error::success();
}
