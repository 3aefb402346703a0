//===- Builtins.cpp - Functions that LLVM calls on its own ----------------===//
//
// Symbols that neither libc nor the libgcc of all supported systems has, but
// that code generation refers to: conversions to bf16 and copies of strided
// memrefs.
//
//===----------------------------------------------------------------------===//

#include <cstdint>
#include <cstring>

namespace {
/// An unranked memref, as the LLVM lowering passes it.
struct UnrankedMemRef {
  int64_t rank;
  void *descriptor;
};

/// The leading fields of a ranked descriptor; sizes and strides follow.
struct MemRefHeader {
  char *base;
  char *data;
  int64_t offset;
};

struct StridedView {
  char *data;
  const int64_t *sizes;
  const int64_t *strides;
};
} // namespace

static StridedView getView(const UnrankedMemRef *memref, int64_t elementSize) {
  auto *header = static_cast<MemRefHeader *>(memref->descriptor);
  auto *sizes = reinterpret_cast<int64_t *>(header + 1);
  return {header->data + header->offset * elementSize, sizes,
          sizes + memref->rank};
}

/// Rounds to the nearest bf16, ties to even; a NaN stays a (quiet) NaN.
static uint16_t roundToBF16(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  if ((bits & 0x7fffffff) > 0x7f800000)
    return uint16_t(bits >> 16 | 0x40);
  return uint16_t((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

static void copy(int64_t elementSize, int64_t rank, StridedView from,
                 StridedView to) {
  if (rank == 0) {
    std::memcpy(to.data, from.data, elementSize);
    return;
  }
  if (rank == 1 && from.strides[0] == 1 && to.strides[0] == 1) {
    std::memcpy(to.data, from.data, from.sizes[0] * elementSize);
    return;
  }
  for (int64_t i = 0, n = from.sizes[0]; i < n; ++i)
    copy(elementSize, rank - 1,
         {from.data + i * from.strides[0] * elementSize, from.sizes + 1,
          from.strides + 1},
         {to.data + i * to.strides[0] * elementSize, to.sizes + 1,
          to.strides + 1});
}

extern "C" {
/// memref.copy of anything that is not contiguous.
void memrefCopy(int64_t elementSize, UnrankedMemRef *from, UnrankedMemRef *to) {
  copy(elementSize, from->rank, getView(from, elementSize),
       getView(to, elementSize));
}

__bf16 __truncsfbf2(float value) {
  return __builtin_bit_cast(__bf16, roundToBF16(value));
}

/// Rounds through f32 with the sticky bit kept, so that it rounds only once.
__bf16 __truncdfbf2(double value) {
  float narrow = static_cast<float>(value);
  uint32_t bits;
  std::memcpy(&bits, &narrow, sizeof(bits));
  if (static_cast<double>(narrow) != value && (bits & 1) == 0 &&
      narrow == narrow && (bits & 0x7fffffff) != 0x7f800000) {
    bool awayFromZero = __builtin_fabs(double(narrow)) > __builtin_fabs(value);
    bits = awayFromZero ? bits - 1 : bits | 1;
    std::memcpy(&narrow, &bits, sizeof(narrow));
  }
  return __truncsfbf2(narrow);
}
}
