// Attention that reads a cache goes over blocks of keys, a vector of them for each
// channel, and over chunks of values. What the queries have is one number, which
// multiplications take from memory: no lanes move in the loops of products, and all
// sums are in registers.

// DEFINE: %{options} =
// DEFINE: %{cpu} =
// DEFINE: %{judge} =
// DEFINE: %{loops} = pe-opt - --posenc-cpu="%{options}" | pe-translate --mlir-to-llvmir \
// DEFINE:   | opt -O3 -mtriple=x86_64-linux-gnu -mcpu=%{cpu} | llc -O3 -mcpu=%{cpu} \
// DEFINE:   | %python %S/Inputs/loops.py %{judge} 2

// REDEFINE: %{options} = vector-bits=512
// REDEFINE: %{cpu} = znver4
// REDEFINE: %{judge} = cooperlake
// RUN: cat %s | %{loops} | FileCheck %s --implicit-check-not='{{[1-9]0* (spills|shuffles)}}' --check-prefix=AVX512
// REDEFINE: %{options} = vector-bits=256
// REDEFINE: %{cpu} = znver3
// REDEFINE: %{judge} = znver3
// RUN: sed 's/x32x1xf32/x16x1xf32/g; s/x4x32x32xf32/x8x16x16xf32/g' %s | %{loops} | FileCheck %s --implicit-check-not='{{[1-9]0* (spills|shuffles)}}' --check-prefix=AVX2

// Four rows by two vectors: as many sums as hide the latency of products, no more.
// AVX512: posenc_attention: 32 products, {{.*}}, {{[89].|100}}%
// AVX512: posenc_attention: 32 products, {{.*}}, {{[89].|100}}%
// Two queries are eight rows.
// AVX512: posenc_attention_0: 64 products, {{.*}}, {{[89].|100}}%
// AVX512: posenc_attention_0: 64 products, {{.*}}, {{[89].|100}}%
// AVX2: posenc_attention: 32 products, {{.*}}, {{9.|100}}%
// AVX2: posenc_attention: 32 products, {{.*}}, {{9.|100}}%

// RUN: pe-opt %s --posenc-cpu="vector-bits=512 to=vectorize" | FileCheck %s

// No rows are made of the cache, and it is not copied: what is allocated has the
// size of queries.
// CHECK-LABEL: func @decode(
// CHECK-SAME: %[[Q:[^:]+]]: memref<1x32x1x128xf32>, %[[KC:[^:]+]]: memref<1x8x?x128x32x1xf32>
// CHECK-NOT: memref.alloc{{.*}}x?x128
// CHECK: %[[K:.+]] = memref.collapse_shape %[[KC]]
// CHECK: scf.parallel
// CHECK: call @posenc_attention(%[[Q]], %[[K]],
func.func @decode(%q: tensor<1x32x1x128xf32>, %kc: tensor<1x8x?x128x32x1xf32>,
                  %vc: tensor<1x8x?x4x32x32xf32>, %n: index) -> tensor<1x32x1x128xf32> {
  %k = posenc.rows %n of %kc : tensor<1x8x?x128x32x1xf32> -> tensor<1x8x?x128xf32>
  %v = posenc.rows %n of %vc : tensor<1x8x?x4x32x32xf32> -> tensor<1x8x?x128xf32>
  %s = posenc.scores %q, %k : (tensor<1x32x1x128xf32>, tensor<1x8x?x128xf32>) -> tensor<1x32x1x?xf32>
  %o = posenc.attend %s, %v : (tensor<1x32x1x?xf32>, tensor<1x8x?x128xf32>) -> tensor<1x32x1x128xf32>
  return %o : tensor<1x32x1x128xf32>
}

// Products of several rows take as long as reading: those with keys ask for the values of
// the block, and those with values for the keys of the next, of which each step has eight lines.
// CHECK-LABEL: func @two(
// CHECK-LABEL: func private @posenc_attention(
// CHECK-NOT: memref.prefetch
// CHECK-LABEL: func private @posenc_attention_0(
// CHECK-SAME: %[[K:[^:]+]]: memref<1x8x?x128x32xf32>, %[[V:[^:]+]]: memref<1x8x?x4x1024xf32>
// CHECK-COUNT-8: memref.prefetch %[[V]]{{.*}}, read, locality<3>, data
// CHECK-NOT: memref.prefetch
// CHECK: vector.load %[[K]]
// CHECK-COUNT-8: memref.prefetch %[[K]]{{.*}}, read, locality<3>, data
// CHECK-NOT: memref.prefetch
// CHECK: vector.load %[[V]]
func.func @two(%q: tensor<1x32x2x128xf32>, %kc: tensor<1x8x?x128x32x1xf32>,
               %vc: tensor<1x8x?x4x32x32xf32>, %n: index) -> tensor<1x32x2x128xf32> {
  %k = posenc.rows %n of %kc : tensor<1x8x?x128x32x1xf32> -> tensor<1x8x?x128xf32>
  %v = posenc.rows %n of %vc : tensor<1x8x?x4x32x32xf32> -> tensor<1x8x?x128xf32>
  %s = posenc.scores %q, %k : (tensor<1x32x2x128xf32>, tensor<1x8x?x128xf32>) -> tensor<1x32x2x?xf32>
  %o = posenc.attend %s, %v : (tensor<1x32x2x?xf32>, tensor<1x8x?x128xf32>) -> tensor<1x32x2x128xf32>
  return %o : tensor<1x32x2x128xf32>
}

// Appending writes to the argument that was given for it, and to nothing else.
// RUN: pe-opt %s --posenc-cpu | FileCheck %s --check-prefix=APPEND
// APPEND-LABEL: llvm.func @append(
// APPEND-NOT: llvm.call @malloc
// APPEND-NOT: memcpy
// APPEND: llvm.return
// APPEND-LABEL: llvm.func @copied(
// APPEND: llvm.call @{{malloc|aligned_alloc}}
func.func @append(%k: tensor<1x8x1x128xf32>, %kc: tensor<1x8x?x128x32x1xf32> {bufferization.writable = true},
                  %past: index) -> tensor<1x8x?x128x32x1xf32> {
  %kn = posenc.append %k into %kc at %past : tensor<1x8x1x128xf32> into tensor<1x8x?x128x32x1xf32>
  return %kn : tensor<1x8x?x128x32x1xf32>
}
func.func @copied(%k: tensor<1x8x1x128xf32>, %kc: tensor<1x8x?x128x32x1xf32>, %past: index) -> tensor<1x8x?x128x32x1xf32> {
  %kn = posenc.append %k into %kc at %past : tensor<1x8x1x128xf32> into tensor<1x8x?x128x32x1xf32>
  return %kn : tensor<1x8x?x128x32x1xf32>
}
