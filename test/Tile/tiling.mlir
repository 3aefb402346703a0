// A stock transform script tiles attention over batch, head and row; the tiles
// compute what the whole does, their offsets included.
// RUN: split-file %s %t
// RUN: pe-opt %t/attention.mlir --posenc-fuse --transform-preload-library=transform-library-paths=%t/schedule.mlir --transform-interpreter -o %t/tiled.mlir
// RUN: FileCheck %t/attention.mlir --input-file=%t/tiled.mlir
// RUN: pe-runner %t/tiled.mlir --input=2x4x37x8=random:1 --input=2x2x41x8=random:2 --input=2x2x41x8=random:3 --output=@%t/o.npy
// RUN: pe-runner %t/attention.mlir --input=2x4x37x8=random:1 --input=2x2x41x8=random:2 --input=2x2x41x8=random:3 --expect=@%t/o.npy --tolerance=2e-6

//--- attention.mlir
// CHECK-LABEL: func @attention(
// CHECK: scf.for %[[B:[^ ]+]] =
// CHECK: scf.for %[[H:[^ ]+]] =
// CHECK: scf.for %[[I:[^ ]+]] =
// CHECK: posenc.attention
// CHECK-SAME: tensor<1x2x?x8xf32>, tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32>
// CHECK-SAME: at(%[[B]], %[[H]], %[[I]], %
func.func @attention(%q: tensor<2x4x?x8xf32>, %k: tensor<2x2x?x8xf32>, %v: tensor<2x2x?x8xf32>)
    -> tensor<2x4x?x8xf32> {
  %qr = posenc.rope %q {pairing = #posenc.pairing<interleaved>} : (tensor<2x4x?x8xf32>) -> tensor<2x4x?x8xf32>
  %kr = posenc.rope %k {pairing = #posenc.pairing<interleaved>} : (tensor<2x2x?x8xf32>) -> tensor<2x2x?x8xf32>
  %s = posenc.scores %qr, %kr : (tensor<2x4x?x8xf32>, tensor<2x2x?x8xf32>) -> tensor<2x4x?x?xf32>
  %a = posenc.alibi %s : (tensor<2x4x?x?xf32>) -> tensor<2x4x?x?xf32>
  %m = posenc.causal %a : (tensor<2x4x?x?xf32>) -> tensor<2x4x?x?xf32>
  %o = posenc.attend %m, %v : (tensor<2x4x?x?xf32>, tensor<2x2x?x8xf32>) -> tensor<2x4x?x8xf32>
  return %o : tensor<2x4x?x8xf32>
}

//--- schedule.mlir
module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %op = transform.structured.match ops{["posenc.attention"]} in %root : (!transform.any_op) -> !transform.any_op
    %tile, %loops:3 = transform.structured.tile_using_for %op tile_sizes [1, 2, 16]
      : (!transform.any_op) -> (!transform.any_op, !transform.any_op, !transform.any_op, !transform.any_op)
    transform.yield
  }
}
