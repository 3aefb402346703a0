// RUN: pe-opt %s --posenc-fuse --posenc-apply-maps | FileCheck %s

// Keys are rotated once per key head; the queries' map stays where they are packed.
// CHECK-LABEL: func @prefill(
// CHECK-SAME: %[[Q:[^:]+]]: tensor<1x4x?x8xbf16>, %[[K:[^:]+]]: tensor<1x2x?x8xbf16>
// CHECK: %[[INIT:.+]] = tensor.empty({{.+}}) : tensor<1x2x?x8xbf16>
// CHECK: %[[KEYS:.+]] = posenc.map ins(%[[K]] : tensor<1x2x?x8xbf16>) outs(%[[INIT]] : tensor<1x2x?x8xbf16>)
// CHECK: math.cos
// CHECK: posenc.attention ins(%[[Q]], %[[KEYS]],
// CHECK-SAME: query {
// CHECK-NOT: } key {
// CHECK-NOT: key_channels
func.func @prefill(%q: tensor<1x4x?x8xbf16>, %k: tensor<1x2x?x8xbf16>, %v: tensor<1x2x?x8xbf16>)
    -> tensor<1x4x?x8xbf16> {
  %qr = posenc.rope %q {pairing = #posenc.pairing<half>} : (tensor<1x4x?x8xbf16>) -> tensor<1x4x?x8xbf16>
  %kr = posenc.rope %k {pairing = #posenc.pairing<half>} : (tensor<1x2x?x8xbf16>) -> tensor<1x2x?x8xbf16>
  %s = posenc.scores %qr, %kr : (tensor<1x4x?x8xbf16>, tensor<1x2x?x8xbf16>) -> tensor<1x4x?x?xf32>
  %o = posenc.attend %s, %v : (tensor<1x4x?x?xf32>, tensor<1x2x?x8xbf16>) -> tensor<1x4x?x8xbf16>
  return %o : tensor<1x4x?x8xbf16>
}

// A single query, too: its kernel has no maps either.
// CHECK-LABEL: func @decode(
// CHECK: posenc.map
// CHECK-NOT: } key {
func.func @decode(%q: tensor<1x4x1x8xf32>, %k: tensor<1x2x?x8xf32>, %v: tensor<1x2x?x8xf32>)
    -> tensor<1x4x1x8xf32> {
  %kr = posenc.rope %k {pairing = #posenc.pairing<half>} : (tensor<1x2x?x8xf32>) -> tensor<1x2x?x8xf32>
  %qr = posenc.rope %q {pairing = #posenc.pairing<half>} : (tensor<1x4x1x8xf32>) -> tensor<1x4x1x8xf32>
  %s = posenc.scores %qr, %kr : (tensor<1x4x1x8xf32>, tensor<1x2x?x8xf32>) -> tensor<1x4x1x?xf32>
  %o = posenc.attend %s, %v : (tensor<1x4x1x?xf32>, tensor<1x2x?x8xf32>) -> tensor<1x4x1x8xf32>
  return %o : tensor<1x4x1x8xf32>
}
