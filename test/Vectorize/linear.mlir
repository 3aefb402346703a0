// RUN: pe-opt %s --posenc-vectorize-linear=vector-bits=256 --canonicalize --cse | FileCheck %s --check-prefixes=CHECK,AVX2
// RUN: pe-opt %s --posenc-vectorize-linear=vector-bits=512 --canonicalize --cse | FileCheck %s --check-prefixes=CHECK,AVX512
// RUN: not pe-opt %s --posenc-vectorize-linear=vector-bits=128 2>&1 | FileCheck %s --check-prefix=BITS
// BITS: error: expected vector-bits of 256 or 512, but found 128

// CHECK-LABEL: func.func @bias(
// CHECK: memref.collapse_shape %{{.*}} {{\[\[}}0, 1], [2]]
// CHECK: scf.parallel
// CHECK: func.call @posenc_linear(
func.func @bias(%x: memref<?x?x8xf32>, %w: memref<2x8x16xf32>, %b: memref<32xf32>, %y: memref<?x?x32xf32>) {
  posenc.linear ins(%x, %w : memref<?x?x8xf32>, memref<2x8x16xf32>) with(%b : memref<32xf32>)
                outs(%y : memref<?x?x32xf32>)
  return
}

// Equal layers share a kernel, whatever the rank of their rows.
// CHECK-LABEL: func.func @same(
// CHECK: call @posenc_linear(
func.func @same(%x: memref<?x8xf32>, %w: memref<2x8x16xf32>, %b: memref<32xf32>, %y: memref<?x32xf32>) {
  posenc.linear ins(%x, %w : memref<?x8xf32>, memref<2x8x16xf32>) with(%b : memref<32xf32>)
                outs(%y : memref<?x32xf32>)
  return
}

// CHECK-LABEL: func.func @epilogue(
// CHECK: call @posenc_linear_0(
func.func @epilogue(%x: memref<?x6xf16>, %w: memref<2x6x16xf32>, %b: memref<20xf32>, %r: memref<?x20xf32>, %y: memref<?x20xbf16>) {
  posenc.linear ins(%x, %w : memref<?x6xf16>, memref<2x6x16xf32>) with(%b, %r : memref<20xf32>, memref<?x20xf32>)
                outs(%y : memref<?x20xbf16>)
    epilogue {
    ^bb0(%acc: f32, %bias: f32, %residual: f32):
      %0 = arith.addf %acc, %bias : f32
      %1 = math.erf %0 : f32
      %2 = arith.addf %1, %residual : f32
      posenc.yield %2 : f32
    }
  return
}

// CHECK-LABEL: func.func @unpacked(
// CHECK: call @posenc_linear_1(
func.func @unpacked(%x: memref<?x8xf32>, %w: memref<32x8xf32>, %y: memref<?x32xf32>) {
  posenc.linear ins(%x, %w : memref<?x8xf32>, memref<32x8xf32>) outs(%y : memref<?x32xf32>)
  return
}

// The bias is what the accumulators start with; a tile of a panel of 16 is at most
// 6 rows of two vectors, or 12 of one. What is left is 4, or 8 and 4, then 2 and 1.
// CHECK: func.func private @posenc_linear({{.*}}attributes {no_inline, passthrough = ["noinline", "posenc-kernel"]}
// All tiles but the first, or that one, ask for an even share of the next 128 weights.
// CHECK: %[[OTHERS:.*]] = arith.maxsi %{{.*}}, %c1 : index
// CHECK: %[[MORE:.*]] = arith.addi %[[OTHERS]], %c127 : index
// CHECK: %[[SHARE:.*]] = arith.divui %[[MORE]], %[[OTHERS]] : index
// CHECK: %[[TILE:.*]] = arith.subi %{{.*}}, %c1 : index
// CHECK: %[[TILES:.*]] = arith.muli %[[TILE]], %[[SHARE]] : index
// CHECK: %[[AHEAD:.*]] = arith.addi %{{.*}}, %[[TILES]] : index
// AVX2: %[[B0:.*]] = vector.load %arg2{{.*}} vector<8xf32>
// AVX2: %[[B1:.*]] = vector.load %arg2{{.*}} vector<8xf32>
// AVX512: %[[B0:.*]] = vector.load %arg2{{.*}} vector<16xf32>
// AVX2: :12 = scf.for {{.*}} iter_args(%{{.*}} = %[[B0]], %{{.*}} = %[[B1]],
// AVX512: :12 = scf.for {{.*}} iter_args(%{{.*}} = %[[B0]], %{{.*}} = %[[B0]],
// CHECK: %[[NEXT:.*]] = arith.addi %[[AHEAD]], %{{.*}} : index
// CHECK: memref.prefetch %{{.*}}[%[[NEXT]]], read, locality<2>, data : memref<256xf32>
// CHECK: memref.prefetch {{.*}}, read, locality<3>, data
// AVX2-COUNT-48: vector.fma
// AVX512-COUNT-48: vector.fma
// CHECK: scf.yield
// AVX512: :8 = scf.for {{.*}} iter_args(%{{.*}} = %[[B0_8:.*]], %{{.*}} = %[[B0_8]],
// AVX2: :8 = scf.for {{.*}} iter_args(%{{.*}} = %[[B0_4:.*]], %{{.*}} = %[[B1_4:.*]],
// CHECK: scf.if

// Rows in f16 are widened into scratch; the last four outputs are masked.
// CHECK: func.func private @posenc_linear_0(
// A function of the sums is computed in a loop over the rows of a tile.
// CHECK: %[[SUMS:.*]] = memref.alloca() {{.*}} : memref<{{6|12}}x16xf32>
// CHECK: memref.alloca
// CHECK: arith.extf
// CHECK: vector.maskedload
// CHECK: vector.load %[[SUMS]]
// CHECK: math.erf %{{.*}} : vector<
// CHECK: vector.maskedstore

// CHECK: func.func private @posenc_linear_1(
// CHECK-NOT: vector<
// CHECK: arith.mulf %{{.*}} : f32
