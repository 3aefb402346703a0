// RUN: pe-opt %s --posenc-fuse --split-input-file | FileCheck %s

#id = affine_map<(b, i, n) -> (b, i, n)>
#bias = affine_map<(b, i, n) -> (n)>
#scalar = affine_map<(b, i, n) -> ()>

// The default sum, an activation with a broadcast and a scalar, a residual that
// is computed after the layer: one epilogue, and the last destination.

// CHECK-LABEL: func @epilogue(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<?x?x8xf32>, %[[W:[a-z0-9]+]]: tensor<32x8xf32>, %[[BIAS:[a-z0-9]+]]: tensor<32xf32>, %[[GAIN:[a-z0-9]+]]: tensor<32xf32>, %[[S:[a-z0-9]+]]: f32, %[[R:[a-z0-9]+]]: tensor<?x?x32xf32>, %{{[a-z0-9]+}}: tensor<?x?x32xf32>, %[[DST:[a-z0-9]+]]: tensor<?x?x32xf32>
// CHECK-NOT: linalg.generic
// CHECK: %[[RES:.+]] = linalg.exp
// CHECK: posenc.linear ins(%[[X]], %[[W]] : {{.*}}) with(%[[BIAS]], %[[GAIN]], %[[RES]] : {{.*}}) outs(%[[DST]] : {{.*}}) epilogue {
// CHECK-NEXT: ^bb0(%[[ACC:.+]]: f32, %[[B:.+]]: f32, %[[G:.+]]: f32, %[[E:.+]]: f32):
// CHECK-NEXT: %[[Y:.+]] = arith.addf %[[ACC]], %[[B]]
// CHECK-NEXT: %[[Z:.+]] = arith.mulf %[[Y]], %[[G]]
// CHECK-NEXT: %[[Z1:.+]] = arith.mulf %[[Z]], %[[Y]]
// CHECK-NEXT: %[[Z2:.+]] = arith.addf %[[Z1]], %[[S]]
// CHECK-NEXT: %[[U:.+]] = arith.addf %[[E]], %[[Z2]]
// CHECK-NEXT: posenc.yield %[[U]] : f32
// CHECK-NOT: linalg.generic
func.func @epilogue(%x: tensor<?x?x8xf32>, %w: tensor<32x8xf32>, %bias: tensor<32xf32>,
                    %gain: tensor<32xf32>, %shift: f32, %r: tensor<?x?x32xf32>,
                    %init: tensor<?x?x32xf32>, %destination: tensor<?x?x32xf32>)
    -> tensor<?x?x32xf32> {
  %y = posenc.linear ins(%x, %w : tensor<?x?x8xf32>, tensor<32x8xf32>)
    with(%bias : tensor<32xf32>) outs(%init : tensor<?x?x32xf32>) -> tensor<?x?x32xf32>
  %z = linalg.generic {indexing_maps = [#id, #bias, #id, #scalar, #id],
                       iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%y, %gain, %y, %shift : tensor<?x?x32xf32>, tensor<32xf32>, tensor<?x?x32xf32>, f32)
    outs(%y : tensor<?x?x32xf32>) {
  ^bb0(%a: f32, %g: f32, %b: f32, %s: f32, %out: f32):
    %0 = arith.mulf %a, %g : f32
    %1 = arith.mulf %0, %b : f32
    %2 = arith.addf %1, %s : f32
    linalg.yield %2 : f32
  } -> tensor<?x?x32xf32>
  %e = linalg.exp ins(%r : tensor<?x?x32xf32>) outs(%init : tensor<?x?x32xf32>) -> tensor<?x?x32xf32>
  %u = linalg.generic {indexing_maps = [#id, #id, #id],
                       iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%e, %z : tensor<?x?x32xf32>, tensor<?x?x32xf32>) outs(%destination : tensor<?x?x32xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %0 = arith.addf %a, %b : f32
    linalg.yield %0 : f32
  } -> tensor<?x?x32xf32>
  return %u : tensor<?x?x32xf32>
}

// -----

#id = affine_map<(i, n) -> (i, n)>
#swap = affine_map<(i, n) -> (n, i)>
#row = affine_map<(i, n) -> (i)>

// An epilogue that is there goes first.

// CHECK-LABEL: func @existing(
// CHECK: epilogue {
// CHECK-NEXT: ^bb0(%[[ACC:.+]]: f32):
// CHECK-NEXT: %[[A:.+]] = math.tanh %[[ACC]]
// CHECK-NEXT: %[[B:.+]] = arith.negf %[[A]]
// CHECK-NEXT: posenc.yield %[[B]]
func.func @existing(%x: tensor<8x8xf32>, %w: tensor<8x8xf32>, %init: tensor<8x8xf32>)
    -> tensor<8x8xf32> {
  %y = posenc.linear ins(%x, %w : tensor<8x8xf32>, tensor<8x8xf32>) outs(%init : tensor<8x8xf32>)
    epilogue {
    ^bb0(%acc: f32):
      %0 = math.tanh %acc : f32
      posenc.yield %0 : f32
    } -> tensor<8x8xf32>
  %z = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
    ins(%y : tensor<8x8xf32>) outs(%init : tensor<8x8xf32>) {
  ^bb0(%a: f32, %out: f32):
    %0 = arith.negf %a : f32
    linalg.yield %0 : f32
  } -> tensor<8x8xf32>
  return %z : tensor<8x8xf32>
}

// What is not elementwise in the result stays: a transposed read, an input per
// row, a coordinate, a destination that is read, f16, a second reader.

// CHECK-LABEL: func @refused(
// CHECK-NOT: epilogue
// CHECK-COUNT-7: linalg.generic
// CHECK: return
func.func @refused(%x: tensor<8x8xf32>, %w: tensor<8x8xf32>, %rows: tensor<8xf32>,
                   %init: tensor<8x8xf32>, %half: tensor<8x8xf16>)
    -> (tensor<8x8xf32>, tensor<8x8xf32>, tensor<8x8xf32>, tensor<8x8xf32>, tensor<8x8xf16>,
        tensor<8x8xf32>, tensor<8x8xf32>) {
  %y0 = posenc.linear ins(%x, %w : tensor<8x8xf32>, tensor<8x8xf32>) outs(%init : tensor<8x8xf32>) -> tensor<8x8xf32>
  %z0 = linalg.generic {indexing_maps = [#swap, #id], iterator_types = ["parallel", "parallel"]}
    ins(%y0 : tensor<8x8xf32>) outs(%init : tensor<8x8xf32>) {
  ^bb0(%a: f32, %out: f32):
    linalg.yield %a : f32
  } -> tensor<8x8xf32>
  %y1 = posenc.linear ins(%x, %w : tensor<8x8xf32>, tensor<8x8xf32>) outs(%init : tensor<8x8xf32>) -> tensor<8x8xf32>
  %z1 = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]}
    ins(%y1, %rows : tensor<8x8xf32>, tensor<8xf32>) outs(%init : tensor<8x8xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %0 = arith.addf %a, %b : f32
    linalg.yield %0 : f32
  } -> tensor<8x8xf32>
  %y2 = posenc.linear ins(%x, %w : tensor<8x8xf32>, tensor<8x8xf32>) outs(%init : tensor<8x8xf32>) -> tensor<8x8xf32>
  %z2 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
    ins(%y2 : tensor<8x8xf32>) outs(%init : tensor<8x8xf32>) {
  ^bb0(%a: f32, %out: f32):
    %i = linalg.index 0 : index
    %j = arith.index_cast %i : index to i32
    %k = arith.sitofp %j : i32 to f32
    %0 = arith.addf %a, %k : f32
    linalg.yield %0 : f32
  } -> tensor<8x8xf32>
  %y3 = posenc.linear ins(%x, %w : tensor<8x8xf32>, tensor<8x8xf32>) outs(%init : tensor<8x8xf32>) -> tensor<8x8xf32>
  %z3 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
    ins(%y3 : tensor<8x8xf32>) outs(%init : tensor<8x8xf32>) {
  ^bb0(%a: f32, %out: f32):
    %0 = arith.addf %a, %out : f32
    linalg.yield %0 : f32
  } -> tensor<8x8xf32>
  %y4 = posenc.linear ins(%x, %w : tensor<8x8xf32>, tensor<8x8xf32>) outs(%init : tensor<8x8xf32>) -> tensor<8x8xf32>
  %z4 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
    ins(%y4 : tensor<8x8xf32>) outs(%half : tensor<8x8xf16>) {
  ^bb0(%a: f32, %out: f16):
    %0 = arith.truncf %a : f32 to f16
    linalg.yield %0 : f16
  } -> tensor<8x8xf16>
  %y5 = posenc.linear ins(%x, %w : tensor<8x8xf32>, tensor<8x8xf32>) outs(%init : tensor<8x8xf32>) -> tensor<8x8xf32>
  %z5 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
    ins(%y5 : tensor<8x8xf32>) outs(%init : tensor<8x8xf32>) {
  ^bb0(%a: f32, %out: f32):
    %0 = arith.negf %a : f32
    linalg.yield %0 : f32
  } -> tensor<8x8xf32>
  %z6 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
    ins(%y5 : tensor<8x8xf32>) outs(%init : tensor<8x8xf32>) {
  ^bb0(%a: f32, %out: f32):
    %0 = math.exp %a : f32
    linalg.yield %0 : f32
  } -> tensor<8x8xf32>
  return %z0, %z1, %z2, %z3, %z4, %z5, %z6 : tensor<8x8xf32>, tensor<8x8xf32>, tensor<8x8xf32>, tensor<8x8xf32>, tensor<8x8xf16>, tensor<8x8xf32>, tensor<8x8xf32>
}
