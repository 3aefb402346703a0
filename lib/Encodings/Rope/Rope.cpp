#include "posenc/Encoding.h"

#include <cmath>

#define GET_OP_CLASSES
#include "Rope.h.inc"
#define GET_OP_CLASSES
#include "Rope.cpp.inc"

using namespace mlir;
using namespace posenc;

static RegisterEncoding<RopeOp> registration;

int64_t RopeOp::getRotatedWidth() {
  return getWidth() ? int64_t(*getWidth()) : getX().getType().getDimSize(3) - int64_t(getOffset());
}

LogicalResult RopeOp::verify() {
  if (getPairing() == Pairing::each)
    return emitOpError("expected pairing half or interleaved, but found each");
  if (int64_t width = getRotatedWidth(); width < 2 || width > maxTableSize)
    return emitOpError("expected a width of 2 to ") << maxTableSize << ", but found " << width;
  if (!(getBase().convertToDouble() > 0))
    return emitOpError("expected a positive base, but found ")
           << getBase().convertToDouble();
  return success();
}

ChannelsAttr RopeOp::getChannels() {
  return ChannelsAttr::get(getContext(), getPairing(), getOffset(),
                           getRotatedWidth());
}

SmallVector<Value> RopeOp::emit(Emitter &e, ValueRange x, const At &at) {
  int64_t width = getRotatedWidth();
  double base = getBase().convertToDouble();
  SmallVector<double> frequencies;
  for (int64_t c = 0; c < width / 2; ++c)
    frequencies.push_back(std::pow(base, -2.0 * c / width));
  Value frequency = e.lookup(e.table(frequencies), at.channel);
  Value angle = e.mul(e.toFloat(at.coord), frequency);
  Value cos = e.cos(angle), sin = e.sin(angle);
  if (double amplitude = getAmplitude().convertToDouble(); amplitude != 1.0) {
    cos = e.mul(cos, e.f32(amplitude));
    sin = e.mul(sin, e.f32(amplitude));
  }
  return {e.sub(e.mul(x[0], cos), e.mul(x[1], sin)),
          e.add(e.mul(x[0], sin), e.mul(x[1], cos))};
}

bool RopeOp::isTranslationInvariant() { return true; }
