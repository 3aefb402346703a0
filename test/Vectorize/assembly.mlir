// The loops of products keep their tiles in registers, and nothing moves between
// lanes. A step of attention is 6 keys by two vectors of queries with AVX2, whose
// 16 registers hold no more, and 8 with AVX-512, half a line of the cache; so are
// those of bf16, two channels or keys at once. One of a
// linear layer is the same times two inputs: 8 rows by three vectors, or 6 by two.
// llvm-mca says how near a loop comes to the products that a processor can do. For
// AVX-512 it is asked about one with two units for them. Tiles of keys that one of the
// two vectors sees have half as many sums, too few for AVX2 to be fast. With AVX2 the
// last six keys of a block may spill, in the tile of four channels that computes weights.

// DEFINE: %{options} =
// DEFINE: %{cpu} =
// DEFINE: %{judge} =
// DEFINE: %{loops} = pe-opt %s --posenc-cpu="%{options}" | pe-translate --mlir-to-llvmir \
// DEFINE:   | opt -O3 -mtriple=x86_64-linux-gnu -mcpu=%{cpu} | llc -O3 -mcpu=%{cpu} \
// DEFINE:   | %python %S/Inputs/loops.py %{judge} 2

// REDEFINE: %{options} = vector-bits=256
// REDEFINE: %{cpu} = haswell
// REDEFINE: %{judge} = haswell
// RUN: %{loops} | FileCheck %s --implicit-check-not='{{(attention: (6|12|24)|linear:) .*[1-9][0-9]* (spills|shuffles)}}' --check-prefix=AVX2
// REDEFINE: %{cpu} = znver3
// REDEFINE: %{judge} = znver3
// RUN: %{loops} | FileCheck %s --implicit-check-not='{{(attention: (6|12|24)|linear:) .*[1-9][0-9]* (spills|shuffles)}}' --check-prefix=AVX2
// REDEFINE: %{options} = vector-bits=512 bf16-pairs=1
// REDEFINE: %{cpu} = znver4
// REDEFINE: %{judge} = cooperlake
// RUN: %{loops} | FileCheck %s --implicit-check-not='{{[1-9]0* (spills|shuffles)}}' --check-prefix=AVX512

// The first are the scores with and without a mask, then of half a panel, the last the
// sums of values.
// AVX2: posenc_attention: {{12|24}} products, 0 spills, 0 shuffles, 9{{[5-9]}}%
// AVX2: posenc_attention: {{12|24}} products, 0 spills, 0 shuffles, 9{{[5-9]}}%
// AVX2: posenc_attention: {{12|24}} products, 0 spills, 0 shuffles, 9{{[5-9]}}%
// AVX2: posenc_linear: 48 products,
// AVX512: posenc_attention: {{16|32}} products, 0 spills, 0 shuffles, {{8[5-9]|9.}}%
// AVX512: posenc_attention: {{16|32}} products, 0 spills, 0 shuffles, {{8[5-9]|9.}}%
// AVX512: posenc_attention: {{16|32}} products, 0 spills, 0 shuffles, {{8[5-9]|9.}}%
// AVX512: posenc_attention_0: {{16|32}} products, 0 spills, 0 shuffles, {{8[5-9]|9.}}%
// AVX512: posenc_attention_0: {{16|32}} products, 0 spills, 0 shuffles, {{8[5-9]|9.}}%
// AVX512: posenc_attention_0: {{16|32}} products, 0 spills, 0 shuffles, {{8[5-9]|9.}}%
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

func.func @pairs(%q: tensor<1x8x?x64xbf16>, %k: tensor<1x8x?x64xbf16>, %v: tensor<1x8x?x64xbf16>) -> tensor<1x8x?x64xbf16> {
  %s = posenc.scores %q, %k : (tensor<1x8x?x64xbf16>, tensor<1x8x?x64xbf16>) -> tensor<1x8x?x?xf32>
  %o = posenc.attend %s, %v : (tensor<1x8x?x?xf32>, tensor<1x8x?x64xbf16>) -> tensor<1x8x?x64xbf16>
  return %o : tensor<1x8x?x64xbf16>
}
