// RUN: pe-opt %s --posenc-narrow-activations | FileCheck %s
// RUN: pe-opt %s --posenc-narrow-activations | pe-runner - -e block --pipeline=posenc-cpu --input=2x9x8=random:1 --output=@%t.narrow.npy
// RUN: pe-runner %s -e block --pipeline=posenc-reference --input=2x9x8=random:1 --expect=@%t.narrow.npy --tolerance=2e-2

// Queries, keys and values of one layer, the result of attention, and a hidden layer are
// only multiplied; what is added to something else stays as it is.
// CHECK-LABEL: func.func @block(
// CHECK: %[[QKV:.*]] = posenc.linear {{.*}} outs(%{{.*}} : tensor<2x9x24xbf16>) -> tensor<2x9x24xbf16>
// CHECK: tensor.extract_slice %[[QKV]]{{.*}} : tensor<2x9x24xbf16> to tensor<2x9x8xbf16>
// CHECK: %[[A:.*]] = posenc.attention {{.*}} outs(%{{.*}} : tensor<2x9x1x8xbf16>)
// CHECK: %[[R:.*]] = tensor.collapse_shape {{.*}} : tensor<2x9x1x8xbf16> into tensor<2x9x8xbf16>
// CHECK: %[[X:.*]] = posenc.linear ins(%[[R]], {{.*}} -> tensor<2x9x8xf32>
// CHECK: %[[H:.*]] = posenc.linear ins(%[[X]], {{.*}} -> tensor<2x9x16xbf16>
// CHECK: posenc.linear ins(%[[H]], {{.*}} with(%[[X]] : tensor<2x9x8xf32>) {{.*}} -> tensor<2x9x8xf32>
func.func @block(%x: tensor<2x9x8xf32>) -> tensor<2x9x8xf32> {
  %wa = arith.constant dense<0.0625> : tensor<2x4x16x2xbf16>
  %wb = arith.constant dense<0.25> : tensor<1x4x16x2xbf16>
  %wc = arith.constant dense<-0.125> : tensor<1x8x16x2xbf16>
  %e24 = tensor.empty() : tensor<2x9x24xf32>
  %e16 = tensor.empty() : tensor<2x9x16xf32>
  %e8 = tensor.empty() : tensor<2x9x8xf32>
  %e4 = tensor.empty() : tensor<2x9x1x8xf32>
  %qkv = posenc.linear ins(%x, %wa : tensor<2x9x8xf32>, tensor<2x4x16x2xbf16>) outs(%e24 : tensor<2x9x24xf32>) -> tensor<2x9x24xf32>
  %qs = tensor.extract_slice %qkv[0, 0, 0] [2, 9, 8] [1, 1, 1] : tensor<2x9x24xf32> to tensor<2x9x8xf32>
  %ks = tensor.extract_slice %qkv[0, 0, 8] [2, 9, 8] [1, 1, 1] : tensor<2x9x24xf32> to tensor<2x9x8xf32>
  %vs = tensor.extract_slice %qkv[0, 0, 16] [2, 9, 8] [1, 1, 1] : tensor<2x9x24xf32> to tensor<2x9x8xf32>
  %q = tensor.expand_shape %qs [[0], [1], [2, 3]] output_shape [2, 9, 1, 8] : tensor<2x9x8xf32> into tensor<2x9x1x8xf32>
  %k = tensor.expand_shape %ks [[0], [1], [2, 3]] output_shape [2, 9, 1, 8] : tensor<2x9x8xf32> into tensor<2x9x1x8xf32>
  %v = tensor.expand_shape %vs [[0], [1], [2, 3]] output_shape [2, 9, 1, 8] : tensor<2x9x8xf32> into tensor<2x9x1x8xf32>
  %a = posenc.attention ins(%q, %k, %v : tensor<2x9x1x8xf32>, tensor<2x9x1x8xf32>, tensor<2x9x1x8xf32>)
    outs(%e4 : tensor<2x9x1x8xf32>) {layout = #posenc.layout<bshd>, scale = 0.35 : f32} -> tensor<2x9x1x8xf32>
  %r = tensor.collapse_shape %a [[0], [1], [2, 3]] : tensor<2x9x1x8xf32> into tensor<2x9x8xf32>
  %y = posenc.linear ins(%r, %wb : tensor<2x9x8xf32>, tensor<1x4x16x2xbf16>) with(%x : tensor<2x9x8xf32>)
    outs(%e8 : tensor<2x9x8xf32>) -> tensor<2x9x8xf32>
  %h = posenc.linear ins(%y, %wb : tensor<2x9x8xf32>, tensor<1x4x16x2xbf16>) outs(%e16 : tensor<2x9x16xf32>) -> tensor<2x9x16xf32>
  %z = posenc.linear ins(%h, %wc : tensor<2x9x16xf32>, tensor<1x8x16x2xbf16>) with(%y : tensor<2x9x8xf32>)
    outs(%e8 : tensor<2x9x8xf32>) -> tensor<2x9x8xf32>
  return %z : tensor<2x9x8xf32>
}

// What is normalised may go around a layer, but to nothing else.
// CHECK-LABEL: func.func @around(
// CHECK: %[[N:.*]] = posenc.layer_norm {{.*}} -> tensor<2x9x8xbf16>
// CHECK: %[[M:.*]] = posenc.linear ins(%[[N]], {{.*}} with(%[[N]] : tensor<2x9x8xbf16>) {{.*}} -> tensor<2x9x8xf32>
// CHECK: %[[L:.*]] = posenc.layer_norm ins(%[[M]], {{.*}} -> tensor<2x9x8xf32>
// CHECK: posenc.linear ins(%[[L]],
// CHECK: return %{{.*}}, %[[L]]
func.func @around(%x: tensor<2x9x8xf32>, %g: tensor<8xf32>, %b: tensor<8xf32>) -> (tensor<2x9x8xf32>, tensor<2x9x8xf32>) {
  %w = arith.constant dense<0.25> : tensor<1x4x16x2xbf16>
  %e = tensor.empty() : tensor<2x9x8xf32>
  %n = posenc.layer_norm ins(%x, %g, %b : tensor<2x9x8xf32>, tensor<8xf32>, tensor<8xf32>) outs(%e : tensor<2x9x8xf32>) {eps = 1.0e-5 : f32} -> tensor<2x9x8xf32>
  %m = posenc.linear ins(%n, %w : tensor<2x9x8xf32>, tensor<1x4x16x2xbf16>) with(%n : tensor<2x9x8xf32>) outs(%e : tensor<2x9x8xf32>) -> tensor<2x9x8xf32>
  %l = posenc.layer_norm ins(%m, %g, %b : tensor<2x9x8xf32>, tensor<8xf32>, tensor<8xf32>) outs(%e : tensor<2x9x8xf32>) {eps = 1.0e-5 : f32} -> tensor<2x9x8xf32>
  %y = posenc.linear ins(%l, %w : tensor<2x9x8xf32>, tensor<1x4x16x2xbf16>) outs(%e : tensor<2x9x8xf32>) -> tensor<2x9x8xf32>
  return %y, %l : tensor<2x9x8xf32>, tensor<2x9x8xf32>
}

// Attention of which only the queries could be narrow keeps all in f32, and so does
// whatever another operation reads, or a layer whose weight is not in pairs.
// CHECK-LABEL: func.func @others(
// CHECK-NOT: -> tensor<{{[0-9x]*}}bf16>
// CHECK: return
func.func @others(%x: tensor<2x9x8xf32>, %k: tensor<2x1x9x8xf32>, %w: tensor<8x8xbf16>) -> (tensor<2x1x9x8xf32>, tensor<2x9x8xf32>) {
  %wb = arith.constant dense<0.25> : tensor<1x4x16x2xbf16>
  %e8 = tensor.empty() : tensor<2x9x8xf32>
  %e4 = tensor.empty() : tensor<2x1x9x8xf32>
  %qs = posenc.linear ins(%x, %wb : tensor<2x9x8xf32>, tensor<1x4x16x2xbf16>) outs(%e8 : tensor<2x9x8xf32>) -> tensor<2x9x8xf32>
  %q = tensor.expand_shape %qs [[0], [1, 2], [3]] output_shape [2, 1, 9, 8] : tensor<2x9x8xf32> into tensor<2x1x9x8xf32>
  %a = posenc.attention ins(%q, %k, %k : tensor<2x1x9x8xf32>, tensor<2x1x9x8xf32>, tensor<2x1x9x8xf32>)
    outs(%e4 : tensor<2x1x9x8xf32>) {scale = 0.35 : f32} -> tensor<2x1x9x8xf32>
  %h = posenc.linear ins(%x, %wb : tensor<2x9x8xf32>, tensor<1x4x16x2xbf16>) outs(%e8 : tensor<2x9x8xf32>) -> tensor<2x9x8xf32>
  %y = posenc.linear ins(%h, %w : tensor<2x9x8xf32>, tensor<8x8xbf16>) outs(%e8 : tensor<2x9x8xf32>) -> tensor<2x9x8xf32>
  return %a, %y : tensor<2x1x9x8xf32>, tensor<2x9x8xf32>
}
