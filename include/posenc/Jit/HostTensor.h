//===- HostTensor.h - Dense arrays on the host ------------------*- C++ -*-===//
//
// The arrays that go into compiled code and come out of it: contiguous,
// row-major, cache-line aligned.
//
//===----------------------------------------------------------------------===//

#ifndef POSENC_JIT_HOSTTENSOR_H
#define POSENC_JIT_HOSTTENSOR_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>

namespace posenc {

enum class ElementKind { F64, F32, F16, BF16, I64, I32, I16, I8, I1 };

/// The MLIR spelling: "f32", "i64", ...
llvm::StringRef getName(ElementKind kind);

/// Bytes per element in memory; an i1 takes one byte, 0 or 1.
unsigned getByteWidth(ElementKind kind);

bool isFloat(ElementKind kind);

/// A shape as MLIR prints it, with `?` for a dynamic size: "2x?x8xf32".
std::string formatShape(llvm::ArrayRef<int64_t> shape, ElementKind kind);

/// An error that prints as `message`, without prefix or newline.
llvm::Error makeError(const llvm::Twine &message);

class HostTensor {
public:
  /// Allocates a tensor of zeros. Fails if the sizes are negative or the memory
  /// of the machine does not suffice.
  static llvm::Expected<HostTensor> create(ElementKind kind,
                                           llvm::ArrayRef<int64_t> shape);

  HostTensor(HostTensor &&) = default;
  HostTensor &operator=(HostTensor &&) = default;

  /// A copy with its own memory.
  llvm::Expected<HostTensor> clone() const;

  ElementKind getKind() const { return kind; }
  llvm::ArrayRef<int64_t> getShape() const { return shape; }
  int64_t getNumElements() const { return numElements; }
  int64_t getNumBytes() const { return numElements * getByteWidth(kind); }
  char *getData() { return data.get(); }
  const char *getData() const { return data.get(); }

  /// Element `index` in row-major order; exact except for an i64 beyond 2^53.
  double getFloat(int64_t index) const;
  /// Element `index` of an integer tensor.
  int64_t getInt(int64_t index) const;
  /// Stores `value`, rounded to the nearest element value.
  void setFloat(int64_t index, double value);
  /// Stores `value`, truncated to the width of the elements.
  void setInt(int64_t index, int64_t value);

  /// "2x3xf32 [1, 2.5, ...]" with at most `limit` elements; a tensor without
  /// dimensions prints as "f32 1".
  void print(llvm::raw_ostream &os, int64_t limit = 8) const;

private:
  struct Free {
    void operator()(char *pointer) const { std::free(pointer); }
  };

  HostTensor(ElementKind kind, llvm::ArrayRef<int64_t> shape,
             int64_t numElements, std::unique_ptr<char, Free> data)
      : kind(kind), shape(shape), numElements(numElements),
        data(std::move(data)) {}

  ElementKind kind;
  llvm::SmallVector<int64_t> shape;
  int64_t numElements;
  std::unique_ptr<char, Free> data;
};

/// How far apart two tensors are.
struct Difference {
  /// The largest absolute difference; infinite where one of the two is NaN, or
  /// where the infinities differ. NaN equals NaN.
  double maxError = 0;
  /// The row-major index of the element with the largest difference.
  int64_t index = 0;
};

/// Compares element by element; fails if kinds or shapes differ.
llvm::Expected<Difference> compare(const HostTensor &actual,
                                   const HostTensor &expected);

/// Copies with memory of their own.
llvm::Expected<llvm::SmallVector<HostTensor>>
cloneAll(llvm::ArrayRef<HostTensor> tensors);

} // namespace posenc

#endif // POSENC_JIT_HOSTTENSOR_H
