// RUN: pe-opt %s --posenc-return-arguments --split-input-file | FileCheck %s

// CHECK-LABEL: func @same(
// CHECK-SAME: %[[A:[^:]+]]: memref<?xf32>)
// CHECK-NEXT: return %[[A]]
func.func @same(%a: memref<?xf32> {posenc.in_place}) -> memref<?xf32> {
  %0 = bufferization.clone %a : memref<?xf32> to memref<?xf32>
  return %0 : memref<?xf32>
}

// The copy of what was not given away stays, and so does one that others change.
// CHECK-LABEL: func @others(
// CHECK-SAME: %[[A:[^:]+]]: memref<?xf32>, %[[B:[^:]+]]: memref<?xf32>,
// CHECK-DAG: bufferization.clone %[[A]]
// CHECK-DAG: bufferization.clone %[[B]]
func.func @others(%a: memref<?xf32>, %b: memref<?xf32> {posenc.in_place}, %x: f32) -> (memref<?xf32>, memref<?xf32>) {
  %0 = bufferization.clone %a : memref<?xf32> to memref<?xf32>
  %1 = bufferization.clone %b : memref<?xf32> to memref<?xf32>
  linalg.fill ins(%x : f32) outs(%1 : memref<?xf32>)
  return %0, %1 : memref<?xf32>, memref<?xf32>
}
