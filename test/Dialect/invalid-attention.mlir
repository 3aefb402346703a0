// RUN: pe-opt %s -split-input-file -verify-diagnostics -allow-unregistered-dialect

func.func @rank(%q: tensor<1x5x8xf32>, %k: tensor<1x2x6x8xf32>, %v: tensor<1x2x6x8xf32>, %o0: tensor<1x4x5x8xf32>) {
  // expected-error @+1 {{expected operands of rank 4, but found rank 3}}
  %0 = posenc.attention ins(%q, %k, %v : tensor<1x5x8xf32>, tensor<1x2x6x8xf32>, tensor<1x2x6x8xf32>) outs(%o0 : tensor<1x4x5x8xf32>)
    {scale = 1.0 : f32} -> tensor<1x4x5x8xf32>
  return
}

// -----

func.func @element(%q: tensor<1x4x5x8xf64>, %k: tensor<1x2x6x8xf32>, %v: tensor<1x2x6x8xf32>, %o0: tensor<1x4x5x8xf32>) {
  // expected-error @+1 {{expected elements of f32, f16 or bf16, but found 'f64'}}
  %0 = posenc.attention ins(%q, %k, %v : tensor<1x4x5x8xf64>, tensor<1x2x6x8xf32>, tensor<1x2x6x8xf32>) outs(%o0 : tensor<1x4x5x8xf32>)
    {scale = 1.0 : f32} -> tensor<1x4x5x8xf32>
  return
}

// -----

func.func @destinations(%q: tensor<1x4x5x8xf32>, %k: tensor<1x2x6x8xf32>, %v: tensor<1x2x6x8xf32>, %o0: tensor<1x4x5x8xf32>, %o1: tensor<1x4x5xf32>, %o2: tensor<1x4x5x8xf32>) {
  // expected-error @+1 {{expected 1 or 2 destinations, but found 3}}
  %0:3 = posenc.attention ins(%q, %k, %v : tensor<1x4x5x8xf32>, tensor<1x2x6x8xf32>, tensor<1x2x6x8xf32>) outs(%o0, %o1, %o2 : tensor<1x4x5x8xf32>, tensor<1x4x5xf32>, tensor<1x4x5x8xf32>)
    {scale = 1.0 : f32} -> tensor<1x4x5x8xf32>, tensor<1x4x5xf32>, tensor<1x4x5x8xf32>
  return
}

// -----

func.func @result(%q: tensor<1x4x5x8xf32>, %k: tensor<1x2x6x8xf32>, %v: tensor<1x2x6x8xf32>, %o0: tensor<1x4x5x8xf32>) {
  // expected-error @+1 {{expected a result of type}}
  %0 = posenc.attention ins(%q, %k, %v : tensor<1x4x5x8xf32>, tensor<1x2x6x8xf32>, tensor<1x2x6x8xf32>) outs(%o0 : tensor<1x4x5x8xf32>)
    {scale = 1.0 : f32} -> tensor<1x4x5x8xbf16>
  return
}

// -----

func.func @results(%q: tensor<1x4x5x8xf32>, %k: tensor<1x2x6x8xf32>, %v: tensor<1x2x6x8xf32>, %o0: tensor<1x4x5x8xf32>) {
  // expected-error @+1 {{expected 1 results, but found 0}}
  posenc.attention ins(%q, %k, %v : tensor<1x4x5x8xf32>, tensor<1x2x6x8xf32>, tensor<1x2x6x8xf32>) outs(%o0 : tensor<1x4x5x8xf32>)
    {scale = 1.0 : f32}
  return
}

// -----

func.func @offsets(%q: tensor<1x4x5x8xf32>, %k: tensor<1x2x6x8xf32>, %v: tensor<1x2x6x8xf32>, %o0: tensor<1x4x5x8xf32>, %n: index) {
  // expected-error @+1 {{expected 4 offsets, but found 1}}
  %0 = posenc.attention ins(%q, %k, %v : tensor<1x4x5x8xf32>, tensor<1x2x6x8xf32>, tensor<1x2x6x8xf32>) outs(%o0 : tensor<1x4x5x8xf32>) at(%n)
    {scale = 1.0 : f32} -> tensor<1x4x5x8xf32>
  return
}

