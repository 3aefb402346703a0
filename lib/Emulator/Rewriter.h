//===- Rewriter.h - The steps of rewriting kernels --------------*- C++ -*-===//

#ifndef POSENC_LIB_EMULATOR_REWRITER_H
#define POSENC_LIB_EMULATOR_REWRITER_H

#include "Rewrite.h"
#include "llvm/IR/IRBuilder.h"

namespace posenc::emulator {

/// As LLVM prints it.
std::string toString(llvm::Type *type);

class Rewriter {
public:
  Rewriter(llvm::Module &module, CodeTables &tables)
      : module(module), context(module.getContext()), tables(tables),
        pointer(llvm::PointerType::getUnqual(context)) {}

  void countInstructions();
  void noteAccesses();
  llvm::Error replaceInstructions();
  llvm::Error placeShared(bool hasGaps);
  void makeEntries();

private:
  llvm::Value *getAddress(const void *address) {
    auto *i64 = llvm::Type::getInt64Ty(context);
    return llvm::ConstantExpr::getIntToPtr(
        llvm::ConstantInt::get(i64, reinterpret_cast<uintptr_t>(address)), pointer);
  }
  /// Calls a function of this process.
  template <typename Result, typename... Parameters>
  llvm::CallInst *call(llvm::IRBuilder<> &b, Result (*function)(Parameters...),
                       llvm::ArrayRef<llvm::Value *> operands) {
    llvm::SmallVector<llvm::Type *> types(operands.size(), pointer);
    llvm::Type *result = std::is_void_v<Result> ? b.getVoidTy() : pointer;
    return b.CreateCall(llvm::FunctionType::get(result, types, false),
                        getAddress(reinterpret_cast<void *>(function)), operands);
  }
  /// An address of any space as one of space 0.
  llvm::Value *flatten(llvm::IRBuilder<> &b, llvm::Value *address) {
    return b.CreateAddrSpaceCast(address, pointer);
  }
  void note(llvm::Instruction &before, llvm::Value *address, int bytes, int alignment,
            Access kind, llvm::Twine what);
  llvm::Error replace(llvm::CallInst &instruction, llvm::StringRef name, llvm::Value *result,
                      llvm::Value *operands);
  bool passThrough(llvm::CallInst &instruction);

  llvm::Module &module;
  llvm::LLVMContext &context;
  CodeTables &tables;
  llvm::Type *pointer;
};

} // namespace posenc::emulator

#endif // POSENC_LIB_EMULATOR_REWRITER_H
