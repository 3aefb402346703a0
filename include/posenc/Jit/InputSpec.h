//===- InputSpec.h - Inputs described by a few characters -------*- C++ -*-===//
//
// The values of `--input=`:
//
//   [SHAPE=]@FILE.npy       an array from a file
//   [SHAPE=]random[:SEED]   floats: standard normal; i1: 0 or 1; other
//   integers:
//                           0 to 99
//   [SHAPE=]zeros | ones | iota | NUMBER
//
// SHAPE is AxBxC, optionally with the element type (AxBxCxf32), and must agree
// with the type of the argument; it is needed only to give dynamic sizes.
//
//===----------------------------------------------------------------------===//

#ifndef POSENC_JIT_INPUTSPEC_H
#define POSENC_JIT_INPUTSPEC_H

#include "posenc/Jit/HostTensor.h"

namespace posenc {

/// What compiled code expects of one argument or promises of one result.
struct HostType {
  ElementKind kind;
  /// A negative size is dynamic.
  llvm::SmallVector<int64_t> shape;
  /// A scalar is passed by value; its shape is empty.
  bool isScalar = false;

  /// "2x?xf32".
  std::string format() const { return formatShape(shape, kind); }
  /// Whether `actual` has the rank and the static sizes of this type.
  bool accepts(llvm::ArrayRef<int64_t> actual) const;
};

/// Makes the tensor that `spec` describes for an argument of `type`.
/// `defaultSeed` is the seed of `random` without one. The numbers depend on the
/// seed and the shape only, never on the machine's random library.
llvm::Expected<HostTensor> makeInput(llvm::StringRef spec, const HostType &type,
                                     uint64_t defaultSeed);

} // namespace posenc

#endif // POSENC_JIT_INPUTSPEC_H
