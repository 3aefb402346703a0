// RUN: pe-opt %s --posenc-fuse --canonicalize --cse --posenc-read-caches \
// RUN:   --remarks-filter=posenc-read-caches --remark-format=emitRemark \
// RUN:   --split-input-file --verify-diagnostics | FileCheck %s

// What was appended is read where it lies; new keys were encoded before.
// CHECK-LABEL: func @decode(
// CHECK-SAME: %[[Q:[^:]+]]: tensor<1x4x1x64xf32>
// CHECK: %[[N:.+]] = arith.addi
// CHECK: %[[ENCODED:.+]] = posenc.map
// CHECK: %[[K:.+]] = posenc.append %[[ENCODED]] into
// CHECK: %[[V:.+]] = posenc.append
// CHECK-NOT: posenc.rows
// CHECK: posenc.attention ins(%[[Q]], %[[K]], %[[V]] :
// CHECK-SAME: count(%[[N]])
// CHECK-NOT: } key {
func.func @decode(%q: tensor<1x4x1x64xf32>, %k: tensor<1x2x1x64xf32>, %v: tensor<1x2x1x64xf32>,
                  %kc: tensor<1x2x?x64x32x1xf32>, %vc: tensor<1x2x?x1x32x64xf32>, %past: index)
    -> (tensor<1x4x1x64xf32>, tensor<1x2x?x64x32x1xf32>, tensor<1x2x?x1x32x64xf32>) {
  %one = arith.constant 1 : index
  %n = arith.addi %past, %one : index
  %p = posenc.positions %one from %past : index -> tensor<?xi64>
  %qr = posenc.rope %q at(%p) {pairing = #posenc.pairing<half>} : (tensor<1x4x1x64xf32>, tensor<?xi64>) -> tensor<1x4x1x64xf32>
  %kr = posenc.rope %k at(%p) {pairing = #posenc.pairing<half>} : (tensor<1x2x1x64xf32>, tensor<?xi64>) -> tensor<1x2x1x64xf32>
  %kn = posenc.append %kr into %kc at %past : tensor<1x2x1x64xf32> into tensor<1x2x?x64x32x1xf32>
  %vn = posenc.append %v into %vc at %past : tensor<1x2x1x64xf32> into tensor<1x2x?x1x32x64xf32>
  %ka = posenc.rows %n of %kn : tensor<1x2x?x64x32x1xf32> -> tensor<1x2x?x64xf32>
  %va = posenc.rows %n of %vn : tensor<1x2x?x1x32x64xf32> -> tensor<1x2x?x64xf32>
  %s = posenc.scores %qr, %ka : (tensor<1x4x1x64xf32>, tensor<1x2x?x64xf32>) -> tensor<1x4x1x?xf32>
  %o = posenc.attend %s, %va : (tensor<1x4x1x?xf32>, tensor<1x2x?x64xf32>) -> tensor<1x4x1x64xf32>
  return %o, %kn, %vn : tensor<1x4x1x64xf32>, tensor<1x2x?x64x32x1xf32>, tensor<1x2x?x1x32x64xf32>
}

// -----

// So does a prompt, of any length.
// CHECK-LABEL: func @prompt(
// CHECK-NOT: posenc.rows
// CHECK: posenc.attention ins(%{{.+}}, %arg1, %arg2 :
// CHECK-SAME: count(%arg3)
func.func @prompt(%q: tensor<1x4x?x64xf32>, %kc: tensor<1x2x?x64x32x1xf32>, %vc: tensor<1x2x?x1x32x64xf32>, %n: index) -> tensor<1x4x?x64xf32> {
  %ka = posenc.rows %n of %kc : tensor<1x2x?x64x32x1xf32> -> tensor<1x2x?x64xf32>
  %va = posenc.rows %n of %vc : tensor<1x2x?x1x32x64xf32> -> tensor<1x2x?x64xf32>
  %s = posenc.scores %q, %ka : (tensor<1x4x?x64xf32>, tensor<1x2x?x64xf32>) -> tensor<1x4x?x?xf32>
  %o = posenc.attend %s, %va : (tensor<1x4x?x?xf32>, tensor<1x2x?x64xf32>) -> tensor<1x4x?x64xf32>
  return %o : tensor<1x4x?x64xf32>
}

// -----

// CHECK-LABEL: func @late(
// CHECK-COUNT-2: posenc.rows
func.func @late(%q: tensor<1x4x1x64xf32>, %kc: tensor<1x2x?x64x32x1xf32>, %vc: tensor<1x2x?x1x32x64xf32>, %n: index) -> tensor<1x4x1x64xf32> {
  %ka = posenc.rows %n of %kc : tensor<1x2x?x64x32x1xf32> -> tensor<1x2x?x64xf32>
  %kr = posenc.rope %ka {pairing = #posenc.pairing<half>} : (tensor<1x2x?x64xf32>) -> tensor<1x2x?x64xf32>
  %va = posenc.rows %n of %vc : tensor<1x2x?x1x32x64xf32> -> tensor<1x2x?x64xf32>
  %s = posenc.scores %q, %kr : (tensor<1x4x1x64xf32>, tensor<1x2x?x64xf32>) -> tensor<1x4x1x?xf32>
  // expected-remark @below {{keys or values are encoded after they are read: encode what is appended}}
  %o = posenc.attend %s, %va : (tensor<1x4x1x?xf32>, tensor<1x2x?x64xf32>) -> tensor<1x4x1x64xf32>
  return %o : tensor<1x4x1x64xf32>
}

// -----

func.func @one(%q: tensor<1x4x1x64xf32>, %k: tensor<1x2x?x64xf32>, %vc: tensor<1x2x?x1x32x64xf32>, %n: index) -> tensor<1x4x1x64xf32> {
  %va = posenc.rows %n of %vc : tensor<1x2x?x1x32x64xf32> -> tensor<1x2x?x64xf32>
  %s = posenc.scores %q, %k : (tensor<1x4x1x64xf32>, tensor<1x2x?x64xf32>) -> tensor<1x4x1x?xf32>
  // expected-remark @below {{keys and values are not both rows of a cache}}
  %o = posenc.attend %s, %va : (tensor<1x4x1x?xf32>, tensor<1x2x?x64xf32>) -> tensor<1x4x1x64xf32>
  return %o : tensor<1x4x1x64xf32>
}

// -----

func.func @lengths(%q: tensor<1x4x1x64xf32>, %kc: tensor<1x2x?x64x32x1xf32>, %vc: tensor<1x2x?x1x32x64xf32>, %n: index, %m: index) -> tensor<1x4x1x64xf32> {
  %ka = posenc.rows %n of %kc : tensor<1x2x?x64x32x1xf32> -> tensor<1x2x?x64xf32>
  %va = posenc.rows %m of %vc : tensor<1x2x?x1x32x64xf32> -> tensor<1x2x?x64xf32>
  %s = posenc.scores %q, %ka : (tensor<1x4x1x64xf32>, tensor<1x2x?x64xf32>) -> tensor<1x4x1x?xf32>
  // expected-remark @below {{keys and values are not the same number of rows}}
  %o = posenc.attend %s, %va : (tensor<1x4x1x?xf32>, tensor<1x2x?x64xf32>) -> tensor<1x4x1x64xf32>
  return %o : tensor<1x4x1x64xf32>
}

// -----

func.func @blocks(%q: tensor<1x4x1x64xf32>, %kc: tensor<1x2x?x64x32x1xf32>, %vc: tensor<1x2x?x1x16x64xf32>, %n: index) -> tensor<1x4x1x64xf32> {
  %ka = posenc.rows %n of %kc : tensor<1x2x?x64x32x1xf32> -> tensor<1x2x?x64xf32>
  %va = posenc.rows %n of %vc : tensor<1x2x?x1x16x64xf32> -> tensor<1x2x?x64xf32>
  %s = posenc.scores %q, %ka : (tensor<1x4x1x64xf32>, tensor<1x2x?x64xf32>) -> tensor<1x4x1x?xf32>
  // expected-remark @below {{blocks of keys and of values differ in their number of rows}}
  %o = posenc.attend %s, %va : (tensor<1x4x1x?xf32>, tensor<1x2x?x64xf32>) -> tensor<1x4x1x64xf32>
  return %o : tensor<1x4x1x64xf32>
}

// -----

func.func @odd_blocks(%q: tensor<1x4x1x64xf32>, %kc: tensor<1x2x?x64x20x1xf32>, %vc: tensor<1x2x?x1x20x64xf32>, %n: index) -> tensor<1x4x1x64xf32> {
  %ka = posenc.rows %n of %kc : tensor<1x2x?x64x20x1xf32> -> tensor<1x2x?x64xf32>
  %va = posenc.rows %n of %vc : tensor<1x2x?x1x20x64xf32> -> tensor<1x2x?x64xf32>
  %s = posenc.scores %q, %ka : (tensor<1x4x1x64xf32>, tensor<1x2x?x64xf32>) -> tensor<1x4x1x?xf32>
  // expected-remark @below {{blocks are not of 16, 32, 48 or 64 rows}}
  %o = posenc.attend %s, %va : (tensor<1x4x1x?xf32>, tensor<1x2x?x64xf32>) -> tensor<1x4x1x64xf32>
  return %o : tensor<1x4x1x64xf32>
}

// -----

func.func @chunks(%q: tensor<1x4x1x64xf32>, %kc: tensor<1x2x?x32x32x2xf32>, %vc: tensor<1x2x?x1x32x64xf32>, %n: index) -> tensor<1x4x1x64xf32> {
  %ka = posenc.rows %n of %kc : tensor<1x2x?x32x32x2xf32> -> tensor<1x2x?x64xf32>
  %va = posenc.rows %n of %vc : tensor<1x2x?x1x32x64xf32> -> tensor<1x2x?x64xf32>
  %s = posenc.scores %q, %ka : (tensor<1x4x1x64xf32>, tensor<1x2x?x64xf32>) -> tensor<1x4x1x?xf32>
  // expected-remark @below {{chunks of keys are not of one channel}}
  %o = posenc.attend %s, %va : (tensor<1x4x1x?xf32>, tensor<1x2x?x64xf32>) -> tensor<1x4x1x64xf32>
  return %o : tensor<1x4x1x64xf32>
}

// -----

func.func @value_chunks(%q: tensor<1x4x1x64xf32>, %kc: tensor<1x2x?x64x32x1xf32>, %vc: tensor<1x2x?x8x32x8xf32>, %n: index) -> tensor<1x4x1x64xf32> {
  %ka = posenc.rows %n of %kc : tensor<1x2x?x64x32x1xf32> -> tensor<1x2x?x64xf32>
  %va = posenc.rows %n of %vc : tensor<1x2x?x8x32x8xf32> -> tensor<1x2x?x64xf32>
  %s = posenc.scores %q, %ka : (tensor<1x4x1x64xf32>, tensor<1x2x?x64xf32>) -> tensor<1x4x1x?xf32>
  // expected-remark @below {{chunks of values are not of all channels or a multiple of 16}}
  %o = posenc.attend %s, %va : (tensor<1x4x1x?xf32>, tensor<1x2x?x64xf32>) -> tensor<1x4x1x64xf32>
  return %o : tensor<1x4x1x64xf32>
}
