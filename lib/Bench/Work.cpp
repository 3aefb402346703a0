//===- Work.cpp - What one call has to do at least ------------------------===//

#include "Bench/Work.h"

#include "Reference/Loops.h"
#include "posenc/Pipelines.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

using namespace posenc;
using namespace posenc::bench;
using namespace mlir;

static Value getSize(Emitter &e, Value tensor, unsigned dim) {
  return tensor::DimOp::create(e, tensor, dim);
}

static Value multiply(Emitter &e, ValueRange factors) {
  Value product = e.index(1);
  for (Value factor : factors)
    product = e.mul(product, factor);
  return product;
}

/// How often `mask` lets a query see a key.
static Value countPairs(Emitter &e, AttentionOp op) {
  Value sizes[] = {getSize(e, op.getQuery(), 0),
                   getSize(e, op.getQuery(), op.getHeadDim()),
                   getSize(e, op.getQuery(), op.getRowDim()),
                   op.readsCache() ? op.getCount() : getSize(e, op.getKey(), op.getRowDim())};
  if (op.getMask().empty())
    return multiply(e, sizes);
  SmallVector<Value> lower(4, e.index(0)), step(4, e.index(1));
  auto loops = scf::buildLoopNest(
      e, op.getLoc(), lower, sizes, step, e.index(0),
      [&](OpBuilder &b, Location loc, ValueRange at, ValueRange sum) {
        Emitter inner(loc, b);
        Value sees = reference::inlineRegion(inner, op.getMask(), at)[0];
        Value one = inner.select(sees, inner.index(1), inner.index(0));
        return scf::ValueVector{inner.add(sum[0], one)};
      });
  return loops.results[0];
}

/// The flops of `op`, or null if it does no products.
static Value countFlops(Emitter &e, Operation *op) {
  if (auto attention = dyn_cast<AttentionOp>(op)) {
    Value channels =
        e.add(getSize(e, attention.getQuery(), 3), getSize(e, attention.getOuts()[0], 3));
    return multiply(e, {e.index(2), channels, countPairs(e, attention)});
  }
  if (auto linear = dyn_cast<LinearOp>(op)) {
    SmallVector<Value> factors = {e.index(2), getSize(e, linear.getWeight(), 1)};
    Value out = linear.getOuts()[0];
    for (int64_t d = 0, n = cast<ShapedType>(out.getType()).getRank(); d < n; ++d)
      factors.push_back(getSize(e, out, d));
    return multiply(e, factors);
  }
  auto product = dyn_cast<linalg::LinalgOp>(op);
  if (!product || !linalg::isaContractionOpInterface(product))
    return {};
  SmallVector<Value> factors = {e.index(2)};
  for (Range range : product.createLoopRanges(e, op->getLoc()))
    factors.push_back(getValueOrCreateConstantIndexOp(e, op->getLoc(), range.size));
  return multiply(e, factors);
}

/// Bytes of the weights that more than a few rows are read of.
static double countBytes(func::FuncOp function) {
  double bytes = 0;
  function.walk([&](WeightOp weight) {
    if (llvm::all_of(weight->getUsers(), llvm::IsaPred<EmbeddingOp, tensor::ExtractOp>))
      return;
    auto type = cast<ShapedType>(weight.getType());
    bytes += type.getNumElements() * type.getElementTypeBitWidth() / 8.0;
  });
  return bytes;
}

/// Makes `function` return its flops instead of its results.
static llvm::Error returnFlops(func::FuncOp function) {
  if (!function.getBody().hasOneBlock())
    return makeError("expected a function without branches to count its work");
  Block &block = function.getBody().front();
  auto end = cast<func::ReturnOp>(block.getTerminator());
  Emitter e(end.getLoc(), function.getContext());
  e.setInsertionPoint(end);
  Value total = e.index(0);
  llvm::Error error = llvm::Error::success();
  function.walk([&](Operation *op) {
    if (isa<LinearOp, AttentionOp>(op) || isa<linalg::LinalgOp>(op)) {
      if (op->getBlock() == &block) {
        if (Value flops = countFlops(e, op))
          total = e.add(total, flops);
      } else if (!error) {
        error = makeError("cannot count the work inside '" +
                          op->getParentOp()->getName().getStringRef() + "'");
      }
    }
  });
  if (error)
    return error;
  end.getOperandsMutable().assign(total);
  function.setType(FunctionType::get(function.getContext(), function.getArgumentTypes(),
                                     total.getType()));
  function.removeResAttrsAttr();
  // That of the results that are gone.
  function->removeAttr(kSignatureAttr);
  return llvm::Error::success();
}

static LogicalResult fuse(ModuleOp module) {
  PassManager manager(module->getContext());
  CpuPipelineOptions options;
  options.to = "fuse";
  auto onError = [](const Twine &) { return failure(); };
  return failure(failed(buildCpuPipeline(manager, options, onError)) || failed(manager.run(module)));
}

/// Leaves out all that sizes and masks do not depend on.
static LogicalResult reduce(ModuleOp module) {
  PassManager manager(module->getContext());
  manager.addPass(memref::createResolveRankedShapeTypeResultDimsPass());
  manager.addPass(createCanonicalizerPass());
  manager.addPass(createCSEPass());
  return manager.run(module);
}

llvm::Expected<Work> posenc::bench::countWork(MLIRContext &context, StringRef text,
                                              StringRef name,
                                              MutableArrayRef<HostTensor> inputs) {
  auto module = parseSourceString<ModuleOp>(text, &context);
  if (!module)
    return makeError("cannot parse the program");
  auto entry = findEntryPoint(*module, name);
  if (!entry)
    return entry.takeError();
  if (failed(fuse(*module)))
    return makeError("cannot fuse the program to count its work");
  auto function = module->lookupSymbol<func::FuncOp>(entry->name);
  if (!function)
    return makeError("expected a func.func to count its work");
  Work work;
  work.bytes = countBytes(function);
  if (llvm::Error error = returnFlops(function))
    return error;
  if (failed(reduce(*module)))
    return makeError("cannot count the work of the program");
  ProgramOptions options;
  options.pipeline = "posenc-reference";
  auto program = Program::build(*module, entry->name, options);
  if (!program)
    return program.takeError();
  auto results = program->jit->call(program->entry, inputs);
  if (!results)
    return results.takeError();
  work.flops = (*results)[0].getInt(0);
  return work;
}
