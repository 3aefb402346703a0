//===- SimtLoops.cpp - linalg on buffers, a thread per element or some ----===//

#include "GPU/Forms.h"
#include "GPU/ThreadBuilder.h"
#include "Vectorize/RegionVectorizer.h"

#include "mlir/Dialect/Linalg/Transforms/Transforms.h"

using namespace mlir;
using namespace posenc;

static constexpr int64_t kThreads = 256;

/// The op with its parallel dimensions first.
static FailureOr<linalg::GenericOp> arrange(RewriterBase &rewriter, linalg::LinalgOp op) {
  rewriter.setInsertionPoint(op);
  auto generic = dyn_cast<linalg::GenericOp>(op.getOperation());
  if (!generic) {
    FailureOr<linalg::GenericOp> general = linalg::generalizeNamedOp(rewriter, op);
    if (failed(general))
      return op.emitOpError("expected an operation that can be written as a loop nest");
    generic = *general;
  }
  SmallVector<unsigned> order;
  for (auto kind : {utils::IteratorType::parallel, utils::IteratorType::reduction})
    for (auto [n, iterator] : llvm::enumerate(generic.getIteratorTypesArray()))
      if (iterator == kind)
        order.push_back(n);
  return llvm::is_sorted(order) ? generic
                                : linalg::interchangeGenericOp(rewriter, generic, order);
}

/// Loops from 0 by 1, the outermost first, and what they repeat.
struct Nest {
  SmallVector<Value> variables, bounds;
  Block *body;
};

/// Where element `id` is: coordinates below `bounds`, the last of which goes along the
/// threads.
static SmallVector<Value> unravel(ThreadBuilder &t, Value id, ValueRange bounds) {
  SmallVector<Value> at(bounds.size());
  for (unsigned d = bounds.size(); d-- > 0;) {
    Value quotient = d ? t.divide(id, bounds[d]) : Value();
    at[d] = d ? t.sub(id, t.mul(quotient, bounds[d])) : id;
    id = quotient;
  }
  return at;
}

/// A thread for each point below `bounds`.
static LogicalResult buildPoints(Operation *op, ValueRange bounds,
                                 function_ref<LogicalResult(ThreadBuilder &, ValueRange)> body) {
  KernelBuilder host(op->getLoc(), op->getBlock(), 1);
  host.setInsertionPoint(op);
  Value total = host.index(1);
  for (Value size : bounds)
    total = host.mul(total, size);
  return buildLaunch(op, "elementwise", host.ceilDivide(total, kThreads), kThreads,
                     [&](ThreadBuilder &t) {
    Value id = t.add(t.mul(t.block, kThreads), t.thread);
    LogicalResult built = success();
    t.ifThen(t.less(id, total), [&] { built = body(t, unravel(t, id, bounds)); });
    return built;
  });
}

static LogicalResult buildNest(Operation *op, const Nest &nest) {
  return buildPoints(op, nest.bounds, [&](ThreadBuilder &t, ValueRange at) {
    IRMapping mapping;
    mapping.map(nest.variables, at);
    for (Operation &inner : nest.body->without_terminator())
      t.clone(inner, mapping);
    return success();
  });
}

LogicalResult posenc::buildSimtNest(scf::ForOp loop) {
  Nest nest;
  Operation *outermost = loop;
  while (loop) {
    if (!isConstantIntValue(loop.getLowerBound(), 0) || !isConstantIntValue(loop.getStep(), 1))
      return loop.emitOpError("expected a loop from 0 by 1 to map to a GPU");
    nest.variables.push_back(loop.getInductionVar());
    nest.bounds.push_back(loop.getUpperBound());
    nest.body = loop.getBody();
    loop = dyn_cast<scf::ForOp>(nest.body->front());
    if (loop && !loop->hasAttr("posenc.independent"))
      loop = nullptr;
  }
  return buildNest(outermost, nest);
}

//===----------------------------------------------------------------------===//
// Several elements of a thread
//===----------------------------------------------------------------------===//

/// Whether an operand is read or written where the last loop is, element by element.
static bool isAlongLast(AffineMap map) {
  return map.getNumResults() && map.getResults().back() ==
                                    getAffineDimExpr(map.getNumDims() - 1, map.getContext());
}

