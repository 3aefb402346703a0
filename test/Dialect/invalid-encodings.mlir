// RUN: pe-opt %s -split-input-file -verify-diagnostics

// What all encodings share.

func.func @one_of_two(%s: tensor<1x8x5x6xf32>, %p: tensor<5xi64>) {
  // expected-error @+1 {{expected positions of queries and of keys, or none, but found 1 tensors}}
  %0 = posenc.causal %s at(%p) : (tensor<1x8x5x6xf32>, tensor<5xi64>) -> tensor<1x8x5x6xf32>
  return
}

// -----

func.func @two_of_one(%x: tensor<1x5x8xf32>, %t: tensor<9x8xf32>, %p: tensor<5xi64>) {
  // expected-error @+1 {{expected positions of the rows at most, but found 2 tensors}}
  %0 = posenc.learned %x at(%p, %p) table(%t) : (tensor<1x5x8xf32>, tensor<5xi64>, tensor<5xi64>, tensor<9x8xf32>) -> tensor<1x5x8xf32>
  return
}

// -----

func.func @row_count(%x: tensor<1x2x5x8xf32>, %p: tensor<2xi64>) {
  // expected-error @+1 {{expected 5 coordinates, but found 2}}
  %0 = posenc.rope %x at(%p) {pairing = #posenc.pairing<half>} : (tensor<1x2x5x8xf32>, tensor<2xi64>) -> tensor<1x2x5x8xf32>
  return
}

// -----

func.func @row_count_bshd(%x: tensor<1x2x5x8xf32>, %p: tensor<5xi64>) {
  // expected-error @+1 {{expected 2 coordinates, but found 5}}
  %0 = posenc.rope %x at(%p) {pairing = #posenc.pairing<half>, layout = #posenc.layout<bshd>} : (tensor<1x2x5x8xf32>, tensor<5xi64>) -> tensor<1x2x5x8xf32>
  return
}

// -----

func.func @key_count(%s: tensor<1x8x5x6xf32>, %p: tensor<5xi64>) {
  // expected-error @+1 {{expected 6 coordinates, but found 5}}
  %0 = posenc.causal %s at(%p, %p) : (tensor<1x8x5x6xf32>, tensor<5xi64>, tensor<5xi64>) -> tensor<1x8x5x6xf32>
  return
}

// -----

func.func @samples(%x: tensor<1x5x8xf32>, %t: tensor<9x8xf32>, %p: tensor<2x5xi64>) {
  // expected-error @+1 {{expected coordinates of 1 samples, but found 2}}
  %0 = posenc.learned %x at(%p) table(%t) : (tensor<1x5x8xf32>, tensor<2x5xi64>, tensor<9x8xf32>) -> tensor<1x5x8xf32>
  return
}

// -----

// Each encoding's own.

func.func @alibi_heads(%s: tensor<1x?x5x6xf32>) {
  // expected-error @+1 {{expected a static number of heads}}
  %0 = posenc.alibi %s : (tensor<1x?x5x6xf32>) -> tensor<1x?x5x6xf32>
  return
}

// -----

func.func @alibi_no_heads(%s: tensor<1x0x5x6xf32>) {
  // expected-error @+1 {{expected 1 to 65536 heads, but found 0}}
  %0 = posenc.alibi %s : (tensor<1x0x5x6xf32>) -> tensor<1x0x5x6xf32>
  return
}

// -----

func.func @rope_wide(%x: tensor<1x2x5x4294967296xf32>) {
  // expected-error @+1 {{expected a width of 2 to 65536, but found 4294967296}}
  %0 = posenc.rope %x {pairing = #posenc.pairing<half>} : (tensor<1x2x5x4294967296xf32>) -> tensor<1x2x5x4294967296xf32>
  return
}

// -----

func.func @rope_base(%x: tensor<1x2x5x8xf32>) {
  // expected-error @+1 {{expected a positive base, but found}}
  %0 = posenc.rope %x {pairing = #posenc.pairing<half>, base = 0x7FF8000000000000 : f64} : (tensor<1x2x5x8xf32>) -> tensor<1x2x5x8xf32>
  return
}

// -----

func.func @learned_width(%x: tensor<1x5x8xf32>, %t: tensor<9x7xf32>) {
  // expected-error @+1 {{expected table rows of 8 channels, but found 7}}
  %0 = posenc.learned %x table(%t) : (tensor<1x5x8xf32>, tensor<9x7xf32>) -> tensor<1x5x8xf32>
  return
}

// -----

func.func @learned_fractions(%x: tensor<1x5x8xf32>, %t: tensor<9x8xf32>, %p: tensor<5xf32>) {
  // expected-error @+1 {{expected integer coordinates, but found 'tensor<5xf32>'}}
  %0 = posenc.learned %x at(%p) table(%t) : (tensor<1x5x8xf32>, tensor<5xf32>, tensor<9x8xf32>) -> tensor<1x5x8xf32>
  return
}

// -----

func.func @learned_offset(%x: tensor<1x5x8xf32>, %t: tensor<9x8xf32>) {
  // expected-error @+1 {{expected an offset of at least 0, but found -1}}
  %0 = posenc.learned %x table(%t) {offset = -1 : i64} : (tensor<1x5x8xf32>, tensor<9x8xf32>) -> tensor<1x5x8xf32>
  return
}

// -----

func.func @token_type_width(%x: tensor<1x5x8xf32>, %i: tensor<1x5xi64>, %t: tensor<9x7xf32>) {
  // expected-error @+1 {{expected table rows of 8 channels, but found 7}}
  %0 = posenc.token_type %x ids(%i) table(%t) : (tensor<1x5x8xf32>, tensor<1x5xi64>, tensor<9x7xf32>) -> tensor<1x5x8xf32>
  return
}

// -----

func.func @token_type_positions(%x: tensor<1x5x8xf32>, %p: tensor<5xi64>, %i: tensor<1x5xi64>, %t: tensor<9x8xf32>) {
  // expected-error @+1 {{expected no positions: the ids say which row is added}}
  %0 = posenc.token_type %x at(%p) ids(%i) table(%t) : (tensor<1x5x8xf32>, tensor<5xi64>, tensor<1x5xi64>, tensor<9x8xf32>) -> tensor<1x5x8xf32>
  return
}

// -----

func.func @window_size(%s: tensor<1x8x5x6xf32>) {
  // expected-error @+1 {{expected window sizes of at least 0, or -1 for no bound, but found -2}}
  %0 = posenc.window %s {left = -2 : i64} : (tensor<1x8x5x6xf32>) -> tensor<1x8x5x6xf32>
  return
}

// -----

func.func @rope_channels(%x: tensor<1x2x5x?xf32>) {
  // expected-error @+1 {{expected a static number of channels}}
  %0 = posenc.rope %x {pairing = #posenc.pairing<half>} : (tensor<1x2x5x?xf32>) -> tensor<1x2x5x?xf32>
  return
}

// -----

func.func @rope_pairing(%x: tensor<1x2x5x8xf32>) {
  // expected-error @+1 {{expected pairing half or interleaved, but found each}}
  %0 = posenc.rope %x {pairing = #posenc.pairing<each>} : (tensor<1x2x5x8xf32>) -> tensor<1x2x5x8xf32>
  return
}

// -----

func.func @rope_width(%x: tensor<1x2x5x8xf32>) {
  // expected-error @+1 {{expected an even number of rope channels, but found 3}}
  %0 = posenc.rope %x {pairing = #posenc.pairing<half>, width = 3 : i64} : (tensor<1x2x5x8xf32>) -> tensor<1x2x5x8xf32>
  return
}

// -----

func.func @rope_no_width(%x: tensor<1x2x5x8xf32>) {
  // expected-error @+1 {{expected a width of 2 to 65536, but found 0}}
  %0 = posenc.rope %x {pairing = #posenc.pairing<half>, width = 0 : i64} : (tensor<1x2x5x8xf32>) -> tensor<1x2x5x8xf32>
  return
}

// -----

func.func @sinusoidal_wide(%x: tensor<1x5x4294967296xf32>) {
  // expected-error @+1 {{expected 2 to 65536 channels, but found 4294967296}}
  %0 = posenc.sinusoidal %x {pairing = #posenc.pairing<half>} : (tensor<1x5x4294967296xf32>) -> tensor<1x5x4294967296xf32>
  return
}

// -----

func.func @rope_range(%x: tensor<1x2x5x8xf32>) {
  // expected-error @+1 {{expected rope channels within 8, but found [4, 10)}}
  %0 = posenc.rope %x {pairing = #posenc.pairing<half>, offset = 4 : i64, width = 6 : i64} : (tensor<1x2x5x8xf32>) -> tensor<1x2x5x8xf32>
  return
}

// -----

func.func @rope_negative(%x: tensor<1x2x5x8xf32>) {
  // expected-error @+1 {{expected non-negative rope channels}}
  %0 = posenc.rope %x {pairing = #posenc.pairing<half>, offset = -4 : i64, width = 8 : i64} : (tensor<1x2x5x8xf32>) -> tensor<1x2x5x8xf32>
  return
}

// -----

func.func @rope_base(%x: tensor<1x2x5x8xf32>) {
  // expected-error @+1 {{expected a positive base, but found 0}}
  %0 = posenc.rope %x {pairing = #posenc.pairing<half>, base = 0.0 : f64} : (tensor<1x2x5x8xf32>) -> tensor<1x2x5x8xf32>
  return
}

// -----

func.func @sinusoidal_dynamic(%x: tensor<1x5x?xf32>) {
  // expected-error @+1 {{expected a static number of channels}}
  %0 = posenc.sinusoidal %x {pairing = #posenc.pairing<half>} : (tensor<1x5x?xf32>) -> tensor<1x5x?xf32>
  return
}

// -----

func.func @sinusoidal_odd(%x: tensor<1x5x7xf32>) {
  // expected-error @+1 {{expected an even number of sinusoidal channels, but found 7}}
  %0 = posenc.sinusoidal %x {pairing = #posenc.pairing<half>} : (tensor<1x5x7xf32>) -> tensor<1x5x7xf32>
  return
}

// -----

func.func @sinusoidal_pairing(%x: tensor<1x5x8xf32>) {
  // expected-error @+1 {{expected pairing half or interleaved, but found each}}
  %0 = posenc.sinusoidal %x {pairing = #posenc.pairing<each>} : (tensor<1x5x8xf32>) -> tensor<1x5x8xf32>
  return
}

// -----

func.func @sinusoidal_shift(%x: tensor<1x5x8xf32>) {
  // expected-error @+1 {{expected shift 0 or 1, but found 2}}
  %0 = posenc.sinusoidal %x {pairing = #posenc.pairing<half>, shift = 2 : i64} : (tensor<1x5x8xf32>) -> tensor<1x5x8xf32>
  return
}

// -----

func.func @sinusoidal_narrow(%x: tensor<1x5x2xf32>) {
  // expected-error @+1 {{expected more than 2 channels, since shift is 1}}
  %0 = posenc.sinusoidal %x {pairing = #posenc.pairing<half>, shift = 1 : i64} : (tensor<1x5x2xf32>) -> tensor<1x5x2xf32>
  return
}

// -----

func.func @sinusoidal_base(%x: tensor<1x5x8xf32>) {
  // expected-error @+1 {{expected a positive base, but found -1}}
  %0 = posenc.sinusoidal %x {pairing = #posenc.pairing<half>, base = -1.0 : f64} : (tensor<1x5x8xf32>) -> tensor<1x5x8xf32>
  return
}

// -----

func.func @t5_dynamic(%s: tensor<1x8x5x6xf32>, %t: tensor<?x8xf32>) {
  // expected-error @+1 {{expected a static number of buckets}}
  %0 = posenc.t5_bucket %s table(%t) : (tensor<1x8x5x6xf32>, tensor<?x8xf32>) -> tensor<1x8x5x6xf32>
  return
}

// -----

func.func @t5_buckets(%s: tensor<1x8x5x6xf32>, %t: tensor<30x8xf32>) {
  // expected-error @+1 {{expected a multiple of 4 buckets, at most 512, but found 30}}
  %0 = posenc.t5_bucket %s table(%t) : (tensor<1x8x5x6xf32>, tensor<30x8xf32>) -> tensor<1x8x5x6xf32>
  return
}

// -----

func.func @t5_heads(%s: tensor<1x8x5x6xf32>, %t: tensor<32x7xf32>) {
  // expected-error @+1 {{expected a table for 8 heads, but found 7}}
  %0 = posenc.t5_bucket %s table(%t) : (tensor<1x8x5x6xf32>, tensor<32x7xf32>) -> tensor<1x8x5x6xf32>
  return
}

// -----

func.func @t5_distance(%s: tensor<1x8x5x6xf32>, %t: tensor<32x8xf32>) {
  // expected-error @+1 {{expected max_distance in (16, 65536], but found 16}}
  %0 = posenc.t5_bucket %s table(%t) {causal, max_distance = 16 : i64} : (tensor<1x8x5x6xf32>, tensor<32x8xf32>) -> tensor<1x8x5x6xf32>
  return
}

// -----

func.func @padding_keys(%s: tensor<2x4x?x7xf32>, %valid: tensor<2x6xi1>) -> tensor<2x4x?x7xf32> {
  // expected-error @below {{'posenc.padding' op expected validity of 2 samples and 7 keys, but found 'tensor<2x6xi1>'}}
  %r = posenc.padding %s valid(%valid) : (tensor<2x4x?x7xf32>, tensor<2x6xi1>) -> tensor<2x4x?x7xf32>
  return %r : tensor<2x4x?x7xf32>
}

// -----

func.func @token_type_ids(%x: tensor<2x7x8xf32>, %ids: tensor<2x6xi64>, %t: tensor<2x8xf32>) -> tensor<2x7x8xf32> {
  // expected-error @below {{'posenc.token_type' op expected an id for every token of 'tensor<2x7x8xf32>', but found 'tensor<2x6xi64>'}}
  %r = posenc.token_type %x ids(%ids) table(%t) : (tensor<2x7x8xf32>, tensor<2x6xi64>, tensor<2x8xf32>) -> tensor<2x7x8xf32>
  return %r : tensor<2x7x8xf32>
}
