//===- PackWeights.cpp - weights of linear layers in panels ---------------===//
//
// A panel holds the outputs of one register tile for every input, [K][P]: the
// innermost loop of a product reads it as one stream. Where pairs of bf16 are
// multiplied it holds pairs of inputs, [K / 2][P][2].
//
//===----------------------------------------------------------------------===//

#include "Vectorize/Kernels.h"
#include "Vectorize/Processor.h"
#include "Vectorize/SevenProducts.h"
#include "posenc/Passes.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Transforms/RegionUtils.h"

using namespace mlir;
using namespace posenc;

namespace posenc {
#define GEN_PASS_DEF_POSENCPACKWEIGHTS
#include "posenc/Passes.h.inc"
} // namespace posenc

static Value roundToBF16(OpBuilder &b, Location loc, Value weight) {
  auto type = cast<RankedTensorType>(weight.getType());
  Value empty = tensor::EmptyOp::create(b, loc, type.getShape(), b.getBF16Type());
  return linalg::MapOp::create(b, loc, weight, empty,
                               [](OpBuilder &nested, Location at, ValueRange arguments) {
                                 Value rounded = arith::TruncFOp::create(nested, at, nested.getBF16Type(), arguments[0]);
                                 linalg::YieldOp::create(nested, at, rounded);
                               })
      ->getResult(0);
}

static Value pack(OpBuilder &b, Location loc, Value weight, int64_t panel, const Processor &processor) {
  auto type = cast<RankedTensorType>(weight.getType());
  int64_t n = type.getDimSize(0), k = type.getDimSize(1), panels = llvm::divideCeil(n, panel);
  Type element = type.getElementType();
  if (n % panel) {
    Value zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(element));
    SmallVector<OpFoldResult> low(2, b.getIndexAttr(0));
    SmallVector<OpFoldResult> high{b.getIndexAttr(panels * panel - n), b.getIndexAttr(0)};
    weight = tensor::PadOp::create(b, loc, RankedTensorType::get({panels * panel, k}, element),
                                   weight, low, high, zero);
  }
  SmallVector<ReassociationIndices> split{{0, 1}, {2}};
  SmallVector<int64_t> sizes{panels, panel, k}, packed{panels, k, panel}, order{0, 2, 1};
  if (element.isBF16() && processor.bf16Pairs && k % 2 == 0) {
    split[1] = {2, 3};
    sizes = {panels, panel, k / 2, 2};
    packed = {panels, k / 2, panel, 2};
    order = {0, 2, 1, 3};
  }
  weight = tensor::ExpandShapeOp::create(b, loc, RankedTensorType::get(sizes, element), weight, split);
  Value empty = tensor::EmptyOp::create(b, loc, packed, element);
  return linalg::TransposeOp::create(b, loc, weight, empty, order)->getResult(0);
}

/// What seven products take beside a packed weight [2 N, K, P]: four sums of its blocks
/// [N, K / 2, P], the halves of the inputs of all even and of all odd panels.
static Value sumBlocks(OpBuilder &b, Location loc, Value weight, int64_t pairs) {
  auto type = cast<RankedTensorType>(weight.getType());
  int64_t half = type.getDimSize(1) / 2, panel = type.getDimSize(2);
  auto block = [&](int64_t odd, int64_t second) -> Value {
    SmallVector<int64_t> offsets{odd, second * half, 0}, sizes{pairs, half, panel}, strides{2, 1, 1};
    auto blocks = RankedTensorType::get(sizes, type.getElementType());
    return tensor::ExtractSliceOp::create(b, loc, blocks, weight, ValueRange{}, ValueRange{},
                                          ValueRange{}, offsets, sizes, strides);
  };
  Value all = tensor::EmptyOp::create(b, loc, {4, pairs, half, panel}, type.getElementType());
  AffineExpr s, p, k, n;
  bindDims(b.getContext(), s, p, k, n);
  SmallVector<AffineMap> maps(4, AffineMap::get(4, 0, {p, k, n}, b.getContext()));
  maps.push_back(b.getMultiDimIdentityMap(4));
  SmallVector<utils::IteratorType> parallel(4, utils::IteratorType::parallel);
  SmallVector<Value> blocks{block(0, 0), block(0, 1), block(1, 0), block(1, 1)};
  return linalg::GenericOp::create(b, loc, all.getType(), blocks, all, maps, parallel,
      [](OpBuilder &nested, Location at, ValueRange value) {
        // Rounded once.
        auto wide = llvm::map_to_vector(value.take_front(4), [&](Value v) -> Value {
          return arith::ExtFOp::create(nested, at, nested.getF64Type(), v);
        });
        auto less = [&](Value x, Value y) -> Value { return arith::SubFOp::create(nested, at, x, y); };
        Value first = less(wide[2], wide[0]), second = less(wide[3], first);
        Value sums[] = {first, second, less(wide[3], wide[2]), less(wide[1], second)};
        Value index = linalg::IndexOp::create(nested, at, 0), sum = sums[3];
        for (int64_t i = 2; i >= 0; --i) {
          Value number = arith::ConstantIndexOp::create(nested, at, i);
          Value here = arith::CmpIOp::create(nested, at, arith::CmpIPredicate::eq, index, number);
          sum = arith::SelectOp::create(nested, at, here, sums[i], sum);
        }
        Value rounded = arith::TruncFOp::create(nested, at, nested.getF32Type(), sum);
        linalg::YieldOp::create(nested, at, rounded);
      }).getResult(0);
}

