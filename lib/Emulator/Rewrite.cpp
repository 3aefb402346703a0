//===- Rewrite.cpp - Kernels as host code ---------------------------------===//

#include "Rewriter.h"
#include "posenc/Jit/HostTensor.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/IR/InlineAsm.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/ReplaceConstant.h"

using namespace posenc;
using namespace posenc::emulator;
using llvm::StringRef;

static constexpr int kSlotBytes = 16; // of an operand

//===----------------------------------------------------------------------===//
// What rewritten code calls
//===----------------------------------------------------------------------===//

static void emulate(const CallSite *site, void *result, const char *operands) {
  Block &block = Block::getCurrent();
  if (block.run->counts)
    block.run->counts->addModel(site->name);
  (*site->model)(Call{block, *site, result, operands});
}

static void *getShared() { return Block::getCurrent().shared; }

static void trap() { Block::getCurrent().fail("trap"); }

//===----------------------------------------------------------------------===//
// Instructions
//===----------------------------------------------------------------------===//

/// Assembly without text only ties results to operands, to keep LLVM from moving
/// things across it.
bool Rewriter::passThrough(llvm::CallInst &instruction) {
  auto *assembly = llvm::cast<llvm::InlineAsm>(instruction.getCalledOperand());
  if (!StringRef(assembly->getAsmString()).trim().empty())
    return false;
  llvm::IRBuilder<> b(&instruction);
  llvm::Type *type = instruction.getType();
  llvm::SmallVector<llvm::Value *> results;
  unsigned operand = 0;
  for (const llvm::InlineAsm::ConstraintInfo &info : assembly->ParseConstraints()) {
    if (info.Type != llvm::InlineAsm::isInput)
      continue;
    unsigned tied = 0;
    if (!StringRef(info.Codes.front()).getAsInteger(10, tied)) {
      results.resize(std::max<size_t>(results.size(), tied + 1));
      results[tied] = instruction.getArgOperand(operand);
    }
    ++operand;
  }
  if (auto *structure = llvm::dyn_cast<llvm::StructType>(type)) {
    llvm::Value *value = llvm::PoisonValue::get(structure);
    for (auto [index, result] : llvm::enumerate(results))
      if (result)
        value = b.CreateInsertValue(value, result, index);
    instruction.replaceAllUsesWith(value);
  } else if (!type->isVoidTy()) {
    instruction.replaceAllUsesWith(results.empty() ? llvm::PoisonValue::get(type) : results[0]);
  }
  instruction.eraseFromParent();
  return true;
}

llvm::Error Rewriter::replace(llvm::CallInst &instruction, StringRef name, llvm::Value *result,
                              llvm::Value *operands) {
  const Model *model = Models::get().find(name);
  if (!model)
    return makeError("kernels use '" + name + "', which the emulator does not know");
  tables.calls.push_back(
      {name.str(), "the rest of its warp in " + name.str(), model});
  llvm::IRBuilder<> b(&instruction);
  for (auto [index, operand] : llvm::enumerate(instruction.args())) {
    if (module.getDataLayout().getTypeStoreSize(operand->getType()) > kSlotBytes)
      return makeError("kernels use '" + name + "' with an operand of type " +
                       toString(operand->getType()) + ", which the emulator does not know");
    b.CreateStore(operand, b.CreateConstGEP1_64(b.getInt8Ty(), operands, kSlotBytes * index));
  }
  call(b, emulate, {getAddress(&tables.calls.back()), result, operands});
  if (!instruction.getType()->isVoidTy())
    instruction.replaceAllUsesWith(b.CreateLoad(instruction.getType(), result));
  instruction.eraseFromParent();
  return llvm::Error::success();
}

