// RUN: pe-opt %s --posenc-fuse --split-input-file | FileCheck %s

// Two encodings of the queries' same channels run one after the other, the keys
// have one, the values one of other channels.

// CHECK-LABEL: func @rows(
// CHECK-SAME: %[[Q:[a-z0-9]+]]: tensor<1x8x?x64xf32>, %[[K:[a-z0-9]+]]: tensor<1x2x?x64xf32>, %[[V:[a-z0-9]+]]: tensor<1x2x?x32xf32>
// CHECK-NOT: posenc.rope
// CHECK: posenc.attention ins(%[[Q]], %[[K]], %[[V]] :
// CHECK-SAME: query {
// CHECK-NEXT: ^bb0(%[[A:.+]]: f32, %{{.+}}: f32, %{{.+}}: index, %{{.+}}: index, %[[I:.+]]: index, %[[C:.+]]: index):
// CHECK: arith.index_cast %[[I]] : index to i32
// CHECK: tensor.extract %{{.+}}[%[[C]]] : tensor<32xf32>
// CHECK: %[[ACOS:.+]] = arith.mulf %[[A]]
// CHECK: %[[A1:.+]] = arith.subf %[[ACOS]]
// CHECK: arith.constant 2.000000e+00
// CHECK: %[[ACOS1:.+]] = arith.mulf %[[A1]]
// CHECK: %[[A2:.+]] = arith.subf %[[ACOS1]]
// CHECK: posenc.yield %[[A2]], %{{.+}} : f32, f32
// CHECK: } key {
// CHECK: posenc.yield %{{.+}}, %{{.+}} : f32, f32
// CHECK: } value {
// CHECK: posenc.yield %{{.+}}, %{{.+}} : f32, f32
// CHECK-DAG: key_channels = #posenc.channels<half, offset = 0, width = 64>
// CHECK-DAG: query_channels = #posenc.channels<half, offset = 0, width = 64>
// CHECK-DAG: value_channels = #posenc.channels<interleaved, offset = 4, width = 8>
func.func @rows(%q: tensor<1x8x?x64xf32>, %k: tensor<1x2x?x64xf32>, %v: tensor<1x2x?x32xf32>)
    -> tensor<1x8x?x32xf32> {
  %q1 = posenc.rope %q {pairing = #posenc.pairing<half>}
    : (tensor<1x8x?x64xf32>) -> tensor<1x8x?x64xf32>
  %q2 = posenc.rope %q1 {pairing = #posenc.pairing<half>, amplitude = 2.0 : f64}
    : (tensor<1x8x?x64xf32>) -> tensor<1x8x?x64xf32>
  %k1 = posenc.rope %k {pairing = #posenc.pairing<half>}
    : (tensor<1x2x?x64xf32>) -> tensor<1x2x?x64xf32>
  %v1 = posenc.rope %v {pairing = #posenc.pairing<interleaved>, offset = 4 : i64, width = 8 : i64}
    : (tensor<1x2x?x32xf32>) -> tensor<1x2x?x32xf32>
  %s = posenc.scores %q2, %k1
    : (tensor<1x8x?x64xf32>, tensor<1x2x?x64xf32>) -> tensor<1x8x?x?xf32>
  %o = posenc.attend %s, %v1 : (tensor<1x8x?x?xf32>, tensor<1x2x?x32xf32>) -> tensor<1x8x?x32xf32>
  return %o : tensor<1x8x?x32xf32>
}

// -----

// An attention written by hand keeps its regions and sees encoded rows.

// CHECK-LABEL: func @by_hand(
// CHECK: posenc.attention ins(%{{.+}}, %{{.+}}, %{{.+}} : {{.*}}) query {
// CHECK-NEXT: ^bb0(%[[A:.+]]: f32, %[[B:.+]]: f32
// CHECK: %[[A1:.+]] = arith.subf
// CHECK: %[[B1:.+]] = arith.addf
// CHECK-NEXT: posenc.yield %[[B1]], %[[A1]] : f32, f32
// CHECK: query_channels = #posenc.channels<half, offset = 0, width = 0>
func.func @by_hand(%q: tensor<1x8x?x64xf32>, %k: tensor<1x8x?x64xf32>, %init: tensor<1x8x?x64xf32>)
    -> tensor<1x8x?x64xf32> {
  %q1 = posenc.rope %q {pairing = #posenc.pairing<half>}
    : (tensor<1x8x?x64xf32>) -> tensor<1x8x?x64xf32>
  %o = posenc.attention ins(%q1, %k, %k : tensor<1x8x?x64xf32>, tensor<1x8x?x64xf32>, tensor<1x8x?x64xf32>)
                        outs(%init : tensor<1x8x?x64xf32>)
    query {
    ^bb0(%x: f32, %y: f32, %b: index, %h: index, %i: index, %c: index):
      posenc.yield %y, %x : f32, f32
    }
    {scale = 1.0 : f32, query_channels = #posenc.channels<half, offset = 0, width = 0>}
    -> tensor<1x8x?x64xf32>
  return %o : tensor<1x8x?x64xf32>
}
