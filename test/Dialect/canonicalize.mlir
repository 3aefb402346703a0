// RUN: pe-opt %s --canonicalize | FileCheck %s

// Static sizes behind a cast reach the op, whatever regions are absent.
// CHECK-LABEL: func @casts(
// CHECK-SAME: %[[Q:[^:]+]]: tensor<1x2x32x8xf32>, %[[K:[^:]+]]: tensor<1x2x?x8xf32>
// CHECK: posenc.attention ins(%[[Q]], %[[K]], %[[K]] : tensor<1x2x32x8xf32>
func.func @casts(%q: tensor<1x2x32x8xf32>, %k: tensor<1x2x?x8xf32>, %init: tensor<1x2x?x8xf32>) -> tensor<1x2x?x8xf32> {
  %c = tensor.cast %q : tensor<1x2x32x8xf32> to tensor<1x2x?x8xf32>
  %o = posenc.attention ins(%c, %k, %k : tensor<1x2x?x8xf32>, tensor<1x2x?x8xf32>, tensor<1x2x?x8xf32>)
                        outs(%init : tensor<1x2x?x8xf32>) {scale = 0.5 : f32} -> tensor<1x2x?x8xf32>
  return %o : tensor<1x2x?x8xf32>
}

// The result's type follows its destination and is cast back.
// CHECK-LABEL: func @linear_casts(
// CHECK: %[[Y:.+]] = posenc.linear ins({{.+}} : tensor<3x8xf32>, tensor<16x8xf32>) outs({{.+}} : tensor<3x16xf32>) -> tensor<3x16xf32>
// CHECK: tensor.cast %[[Y]] : tensor<3x16xf32> to tensor<?x16xf32>
func.func @linear_casts(%x: tensor<3x8xf32>, %w: tensor<16x8xf32>, %init: tensor<3x16xf32>) -> tensor<?x16xf32> {
  %a = tensor.cast %x : tensor<3x8xf32> to tensor<?x8xf32>
  %b = tensor.cast %init : tensor<3x16xf32> to tensor<?x16xf32>
  %y = posenc.linear ins(%a, %w : tensor<?x8xf32>, tensor<16x8xf32>) outs(%b : tensor<?x16xf32>) -> tensor<?x16xf32>
  return %y : tensor<?x16xf32>
}

// CHECK-LABEL: func @identities(
// CHECK: posenc.attention
// CHECK-NOT: query {
// CHECK-NOT: score {
// CHECK-NOT: mask {
// CHECK-NOT: query_channels
// CHECK: scale = 5.000000e-01
func.func @identities(%q: tensor<1x2x?x8xf32>, %init: tensor<1x2x?x8xf32>) -> tensor<1x2x?x8xf32> {
  %o = posenc.attention ins(%q, %q, %q : tensor<1x2x?x8xf32>, tensor<1x2x?x8xf32>, tensor<1x2x?x8xf32>)
                        outs(%init : tensor<1x2x?x8xf32>)
    query {
    ^bb0(%x: f32, %b: index, %h: index, %i: index, %c: index):
      posenc.yield %x : f32
    }
    score {
    ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
      posenc.yield %s : f32
    }
    mask {
    ^bb0(%b: index, %h: index, %i: index, %j: index):
      %true = arith.constant true
      posenc.yield %true : i1
    }
    {scale = 0.5 : f32, query_channels = #posenc.channels<each, offset = 0, width = 0>} -> tensor<1x2x?x8xf32>
  return %o : tensor<1x2x?x8xf32>
}

// A mask that may hide something stays.
// CHECK-LABEL: func @mask(
// CHECK: mask {
func.func @mask(%q: tensor<1x2x?x8xf32>, %init: tensor<1x2x?x8xf32>, %hide: i1) -> tensor<1x2x?x8xf32> {
  %o = posenc.attention ins(%q, %q, %q : tensor<1x2x?x8xf32>, tensor<1x2x?x8xf32>, tensor<1x2x?x8xf32>)
                        outs(%init : tensor<1x2x?x8xf32>)
    mask {
    ^bb0(%b: index, %h: index, %i: index, %j: index):
      posenc.yield %hide : i1
    } {scale = 0.5 : f32} -> tensor<1x2x?x8xf32>
  return %o : tensor<1x2x?x8xf32>
}

// CHECK-LABEL: func @epilogue(
// CHECK: posenc.linear
// CHECK-NOT: with(
// CHECK-NOT: epilogue
// CHECK: return
func.func @epilogue(%x: tensor<3x8xf32>, %w: tensor<16x8xf32>, %e: tensor<16xf32>, %init: tensor<3x16xf32>) -> tensor<3x16xf32> {
  %y = posenc.linear ins(%x, %w : tensor<3x8xf32>, tensor<16x8xf32>) with(%e : tensor<16xf32>) outs(%init : tensor<3x16xf32>)
    epilogue {
    ^bb0(%acc: f32, %b: f32):
      posenc.yield %acc : f32
    } -> tensor<3x16xf32>
  return %y : tensor<3x16xf32>
}

// CHECK-LABEL: func @unbounded_window(
// CHECK-SAME: %[[S:[^:]+]]: tensor
// CHECK-NEXT: return %[[S]]
func.func @unbounded_window(%s: tensor<1x2x?x?xf32>) -> tensor<1x2x?x?xf32> {
  %r = posenc.window %s : (tensor<1x2x?x?xf32>) -> tensor<1x2x?x?xf32>
  return %r : tensor<1x2x?x?xf32>
}