/// How many elements of the last dimension a thread takes, so that an access has up to
/// 16 bytes; 1 if operands or the body do not allow more.
static int64_t chooseElements(linalg::GenericOp op) {
  int64_t last = op.getNumLoops() - 1, n = 16;
  if (op.getNumReductionLoops())
    return 1;
  SmallVector<Value> varying;
  Block *body = op.getBody();
  for (OpOperand &operand : op->getOpOperands()) {
    AffineMap map = op.getMatchingIndexingMap(&operand);
    auto type = dyn_cast<MemRefType>(operand.get().getType());
    if (type && (!type.getElementType().isIntOrFloat() || type.getElementTypeBitWidth() < 8))
      return 1;
    if (!map.isProjectedPermutation(/*allowZeroInResults=*/true))
      return 1;
    if (isAlongLast(map)) {
      n = std::min(n, ThreadBuilder::widest(operand.get()));
      varying.push_back(body->getArgument(operand.getOperandNumber()));
    } else if (map.isFunctionOfDim(last) || op.isDpsInit(&operand)) {
      return 1;
    }
  }
  for (auto index : body->getOps<linalg::IndexOp>())
    if (static_cast<int64_t>(index.getDim()) == last)
      varying.push_back(index);
  bool isVector = RegionVectorizer::hasVectorForm(op.getRegion(), varying) &&
                  llvm::none_of(body->getOps<memref::LoadOp>(), [&](memref::LoadOp load) {
                    return llvm::any_of(load.getIndices(), [](Value v) {
                      return !isa_and_nonnull<linalg::IndexOp, arith::ConstantOp>(v.getDefiningOp());
                    }) || load.getType().isInteger(1);
                  });
  return isVector ? n : 1;
}

/// A thread for `n` neighbours of the last dimension.
static LogicalResult buildWide(linalg::GenericOp op, int64_t n) {
  OpBuilder b(op);
  KernelBuilder host(op.getLoc(), op->getBlock(), 1);
  host.setInsertionPoint(op);
  SmallVector<Value> bounds;
  for (const Range &range : cast<linalg::LinalgOp>(*op).createLoopRanges(b, op.getLoc()))
    bounds.push_back(getValueOrCreateConstantIndexOp(b, op.getLoc(), range.size));
  host.setInsertionPoint(op);
  bounds.back() = host.divide(bounds.back(), n);
  return buildPoints(op, bounds, [&](ThreadBuilder &t, ValueRange point) {
    SmallVector<Value> at(point);
    at.back() = t.mul(at.back(), n);
    auto place = [&](AffineMap map) {
      return llvm::map_to_vector(map.getResults(), [&](AffineExpr e) {
        auto dim = dyn_cast<AffineDimExpr>(e);
        return dim ? at[dim.getPosition()] : t.index(0);
      });
    };
    IRMapping none;
    RegionVectorizer vectorizer(t, op.getRegion(), none);
    SmallVector<RegionVectorizer::Binding> bindings;
    for (OpOperand &operand : op->getOpOperands()) {
      BlockArgument argument = op.getMatchingBlockArgument(&operand);
      AffineMap map = op.getMatchingIndexingMap(&operand);
      Value x = operand.get();
      if (argument.use_empty())
        continue;
      if (!isa<MemRefType>(x.getType()))
        bindings.push_back({argument, x});
      else if (isAlongLast(map))
        bindings.push_back({argument, vector::LoadOp::create(t, t.vectorType(n, argument.getType()),
                                                             x, place(map)).getResult()});
      else
        bindings.push_back({argument, memref::LoadOp::create(t, x, place(map)).getResult()});
    }
    for (auto index : op.getBody()->getOps<linalg::IndexOp>()) {
      Value where = at[index.getDim()];
      bool isLast = index.getDim() + 1 == at.size();
      bindings.push_back({index, isLast ? Lanes::counting(t, where, 1, n) : Lanes(where)});
    }
    SmallVector<Lanes> results = vectorizer.evaluate(bindings);
    for (auto [result, init] : llvm::zip(results, op.getDpsInitsMutable()))
      vector::StoreOp::create(t, result.asVectors(t, 1, n)[0], init.get(),
                              place(op.getMatchingIndexingMap(&init)));
    t.align();
    return failure(vectorizer.failed());
  });
}

LogicalResult posenc::buildSimtLoops(RewriterBase &rewriter, linalg::LinalgOp op) {
  FailureOr<linalg::GenericOp> generic = arrange(rewriter, op);
  if (failed(generic))
    return failure();
  if (int64_t n = chooseElements(*generic); n > 1) {
    LogicalResult built = buildWide(*generic, n);
    rewriter.eraseOp(*generic);
    return built;
  }
  rewriter.setInsertionPoint(*generic);
  ImplicitLocOpBuilder b(generic->getLoc(), rewriter);
  Value one = arith::ConstantIndexOp::create(b, 1);

  if (generic->getNumParallelLoops() == 0)
    return buildLaunch(*generic, "elementwise", one, 1, [&](ThreadBuilder &t) {
      auto inner = cast<linalg::GenericOp>(t.clone(**generic));
      IRRewriter nested(t);
      nested.setInsertionPoint(inner);
      if (failed(linalg::linalgOpToLoops(nested, inner)))
        return failure();
      inner.erase();
      generic->erase();
      return success();
    });

  FailureOr<linalg::LinalgLoops> nest = linalg::linalgOpToParallelLoops(rewriter, *generic);
  if (failed(nest))
    return generic->emitOpError("expected buffers to map to a GPU");
  rewriter.eraseOp(*generic);
  auto loops = cast<scf::ParallelOp>(nest->front()); // from 0 by 1
  LogicalResult built =
      buildNest(loops, {SmallVector<Value>(loops.getInductionVars()),
                        SmallVector<Value>(loops.getUpperBound()), loops.getBody()});
  loops.erase();
  return built;
}
