//===- MmaLinear.cpp - linear layers by matrix instructions ---------------===//

#include "GPU/Forms.h"
#include "GPU/ThreadBuilder.h"
#include "Vectorize/RegionVectorizer.h"
#include "posenc/Fragments.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;
using namespace posenc;

static MemRefType typeOf(Value v) { return cast<MemRefType>(v.getType()); }

namespace {

/// A block computes 128 rows of some outputs: each of four warps has 32 rows, whose
/// sums stay in registers. Panels of inputs and of weights come through a ring of
/// tiles in shared memory; what follows the product is computed on fragments.
class MmaLinear {
public:
  using Values = SmallVector<Value>;
  static constexpr int64_t kWarps = 4, kStrips = 2, kStages = 3, kFragment = 8;
  static constexpr int64_t kRows = kWarps * kStrips * 16;

  explicit MmaLinear(LinearOp op)
      : op(op), inputs(typeOf(op.getInput()).getShape().back()),
        outputs(typeOf(op.getOuts()[0]).getShape().back()) {
    panel = outputs < 128 ? 64 : 128;
    while (inputs % depth)
      depth /= 2;
  }

  LogicalResult build();
  /// At most 96 KB, which every chip from sm_80 on has.
  int64_t sharedBytes() const { return 2 * kStages * (kRows + panel) * depth; }

private:
  LogicalResult buildThread();
  Value matrix(Value operand, Value rows, int64_t columns);
  void loadPanels(Value k, Value stage);
  Values multiply(Value stage, ValueRange sums);
  void store(ValueRange sums);
  Value extra(Value operand, Value row, Value column);

  LinearOp op;
  int64_t inputs, outputs;
  int64_t panel;      ///< outputs of a block
  int64_t depth = 64; ///< inputs of a step
  Value rowCount;     ///< on the host

  ThreadBuilder *t = nullptr;
  Value leftTile, rightTile, left, right; ///< tiles, and the matrices behind them
  Value firstRow, firstColumn, warpRow;
  Value rows, columns; ///< of a sum's elements
  bool failed = false;
};

} // namespace

std::string posenc::refuseMmaLinear(LinearOp op, const Chip &chip) {
  std::string reason;
  llvm::raw_string_ostream os(reason);
  MemRefType x = typeOf(op.getInput()), w = typeOf(op.getWeight()), y = typeOf(op.getOuts()[0]);
  int64_t inputs = x.getShape().back(), outputs = y.getShape().back();
  if (chip.version() < 80)
    os << "expected sm_80 or later for products of 16 x 8 x 16, but found " << chip.name;
  else if (op.isPacked())
    os << "expected a weight that is not packed, but found " << w;
  else if (!isa<Float16Type, BFloat16Type>(x.getElementType()) ||
           x.getElementType() != w.getElementType())
    os << "expected inputs and weights of f16, or both of bf16, but found " << x << " and " << w;
  else if (ShapedType::isDynamic(inputs) || inputs % 16)
    os << "expected a multiple of 16 inputs, but found " << x;
  else if (ShapedType::isDynamic(outputs) || outputs % 16)
    os << "expected a multiple of 16 outputs, but found " << y;
  for (MemRefType type : {x, w, y})
    if (reason.empty() && !type.getLayout().isIdentity())
      os << "expected rows that start at multiples of 16 bytes, but found " << type;
  return reason;
}

LogicalResult posenc::buildMmaLinear(LinearOp op, const Chip &) { return MmaLinear(op).build(); }

LogicalResult MmaLinear::build() {
  KernelBuilder host(op.getLoc(), op->getBlock(), 1);
  host.setInsertionPoint(op);
  rowCount = host.rowCount(op.getOuts()[0]);
  Value blocks = host.mul(host.ceilDivide(rowCount, kRows), llvm::divideCeil(outputs, panel));
  return buildLaunch(
      op, "mma_linear", blocks, kWarps * kWarp,
      [&](ThreadBuilder &builder) {
        t = &builder;
        return buildThread();
      },
      sharedBytes());
}

/// An operand as rows and columns, whatever its rank.
Value MmaLinear::matrix(Value operand, Value rows, int64_t columns) {
  MemRefType type = typeOf(operand);
  if (type.getRank() == 2)
    return operand;
  auto result = MemRefType::get({ShapedType::kDynamic, columns}, type.getElementType());
  SmallVector<OpFoldResult> sizes{rows, t->getIndexAttr(columns)},
      strides{t->getIndexAttr(columns), t->getIndexAttr(1)};
  return memref::ReinterpretCastOp::create(*t, result, operand, t->getIndexAttr(0), sizes, strides);
}

