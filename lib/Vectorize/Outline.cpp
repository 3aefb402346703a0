//===- Outline.cpp - kernels as functions of their own --------------------===//

#include "Vectorize/Outline.h"

#include "mlir/IR/Matchers.h"
#include "mlir/IR/OperationSupport.h"
#include "mlir/Transforms/RegionUtils.h"

using namespace mlir;
using namespace posenc;

void KernelCall::operator()(KernelBuilder &b, ValueRange indices) const {
  SmallVector<Value> all(arguments);
  llvm::append_range(all, indices);
  func::CallOp::create(b, kernel, all);
}

KernelCall KernelCall::with(ValueRange last) const {
  KernelCall other(*this);
  llvm::copy(last, other.arguments.begin() + operands - last.size());
  return other;
}

KernelBuilder Outliner::before(Operation *op) const {
  KernelBuilder b(op->getLoc(), op->getBlock(), lanes);
  b.bf16Pairs = bf16Pairs;
  b.setInsertionPoint(op);
  return b;
}

FailureOr<KernelCall> Outliner::outline(StringRef stem, MutableArrayRef<Region> regions,
                                        ValueRange operands, unsigned indices, Body body) {
  // Constants from outside are built again inside, the rest becomes arguments.
  SetVector<Value> used;
  getUsedValuesDefinedAbove(regions, used);
  SmallVector<Value> constants, captures, arguments(operands);
  for (Value v : used)
    (matchPattern(v, m_Constant()) ? constants : captures).push_back(v);
  llvm::append_range(arguments, captures);
  Builder types(symbols.getOp()->getContext());
  SmallVector<Type> inputs(ValueRange(arguments).getTypes());
  inputs.append(indices, types.getIndexType());

  Location loc = types.getUnknownLoc(); // of no operation in particular
  std::string name = ("posenc_" + stem).str();
  auto kernel = func::FuncOp::create(loc, name, types.getFunctionType(inputs, {}));
  kernel.setPrivate();
  // The first is lost on the way to LLVM. Inlined, a kernel would be optimised
  // in every place, and its addresses be computed again in the innermost loop. The
  // second tells the compiler of LLVM IR that its loops are as they should be.
  kernel.setNoInline(true);
  kernel->setAttr("passthrough", types.getStrArrayAttr({"noinline", "posenc-kernel"}));
  KernelBuilder b(loc, kernel.addEntryBlock(), lanes);
  b.bf16Pairs = bf16Pairs;
  ValueRange given = kernel.getArguments();
  IRMapping outer;
  for (Value v : constants)
    b.clone(*v.getDefiningOp(), outer);
  outer.map(captures, given.slice(operands.size(), captures.size()));
  if (failed(body(b, given.take_front(operands.size()), outer, given.take_back(indices)))) {
    kernel.erase();
    return failure();
  }
  func::ReturnOp::create(b);

  for (func::FuncOp other : kernels) {
    kernel.setSymName(other.getSymName());
    if (OperationEquivalence::isEquivalentTo(kernel, other,
                                             OperationEquivalence::IgnoreLocations)) {
      kernel.erase();
      return KernelCall{other, arguments, unsigned(operands.size())};
    }
  }
  kernel.setSymName(name);
  symbols.insert(kernel);
  kernels.push_back(kernel);
  return KernelCall{kernel, arguments, unsigned(operands.size())};
}
