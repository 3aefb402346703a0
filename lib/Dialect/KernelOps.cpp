//===- KernelOps.cpp - verifiers and effects of ops with regions ----------===//

#include "posenc/Dialect.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace posenc;

/// Where rows are appended: an index needs no type.
static ParseResult parseAppendStart(OpAsmParser &parser, Type &type) {
  if (succeeded(parser.parseOptionalKeyword("at")))
    return parser.parseType(type);
  type = parser.getBuilder().getIndexType();
  return success();
}
static void printAppendStart(OpAsmPrinter &printer, Operation *, Type type) {
  if (!type.isIndex())
    printer << "at " << type;
}

#define GET_OP_CLASSES
#include "posenc/PosencOps.cpp.inc"

static ShapedType shaped(Value v) { return cast<ShapedType>(v.getType()); }
static bool agree(int64_t a, int64_t b) {
  return ShapedType::isDynamic(a) || ShapedType::isDynamic(b) || a == b;
}

/// On memrefs: reads the inputs, and what a destination holds never counts.
static void effects(DestinationStyleOpInterface op,
                    SmallVectorImpl<MemoryEffects::EffectInstance> &list) {
  if (op.hasPureTensorSemantics())
    return;
  for (OpOperand &operand : op->getOpOperands()) {
    if (!isa<MemRefType>(operand.get().getType()))
      continue;
    if (op.isDpsInit(&operand))
      list.emplace_back(MemoryEffects::Write::get(), &operand);
    else
      list.emplace_back(MemoryEffects::Read::get(), &operand);
  }
  // Regions may load from outside.
  if (op->getNumRegions())
    list.emplace_back(MemoryEffects::Read::get());
}

#define POSENC_KERNEL(Op)                                                      \
  void Op::getEffects(SmallVectorImpl<MemoryEffects::EffectInstance> &list) {  \
    effects(*this, list);                                                      \
  }                                                                            \
  LogicalResult Op::reifyResultShapes(OpBuilder &b,                            \
                                      ReifiedRankedShapedTypeDims &dims) {     \
    for (auto [out, result] : llvm::zip(getOuts(), getResults()))              \
      dims.push_back(tensor::getMixedSizes(b, getLoc(), out));                 \
    return success();                                                          \
  }
POSENC_KERNEL(AttentionOp)
POSENC_KERNEL(MapOp)
POSENC_KERNEL(LinearOp)
POSENC_KERNEL(LayerNormOp)
#undef POSENC_KERNEL

/// Results are the destinations' tensors; on memrefs there are none.
static LogicalResult verifyDestinations(DestinationStyleOpInterface op) {
  bool tensors = llvm::all_of(op.getDpsInits(), [](Value v) {
    return isa<RankedTensorType>(v.getType());
  });
  if (op->getNumResults() != (tensors ? op.getNumDpsInits() : 0))
    return op->emitOpError("expected ") << (tensors ? op.getNumDpsInits() : 0)
                                        << " results, but found " << op->getNumResults();
  for (auto [result, init] : llvm::zip(op->getResults(), op.getDpsInits()))
    if (result.getType() != init.getType())
      return op->emitOpError("expected a result of type ")
             << init.getType() << ", but found " << result.getType();
  return success();
}

static bool isComputed(Type type) { return isa<Float32Type, Float16Type, BFloat16Type>(type); }

static LogicalResult verifyElements(Operation *op, ValueRange values) {
  for (Value v : values)
    if (Type type = shaped(v).getElementType(); !isComputed(type))
      return op->emitOpError("expected elements of f32, f16 or bf16, but found ") << type;
  return success();
}

