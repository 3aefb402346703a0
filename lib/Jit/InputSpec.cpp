//===- InputSpec.cpp - Inputs described by a few characters ---------------===//

#include "posenc/Jit/InputSpec.h"

#include "posenc/Jit/Npy.h"
#include "llvm/ADT/STLExtras.h"

#include <cmath>
#include <optional>

using namespace posenc;
using llvm::StringRef;
using llvm::Twine;

bool HostType::accepts(llvm::ArrayRef<int64_t> actual) const {
  return actual.size() == shape.size() &&
         llvm::all_of(llvm::zip_equal(actual, shape), [](auto sizes) {
           auto [size, expected] = sizes;
           return expected < 0 || size == expected;
         });
}

//===----------------------------------------------------------------------===//
// Numbers
//===----------------------------------------------------------------------===//

namespace {
/// splitmix64: equidistributed, and the same everywhere.
class Random {
public:
  explicit Random(uint64_t seed) : state(seed) {}

  uint64_t next() {
    uint64_t bits = state += 0x9e3779b97f4a7c15u;
    bits = (bits ^ bits >> 30) * 0xbf58476d1ce4e5b9u;
    bits = (bits ^ bits >> 27) * 0x94d049bb133111ebu;
    return bits ^ bits >> 31;
  }

  /// Standard normal, by Box and Muller.
  double nextNormal() {
    double radius = std::sqrt(-2 * std::log(nextUniform()));
    return radius * std::cos(2 * M_PI * nextUniform());
  }

private:
  /// In (0, 1], so that its logarithm is finite.
  double nextUniform() { return ((next() >> 11) + 1) * 0x1p-53; }

  uint64_t state;
};
} // namespace

static void fillRandom(HostTensor &tensor, uint64_t seed) {
  Random random(seed);
  for (int64_t i = 0, n = tensor.getNumElements(); i < n; ++i) {
    if (isFloat(tensor.getKind()))
      tensor.setFloat(i, random.nextNormal());
    else
      tensor.setInt(i, random.next() %
                           (tensor.getKind() == ElementKind::I1 ? 2 : 100));
  }
}

/// The bits of an integer literal that fits into `kind`, or nothing.
static std::optional<int64_t> parseInt(StringRef text, ElementKind kind) {
  int64_t value;
  if (text.getAsInteger(10, value))
    return std::nullopt;
  if (kind == ElementKind::I1)
    return value == 0 || value == 1 ? std::optional(value) : std::nullopt;
  unsigned width = 8 * getByteWidth(kind);
  if (width < 64 &&
      (value < -(1ll << (width - 1)) || value >= (1ll << (width - 1))))
    return std::nullopt;
  return value;
}

static llvm::Error fill(HostTensor &tensor, StringRef what,
                        uint64_t defaultSeed) {
  ElementKind kind = tensor.getKind();
  int64_t n = tensor.getNumElements();
  if (what == "zeros")
    return llvm::Error::success();
  if (what == "iota") {
    for (int64_t i = 0; i < n; ++i)
      isFloat(kind) ? tensor.setFloat(i, i) : tensor.setInt(i, i);
    return llvm::Error::success();
  }
  if (what.consume_front("random")) {
    uint64_t seed = defaultSeed;
    if (!what.empty() &&
        (!what.consume_front(":") || what.getAsInteger(10, seed)))
      return makeError("expected a number as the seed of random");
    fillRandom(tensor, seed);
    return llvm::Error::success();
  }
  if (what == "ones")
    what = "1";
  double value;
  if (std::optional<int64_t> integer = parseInt(what, kind);
      integer && !isFloat(kind)) {
    for (int64_t i = 0; i < n; ++i)
      tensor.setInt(i, *integer);
  } else if (isFloat(kind) && !what.getAsDouble(value)) {
    for (int64_t i = 0; i < n; ++i)
      tensor.setFloat(i, value);
  } else {
    return makeError("expected @FILE.npy, random, zeros, ones, iota or an " +
                     getName(kind) + " number but got '" + what + "'");
  }
  return llvm::Error::success();
}

//===----------------------------------------------------------------------===//
// Shapes
//===----------------------------------------------------------------------===//

/// Parses "AxBxC" or "AxBxCxf32"; the element type must be that of `type`.
static llvm::Error parseShape(StringRef text, const HostType &type,
                              llvm::SmallVectorImpl<int64_t> &shape) {
  llvm::SmallVector<StringRef> parts;
  text.split(parts, 'x');
  bool isGood = true;
  StringRef kind = getName(type.kind);
  for (const StringRef &part : parts) {
    int64_t size;
    if (!part.getAsInteger(10, size) && size >= 0)
      shape.push_back(size);
    else if (&part != &parts.back() || part != kind)
      isGood = false;
  }
  if (isGood && type.accepts(shape))
    return llvm::Error::success();
  return makeError("expected a shape that fits " + type.format() +
                   " but got '" + text + "'");
}

llvm::Expected<HostTensor>
posenc::makeInput(StringRef spec, const HostType &type, uint64_t defaultSeed) {
  llvm::SmallVector<int64_t> shape;
  bool hasShape = false;
  // A '=' in a file name is no separator.
  size_t separator = spec.starts_with("@") ? StringRef::npos : spec.find('=');
  if (separator != StringRef::npos) {
    if (llvm::Error error = parseShape(spec.take_front(separator), type, shape))
      return error;
    spec = spec.drop_front(separator + 1);
    hasShape = true;
  }

  if (spec.consume_front("@")) {
    llvm::Expected<HostTensor> tensor = readNpy(spec, type.kind);
    if (!tensor)
      return tensor.takeError();
    HostType expected = type;
    if (hasShape)
      expected.shape = shape;
    if (!expected.accepts(tensor->getShape()))
      return makeError("'" + spec + "': expected " + expected.format() +
                       " but got " +
                       formatShape(tensor->getShape(), type.kind));
    return tensor;
  }

  if (!hasShape) {
    shape = type.shape;
    if (llvm::any_of(shape, [](int64_t size) { return size < 0; }))
      return makeError("expected a shape for the dynamic sizes of " +
                       type.format() + ", as in 2x3=" + spec);
  }
  llvm::Expected<HostTensor> tensor = HostTensor::create(type.kind, shape);
  if (!tensor)
    return tensor.takeError();
  if (llvm::Error error = fill(*tensor, spec, defaultSeed))
    return error;
  return tensor;
}
