//===- Object.cpp - From a lowered module to an object --------------------===//

#include "posenc/Jit/Object.h"

#include "Invoker.h"
#include "llvm/ExecutionEngine/Orc/CompileUtils.h"
#include "llvm/ExecutionEngine/Orc/ExecutionUtils.h"
#include "llvm/IR/IRBuilder.h"

#include <map>

using namespace posenc;
using llvm::StringRef;

/// A function that calls the global constructors, which a linker would do; its
/// name is added to `names` if there are any.
static void addConstruct(llvm::Module &module,
                         llvm::SmallVectorImpl<std::string> &names) {
  std::multimap<unsigned, llvm::Function *> constructors; // by priority
  for (auto constructor : llvm::orc::getConstructors(module))
    if (constructor.Func)
      constructors.insert({constructor.Priority, constructor.Func});
  if (constructors.empty())
    return;
  module.getNamedGlobal("llvm.global_ctors")->eraseFromParent();
  llvm::LLVMContext &context = module.getContext();
  auto *construct = llvm::Function::Create(
      llvm::FunctionType::get(llvm::Type::getVoidTy(context), false),
      llvm::Function::ExternalLinkage, kConstructFunction, module);
  llvm::IRBuilder<> builder(
      llvm::BasicBlock::Create(context, "entry", construct));
  for (auto [priority, function] : constructors)
    builder.CreateCall(function);
  builder.CreateRetVoid();
  names.push_back(kConstructFunction.str());
}

/// Adds the invokers of `entries`; returns their names, and those of the
/// functions that prepare the module.
static llvm::Expected<llvm::SmallVector<std::string>>
addFunctions(llvm::Module &module, llvm::ArrayRef<EntryPoint> entries) {
  llvm::SmallVector<std::string> names;
  for (const EntryPoint &entry : entries) {
    if (llvm::Error error = addInvoker(module, entry))
      return error;
    names.push_back((kInvokerPrefix + entry.name).str());
  }
  if (llvm::Function *load = module.getFunction(kLoadFunction);
      load && !load->isDeclaration()) {
    if (load->arg_size() != 0 || !load->getReturnType()->isVoidTy())
      return makeError("expected " + kLoadFunction +
                       " without arguments and results");
    names.push_back(kLoadFunction.str());
  }
  addConstruct(module, names);
  return names;
}

llvm::Expected<Object> posenc::compileObject(mlir::ModuleOp source,
                                             llvm::ArrayRef<EntryPoint> entries,
                                             const CompileOptions &options) {
  auto target = createTargetMachine(options);
  if (!target)
    return target.takeError();
  llvm::LLVMContext context;
  auto module = translate(source, context, **target);
  if (!module)
    return module.takeError();
  auto names = addFunctions(**module, entries);
  if (!names)
    return names.takeError();
  // The C interfaces stay for whoever looks at, or links, the object.
  optimize(**module, **target, options.optLevel, [&](StringRef name) {
    return llvm::is_contained(*names, name) ||
           (name.consume_front(kInterfacePrefix) &&
            llvm::is_contained(*names, (kInvokerPrefix + name).str()));
  });
  auto code = llvm::orc::SimpleCompiler(**target)(**module);
  if (!code)
    return code.takeError();
  return Object{std::move(*names), std::move(*code)};
}