/// Checks the arguments and yielded types of a region that is present.
static LogicalResult verifyRegion(Operation *op, Region &region, StringRef name,
                                  ArrayRef<Type> arguments, ArrayRef<Type> yielded) {
  if (region.empty())
    return success();
  if (!region.hasOneBlock())
    return op->emitOpError("expected one block in the ") << name << " region";
  if (region.front().getArgumentTypes() != TypeRange(arguments)) {
    auto diag = op->emitOpError("expected ") << name << " region arguments (";
    llvm::interleaveComma(arguments, diag);
    diag << "), but found (";
    llvm::interleaveComma(region.front().getArgumentTypes(), diag);
    return diag << ")";
  }
  auto yield = dyn_cast_or_null<YieldOp>(
      region.front().empty() ? nullptr : &region.front().back());
  if (!yield)
    return op->emitOpError("expected the ") << name << " region to end with posenc.yield";
  if (yield.getValues().getTypes() != TypeRange(yielded)) {
    auto diag = yield.emitOpError("expected to yield (");
    llvm::interleaveComma(yielded, diag);
    diag << ") from the " << name << " region, but found (";
    llvm::interleaveComma(yield.getValues().getTypes(), diag);
    return diag << ")";
  }
  return success();
}

/// The shape of the rows in a cache.
static ShapedType rowsOf(ShapedType cache, Layout layout) {
  ArrayRef<int64_t> shape = cache.getShape();
  int64_t width = ShapedType::isDynamic(shape[3]) ? shape[3] : shape[3] * shape[5];
  SmallVector<int64_t> rows{shape[0], shape[1], ShapedType::kDynamic, width};
  if (layout == Layout::bshd)
    std::swap(rows[1], rows[2]);
  return RankedTensorType::get(rows, cache.getElementType());
}

LogicalResult AttentionOp::verify() {
  ShapedType q = shaped(getQuery()), k = shaped(getKey()), v = shaped(getValue());
  if (q.getRank() != 4)
    return emitOpError("expected operands of rank 4, but found rank ") << q.getRank();
  for (ShapedType *type : {&k, &v}) {
    if (type->getRank() != (readsCache() ? 6 : 4))
      return emitOpError(readsCache() ? "expected caches of rank 6, but found rank "
                                      : "expected operands of rank 4, but found rank ")
             << type->getRank();
    if (!readsCache())
      continue;
    for (int64_t tile : type->getShape().take_back(2))
      if (ShapedType::isDynamic(tile) || tile < 1)
        return emitOpError("expected blocks and chunks of a known size, but found ") << *type;
    *type = rowsOf(*type, getLayout());
  }
  if (readsCache() && (getKeyChannels() || getValueChannels()))
    return emitOpError("expected no map of keys or values in a cache");
  if (failed(verifyElements(*this, {getQuery(), getKey(), getValue()})))
    return failure();
  if (getOuts().empty() || getOuts().size() > 2)
    return emitOpError("expected 1 or 2 destinations, but found ") << getOuts().size();
  if (failed(verifyDestinations(*this)))
    return failure();
  if (!getOffsets().empty() && getOffsets().size() != 4)
    return emitOpError("expected 4 offsets, but found ") << getOffsets().size();

  unsigned head = getHeadDim(), row = getRowDim();
  if (!agree(q.getDimSize(0), k.getDimSize(0)) || !agree(k.getDimSize(0), v.getDimSize(0)))
    return emitOpError("expected equal batch sizes, but found ")
           << q.getDimSize(0) << ", " << k.getDimSize(0) << " and " << v.getDimSize(0);
  if (!agree(k.getDimSize(head), v.getDimSize(head)))
    return emitOpError("expected as many key as value heads, but found ")
           << k.getDimSize(head) << " and " << v.getDimSize(head);
  int64_t heads = q.getDimSize(head), keyHeads = k.getDimSize(head);
  if (ShapedType::isStatic(heads) && ShapedType::isStatic(keyHeads) &&
      (keyHeads == 0 || heads % keyHeads))
    return emitOpError("expected query heads to be a multiple of key heads, but found ")
           << heads << " and " << keyHeads;
  if (!agree(q.getDimSize(3), k.getDimSize(3)))
    return emitOpError("expected queries and keys of one width, but found ")
           << q.getDimSize(3) << " and " << k.getDimSize(3);
  if (!agree(k.getDimSize(row), v.getDimSize(row)))
    return emitOpError("expected as many keys as values, but found ")
           << k.getDimSize(row) << " and " << v.getDimSize(row);
  ShapedType o = shaped(getOuts()[0]);
  if (o.getRank() != 4 || !isComputed(o.getElementType()) || !agree(o.getDimSize(0), q.getDimSize(0)) ||
      !agree(o.getDimSize(head), heads) || !agree(o.getDimSize(row), q.getDimSize(row)) ||
      !agree(o.getDimSize(3), v.getDimSize(3)))
    return emitOpError("expected a destination for every query head and row, but found ") << o;
  if (getOuts().size() == 2) {
    ShapedType l = shaped(getOuts()[1]);
    if (l.getRank() != 3 || !l.getElementType().isF32() || !agree(l.getDimSize(0), q.getDimSize(0)) ||
        !agree(l.getDimSize(1), heads) || !agree(l.getDimSize(2), q.getDimSize(row)))
      return emitOpError("expected f32 log-sum-exp of shape [batch, head, row], but found ") << l;
  }

  struct { std::optional<ChannelsAttr> channels; Region &region; int64_t size; StringRef name; }
  maps[] = {{getQueryChannels(), getQueryMap(), q.getDimSize(3), "query"},
            {getKeyChannels(), getKeyMap(), k.getDimSize(3), "key"},
            {getValueChannels(), getValueMap(), v.getDimSize(3), "value"}};
  for (auto &map : maps) {
    if (map.region.empty() == map.channels.has_value())
      return emitOpError("expected a ") << map.name << " region together with "
                                        << map.name << "_channels";
    if (map.channels && failed(verifyChannels(*this, *map.channels, map.size, map.name)))
      return failure();
  }
  return success();
}

