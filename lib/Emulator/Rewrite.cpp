//===- Rewrite.cpp - Kernels as host code ---------------------------------===//

#include "Rewrite.h"
#include "posenc/Jit/HostTensor.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Analysis/ValueTracking.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/InlineAsm.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/IR/ReplaceConstant.h"
#include "llvm/Support/raw_ostream.h"

using namespace posenc;
using namespace posenc::emulator;
using llvm::StringRef;
using llvm::Twine;

//===----------------------------------------------------------------------===//
// What rewritten code calls
//===----------------------------------------------------------------------===//

static void emulate(const CallSite *site, void *result, const char *operands) {
  Block &block = Block::getCurrent();
  if (block.run->counts)
    block.run->counts->addModel(site->name);
  (*site->model)(Call{block, *site, result, operands});
}

static void noteAccess(const AccessSite *site, const void *address) {
  Block &block = Block::getCurrent();
  if (block.run->checker)
    block.run->checker->access(block, address, site->bytes, site->alignment, site->kind,
                               site->what.c_str());
  if (block.run->counts)
    block.run->counts->addAccess(block, site, address, site->bytes, site->kind != Access::Read);
}

static void *getShared() { return Block::getCurrent().shared; }

static void trap() { Block::getCurrent().fail("trap"); }

namespace {

constexpr int kSlotBytes = 16; // of an operand

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
            Access kind, Twine what);
  llvm::Error replace(llvm::CallInst &instruction, StringRef name, llvm::Value *result,
                      llvm::Value *operands);
  bool passThrough(llvm::CallInst &instruction);

  llvm::Module &module;
  llvm::LLVMContext &context;
  CodeTables &tables;
  llvm::Type *pointer;
};

} // namespace

//===----------------------------------------------------------------------===//
// Counts
//===----------------------------------------------------------------------===//

/// Whether this is one of our own calls.
static bool isNote(const llvm::Instruction &i) {
  auto *call = llvm::dyn_cast<llvm::CallInst>(&i);
  return call && llvm::isa<llvm::ConstantExpr>(call->getCalledOperand());
}

static std::optional<InstructionClass> classify(const llvm::Instruction &i) {
  if (llvm::isa<llvm::PHINode, llvm::AllocaInst, llvm::AddrSpaceCastInst>(i) || isNote(i))
    return std::nullopt;
  if (i.isTerminator())
    return Control;
  if (llvm::isa<llvm::LoadInst, llvm::StoreInst, llvm::AtomicRMWInst, llvm::AtomicCmpXchgInst,
                llvm::MemIntrinsic>(i))
    return Memory_;
  if (auto *call = llvm::dyn_cast<llvm::IntrinsicInst>(&i)) {
    switch (call->getIntrinsicID()) {
    case llvm::Intrinsic::exp:
    case llvm::Intrinsic::exp2:
    case llvm::Intrinsic::log:
    case llvm::Intrinsic::log2:
    case llvm::Intrinsic::sin:
    case llvm::Intrinsic::cos:
    case llvm::Intrinsic::sqrt:
    case llvm::Intrinsic::pow:
      return Special;
    default:
      if (call->getCalledFunction()->getName().starts_with("llvm.nvvm."))
        return std::nullopt; // counted by its name
    }
  }
  if (i.getOpcode() == llvm::Instruction::FDiv)
    return Special;
  bool isFloat = i.getType()->isFPOrFPVectorTy() || llvm::isa<llvm::FCmpInst>(i);
  return isFloat ? Float : Integer;
}

/// Each basic block counts how often it is entered.
void Rewriter::countInstructions() {
  for (llvm::Function &function : module)
    for (llvm::BasicBlock &block : function) {
      std::array<uint32_t, NumClasses> contents = {};
      for (llvm::Instruction &i : block)
        if (auto kind = classify(i)) {
          auto *vector = llvm::dyn_cast<llvm::FixedVectorType>(i.getType());
          contents[*kind] += vector && *kind < Memory_ ? vector->getNumElements() : 1;
        }
      tables.contents.push_back(contents);
      llvm::IRBuilder<> b(&block, block.getFirstNonPHIOrDbgOrAlloca());
      llvm::Value *counter = getAddress(&tables.entries.emplace_back(0));
      b.CreateStore(b.CreateAdd(b.CreateLoad(b.getInt64Ty(), counter), b.getInt64(1)), counter);
    }
}

//===----------------------------------------------------------------------===//
// Accesses
//===----------------------------------------------------------------------===//

void Rewriter::note(llvm::Instruction &before, llvm::Value *address, int bytes, int alignment,
                    Access kind, Twine what) {
  // What a thread keeps for itself.
  if (llvm::isa<llvm::AllocaInst>(llvm::getUnderlyingObject(address)))
    return;
  tables.accesses.push_back({bytes, alignment, kind, what.str()});
  llvm::IRBuilder<> b(&before);
  call(b, noteAccess, {getAddress(&tables.accesses.back()), flatten(b, address)});
}

static std::string toString(llvm::Type *type) {
  std::string text;
  llvm::raw_string_ostream os(text);
  type->print(os);
  return text;
}

void Rewriter::noteAccesses() {
  const llvm::DataLayout &layout = module.getDataLayout();
  auto size = [&](llvm::Type *type) { return int(layout.getTypeStoreSize(type)); };
  for (llvm::Function &function : module)
    for (llvm::Instruction &i : llvm::make_early_inc_range(llvm::instructions(function))) {
      if (auto *load = llvm::dyn_cast<llvm::LoadInst>(&i))
        note(i, load->getPointerOperand(), size(load->getType()), load->getAlign().value(),
             load->isAtomic() ? Access::Atomic : Access::Read,
             "load of " + toString(load->getType()));
      else if (auto *store = llvm::dyn_cast<llvm::StoreInst>(&i))
        note(i, store->getPointerOperand(), size(store->getValueOperand()->getType()),
             store->getAlign().value(), store->isAtomic() ? Access::Atomic : Access::Write,
             "store of " + toString(store->getValueOperand()->getType()));
      else if (auto *atomic = llvm::dyn_cast<llvm::AtomicRMWInst>(&i))
        note(i, atomic->getPointerOperand(), size(atomic->getType()), atomic->getAlign().value(),
             Access::Atomic, "atomic " + llvm::AtomicRMWInst::getOperationName(atomic->getOperation()));
      else if (auto *exchange = llvm::dyn_cast<llvm::AtomicCmpXchgInst>(&i))
        note(i, exchange->getPointerOperand(), size(exchange->getNewValOperand()->getType()),
             exchange->getAlign().value(), Access::Atomic, "atomic compare and exchange");
      else if (auto *copy = llvm::dyn_cast<llvm::MemIntrinsic>(&i)) {
        auto *length = llvm::dyn_cast<llvm::ConstantInt>(copy->getLength());
        if (!length)
          continue;
        int bytes = length->getZExtValue();
        note(i, copy->getRawDest(), bytes, copy->getDestAlign().valueOrOne().value(),
             Access::Write, "memory intrinsic");
        if (auto *transfer = llvm::dyn_cast<llvm::MemTransferInst>(copy))
          note(i, transfer->getRawSource(), bytes,
               transfer->getSourceAlign().valueOrOne().value(), Access::Read, "memory intrinsic");
      }
    }
}

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
