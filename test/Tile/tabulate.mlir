// RUN: pe-opt %s --posenc-fuse --posenc-apply-maps --posenc-tabulate --canonicalize --cse | FileCheck %s
// RUN: pe-opt %s --posenc-fuse --posenc-apply-maps --posenc-tabulate=maps=false --canonicalize --cse | FileCheck %s --check-prefix=ATTENTION
// RUN: pe-opt %s --posenc-fuse --posenc-tabulate --canonicalize --cse | FileCheck %s --check-prefix=KEPT
// RUN: pe-runner %s --entry=rotated --verify --tolerance=2e-6 --input=2x4x21x8=random:1 --input=2x2x21x8=random:2 --input=2x2x21x8=random:3
// RUN: pe-runner %s --entry=bucketed --verify --tolerance=2e-6 --input=1x2x19x8=random:1 --input=1x2x23x8=random:2 --input=1x2x23x8=random:3 --input=8x2=random:4
// RUN: pe-runner %s --entry=bucketed --verify --tolerance=2e-6 --input=1x2x0x8=zeros --input=1x2x0x8=zeros --input=1x2x0x8=zeros --input=8x2=random:4
// RUN: pe-runner %s --entry=by_hand --verify --tolerance=2e-6 --input=1x1x33x8=random:1 --input=1x1x18x8=random:2 --input=1x1x18x8=random:3 --input=0.5

