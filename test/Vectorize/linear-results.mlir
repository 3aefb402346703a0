// The kernels agree with the reference, also where sizes are awkward.

// DEFINE: %{rows} = 7
// DEFINE: %{lower} = one-shot-bufferize{bufferize-function-boundaries function-boundary-type-conversion=identity-layout-map},posenc-vectorize-linear{vector-bits=256},convert-linalg-to-loops,scf-parallel-for-to-nested-fors,expand-strided-metadata,lower-affine,convert-scf-to-cf,convert-math-to-libm,convert-vector-to-llvm,convert-to-llvm,reconcile-unrealized-casts
// DEFINE: %{inputs} = --input=%{rows}x37=random:1 --input=random:2 --input=random:3 --input=%{rows}x21=random:4 --input=%{rows}x21=zeros
// DEFINE: %{check} = pe-runner %s %{inputs} --pipeline='builtin.module(posenc-reference)' --output=@%t.npy && pe-runner %s %{inputs} --pipeline='builtin.module(posenc-record-signature,posenc-pack-weights,%{lower})' --expect=@%t.npy --tolerance=1e-4
// RUN: %{check}
// REDEFINE: %{rows} = 1
// RUN: %{check}
// REDEFINE: %{rows} = 130
// RUN: %{check}

func.func @layer(%x: tensor<?x37xf32>, %w: tensor<21x37xf32>, %b: tensor<21xf32>, %r: tensor<?x21xf32>,
    %init: tensor<?x21xf32>) -> tensor<?x21xf32> {
  %y = posenc.linear ins(%x, %w : tensor<?x37xf32>, tensor<21x37xf32>)
      with(%b, %r : tensor<21xf32>, tensor<?x21xf32>) outs(%init : tensor<?x21xf32>)
    epilogue {
    ^bb0(%acc: f32, %bias: f32, %residual: f32):
      %0 = arith.addf %acc, %bias : f32
      %zero = arith.constant 0.0 : f32
      %1 = arith.maximumf %0, %zero : f32
      %2 = arith.addf %1, %residual : f32
      posenc.yield %2 : f32
    } -> tensor<?x21xf32>
  %z = posenc.layer_norm ins(%y, %b, %b : tensor<?x21xf32>, tensor<21xf32>, tensor<21xf32>)
                         outs(%init : tensor<?x21xf32>) {eps = 1.0e-5 : f32} -> tensor<?x21xf32>
  return %z : tensor<?x21xf32>
}
