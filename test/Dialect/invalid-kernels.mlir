// RUN: pe-opt %s -split-input-file -verify-diagnostics

func.func @map_rank(%x: tensor<5x8xf32>, %o0: tensor<5x8xf32>) {
  // expected-error @+1 {{expected tokens of rank 3 or heads of rank 4, but found rank 2}}
  %0 = posenc.map ins(%x : tensor<5x8xf32>) outs(%o0 : tensor<5x8xf32>) {
  ^bb0(%a: f32, %b: index, %h: index, %i: index, %c: index):
    posenc.yield %a : f32
  } {channels = #posenc.channels<each, offset = 0, width = 0>} -> tensor<5x8xf32>
  return
}

// -----

func.func @map_destinations(%x: tensor<1x5x8xf32>, %o0: tensor<1x5x8xf32>, %o1: tensor<1x5x8xf32>) {
  // expected-error @+1 {{expected 1 destination, but found 2}}
  %0:2 = posenc.map ins(%x : tensor<1x5x8xf32>) outs(%o0, %o1 : tensor<1x5x8xf32>, tensor<1x5x8xf32>) {
  ^bb0(%a: f32, %b: index, %h: index, %i: index, %c: index):
    posenc.yield %a : f32
  } {channels = #posenc.channels<each, offset = 0, width = 0>} -> tensor<1x5x8xf32>, tensor<1x5x8xf32>
  return
}

// -----

func.func @map_element(%x: tensor<1x5x8xi32>, %o0: tensor<1x5x8xi32>) {
  // expected-error @+1 {{expected elements of f32, f16 or bf16, but found 'i32'}}
  %0 = posenc.map ins(%x : tensor<1x5x8xi32>) outs(%o0 : tensor<1x5x8xi32>) {
  ^bb0(%a: f32, %b: index, %h: index, %i: index, %c: index):
    posenc.yield %a : f32
  } {channels = #posenc.channels<each, offset = 0, width = 0>} -> tensor<1x5x8xi32>
  return
}

// -----

func.func @map_shape(%x: tensor<1x5x8xf32>, %o0: tensor<1x5x9xf32>) {
  // expected-error @+1 {{expected operands of one shape, but found}}
  %0 = posenc.map ins(%x : tensor<1x5x8xf32>) outs(%o0 : tensor<1x5x9xf32>) {
  ^bb0(%a: f32, %b: index, %h: index, %i: index, %c: index):
    posenc.yield %a : f32
  } {channels = #posenc.channels<each, offset = 0, width = 0>} -> tensor<1x5x9xf32>
  return
}

// -----

func.func @map_offsets(%x: tensor<1x5x8xf32>, %o0: tensor<1x5x8xf32>, %n: index) {
  // expected-error @+1 {{expected 3 offsets, but found 1}}
  %0 = posenc.map ins(%x : tensor<1x5x8xf32>) outs(%o0 : tensor<1x5x8xf32>) at(%n) {
  ^bb0(%a: f32, %b: index, %h: index, %i: index, %c: index):
    posenc.yield %a : f32
  } {channels = #posenc.channels<each, offset = 0, width = 0>} -> tensor<1x5x8xf32>
  return
}

// -----

func.func @map_channels(%x: tensor<1x5x8xf32>, %o0: tensor<1x5x8xf32>) {
  // expected-error @+1 {{expected map channels within 8, but found [0, 9)}}
  %0 = posenc.map ins(%x : tensor<1x5x8xf32>) outs(%o0 : tensor<1x5x8xf32>) {
  ^bb0(%a: f32, %b: index, %h: index, %i: index, %c: index):
    posenc.yield %a : f32
  } {channels = #posenc.channels<each, offset = 0, width = 9>} -> tensor<1x5x8xf32>
  return
}

// -----

func.func @map_arguments(%x: tensor<1x5x8xf32>, %o0: tensor<1x5x8xf32>) {
  // expected-error @+1 {{expected map region arguments ('f32', 'index', 'index', 'index', 'index', 'f32'), but found}}
  %0 = posenc.map ins(%x : tensor<1x5x8xf32>) with(%x : tensor<1x5x8xf32>) outs(%o0 : tensor<1x5x8xf32>) {
  ^bb0(%a: f32, %b: index, %h: index, %i: index, %c: index):
    posenc.yield %a : f32
  } {channels = #posenc.channels<each, offset = 0, width = 0>} -> tensor<1x5x8xf32>
  return
}

// -----

func.func @linear_destinations(%x: tensor<1x5x8xf32>, %w: tensor<32x8xf32>, %y0: tensor<1x5x32xf32>, %y1: tensor<1x5x32xf32>) {
  // expected-error @+1 {{expected 1 destination, but found 2}}
  %0:2 = posenc.linear ins(%x, %w : tensor<1x5x8xf32>, tensor<32x8xf32>) outs(%y0, %y1 : tensor<1x5x32xf32>, tensor<1x5x32xf32>) -> tensor<1x5x32xf32>, tensor<1x5x32xf32>
  return
}

// -----

func.func @linear_element(%x: tensor<1x5x8xf32>, %w: tensor<32x8xf64>, %y0: tensor<1x5x32xf32>) {
  // expected-error @+1 {{expected elements of f32, f16 or bf16, but found 'f64'}}
  %0 = posenc.linear ins(%x, %w : tensor<1x5x8xf32>, tensor<32x8xf64>) outs(%y0 : tensor<1x5x32xf32>) -> tensor<1x5x32xf32>
  return
}

// -----

func.func @linear_weight_rank(%x: tensor<1x5x8xf32>, %w: tensor<8xf32>, %y0: tensor<1x5x32xf32>) {
  // expected-error @+1 {{expected a weight of rank 2, or packed of rank 3 or 4, but found rank 1}}
  %0 = posenc.linear ins(%x, %w : tensor<1x5x8xf32>, tensor<8xf32>) outs(%y0 : tensor<1x5x32xf32>) -> tensor<1x5x32xf32>
  return
}

// -----

func.func @linear_rank(%x: tensor<5x8xf32>, %w: tensor<32x8xf32>, %y0: tensor<1x5x32xf32>) {
  // expected-error @+1 {{expected input and destination of one rank, but found 2 and 3}}
  %0 = posenc.linear ins(%x, %w : tensor<5x8xf32>, tensor<32x8xf32>) outs(%y0 : tensor<1x5x32xf32>) -> tensor<1x5x32xf32>
  return
}

// -----

func.func @linear_width(%x: tensor<1x5x7xf32>, %w: tensor<32x8xf32>, %y0: tensor<1x5x32xf32>) {
  // expected-error @+1 {{expected inputs of width 8, but found 7}}
  %0 = posenc.linear ins(%x, %w : tensor<1x5x7xf32>, tensor<32x8xf32>) outs(%y0 : tensor<1x5x32xf32>) -> tensor<1x5x32xf32>
  return
}

// -----

func.func @linear_outputs(%x: tensor<1x5x8xf32>, %w: tensor<31x8xf32>, %y0: tensor<1x5x32xf32>) {
  // expected-error @+1 {{expected a weight for 32 outputs, but found}}
  %0 = posenc.linear ins(%x, %w : tensor<1x5x8xf32>, tensor<31x8xf32>) outs(%y0 : tensor<1x5x32xf32>) -> tensor<1x5x32xf32>
  return
}

// -----

func.func @linear_packed(%x: tensor<1x5x8xf32>, %w: tensor<2x8x8xf32>, %y0: tensor<1x5x32xf32>) {
  // expected-error @+1 {{expected a weight for 32 outputs, but found}}
  %0 = posenc.linear ins(%x, %w : tensor<1x5x8xf32>, tensor<2x8x8xf32>) outs(%y0 : tensor<1x5x32xf32>) -> tensor<1x5x32xf32>
  return
}

// -----

func.func @linear_pairs(%x: tensor<1x5x8xf32>, %w: tensor<1x4x32x3xbf16>, %y0: tensor<1x5x32xf32>) {
  // expected-error @+1 {{expected pairs of inputs innermost, but found}}
  %0 = posenc.linear ins(%x, %w : tensor<1x5x8xf32>, tensor<1x4x32x3xbf16>) outs(%y0 : tensor<1x5x32xf32>) -> tensor<1x5x32xf32>
  return
}

// -----

func.func @linear_pairs_width(%x: tensor<1x5x8xf32>, %w: tensor<1x8x32x2xbf16>, %y0: tensor<1x5x32xf32>) {
  // expected-error @+1 {{expected inputs of width 16, but found 8}}
  %0 = posenc.linear ins(%x, %w : tensor<1x5x8xf32>, tensor<1x8x32x2xbf16>) outs(%y0 : tensor<1x5x32xf32>) -> tensor<1x5x32xf32>
  return
}

// -----

func.func @linear_rows(%x: tensor<1x5x8xf32>, %w: tensor<32x8xf32>, %y0: tensor<1x6x32xf32>) {
  // expected-error @+1 {{expected destination rows as in}}
  %0 = posenc.linear ins(%x, %w : tensor<1x5x8xf32>, tensor<32x8xf32>) outs(%y0 : tensor<1x6x32xf32>) -> tensor<1x6x32xf32>
  return
}

// -----

func.func @linear_extra(%x: tensor<1x5x8xf32>, %w: tensor<32x8xf32>, %e: tensor<31xf32>, %y0: tensor<1x5x32xf32>) {
  // expected-error @+1 {{expected an extra of shape [32] or that of the result, but found}}
  %0 = posenc.linear ins(%x, %w : tensor<1x5x8xf32>, tensor<32x8xf32>) with(%e : tensor<31xf32>) outs(%y0 : tensor<1x5x32xf32>) -> tensor<1x5x32xf32>
  return
}

// -----

func.func @linear_epilogue(%x: tensor<1x5x8xf32>, %w: tensor<32x8xf32>, %e: tensor<32xf32>, %y0: tensor<1x5x32xf32>) {
  // expected-error @+1 {{expected epilogue region arguments ('f32', 'f32'), but found ('f32')}}
  %0 = posenc.linear ins(%x, %w : tensor<1x5x8xf32>, tensor<32x8xf32>) with(%e : tensor<32xf32>) outs(%y0 : tensor<1x5x32xf32>) epilogue {
  ^bb0(%a: f32):
    posenc.yield %a : f32
  } -> tensor<1x5x32xf32>
  return
}

// -----

func.func @norm_destinations(%x: tensor<1x5x8xf32>, %g: tensor<8xf32>, %y0: tensor<1x5x8xf32>, %y1: tensor<1x5x8xf32>) {
  // expected-error @+1 {{expected 1 destination, but found 2}}
  %0:2 = posenc.layer_norm ins(%x, %g, %g : tensor<1x5x8xf32>, tensor<8xf32>, tensor<8xf32>) outs(%y0, %y1 : tensor<1x5x8xf32>, tensor<1x5x8xf32>) {eps = 1.0e-6 : f32} -> tensor<1x5x8xf32>, tensor<1x5x8xf32>
  return
}

// -----

func.func @norm_rank(%x: tensor<f32>, %g: tensor<8xf32>, %y0: tensor<f32>) {
  // expected-error @+1 {{expected an input of rank 1 at least, but found rank 0}}
  %0 = posenc.layer_norm ins(%x, %g, %g : tensor<f32>, tensor<8xf32>, tensor<8xf32>) outs(%y0 : tensor<f32>) {eps = 1.0e-6 : f32} -> tensor<f32>
  return
}

// -----

func.func @norm_element(%x: tensor<1x5x8xf32>, %g: tensor<8xf64>, %y0: tensor<1x5x8xf32>) {
  // expected-error @+1 {{expected elements of f32, f16 or bf16, but found 'f64'}}
  %0 = posenc.layer_norm ins(%x, %g, %g : tensor<1x5x8xf32>, tensor<8xf64>, tensor<8xf64>) outs(%y0 : tensor<1x5x8xf32>) {eps = 1.0e-6 : f32} -> tensor<1x5x8xf32>
  return
}

// -----

func.func @norm_shape(%x: tensor<1x5x8xf32>, %g: tensor<8xf32>, %y0: tensor<1x5x9xf32>) {
  // expected-error @+1 {{expected a destination of shape}}
  %0 = posenc.layer_norm ins(%x, %g, %g : tensor<1x5x8xf32>, tensor<8xf32>, tensor<8xf32>) outs(%y0 : tensor<1x5x9xf32>) {eps = 1.0e-6 : f32} -> tensor<1x5x9xf32>
  return
}

// -----

func.func @norm_gamma(%x: tensor<1x5x8xf32>, %g: tensor<7xf32>, %y0: tensor<1x5x8xf32>) {
  // expected-error @+1 {{expected gamma and beta of shape [8], but found}}
  %0 = posenc.layer_norm ins(%x, %g, %g : tensor<1x5x8xf32>, tensor<7xf32>, tensor<7xf32>) outs(%y0 : tensor<1x5x8xf32>) {eps = 1.0e-6 : f32} -> tensor<1x5x8xf32>
  return
}

// -----

func.func @linear_heads_width(%x: memref<5x8xf32>, %w: memref<32x8xf32>, %y: memref<5x2x24xf32>) {
  // expected-error @+1 {{expected a weight for 48 outputs, but found 'memref<32x8xf32>'}}
  posenc.linear ins(%x, %w : memref<5x8xf32>, memref<32x8xf32>) outs(%y : memref<5x2x24xf32>)
  return
}

// -----

func.func @linear_heads_unknown(%x: memref<5x8xf32>, %w: memref<32x8xf32>, %y: memref<5x?x16xf32>) {
  // expected-error @+1 {{expected a known number of heads of a known width, but found 'memref<5x?x16xf32>'}}
  posenc.linear ins(%x, %w : memref<5x8xf32>, memref<32x8xf32>) outs(%y : memref<5x?x16xf32>)
  return
}

// -----

func.func @linear_heads_extra(%x: memref<5x8xf32>, %w: memref<32x8xf32>, %r: memref<5x2x16xf32>, %y: memref<5x2x16xf32>) {
  // expected-error @+1 {{expected an extra of shape [32] or that of the result, but found 'memref<5x2x16xf32>'}}
  posenc.linear ins(%x, %w : memref<5x8xf32>, memref<32x8xf32>) with(%r : memref<5x2x16xf32>) outs(%y : memref<5x2x16xf32>)
  return
}

// -----

func.func @linear_sums(%x: memref<?x64xf32>, %w: memref<3x64x32xf32>, %s: memref<4x1x64x32xf32>, %y: memref<?x96xf32>) {
  // expected-error @+1 {{expected sums as in 'tensor<4x1x32x32xf32>', but found 'memref<4x1x64x32xf32>'}}
  posenc.linear ins(%x, %w : memref<?x64xf32>, memref<3x64x32xf32>) sums(%s : memref<4x1x64x32xf32>) outs(%y : memref<?x96xf32>)
  return
}

// -----

func.func @linear_sums_unpacked(%x: memref<?x64xf32>, %w: memref<96x64xf32>, %s: memref<4x1x32x32xf32>, %y: memref<?x96xf32>) {
  // expected-error @+1 {{expected sums beside panels of a known, even number of inputs, but found 'memref<96x64xf32>'}}
  posenc.linear ins(%x, %w : memref<?x64xf32>, memref<96x64xf32>) sums(%s : memref<4x1x32x32xf32>) outs(%y : memref<?x96xf32>)
  return
}
