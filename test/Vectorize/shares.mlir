// Threads have shares of a linear layer that differ by one register tile or panel: an
// even number of them, of whole tiles of rows (12 here, so 84 for 1000 rows) and of
// panels where the blocks of rows are fewer than eight.
// RUN: pe-opt %s --posenc-vectorize-linear=vector-bits=512 --canonicalize --cse | FileCheck %s

// CHECK-LABEL: func.func @blocks(
// CHECK-DAG: %[[ZERO:.*]] = arith.constant 0 : index
// CHECK-DAG: %[[ONE:.*]] = arith.constant 1 : index
// CHECK-DAG: %[[TWO:.*]] = arith.constant 2 : index
// CHECK-DAG: %[[FOUR:.*]] = arith.constant 4 : index
// CHECK-DAG: %[[UNIT:.*]] = arith.constant 12 : index
// CHECK-DAG: %[[PANELS:.*]] = arith.constant 36 : index
// CHECK-DAG: %[[TILES:.*]] = arith.constant 84 : index
// CHECK-DAG: %[[ROWS:.*]] = arith.constant 1000 : index
// CHECK:     scf.parallel (%[[I:.*]], %[[J:.*]]) = (%[[ZERO]], %[[ZERO]]) to (%[[FOUR]], %[[TWO]])
// CHECK:       %[[A:.*]] = arith.muli %[[I]], %[[TILES]]
// CHECK:       %[[B:.*]] = arith.divui %[[A]], %[[FOUR]]
// CHECK:       %[[FROM:.*]] = arith.muli %[[B]], %[[UNIT]]
// CHECK:       %[[TO:.*]] = arith.minsi %{{.*}}, %[[ROWS]]
// CHECK:       %[[C:.*]] = arith.muli %[[J]], %[[PANELS]]
// CHECK:       %[[FIRST:.*]] = arith.divui %[[C]], %[[TWO]]
// CHECK:       %[[END:.*]] = arith.minsi %{{.*}}, %[[PANELS]]
// CHECK:       call @posenc_linear({{.*}}, %[[FROM]], %[[TO]], %[[FIRST]], %[[END]])
func.func @blocks(%x: memref<1000x8xf32>, %w: memref<36x8x16xf32>, %y: memref<1000x576xf32>) {
  posenc.linear ins(%x, %w : memref<1000x8xf32>, memref<36x8x16xf32>) outs(%y : memref<1000x576xf32>)
  return
}

// 36 panels are four or five for each of eight shares, in turn.
// CHECK-LABEL: func.func @panels(
// CHECK-DAG: %[[EIGHT:.*]] = arith.constant 8 : index
// CHECK-DAG: %[[PANELS:.*]] = arith.constant 36 : index
// CHECK:     scf.parallel (%[[J:.*]]) = {{.*}} to (%[[EIGHT]])
// CHECK:       %[[C:.*]] = arith.muli %[[J]], %[[PANELS]]
// CHECK:       arith.divui %[[C]], %[[EIGHT]]
func.func @panels(%x: memref<128x8xf32>, %w: memref<36x8x16xf32>, %y: memref<128x576xf32>) {
  posenc.linear ins(%x, %w : memref<128x8xf32>, memref<36x8x16xf32>) outs(%y : memref<128x576xf32>)
  return
}
