//===- LargePages.h - memory in larger pages --------------------*- C++ -*-===//
//
// Where the system leaves the choice to programs, what is large gets pages of 2 MiB:
// weights are read once in each call, and looking up each of their small pages, twice in a
// virtual machine, holds memory up. numpy has the same for its arrays.
//
//===----------------------------------------------------------------------===//

#ifndef POSENC_JIT_LARGEPAGES_H
#define POSENC_JIT_LARGEPAGES_H

#include <cstddef>

namespace llvm::orc {
class LLJIT;
} // namespace llvm::orc

namespace posenc {

constexpr size_t kLargePage = 2 << 20;

/// Asks for large pages for those that lie in [data, data + numBytes).
void preferLargePages(char *data, size_t numBytes);

/// Asks for them for the globals of objects that will be linked.
void preferLargePages(llvm::orc::LLJIT &lljit);

} // namespace posenc

#endif // POSENC_JIT_LARGEPAGES_H
