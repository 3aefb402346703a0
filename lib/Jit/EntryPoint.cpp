//===- EntryPoint.cpp - Functions that a host may call --------------------===//

#include "posenc/Jit/EntryPoint.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/TypeSwitch.h"

#include <optional>

using namespace mlir;
using namespace posenc;

static std::optional<ElementKind> getElementKind(Type type) {
  return llvm::TypeSwitch<Type, std::optional<ElementKind>>(type)
      .Case([](Float64Type) { return ElementKind::F64; })
      .Case([](Float32Type) { return ElementKind::F32; })
      .Case([](Float16Type) { return ElementKind::F16; })
      .Case([](BFloat16Type) { return ElementKind::BF16; })
      .Case([](IndexType) { return ElementKind::I64; })
      .Case([](IntegerType integer) -> std::optional<ElementKind> {
        switch (integer.getWidth()) {
        case 64:
          return ElementKind::I64;
        case 32:
          return ElementKind::I32;
        case 16:
          return ElementKind::I16;
        case 8:
          return ElementKind::I8;
        case 1:
          return ElementKind::I1;
        default:
          return std::nullopt;
        }
      })
      .Default([](Type) { return std::nullopt; });
}

static std::optional<HostType> getHostType(Type type) {
  auto shaped = dyn_cast<ShapedType>(type);
  if (shaped && (!isa<RankedTensorType, MemRefType>(type)))
    return std::nullopt;
  if (auto memref = dyn_cast<MemRefType>(type);
      memref && !memref.getLayout().isIdentity())
    return std::nullopt;
  std::optional<ElementKind> kind =
      getElementKind(shaped ? shaped.getElementType() : type);
  if (!kind)
    return std::nullopt;
  HostType result{*kind, {}, !shaped};
  if (shaped)
    for (int64_t size : shaped.getShape())
      result.shape.push_back(ShapedType::isDynamic(size) ? -1 : size);
  return result;
}

/// The type that callers of `op` see, or null if it is no entry point.
static FunctionType getSignature(Operation &op) {
  auto function = dyn_cast<FunctionOpInterface>(op);
  if (!function || function.isExternal() || function.isPrivate())
    return {};
  // A C interface inherits the attributes of what it wraps.
  if (function.getName() == kLoadFunction ||
      function.getName().starts_with("_mlir_ciface_"))
    return {};
  if (auto attr = op.getAttrOfType<TypeAttr>(kSignatureAttr))
    return dyn_cast<FunctionType>(attr.getValue());
  if (auto func = dyn_cast<func::FuncOp>(op))
    return func.getFunctionType();
  return {};
}

void posenc::markEntryPoints(ModuleOp module) {
  for (auto func : module.getOps<func::FuncOp>()) {
    FunctionType signature = getSignature(*func);
    if (!signature)
      continue;
    func->setAttr(kSignatureAttr, TypeAttr::get(signature));
    func->setAttr(LLVM::LLVMDialect::getEmitCWrapperAttrName(),
                  UnitAttr::get(module.getContext()));
  }
}

llvm::SmallVector<StringRef> posenc::getEntryPointNames(ModuleOp module) {
  llvm::SmallVector<StringRef> names;
  for (Operation &op : *module.getBody())
    if (getSignature(op))
      names.push_back(SymbolTable::getSymbolName(&op).getValue());
  return names;
}

llvm::Expected<EntryPoint> posenc::findEntryPoint(ModuleOp module,
                                                  StringRef name) {
  llvm::SmallVector<StringRef> names = getEntryPointNames(module);
  if (names.empty())
    return makeError("the module has no public function to run");
  if (name.empty()) {
    if (names.size() > 1)
      return makeError("expected --entry with one of: " +
                       llvm::join(names, ", "));
    name = names.front();
  } else if (!llvm::is_contained(names, name)) {
    return makeError("no entry point '" + name +
                     "'; there are: " + llvm::join(names, ", "));
  }

  FunctionType signature = getSignature(*module.lookupSymbol(name));
  EntryPoint entry{name.str(), {}, {}};
  auto append = [&](TypeRange types, StringRef what,
                    auto &list) -> llvm::Error {
    for (auto [index, type] : llvm::enumerate(types)) {
      std::optional<HostType> hostType = getHostType(type);
      if (!hostType) {
        std::string text;
        llvm::raw_string_ostream(text) << type;
        return makeError("entry point '" + name + "' has " + what + " " +
                         llvm::Twine(index) + " of unsupported type " + text);
      }
      list.push_back(*hostType);
    }
    return llvm::Error::success();
  };
  if (llvm::Error error =
          append(signature.getInputs(), "argument", entry.arguments))
    return error;
  if (llvm::Error error =
          append(signature.getResults(), "result", entry.results))
    return error;
  return entry;
}

llvm::Expected<llvm::SmallVector<HostTensor>>
posenc::makeInputs(llvm::ArrayRef<std::string> specs, const EntryPoint &entry) {
  if (specs.size() != entry.arguments.size())
    return makeError("wrong number of inputs for '" + entry.name +
                     "': expected " + llvm::Twine(entry.arguments.size()) +
                     " but got " + llvm::Twine(specs.size()));
  llvm::SmallVector<HostTensor> inputs;
  for (auto [index, type] : llvm::enumerate(entry.arguments)) {
    auto input = makeInput(specs[index], type, /*defaultSeed=*/index);
    if (!input)
      return makeError("input " + llvm::Twine(index) + ": " +
                       llvm::toString(input.takeError()));
    inputs.push_back(std::move(*input));
  }
  return inputs;
}