LogicalResult MmaLinear::buildThread() {
  // Blocks of the same rows run at one time, and read them from the cache.
  int64_t perRow = llvm::divideCeil(outputs, panel);
  Value rowBlock = t->divide(t->block, perRow);
  firstRow = t->mul(rowBlock, kRows);
  firstColumn = t->mul(t->sub(t->block, t->mul(rowBlock, perRow)), panel);
  warpRow = t->mul(t->warp, kStrips * 16);
  Type element = typeOf(op.getInput()).getElementType();
  auto tile = [&](int64_t rows) {
    return pgpu::AllocOp::create(
        *t, pgpu::TileType::get(t->getContext(), kStages, rows, depth, element));
  };
  leftTile = tile(kRows);
  rightTile = tile(panel);
  left = matrix(op.getInput(), rowCount, inputs);
  right = op.getWeight();
  auto places = pgpu::CoordinatesOp::create(*t, t->vectorType(kFragment, t->getIndexType()),
                                            t->vectorType(kFragment, t->getIndexType()));
  rows = places.getRows();
  columns = places.getColumns();

  for (int64_t s = 0; s + 1 < kStages; ++s) {
    if (s * depth < inputs)
      loadPanels(t->index(s * depth), t->index(s));
    NVVM::CpAsyncCommitGroupOp::create(*t);
  }
  Values state{t->index(0)};
  state.append(kStrips * panel / 16, t->splat(0, kFragment));
  auto following = [&](Value stage, int64_t n) {
    Value sum = t->add(stage, n);
    return t->select(t->less(sum, t->index(kStages)), sum, t->sub(sum, kStages));
  };
  state = t->loop(t->index(0), t->index(inputs), depth, state, [&](Value k, ValueRange carried) {
    NVVM::CpAsyncWaitGroupOp::create(*t, kStages - 2);
    t->syncBlock(); // all have read the stage that is filled next, and see this one
    Value next = t->add(k, (kStages - 1) * depth);
    t->ifThen(t->less(next, t->index(inputs)),
              [&] { loadPanels(next, following(carried[0], kStages - 1)); });
    NVVM::CpAsyncCommitGroupOp::create(*t);
    Values all = multiply(carried[0], carried.drop_front());
    all.insert(all.begin(), following(carried[0], 1));
    return all;
  });
  store(ArrayRef(state).drop_front());
  t->contract();
  return success(!failed);
}

/// Begins to copy `depth` inputs of the block's rows and outputs.
void MmaLinear::loadPanels(Value k, Value stage) {
  auto load = [&](Value matrix, Value first, Value end, Value tile) {
    SmallVector<OpFoldResult> offsets{t->getIndexAttr(0), k},
        sizes{t->getIndexAttr(typeOf(matrix).getDimSize(0)), t->getIndexAttr(depth)},
        strides(2, t->getIndexAttr(1));
    if (typeOf(matrix).isDynamicDim(0))
      sizes[0] = end;
    Value part = memref::SubViewOp::create(*t, matrix, offsets, sizes, strides);
    pgpu::CopyOp::create(*t, part, first, end, tile, stage);
  };
  load(left, firstRow, rowCount, leftTile);
  load(right, firstColumn, t->index(outputs), rightTile);
}

SmallVector<Value> MmaLinear::multiply(Value stage, ValueRange sums) {
  VectorType fragment = t->vectorType(kFragment, typeOf(op.getInput()).getElementType());
  Values next(sums);
  for (int64_t k = 0; k < depth; k += 16) {
    Values x;
    for (int64_t s = 0; s < kStrips; ++s)
      x.push_back(pgpu::LoadOp::create(*t, fragment, leftTile, stage, t->add(warpRow, 16 * s),
                                       t->index(k), pgpu::Role::left, /*transposed=*/false));
    for (int64_t n = 0; n < panel / 16; ++n) {
      Value w = pgpu::LoadOp::create(*t, fragment, rightTile, stage, t->index(16 * n), t->index(k),
                                     pgpu::Role::right, /*transposed=*/true);
      for (int64_t s = 0; s < kStrips; ++s) {
        Value &sum = next[s * panel / 16 + n];
        sum = pgpu::MmaOp::create(*t, x[s], w, sum);
      }
    }
  }
  return next;
}

/// The elements of an extra that belong to a fragment, in f32.
Value MmaLinear::extra(Value operand, Value row, Value column) {
  bool isVector = typeOf(operand).getRank() == 1;
  Value source = isVector ? operand : matrix(operand, rowCount, outputs);
  Values elements;
  for (int64_t i = 0; i < kFragment; ++i) {
    Value c = t->add(column, t->element(columns, i));
    Value r = t->min(t->add(row, t->element(rows, i)), t->sub(rowCount, 1));
    elements.push_back(t->load(source, isVector ? Values{c} : Values{r, c}, 0));
  }
  return t->join(elements);
}

void MmaLinear::store(ValueRange sums) {
  Value out = matrix(op.getOuts()[0], rowCount, outputs);
  Type element = typeOf(out).getElementType();
  IRMapping none;
  for (int64_t s = 0; s < kStrips; ++s)
    for (int64_t n = 0; n < panel / 16; ++n) {
      Value row = t->add(t->add(firstRow, warpRow), 16 * s), column = t->add(firstColumn, 16 * n);
      auto write = [&] {
        SmallVector<Value> arguments{sums[s * panel / 16 + n]};
        for (Value operand : op.getExtras())
          arguments.push_back(extra(operand, row, column));
        Value y = arguments[0];
        if (op.getEpilogue().empty()) {
          for (Value more : ArrayRef(arguments).drop_front())
            y = t->add(y, more);
        } else {
          RegionVectorizer vectorizer(*t, op.getEpilogue(), none);
          for (auto [argument, value] : llvm::zip(op.getEpilogue().getArguments(), arguments))
            vectorizer.bind(argument, value);
          y = vectorizer.evaluate({})[0].asVectors(*t, 1, kFragment)[0];
          failed |= vectorizer.failed();
        }
        if (!element.isF32())
          y = arith::TruncFOp::create(*t, t->vectorType(kFragment, element), y);
        pgpu::StoreOp::create(*t, y, out, row, rowCount, column);
      };
      if (outputs % panel)
        t->ifThen(t->less(column, t->index(outputs)), write);
      else
        write();
    }
}
