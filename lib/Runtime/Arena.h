//===- Arena.h - Memory of calls ---------------------------------*- C++ -*-===//

#ifndef POSENC_LIB_RUNTIME_ARENA_H
#define POSENC_LIB_RUNTIME_ARENA_H

namespace posenc {

/// Takes back what the calling thread's calls have acquired: none of them goes on.
void releaseAll();

} // namespace posenc

#endif // POSENC_LIB_RUNTIME_ARENA_H
