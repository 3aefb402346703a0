// Everything between arguments and results is f64, constants included; weights
// and calls keep their types.

// RUN: pe-opt %s --posenc-widen | FileCheck %s

// CHECK-LABEL: func.func @half(
// CHECK-SAME: %[[X:.+]]: tensor<4xf16>) -> tensor<4xf16>
// CHECK: %[[WIDE:.+]] = arith.extf %[[X]] : tensor<4xf16> to tensor<4xf64>
// CHECK: arith.constant 1.500000e+00 : f64
// CHECK: arith.constant dense<{{.*}}> : tensor<4xf64>
// CHECK: linalg.generic {{.*}} ins(%[[WIDE]], %{{.*}} : tensor<4xf64>, tensor<4xf64>)
// CHECK-NEXT: ^bb0(%{{.*}}: f64, %{{.*}}: f64, %{{.*}}: f64):
// CHECK-NOT: arith.truncf
// CHECK: linalg.yield %{{.*}} : f64
// CHECK: %[[NARROW:.+]] = arith.truncf %{{.*}} : tensor<4xf64> to tensor<4xf16>
// CHECK: return %[[NARROW]] : tensor<4xf16>
func.func @half(%x: tensor<4xf16>) -> tensor<4xf16> {
  %c = arith.constant 1.5 : f32
  %table = arith.constant dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf32>
  %e = tensor.empty() : tensor<4xf16>
  %y = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
    ins(%x, %table : tensor<4xf16>, tensor<4xf32>) outs(%e : tensor<4xf16>) {
  ^bb0(%a: f16, %t: f32, %o: f16):
    %0 = arith.extf %a : f16 to f32
    %1 = arith.mulf %0, %c : f32
    %2 = arith.addf %1, %t : f32
    %3 = arith.truncf %2 : f32 to f16
    linalg.yield %3 : f16
  } -> tensor<4xf16>
  return %y : tensor<4xf16>
}

// CHECK-LABEL: func.func @call(
// CHECK: %[[SUM:.+]] = arith.addf %{{.*}}, %{{.*}} : f64
// CHECK: %[[NARROW:.+]] = arith.truncf %[[SUM]] : f64 to f32
// CHECK: %[[RESULT:.+]] = call @outside(%[[NARROW]]) : (f32) -> f32
// CHECK: arith.extf %[[RESULT]] : f32 to f64
func.func private @outside(f32) -> f32
func.func @call(%x: f32) -> f32 {
  %0 = arith.addf %x, %x : f32
  %1 = call @outside(%0) : (f32) -> f32
  %2 = arith.addf %1, %1 : f32
  return %2 : f32
}

// CHECK-LABEL: func.func @buffer(
// CHECK-NOT: f64
func.func @buffer(%m: memref<4xf32>, %i: index) -> f32 {
  %0 = memref.load %m[%i] : memref<4xf32>
  %1 = arith.addf %0, %0 : f32
  return %1 : f32
}
