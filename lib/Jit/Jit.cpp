//===- Jit.cpp - Link an object and call it -------------------------------===//

#include "posenc/Jit/Jit.h"

#include "Guard.h"
#include "Heap.h"
#include "Invoker.h"
#include "LargePages.h"
#include "posenc/Runtime.h"
#include "llvm/ExecutionEngine/Orc/ExecutionUtils.h"
#include "llvm/ExecutionEngine/Orc/JITTargetMachineBuilder.h"
#include "llvm/TargetParser/Host.h"

#include <chrono>
#include <cstring>

using namespace posenc;
using llvm::StringRef;
using llvm::Twine;
namespace orc = llvm::orc;

//===----------------------------------------------------------------------===//
// Linking
//===----------------------------------------------------------------------===//

/// Defines what compiled code may call, apart from what the process has loaded.
static llvm::Error defineSymbols(orc::LLJIT &lljit,
                                 llvm::ArrayRef<std::string> sharedLibs) {
  orc::JITDylib &library = lljit.getMainJITDylib();
  orc::SymbolMap symbols;
  defineHeapFunctions([&](StringRef name, void *address) {
    symbols[lljit.mangleAndIntern(name)] = {orc::ExecutorAddr::fromPtr(address),
                                            llvm::JITSymbolFlags::Exported};
  });
  if (llvm::Error error = library.define(orc::absoluteSymbols(symbols)))
    return error;
  for (const std::string &path : sharedLibs) {
    auto generator = orc::DynamicLibrarySearchGenerator::Load(
        path.c_str(), lljit.getDataLayout().getGlobalPrefix());
    if (!generator)
      return generator.takeError();
    library.addGenerator(std::move(*generator));
  }
  return llvm::Error::success();
}

llvm::Expected<std::unique_ptr<Jit>>
Jit::create(Object object, llvm::ArrayRef<std::string> sharedLibs) {
  auto lljit =
      orc::LLJITBuilder()
          .setJITTargetMachineBuilder(orc::JITTargetMachineBuilder(
              llvm::Triple(llvm::sys::getProcessTriple())))
          .create();
  if (!lljit)
    return lljit.takeError();
  if (llvm::Error error = defineSymbols(**lljit, sharedLibs))
    return error;
  preferLargePages(**lljit);
  if (llvm::Error error = (*lljit)->addObjectFile(llvm::MemoryBuffer::getMemBuffer(
          object.code->getMemBufferRef(), /*RequiresNullTerminator=*/false)))
    return error;
  std::unique_ptr<Jit> jit(new Jit);
  for (const std::string &name : object.names) {
    auto address = (*lljit)->lookup(name);
    if (!address)
      return address.takeError();
    jit->functions[name] = address->toPtr<Invoke>();
  }
  jit->object = std::move(object);
  jit->lljit = std::move(*lljit);
  return jit;
}

Jit::~Jit() { posenc_device_forget_constants(); }

llvm::Error Jit::load() {
  for (StringRef name : {StringRef(kConstructFunction), StringRef(kLoadFunction)})
    if (auto function = functions.find(name); function != functions.end())
      if (llvm::Error error = callGuarded(function->second, /*slots=*/nullptr))
        return error;
  return llvm::Error::success();
}

//===----------------------------------------------------------------------===//
// Calls
//===----------------------------------------------------------------------===//

/// A memref descriptor as words: base, data, offset, sizes, strides.
using Descriptor = llvm::SmallVector<int64_t>;

static Descriptor makeDescriptor(void *data, llvm::ArrayRef<int64_t> shape) {
  auto address = reinterpret_cast<int64_t>(data);
  Descriptor words = {address, address, 0};
  llvm::append_range(words, shape);
  size_t rank = shape.size();
  words.resize(3 + 2 * rank);
  int64_t stride = 1;
  for (size_t i = rank; i-- > 0; stride *= shape[i])
    words[3 + rank + i] = stride;
  return words;
}

template <typename Argument>
static llvm::Error checkArguments(const EntryPoint &entry, llvm::ArrayRef<Argument> arguments) {
  if (arguments.size() != entry.arguments.size())
    return makeError("expected " + Twine(entry.arguments.size()) +
                     " arguments but got " + Twine(arguments.size()));
  for (auto [index, argument] : llvm::enumerate(arguments)) {
    const HostType &type = entry.arguments[index];
    if (argument.kind != type.kind || !type.accepts(argument.shape))
      return makeError("argument " + Twine(index) + ": expected " +
                       type.format() + " but got " +
                       formatShape(argument.shape, argument.kind));
  }
  return llvm::Error::success();
}

/// The memory of a result, which is `storage` of its descriptor, and its shape.
static llvm::Expected<std::pair<char *, llvm::SmallVector<int64_t>>>
readDescriptor(const HostType &type, const char *storage) {
  Descriptor words(getPassedSize(type) / 8);
  std::memcpy(words.data(), storage, getPassedSize(type));
  llvm::ArrayRef shape = llvm::ArrayRef(words).slice(3, type.shape.size());
  if (!type.accepts(shape))
    return makeError("expected " + type.format() + " but got " +
                     formatShape(shape, type.kind));
  return std::pair(reinterpret_cast<char *>(words[1]) + words[2] * getByteWidth(type.kind),
                   llvm::SmallVector<int64_t>(shape));
}

