// Where queries see some of the keys only, blocks of them take unequal time: a
// thread that is done takes the next. Else each thread has its share from the start.
// RUN: pe-opt %s --posenc-cpu=vector-bits=256 | FileCheck %s

// CHECK-LABEL: llvm.func @causal
// CHECK:         omp.wsloop schedule(dynamic)
// CHECK-NEXT:      omp.loop_nest ({{.*}}%[[AT:[^ ,]*]]) :
// CHECK:             llvm.call @posenc_attention({{.*}}, %[[AT]])
func.func @causal(%q: tensor<1x8x?x64xf32>, %k: tensor<1x8x?x64xf32>, %v: tensor<1x8x?x64xf32>) -> tensor<1x8x?x64xf32> {
  %s = posenc.scores %q, %k : (tensor<1x8x?x64xf32>, tensor<1x8x?x64xf32>) -> tensor<1x8x?x?xf32>
  %c = posenc.causal %s : (tensor<1x8x?x?xf32>) -> tensor<1x8x?x?xf32>
  %o = posenc.attend %c, %v : (tensor<1x8x?x?xf32>, tensor<1x8x?x64xf32>) -> tensor<1x8x?x64xf32>
  return %o : tensor<1x8x?x64xf32>
}

// CHECK-LABEL: llvm.func @full
// CHECK:         omp.wsloop {
func.func @full(%q: tensor<1x8x?x64xf32>, %k: tensor<1x8x?x64xf32>, %v: tensor<1x8x?x64xf32>) -> tensor<1x8x?x64xf32> {
  %s = posenc.scores %q, %k : (tensor<1x8x?x64xf32>, tensor<1x8x?x64xf32>) -> tensor<1x8x?x?xf32>
  %o = posenc.attend %s, %v : (tensor<1x8x?x?xf32>, tensor<1x8x?x64xf32>) -> tensor<1x8x?x64xf32>
  return %o : tensor<1x8x?x64xf32>
}
