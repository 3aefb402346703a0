// RUN: pe-opt %s --posenc-fuse --remarks-filter=posenc-fuse --remark-format=emitRemark \
// RUN:   --split-input-file --verify-diagnostics | FileCheck %s

// CHECK-LABEL: func @read_scores(
// CHECK: posenc.scores
// CHECK: posenc.causal
// CHECK: posenc.attend
func.func @read_scores(%q: tensor<1x8x?x64xf32>, %v: tensor<1x8x?x64xf32>)
    -> (tensor<1x8x?x64xf32>, tensor<1x8x?x?xf32>) {
  %s = posenc.scores %q, %q : (tensor<1x8x?x64xf32>, tensor<1x8x?x64xf32>) -> tensor<1x8x?x?xf32>
  %m = posenc.causal %s : (tensor<1x8x?x?xf32>) -> tensor<1x8x?x?xf32>
  // expected-remark @below {{'posenc.attend' is not fused: the result of 'posenc.causal' has 2 uses}}
  %o = posenc.attend %m, %v : (tensor<1x8x?x?xf32>, tensor<1x8x?x64xf32>) -> tensor<1x8x?x64xf32>
  return %o, %m : tensor<1x8x?x64xf32>, tensor<1x8x?x?xf32>
}

// -----

// CHECK-LABEL: func @foreign_scores(
// CHECK: posenc.causal
// CHECK: posenc.attend
func.func @foreign_scores(%s: tensor<1x8x?x?xf32>, %v: tensor<1x8x?x64xf32>)
    -> tensor<1x8x?x64xf32> {
  %m = posenc.causal %s : (tensor<1x8x?x?xf32>) -> tensor<1x8x?x?xf32>
  // expected-remark @below {{'posenc.attend' is not fused: its scores do not come from 'posenc.scores'}}
  %o = posenc.attend %m, %v : (tensor<1x8x?x?xf32>, tensor<1x8x?x64xf32>) -> tensor<1x8x?x64xf32>
  return %o : tensor<1x8x?x64xf32>
}

// -----

// CHECK-LABEL: func @layouts(
// CHECK: posenc.attend
func.func @layouts(%q: tensor<1x8x8x64xf32>) -> tensor<1x8x8x64xf32> {
  %s = posenc.scores %q, %q : (tensor<1x8x8x64xf32>, tensor<1x8x8x64xf32>) -> tensor<1x8x8x8xf32>
  // expected-remark @below {{its layout is 'bshd', but that of the scores 'bhsd'}}
  %o = posenc.attend %s, %q {layout = #posenc.layout<bshd>}
    : (tensor<1x8x8x8xf32>, tensor<1x8x8x64xf32>) -> tensor<1x8x8x64xf32>
  return %o : tensor<1x8x8x64xf32>
}

// -----

// CHECK-LABEL: func @loop(
// CHECK: posenc.scores
// CHECK: scf.for
// CHECK: posenc.attend
func.func @loop(%q: tensor<1x8x?x64xf32>, %n: index) -> tensor<1x8x?x64xf32> {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %s = posenc.scores %q, %q : (tensor<1x8x?x64xf32>, tensor<1x8x?x64xf32>) -> tensor<1x8x?x?xf32>
  %r = scf.for %i = %zero to %n step %one iter_args(%v = %q) -> tensor<1x8x?x64xf32> {
    // expected-remark @below {{the result of 'posenc.scores' comes from another block, which may run less often}}
    %o = posenc.attend %s, %v : (tensor<1x8x?x?xf32>, tensor<1x8x?x64xf32>) -> tensor<1x8x?x64xf32>
    scf.yield %o : tensor<1x8x?x64xf32>
  }
  return %r : tensor<1x8x?x64xf32>
}

// -----

// Encoded keys that go into a cache as well are encoded once, by a map.

// CHECK-LABEL: func @read_rows(
// CHECK: %[[K:.+]] = posenc.map
// CHECK: posenc.attention ins(%{{.+}}, %[[K]], %{{.+}} :
// CHECK-NOT: key {
// CHECK: return %{{.+}}, %[[K]]
func.func @read_rows(%q: tensor<1x8x?x64xf32>, %k: tensor<1x8x?x64xf32>)
    -> (tensor<1x8x?x64xf32>, tensor<1x8x?x64xf32>) {
  // expected-remark @below {{'posenc.rope' is not fused: its result has 2 uses}}
  %r = posenc.rope %k {pairing = #posenc.pairing<half>} : (tensor<1x8x?x64xf32>) -> tensor<1x8x?x64xf32>
  %s = posenc.scores %q, %r : (tensor<1x8x?x64xf32>, tensor<1x8x?x64xf32>) -> tensor<1x8x?x?xf32>
  %o = posenc.attend %s, %k : (tensor<1x8x?x?xf32>, tensor<1x8x?x64xf32>) -> tensor<1x8x?x64xf32>
  return %o, %r : tensor<1x8x?x64xf32>, tensor<1x8x?x64xf32>
}

// -----

// Encodings of different channels do not compose: the innermost is a map.

// CHECK-LABEL: func @channels(
// CHECK: %[[Q:.+]] = posenc.map
// CHECK: posenc.attention ins(%[[Q]], %{{.+}}, %{{.+}} : {{.*}}) {{.*}} query {
// CHECK: query_channels = #posenc.channels<half, offset = 0, width = 32>
func.func @channels(%q: tensor<1x8x?x64xf32>, %k: tensor<1x8x?x64xf32>) -> tensor<1x8x?x64xf32> {
  // expected-remark @below {{its channels differ from those of the encoding that follows}}
  %a = posenc.rope %q {pairing = #posenc.pairing<half>} : (tensor<1x8x?x64xf32>) -> tensor<1x8x?x64xf32>
  %b = posenc.rope %a {pairing = #posenc.pairing<half>, width = 32 : i64}
    : (tensor<1x8x?x64xf32>) -> tensor<1x8x?x64xf32>
  %s = posenc.scores %b, %k : (tensor<1x8x?x64xf32>, tensor<1x8x?x64xf32>) -> tensor<1x8x?x?xf32>
  %o = posenc.attend %s, %k : (tensor<1x8x?x?xf32>, tensor<1x8x?x64xf32>) -> tensor<1x8x?x64xf32>
  return %o : tensor<1x8x?x64xf32>
}

// -----

// CHECK-LABEL: func @row_layout(
// CHECK: posenc.map
// CHECK: posenc.attention
// CHECK-NOT: query {
func.func @row_layout(%q: tensor<1x8x8x64xf32>, %k: tensor<1x8x8x64xf32>) -> tensor<1x8x8x64xf32> {
  // expected-remark @below {{its layout is 'bshd', but that of attention 'bhsd'}}
  %a = posenc.rope %q {pairing = #posenc.pairing<half>, layout = #posenc.layout<bshd>}
    : (tensor<1x8x8x64xf32>) -> tensor<1x8x8x64xf32>
  %s = posenc.scores %a, %k : (tensor<1x8x8x64xf32>, tensor<1x8x8x64xf32>) -> tensor<1x8x8x8xf32>
  %o = posenc.attend %s, %k : (tensor<1x8x8x8xf32>, tensor<1x8x8x64xf32>) -> tensor<1x8x8x64xf32>
  return %o : tensor<1x8x8x64xf32>
}
