// Attention of many queries reads a cache where it is: a tile takes neighbouring keys of a
// line, and neighbouring channels of one. Products take each from memory, as those with
// rows do, and all sums are in registers.

// RUN: pe-opt %s --posenc-cpu="vector-bits=512" | pe-translate --mlir-to-llvmir \
// RUN:   | opt -O3 -mtriple=x86_64-linux-gnu -mcpu=znver4 | llc -O3 -mcpu=znver4 \
// RUN:   | %python %S/Inputs/loops.py cooperlake 2 | FileCheck %s --check-prefix=LOOPS
// LOOPS-COUNT-5: posenc_attention: 32 products, 0 spills, 0 shuffles, 8{{.}}%

// RUN: pe-opt %s --posenc-cpu="vector-bits=512 to=vectorize" | FileCheck %s
// RUN: pe-opt %s --posenc-cpu="vector-bits=256 to=vectorize" | FileCheck %s --check-prefix=AVX2
// RUN: sed 's/xf32/xbf16/g; s/x?x?xbf16/x?x?xf32/g' %s | pe-opt --posenc-cpu="vector-bits=512 bf16-pairs to=vectorize" | FileCheck %s --check-prefix=PAIRS

// CHECK-LABEL: func @prefill(
// CHECK-SAME: %[[Q:[^:]+]]: memref<1x32x?x128xf32>, %[[KC:[^:]+]]: memref<1x8x?x128x32x1xf32>
// CHECK-NOT: memref.alloc{{.*}}memref<1x8x
// CHECK: %[[K:.+]] = memref.collapse_shape %[[KC]] {{.*}} into memref<1x8x?x4096xf32>
// CHECK: call @posenc_attention(%[[Q]], %[[K]],
// CHECK-LABEL: func private @posenc_attention(
// CHECK-NOT: memref.alloca() {{.*}}memref<192x128xf32>
// CHECK-NOT: memref.alloca() {{.*}}memref<{{.*}}x128x{{16|192}}xf32>

// Tiles of six keys would be of two blocks, and pairs need two channels: what a block of
// keys has is copied for all panels of queries that it meets.
// AVX2-LABEL: func private @posenc_attention(
// AVX2-DAG: memref.alloca() {{.*}}memref<1x128x192xf32>
// AVX2-DAG: memref.alloca() {{.*}}memref<192x128xf32>
// PAIRS-LABEL: func private @posenc_attention(
// PAIRS-DAG: memref.alloca() {{.*}}memref<12x64x16xf32>
// PAIRS-DAG: memref.alloca() {{.*}}memref<96x128xf32>
func.func @prefill(%q: tensor<1x32x?x128xf32>, %kc: tensor<1x8x?x128x32x1xf32>,
                   %vc: tensor<1x8x?x4x32x32xf32>, %n: index) -> tensor<1x32x?x128xf32> {
  %k = posenc.rows %n of %kc : tensor<1x8x?x128x32x1xf32> -> tensor<1x8x?x128xf32>
  %v = posenc.rows %n of %vc : tensor<1x8x?x4x32x32xf32> -> tensor<1x8x?x128xf32>
  %s = posenc.scores %q, %k : (tensor<1x32x?x128xf32>, tensor<1x8x?x128xf32>) -> tensor<1x32x?x?xf32>
  %c = posenc.causal %s : (tensor<1x32x?x?xf32>) -> tensor<1x32x?x?xf32>
  %o = posenc.attend %c, %v : (tensor<1x32x?x?xf32>, tensor<1x8x?x128xf32>) -> tensor<1x32x?x128xf32>
  return %o : tensor<1x32x?x128xf32>
}
