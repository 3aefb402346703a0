// RUN: pe-opt %s -split-input-file -verify-diagnostics

func.func @dynamic_block(%k: tensor<1x2x3x64xf32>, %cache: tensor<1x2x?x64x?x1xf32>, %past: index) {
  // expected-error @+1 {{expected blocks and chunks of a known size, but found 'tensor<1x2x?x64x?x1xf32>'}}
  %0 = posenc.append %k into %cache at %past : tensor<1x2x3x64xf32> into tensor<1x2x?x64x?x1xf32>
  return
}

// -----

func.func @batch(%k: tensor<2x2x3x64xf32>, %cache: tensor<1x2x?x64x32x1xf32>, %past: index) {
  // expected-error @+1 {{expected equal batch sizes, but found 2 and 1}}
  %0 = posenc.append %k into %cache at %past : tensor<2x2x3x64xf32> into tensor<1x2x?x64x32x1xf32>
  return
}

// -----

func.func @positions(%k: tensor<3x2x1x64xf32>, %cache: tensor<3x2x?x64x32x1xf32>, %past: tensor<2xi64>) {
  // expected-error @+1 {{expected a position for each of 3 samples, but found 2}}
  %0 = posenc.append %k into %cache at %past : tensor<3x2x1x64xf32> into tensor<3x2x?x64x32x1xf32> at tensor<2xi64>
  return
}

// -----

func.func @heads(%k: tensor<1x3x2x64xf32>, %cache: tensor<1x2x?x64x32x1xf32>, %past: index) {
  // expected-error @+1 {{expected as many heads of rows as of the cache, but found 3 and 2}}
  %0 = posenc.append %k into %cache at %past : tensor<1x3x2x64xf32> into tensor<1x2x?x64x32x1xf32>
  return
}

// -----

func.func @heads_of_layout(%k: tensor<1x3x2x64xf32>, %cache: tensor<1x3x?x64x32x1xf32>, %past: index) {
  // expected-error @+1 {{expected as many heads of rows as of the cache, but found 2 and 3}}
  %0 = posenc.append %k into %cache at %past {layout = #posenc.layout<bshd>} : tensor<1x3x2x64xf32> into tensor<1x3x?x64x32x1xf32>
  return
}

// -----

func.func @width(%cache: tensor<1x2x?x4x32x16xf32>, %n: index) {
  // expected-error @+1 {{expected rows of the cache's width 64, but found 48}}
  %0 = posenc.rows %n of %cache : tensor<1x2x?x4x32x16xf32> -> tensor<1x2x?x48xf32>
  return
}

// -----

func.func @element(%cache: tensor<1x2x?x4x32x16xbf16>, %n: index) {
  // expected-error @+1 {{expected the cache's element type, but found 'f32'}}
  %0 = posenc.rows %n of %cache : tensor<1x2x?x4x32x16xbf16> -> tensor<1x2x?x64xf32>
  return
}

// -----

func.func @rank(%q: tensor<1x4x1x64xf32>, %k: tensor<1x2x9x64xf32>, %v: tensor<1x2x?x4x32x16xf32>, %n: index) {
  // expected-error @+1 {{expected caches of rank 6, but found rank 4}}
  %0 = posenc.attention ins(%q, %k, %v : tensor<1x4x1x64xf32>, tensor<1x2x9x64xf32>, tensor<1x2x?x4x32x16xf32>) count(%n)
    outs(%q : tensor<1x4x1x64xf32>) {scale = 0.1 : f32} -> tensor<1x4x1x64xf32>
  return
}

// -----

func.func @count(%q: tensor<1x4x1x64xf32>, %k: tensor<1x2x?x64x32x1xf32>, %v: tensor<1x2x?x4x32x16xf32>) {
  // expected-error @+1 {{expected operands of rank 4, but found rank 6}}
  %0 = posenc.attention ins(%q, %k, %v : tensor<1x4x1x64xf32>, tensor<1x2x?x64x32x1xf32>, tensor<1x2x?x4x32x16xf32>)
    outs(%q : tensor<1x4x1x64xf32>) {scale = 0.1 : f32} -> tensor<1x4x1x64xf32>
  return
}

// -----

func.func @widths(%q: tensor<1x4x1x64xf32>, %k: tensor<1x2x?x48x32x1xf32>, %v: tensor<1x2x?x4x32x16xf32>, %n: index) {
  // expected-error @+1 {{expected queries and keys of one width, but found 64 and 48}}
  %0 = posenc.attention ins(%q, %k, %v : tensor<1x4x1x64xf32>, tensor<1x2x?x48x32x1xf32>, tensor<1x2x?x4x32x16xf32>) count(%n)
    outs(%q : tensor<1x4x1x64xf32>) {scale = 0.1 : f32} -> tensor<1x4x1x64xf32>
  return
}

// -----

func.func @tile(%q: tensor<1x4x1x64xf32>, %k: tensor<1x2x?x64x?x1xf32>, %v: tensor<1x2x?x4x32x16xf32>, %n: index) {
  // expected-error @+1 {{expected blocks and chunks of a known size, but found 'tensor<1x2x?x64x?x1xf32>'}}
  %0 = posenc.attention ins(%q, %k, %v : tensor<1x4x1x64xf32>, tensor<1x2x?x64x?x1xf32>, tensor<1x2x?x4x32x16xf32>) count(%n)
    outs(%q : tensor<1x4x1x64xf32>) {scale = 0.1 : f32} -> tensor<1x4x1x64xf32>
  return
}

// -----

func.func @map(%q: tensor<1x4x1x64xf32>, %k: tensor<1x2x?x64x32x1xf32>, %v: tensor<1x2x?x4x32x16xf32>, %n: index) {
  // expected-error @+1 {{expected no map of keys or values in a cache}}
  %0 = posenc.attention ins(%q, %k, %v : tensor<1x4x1x64xf32>, tensor<1x2x?x64x32x1xf32>, tensor<1x2x?x4x32x16xf32>) count(%n)
    outs(%q : tensor<1x4x1x64xf32>)
    key {
    ^bb0(%x: f32, %b: index, %h: index, %j: index, %c: index):
      posenc.yield %x : f32
    }
    {scale = 0.1 : f32, key_channels = #posenc.channels<each, offset = 0, width = 64>} -> tensor<1x4x1x64xf32>
  return
}
