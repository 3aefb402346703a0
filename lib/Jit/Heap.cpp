//===- Heap.cpp - What compiled code allocates ----------------------------===//

#include "Heap.h"

#include <cassert>
#include <cstdlib>
#include <limits>
#include <malloc.h>
#include <mutex>

using namespace posenc;

static std::mutex mutex;
static HeapScope *current = nullptr;

HeapScope::HeapScope() {
  std::lock_guard<std::mutex> lock(mutex);
  assert(!current && "expected a single heap scope");
  current = this;
}

HeapScope::~HeapScope() {
  std::lock_guard<std::mutex> lock(mutex);
  current = nullptr;
}

void HeapScope::release(void *pointer) {
  std::lock_guard<std::mutex> lock(mutex);
  if (live.erase(pointer))
    std::free(pointer);
}

void HeapScope::add(void *pointer, size_t size) { live[pointer] = size; }

void HeapScope::remove(void *pointer) { live.erase(pointer); }

static void *track(void *pointer, size_t size) {
  std::lock_guard<std::mutex> lock(mutex);
  if (current && pointer)
    current->add(pointer, size);
  return pointer;
}

static void untrack(void *pointer) {
  std::lock_guard<std::mutex> lock(mutex);
  if (current)
    current->remove(pointer);
}

static void *trackedMalloc(size_t size) {
  return track(std::malloc(size), size);
}

static void *trackedCalloc(size_t count, size_t size) {
  return track(std::calloc(count, size), count * size);
}

static void *trackedAlignedAlloc(size_t alignment, size_t size) {
  return track(std::aligned_alloc(alignment, size), size);
}

static void *trackedRealloc(void *pointer, size_t size) {
  untrack(pointer);
  return track(std::realloc(pointer, size), size);
}

static void trackedFree(void *pointer) {
  untrack(pointer);
  std::free(pointer);
}

void posenc::defineHeapFunctions(
    llvm::function_ref<void(llvm::StringRef, void *)> define) {
  // What a call frees, the next one asks for again: the pages stay with the
  // process, as mapping them anew takes longer than small kernels do.
  mallopt(M_MMAP_MAX, 0);
  mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max());
  define("malloc", reinterpret_cast<void *>(trackedMalloc));
  define("calloc", reinterpret_cast<void *>(trackedCalloc));
  define("aligned_alloc", reinterpret_cast<void *>(trackedAlignedAlloc));
  define("realloc", reinterpret_cast<void *>(trackedRealloc));
  define("free", reinterpret_cast<void *>(trackedFree));
}
