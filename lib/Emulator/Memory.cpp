//===- Memory.cpp - The global memory of the emulated device --------------===//

#include "Memory.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

using namespace posenc::emulator;

// As those of the CUDA driver: whatever is aligned there is aligned here.
static constexpr uint64_t kAlignment = 256;

Memory::~Memory() {
  for (auto &[begin, buffer] : buffers)
    if (buffer.name.empty())
      std::free(begin);
}

char *Memory::allocate(uint64_t bytes, bool isTracked) {
  if (bytes > kLimit - used)
    return nullptr;
  // A gap behind it, so that no two buffers touch.
  uint64_t size = (bytes / kAlignment + 2) * kAlignment;
  auto *memory = static_cast<char *>(std::aligned_alloc(kAlignment, size));
  if (!memory)
    return nullptr;
  used += bytes;
  Buffer buffer;
  buffer.begin = memory;
  buffer.bytes = bytes;
  if (isTracked) {
    std::memset(memory, 0xff, size);
    buffer.isWritten.assign(bytes, 0);
  }
  buffers[memory] = std::move(buffer);
  return memory;
}

bool Memory::free(void *memory) {
  auto found = buffers.find(static_cast<char *>(memory));
  if (found == buffers.end() || !found->second.name.empty())
    return false;
  used -= found->second.bytes;
  buffers.erase(found);
  std::free(memory);
  return true;
}

Buffer *Memory::find(const void *address) {
  auto next = buffers.upper_bound(static_cast<char *>(const_cast<void *>(address)));
  return next == buffers.begin() ? nullptr : &std::prev(next)->second;
}

void Memory::markWritten(void *address, uint64_t bytes) {
  Buffer *buffer = find(address);
  if (!buffer || buffer->isWritten.empty())
    return;
  uint64_t offset = static_cast<char *>(address) - buffer->begin;
  if (offset < buffer->bytes)
    std::memset(&buffer->isWritten[offset], 1, std::min(bytes, buffer->bytes - offset));
}

Memory::Snapshot Memory::save() const {
  Snapshot snapshot;
  for (auto &[begin, buffer] : buffers)
    if (buffer.isWritable)
      snapshot.contents[begin] = {std::vector<char>(begin, begin + buffer.bytes),
                                  buffer.isWritten};
  return snapshot;
}

void Memory::restore(const Snapshot &snapshot) {
  for (auto &[begin, saved] : snapshot.contents) {
    std::copy(saved.first.begin(), saved.first.end(), begin);
    buffers[begin].isWritten = saved.second;
  }
}
