// A linear layer by tiles: any sizes, no bank conflict, whole sectors of memory.
// RUN: split-file %s %t
// RUN: pe-runner %t/whole.mlir --device=emulator --counts --verify --input=1x70x64=random:1 --input=96x64=random:2 --input=96=random:3 --input=1x70x96=random:4 | FileCheck %s
// CHECK: kernel 'linear': 1 launches, 4 blocks, 1024 threads
// CHECK: shared loads of warps: {{.*}} 0 bank conflicts
// CHECK: shared stores of warps: {{.*}} 0 bank conflicts
// RUN: pe-runner %t/whole.mlir --device=emulator --check --verify --input=1x3x64=random:1 --input=96x64=random:2 --input=96=random:3 --input=1x3x96=random:4
// RUN: pe-runner %t/odd.mlir --device=emulator --check --verify --tolerance=2e-3 --input=2x33x19=random:1 --input=67x19=random:2
// RUN: pe-runner %t/odd.mlir --device=emulator --check --verify --tolerance=2e-3 --input=2x0x19=random:1 --input=67x19=random:2

//--- whole.mlir
func.func @whole(%x: tensor<1x?x64xf32>, %w: tensor<96x64xf32>, %b: tensor<96xf32>, %r: tensor<1x?x96xf32>) -> tensor<1x?x96xf32> {
  %c1 = arith.constant 1 : index
  %n = tensor.dim %x, %c1 : tensor<1x?x64xf32>
  %e = tensor.empty(%n) : tensor<1x?x96xf32>
  %y = posenc.linear ins(%x, %w : tensor<1x?x64xf32>, tensor<96x64xf32>) with(%b, %r : tensor<96xf32>, tensor<1x?x96xf32>) outs(%e : tensor<1x?x96xf32>)
    epilogue {
    ^bb0(%acc: f32, %bias: f32, %rest: f32):
      %0 = arith.addf %acc, %bias : f32
      %1 = math.tanh %0 : f32
      %2 = arith.addf %1, %rest : f32
      posenc.yield %2 : f32
    } -> tensor<1x?x96xf32>
  return %y : tensor<1x?x96xf32>
}
//--- odd.mlir
func.func @odd(%x: tensor<2x?x19xf16>, %w: tensor<67x19xf16>) -> tensor<2x?x67xf16> {
  %c1 = arith.constant 1 : index
  %n = tensor.dim %x, %c1 : tensor<2x?x19xf16>
  %e = tensor.empty(%n) : tensor<2x?x67xf16>
  %y = posenc.linear ins(%x, %w : tensor<2x?x19xf16>, tensor<67x19xf16>) outs(%e : tensor<2x?x67xf16>) -> tensor<2x?x67xf16>
  return %y : tensor<2x?x67xf16>
}
