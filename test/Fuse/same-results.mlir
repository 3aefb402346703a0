// Fused and unfused agree on odd sizes, a past, shared key heads and empty rows.

// DEFINE: %{fused} = --pipeline='builtin.module(posenc-fuse,posenc-reference)' --verify --output=-

// RUN: pe-runner %s --entry=decode %{fused} --input=2x4x5x8=random --input=2x2x9x8=random \
// RUN:   --input=2x2x9x6=random --input=4 --input=2 --input=2x9=random | FileCheck %s
// RUN: pe-runner %s --entry=aligned %{fused} --input=1x9x3x8=random --input=1x5x3x8=random \
// RUN:   --input=1x5x3x8=random | FileCheck %s
// RUN: pe-runner %s --entry=encoder %{fused} --input=2x7x8=random --input=8x8=random \
// RUN:   --input=8=random --input=16x8=random --input=2x8=random | FileCheck %s
// CHECK: max abs error {{(0|.*e-0[789])}} (tolerance

func.func @decode(%q: tensor<?x4x?x8xf32>, %k: tensor<?x2x?x8xf32>, %v: tensor<?x2x?x6xf32>,
                  %past: index, %start: index, %noise: tensor<?x?xf32>)
    -> (tensor<?x4x?x6xf32>, tensor<?x4x?xf32>) {
  %two = arith.constant 2 : index
  %n = tensor.dim %q, %two : tensor<?x4x?x8xf32>
  %m = tensor.dim %k, %two : tensor<?x2x?x8xf32>
  %qp = posenc.positions %n from %past : index -> tensor<?xi64>
  %kp = posenc.positions %m from %start : index -> tensor<?xi64>
  %zero = arith.constant 0.0 : f32
  %zero_index = arith.constant 0 : index
  %one = arith.constant 1 : index
  %b = tensor.dim %noise, %zero_index : tensor<?x?xf32>
  %l = tensor.dim %noise, %one : tensor<?x?xf32>
  %flags = tensor.empty(%b, %l) : tensor<?x?xi1>
  %valid = linalg.generic {indexing_maps = [affine_map<(a, b) -> (a, b)>, affine_map<(a, b) -> (a, b)>],
                           iterator_types = ["parallel", "parallel"]}
    ins(%noise : tensor<?x?xf32>) outs(%flags : tensor<?x?xi1>) {
  ^bb0(%x: f32, %out: i1):
    %0 = arith.cmpf ogt, %x, %zero : f32
    linalg.yield %0 : i1
  } -> tensor<?x?xi1>
  %q1 = posenc.rope %q at(%qp) {pairing = #posenc.pairing<half>}
    : (tensor<?x4x?x8xf32>, tensor<?xi64>) -> tensor<?x4x?x8xf32>
  %q2 = posenc.rope %q1 at(%qp) {pairing = #posenc.pairing<half>, base = 100.0 : f64}
    : (tensor<?x4x?x8xf32>, tensor<?xi64>) -> tensor<?x4x?x8xf32>
  %k1 = posenc.rope %k at(%kp) {pairing = #posenc.pairing<interleaved>, offset = 2 : i64, width = 4 : i64}
    : (tensor<?x2x?x8xf32>, tensor<?xi64>) -> tensor<?x2x?x8xf32>
  %v1 = posenc.rope %v {pairing = #posenc.pairing<half>}
    : (tensor<?x2x?x6xf32>) -> tensor<?x2x?x6xf32>
  %s = posenc.scores %q2, %k1
    : (tensor<?x4x?x8xf32>, tensor<?x2x?x8xf32>) -> tensor<?x4x?x?xf32>
  %w = posenc.window %s at(%qp, %kp) {left = 3 : i64, right = 0 : i64}
    : (tensor<?x4x?x?xf32>, tensor<?xi64>, tensor<?xi64>) -> tensor<?x4x?x?xf32>
  %a = posenc.alibi %w at(%qp, %kp)
    : (tensor<?x4x?x?xf32>, tensor<?xi64>, tensor<?xi64>) -> tensor<?x4x?x?xf32>
  %p = posenc.padding %a valid(%valid)
    : (tensor<?x4x?x?xf32>, tensor<?x?xi1>) -> tensor<?x4x?x?xf32>
  %o, %lse = posenc.attend %p, %v1 : (tensor<?x4x?x?xf32>, tensor<?x2x?x6xf32>)
    -> (tensor<?x4x?x6xf32>, tensor<?x4x?xf32>)
  return %o, %lse : tensor<?x4x?x6xf32>, tensor<?x4x?xf32>
}

// More queries than keys: the first see none.
func.func @aligned(%q: tensor<1x?x3x8xf32>, %k: tensor<1x?x3x8xf32>, %v: tensor<1x?x3x8xf32>)
    -> tensor<1x?x3x8xf32> {
  %s = posenc.scores %q, %k {layout = #posenc.layout<bshd>, scale = 0.7 : f32}
    : (tensor<1x?x3x8xf32>, tensor<1x?x3x8xf32>) -> tensor<1x3x?x?xf32>
  %c = posenc.causal %s : (tensor<1x3x?x?xf32>) -> tensor<1x3x?x?xf32>
  %o = posenc.attend %c, %v {layout = #posenc.layout<bshd>}
    : (tensor<1x3x?x?xf32>, tensor<1x?x3x8xf32>) -> tensor<1x?x3x8xf32>
  return %o : tensor<1x?x3x8xf32>
}

#id = affine_map<(b, i, n) -> (b, i, n)>
func.func @encoder(%x: tensor<?x?x8xf32>, %w: tensor<8x8xf32>, %bias: tensor<8xf32>,
                   %table: tensor<16x8xf32>, %kinds: tensor<2x8xf32>) -> tensor<?x?x8xf32> {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %b = tensor.dim %x, %zero : tensor<?x?x8xf32>
  %n = tensor.dim %x, %one : tensor<?x?x8xf32>
  %e = tensor.empty(%b, %n) : tensor<?x?xi64>
  %first = arith.constant 1 : i64
  %ids = linalg.fill ins(%first : i64) outs(%e : tensor<?x?xi64>) -> tensor<?x?xi64>
  %y = posenc.learned %x table(%table) {offset = 2 : i64}
    : (tensor<?x?x8xf32>, tensor<16x8xf32>) -> tensor<?x?x8xf32>
  %z = posenc.token_type %y ids(%ids) table(%kinds)
    : (tensor<?x?x8xf32>, tensor<?x?xi64>, tensor<2x8xf32>) -> tensor<?x?x8xf32>
  %init = tensor.empty(%b, %n) : tensor<?x?x8xf32>
  %l = posenc.linear ins(%z, %w : tensor<?x?x8xf32>, tensor<8x8xf32>) with(%bias : tensor<8xf32>)
    outs(%init : tensor<?x?x8xf32>) -> tensor<?x?x8xf32>
  %t = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%l : tensor<?x?x8xf32>) outs(%init : tensor<?x?x8xf32>) {
  ^bb0(%a: f32, %out: f32):
    %0 = math.tanh %a : f32
    linalg.yield %0 : f32
  } -> tensor<?x?x8xf32>
  %r = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%t, %z : tensor<?x?x8xf32>, tensor<?x?x8xf32>) outs(%init : tensor<?x?x8xf32>) {
  ^bb0(%a: f32, %c: f32, %out: f32):
    %0 = arith.addf %a, %c : f32
    linalg.yield %0 : f32
  } -> tensor<?x?x8xf32>
  return %r : tensor<?x?x8xf32>
}
