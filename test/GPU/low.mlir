// A bias of about the lowest number of f32 for all keys: no NaN, but rows that see none.
// DEFINE: %{form} = mma
// DEFINE: %{check} = pe-runner %s --pipeline="posenc-nvptx{form=%{form}}" --device=emulator --check --input=1x1x40x32=random:1 --input=1x1x48x32=random:2 --input=48=-3.4e38 | FileCheck %s
// RUN: %{check}
// REDEFINE: %{form} = simt
// RUN: %{check}
// RUN: sed 's/1x1x40/1x1x4/g' %s | pe-runner - --pipeline="posenc-nvptx{form=decode}" --device=emulator --check --input=1x1x4x32=random:1 --input=1x1x48x32=random:2 --input=48=-3.4e38 | FileCheck %s
// RUN: pe-runner %s --input=1x1x40x32=random:1 --input=1x1x48x32=random:2 --input=48=-3.4e38 | FileCheck %s
// CHECK: result 0: {{.*}} [{{-?}}0, {{-?}}0, {{-?}}0,
// CHECK: result 1: {{.*}} [-inf, -inf, -inf,

func.func @low(%q: tensor<1x1x40x32xf16>, %k: tensor<1x1x48x32xf16>, %bias: tensor<48xf32>) -> (tensor<1x1x40x32xf16>, tensor<1x1x40xf32>) {
  %e = tensor.empty() : tensor<1x1x40x32xf16>
  %l = tensor.empty() : tensor<1x1x40xf32>
  %o:2 = posenc.attention ins(%q, %k, %k : tensor<1x1x40x32xf16>, tensor<1x1x48x32xf16>, tensor<1x1x48x32xf16>)
    outs(%e, %l : tensor<1x1x40x32xf16>, tensor<1x1x40xf32>)
    score {
    ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
      %x = tensor.extract %bias[%j] : tensor<48xf32>
      %y = arith.addf %s, %x : f32
      posenc.yield %y : f32
    } {scale = 0.2 : f32} -> tensor<1x1x40x32xf16>, tensor<1x1x40xf32>
  return %o#0, %o#1 : tensor<1x1x40x32xf16>, tensor<1x1x40xf32>
}