// Cosine and sine once per row, for the heads of queries and of keys.
// KEPT-LABEL: func @rotated(
// KEPT-COUNT-2: posenc.map
// KEPT: posenc.attention
// KEPT-NOT: math
// KEPT: key {
// KEPT-NOT: math
// KEPT: return
// CHECK-LABEL: func @rotated(
// CHECK: %[[COS:.+]] = posenc.map ins(%{{.+}} : tensor<2x21x4xf32>)
// CHECK: %[[SIN:.+]] = posenc.map ins(%{{.+}} : tensor<2x21x4xf32>)
// CHECK: posenc.map ins(%arg1
// CHECK-NOT: math
// CHECK: tensor.extract %[[COS]][%{{.+}}, %{{.+}}, %{{.+}}]
// CHECK-NEXT: tensor.extract %[[SIN]]
// CHECK: posenc.attention
// CHECK-NOT: math
// CHECK: tensor.extract %[[COS]]
// CHECK-NEXT: tensor.extract %[[SIN]]
// CHECK: return
// Or only for the attention, if a kernel evaluates a row once for several heads.
// ATTENTION-LABEL: func @rotated(
// ATTENTION: posenc.map ins(%arg1
// ATTENTION: math.cos
// ATTENTION: posenc.attention
// ATTENTION-NOT: math
// ATTENTION: tensor.extract
// ATTENTION: return
func.func @rotated(%q: tensor<2x4x21x8xf32>, %k: tensor<2x2x21x8xf32>, %v: tensor<2x2x21x8xf32>)
    -> tensor<2x4x21x8xf32> {
  %qr = posenc.rope %q {pairing = #posenc.pairing<half>} : (tensor<2x4x21x8xf32>) -> tensor<2x4x21x8xf32>
  %kr = posenc.rope %k {pairing = #posenc.pairing<half>} : (tensor<2x2x21x8xf32>) -> tensor<2x2x21x8xf32>
  %s = posenc.scores %qr, %kr : (tensor<2x4x21x8xf32>, tensor<2x2x21x8xf32>) -> tensor<2x4x21x21xf32>
  %o = posenc.attend %s, %v : (tensor<2x4x21x21xf32>, tensor<2x2x21x8xf32>) -> tensor<2x4x21x8xf32>
  return %o : tensor<2x4x21x8xf32>
}

// One bias per head and distance.
// CHECK-LABEL: func @bucketed(
// CHECK: %[[TABLE:.+]] = posenc.map ins(%{{.+}} : tensor<1x2x?xf32>)
// CHECK: posenc.attention
// CHECK: score {
// CHECK-NEXT: ^bb0(%[[S:.+]]: f32, %[[B:.+]]: index, %[[H:.+]]: index, %[[I:.+]]: index, %[[J:.+]]: index)
// CHECK: %[[D:.+]] = arith.subi %[[I]], %[[J]]
// CHECK: %[[T:.+]] = arith.addi %[[D]],
// CHECK: %[[BIAS:.+]] = tensor.extract %[[TABLE]][%[[B]], %[[H]], %[[T]]]
// CHECK: arith.addf %[[S]], %[[BIAS]]
func.func @bucketed(%q: tensor<1x2x?x8xf32>, %k: tensor<1x2x?x8xf32>, %v: tensor<1x2x?x8xf32>,
                    %table: tensor<8x2xf32>) -> tensor<1x2x?x8xf32> {
  %s0 = posenc.scores %q, %k : (tensor<1x2x?x8xf32>, tensor<1x2x?x8xf32>) -> tensor<1x2x?x?xf32>
  %s1 = posenc.t5_bucket %s0 table(%table) {max_distance = 16 : i64} : (tensor<1x2x?x?xf32>, tensor<8x2xf32>) -> tensor<1x2x?x?xf32>
  %o = posenc.attend %s1, %v : (tensor<1x2x?x?xf32>, tensor<1x2x?x8xf32>) -> tensor<1x2x?x8xf32>
  return %o : tensor<1x2x?x8xf32>
}

// A distance is one however it is written; a product of coordinates is none, and
// what is cheap or the same for all pairs stays.
// CHECK-LABEL: func @by_hand(
// CHECK-COUNT-1: posenc.map
// CHECK-NOT: posenc.map
// CHECK: posenc.attention
// CHECK: math.exp
// CHECK: math.sin
// CHECK-NOT: math.cos
// CHECK: return
func.func @by_hand(%q: tensor<1x1x?x8xf32>, %k: tensor<1x1x?x8xf32>, %v: tensor<1x1x?x8xf32>, %x: f32)
    -> tensor<1x1x?x8xf32> {
  %half = arith.constant 0.5 : f32
  %tenth = arith.constant 0.1 : f32
  %c3 = arith.constant 3 : i32
  %c2 = arith.constant 2 : index
  %rows = tensor.dim %q, %c2 : tensor<1x1x?x8xf32>
  %init = tensor.empty(%rows) : tensor<1x1x?x8xf32>
  %o = posenc.attention ins(%q, %k, %v : tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32>)
       outs(%init : tensor<1x1x?x8xf32>) score {
  ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
    %ii = arith.index_cast %i : index to i32
    %jj = arith.index_cast %j : index to i32
    %shifted = arith.addi %jj, %c3 : i32
    %d = arith.subi %shifted, %ii : i32
    %df = arith.sitofp %d : i32 to f32
    %scaled = arith.mulf %df, %half : f32
    %cos = math.cos %scaled : f32
    %constant = math.exp %x : f32
    %product = arith.muli %ii, %jj : i32
    %pf = arith.sitofp %product : i32 to f32
    %p = arith.mulf %pf, %tenth : f32
    %sin = math.sin %p : f32
    %s1 = arith.addf %s, %cos : f32
    %s2 = arith.mulf %s1, %constant : f32
    %s3 = arith.addf %s2, %sin : f32
    posenc.yield %s3 : f32
  } {scale = 0.35355338 : f32} -> tensor<1x1x?x8xf32>
  return %o : tensor<1x1x?x8xf32>
}

// One query meets every distance once.
// CHECK-LABEL: func @decode(
// CHECK-NOT: posenc.map
func.func @decode(%q: tensor<1x2x1x8xf32>, %k: tensor<1x2x?x8xf32>, %v: tensor<1x2x?x8xf32>,
                  %table: tensor<8x2xf32>) -> tensor<1x2x1x8xf32> {
  %s0 = posenc.scores %q, %k : (tensor<1x2x1x8xf32>, tensor<1x2x?x8xf32>) -> tensor<1x2x1x?xf32>
  %s1 = posenc.t5_bucket %s0 table(%table) {max_distance = 16 : i64} : (tensor<1x2x1x?xf32>, tensor<8x2xf32>) -> tensor<1x2x1x?xf32>
  %o = posenc.attend %s1, %v : (tensor<1x2x1x?xf32>, tensor<1x2x?x8xf32>) -> tensor<1x2x1x8xf32>
  return %o : tensor<1x2x1x8xf32>
}
