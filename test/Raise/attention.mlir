// RUN: pe-opt %s --posenc-raise --canonicalize --cse --split-input-file | FileCheck %s

// Rank 4, a named softmax, a scale, a causal mask in one body.

#q = affine_map<(b, h, i, j, d) -> (b, h, i, d)>
#k = affine_map<(b, h, i, j, d) -> (b, h, j, d)>
#s = affine_map<(b, h, i, j, d) -> (b, h, i, j)>
#p = affine_map<(b, h, i, d, j) -> (b, h, i, j)>
#v = affine_map<(b, h, i, d, j) -> (b, h, j, d)>
#o = affine_map<(b, h, i, d, j) -> (b, h, i, d)>
#id = affine_map<(b, h, i, j) -> (b, h, i, j)>
#p4 = ["parallel", "parallel", "parallel", "parallel"]

// CHECK-LABEL: func @causal(
// CHECK-SAME: %[[Q:[a-z0-9]+]]: tensor<2x4x?x8xf32>, %[[K:[a-z0-9]+]]: tensor<2x4x?x8xf32>, %[[V:[a-z0-9]+]]: tensor<2x4x?x6xf32>
// CHECK-NEXT: %[[S:.+]] = posenc.scores %[[Q]], %[[K]] {scale = 2.500000e-01 : f32}
// CHECK-NEXT: %[[M:.+]] = posenc.causal %[[S]] {top_left}
// CHECK-NEXT: %[[O:.+]] = posenc.attend %[[M]], %[[V]]
// CHECK-NEXT: return %[[O]]
func.func @causal(%q: tensor<2x4x?x8xf32>, %k: tensor<2x4x?x8xf32>, %v: tensor<2x4x?x6xf32>)
    -> tensor<2x4x?x6xf32> {
  %two = arith.constant 2 : index
  %zero = arith.constant 0.0 : f32
  %scale = arith.constant 0.25 : f32
  %inf = arith.constant 0xFF800000 : f32
  %n = tensor.dim %q, %two : tensor<2x4x?x8xf32>
  %m = tensor.dim %k, %two : tensor<2x4x?x8xf32>
  %e = tensor.empty(%n, %m) : tensor<2x4x?x?xf32>
  %z = linalg.fill ins(%zero : f32) outs(%e : tensor<2x4x?x?xf32>) -> tensor<2x4x?x?xf32>
  %s = linalg.generic {indexing_maps = [#q, #k, #s],
                       iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]}
    ins(%q, %k : tensor<2x4x?x8xf32>, tensor<2x4x?x8xf32>) outs(%z : tensor<2x4x?x?xf32>) {
  ^bb0(%x: f32, %y: f32, %acc: f32):
    %0 = arith.mulf %x, %y : f32
    %1 = arith.addf %acc, %0 : f32
    linalg.yield %1 : f32
  } -> tensor<2x4x?x?xf32>
  // Asks for a size of the scores: must not keep them alive.
  %three = arith.constant 3 : index
  %keys = tensor.dim %s, %three : tensor<2x4x?x?xf32>
  %f = tensor.empty(%n, %keys) : tensor<2x4x?x?xf32>
  %t = linalg.generic {indexing_maps = [#id, #id],
                       iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
    ins(%s : tensor<2x4x?x?xf32>) outs(%f : tensor<2x4x?x?xf32>) {
  ^bb0(%x: f32, %out: f32):
    %0 = arith.mulf %x, %scale : f32
    %i = linalg.index 2 : index
    %j = linalg.index 3 : index
    %hidden = arith.cmpi sgt, %j, %i : index
    %1 = arith.select %hidden, %inf, %0 : f32
    linalg.yield %1 : f32
  } -> tensor<2x4x?x?xf32>
  %p = linalg.softmax dimension(3) ins(%t : tensor<2x4x?x?xf32>) outs(%e : tensor<2x4x?x?xf32>)
    -> tensor<2x4x?x?xf32>
  %g = tensor.empty(%n) : tensor<2x4x?x6xf32>
  %init = linalg.fill ins(%zero : f32) outs(%g : tensor<2x4x?x6xf32>) -> tensor<2x4x?x6xf32>
  %o = linalg.generic {indexing_maps = [#p, #v, #o],
                       iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]}
    ins(%p, %v : tensor<2x4x?x?xf32>, tensor<2x4x?x6xf32>) outs(%init : tensor<2x4x?x6xf32>) {
  ^bb0(%x: f32, %y: f32, %acc: f32):
    %0 = arith.mulf %x, %y : f32
    %1 = arith.addf %acc, %0 : f32
    linalg.yield %1 : f32
  } -> tensor<2x4x?x6xf32>
  return %o : tensor<2x4x?x6xf32>
}
