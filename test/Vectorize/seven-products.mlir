// RUN: pe-opt %s --posenc-vectorize-linear=vector-bits=512 --canonicalize --cse | FileCheck %s

// A layer of many rows has a kernel of seven products, one of few rows that of eight.
// CHECK-LABEL: func.func @layer(
// CHECK: %[[FEW:.*]] = arith.cmpi {{.*}}, %{{.*}}, %c384
// CHECK: scf.if %[[FEW]] {
// CHECK: func.call @posenc_linear(
// CHECK: } else {
// CHECK: func.call @posenc_linear_0(
func.func @layer(%x: memref<?x64xf32>, %w: memref<2x64x48xf32>, %s: memref<4x1x32x48xf32>, %b: memref<96xf32>, %y: memref<?x96xf32>) {
  posenc.linear ins(%x, %w : memref<?x64xf32>, memref<2x64x48xf32>) with(%b : memref<96xf32>)
                sums(%s : memref<4x1x32x48xf32>) outs(%y : memref<?x96xf32>)
  return
}

// Where the number of rows is known, so is the kernel.
// CHECK-LABEL: func.func @many(
// CHECK-NOT: scf.if
// CHECK: func.call @posenc_linear_1(
func.func @many(%x: memref<1000x64xf32>, %w: memref<2x64x48xf32>, %s: memref<4x1x32x48xf32>, %y: memref<1000x96xf32>) {
  posenc.linear ins(%x, %w : memref<1000x64xf32>, memref<2x64x48xf32>) sums(%s : memref<4x1x32x48xf32>)
                outs(%y : memref<1000x96xf32>)
  return
}

// CHECK-LABEL: func.func private @posenc_linear(
// CHECK-NOT: alloca
// CHECK-LABEL: func.func private @posenc_linear_0(
// CHECK-DAG: memref.alloca() {{.*}} : memref<4x64x48xf32>
// CHECK-DAG: memref.alloca() {{.*}} : memref<3x64x48xf32>
// Four sums of rows.
// CHECK-COUNT-4: arith.{{addf|subf}} {{.*}} vector<16xf32>
// CHECK-COUNT-4: vector.store
// Seven products, each with 8 rows of three vectors, by steps of four inputs; what
// they give in four places.
// CHECK: scf.for
// CHECK-COUNT-96: vector.fma
// CHECK: vector.store {{.*}} memref<3x64x48xf32>
// CHECK: scf.for
// CHECK-COUNT-96: vector.fma
// CHECK: vector.store {{.*}} %arg{{.*}} memref<?x96xf32>
// CHECK: scf.for
// CHECK-COUNT-96: vector.fma
// CHECK: vector.store {{.*}} memref<3x64x48xf32>
// CHECK: scf.for
// CHECK-COUNT-96: vector.fma
// CHECK: vector.store {{.*}} memref<3x64x48xf32>
// CHECK: scf.for
// CHECK-COUNT-96: vector.fma
// CHECK: vector.store {{.*}} memref<?x96xf32>
// CHECK: scf.for
// CHECK-COUNT-96: vector.fma
// CHECK: vector.store {{.*}} memref<3x64x48xf32>
// CHECK: vector.store {{.*}} memref<?x96xf32>
// CHECK: scf.for
// CHECK-COUNT-96: vector.fma
// CHECK: vector.store {{.*}} memref<?x96xf32>