/// Describes how `value` is computed from weights and constants alone, equal
/// for equal values; empty if it is not. `slice` receives the operations,
/// operands before users.
static std::string describe(Value value, SetVector<Operation *> &slice) {
  Operation *op = value.getDefiningOp();
  if (!op || !isMemoryEffectFree(op))
    return "";
  std::string text;
  llvm::raw_string_ostream os(text);
  os << op->getName() << '#' << cast<OpResult>(value).getResultNumber();
  // Attributes are unique in a context, and large ones slow to print. The name
  // of a weight is for people.
  for (NamedAttribute attr : op->getAttrDictionary())
    if (!isa<WeightOp>(op) || attr.getName() != "name")
      os << ' ' << attr.getName().getValue() << '=' << attr.getValue().getAsOpaquePointer();
  os << ':' << value.getType() << '(';
  for (Value operand : op->getOperands()) {
    std::string part = describe(operand, slice);
    if (part.empty())
      return "";
    os << part << ',';
  }
  os << ')';
  if (op->getNumRegions()) {
    SetVector<Value> outside;
    getUsedValuesDefinedAbove(op->getRegions(), outside);
    if (!outside.empty())
      return "";
    os << op;
  }
  slice.insert(op);
  return text;
}

namespace {
/// What the load function makes of a weight.
enum class Form { joined, packed, summed };

struct PackWeights : posenc::impl::PosencPackWeightsBase<PackWeights> {
  using PosencPackWeightsBase::PosencPackWeightsBase;

  void runOnOperation() override {
    FailureOr<Processor> found = Processor::get(getOperation(), vectorBits, bf16Pairs);
    if (failed(found))
      return signalPassFailure();
    processor = *found;
    SmallVector<LinearOp> ops;
    getOperation().walk([&](LinearOp op) { ops.push_back(op); });
    for (LinearOp op : ops) {
      if (auto type = dyn_cast<RankedTensorType>(op.getWeight().getType());
          type && type.getRank() == 2 && type.hasStaticShape())
        prepare(op, op.getWeightMutable(), panels ? Form::packed : Form::joined);
      for (OpOperand &extra : op.getExtrasMutable())
        if (isa<TensorType>(extra.get().getType()))
          prepare(op, extra, Form::joined);
    }
  }

  /// Replaces an operand of `op` by what the load function prepares. A weight
  /// that it cannot prepare is packed at its use.
  void prepare(LinearOp op, OpOperand &operand, Form form) {
    SetVector<Operation *> slice;
    std::string key = describe(operand.get(), slice);
    // What lies in memory as it is needed stays there.
    if (form == Form::joined && (key.empty() || slice.size() == 1))
      return;
    OpBuilder b(op);
    Value value = operand.get();
    operand.set(key.empty() ? pack(b, op.getLoc(), value, panelOf(value.getType()), processor)
                            : loaded(b, value, form, key, slice));
    if (form == Form::packed && !key.empty() && hasSevenProducts(op, value.getType()))
      op.getSumsMutable().assign(loaded(b, value, Form::summed, key, slice));
    for (Operation *dead : llvm::reverse(slice))
      if (dead->use_empty())
        dead->erase();
  }

  int64_t panelOf(Type weight) {
    int64_t outputs = cast<ShapedType>(weight).getDimSize(0), lanes = processor.lanes();
    return sevenPanelOf(weight).value_or(LinearPlan::choosePanel(outputs, lanes));
  }

  /// The panel of a weight that seven products suit.
  std::optional<int64_t> sevenPanelOf(Type weight) {
    auto type = cast<ShapedType>(weight);
    int64_t lanes = processor.lanes(), outputs = type.getDimSize(0);
    int64_t panel = SevenProducts::choosePanel(outputs, lanes);
    bool suits = sevenProducts && !bf16Weights && type.getElementType().isF32() &&
                 outputs >= 2 * panel &&
                 SevenProducts::halfBlock(type.getDimSize(1), LinearPlan::chooseHeight(panel, lanes), lanes);
    return suits ? std::optional(panel) : std::nullopt;
  }

  bool hasSevenProducts(LinearOp op, Type weight) {
    auto x = cast<ShapedType>(op.getInput().getType());
    ArrayRef<int64_t> rows = x.getShape().drop_back();
    bool few = !ShapedType::isDynamicShape(rows) && ShapedType::getNumElements(rows) < SevenProducts::fewest;
    return sevenPanelOf(weight) && x.getElementType().isF32() && !few;
  }

