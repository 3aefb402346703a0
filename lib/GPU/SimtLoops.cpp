//===- SimtLoops.cpp - linalg on buffers, a thread per element ------------===//

#include "GPU/Forms.h"
#include "GPU/ThreadBuilder.h"

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

/// What one thread does for element `id` of the iterations of `loops`, the last
/// of which goes along the threads.
static void buildThread(ThreadBuilder &t, scf::ParallelOp loops, Value id) {
  IRMapping at;
  for (unsigned d = loops.getNumLoops(); d-- > 0;) {
    Value quotient = d ? t.divide(id, loops.getUpperBound()[d]) : Value();
    at.map(loops.getInductionVars()[d],
           d ? t.sub(id, t.mul(quotient, loops.getUpperBound()[d])) : id);
    id = quotient;
  }
  for (Operation &inner : loops.getBody()->without_terminator())
    t.clone(inner, at);
}

LogicalResult posenc::buildSimtLoops(RewriterBase &rewriter, linalg::LinalgOp op) {
  FailureOr<linalg::GenericOp> generic = arrange(rewriter, op);
  if (failed(generic))
    return failure();
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
  b.setInsertionPoint(loops);
  Value total = one;
  for (Value size : loops.getUpperBound())
    total = arith::MulIOp::create(b, total, size);
  Value threads = arith::ConstantIndexOp::create(b, kThreads);
  Value blocks = arith::CeilDivUIOp::create(b, total, threads);
  LogicalResult built = buildLaunch(loops, "elementwise", blocks, kThreads, [&](ThreadBuilder &t) {
    Value id = t.add(t.mul(t.block, kThreads), t.thread);
    t.ifThen(t.less(id, total), [&] { buildThread(t, loops, id); });
    return success();
  });
  loops.erase();
  return built;
}