LogicalResult AttentionOp::verifyRegions() {
  Builder b(getContext());
  Type f32 = b.getF32Type(), index = b.getIndexType(), i1 = b.getI1Type();
  SmallVector<Type> at(4, index);
  struct { Region &region; std::optional<ChannelsAttr> channels; StringRef name; }
  maps[] = {{getQueryMap(), getQueryChannels(), "query"},
            {getKeyMap(), getKeyChannels(), "key"},
            {getValueMap(), getValueChannels(), "value"}};
  for (auto &map : maps) {
    if (!map.channels)
      continue;
    SmallVector<Type> group(map.channels->getGroup(), f32), arguments(group);
    llvm::append_range(arguments, at);
    if (failed(verifyRegion(*this, map.region, map.name, arguments, group)))
      return failure();
  }
  SmallVector<Type> score{f32};
  llvm::append_range(score, at);
  if (failed(verifyRegion(*this, getScoreMod(), "score", score, {f32})) ||
      failed(verifyRegion(*this, getMask(), "mask", at, {i1})) ||
      failed(verifyRegion(*this, getLive(), "live", at, {index, index})))
    return failure();
  if (getExactLive() && getLive().empty())
    return emitOpError("expected a live region, since exact_live is given");
  return success();
}

LogicalResult MapOp::verify() {
  ShapedType x = shaped(getInput());
  if (x.getRank() != 3 && x.getRank() != 4)
    return emitOpError("expected tokens of rank 3 or heads of rank 4, but found rank ")
           << x.getRank();
  if (getOuts().size() != 1)
    return emitOpError("expected 1 destination, but found ") << getOuts().size();
  SmallVector<Value> all{getInput(), getOuts()[0]};
  llvm::append_range(all, getOthers());
  if (failed(verifyElements(*this, all)) || failed(verifyDestinations(*this)))
    return failure();
  for (Value v : all)
    if (failed(verifyCompatibleShape(v.getType(), x)))
      return emitOpError("expected operands of one shape, but found ") << x << " and " << v.getType();
  if (!getOffsets().empty() && getOffsets().size() != 3)
    return emitOpError("expected 3 offsets, but found ") << getOffsets().size();
  if (failed(verifyChannels(*this, getChannels(), x.getDimSize(x.getRank() - 1), "map")))
    return failure();
  Builder b(getContext());
  SmallVector<Type> group(getChannels().getGroup(), b.getF32Type()), arguments(group);
  arguments.append(4, b.getIndexType());
  for (size_t n = 0; n < getOthers().size(); ++n)
    llvm::append_range(arguments, group);
  return verifyRegion(*this, getBody(), "map", arguments, group);
}

