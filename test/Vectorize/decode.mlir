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
// Values of rows that lie side by side, four keys by four rows.
// AVX512: posenc_attention_3: 64 products, {{.*}}, {{9.|100}}%
// AVX512: posenc_attention_3: 16 products, {{.*}}, {{[89].|100}}%
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

// Rows of heads that lie side by side are read side by side: blocks are of all heads, whose
// lines are asked for in the order of addresses. Values are taken four whole rows at a time.
// CHECK-LABEL: func private @posenc_attention_3(
// CHECK-SAME: %[[KEYS:[^:]+]]: memref<1x?x8x128xf32{{[^,]*}}>, %[[VALUES:[^:]+]]: memref<1x?x8x128xf32
// CHECK: memref.alloca() {{.*}} : memref<8x16x64xf32>
// CHECK-NOT: memref<64x128xf32>
// CHECK-COUNT-4: memref.prefetch %[[VALUES]]{{.*}}, read, locality<3>, data
// CHECK-NOT: memref.prefetch
// CHECK: vector.load %[[KEYS]]{{.*}}, vector<4xf32>
// CHECK: memref.prefetch %[[KEYS]]{{.*}}, read, locality<3>, data
// CHECK-NOT: memref.prefetch
// CHECK-COUNT-4: vector.load %[[VALUES]]{{.*}}, vector<16xf32>
// CHECK-NOT: vector.load %[[VALUES]]
// CHECK-COUNT-16: vector.fma
func.func @side_by_side(%q: tensor<1x4x32x128xf32>, %k: tensor<1x?x8x128xf32>, %v: tensor<1x?x8x128xf32>) -> tensor<1x4x32x128xf32> {
  %s = posenc.scores %q, %k {layout = #posenc.layout<bshd>} : (tensor<1x4x32x128xf32>, tensor<1x?x8x128xf32>) -> tensor<1x32x4x?xf32>
  %o = posenc.attend %s, %v {layout = #posenc.layout<bshd>} : (tensor<1x32x4x?xf32>, tensor<1x?x8x128xf32>) -> tensor<1x4x32x128xf32>
  return %o : tensor<1x4x32x128xf32>
}