// -----

func.func @batch(%q: tensor<1x4x5x8xf32>, %k: tensor<2x2x6x8xf32>, %v: tensor<1x2x6x8xf32>, %o0: tensor<1x4x5x8xf32>) {
  // expected-error @+1 {{expected equal batch sizes, but found 1, 2 and 1}}
  %0 = posenc.attention ins(%q, %k, %v : tensor<1x4x5x8xf32>, tensor<2x2x6x8xf32>, tensor<1x2x6x8xf32>) outs(%o0 : tensor<1x4x5x8xf32>)
    {scale = 1.0 : f32} -> tensor<1x4x5x8xf32>
  return
}

// -----

func.func @value_heads(%q: tensor<1x4x5x8xf32>, %k: tensor<1x2x6x8xf32>, %v: tensor<1x4x6x8xf32>, %o0: tensor<1x4x5x8xf32>) {
  // expected-error @+1 {{expected as many key as value heads, but found 2 and 4}}
  %0 = posenc.attention ins(%q, %k, %v : tensor<1x4x5x8xf32>, tensor<1x2x6x8xf32>, tensor<1x4x6x8xf32>) outs(%o0 : tensor<1x4x5x8xf32>)
    {scale = 1.0 : f32} -> tensor<1x4x5x8xf32>
  return
}

// -----

func.func @heads(%q: tensor<1x4x5x8xf32>, %k: tensor<1x3x6x8xf32>, %v: tensor<1x3x6x8xf32>, %o0: tensor<1x4x5x8xf32>) {
  // expected-error @+1 {{expected query heads to be a multiple of key heads, but found 4 and 3}}
  %0 = posenc.attention ins(%q, %k, %v : tensor<1x4x5x8xf32>, tensor<1x3x6x8xf32>, tensor<1x3x6x8xf32>) outs(%o0 : tensor<1x4x5x8xf32>)
    {scale = 1.0 : f32} -> tensor<1x4x5x8xf32>
  return
}

// -----

func.func @width(%q: tensor<1x4x5x8xf32>, %k: tensor<1x2x6x7xf32>, %v: tensor<1x2x6x8xf32>, %o0: tensor<1x4x5x8xf32>) {
  // expected-error @+1 {{expected queries and keys of one width, but found 8 and 7}}
  %0 = posenc.attention ins(%q, %k, %v : tensor<1x4x5x8xf32>, tensor<1x2x6x7xf32>, tensor<1x2x6x8xf32>) outs(%o0 : tensor<1x4x5x8xf32>)
    {scale = 1.0 : f32} -> tensor<1x4x5x8xf32>
  return
}

// -----

func.func @values(%q: tensor<1x4x5x8xf32>, %k: tensor<1x2x6x8xf32>, %v: tensor<1x2x7x8xf32>, %o0: tensor<1x4x5x8xf32>) {
  // expected-error @+1 {{expected as many keys as values, but found 6 and 7}}
  %0 = posenc.attention ins(%q, %k, %v : tensor<1x4x5x8xf32>, tensor<1x2x6x8xf32>, tensor<1x2x7x8xf32>) outs(%o0 : tensor<1x4x5x8xf32>)
    {scale = 1.0 : f32} -> tensor<1x4x5x8xf32>
  return
}

// -----

func.func @destination(%q: tensor<1x4x5x8xf32>, %k: tensor<1x2x6x8xf32>, %v: tensor<1x2x6x8xf32>, %o0: tensor<1x4x6x8xf32>) {
  // expected-error @+1 {{expected a destination for every query head and row, but found}}
  %0 = posenc.attention ins(%q, %k, %v : tensor<1x4x5x8xf32>, tensor<1x2x6x8xf32>, tensor<1x2x6x8xf32>) outs(%o0 : tensor<1x4x6x8xf32>)
    {scale = 1.0 : f32} -> tensor<1x4x6x8xf32>
  return
}