LogicalResult LinearOp::verify() {
  ShapedType x = shaped(getInput()), w = shaped(getWeight());
  if (getOuts().size() != 1)
    return emitOpError("expected 1 destination, but found ") << getOuts().size();
  ShapedType y = shaped(getOuts()[0]);
  SmallVector<Value> all{getInput(), getWeight(), getOuts()[0]};
  llvm::append_range(all, getExtras());
  if (failed(verifyElements(*this, all)) || failed(verifyDestinations(*this)))
    return failure();
  if (w.getRank() < 2 || w.getRank() > 4)
    return emitOpError("expected a weight of rank 2, or packed of rank 3 or 4, but found rank ")
           << w.getRank();
  if (isPaired() && w.getDimSize(3) != 2)
    return emitOpError("expected pairs of inputs innermost, but found ") << w;
  if (getSums()) {
    ShapedType sums = shaped(getSums());
    int64_t n = getOutputs(), k = getInputs();
    if (w.getRank() != 3 || ShapedType::isDynamic(n) || ShapedType::isDynamic(k) || k % 2)
      return emitOpError("expected sums beside panels of a known, even number of inputs, but found ") << w;
    SmallVector<int64_t> shape{4, n / (2 * getPanel()), k / 2, getPanel()};
    if (failed(verifyCompatibleShape(sums.getShape(), shape)))
      return emitOpError("expected sums as in ")
             << RankedTensorType::get(shape, w.getElementType()) << ", but found " << sums;
  }
  bool split = isa<MemRefType>(y) && y.getRank() == x.getRank() + 1;
  if (x.getRank() < 1 || (y.getRank() != x.getRank() && !split))
    return emitOpError("expected input and destination of one rank, but found ")
           << x.getRank() << " and " << y.getRank();
  if (split && ShapedType::isDynamicShape(y.getShape().take_back(2)))
    return emitOpError("expected a known number of heads of a known width, but found ") << y;
  if (!agree(x.getShape().back(), getInputs()))
    return emitOpError("expected inputs of width ")
           << getInputs() << ", but found " << x.getShape().back();
  int64_t n = getOutputs();
  if (isPacked() && getPanel() < 1)
    return emitOpError("expected panels of a known number of outputs, but found ") << w;
  bool packed = isPacked() && !ShapedType::isDynamic(n);
  if (!agree(w.getDimSize(0), packed ? llvm::divideCeil(n, getPanel()) : n))
    return emitOpError("expected a weight for ") << n << " outputs, but found " << w;
  SmallVector<int64_t> whole(y.getShape().drop_back(split ? 2 : 1));
  if (failed(verifyCompatibleShape(x.getShape().drop_back(), whole)))
    return emitOpError("expected destination rows as in ") << x << ", but found " << y;
  whole.push_back(n);
  for (Value extra : getExtras()) {
    ArrayRef<int64_t> shape = shaped(extra).getShape();
    bool row = shape.size() == 1 && agree(shape[0], n);
    if (!row && failed(verifyCompatibleShape(shape, whole)))
      return emitOpError("expected an extra of shape [")
             << n << "] or that of the result, but found " << extra.getType();
  }
  SmallVector<Type> arguments(1 + getExtras().size(), Builder(getContext()).getF32Type());
  return verifyRegion(*this, getEpilogue(), "epilogue", arguments, arguments.front());
}

LogicalResult LayerNormOp::verify() {
  ShapedType x = shaped(getInput());
  if (getOuts().size() != 1)
    return emitOpError("expected 1 destination, but found ") << getOuts().size();
  if (x.getRank() < 1)
    return emitOpError("expected an input of rank 1 at least, but found rank 0");
  if (failed(verifyElements(*this, {getInput(), getGamma(), getBeta(), getOuts()[0]})) ||
      failed(verifyDestinations(*this)))
    return failure();
  if (failed(verifyCompatibleShape(getOuts()[0].getType(), x)))
    return emitOpError("expected a destination of shape ") << x << ", but found " << getOuts()[0].getType();
  for (Value v : {getGamma(), getBeta()})
    if (shaped(v).getRank() != 1 || !agree(shaped(v).getDimSize(0), x.getShape().back()))
      return emitOpError("expected gamma and beta of shape [")
             << x.getShape().back() << "], but found " << v.getType();
  return success();
}
