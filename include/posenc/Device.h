//===- Device.h - What runs the kernels of a program ------------*- C++ -*-===//
//
// Host code that MLIR generates calls the C functions of upstream's mgpu
// interface, which libPosencRuntime defines once, over this class. There are two
// devices: the CUDA driver, which is the default, and the emulator.
//
//===----------------------------------------------------------------------===//

#ifndef POSENC_DEVICE_H
#define POSENC_DEVICE_H

#include <cstddef>
#include <cstdint>
#include <memory>

namespace posenc {

/// What went wrong. Fixed storage: its owner may be left by longjmp, which runs
/// no destructors.
struct DeviceError {
  char text[2048] = "";

  /// Formats the text and returns false.
  bool fail(const char *format, ...) __attribute__((format(printf, 2, 3)));
};

struct Extent {
  int64_t x = 1, y = 1, z = 1;
};

/// One launch of a kernel.
struct KernelLaunch {
  void *function;
  Extent grid, block, cluster;
  uint32_t sharedBytes;
  void *stream;
  /// The address of each argument.
  void **arguments;
};

/// A device with memory, streams and kernels of its own. Handles mean something
/// to the device that made them only; a null stream is the default one. Methods
/// return false, with `error` set, if they fail.
class Device {
public:
  virtual ~Device() = default;

  /// What it is called, and the version of its architecture: 90 for sm_90.
  virtual const char *getName() const = 0;
  virtual int getVersion() const = 0;

  /// Loads code: PTX, which ends with a zero, if `size` is 0, else an object.
  virtual bool loadModule(const void *image, size_t size, int optLevel, void *&module,
                          DeviceError &error) = 0;
  virtual void unloadModule(void *module) = 0;
  virtual bool getFunction(void *module, const char *name, void *&function,
                           DeviceError &error) = 0;
  virtual bool launch(const KernelLaunch &launch, DeviceError &error) = 0;

  /// Memory that the host can use as well if `isShared`.
  virtual bool allocate(uint64_t bytes, bool isShared, void *stream, void *&memory,
                        DeviceError &error) = 0;
  virtual bool free(void *memory, bool isShared, void *stream, DeviceError &error) = 0;
  /// Either side may be memory of the host.
  virtual bool copy(void *to, const void *from, size_t bytes, void *stream,
                    DeviceError &error) = 0;
  /// Fills with `count` values of 2 or 4 bytes.
  virtual bool fill(void *to, uint32_t value, int width, size_t count, void *stream,
                    DeviceError &error) = 0;
  /// Says that nobody will write `memory` any more.
  virtual void protect(void *memory) {}
  virtual bool registerHost(void *memory, size_t bytes, DeviceError &error) = 0;
  virtual bool unregisterHost(void *memory, DeviceError &error) = 0;

  virtual bool createStream(void *&stream, DeviceError &error) = 0;
  virtual bool destroyStream(void *stream, DeviceError &error) = 0;
  virtual bool synchronize(void *stream, DeviceError &error) = 0;
  virtual bool createEvent(void *&event, DeviceError &error) = 0;
  virtual bool destroyEvent(void *event, DeviceError &error) = 0;
  virtual bool record(void *event, void *stream, DeviceError &error) = 0;
  virtual bool synchronizeEvent(void *event, DeviceError &error) = 0;
  virtual bool wait(void *stream, void *event, DeviceError &error) = 0;
  virtual bool getElapsed(void *start, void *end, float &milliseconds, DeviceError &error) = 0;
};

/// The device of this process, made at the first call; null, with `error` set,
/// if that fails.
Device *getDevice(DeviceError &error);

/// Makes `device` the one that programs use. To be called before the first
/// program is loaded.
void setDevice(std::unique_ptr<Device> device);

/// The GPU with this number, through the driver of CUDA, which is opened here:
/// nothing else needs it. Null, with `error` set, if there is no driver or GPU.
std::unique_ptr<Device> createCudaDevice(int ordinal, DeviceError &error);

/// Has calls of programs put their work into `stream` from now on, one after the
/// other, and return before it is done. Null: each call has a stream of its own again,
/// and waits for it. A call that copies to the host waits in any case.
void lendStream(void *stream);
void *getLentStream();

/// Takes a buffer that a program returned from what programs own: the caller frees it.
void disown(void *memory);

} // namespace posenc

#endif // POSENC_DEVICE_H
