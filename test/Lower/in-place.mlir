// RUN: pe-opt %s --one-shot-bufferize="bufferize-function-boundaries function-boundary-type-conversion=identity-layout-map" --canonicalize --cse | FileCheck %s

// What is read for the last time where the result is written gives its place to it: a
// residual to a layer's result, and that to its normalisation.
// CHECK-LABEL: func.func @residual(
// CHECK-SAME: %[[X:.*]]: memref<4x8xf32>,
// CHECK: %[[H:.*]] = memref.alloc() {{.*}} : memref<4x8xf32>
// CHECK: %[[UP:.*]] = memref.alloc() {{.*}} : memref<4x16xf32>
// CHECK-NOT: memref.alloc
// CHECK: posenc.layer_norm ins(%[[X]], {{.*}}) outs(%[[H]] :
// CHECK: posenc.linear ins(%[[H]], {{.*}}) outs(%[[UP]] :
// CHECK: posenc.linear ins(%[[UP]], {{.*}}) with(%[[H]] : {{.*}}) outs(%[[H]] :
// CHECK: posenc.layer_norm ins(%[[H]], {{.*}}) outs(%[[H]] :
// CHECK: return %[[H]]
func.func @residual(%x: tensor<4x8xf32>, %g: tensor<8xf32>, %b: tensor<8xf32>, %up: tensor<16x8xf32>,
                    %down: tensor<8x16xf32>) -> tensor<4x8xf32> {
  %empty = tensor.empty() : tensor<4x8xf32>
  %wide = tensor.empty() : tensor<4x16xf32>
  %0 = posenc.layer_norm ins(%x, %g, %b : tensor<4x8xf32>, tensor<8xf32>, tensor<8xf32>)
                         outs(%empty : tensor<4x8xf32>) {eps = 1.0e-5 : f32} -> tensor<4x8xf32>
  %1 = posenc.linear ins(%0, %up : tensor<4x8xf32>, tensor<16x8xf32>)
                     outs(%wide : tensor<4x16xf32>) -> tensor<4x16xf32>
  %2 = posenc.linear ins(%1, %down : tensor<4x16xf32>, tensor<8x16xf32>) with(%0 : tensor<4x8xf32>)
                     outs(%empty : tensor<4x8xf32>) -> tensor<4x8xf32>
  %3 = posenc.layer_norm ins(%2, %g, %b : tensor<4x8xf32>, tensor<8xf32>, tensor<8xf32>)
                         outs(%empty : tensor<4x8xf32>) {eps = 1.0e-5 : f32} -> tensor<4x8xf32>
  return %3 : tensor<4x8xf32>
}

// A layer reads all of a row for each element: not where its own input is added.
// CHECK-LABEL: func.func @own(
// CHECK: %[[Y:.*]] = memref.alloc()
// CHECK: %[[H:.*]] = memref.alloc()
// CHECK: posenc.layer_norm {{.*}} outs(%[[H]] :
// CHECK: posenc.linear ins(%[[H]], {{.*}}) with(%[[H]] : {{.*}}) outs(%[[Y]] :
func.func @own(%x: tensor<4x8xf32>, %g: tensor<8xf32>, %w: tensor<8x8xf32>) -> tensor<4x8xf32> {
  %empty = tensor.empty() : tensor<4x8xf32>
  %0 = posenc.layer_norm ins(%x, %g, %g : tensor<4x8xf32>, tensor<8xf32>, tensor<8xf32>)
                         outs(%empty : tensor<4x8xf32>) {eps = 1.0e-5 : f32} -> tensor<4x8xf32>
  %1 = posenc.linear ins(%0, %w : tensor<4x8xf32>, tensor<8x8xf32>) with(%0 : tensor<4x8xf32>)
                     outs(%empty : tensor<4x8xf32>) -> tensor<4x8xf32>
  return %1 : tensor<4x8xf32>
}

// Nor where it is read again.
// CHECK-LABEL: func.func @again(
// CHECK: %[[Y:.*]] = memref.alloc()
// CHECK: %[[H:.*]] = memref.alloc()
// CHECK: posenc.layer_norm {{.*}} outs(%[[H]] :
// CHECK: posenc.layer_norm ins(%[[H]], {{.*}}) outs(%[[Y]] :
func.func @again(%x: tensor<4x8xf32>, %g: tensor<8xf32>) -> (tensor<4x8xf32>, tensor<4x8xf32>) {
  %empty = tensor.empty() : tensor<4x8xf32>
  %0 = posenc.layer_norm ins(%x, %g, %g : tensor<4x8xf32>, tensor<8xf32>, tensor<8xf32>)
                         outs(%empty : tensor<4x8xf32>) {eps = 1.0e-5 : f32} -> tensor<4x8xf32>
  %1 = posenc.layer_norm ins(%0, %g, %g : tensor<4x8xf32>, tensor<8xf32>, tensor<8xf32>)
                         outs(%empty : tensor<4x8xf32>) {eps = 1.0e-5 : f32} -> tensor<4x8xf32>
  return %0, %1 : tensor<4x8xf32>, tensor<4x8xf32>
}
