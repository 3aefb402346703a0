// The mlir-opt of the distribution learns the dialect, the passes and the
// pipelines from one file.

// DEFINE: %{opt} = mlir-opt --load-dialect-plugin=%plugin --load-pass-plugin=%plugin %s

// RUN: %{opt} | FileCheck %s --check-prefix=PARSED
// RUN: %{opt} --pass-pipeline='builtin.module(posenc-fuse)' | FileCheck %s --check-prefix=FUSED
// RUN: %{opt} --pass-pipeline='builtin.module(posenc-cpu{vector-bits=256})' | FileCheck %s --check-prefix=LOWERED
// RUN: %{opt} --pass-pipeline='builtin.module(posenc-reference)' | FileCheck %s --check-prefix=LOWERED
// RUN: not mlir-opt %s 2>&1 | FileCheck %s --check-prefix=WITHOUT

// What the plugin lowers is what pe-opt does.
// RUN: %{opt} --pass-pipeline='builtin.module(posenc-cpu{vector-bits=256})' > %t.plugin
// RUN: pe-opt %s --pass-pipeline='builtin.module(posenc-cpu{vector-bits=256})' > %t.opt
// RUN: cmp %t.plugin %t.opt

// WITHOUT: Dialect `posenc' not found

// PARSED-LABEL: func.func @f(
// PARSED: posenc.scores
// PARSED: posenc.causal

// FUSED-LABEL: func.func @f(
// FUSED-NOT: posenc.causal
// FUSED: posenc.attention

// LOWERED: llvm.func @f(
// LOWERED-NOT: posenc.attention
func.func @f(%q: tensor<1x4x?x32xf32>, %k: tensor<1x4x?x32xf32>, %v: tensor<1x4x?x32xf32>) -> tensor<1x4x?x32xf32> {
  %s = posenc.scores %q, %k : (tensor<1x4x?x32xf32>, tensor<1x4x?x32xf32>) -> tensor<1x4x?x?xf32>
  %m = posenc.causal %s : (tensor<1x4x?x?xf32>) -> tensor<1x4x?x?xf32>
  %o = posenc.attend %m, %v : (tensor<1x4x?x?xf32>, tensor<1x4x?x32xf32>) -> tensor<1x4x?x32xf32>
  return %o : tensor<1x4x?x32xf32>
}
