// Of dynamic lengths, no allocation is as large as the product of two: neither
// scores nor biases nor masks are materialised. The reference has them all.

// RUN: pe-opt %s --posenc-cpu=to=vectorize | %python %S/Inputs/allocations.py | FileCheck %s
// RUN: pe-opt %s --posenc-reference=to=bufferize | %python %S/Inputs/allocations.py | FileCheck %s --check-prefix=REFERENCE
// RUN: pe-opt %s --posenc-cpu | FileCheck %s --check-prefix=LLVM

// CHECK-NOT: degree {{[2-9]}}
// CHECK: degree 1: memref<2x8x?x64xf32>
// CHECK-NOT: degree {{[2-9]}}
// REFERENCE: degree 2: memref<2x8x?x?xf32>

// LLVM-NOT: posenc.attention
// LLVM: llvm.func @attention(

// Only the two lengths are dynamic.
func.func @attention(%q: tensor<2x8x?x64xf32>, %k: tensor<2x2x?x64xf32>, %v: tensor<2x2x?x64xf32>,
                     %table: tensor<32x8xf32>, %valid: tensor<2x?xi1>, %past: index) -> tensor<2x8x?x64xf32> {
  %zero = arith.constant 0 : index
  %two = arith.constant 2 : index
  %n = tensor.dim %q, %two : tensor<2x8x?x64xf32>
  %m = tensor.dim %k, %two : tensor<2x2x?x64xf32>
  %qp = posenc.positions %n from %past : index -> tensor<?xi64>
  %kp = posenc.positions %m from %zero : index -> tensor<?xi64>
  %s0 = posenc.scores %q, %k : (tensor<2x8x?x64xf32>, tensor<2x2x?x64xf32>) -> tensor<2x8x?x?xf32>
  %s1 = posenc.alibi %s0 at(%qp, %kp)
    : (tensor<2x8x?x?xf32>, tensor<?xi64>, tensor<?xi64>) -> tensor<2x8x?x?xf32>
  %s2 = posenc.t5_bucket %s1 at(%qp, %kp) table(%table)
    : (tensor<2x8x?x?xf32>, tensor<?xi64>, tensor<?xi64>, tensor<32x8xf32>) -> tensor<2x8x?x?xf32>
  %s3 = posenc.causal %s2 at(%qp, %kp)
    : (tensor<2x8x?x?xf32>, tensor<?xi64>, tensor<?xi64>) -> tensor<2x8x?x?xf32>
  %s4 = posenc.padding %s3 valid(%valid) : (tensor<2x8x?x?xf32>, tensor<2x?xi1>) -> tensor<2x8x?x?xf32>
  %o = posenc.attend %s4, %v : (tensor<2x8x?x?xf32>, tensor<2x2x?x64xf32>) -> tensor<2x8x?x64xf32>
  return %o : tensor<2x8x?x64xf32>
}
