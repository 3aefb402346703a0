//===- AttentionScores.cpp - score regions in powers of two ---------------===//
//
// The weight of a score is a power of e, and computers have powers of two. Where
// the region is linear in the score, as one that adds a bias, it can take and give
// scores that are log2(e) times as large: queries are scaled anyway, and so is some
// factor of the bias that is the same for all pairs.
//
//===----------------------------------------------------------------------===//

#include "Vectorize/AttentionKernel.h"

using namespace mlir;
using namespace posenc;

namespace {
class ScoreScaler {
public:
  ScoreScaler(Block &block) : block(block), b(OpBuilder::atBlockTerminator(&block)) {}

  /// log2(e) times `v`, made of a score that is so already. Null for what is no
  /// linear function of the score.
  Value scaled(Value v) {
    if (v == score())
      return v;
    if (Value &known = results[v])
      return known;
    Value result = isIndependent(v, score()) ? scaledTerm(v) : scaledSum(v);
    return results[v] = result;
  }

private:
  BlockArgument score() { return block.getArgument(0); }
  bool isSameForAllPairs(Value v) {
    return llvm::all_of(block.getArguments().take_back(2),
                        [&](BlockArgument at) { return isIndependent(v, at); });
  }

  /// Of a product, one factor is scaled, if possible one that is no vector.
  Value scaledTerm(Value v) {
    Location loc = v.getLoc();
    if (auto product = v.getDefiningOp<arith::MulFOp>(); product && !isSameForAllPairs(v))
      for (unsigned n = 0; n < 2; ++n)
        if (isSameForAllPairs(product->getOperand(n)))
          return arith::MulFOp::create(b, loc, scaledTerm(product->getOperand(n)),
                                       product->getOperand(1 - n));
    Value factor = arith::ConstantOp::create(b, loc, b.getF32FloatAttr(log2e));
    return b.createOrFold<arith::MulFOp>(loc, v, factor);
  }

  /// Of a sum all terms are scaled, of a product the factor that has the score in it.
  Value scaledSum(Value v) {
    Operation *op = v.getDefiningOp();
    bool isProduct = isa_and_present<arith::MulFOp>(op);
    if (!isProduct &&
        !isa_and_present<arith::AddFOp, arith::SubFOp, arith::NegFOp, arith::SelectOp>(op))
      return {};
    IRMapping mapping;
    unsigned factors = 0;
    for (Value x : op->getOperands()) {
      bool isFree = isIndependent(x, score()), selects = x.getType() != v.getType();
      factors += !isFree;
      if (isFree && (isProduct || selects))
        continue;
      Value operand = selects || (isProduct && factors > 1) ? Value() : scaled(x);
      if (!operand)
        return {};
      mapping.map(x, operand);
    }
    return b.clone(*op, mapping)->getResult(0);
  }

  Block &block;
  OpBuilder b;
  DenseMap<Value, Value> results;
};
} // namespace

bool posenc::scaleScores(AttentionOp op) {
  if (op.getScoreMod().empty())
    return true;
  Block &block = op.getScoreMod().front();
  Value scaled = ScoreScaler(block).scaled(block.getTerminator()->getOperand(0));
  if (scaled)
    block.getTerminator()->setOperand(0, scaled);
  return scaled != nullptr;
}

void posenc::contractProducts(Region &region) {
  region.walk([](arith::ArithFastMathInterface op) {
    auto flags = op.getFastMathFlagsAttr();
    auto with = (flags ? flags.getValue() : arith::FastMathFlags::none) | arith::FastMathFlags::contract;
    op->setAttr(op.getFastMathAttrName(), arith::FastMathFlagsAttr::get(op->getContext(), with));
  });
}