// -----

func.func @lse(%q: tensor<1x4x5x8xf32>, %k: tensor<1x2x6x8xf32>, %v: tensor<1x2x6x8xf32>, %o0: tensor<1x4x5x8xf32>, %o1: tensor<1x5x4xf32>) {
  // expected-error @+1 {{expected f32 log-sum-exp of shape [batch, head, row], but found}}
  %0:2 = posenc.attention ins(%q, %k, %v : tensor<1x4x5x8xf32>, tensor<1x2x6x8xf32>, tensor<1x2x6x8xf32>) outs(%o0, %o1 : tensor<1x4x5x8xf32>, tensor<1x5x4xf32>)
    {scale = 1.0 : f32} -> tensor<1x4x5x8xf32>, tensor<1x5x4xf32>
  return
}

// -----

func.func @channels_alone(%q: tensor<1x4x5x8xf32>, %k: tensor<1x2x6x8xf32>, %v: tensor<1x2x6x8xf32>, %o0: tensor<1x4x5x8xf32>) {
  // expected-error @+1 {{expected a query region together with query_channels}}
  %0 = posenc.attention ins(%q, %k, %v : tensor<1x4x5x8xf32>, tensor<1x2x6x8xf32>, tensor<1x2x6x8xf32>) outs(%o0 : tensor<1x4x5x8xf32>)
    {scale = 1.0 : f32, query_channels = #posenc.channels<each, offset = 0, width = 0>} -> tensor<1x4x5x8xf32>
  return
}

// -----

func.func @channels_negative(%q: tensor<1x4x5x8xf32>, %k: tensor<1x2x6x8xf32>, %v: tensor<1x2x6x8xf32>, %o0: tensor<1x4x5x8xf32>) {
  // expected-error @+1 {{expected non-negative key channels}}
  %0 = posenc.attention ins(%q, %k, %v : tensor<1x4x5x8xf32>, tensor<1x2x6x8xf32>, tensor<1x2x6x8xf32>) outs(%o0 : tensor<1x4x5x8xf32>)
    key {
    ^bb0(%x: f32, %b: index, %h: index, %j: index, %c: index):
      posenc.yield %x : f32
    }
    {scale = 1.0 : f32, key_channels = #posenc.channels<each, offset = -1, width = 0>} -> tensor<1x4x5x8xf32>
  return
}

// -----

func.func @channels_range(%q: tensor<1x4x5x8xf32>, %k: tensor<1x2x6x8xf32>, %v: tensor<1x2x6x8xf32>, %o0: tensor<1x4x5x8xf32>) {
  // expected-error @+1 {{expected key channels within 8, but found [4, 10)}}
  %0 = posenc.attention ins(%q, %k, %v : tensor<1x4x5x8xf32>, tensor<1x2x6x8xf32>, tensor<1x2x6x8xf32>) outs(%o0 : tensor<1x4x5x8xf32>)
    key {
    ^bb0(%x: f32, %b: index, %h: index, %j: index, %c: index):
      posenc.yield %x : f32
    }
    {scale = 1.0 : f32, key_channels = #posenc.channels<each, offset = 4, width = 6>} -> tensor<1x4x5x8xf32>
  return
}

// -----

func.func @channels_odd(%q: tensor<1x4x5x8xf32>, %k: tensor<1x2x6x8xf32>, %v: tensor<1x2x6x8xf32>, %o0: tensor<1x4x5x8xf32>) {
  // expected-error @+1 {{expected an even number of key channels, but found 3}}
  %0 = posenc.attention ins(%q, %k, %v : tensor<1x4x5x8xf32>, tensor<1x2x6x8xf32>, tensor<1x2x6x8xf32>) outs(%o0 : tensor<1x4x5x8xf32>)
    key {
    ^bb0(%x: f32, %b: index, %h: index, %j: index, %c: index):
      posenc.yield %x : f32
    }
    {scale = 1.0 : f32, key_channels = #posenc.channels<half, offset = 0, width = 3>} -> tensor<1x4x5x8xf32>
  return
}

// -----

func.func @arguments(%q: tensor<1x4x5x8xf32>, %k: tensor<1x2x6x8xf32>, %v: tensor<1x2x6x8xf32>, %o0: tensor<1x4x5x8xf32>) {
  // expected-error @+1 {{expected score region arguments ('f32', 'index', 'index', 'index', 'index'), but found ('f32')}}
  %0 = posenc.attention ins(%q, %k, %v : tensor<1x4x5x8xf32>, tensor<1x2x6x8xf32>, tensor<1x2x6x8xf32>) outs(%o0 : tensor<1x4x5x8xf32>)
    score {
    ^bb0(%s: f32):
      posenc.yield %s : f32
    }
    {scale = 1.0 : f32} -> tensor<1x4x5x8xf32>
  return
}

// -----

func.func @blocks(%q: tensor<1x4x5x8xf32>, %k: tensor<1x2x6x8xf32>, %v: tensor<1x2x6x8xf32>, %o0: tensor<1x4x5x8xf32>) {
  // expected-error @+1 {{expected one block in the score region}}
  %0 = posenc.attention ins(%q, %k, %v : tensor<1x4x5x8xf32>, tensor<1x2x6x8xf32>, tensor<1x2x6x8xf32>) outs(%o0 : tensor<1x4x5x8xf32>)
    score {
    ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
      cf.br ^bb1
    ^bb1:
      posenc.yield %s : f32
    }
    {scale = 1.0 : f32} -> tensor<1x4x5x8xf32>
  return
}

// -----

func.func @terminator(%q: tensor<1x4x5x8xf32>, %k: tensor<1x2x6x8xf32>, %v: tensor<1x2x6x8xf32>, %o0: tensor<1x4x5x8xf32>) {
  // expected-error @+1 {{expected the mask region to end with posenc.yield}}
  %0 = posenc.attention ins(%q, %k, %v : tensor<1x4x5x8xf32>, tensor<1x2x6x8xf32>, tensor<1x2x6x8xf32>) outs(%o0 : tensor<1x4x5x8xf32>)
    mask {
    ^bb0(%b: index, %h: index, %i: index, %j: index):
      "test.end"() : () -> ()
    }
    {scale = 1.0 : f32} -> tensor<1x4x5x8xf32>
  return
}

// -----

func.func @yielded(%q: tensor<1x4x5x8xf32>, %k: tensor<1x2x6x8xf32>, %v: tensor<1x2x6x8xf32>, %o0: tensor<1x4x5x8xf32>) {
  %0 = posenc.attention ins(%q, %k, %v : tensor<1x4x5x8xf32>, tensor<1x2x6x8xf32>, tensor<1x2x6x8xf32>) outs(%o0 : tensor<1x4x5x8xf32>)
    mask {
    ^bb0(%b: index, %h: index, %i: index, %j: index):
      // expected-error @+1 {{expected to yield ('i1') from the mask region, but found ('index')}}
      posenc.yield %j : index
    }
    {scale = 1.0 : f32} -> tensor<1x4x5x8xf32>
  return
}

// -----

func.func @exact(%q: tensor<1x4x5x8xf32>, %k: tensor<1x2x6x8xf32>, %v: tensor<1x2x6x8xf32>, %o0: tensor<1x4x5x8xf32>) {
  // expected-error @+1 {{expected a live region, since exact_live is given}}
  %0 = posenc.attention ins(%q, %k, %v : tensor<1x4x5x8xf32>, tensor<1x2x6x8xf32>, tensor<1x2x6x8xf32>) outs(%o0 : tensor<1x4x5x8xf32>)
    {scale = 1.0 : f32, exact_live} -> tensor<1x4x5x8xf32>
  return
}
