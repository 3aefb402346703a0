//===- MapFusion.cpp - encodings of tokens and rows to maps ---------------===//

#include "Fuse/Fusion.h"

#include "llvm/ADT/SmallPtrSet.h"

using namespace mlir;
using namespace posenc;
using namespace posenc::fuse;

/// The encoding that alone reads `encoding`'s result and can share its map.
static EncodingOpInterface follower(EncodingOpInterface encoding) {
  SmallVector<OpOperand *> uses = dataUses(encoding->getResult(0));
  if (uses.size() != 1)
    return {};
  auto next = dyn_cast<EncodingOpInterface>(uses.front()->getOwner());
  if (!next || next.getSite() != encoding.getSite() || next->getBlock() != encoding->getBlock() ||
      next.getInput() != encoding->getResult(0) || layoutOf(next) != layoutOf(encoding) ||
      channelsOf(next) != channelsOf(encoding))
    return {};
  return next;
}

/// Whether `map` alone reads what `op` computes, all channels of tokens.
static bool readsTokensOf(MapOp map, Operation *op) {
  ChannelsAttr channels = map.getChannels();
  return op && op->getBlock() == map->getBlock() && op->getNumResults() == 1 && map.isTokens() &&
         channels.getGroup() == 1 && !channels.getOffset() && !channels.getWidth() &&
         dataUses(op->getResult(0)).size() == 1;
}

/// Whether it computes f32 from coordinates, as a lookup of embeddings does.
static bool isFunction(linalg::GenericOp generic) {
  if (generic.getNumResults() != 1 || !generic.getInputs().empty() ||
      generic.getNumParallelLoops() != generic.getNumLoops())
    return false;
  OpOperand &init = generic.getDpsInitsMutable()[0];
  return generic.getMatchingBlockArgument(&init).use_empty() &&
         generic.getMatchingIndexingMap(&init).isIdentity() &&
         cast<ShapedType>(init.get().getType()).getElementType().isF32();
}

/// Puts what `generic` computes in the place of the map's input, which is then only
/// asked for its shape.
static void fuseSource(RewriterBase &rewriter, MapOp map, linalg::GenericOp generic) {
  Block *block = &map.getBody().front(), *from = generic.getBody();
  Value coordinates[] = {block->getArgument(1), block->getArgument(3), block->getArgument(4)};
  for (auto index : llvm::make_early_inc_range(from->getOps<linalg::IndexOp>()))
    rewriter.replaceOp(index, coordinates[index.getDim()]);
  auto yield = cast<linalg::YieldOp>(from->getTerminator());
  rewriter.replaceAllUsesWith(block->getArgument(0), yield.getOperand(0));
  rewriter.eraseOp(yield);
  Value init = generic.getOutputs()[0];
  rewriter.inlineBlockBefore(from, block, block->begin(), {block->getArgument(0)});
  rewriter.modifyOpInPlace(map, [&] { map.getInputMutable().set(init); });
  forwardSizes(rewriter, generic.getResult(0), init);
  rewriter.eraseOp(generic);
}

/// The same for a lookup of embeddings.
static void fuseLookup(RewriterBase &rewriter, MapOp map, EmbeddingOp lookup) {
  Location loc = lookup.getLoc();
  SmallVector<SmallVector<OpFoldResult>> shape;
  rewriter.setInsertionPoint(lookup);
  (void)lookup.reifyResultShapes(rewriter, shape);
  Value init = tensor::EmptyOp::create(rewriter, loc, shape[0],
                                       lookup.getTable().getType().getElementType());
  Block *block = &map.getBody().front();
  rewriter.setInsertionPointToStart(block);
  Emitter e(loc, rewriter);
  Value id = e.toIndex(e.lookup(lookup.getIds(), {block->getArgument(1), block->getArgument(3)}));
  Value token = e.lookup(lookup.getTable(), {id, block->getArgument(4)});
  rewriter.replaceAllUsesWith(block->getArgument(0), token);
  rewriter.modifyOpInPlace(map, [&] { map.getInputMutable().set(init); });
  forwardSizes(rewriter, lookup, init);
  rewriter.eraseOp(lookup);
}

static void mapChain(RewriterBase &rewriter, ArrayRef<EncodingOpInterface> chain) {
  EncodingOpInterface first = chain.front(), last = chain.back();
  Location loc = last.getLoc();
  Value x = first.getInput();
  auto type = cast<RankedTensorType>(x.getType());

  rewriter.setInsertionPoint(last);
  SmallVector<std::pair<Value, int64_t>> sizes;
  for (int64_t dim = 0; dim < type.getRank(); ++dim)
    sizes.push_back({x, dim});
  Value init = emptyOf(rewriter, loc, type, sizes);
  ChannelsAttr channels = first.getChannels();
  auto map = MapOp::create(rewriter, loc, type, x, /*others=*/ValueRange{}, init,
                           /*offsets=*/ValueRange{}, channels, layoutOf(first));

  SmallVector<Type> types(channels.getGroup(), rewriter.getF32Type());
  types.append(4, rewriter.getIndexType());
  SmallVector<Location> locs(types.size(), loc);
  Block *block = rewriter.createBlock(&map.getBody(), map.getBody().end(), types, locs);
  YieldOp::create(rewriter, loc, block->getArguments().take_front(channels.getGroup()));
  for (EncodingOpInterface encoding : llvm::reverse(chain))
    prependMap(rewriter, &map.getBody().front(), encoding);
  eraseDead(rewriter, map.getBody().front());
  rewriter.replaceAllUsesWith(last->getResult(0), map.getResult(0));
  for (EncodingOpInterface encoding : llvm::reverse(chain)) {
    forwardSizes(rewriter, encoding->getResult(0), x);
    if (encoding->use_empty())
      rewriter.eraseOp(encoding);
  }
  Operation *source = map.getInput().getDefiningOp();
  if (!readsTokensOf(map, source))
    return;
  if (auto lookup = dyn_cast<EmbeddingOp>(source))
    fuseLookup(rewriter, map, lookup);
  else if (auto generic = dyn_cast<linalg::GenericOp>(source); generic && isFunction(generic))
    fuseSource(rewriter, map, generic);
}

void fuse::fuseMaps(RewriterBase &rewriter, ArrayRef<EncodingOpInterface> encodings) {
  llvm::SmallPtrSet<Operation *, 8> done;
  for (EncodingOpInterface encoding : encodings) {
    if (done.contains(encoding))
      continue;
    SmallVector<EncodingOpInterface> chain;
    for (auto next = encoding; next; next = follower(next)) {
      chain.push_back(next);
      done.insert(next);
    }
    mapChain(rewriter, chain);
  }
}
