// RUN: pe-opt %s --posenc-raise | FileCheck %s

// What is no linear layer, or not all of one.

// A matrix for each sample.

// CHECK-LABEL: func @batched(
// CHECK-NOT: posenc.
func.func @batched(%x: tensor<2x5x8xf32>, %w: tensor<2x8x6xf32>, %init: tensor<2x5x6xf32>) -> tensor<2x5x6xf32> {
  %zero = arith.constant 0.0 : f32
  %z = linalg.fill ins(%zero : f32) outs(%init : tensor<2x5x6xf32>) -> tensor<2x5x6xf32>
  %y = linalg.batch_matmul ins(%x, %w : tensor<2x5x8xf32>, tensor<2x8x6xf32>) outs(%z : tensor<2x5x6xf32>) -> tensor<2x5x6xf32>
  return %y : tensor<2x5x6xf32>
}

// Something is added that differs by row as well.

// CHECK-LABEL: func @accumulates(
// CHECK-NOT: posenc.
func.func @accumulates(%x: tensor<5x8xf32>, %w: tensor<8x6xf32>, %init: tensor<5x6xf32>) -> tensor<5x6xf32> {
  %y = linalg.matmul ins(%x, %w : tensor<5x8xf32>, tensor<8x6xf32>) outs(%init : tensor<5x6xf32>) -> tensor<5x6xf32>
  return %y : tensor<5x6xf32>
}

// No layer has a weight of unknown size.

// CHECK-LABEL: func @unknown(
// CHECK-NOT: posenc.
func.func @unknown(%x: tensor<5x8xf32>, %w: tensor<8x?xf32>, %init: tensor<5x?xf32>) -> tensor<5x?xf32> {
  %zero = arith.constant 0.0 : f32
  %z = linalg.fill ins(%zero : f32) outs(%init : tensor<5x?xf32>) -> tensor<5x?xf32>
  %y = linalg.matmul ins(%x, %w : tensor<5x8xf32>, tensor<8x?xf32>) outs(%z : tensor<5x?xf32>) -> tensor<5x?xf32>
  return %y : tensor<5x?xf32>
}

// The sums without the bias are read as well: the layer has none.

// CHECK-LABEL: func @read_sums(
// CHECK: %[[P:.+]] = posenc.linear ins(%{{.+}}, %{{.+}} : tensor<5x8xf32>, tensor<6x8xf32>) outs
// CHECK: %[[Y:.+]] = linalg.add ins(%[[P]], %{{.+}}
// CHECK: return %[[P]], %[[Y]]
func.func @read_sums(%x: tensor<5x8xf32>, %w: tensor<8x6xf32>, %b: tensor<6xf32>, %init: tensor<5x6xf32>)
    -> (tensor<5x6xf32>, tensor<5x6xf32>) {
  %zero = arith.constant 0.0 : f32
  %z = linalg.fill ins(%zero : f32) outs(%init : tensor<5x6xf32>) -> tensor<5x6xf32>
  %p = linalg.matmul ins(%x, %w : tensor<5x8xf32>, tensor<8x6xf32>) outs(%z : tensor<5x6xf32>) -> tensor<5x6xf32>
  %bs = linalg.broadcast ins(%b : tensor<6xf32>) outs(%init : tensor<5x6xf32>) dimensions = [0]
  %y = linalg.add ins(%p, %bs : tensor<5x6xf32>, tensor<5x6xf32>) outs(%init : tensor<5x6xf32>) -> tensor<5x6xf32>
  return %p, %y : tensor<5x6xf32>, tensor<5x6xf32>
}

// One number for each row is no bias.

// CHECK-LABEL: func @rows(
// CHECK: %[[P:.+]] = posenc.linear ins(%{{.+}}, %{{.+}} : tensor<6x8xf32>, tensor<6x8xf32>) outs
// CHECK: %[[Y:.+]] = linalg.add ins(%[[P]], %{{.+}}
// CHECK: return %[[Y]]
func.func @rows(%x: tensor<6x8xf32>, %w: tensor<8x6xf32>, %b: tensor<6xf32>, %init: tensor<6x6xf32>) -> tensor<6x6xf32> {
  %zero = arith.constant 0.0 : f32
  %z = linalg.fill ins(%zero : f32) outs(%init : tensor<6x6xf32>) -> tensor<6x6xf32>
  %p = linalg.matmul ins(%x, %w : tensor<6x8xf32>, tensor<8x6xf32>) outs(%z : tensor<6x6xf32>) -> tensor<6x6xf32>
  %bs = linalg.broadcast ins(%b : tensor<6xf32>) outs(%init : tensor<6x6xf32>) dimensions = [1]
  %y = linalg.add ins(%p, %bs : tensor<6x6xf32>, tensor<6x6xf32>) outs(%init : tensor<6x6xf32>) -> tensor<6x6xf32>
  return %y : tensor<6x6xf32>
}
