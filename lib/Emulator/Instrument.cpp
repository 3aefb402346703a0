//===- Instrument.cpp - Kernels that say what they do ---------------------===//
//
// Basic blocks count how often they are entered; loads, stores and atomics tell
// the checker and the counts which addresses they use.
//
//===----------------------------------------------------------------------===//

#include "Rewriter.h"

#include "llvm/Analysis/ValueTracking.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/IntrinsicInst.h"

using namespace posenc::emulator;
using llvm::Twine;

static void noteAccess(const AccessSite *site, const void *address) {
  Block &block = Block::getCurrent();
  if (block.run->checker)
    block.run->checker->access(block, address, site->bytes, site->alignment, site->kind,
                               site->what.c_str());
  if (block.run->counts)
    block.run->counts->addAccess(block, site, address, site->bytes, site->kind != Access::Read);
}

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
                    Access kind, llvm::Twine what) {
  // What a thread keeps for itself.
  if (llvm::isa<llvm::AllocaInst>(llvm::getUnderlyingObject(address)))
    return;
  tables.accesses.push_back({bytes, alignment, kind, what.str()});
  llvm::IRBuilder<> b(&before);
  call(b, noteAccess, {getAddress(&tables.accesses.back()), flatten(b, address)});
}

std::string posenc::emulator::toString(llvm::Type *type) {
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