/// Copies what a result stands for; `storage` holds its descriptor or scalar.
static llvm::Expected<HostTensor> copyResult(const HostType &type,
                                             const char *storage) {
  if (type.isScalar) {
    llvm::Expected<HostTensor> scalar = HostTensor::create(type.kind, {});
    if (scalar)
      std::memcpy(scalar->getData(), storage, getByteWidth(type.kind));
    return scalar;
  }
  auto result = readDescriptor(type, storage);
  if (!result)
    return result.takeError();
  llvm::Expected<HostTensor> tensor = HostTensor::create(type.kind, result->second);
  if (tensor && tensor->getNumElements() != 0)
    std::memcpy(tensor->getData(), result->first, tensor->getNumBytes());
  return tensor;
}

template <typename Argument, typename Tensors>
static llvm::SmallVector<Argument> view(Tensors &&tensors) {
  return llvm::map_to_vector(tensors, [](auto &tensor) {
    return Argument{tensor.getKind(), tensor.getShape(), tensor.getData()};
  });
}

llvm::Error Jit::invoke(const EntryPoint &entry, llvm::ArrayRef<Argument> arguments,
                        CallStatistics *statistics,
                        llvm::function_ref<llvm::Error(const char *)> collect) {
  if (llvm::Error error = checkArguments(entry, arguments))
    return error;
  auto function = functions.find((kInvokerPrefix + entry.name).str());
  if (function == functions.end())
    return makeError("no entry point '" + entry.name + "'");

  std::vector<Descriptor> descriptors;
  for (const Argument &argument : arguments)
    descriptors.push_back(makeDescriptor(argument.data, argument.shape));
  llvm::SmallVector<void *> slots;
  for (auto [index, argument] : llvm::enumerate(arguments))
    slots.push_back(entry.arguments[index].isScalar ? argument.data : descriptors[index].data());
  llvm::SmallVector<int64_t> offsets = getResultOffsets(entry);
  // Words, for their alignment.
  llvm::SmallVector<int64_t> storage(llvm::divideCeil(offsets.back(), 8) + 1);
  slots.push_back(storage.data());

  HeapScope heap;
  auto start = std::chrono::steady_clock::now();
  int64_t objectsBefore, bytesBefore;
  posenc_device_live(&objectsBefore, &bytesBefore);
  if (llvm::Error error = callGuarded(function->second, slots.data())) {
    posenc_device_release();
    return error;
  }
  std::chrono::duration<double> seconds =
      std::chrono::steady_clock::now() - start;

  // Results may share a buffer: collect all before the first is freed.
  auto *bytes = reinterpret_cast<const char *>(storage.data());
  if (llvm::Error error = collect(bytes))
    return error;
  for (auto [index, type] : llvm::enumerate(entry.results)) {
    void *base;
    std::memcpy(&base, bytes + offsets[index], sizeof(base));
    if (!type.isScalar)
      heap.release(base);
  }
  if (statistics) {
    int64_t objects, bytes;
    posenc_device_live(&objects, &bytes);
    *statistics = {seconds.count(), objects - objectsBefore, bytes - bytesBefore};
    for (auto [pointer, size] : heap.getLiveBuffers()) {
      ++statistics->leakedBuffers;
      statistics->leakedBytes += size;
    }
  }
  return llvm::Error::success();
}

/// Takes over a result on the device, as copyResult copies one, unless it is one of the
/// arguments.
static llvm::Expected<DeviceTensor> adoptResult(const HostType &type, const char *storage,
                                                llvm::ArrayRef<DeviceTensor> arguments) {
  auto result = readDescriptor(type, storage);
  if (!result)
    return result.takeError();
  auto &[data, shape] = *result;
  if (llvm::is_contained(llvm::map_range(arguments, std::mem_fn(&DeviceTensor::getData)), data))
    return DeviceTensor::view(type.kind, shape, data);
  return DeviceTensor::adopt(type.kind, shape, data);
}

/// What `take` makes of each result in the struct at `bytes`.
template <typename Tensor, typename Take>
static llvm::Error collectResults(const EntryPoint &entry, const char *bytes,
                                  llvm::SmallVector<Tensor> &results, Take take) {
  llvm::SmallVector<int64_t> offsets = getResultOffsets(entry);
  for (auto [index, type] : llvm::enumerate(entry.results)) {
    llvm::Expected<Tensor> result = take(type, bytes + offsets[index]);
    if (!result)
      return makeError("result " + Twine(index) + ": " + llvm::toString(result.takeError()));
    results.push_back(std::move(*result));
  }
  return llvm::Error::success();
}

llvm::Expected<llvm::SmallVector<HostTensor>>
Jit::call(const EntryPoint &entry, llvm::MutableArrayRef<HostTensor> arguments,
          CallStatistics *statistics) {
  llvm::SmallVector<HostTensor> results;
  auto collect = [&](const char *bytes) { return collectResults(entry, bytes, results, copyResult); };
  if (llvm::Error error = invoke(entry, view<Argument>(arguments), statistics, collect))
    return error;
  return results;
}

llvm::Expected<llvm::SmallVector<DeviceTensor>>
Jit::call(const EntryPoint &entry, llvm::ArrayRef<DeviceTensor> arguments) {
  llvm::SmallVector<DeviceTensor> results;
  auto adopt = [&](const HostType &type, const char *storage) {
    return adoptResult(type, storage, arguments);
  };
  auto collect = [&](const char *bytes) { return collectResults(entry, bytes, results, adopt); };
  if (llvm::Error error = invoke(entry, view<Argument>(arguments), /*statistics=*/nullptr, collect))
    return error;
  return results;
}

llvm::Expected<double> Jit::time(const EntryPoint &entry,
                                 llvm::MutableArrayRef<HostTensor> arguments) {
  CallStatistics statistics;
  if (llvm::Error error =
          invoke(entry, view<Argument>(arguments), &statistics,
                 [](const char *) { return llvm::Error::success(); }))
    return error;
  return statistics.seconds;
}
