// The loops of products keep their tiles in registers, and nothing moves between
// lanes. A step of attention is 6 keys by two vectors of queries with AVX2, whose
// 16 registers hold no more, and more with AVX-512; one of a linear layer is the
// same times two inputs: 8 rows by three vectors, or 6 by two.

// DEFINE: %{bits} =
// DEFINE: %{cpu} =
// DEFINE: %{loops} = pe-opt %s --posenc-cpu=vector-bits=%{bits} | pe-translate --mlir-to-llvmir \
// DEFINE:   | opt -O3 -mtriple=x86_64-linux-gnu -mcpu=%{cpu} | llc -O3 -mcpu=%{cpu} \
// DEFINE:   | %python %S/Inputs/loops.py

// REDEFINE: %{bits} = 256
// REDEFINE: %{cpu} = haswell
// RUN: %{loops} | FileCheck %s --implicit-check-not='{{[1-9]0* (spills|shuffles)}}' --check-prefix=AVX2
// REDEFINE: %{bits} = 512
// REDEFINE: %{cpu} = znver4
// RUN: %{loops} | FileCheck %s --implicit-check-not='{{[1-9]0* (spills|shuffles)}}' --check-prefix=AVX512

// AVX2: posenc_attention: 12 products,
// AVX512: posenc_attention: {{[4-5][0-9]}} products,
// AVX2: posenc_linear: 48 products,
// AVX512: posenc_linear: 48 products,

func.func @attention(%q: tensor<1x8x?x64xf32>, %k: tensor<1x8x?x64xf32>, %v: tensor<1x8x?x64xf32>) -> tensor<1x8x?x64xf32> {
  %s = posenc.scores %q, %k : (tensor<1x8x?x64xf32>, tensor<1x8x?x64xf32>) -> tensor<1x8x?x?xf32>
  %c = posenc.causal %s : (tensor<1x8x?x?xf32>) -> tensor<1x8x?x?xf32>
  %o = posenc.attend %c, %v : (tensor<1x8x?x?xf32>, tensor<1x8x?x64xf32>) -> tensor<1x8x?x64xf32>
  return %o : tensor<1x8x?x64xf32>
}

func.func @linear(%x: tensor<1x?x384xf32>, %w: tensor<384x384xf32>, %n: index) -> tensor<1x?x384xf32> {
  %init = tensor.empty(%n) : tensor<1x?x384xf32>
  %y = posenc.linear ins(%x, %w : tensor<1x?x384xf32>, tensor<384x384xf32>)
    outs(%init : tensor<1x?x384xf32>) -> tensor<1x?x384xf32>
  return %y : tensor<1x?x384xf32>
}
