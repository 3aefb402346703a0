//===- DeviceTensor.cpp - Dense arrays on the device ----------------------===//

#include "posenc/Jit/DeviceTensor.h"

#include "posenc/Device.h"

using namespace posenc;

void DeviceTensor::Free::operator()(void *pointer) const {
  if (!isOwner)
    return;
  DeviceError error;
  Device *device = getDevice(error);
  // After an error the device may refuse it; there is nobody to tell.
  if (device)
    device->free(pointer, /*isShared=*/false, getLentStream(), error);
}

llvm::Expected<DeviceTensor> DeviceTensor::upload(const HostTensor &tensor) {
  DeviceError error;
  Device *device = getDevice(error);
  void *data = nullptr;
  if (!device || !device->allocate(tensor.getNumBytes(), /*isShared=*/false, getLentStream(), data,
                                   error))
    return makeError(error.text);
  DeviceTensor result(tensor.getKind(), tensor.getShape(), data, {/*isOwner=*/true});
  if (tensor.getNumBytes() &&
      (!device->copy(data, tensor.getData(), tensor.getNumBytes(), getLentStream(), error) ||
       !device->synchronize(getLentStream(), error)))
    return makeError(error.text);
  return result;
}

DeviceTensor DeviceTensor::adopt(ElementKind kind, llvm::ArrayRef<int64_t> shape, void *data) {
  disown(data);
  return DeviceTensor(kind, shape, data, {/*isOwner=*/true});
}

DeviceTensor DeviceTensor::view(ElementKind kind, llvm::ArrayRef<int64_t> shape, void *data) {
  return DeviceTensor(kind, shape, data, {/*isOwner=*/false});
}

llvm::Expected<HostTensor> DeviceTensor::download() const {
  auto tensor = HostTensor::create(kind, shape);
  if (!tensor)
    return tensor.takeError();
  DeviceError error;
  Device *device = getDevice(error);
  if (!device || !device->synchronize(getLentStream(), error))
    return makeError(error.text);
  if (tensor->getNumBytes() &&
      (!device->copy(tensor->getData(), data.get(), tensor->getNumBytes(), getLentStream(), error) ||
       !device->synchronize(getLentStream(), error)))
    return makeError(error.text);
  return tensor;
}
