// Packed pairs of bf16 are multiplied: a step of a register tile takes one product of
// pairs for every vector, of weights as they lie in memory.

// RUN: pe-opt %s --posenc-vectorize-linear="vector-bits=512 bf16-pairs" | FileCheck %s
// CHECK-LABEL: func.func private @posenc_linear(
// Rows are rounded, an odd number of cache lines apart.
// CHECK: memref.alloca() {alignment = 64 : i64} : memref<{{[0-9]+}}x96xbf16>
// CHECK: vector.load %{{.*}} : memref<6144xbf16>, vector<32xbf16>
// CHECK-NOT: vector.interleave
// CHECK: x86vector.avx512.dot
// CHECK-NOT: vector.fma
// Weights that are not in pairs are converted.
// CHECK-LABEL: func.func private @posenc_linear_0(
// CHECK-NOT: x86vector
// CHECK: arith.extf {{.*}} : vector<16xbf16> to vector<16xf32>
// CHECK: vector.fma
// A processor without products of pairs takes them apart, one by one.
// RUN: pe-opt %s --posenc-vectorize-linear="vector-bits=512" | FileCheck %s --check-prefix=NONE --implicit-check-not=x86vector
// NONE-LABEL: func.func private @posenc_linear(
// NONE: memref.load %{{.*}} : memref<3x32x32x2xbf16>
// NONE-LABEL: func.func private @posenc_linear_0(
// NONE: vector.fma

func.func @pairs(%x: memref<?x64xf32>, %w: memref<3x32x32x2xbf16>, %b: memref<96xf32>, %y: memref<?x96xf32>) {
  posenc.linear ins(%x, %w : memref<?x64xf32>, memref<3x32x32x2xbf16>) with(%b : memref<96xf32>)
                outs(%y : memref<?x96xf32>)
  return
}
func.func @odd(%x: memref<?x65xf32>, %w: memref<3x65x32xbf16>, %b: memref<96xf32>, %y: memref<?x96xf32>) {
  posenc.linear ins(%x, %w : memref<?x65xf32>, memref<3x65x32xbf16>) with(%b : memref<96xf32>)
                outs(%y : memref<?x96xf32>)
  return
}