llvm::Error Rewriter::replaceInstructions() {
  const llvm::DataLayout &layout = module.getDataLayout();
  for (llvm::Function &function : module) {
    if (function.isDeclaration()) {
      if (!function.isIntrinsic() && !function.use_empty())
        return makeError("kernels call '" + function.getName() + "', which nothing defines");
      continue;
    }
    llvm::SmallVector<std::pair<llvm::CallInst *, std::string>> work;
    uint64_t resultBytes = 1, operandBytes = 1;
    for (llvm::Instruction &i : llvm::make_early_inc_range(llvm::instructions(function))) {
      auto *instruction = llvm::dyn_cast<llvm::CallInst>(&i);
      if (!instruction)
        continue;
      StringRef name;
      if (llvm::Function *callee = instruction->getCalledFunction())
        name = callee->getName();
      if (name == "llvm.trap") {
        llvm::IRBuilder<> b(instruction);
        call(b, trap, {});
        instruction->eraseFromParent();
        continue;
      }
      if (instruction->isInlineAsm()) {
        if (passThrough(*instruction))
          continue;
        auto *assembly = llvm::cast<llvm::InlineAsm>(instruction->getCalledOperand());
        // Spaces do not matter.
        llvm::SmallVector<StringRef> words;
        llvm::SplitString(assembly->getAsmString(), words);
        work.push_back({instruction, "asm " + llvm::join(words, " ")});
      } else if (name.consume_front("llvm.nvvm.")) {
        work.push_back({instruction, name.str()});
      } else {
        continue;
      }
      if (!instruction->getType()->isVoidTy())
        resultBytes = std::max<uint64_t>(resultBytes, layout.getTypeAllocSize(instruction->getType()));
      operandBytes = std::max<uint64_t>(operandBytes, kSlotBytes * instruction->arg_size());
    }
    if (work.empty())
      continue;
    // One place for all: the models do not keep them.
    llvm::IRBuilder<> b(&function.getEntryBlock(), function.getEntryBlock().begin());
    auto allocate = [&](uint64_t bytes) {
      auto *place = b.CreateAlloca(llvm::ArrayType::get(b.getInt8Ty(), bytes));
      place->setAlignment(llvm::Align(64));
      return place;
    };
    llvm::Value *result = allocate(resultBytes), *operands = allocate(operandBytes);
    for (auto &[instruction, name] : work)
      if (llvm::Error error = replace(*instruction, name, result, operands))
        return error;
  }
  return llvm::Error::success();
}

//===----------------------------------------------------------------------===//
// Shared memory
//===----------------------------------------------------------------------===//

static llvm::Function *getFunction(llvm::Use &use) {
  auto *user = llvm::dyn_cast<llvm::Instruction>(use.getUser());
  return user ? user->getFunction() : nullptr;
}

llvm::Error Rewriter::placeShared(bool hasGaps) {
  // Beyond the end of a variable there is nothing, rather than the next one.
  constexpr int64_t kGap = 128;
  const llvm::DataLayout &layout = module.getDataLayout();
  llvm::SmallVector<llvm::GlobalVariable *> fixed, dynamic;
  for (llvm::GlobalVariable &global : module.globals())
    if (global.getAddressSpace() == 3)
      (layout.getTypeAllocSize(global.getValueType()) ? fixed : dynamic).push_back(&global);

  std::vector<SharedVariable> variables;
  int64_t end = 0, staticBytes = 0;
  auto place = [&](llvm::GlobalVariable *global) {
    int64_t bytes = layout.getTypeAllocSize(global->getValueType());
    end = llvm::alignTo(end, global->getAlign().valueOrOne());
    variables.push_back({global->getName().str(), end, bytes});
    end += bytes;
    staticBytes = llvm::alignTo(staticBytes, global->getAlign().valueOrOne()) + bytes;
    if (hasGaps)
      end += kGap;
  };
  llvm::for_each(fixed, place);
  // All of them are the same memory.
  for (llvm::GlobalVariable *global : dynamic)
    end = llvm::alignTo(end, std::max<uint64_t>(16, global->getAlign().valueOrOne().value()));
  for (llvm::GlobalVariable *global : dynamic)
    variables.push_back({global->getName().str(), end, 0});
  for (Kernel &kernel : tables.kernels) {
    kernel.variables = variables;
    kernel.staticBytes = staticBytes;
    kernel.dynamicOffset = end;
  }

  llvm::DenseMap<llvm::Function *, llvm::Value *> bases;
  for (auto [index, global] : llvm::enumerate(llvm::concat<llvm::GlobalVariable *>(fixed, dynamic))) {
    llvm::convertUsersOfConstantsToInstructions({global});
    for (llvm::Use &use : llvm::make_early_inc_range(global->uses())) {
      llvm::Function *function = getFunction(use);
      if (!function)
        return makeError("the address of '" + global->getName() +
                         "' in shared memory is used as a constant");
      llvm::Value *&base = bases[function];
      if (!base) {
        llvm::IRBuilder<> b(&function->getEntryBlock(), function->getEntryBlock().begin());
        base = call(b, getShared, {});
      }
      llvm::IRBuilder<> b(llvm::cast<llvm::Instruction>(base)->getNextNode());
      use.set(b.CreateAddrSpaceCast(
          b.CreateConstGEP1_64(b.getInt8Ty(), base, variables[index].offset),
          global->getType()));
    }
    global->eraseFromParent();
  }
  return llvm::Error::success();
}

