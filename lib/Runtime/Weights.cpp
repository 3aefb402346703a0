//===- Weights.cpp - Memory-mapped weight files ---------------------------===//

#include "posenc/Runtime.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <map>
#include <mutex>
#include <string>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace {
struct Mapping {
  const unsigned char *data;
  int64_t size;
  uint64_t headerHash;
};

/// A message that fits on the stack: posenc_fail may leave by longjmp, which
/// would leak anything that needs a destructor.
struct Message {
  char text[1024];

  template <typename... Args>
  bool fail(const char *path, const char *format, Args... args) {
    char detail[256];
    std::snprintf(detail, sizeof(detail), format, args...);
    std::snprintf(text, sizeof(text), "weights file '%.512s' %s", path, detail);
    return false;
  }
};
} // namespace

static std::mutex mutex;

/// Never destroyed: compiled code may still run in other threads at exit.
static std::map<std::string, Mapping> &getMappings() {
  static auto *mappings = new std::map<std::string, Mapping>;
  return *mappings;
}

/// The FNV-1a 64 hash of the length word and the header; false if the header
/// would be longer than the file.
static bool hashHeader(const unsigned char *data, int64_t size,
                       uint64_t &hash) {
  uint64_t length = 0;
  for (int i = 7; i >= 0; --i)
    length = length << 8 | data[i];
  if (length > uint64_t(size) - 8)
    return false;
  hash = 0xcbf29ce484222325u;
  for (uint64_t i = 0; i < 8 + length; ++i)
    hash = (hash ^ data[i]) * 0x100000001b3u;
  return true;
}

/// Maps the whole file; false, with `message` set, if that is impossible.
static bool mapFile(const char *path, int64_t size, Mapping &mapping,
                    Message &message) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return message.fail(path, "cannot be opened: %s", std::strerror(errno));
  struct stat status;
  bool ok = true;
  if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
    ok = message.fail(path, "%s", "is not a regular file");
  } else if (status.st_size < size) {
    ok = message.fail(path, "is truncated: expected %lld bytes but found %lld",
                      (long long)size, (long long)status.st_size);
  } else if (status.st_size > size) {
    ok = message.fail(
        path, "changed since import: expected %lld bytes but found %lld",
        (long long)size, (long long)status.st_size);
  } else if (size < 8) {
    ok = message.fail(path, "%s", "is too short to have a header");
  } else {
    void *data = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
    mapping = {static_cast<unsigned char *>(data), size, 0};
    if (data == MAP_FAILED) {
      ok = message.fail(path, "cannot be mapped: %s", std::strerror(errno));
    } else if (!hashHeader(mapping.data, size, mapping.headerHash)) {
      ok = message.fail(path, "%s", "has a header that is longer than itself");
      munmap(data, size);
    }
  }
  close(fd);
  return ok;
}

static const void *findWeights(const char *path, int64_t size,
                               uint64_t headerHash, Message &message) {
  std::lock_guard<std::mutex> lock(mutex);
  auto found = getMappings().find(path);
  if (found == getMappings().end()) {
    Mapping mapping;
    if (!mapFile(path, size, mapping, message))
      return nullptr;
    found = getMappings().emplace(path, mapping).first;
  }
  // A second module may ask for the same path with another idea of it.
  const Mapping &mapping = found->second;
  if (mapping.size == size && mapping.headerHash == headerHash)
    return mapping.data;
  message.fail(path, "%s", "changed since import: its header differs");
  return nullptr;
}

const void *posenc_weights(const char *path, int64_t size,
                           uint64_t header_hash) {
  Message message;
  // The lock is released before posenc_fail, which does not return.
  if (const void *data = findWeights(path, size, header_hash, message))
    return data;
  posenc_fail(message.text);
}
