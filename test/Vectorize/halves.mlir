// Keys that only one of the two vectors of a panel sees: its tiles have 8 sums
// instead of 16. A causal mask has such keys at the end only, a window at both ends.

// RUN: pe-opt %s --posenc-cpu="to=vectorize vector-bits=512" | FileCheck %s
// RUN: pe-runner %s --entry=window --verify --input=random:1 --input=random:2 --input=random:3
// RUN: pe-runner %s --entry=causal --verify --input=random:1 --input=random:2 --input=random:3
// RUN: pe-runner %s --entry=pairs --tolerance=2e-2 --verify --input=random:1 --input=random:2 --input=random:3
// RUN: pe-runner %s --entry=window --pipeline=posenc-cpu{vector-bits=256} --verify --input=random:1 --input=random:2 --input=random:3
// RUN: pe-runner %s --entry=causal --pipeline=posenc-cpu{vector-bits=256} --verify --input=random:1 --input=random:2 --input=random:3

// Scores, then two sizes of tiles of values.
// CHECK-LABEL: func.func private @posenc_attention(
// CHECK-COUNT-2: scf.for {{.*}} -> ({{(vector<16xf32>, ){7}vector<16xf32>}}) {
// CHECK-LABEL: func.func private @posenc_attention_0(
// CHECK-COUNT-2: scf.for {{.*}} -> ({{(vector<16xf32>, ){7}vector<16xf32>}}) {

func.func @window(%q: tensor<1x2x229x24xf32>, %k: tensor<1x2x229x24xf32>, %v: tensor<1x2x229x24xf32>)
    -> tensor<1x2x229x24xf32> {
  %s = posenc.scores %q, %k : (tensor<1x2x229x24xf32>, tensor<1x2x229x24xf32>) -> tensor<1x2x229x229xf32>
  %w = posenc.window %s {left = 37 : i64, right = 5 : i64} : (tensor<1x2x229x229xf32>) -> tensor<1x2x229x229xf32>
  %o = posenc.attend %w, %v : (tensor<1x2x229x229xf32>, tensor<1x2x229x24xf32>) -> tensor<1x2x229x24xf32>
  return %o : tensor<1x2x229x24xf32>
}

func.func @causal(%q: tensor<1x2x211x24xf32>, %k: tensor<1x2x211x24xf32>, %v: tensor<1x2x211x24xf32>)
    -> tensor<1x2x211x24xf32> {
  %s = posenc.scores %q, %k : (tensor<1x2x211x24xf32>, tensor<1x2x211x24xf32>) -> tensor<1x2x211x211xf32>
  %c = posenc.causal %s : (tensor<1x2x211x211xf32>) -> tensor<1x2x211x211xf32>
  %o = posenc.attend %c, %v : (tensor<1x2x211x211xf32>, tensor<1x2x211x24xf32>) -> tensor<1x2x211x24xf32>
  return %o : tensor<1x2x211x24xf32>
}

func.func @pairs(%q: tensor<1x2x217x24xbf16>, %k: tensor<1x2x217x24xbf16>, %v: tensor<1x2x217x24xbf16>)
    -> tensor<1x2x217x24xbf16> {
  %s = posenc.scores %q, %k : (tensor<1x2x217x24xbf16>, tensor<1x2x217x24xbf16>) -> tensor<1x2x217x217xf32>
  %w = posenc.window %s {left = 50 : i64, right = 11 : i64} : (tensor<1x2x217x217xf32>) -> tensor<1x2x217x217xf32>
  %o = posenc.attend %w, %v : (tensor<1x2x217x217xf32>, tensor<1x2x217x24xbf16>) -> tensor<1x2x217x24xbf16>
  return %o : tensor<1x2x217x24xbf16>
}
