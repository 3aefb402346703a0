//===- Tokens.h - An encoding of tokens as a case ---------------*- C++ -*-===//

#ifndef POSENC_BENCH_TOKENS_H
#define POSENC_BENCH_TOKENS_H

#include "Bench/Case.h"
#include "Bench/Encoding.h"

namespace posenc::bench {

/// The case that applies `encoding` to tokens `[batch, queries, dim]`, or, if it is one of
/// rows, to the rows of heads `[batch, heads, queries, dim]`. It is bound by reading: one
/// pass over them.
llvm::Expected<Case> makeTokens(const Shape &shape, const Encoding &encoding);

} // namespace posenc::bench

#endif // POSENC_BENCH_TOKENS_H
