// Sizes that a schedule says take the place of those chosen, whoever says them.
// RUN: split-file %s %t
// DEFINE: %{bits} =
// DEFINE: %{vectorize} = --posenc-cpu="to=vectorize vector-bits=%{bits}"

// REDEFINE: %{bits} = 512
// RUN: pe-opt %t/chosen.mlir %{vectorize} | FileCheck %s --check-prefix=AVX512
// RUN: pe-opt %t/given.mlir %{vectorize} | FileCheck %s --check-prefix=GIVEN
// REDEFINE: %{bits} = 256
// RUN: pe-opt %t/chosen.mlir %{vectorize} | FileCheck %s --check-prefix=AVX2
// RUN: pe-opt %t/chosen.mlir --posenc-fuse --transform-preload-library=transform-library-paths=%t/transform.mlir --transform-interpreter %{vectorize} | FileCheck %s --check-prefix=SCRIPT

// Scores of 192 keys take 24 KiB; of wide heads, the keys and values count.
// AVX512-LABEL: func private @posenc_attention(
// AVX512: memref.alloca() {{.*}} : memref<4x64x32xf32>
// AVX512: memref.alloca() {{.*}} : memref<200x32xf32>
// AVX512: scf.for {{.*}} -> ({{(vector<16xf32>, ){15}vector<16xf32>}})
// AVX512-LABEL: func private @posenc_attention_0(
// AVX512: memref.alloca() {{.*}} : memref<4x320x32xf32>
// AVX512: memref.alloca() {{.*}} : memref<104x32xf32>
// Rows of 2 KiB are read where they are, those of 4 KiB are copied for more panels.
// AVX512-LABEL: func private @posenc_attention_1(
// AVX512-NOT: memref<192x64xf32>
// AVX512: memref.alloca() {{.*}} : memref<4x64x32xf32>
// AVX512-NOT: memref<192x64xf32>
// AVX512-LABEL: func private @posenc_attention_2(
// AVX512: memref.alloca() {{.*}} : memref<8x64x32xf32>
// AVX512-COUNT-2: memref.alloca() {{.*}} : memref<192x64xf32>
// AVX2-LABEL: func private @posenc_attention(
// AVX2: memref.alloca() {{.*}} : memref<4x64x16xf32>
// AVX2: memref.alloca() {{.*}} : memref<198x16xf32>
// AVX2: scf.for {{.*}} -> ({{(vector<8xf32>, ){11}vector<8xf32>}})

// GIVEN-LABEL: func private @posenc_attention(
// GIVEN: memref.alloca() {{.*}} : memref<2x64x32xf32>
// GIVEN: memref.alloca() {{.*}} : memref<56x32xf32>
// GIVEN: scf.for {{.*}} -> ({{(vector<16xf32>, ){15}vector<16xf32>}})
// SCRIPT-LABEL: func private @posenc_attention(
// SCRIPT: memref.alloca() {{.*}} : memref<1x64x16xf32>
// SCRIPT: memref.alloca() {{.*}} : memref<32x16xf32>

// Whatever it says, the result is the same.
// DEFINE: %{rows} =
// DEFINE: %{run} = sed -e 's/#posenc.cpu_schedule<.*>}/#posenc.cpu_schedule<%{rows}>}/' %t/given.mlir > %t/run.mlir && \
// DEFINE:   pe-runner %t/run.mlir --verify --input=1x2x77x64=random:1 --input=1x2x91x64=random:2 --input=1x2x91x64=random:3
// REDEFINE: %{rows} = rows = 5, keys = 50, ahead = 1
// RUN: %{run}
// REDEFINE: %{rows} = rows = 2, keys = 8, panels = 1, ahead = 9
// RUN: %{run}
// REDEFINE: %{rows} = keys = 22, panels = 3
// RUN: %{run}
// REDEFINE: %{rows} = rows = 3
// RUN: %{run}