//===----------------------------------------------------------------------===//
// Kernels
//===----------------------------------------------------------------------===//

std::string posenc::emulator::getEntryName(StringRef kernel) {
  return ("posenc_enter." + kernel).str();
}

/// "128,1,1"; missing sizes are 1.
static Extent parseExtent(llvm::Attribute attribute, int64_t absent) {
  if (!attribute.isValid())
    return {absent, absent, absent};
  int64_t sizes[3] = {1, 1, 1};
  llvm::SmallVector<StringRef> parts;
  attribute.getValueAsString().split(parts, ',');
  for (auto [index, part] : llvm::enumerate(llvm::ArrayRef(parts).take_front(3)))
    part.trim().getAsInteger(10, sizes[index]);
  return {sizes[0], sizes[1], sizes[2]};
}

void Rewriter::makeEntries() {
  llvm::SmallVector<llvm::Function *> kernels;
  for (llvm::Function &function : module) {
    if (function.getCallingConv() == llvm::CallingConv::PTX_Kernel)
      kernels.push_back(&function);
    function.setCallingConv(llvm::CallingConv::C);
    for (llvm::User *user : function.users())
      if (auto *call = llvm::dyn_cast<llvm::CallBase>(user))
        call->setCallingConv(llvm::CallingConv::C);
  }
  for (llvm::Function *function : kernels) {
    Kernel kernel;
    kernel.name = function->getName().str();
    kernel.requiredBlock = parseExtent(function->getFnAttribute("nvvm.reqntid"), 0);
    Extent most = parseExtent(function->getFnAttribute("nvvm.maxntid"), 0);
    if (most.x)
      kernel.maxThreads = most.x * most.y * most.z;
    kernel.chip = function->getFnAttribute("target-cpu").getValueAsString().str();
    llvm::SmallVector<llvm::Value *> operands;
    auto *entry = llvm::Function::Create(
        llvm::FunctionType::get(llvm::Type::getVoidTy(context), {pointer}, false),
        llvm::Function::ExternalLinkage, getEntryName(kernel.name), module);
    llvm::IRBuilder<> b(llvm::BasicBlock::Create(context, "entry", entry));
    for (llvm::Argument &argument : function->args()) {
      llvm::Value *address = b.CreateLoad(
          pointer, b.CreateConstGEP1_64(pointer, entry->getArg(0), argument.getArgNo()));
      int64_t bytes = 0;
      if (argument.hasByValAttr()) {
        bytes = module.getDataLayout().getTypeAllocSize(argument.getParamByValType());
        argument.removeAttr(llvm::Attribute::ByVal);
      } else {
        address = b.CreateLoad(argument.getType(), address);
      }
      operands.push_back(address);
      kernel.byValueBytes.push_back(bytes);
    }
    b.CreateCall(function, operands);
    b.CreateRetVoid();
    tables.kernels.push_back(std::move(kernel));
  }
  for (llvm::Function &function : module)
    if (!function.isDeclaration())
      function.setAttributes(function.getAttributes().removeFnAttributes(context));
}

llvm::Error posenc::emulator::rewrite(llvm::Module &module, bool check, bool count,
                                      CodeTables &tables) {
  Rewriter rewriter(module, tables);
  if (check || count)
    rewriter.noteAccesses();
  if (count)
    rewriter.countInstructions();
  rewriter.makeEntries();
  if (llvm::Error error = rewriter.replaceInstructions())
    return error;
  return rewriter.placeShared(/*hasGaps=*/check);
}
