//===- Heap.h - What compiled code allocates --------------------*- C++ -*-===//
//
// A result of compiled code may be a fresh buffer, which its caller must free,
// or alias an argument, a constant or a loaded weight, which nobody may free.
// The descriptor does not tell; so the JIT gives compiled code these versions
// of malloc and its relatives, which remember what a call has allocated.
//
//===----------------------------------------------------------------------===//

#ifndef POSENC_LIB_JIT_HEAP_H
#define POSENC_LIB_JIT_HEAP_H

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringRef.h"

#include <cstddef>

namespace posenc {

/// Remembers the allocations of compiled code, in any thread, while it exists.
/// There can be one at a time.
class HeapScope {
public:
  HeapScope();
  ~HeapScope();

  /// Frees `pointer` if it is a buffer that was allocated in this scope.
  void release(void *pointer);

  /// The buffers that are still there, with their sizes in bytes.
  const llvm::DenseMap<void *, size_t> &getLiveBuffers() const { return live; }

  void add(void *pointer, size_t size);
  void remove(void *pointer);

private:
  llvm::DenseMap<void *, size_t> live;
};

/// Calls `define` with the name and the address of each function.
void defineHeapFunctions(
    llvm::function_ref<void(llvm::StringRef name, void *address)> define);

} // namespace posenc

#endif // POSENC_LIB_JIT_HEAP_H
