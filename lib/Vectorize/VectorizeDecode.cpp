//===- VectorizeDecode.cpp - attention of few queries to kernel calls -----===//

#include "Vectorize/AttentionKernel.h"
#include "Vectorize/Outline.h"

using namespace mlir;
using namespace posenc;

/// Below so many keys another thread costs more than it helps.
static constexpr int64_t fewestKeys = 256;

Value posenc::threadCount(KernelBuilder &b, AttentionOp op) {
  auto module = op->getParentOfType<ModuleOp>();
  auto function = module.lookupSymbol<func::FuncOp>("posenc_threads");
  if (!function) {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(module.getBody());
    function = func::FuncOp::create(b, "posenc_threads", b.getFunctionType({}, b.getI32Type()));
    function.setPrivate();
  }
  return b.toIndex(func::CallOp::create(b, function).getResult(0));
}

/// Parts to cut the keys into when there are fewer calls than threads.
static Value countParts(KernelBuilder &b, AttentionOp op, Value calls) {
  Value threads = threadCount(b, op);
  Value keys = op.readsCache() ? op.getCount() : b.size(op.getKey(), op.getRowDim());
  Value most = b.divide(keys, fewestKeys);
  return b.max(b.min(b.ceilDivide(threads, b.max(calls, 1)), most), 1);
}

/// Adds up the parts of every row: each counts as much as its maximum says.
static void mergeParts(KernelBuilder &b, AttentionOp op, int64_t width, Value partial) {
  Value out = op.getOuts()[0], parts = b.size(partial, 0), zero = b.index(0);
  SmallVector<Value> to{b.size(partial, 1), b.size(partial, 2), b.size(partial, 3)};
  b.parallel(to, {1, 1, 1}, [&](ValueRange at) {
    Value statistics = b.index(llvm::alignTo(width, b.lanes));
    auto position = [&](Value part) {
      SmallVector<Value> row{part};
      llvm::append_range(row, at);
      return row;
    };
    auto fold = [&](ValueRange inits, auto body) {
      return b.loop(zero, parts, 1, inits, body);
    };
    auto maximumOf = [&](Value part) { return b.load(partial, join(position(part), statistics), 0); };
    Value maximum = fold(b.f32(hiddenScore), [&](Value part, ValueRange acc) {
      return SmallVector<Value>{b.max(acc[0], maximumOf(part))};
    })[0];
    auto weightOf = [&](Value part) {
      return b.exp2(b.broadcast(b.sub(maximumOf(part), maximum), b.lanes));
    };
    Value sum = fold(b.f32(0.0), [&](Value part, ValueRange acc) {
      Value l = b.load(partial, join(position(part), b.add(statistics, 1)), 0);
      Value weight = vector::ExtractOp::create(b, weightOf(part), int64_t(0));
      return SmallVector<Value>{b.add(acc[0], b.mul(l, weight))};
    })[0];
    Value lse = op.getOuts().size() > 1 ? op.getOuts()[1] : Value();
    writeDecoded(b, maximum, sum, width, out, rowAt(op, at[0], at[1], at[2]), lse, at, [&](Value d, int64_t n) {
      return fold(n ? b.splat(0.0, n) : b.f32(0.0), [&](Value part, ValueRange acc) {
        Value weight = weightOf(part);
        if (!n)
          weight = vector::ExtractOp::create(b, weight, int64_t(0));
        Value x = b.load(partial, join(position(part), d), n);
        return SmallVector<Value>{b.add(acc[0], b.mul(x, weight))};
      })[0];
    });
  });
}

/// Rows and channels of a chunk follow each other.
static const SmallVector<ReassociationIndices> blocksAsOne = {{0}, {1}, {2}, {3}, {4, 5}};

LogicalResult posenc::vectorizeDecode(AttentionOp op, const DecodePlan &plan, ValueRange given,
                                      Outliner &outliner) {
  KernelBuilder b = outliner.before(op);
  Value query = op.getQuery(), key = op.getKey();
  Value batches = b.size(query, 0), heads = b.size(query, op.getHeadDim());
  Value keyHeads = b.size(key, op.getKeyHeadDim());
  Value rows = b.mul(b.divide(heads, keyHeads), plan.queries);
  Value calls = b.mul(b.mul(batches, b.ceilDivide(keyHeads, plan.heads)),
                      plan.oneBlock ? b.index(1) : b.ceilDivide(rows, plan.rows));
  Value parts = countParts(b, op, calls);
  Value isSplit = b.less(b.index(1), parts);

  int64_t width = cast<MemRefType>(op.getOuts()[0].getType()).getDimSize(3);
  int64_t dynamic = ShapedType::kDynamic;
  auto type = MemRefType::get({dynamic, dynamic, dynamic, plan.queries,
                               static_cast<int64_t>(llvm::alignTo(width, b.lanes)) + b.lanes},
                              b.getF32Type());
  Value partial = memref::AllocOp::create(
      b, type, ValueRange{b.select(isSplit, parts, b.index(0)), batches, heads},
      b.getI64IntegerAttr(64));

  SmallVector<Value> operands(given);
  operands.push_back(partial);
  if (op.readsCache()) {
    operands.push_back(op.getCount());
    for (Value &cache : MutableArrayRef(operands).slice(1, 2))
      cache = memref::CollapseShapeOp::create(b, cache, blocksAsOne);
  }
  FailureOr<KernelCall> call = outliner.outline(
      op, operands, 5,
      [&](KernelBuilder &k, ValueRange arguments, const IRMapping &outer, ValueRange at) {
        return buildDecode(k, op, plan, arguments, outer, at);
      });
  if (failed(call))
    return failure();
  Value end = plan.oneBlock ? b.index(plan.rows) : rows;
  b.parallel({batches, keyHeads, end, parts}, {1, plan.heads, plan.rows, 1}, [&](ValueRange at) {
    SmallVector<Value> indices(at);
    indices.push_back(parts);
    (*call)(b, indices);
  });
  b.ifThen(isSplit, [&] { mergeParts(b, op, width, partial); });
  op.erase();
  return success();
}
