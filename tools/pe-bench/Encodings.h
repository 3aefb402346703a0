//===- Encodings.h - The encodings that can be timed ------------*- C++ -*-===//

#ifndef POSENC_TOOLS_PE_BENCH_ENCODINGS_H
#define POSENC_TOOLS_PE_BENCH_ENCODINGS_H

#include "Bench/Encoding.h"

namespace posenc::bench {

// Of rows of queries and keys.
Encoding makeRope(const Shape &shape, llvm::StringRef pairing = "half");

// Of scores.
Encoding makeAlibi(const Shape &shape);
Encoding makeT5(const Shape &shape, bool isCausal);

// Masks. A window is the query's own key and those before it, `size` in all;
// without `isCausal` as many after it are visible.
Encoding makeCausal(const Shape &shape);
Encoding makeWindow(const Shape &shape, int64_t size, bool isCausal);
Encoding makePadding(const Shape &shape);

// Of tokens.
Encoding makeSinusoidal(const Shape &shape);
Encoding makeLearned(const Shape &shape);
Encoding makeTokenType(const Shape &shape);

} // namespace posenc::bench

#endif // POSENC_TOOLS_PE_BENCH_ENCODINGS_H
