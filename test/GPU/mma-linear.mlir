// Linear layers by matrix instructions, with what follows them on fragments: they
// agree with the reference, also where rows and outputs end inside a tile.
// RUN: pe-opt %s --posenc-nvptx=to=kernels | FileCheck %s

// DEFINE: %{rows} = 13
// DEFINE: %{inputs} = --entry=layer --input=%{rows}x96=random:1 --input=80x96=random:2 --input=80=random:3 --input=%{rows}x80=random:4
// DEFINE: %{check} = pe-runner %s %{inputs} --pipeline=posenc-reference --output=@%t.npy && pe-runner %s %{inputs} --pipeline=posenc-nvptx --device=emulator --check --check-leaks -O0 --expect=@%t.npy --tolerance=2e-2
// RUN: %{check}
// REDEFINE: %{rows} = 130
// RUN: %{check}
// REDEFINE: %{inputs} = --entry=heads --input=2x70x208=random:1 --input=144x208=random:2
// RUN: %{check}
// RUN: pe-runner %s %{inputs} --pipeline=posenc-nvptx --device=emulator -O0 --counts | FileCheck %s --check-prefix=COUNTS
// COUNTS: shared loads of warps: {{.*}} 0 bank conflicts

// CHECK-LABEL: func.func @layer
// CHECK: gpu.launch_func @posenc_kernels::@mma_linear
// CHECK: gpu.func @mma_linear
// CHECK-DAG: pgpu.alloc : <3x128x32xbf16>
// CHECK-DAG: pgpu.alloc : <3x64x32xbf16>
// CHECK: pgpu.copy
// CHECK: scf.for
// CHECK: nvvm.cp.async.wait.group 1
// CHECK: pgpu.mma
// CHECK: pgpu.store
func.func @layer(%x: tensor<?x96xbf16>, %w: tensor<80x96xbf16>, %b: tensor<80xbf16>, %r: tensor<?x80xbf16>)
    -> tensor<?x80xbf16> {
  %c0 = arith.constant 0 : index
  %rows = tensor.dim %x, %c0 : tensor<?x96xbf16>
  %init = tensor.empty(%rows) : tensor<?x80xbf16>
  %y = posenc.linear ins(%x, %w : tensor<?x96xbf16>, tensor<80x96xbf16>)
      with(%b, %r : tensor<80xbf16>, tensor<?x80xbf16>) outs(%init : tensor<?x80xbf16>)
    epilogue {
    ^bb0(%acc: f32, %bias: f32, %residual: f32):
      %0 = arith.addf %acc, %bias : f32
      %half = arith.constant 0.5 : f32
      %one = arith.constant 1.0 : f32
      %root = arith.constant 0.70710678 : f32
      %1 = arith.mulf %0, %root : f32
      %2 = math.erf %1 : f32
      %3 = arith.addf %2, %one : f32
      %4 = arith.mulf %0, %half : f32
      %5 = arith.mulf %4, %3 : f32
      %6 = arith.addf %5, %residual : f32
      posenc.yield %6 : f32
    } {posenc.schedule = #posenc.schedule<mma>} -> tensor<?x80xbf16>
  return %y : tensor<?x80xbf16>
}

func.func @heads(%x: tensor<?x?x208xf16>, %w: tensor<144x208xf16>) -> tensor<?x?x144xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %batch = tensor.dim %x, %c0 : tensor<?x?x208xf16>
  %rows = tensor.dim %x, %c1 : tensor<?x?x208xf16>
  %init = tensor.empty(%batch, %rows) : tensor<?x?x144xf32>
  %y = posenc.linear ins(%x, %w : tensor<?x?x208xf16>, tensor<144x208xf16>) outs(%init : tensor<?x?x144xf32>)
    {posenc.schedule = #posenc.schedule<mma>} -> tensor<?x?x144xf32>
  return %y : tensor<?x?x144xf32>
}