  /// `value`, in that form, from the global that `posenc_load` fills.
  Value loaded(OpBuilder &b, Value value, Form form, const std::string &key,
               SetVector<Operation *> &slice) {
    Location loc = value.getLoc();
    memref::GlobalOp &global = globals[nameOf(form).str() + key];
    if (!global)
      global = fill(value, slice, form);
    Value buffer = memref::GetGlobalOp::create(b, loc, global.getType(), global.getSymName());
    return bufferization::ToTensorOp::create(
        b, loc, memref::getTensorTypeFromMemRefType(buffer.getType()), buffer, /*restrict=*/true);
  }

  static StringRef nameOf(Form form) {
    return form == Form::joined ? "joined" : form == Form::packed ? "packed" : "summed";
  }

  memref::GlobalOp fill(Value value, SetVector<Operation *> &slice, Form form) {
    Location loc = value.getLoc();
    func::FuncOp load = loadFunction(loc);
    OpBuilder b(load.getBody().front().getTerminator());
    IRMapping mapping;
    std::string kind = nameOf(form).str(), name = kind;
    for (Operation *part : slice) {
      b.clone(*part, mapping);
      if (auto weight = dyn_cast<WeightOp>(part); weight && name == kind)
        name += "_" + weight.getName().str();
    }
    for (char &c : name)
      c = llvm::isAlnum(c) ? c : '_';
    Value ready = mapping.lookup(value);
    bool packs = form != Form::joined;
    func::FuncOp packer = packs ? packerOf(loc, ready.getType(), form) : func::FuncOp();
    auto tensor = cast<RankedTensorType>(ready.getType());
    auto type = packs ? cast<MemRefType>(packer.getArgumentTypes()[1])
                      : MemRefType::get(tensor.getShape(), tensor.getElementType());
    SymbolTable symbols(getOperation());
    OpBuilder top = OpBuilder::atBlockBegin(getOperation().getBody());
    auto global = memref::GlobalOp::create(top, loc, name, top.getStringAttr("private"), type,
                                           top.getUnitAttr(), /*constant=*/false,
                                           top.getI64IntegerAttr(64));
    global->remove();
    symbols.insert(global, getOperation().getBody()->begin());
    Value buffer = memref::GetGlobalOp::create(b, loc, type, global.getSymName());
    if (packs)
      func::CallOp::create(b, loc, packer, ValueRange{ready, buffer});
    else
      store(b, loc, ready, buffer);
    return global;
  }

  static void store(OpBuilder &b, Location loc, Value ready, Value buffer) {
    auto stored = bufferization::MaterializeInDestinationOp::create(b, loc, TypeRange{}, ready, buffer);
    stored.setRestrict(true);
    stored.setWritable(true);
  }

  /// The function that packs weights of a type into a buffer: code that many share.
  func::FuncOp packerOf(Location loc, Type weight, Form form) {
    func::FuncOp &packer = packers[{weight, unsigned(form)}];
    if (packer)
      return packer;
    OpBuilder b(&getContext());
    packer = func::FuncOp::create(b, loc, "posenc_pack", b.getFunctionType({weight}, {}));
    packer.setPrivate();
    packer.setNoInline(true);
    packer->setAttr("passthrough", b.getStrArrayAttr({"noinline"}));
    b.setInsertionPointToStart(packer.addEntryBlock());
    Value ready = packer.getArgument(0);
    if (bf16Weights && getElementTypeOrSelf(ready).isF32())
      ready = roundToBF16(b, loc, ready);
    ready = pack(b, loc, ready, panelOf(weight), processor);
    if (form == Form::summed)
      ready = sumBlocks(b, loc, ready, cast<ShapedType>(weight).getDimSize(0) / (2 * panelOf(weight)));
    auto tensor = cast<RankedTensorType>(ready.getType());
    Type buffer = MemRefType::get(tensor.getShape(), tensor.getElementType());
    (void)packer.insertArgument(1, buffer, {}, loc); // there was one
    store(b, loc, ready, packer.getArgument(1));
    func::ReturnOp::create(b, loc);
    SymbolTable(getOperation()).insert(packer);
    return packer;
  }

  func::FuncOp loadFunction(Location loc) {
    if (auto found = getOperation().lookupSymbol<func::FuncOp>("posenc_load"))
      return found;
    OpBuilder b = OpBuilder::atBlockEnd(getOperation().getBody());
    auto load = func::FuncOp::create(b, loc, "posenc_load", b.getFunctionType({}, {}));
    b.setInsertionPointToStart(load.addEntryBlock());
    func::ReturnOp::create(b, loc);
    return load;
  }

  Processor processor{0, false};
  llvm::StringMap<memref::GlobalOp> globals;
  DenseMap<std::pair<Type, unsigned>, func::FuncOp> packers; ///< by type and form
};
} // namespace
