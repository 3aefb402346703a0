//===- HostTensor.cpp - Dense arrays on the host --------------------------===//

#include "posenc/Jit/HostTensor.h"

#include "LargePages.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/raw_ostream.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <unistd.h>

using namespace posenc;

llvm::StringRef posenc::getName(ElementKind kind) {
  static constexpr const char *names[] = {"f64", "f32", "f16", "bf16", "i64",
                                          "i32", "i16", "i8",  "i1"};
  return names[static_cast<int>(kind)];
}

unsigned posenc::getByteWidth(ElementKind kind) {
  static constexpr unsigned widths[] = {8, 4, 2, 2, 8, 4, 2, 1, 1};
  return widths[static_cast<int>(kind)];
}

bool posenc::isFloat(ElementKind kind) { return kind <= ElementKind::BF16; }

std::string posenc::formatShape(llvm::ArrayRef<int64_t> shape,
                                ElementKind kind) {
  std::string text;
  for (int64_t size : shape)
    text += (size < 0 ? "?" : std::to_string(size)) + "x";
  return text + getName(kind).str();
}

llvm::Error posenc::makeError(const llvm::Twine &message) {
  return llvm::createStringError(llvm::inconvertibleErrorCode(), message);
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

llvm::Expected<HostTensor> HostTensor::create(ElementKind kind,
                                              llvm::ArrayRef<int64_t> shape) {
  // Sizes may come from a damaged file or a typing error: refuse what cannot be
  // allocated instead of letting the system kill the process while it fills it.
  const int64_t memory = sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);
  int64_t numElements = 1;
  for (int64_t size : shape) {
    if (size < 0)
      return makeError("negative size " + llvm::Twine(size));
    if (llvm::MulOverflow(numElements, size, numElements))
      return makeError(formatShape(shape, kind) + " does not fit into memory");
  }
  if (numElements > memory / getByteWidth(kind))
    return makeError(formatShape(shape, kind) + " does not fit into memory");

  bool isLarge = numElements * getByteWidth(kind) >= int64_t(2 * kLargePage);
  size_t alignment = isLarge ? kLargePage : 64;
  size_t numBytes =
      llvm::alignTo(size_t(numElements) * getByteWidth(kind) + 1, alignment);
  std::unique_ptr<char, Free> data(
      static_cast<char *>(std::aligned_alloc(alignment, numBytes)));
  if (!data)
    return makeError(formatShape(shape, kind) + " does not fit into memory");
  if (isLarge)
    preferLargePages(data.get(), numBytes);
  std::memset(data.get(), 0, numBytes);
  return HostTensor(kind, shape, numElements, std::move(data));
}

llvm::Expected<HostTensor> HostTensor::clone() const {
  llvm::Expected<HostTensor> copy = create(kind, shape);
  if (copy)
    std::memcpy(copy->getData(), getData(), getNumBytes());
  return copy;
}

llvm::Expected<llvm::SmallVector<HostTensor>>
posenc::cloneAll(llvm::ArrayRef<HostTensor> tensors) {
  llvm::SmallVector<HostTensor> copies;
  for (const HostTensor &tensor : tensors) {
    auto copy = tensor.clone();
    if (!copy)
      return copy.takeError();
    copies.push_back(std::move(*copy));
  }
  return copies;
}

//===----------------------------------------------------------------------===//
// Elements
//===----------------------------------------------------------------------===//

template <typename T> static T load(const char *data, int64_t index) {
  T value;
  std::memcpy(&value, data + index * sizeof(T), sizeof(T));
  return value;
}

template <typename T> static void store(char *data, int64_t index, T value) {
  std::memcpy(data + index * sizeof(T), &value, sizeof(T));
}

double HostTensor::getFloat(int64_t index) const {
  switch (kind) {
  case ElementKind::F64:
    return load<double>(getData(), index);
  case ElementKind::F32:
    return load<float>(getData(), index);
  case ElementKind::F16:
    return load<_Float16>(getData(), index);
  case ElementKind::BF16:
    return llvm::bit_cast<float>(uint32_t(load<uint16_t>(getData(), index))
                                 << 16);
  default:
    return getInt(index);
  }
}

int64_t HostTensor::getInt(int64_t index) const {
  switch (kind) {
  case ElementKind::I64:
    return load<int64_t>(getData(), index);
  case ElementKind::I32:
    return load<int32_t>(getData(), index);
  case ElementKind::I16:
    return load<int16_t>(getData(), index);
  case ElementKind::I8:
    return load<int8_t>(getData(), index);
  default:
    return load<uint8_t>(getData(), index) != 0;
  }
}

void HostTensor::setFloat(int64_t index, double value) {
  switch (kind) {
  case ElementKind::F64:
    return store(getData(), index, value);
  case ElementKind::F32:
    return store(getData(), index, float(value));
  case ElementKind::F16:
    return store(getData(), index, _Float16(value));
  case ElementKind::BF16:
    return store(getData(), index, __bf16(value));
  default:
    return setInt(index, std::llrint(value));
  }
}

void HostTensor::setInt(int64_t index, int64_t value) {
  switch (kind) {
  case ElementKind::I64:
    return store(getData(), index, value);
  case ElementKind::I32:
    return store(getData(), index, int32_t(value));
  case ElementKind::I16:
    return store(getData(), index, int16_t(value));
  case ElementKind::I8:
    return store(getData(), index, int8_t(value));
  case ElementKind::I1:
    return store(getData(), index, uint8_t(value & 1));
  default:
    return setFloat(index, double(value));
  }
}

void HostTensor::print(llvm::raw_ostream &os, int64_t limit) const {
  auto printElement = [&](int64_t index) {
    if (isFloat(kind))
      os << llvm::format("%.6g", getFloat(index));
    else
      os << getInt(index);
  };
  os << formatShape(shape, kind) << ' ';
  if (shape.empty())
    return printElement(0);
  os << '[';
  llvm::ListSeparator separator;
  for (int64_t i = 0, n = std::min(limit, numElements); i < n; ++i) {
    os << separator;
    printElement(i);
  }
  os << (numElements > limit ? ", ...]" : "]");
}

//===----------------------------------------------------------------------===//
// Comparison
//===----------------------------------------------------------------------===//

static double getError(double actual, double expected) {
  if (actual == expected || (std::isnan(actual) && std::isnan(expected)))
    return 0;
  double error = std::fabs(actual - expected);
  return std::isnan(error) ? std::numeric_limits<double>::infinity() : error;
}

llvm::Expected<Difference> posenc::compare(const HostTensor &actual,
                                           const HostTensor &expected) {
  if (actual.getKind() != expected.getKind() ||
      actual.getShape() != expected.getShape())
    return makeError(
        "expected " + formatShape(expected.getShape(), expected.getKind()) +
        " but got " + formatShape(actual.getShape(), actual.getKind()));
  Difference difference;
  for (int64_t i = 0, n = actual.getNumElements(); i < n; ++i) {
    double error = getError(actual.getFloat(i), expected.getFloat(i));
    // Neighbouring large integers may become one double.
    if (error == 0 && !isFloat(actual.getKind()) &&
        actual.getInt(i) != expected.getInt(i))
      error = 1;
    if (error > difference.maxError)
      difference = {error, i};
  }
  return difference;
}
