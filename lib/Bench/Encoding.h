//===- Encoding.h - What a benchmark knows of an encoding -------*- C++ -*-===//
//
// The text that applies it, and what it computes, once more and independently,
// in float64. Nothing in this folder knows a particular encoding.
//
//===----------------------------------------------------------------------===//

#ifndef POSENC_BENCH_ENCODING_H
#define POSENC_BENCH_ENCODING_H

#include "posenc/Jit/HostTensor.h"
#include "llvm/Support/JSON.h"

#include <functional>
#include <vector>

namespace posenc::bench {

/// The sizes of an attention, or of the tokens `[batch, queries, dim]`.
struct Shape {
  int64_t batch = 1, heads = 8, keyHeads = 8, dim = 64;
  int64_t queries = 1024, keys = 1024;
  ElementKind kind = ElementKind::F32;
  /// Heads inside rows: `[batch, row, head, channel]`.
  bool isRowMajor = false;
  /// Rows whose number is not known when compiling.
  bool isDynamic = false;
};

/// A further input of a program.
struct Operand {
  std::string name;
  ElementKind kind;
  llvm::SmallVector<int64_t> shape;
  /// The values, as for pe-runner's --input.
  std::string spec;
};

using Operands = llvm::ArrayRef<const HostTensor *>;
using Row = llvm::MutableArrayRef<double>;

struct Encoding {
  enum Site { Token, Row, Score, Mask };

  std::string name;
  Site site;
  /// One operation on `$x` of type `$type`, at `$at` with their types in
  /// `$types`; `$layout` is an attribute to add.
  std::string text;
  std::vector<Operand> operands;

  /// In place, for one row of channels; `index` counts rows of the tensor.
  std::function<void(bench::Row, int64_t position, int64_t index, Operands)>
      row;
  std::function<double(double score, int64_t head, int64_t query, int64_t key,
                       Operands)>
      score;
  /// Whether the query at one position sees the key at another.
  std::function<bool(int64_t query, int64_t key)> mask;
  /// What rounding of positions to f32 adds to the error, per position.
  double errorPerPosition = 0;
  /// What it is called in the words of other libraries' workers, and its
  /// parameters.
  llvm::json::Value peerWords = nullptr;
};

} // namespace posenc::bench

#endif // POSENC_BENCH_ENCODING_H
