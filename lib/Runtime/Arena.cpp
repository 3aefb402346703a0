//===- Arena.cpp - Memory of calls ----------------------------------------===//

#include "Arena.h"
#include "posenc/Runtime.h"

#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <vector>

namespace {
struct Free {
  void operator()(void *memory) const { std::free(memory); }
};

struct Piece {
  std::unique_ptr<void, Free> memory;
  int64_t size = 0;
};

/// The pieces of a thread: one per depth of calls within calls.
struct Arena {
  std::vector<Piece> pieces;
  size_t depth = 0;
};
} // namespace

static thread_local Arena arena;

void *posenc_acquire(int64_t bytes) {
  if (arena.depth == arena.pieces.size())
    arena.pieces.emplace_back();
  Piece &piece = arena.pieces[arena.depth];
  if (piece.size < bytes || !piece.memory) {
    piece.memory.reset(); // first, so that both are never there at once
    piece.size = 0;
    // Whole pages, and some room, so that lengths that grow by one do not allocate
    // each time.
    constexpr int64_t page = 4096, most = INT64_MAX / 4;
    int64_t size = bytes < most ? (bytes + bytes / 8 + page) / page * page : bytes;
    if (bytes >= 0 && bytes < most)
      piece.memory.reset(std::aligned_alloc(page, size));
    if (!piece.memory) {
      char message[96];
      std::snprintf(message, sizeof(message), "cannot allocate %" PRId64 " bytes for a call", bytes);
      posenc_fail(message);
    }
    piece.size = size;
  }
  ++arena.depth;
  return piece.memory.get();
}

void posenc_release(void) { --arena.depth; }

void posenc::releaseAll() { arena.depth = 0; }
