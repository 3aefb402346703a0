// RUN: pe-opt %s -split-input-file -verify-diagnostics

// Names outside: one case per check of a verifier.

func.func @positions_rank(%n: index, %p: index) {
  // expected-error @+1 {{expected a result of rank 1, but found rank 2}}
  %0 = posenc.positions %n from %p : index -> tensor<?x?xi64>
  return
}

// -----

func.func @scores_batch(%q: tensor<2x4x5x8xf32>, %k: tensor<3x4x5x8xf32>) {
  // expected-error @+1 {{expected equal batch sizes, but found 2 and 3}}
  %0 = posenc.scores %q, %k : (tensor<2x4x5x8xf32>, tensor<3x4x5x8xf32>) -> tensor<2x4x5x5xf32>
  return
}

// -----

func.func @scores_heads(%q: tensor<2x4x5x8xf32>, %k: tensor<2x3x5x8xf32>) {
  // expected-error @+1 {{expected query heads to be a multiple of key heads, but found 4 and 3}}
  %0 = posenc.scores %q, %k : (tensor<2x4x5x8xf32>, tensor<2x3x5x8xf32>) -> tensor<2x4x5x5xf32>
  return
}

// -----

func.func @scores_width(%q: tensor<2x4x5x8xf32>, %k: tensor<2x4x5x7xf32>) {
  // expected-error @+1 {{expected queries and keys of one width, but found 8 and 7}}
  %0 = posenc.scores %q, %k : (tensor<2x4x5x8xf32>, tensor<2x4x5x7xf32>) -> tensor<2x4x5x5xf32>
  return
}

// -----

func.func @scores_scale(%q: tensor<2x4x5x?xf32>, %k: tensor<2x4x5x?xf32>) {
  // expected-error @+1 {{expected a scale, since the width is dynamic}}
  %0 = posenc.scores %q, %k : (tensor<2x4x5x?xf32>, tensor<2x4x5x?xf32>) -> tensor<2x4x5x5xf32>
  return
}

// -----

func.func @scores_shape(%q: tensor<2x4x5x8xf32>, %k: tensor<2x4x6x8xf32>) {
  // expected-error @+1 {{expected scores of shape [batch, query heads, queries, keys], but found}}
  %0 = posenc.scores %q, %k : (tensor<2x4x5x8xf32>, tensor<2x4x6x8xf32>) -> tensor<2x4x6x5xf32>
  return
}

// -----

func.func @attend_heads(%s: tensor<2x4x5x6xf32>, %v: tensor<2x3x6x8xf32>) {
  // expected-error @+1 {{expected query heads to be a multiple of key heads, but found 4 and 3}}
  %0 = posenc.attend %s, %v : (tensor<2x4x5x6xf32>, tensor<2x3x6x8xf32>) -> tensor<2x4x5x8xf32>
  return
}

// -----

func.func @attend_keys(%s: tensor<2x4x5x6xf32>, %v: tensor<2x4x7x8xf32>) {
  // expected-error @+1 {{expected as many values as scored keys, but found 7 and 6}}
  %0 = posenc.attend %s, %v : (tensor<2x4x5x6xf32>, tensor<2x4x7x8xf32>) -> tensor<2x4x5x8xf32>
  return
}

// -----

func.func @attend_result(%s: tensor<2x4x5x6xf32>, %v: tensor<2x4x6x8xf32>) {
  // expected-error @+1 {{expected a result for every query head and row, but found}}
  %0 = posenc.attend %s, %v : (tensor<2x4x5x6xf32>, tensor<2x4x6x8xf32>) -> tensor<2x4x6x8xf32>
  return
}

// -----

func.func @attend_lse(%s: tensor<2x4x5x6xf32>, %v: tensor<2x4x6x8xf32>) {
  // expected-error @+1 {{expected log-sum-exp of shape [batch, head, row], but found}}
  %0, %1 = posenc.attend %s, %v : (tensor<2x4x5x6xf32>, tensor<2x4x6x8xf32>) -> (tensor<2x4x5x8xf32>, tensor<2x5x4xf32>)
  return
}

// -----

func.func @embedding_shape(%i: tensor<2x3xi64>, %t: tensor<10x8xf32>) {
  // expected-error @+1 {{expected a result of shape [batch, row, channel], but found}}
  %0 = posenc.embedding %i, %t : (tensor<2x3xi64>, tensor<10x8xf32>) -> tensor<3x2x8xf32>
  return
}

// -----

func.func @embedding_type(%i: tensor<2x3xi64>, %t: tensor<10x8xbf16>) {
  // expected-error @+1 {{expected the table's element type, but found 'f32'}}
  %0 = posenc.embedding %i, %t : (tensor<2x3xi64>, tensor<10x8xbf16>) -> tensor<2x3x8xf32>
  return
}

// -----

posenc.weights @w {path = "w", size = 64 : i64, header_hash = 0 : i64}
func.func @weight_negative() {
  // expected-error @+1 {{expected an offset of at least 0, but found -4}}
  %0 = posenc.weight @w "x" at -4 : tensor<2xf32>
  return
}

// -----

posenc.weights @w {path = "w", size = 64 : i64, header_hash = 0 : i64}
func.func @weight_aligned() {
  // expected-error @+1 {{expected an offset aligned to 4 bytes, but found 6}}
  %0 = posenc.weight @w "x" at 6 : tensor<2xf32>
  return
}

// -----

func.func @weight_symbol() {
  // expected-error @+1 {{expected w to name a posenc.weights}}
  %0 = posenc.weight @w "x" at 0 : tensor<2xf32>
  return
}

// -----

posenc.weights @w {path = "w", size = 64 : i64, header_hash = 0 : i64}
func.func @weight_size() {
  // expected-error @+1 {{expected 8 bytes at 60 within a file of 64}}
  %0 = posenc.weight @w "x" at 60 : tensor<2xf32>
  return
}

// -----

posenc.weights @w {path = "w", size = 4 : i64, header_hash = 0 : i64}
func.func @weight_larger_than_file() {
  // expected-error @+1 {{expected 8 bytes at 0 within a file of 4}}
  %0 = posenc.weight @w "x" at 0 : tensor<2xf32>
  return
}
