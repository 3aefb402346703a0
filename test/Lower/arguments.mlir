// An argument stays what the caller passed, even where a result could be
// written over it: the second run sees the same input as the first.
// RUN: pe-runner %s --pipeline=posenc-reference --input=4=ones --repeat=3 | FileCheck %s
// CHECK: result 0: 4xf32 [2, 2, 2, 2]

#id = affine_map<(d0) -> (d0)>
func.func @double(%x: tensor<?xf32>) -> tensor<?xf32> {
  %y = linalg.generic {indexing_maps = [#id], iterator_types = ["parallel"]} outs(%x : tensor<?xf32>) {
  ^bb0(%a: f32):
    %b = arith.addf %a, %a : f32
    linalg.yield %b : f32
  } -> tensor<?xf32>
  return %y : tensor<?xf32>
}
