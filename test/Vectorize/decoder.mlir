// The layers of a decoder share the kernel of causal attention, which is marked before
// it is compared, and their loops over it, whose schedule the mark decides.
// RUN: pe-opt %s --posenc-cpu="vector-bits=256 to=vectorize" | FileCheck %s
// RUN: pe-opt %s --posenc-cpu=vector-bits=256 | FileCheck %s --check-prefix=LOOPS

// CHECK-LABEL: func.func @decoder(
// CHECK-COUNT-6: call @posenc_attention(
// CHECK:       func.func private @posenc_attention({{.*}}posenc.uneven
// CHECK-NOT:   @posenc_attention_0

// LOOPS-COUNT-1: omp.wsloop schedule(dynamic)
// LOOPS-NOT:     omp.wsloop schedule(dynamic)
func.func @decoder(%x: tensor<1x8x?x64xf32>) -> tensor<1x8x?x64xf32> {
  %s0 = posenc.scores %x, %x : (tensor<1x8x?x64xf32>, tensor<1x8x?x64xf32>) -> tensor<1x8x?x?xf32>
  %c0 = posenc.causal %s0 : (tensor<1x8x?x?xf32>) -> tensor<1x8x?x?xf32>
  %o0 = posenc.attend %c0, %x : (tensor<1x8x?x?xf32>, tensor<1x8x?x64xf32>) -> tensor<1x8x?x64xf32>
  %s1 = posenc.scores %o0, %o0 : (tensor<1x8x?x64xf32>, tensor<1x8x?x64xf32>) -> tensor<1x8x?x?xf32>
  %c1 = posenc.causal %s1 : (tensor<1x8x?x?xf32>) -> tensor<1x8x?x?xf32>
  %o1 = posenc.attend %c1, %o0 : (tensor<1x8x?x?xf32>, tensor<1x8x?x64xf32>) -> tensor<1x8x?x64xf32>
  %s2 = posenc.scores %o1, %o1 : (tensor<1x8x?x64xf32>, tensor<1x8x?x64xf32>) -> tensor<1x8x?x?xf32>
  %c2 = posenc.causal %s2 : (tensor<1x8x?x?xf32>) -> tensor<1x8x?x?xf32>
  %o2 = posenc.attend %c2, %o1 : (tensor<1x8x?x?xf32>, tensor<1x8x?x64xf32>) -> tensor<1x8x?x64xf32>
  %s3 = posenc.scores %o2, %o2 : (tensor<1x8x?x64xf32>, tensor<1x8x?x64xf32>) -> tensor<1x8x?x?xf32>
  %c3 = posenc.causal %s3 : (tensor<1x8x?x?xf32>) -> tensor<1x8x?x?xf32>
  %o3 = posenc.attend %c3, %o2 : (tensor<1x8x?x?xf32>, tensor<1x8x?x64xf32>) -> tensor<1x8x?x64xf32>
  %s4 = posenc.scores %o3, %o3 : (tensor<1x8x?x64xf32>, tensor<1x8x?x64xf32>) -> tensor<1x8x?x?xf32>
  %c4 = posenc.causal %s4 : (tensor<1x8x?x?xf32>) -> tensor<1x8x?x?xf32>
  %o4 = posenc.attend %c4, %o3 : (tensor<1x8x?x?xf32>, tensor<1x8x?x64xf32>) -> tensor<1x8x?x64xf32>
  %s5 = posenc.scores %o4, %o4 : (tensor<1x8x?x64xf32>, tensor<1x8x?x64xf32>) -> tensor<1x8x?x?xf32>
  %c5 = posenc.causal %s5 : (tensor<1x8x?x?xf32>) -> tensor<1x8x?x?xf32>
  %o5 = posenc.attend %c5, %o4 : (tensor<1x8x?x?xf32>, tensor<1x8x?x64xf32>) -> tensor<1x8x?x64xf32>
  return %o5 : tensor<1x8x?x64xf32>
}
