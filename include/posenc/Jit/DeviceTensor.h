//===- DeviceTensor.h - Dense arrays on the device --------------*- C++ -*-===//

#ifndef POSENC_JIT_DEVICETENSOR_H
#define POSENC_JIT_DEVICETENSOR_H

#include "posenc/Jit/HostTensor.h"

namespace posenc {

/// An array in the memory of the device of this process, contiguous and row-major.
class DeviceTensor {
public:
  /// A copy of `tensor`. Fails if the memory of the device does not suffice.
  static llvm::Expected<DeviceTensor> upload(const HostTensor &tensor);

  /// Takes over what a program has allocated and returned.
  static DeviceTensor adopt(ElementKind kind, llvm::ArrayRef<int64_t> shape, void *data);

  /// Memory of another, which must outlive it: of an argument that a program changes in
  /// place, or that of a scalar on the host, as programs get them by value.
  static DeviceTensor view(ElementKind kind, llvm::ArrayRef<int64_t> shape, void *data);

  /// A copy on the host, of the values when everything before is done.
  llvm::Expected<HostTensor> download() const;

  ElementKind getKind() const { return kind; }
  llvm::ArrayRef<int64_t> getShape() const { return shape; }
  void *getData() const { return data.get(); }

private:
  /// In the order of the stream that is lent, or else of the default one.
  struct Free {
    bool isOwner;
    void operator()(void *pointer) const;
  };

  DeviceTensor(ElementKind kind, llvm::ArrayRef<int64_t> shape, void *data, Free free)
      : kind(kind), shape(shape), data(data, free) {}

  ElementKind kind;
  llvm::SmallVector<int64_t> shape;
  std::unique_ptr<void, Free> data;
};

} // namespace posenc

#endif // POSENC_JIT_DEVICETENSOR_H