// DEFINE: %{fail} = sed -e 's/#posenc.cpu_schedule<.*>}/%{rows}}/' %t/given.mlir > %t/bad.mlir && not pe-opt %t/bad.mlir %{vectorize} 2>&1 | FileCheck %s --check-prefix
// REDEFINE: %{rows} = #posenc.cpu_schedule<rows = 1>
// RUN: %{fail} ROWS
// ROWS: error: expected rows of 2 to 32, but found 1
// REDEFINE: %{rows} = #posenc.cpu_schedule<rows = 6, keys = 64>
// RUN: %{fail} MULTIPLE
// MULTIPLE: error: expected keys to be a multiple of rows, but found 64 and 6
// REDEFINE: %{rows} = #posenc.cpu_schedule<rows = 5, keys = 25>
// RUN: %{fail} EVEN
// EVEN: error: expected an even number of keys, but found 25
// REDEFINE: %{rows} = 6
// RUN: %{fail} TYPE
// TYPE: error: 'posenc.attention' op expected a #posenc.cpu_schedule, but found 6

//--- chosen.mlir
func.func @chosen(%q: tensor<1x2x?x64xf32>, %k: tensor<1x2x?x64xf32>, %v: tensor<1x2x?x64xf32>) -> tensor<1x2x?x64xf32> {
  %s = posenc.scores %q, %k : (tensor<1x2x?x64xf32>, tensor<1x2x?x64xf32>) -> tensor<1x2x?x?xf32>
  %o = posenc.attend %s, %v : (tensor<1x2x?x?xf32>, tensor<1x2x?x64xf32>) -> tensor<1x2x?x64xf32>
  return %o : tensor<1x2x?x64xf32>
}

func.func @wide(%q: tensor<1x2x?x320xf32>, %k: tensor<1x2x?x320xf32>, %v: tensor<1x2x?x320xf32>) -> tensor<1x2x?x320xf32> {
  %s = posenc.scores %q, %k : (tensor<1x2x?x320xf32>, tensor<1x2x?x320xf32>) -> tensor<1x2x?x?xf32>
  %o = posenc.attend %s, %v : (tensor<1x2x?x?xf32>, tensor<1x2x?x320xf32>) -> tensor<1x2x?x320xf32>
  return %o : tensor<1x2x?x320xf32>
}

func.func @near(%q: tensor<1x?x8x64xf32>, %k: tensor<1x?x8x64xf32>, %v: tensor<1x?x8x64xf32>) -> tensor<1x?x8x64xf32> {
  %s = posenc.scores %q, %k {layout = #posenc.layout<bshd>} : (tensor<1x?x8x64xf32>, tensor<1x?x8x64xf32>) -> tensor<1x8x?x?xf32>
  %o = posenc.attend %s, %v {layout = #posenc.layout<bshd>} : (tensor<1x8x?x?xf32>, tensor<1x?x8x64xf32>) -> tensor<1x?x8x64xf32>
  return %o : tensor<1x?x8x64xf32>
}

func.func @apart(%q: tensor<1x?x16x64xf32>, %k: tensor<1x?x16x64xf32>, %v: tensor<1x?x16x64xf32>) -> tensor<1x?x16x64xf32> {
  %s = posenc.scores %q, %k {layout = #posenc.layout<bshd>} : (tensor<1x?x16x64xf32>, tensor<1x?x16x64xf32>) -> tensor<1x16x?x?xf32>
  %o = posenc.attend %s, %v {layout = #posenc.layout<bshd>} : (tensor<1x16x?x?xf32>, tensor<1x?x16x64xf32>) -> tensor<1x?x16x64xf32>
  return %o : tensor<1x?x16x64xf32>
}

//--- given.mlir
func.func @given(%q: tensor<1x2x?x64xf32>, %k: tensor<1x2x?x64xf32>, %v: tensor<1x2x?x64xf32>) -> tensor<1x2x?x64xf32> {
  %s = posenc.scores %q, %k : (tensor<1x2x?x64xf32>, tensor<1x2x?x64xf32>) -> tensor<1x2x?x?xf32>
  %o = posenc.attend %s, %v {posenc.cpu_schedule = #posenc.cpu_schedule<rows = 8, keys = 48, panels = 2>} : (tensor<1x2x?x?xf32>, tensor<1x2x?x64xf32>) -> tensor<1x2x?x64xf32>
  return %o : tensor<1x2x?x64xf32>
}

//--- transform.mlir
module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %op = transform.structured.match ops{["posenc.attention"]} in %root : (!transform.any_op) -> !transform.any_op
    %sizes = transform.param.constant #posenc.cpu_schedule<rows = 2, keys = 30, panels = 1> -> !transform.any_param
    transform.annotate %op "posenc.cpu_schedule" = %sizes : !transform.any_op, !transform.any_param
    transform.yield
  }
}
