//===- CheckOperands.cpp - what only a run can check ----------------------===//
//
// The verifiers' rules for dynamic sizes, and indices into tables.
//
//===----------------------------------------------------------------------===//

#include "posenc/Passes.h"

#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace posenc;

namespace posenc {
#define GEN_PASS_DEF_POSENCCHECKOPERANDS
#include "posenc/Passes.h.inc"
} // namespace posenc

namespace {

/// Builds the checks of one op in front of it.
struct Checks {
  explicit Checks(Operation *op) : op(op), e(op->getLoc(), builder) { e.setInsertionPoint(op); }

  std::string message(const Twine &what) {
    return (op->getName().getStringRef() + ": expected " + what).str();
  }
  void equal(Value a, unsigned dimA, Value b, unsigned dimB, const Twine &what) {
    checkSize(e, op->getLoc(), a, dimA, b, dimB, message(what));
  }
  void sameShape(Value a, Value b, const Twine &what) {
    for (int64_t d = 0, rank = cast<ShapedType>(a.getType()).getRank(); d < rank; ++d)
      equal(a, d, b, d, what);
  }
  void equal(Value a, Value b, const Twine &what) {
    Value same = arith::CmpIOp::create(e, arith::CmpIPredicate::eq, a, b);
    cf::AssertOp::create(e, same, message(what));
  }
  /// Rows are as wide as those of a cache.
  void width(Value rows, Value cache) {
    auto type = cast<ShapedType>(cache.getType());
    if (!type.isDynamicDim(3) && !cast<ShapedType>(rows.getType()).isDynamicDim(3))
      return;
    Value chunks = tensor::DimOp::create(e, cache, 3);
    equal(tensor::DimOp::create(e, rows, 3), e.mul(chunks, e.index(type.getDimSize(5))),
          "rows of the cache's width");
  }
  /// Query heads are a multiple of key heads, of which there is one at least.
  void heads(Value queries, unsigned dim, Value keys, unsigned keyDim) {
    auto dynamic = [](Value v, unsigned d) { return cast<ShapedType>(v.getType()).isDynamicDim(d); };
    if (!dynamic(queries, dim) && !dynamic(keys, keyDim))
      return;
    Value n = tensor::DimOp::create(e, keys, keyDim), zero = e.index(0);
    Value some = arith::CmpIOp::create(e, arith::CmpIPredicate::ne, n, zero);
    Value rest = arith::RemUIOp::create(e, tensor::DimOp::create(e, queries, dim),
                                        e.max(n, e.index(1)));
    Value whole = arith::CmpIOp::create(e, arith::CmpIPredicate::eq, rest, zero);
    cf::AssertOp::create(e, e.logicalAnd(some, whole),
                         message("query heads to be a multiple of key heads"));
  }
  /// Twice as many elements of `a` as pairs of `b`.
  void pairs(Value a, unsigned dimA, Value b, unsigned dimB, const Twine &what) {
    auto size = [&](Value v, unsigned d) -> Value { return tensor::DimOp::create(e, v, d); };
    if (cast<ShapedType>(a.getType()).isDynamicDim(dimA) ||
        cast<ShapedType>(b.getType()).isDynamicDim(dimB))
      cf::AssertOp::create(e, arith::CmpIOp::create(e, arith::CmpIPredicate::eq, size(a, dimA),
                                                    e.mul(size(b, dimB), e.index(2))),
                           message(what));
  }

  Value room(Value cache) {
    Value blocks = tensor::DimOp::create(e, cache, 2);
    return e.mul(blocks, e.index(cast<ShapedType>(cache.getType()).getDimSize(4)));
  }
  /// Rows [start, start + count) are in `cache`.
  void fits(Value cache, Value start, Value count, const Twine &what) {
    Value room = this->room(cache);
    // Sums of large numbers would wrap around.
    Value begins = e.logicalAnd(e.lessEqual(e.index(0), start), e.lessEqual(start, room));
    Value ends = e.logicalAnd(e.lessEqual(e.index(0), count), e.lessEqual(count, e.sub(room, start)));
    cf::AssertOp::create(e, e.logicalAnd(begins, ends), message(what));
  }

