// RUN: pe-opt %s --posenc-fuse --canonicalize --cse --posenc-read-caches=gpu \
// RUN:   --remarks-filter=posenc-read-caches --remark-format=emitRemark \
// RUN:   --split-input-file --verify-diagnostics | FileCheck %s

// Kernels for many queries read rows.
// CHECK-LABEL: func @prompt(
// CHECK-COUNT-2: posenc.rows
func.func @prompt(%q: tensor<1x4x?x64xf32>, %kc: tensor<1x2x8x1x32x64xf32>, %vc: tensor<1x2x8x1x32x64xf32>, %n: index) -> tensor<1x4x?x64xf32> {
  %ka = posenc.rows %n of %kc : tensor<1x2x8x1x32x64xf32> -> tensor<1x2x?x64xf32>
  %va = posenc.rows %n of %vc : tensor<1x2x8x1x32x64xf32> -> tensor<1x2x?x64xf32>
  %s = posenc.scores %q, %ka : (tensor<1x4x?x64xf32>, tensor<1x2x?x64xf32>) -> tensor<1x4x?x?xf32>
  // expected-remark @below {{the number of queries is not known to be at most 16}}
  %o = posenc.attend %s, %va : (tensor<1x4x?x?xf32>, tensor<1x2x?x64xf32>) -> tensor<1x4x?x64xf32>
  return %o : tensor<1x4x?x64xf32>
}
