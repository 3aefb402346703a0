//===- Jit.h - Link an object and call it -----------------------*- C++ -*-===//

#ifndef POSENC_JIT_JIT_H
#define POSENC_JIT_JIT_H

#include "posenc/Jit/DeviceTensor.h"
#include "posenc/Jit/HostTensor.h"
#include "posenc/Jit/Object.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"

namespace posenc {

/// What one call did, besides its results.
struct CallStatistics {
  double seconds = 0;
  /// Buffers that the call allocated, neither freed nor returned, and what it
  /// left on a device.
  int64_t leakedBuffers = 0;
  int64_t leakedBytes = 0;
};

/// A module in machine code in this process.
class Jit {
public:
  /// Links `object` into this process. Compiled code may call what `sharedLibs`
  /// have, besides what the process has loaded.
  static llvm::Expected<std::unique_ptr<Jit>>
  create(Object object, llvm::ArrayRef<std::string> sharedLibs);

  ~Jit();

  /// Runs global constructors and `posenc_load`, if there is one. To be called
  /// once, before the first call. Fails if the load function does.
  llvm::Error load();

  /// Calls an entry point of the module. Compiled code may write to arguments
  /// that it takes as memrefs. Fails if the arguments do not fit the entry
  /// point, if compiled code reports a run-time error, or if a result does not
  /// have the promised shape.
  llvm::Expected<llvm::SmallVector<HostTensor>>
  call(const EntryPoint &entry, llvm::MutableArrayRef<HostTensor> arguments,
       CallStatistics *statistics = nullptr);

  /// The same, but only says how many seconds it took: the results are freed
  /// uncopied, so that calls in a row find the caches as they left them.
  llvm::Expected<double> time(const EntryPoint &entry,
                              llvm::MutableArrayRef<HostTensor> arguments);

  /// Calls an entry point whose arguments and results are memory of the device, as
  /// `posenc-nvptx{resident}` makes them. Scalars are passed as views of the host; a
  /// result that is an argument is a view of that.
  llvm::Expected<llvm::SmallVector<DeviceTensor>>
  call(const EntryPoint &entry, llvm::ArrayRef<DeviceTensor> arguments);

  /// The relocatable object of the module.
  llvm::MemoryBufferRef getObject() const { return *object.code; }

private:
  using Invoke = void (*)(void **);

  Jit() = default;

  /// A tensor, wherever it is.
  struct Argument {
    ElementKind kind;
    llvm::ArrayRef<int64_t> shape;
    void *data;
  };

  /// Calls; `collect` gets the storage of the results before they are freed.
  llvm::Error invoke(const EntryPoint &entry, llvm::ArrayRef<Argument> arguments,
                     CallStatistics *statistics,
                     llvm::function_ref<llvm::Error(const char *)> collect);

  Object object;
  std::unique_ptr<llvm::orc::LLJIT> lljit;
  llvm::StringMap<Invoke> functions;
};

} // namespace posenc

#endif // POSENC_JIT_JIT_H
