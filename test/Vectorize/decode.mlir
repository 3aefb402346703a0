// Attention of several rows of queries for each key, with keys and values in rows. A vector
// of queries has four channels of four rows (AVX-512) or of two (AVX2), and one load repeats
// the same channels of a key: no lanes move in the loops of products, and all sums are in
// registers. What is added up across lanes is outside them.

// DEFINE: %{options} =
// DEFINE: %{cpu} =
// DEFINE: %{judge} =
// DEFINE: %{loops} = pe-opt %s --posenc-cpu="%{options}" | pe-translate --mlir-to-llvmir \
// DEFINE:   | opt -O3 -mtriple=x86_64-linux-gnu -mcpu=%{cpu} | llc -O3 -mcpu=%{cpu} \
// DEFINE:   | %python %S/Inputs/loops.py %{judge} 2

// REDEFINE: %{options} = vector-bits=512 bf16-pairs=1
// REDEFINE: %{cpu} = znver4
// REDEFINE: %{judge} = cooperlake
// RUN: %{loops} | FileCheck %s --implicit-check-not='{{[1-9]0* (spills|shuffles)}}' --check-prefix=AVX512
// REDEFINE: %{options} = vector-bits=256
// REDEFINE: %{cpu} = znver3
// REDEFINE: %{judge} = znver3
// RUN: %{loops} | FileCheck %s --implicit-check-not='{{[1-9]0* (spills|shuffles)}}' --check-prefix=AVX2

// Scores of four keys by four vectors of queries, and of values eight rows by two vectors.
// AVX512: posenc_attention: 64 products, {{.*}}, {{9.|100}}%
// AVX512: posenc_attention: 64 products, {{.*}}, {{[89].|100}}%
// Twelve rows of values in one pass.
// AVX512: posenc_attention_0: 48 products, {{.*}}, {{[89].|100}}%
// AVX512: posenc_attention_0: 96 products, {{.*}}, {{[89].|100}}%
// Scores of bf16 are products of pairs; keys are not converted for them.
// AVX512: posenc_attention_1: 64 products, {{.*}}, {{9.|100}}%
// AVX2: posenc_attention: 32 products, {{.*}}, {{[89].|100}}%
// AVX2: posenc_attention: 32 products, {{.*}}, {{[89].|100}}%

// RUN: pe-opt %s --posenc-cpu="vector-bits=512 to=vectorize" | FileCheck %s

// The rows are read where they are. Products with keys ask for the values of the block,
// those with values for the keys of the next.
// CHECK-LABEL: func private @posenc_attention(
// CHECK-SAME: %[[K:[^:]+]]: memref<1x8x?x128xf32{{[^,]*}}>, %[[V:[^:]+]]: memref<1x8x?x128xf32
// CHECK-COUNT-4: memref.prefetch %[[V]]{{.*}}, read, locality<3>, data
// CHECK-NOT: memref.prefetch
// CHECK: vector.load %[[K]]{{.*}}, vector<4xf32>
// CHECK-COUNT-4: memref.prefetch %[[K]]{{.*}}, read, locality<3>, data
// CHECK-NOT: memref.prefetch
// CHECK: vector.load %[[V]]{{.*}}, vector<16xf32>
func.func @four(%q: tensor<1x32x4x128xf32>, %k: tensor<1x8x?x128xf32>, %v: tensor<1x8x?x128xf32>) -> tensor<1x32x4x128xf32> {
  %s = posenc.scores %q, %k : (tensor<1x32x4x128xf32>, tensor<1x8x?x128xf32>) -> tensor<1x32x4x?xf32>
  %o = posenc.attend %s, %v : (tensor<1x32x4x?xf32>, tensor<1x8x?x128xf32>) -> tensor<1x32x4x128xf32>
  return %o : tensor<1x32x4x128xf32>
}

func.func @three(%q: tensor<1x32x3x128xf32>, %k: tensor<1x8x?x128xf32>, %v: tensor<1x8x?x128xf32>) -> tensor<1x32x3x128xf32> {
  %s = posenc.scores %q, %k : (tensor<1x32x3x128xf32>, tensor<1x8x?x128xf32>) -> tensor<1x32x3x?xf32>
  %c = posenc.causal %s : (tensor<1x32x3x?xf32>) -> tensor<1x32x3x?xf32>
  %o = posenc.attend %c, %v : (tensor<1x32x3x?xf32>, tensor<1x8x?x128xf32>) -> tensor<1x32x3x128xf32>
  return %o : tensor<1x32x3x128xf32>
}

func.func @bf16(%q: tensor<1x32x4x128xbf16>, %k: tensor<1x8x?x128xbf16>, %v: tensor<1x8x?x128xbf16>) -> tensor<1x32x4x128xbf16> {
  %s = posenc.scores %q, %k : (tensor<1x32x4x128xbf16>, tensor<1x8x?x128xbf16>) -> tensor<1x32x4x?xf32>
  %o = posenc.attend %s, %v : (tensor<1x32x4x?xf32>, tensor<1x8x?x128xbf16>) -> tensor<1x32x4x128xbf16>
  return %o : tensor<1x32x4x128xbf16>
}

// Five rows are less than two vectors of four: channels of one row are lanes.
// CHECK-LABEL: func private @posenc_attention_2(
// CHECK-NOT: vector<4xf32>{{$}}
// CHECK: memref.alloca() {{.*}} : memref<1x5x128xf32>
// CHECK: memref.alloca() {{.*}} : memref<4x128xf32>
func.func @five(%q: tensor<1x8x5x128xf32>, %k: tensor<1x8x?x128xf32>, %v: tensor<1x8x?x128xf32>) -> tensor<1x8x5x128xf32> {
  %s = posenc.scores %q, %k : (tensor<1x8x5x128xf32>, tensor<1x8x?x128xf32>) -> tensor<1x8x5x?xf32>
  %o = posenc.attend %s, %v : (tensor<1x8x5x?xf32>, tensor<1x8x?x128xf32>) -> tensor<1x8x5x128xf32>
  return %o : tensor<1x8x5x128xf32>
}
