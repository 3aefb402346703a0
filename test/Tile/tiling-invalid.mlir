// RUN: pe-opt %s --transform-interpreter --verify-diagnostics

func.func @attention(%q: tensor<2x12x?x8xf32>, %k: tensor<2x2x?x8xf32>, %v: tensor<2x2x?x8xf32>,
    %init: tensor<2x12x?x8xf32>) -> tensor<2x12x?x8xf32> {
  // expected-error @below {{expected a tile of heads that divides or is a multiple of the group of 6, but found 4}}
  // expected-error @below {{to tile operation}}
  // expected-error @below {{failed to generate tiling loops}}
  %o = posenc.attention ins(%q, %k, %v : tensor<2x12x?x8xf32>, tensor<2x2x?x8xf32>, tensor<2x2x?x8xf32>)
                        outs(%init : tensor<2x12x?x8xf32>) {scale = 0.5 : f32} -> tensor<2x12x?x8xf32>
  return %o : tensor<2x12x?x8xf32>
}

module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %op = transform.structured.match ops{["posenc.attention"]} in %root : (!transform.any_op) -> !transform.any_op
    %tile, %loop = transform.structured.tile_using_for %op tile_sizes [0, 4]
      : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
}
