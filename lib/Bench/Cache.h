//===- Cache.h - Attention to a cache as a case -----------------*- C++ -*-===//

#ifndef POSENC_BENCH_CACHE_H
#define POSENC_BENCH_CACHE_H

#include "Bench/Case.h"
#include "Bench/Encoding.h"

namespace posenc::bench {

/// How rows lie in a cache: `[batch, head, block, chunk, row, channel]`.
struct CacheShape {
  /// What decoding reads well by vectors of so many f32, or, if that is 0, on a GPU.
  CacheShape(const Shape &shape, int64_t lanes);

  int64_t rows;                        ///< of a block
  int64_t keyChannels, valueChannels; ///< of a chunk
};

/// The case of a decoder: keys and values of the queries' own tokens are encoded
/// and appended to caches that hold those of all earlier ones, then attention
/// reads these. The number of earlier ones is known at run time only.
llvm::Expected<Case> makeCachedAttention(llvm::StringRef name,
                                         const Shape &shape,
                                         const CacheShape &cache,
                                         llvm::ArrayRef<Encoding> encodings);

} // namespace posenc::bench

#endif // POSENC_BENCH_CACHE_H
