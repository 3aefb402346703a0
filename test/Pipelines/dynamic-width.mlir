// Attention that has no kernel, since the width of its heads is not known when
// compiling, runs as scalar loops.

// RUN: pe-opt %s --posenc-cpu=to=tile | FileCheck %s
// RUN: pe-runner %s --verify --tolerance=2e-6 --input=1x4x5x8=random --input=1x2x7x8=random --input=1x2x7x6=random

// CHECK-NOT: posenc.attention
// CHECK: linalg.generic
func.func @f(%q: tensor<?x4x?x?xf32>, %k: tensor<?x2x?x?xf32>, %v: tensor<?x2x?x?xf16>) -> (tensor<?x4x?x?xf32>, tensor<1x4x?xf32>) {
  %s = posenc.scores %q, %k {scale = 0.3 : f32} : (tensor<?x4x?x?xf32>, tensor<?x2x?x?xf32>) -> tensor<?x4x?x?xf32>
  %a = posenc.alibi %s : (tensor<?x4x?x?xf32>) -> tensor<?x4x?x?xf32>
  %c = posenc.causal %a : (tensor<?x4x?x?xf32>) -> tensor<?x4x?x?xf32>
  %o, %l = posenc.attend %c, %v : (tensor<?x4x?x?xf32>, tensor<?x2x?x?xf16>) -> (tensor<?x4x?x?xf32>, tensor<1x4x?xf32>)
  return %o, %l : tensor<?x4x?x?xf32>, tensor<1x4x?xf32>
}
