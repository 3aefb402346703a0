#include "posenc/Encoding.h"

#include <cmath>

#define GET_OP_CLASSES
#include "Sinusoidal.h.inc"
#define GET_OP_CLASSES
#include "Sinusoidal.cpp.inc"

using namespace mlir;
using namespace posenc;

static RegisterEncoding<SinusoidalOp> registration;

LogicalResult SinusoidalOp::verify() {
  int64_t channels = getX().getType().getDimSize(2);
  if (channels < 2 || channels > maxTableSize)
    return emitOpError("expected 2 to ") << maxTableSize << " channels, but found " << channels;
  if (getPairing() == Pairing::each)
    return emitOpError("expected pairing half or interleaved, but found each");
  if (getShift() != 0 && getShift() != 1)
    return emitOpError("expected shift 0 or 1, but found ") << getShift();
  if (channels / 2 <= static_cast<int64_t>(getShift()))
    return emitOpError("expected more than ")
           << channels << " channels, since shift is " << getShift();
  if (!(getBase().convertToDouble() > 0))
    return emitOpError("expected a positive base, but found ") << getBase().convertToDouble();
  return success();
}

ChannelsAttr SinusoidalOp::getChannels() {
  return ChannelsAttr::get(getContext(), getPairing(), 0, getX().getType().getDimSize(2));
}

SmallVector<Value> SinusoidalOp::emit(Emitter &e, ValueRange x, const At &at) {
  int64_t pairs = getX().getType().getDimSize(2) / 2;
  double base = getBase().convertToDouble(), span = pairs - int64_t(getShift());
  SmallVector<double> frequencies;
  for (int64_t c = 0; c < pairs; ++c)
    frequencies.push_back(std::pow(base, -c / span));
  Value angle = e.mul(e.toFloat(at.coord), e.lookup(e.table(frequencies), at.channel));
  Value sin = e.sin(angle), cos = e.cos(angle);
  if (double scale = getScale().convertToDouble(); scale != 1.0) {
    sin = e.mul(sin, e.f32(scale));
    cos = e.mul(cos, e.f32(scale));
  }
  return {e.add(x[0], sin), e.add(x[1], cos)};
}