  Operation *op;
  OpBuilder builder{op};
  Emitter e;
};

unsigned headDim(Layout layout) { return layout == Layout::bhsd ? 1 : 2; }
unsigned rowDim(Layout layout) { return layout == Layout::bhsd ? 2 : 1; }

void check(ScoresOp op) {
  Checks c(op);
  unsigned head = headDim(op.getLayout());
  c.equal(op.getQuery(), 0, op.getKey(), 0, "equal batch sizes of queries and keys");
  c.heads(op.getQuery(), head, op.getKey(), head);
  c.equal(op.getQuery(), 3, op.getKey(), 3, "queries and keys of one width");
}

void check(AttendOp op) {
  Checks c(op);
  c.equal(op.getScores(), 0, op.getValue(), 0, "equal batch sizes of scores and values");
  c.heads(op.getScores(), 1, op.getValue(), headDim(op.getLayout()));
  c.equal(op.getScores(), 3, op.getValue(), rowDim(op.getLayout()), "as many values as scored keys");
}

void check(AppendOp op) {
  Checks c(op);
  Value rows = op.getRows(), cache = op.getCache();
  c.equal(rows, 0, cache, 0, "equal batch sizes of rows and cache");
  c.equal(rows, headDim(op.getLayout()), cache, 1, "as many heads of rows as of the cache");
  c.width(rows, cache);
  Value start = op.getStart(), count = tensor::DimOp::create(c.e, rows, rowDim(op.getLayout()));
  if (start.getType().isIndex())
    return c.fits(cache, start, count, "a cache with room for the rows");
  c.equal(start, 0, rows, 0, "a position for every sample");
  Value places = c.e.add(c.e.sub(c.room(cache), count), c.e.index(1));
  CheckOp::create(c.e, op.getLoc(), start, c.e.max(places, c.e.index(0)),
                  "posenc.append: position of rows in the cache");
}

void check(RowsOp op) {
  Checks c(op);
  c.fits(op.getCache(), c.e.index(0), op.getCount(), "a count of at most the cache's room");
  ArrayRef<int64_t> shape = op.getType().getShape();
  auto known = [&](unsigned dim, Value found, const Twine &what) {
    if (ShapedType::isStatic(shape[dim]))
      c.equal(found, c.e.index(shape[dim]), what);
  };
  known(0, tensor::DimOp::create(c.e, op.getCache(), 0), "rows of every sample of the cache");
  known(headDim(op.getLayout()), tensor::DimOp::create(c.e, op.getCache(), 1),
        "rows of every head of the cache");
  known(rowDim(op.getLayout()), op.getCount(), "as many rows as the result has");
  Value chunks = tensor::DimOp::create(c.e, op.getCache(), 3);
  known(3, c.e.mul(chunks, c.e.index(op.getCache().getType().getDimSize(5))),
        "rows of the cache's width");
}

void check(AttentionOp op) {
  Checks c(op);
  unsigned head = op.getHeadDim(), row = op.getRowDim(), keyHead = op.getKeyHeadDim();
  Value q = op.getQuery(), k = op.getKey(), v = op.getValue(), o = op.getOuts()[0];
  c.equal(q, 0, k, 0, "equal batch sizes of queries and keys");
  c.equal(k, 0, v, 0, "equal batch sizes of keys and values");
  c.heads(q, head, k, keyHead);
  c.equal(k, keyHead, v, keyHead, "as many key as value heads");
  if (op.readsCache()) {
    for (Value cache : {k, v})
      c.fits(cache, c.e.index(0), op.getCount(), "a count of at most the cache's room");
    c.width(q, k);
    c.width(o, v);
  } else {
    c.equal(k, row, v, row, "as many keys as values");
    c.equal(q, 3, k, 3, "queries and keys of one width");
    c.equal(o, 3, v, 3, "a destination of the values' width");
  }
  for (unsigned d : {0u, head, row})
    c.equal(o, d, q, d, "a destination for every query head and row");
  if (op.getOuts().size() == 2)
    for (auto [d, of] : {std::pair(0u, 0u), std::pair(1u, head), std::pair(2u, row)})
      c.equal(op.getOuts()[1], d, q, of, "log-sum-exp of shape [batch, head, row]");
}

void check(MapOp op) {
  Checks c(op);
  for (Value v : op.getOthers())
    c.sameShape(op.getInput(), v, "operands of one shape");
  c.sameShape(op.getInput(), op.getOuts()[0], "operands of one shape");
}

void check(LinearOp op) {
  Checks c(op);
  Value x = op.getInput(), y = op.getOuts()[0];
  unsigned last = cast<ShapedType>(x.getType()).getRank() - 1;
  if (op.isPaired())
    c.pairs(x, last, op.getWeight(), 1, "inputs of the weight's width");
  else
    c.equal(x, last, op.getWeight(), 1, "inputs of the weight's width");
  if (!op.isPacked())
    c.equal(y, last, op.getWeight(), 0, "a weight for every output");
  for (unsigned d = 0; d < last; ++d)
    c.equal(x, d, y, d, "destination rows as in the input");
  for (Value extra : op.getExtras()) {
    if (cast<ShapedType>(extra.getType()).getRank() == 1)
      c.equal(extra, 0, y, last, "extras of the result's width");
    else
      c.sameShape(extra, y, "extras of the result's shape");
  }
}

void check(LayerNormOp op) {
  Checks c(op);
  unsigned last = cast<ShapedType>(op.getInput().getType()).getRank() - 1;
  c.equal(op.getGamma(), 0, op.getInput(), last, "gamma of the input's width");
  c.equal(op.getBeta(), 0, op.getInput(), last, "beta of the input's width");
  c.sameShape(op.getInput(), op.getOuts()[0], "a destination of the input's shape");
}

/// Coordinates go with the rows; an encoding knows its own operands.
void check(EncodingOpInterface op) {
  Checks c(op);
  Value x = op.getInput();
  bool pairs = op.getSite() == Site::Score || op.getSite() == Site::Mask;
  auto layout = op->getAttrOfType<LayoutAttr>("layout");
  for (auto [n, positions] : llvm::enumerate(op.getPositionOperands())) {
    unsigned rank = cast<ShapedType>(positions.getType()).getRank();
    unsigned row = pairs ? 2 + n
                   : op.getSite() == Site::Token ? 1
                                                 : rowDim(layout ? layout.getValue() : Layout::bhsd);
    c.equal(positions, rank - 1, x, row, "a coordinate for every row");
    if (rank == 2)
      c.equal(positions, 0, x, 0, "coordinates for every sample");
  }
  op.emitChecks(c.e, op.getLoc());
}

void check(EmbeddingOp op) {
  Checks c(op);
  checkIndices(c.e, op.getLoc(), op.getIds(), op.getTable(), "token id");
}

struct CheckOperands : posenc::impl::PosencCheckOperandsBase<CheckOperands> {
  void runOnOperation() override {
    // Checks are built in front of what is visited; collect first.
    SmallVector<Operation *> ops;
    getOperation()->walk([&](Operation *op) { ops.push_back(op); });
    for (Operation *op : ops) {
      if (auto dps = dyn_cast<DestinationStyleOpInterface>(op); dps && !dps.hasPureTensorSemantics())
        continue;
      TypeSwitch<Operation *>(op)
          .Case<ScoresOp, AttendOp, EmbeddingOp, AppendOp, RowsOp, AttentionOp, MapOp, LinearOp, LayerNormOp, EncodingOpInterface>(
              [](auto o) { check(o); });
    }
  }
};

} // namespace
