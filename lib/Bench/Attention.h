//===- Attention.h - Attention as a case ------------------------*- C++ -*-===//

#ifndef POSENC_BENCH_ATTENTION_H
#define POSENC_BENCH_ATTENTION_H

#include "Bench/Case.h"
#include "Bench/Encoding.h"

namespace posenc::bench {

/// The text of attention with `encodings`, in the order in which they apply.
/// Its arguments are the queries, the keys, the values, and the operands of the
/// encodings.
std::string getAttentionText(const Shape &shape,
                             llvm::ArrayRef<Encoding> encodings);

/// Pairs of a query and a key that it sees, of one head of one sample.
int64_t countVisible(const Shape &shape, llvm::ArrayRef<Encoding> encodings);

/// The case: text, random inputs, work, and a check. Fails if memory does not
/// suffice.
llvm::Expected<Case> makeAttention(llvm::StringRef name, const Shape &shape,
                                   llvm::ArrayRef<Encoding> encodings);

/// "h8 d64 q1024 kv1024 f32".
std::string describe(const Shape &shape);

/// Compares the rows of `result` with attention in float64: all of them, or a
/// sample if they are many.
double checkAttention(const Shape &shape, llvm::ArrayRef<Encoding> encodings,
                      llvm::ArrayRef<HostTensor> inputs,
                      const HostTensor &result);

} // namespace posenc::bench

#endif // POSENC_BENCH_ATTENTION_H
