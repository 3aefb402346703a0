// Something of everything: positions, attention, a linear layer, normalisation.
func.func @layer(%x: tensor<?x?x32xf32>, %table: tensor<64x32xf32>, %w: tensor<32x32xf32>,
                 %bias: tensor<32xf32>, %gamma: tensor<32xf32>, %k: tensor<?x?x2x16xf32>,
                 %v: tensor<?x?x2x16xf32>, %past: index) -> tensor<?x?x32xf32> {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %b = tensor.dim %x, %zero : tensor<?x?x32xf32>
  %n = tensor.dim %x, %one : tensor<?x?x32xf32>
  %m = tensor.dim %k, %one : tensor<?x?x2x16xf32>
  %qp = posenc.positions %n from %past : index -> tensor<?xi64>
  %kp = posenc.positions %m from %zero : index -> tensor<?xi64>
  %y = posenc.learned %x at(%qp) table(%table)
    : (tensor<?x?x32xf32>, tensor<?xi64>, tensor<64x32xf32>) -> tensor<?x?x32xf32>
  %init = tensor.empty(%b, %n) : tensor<?x?x32xf32>
  %l = posenc.linear ins(%y, %w : tensor<?x?x32xf32>, tensor<32x32xf32>) with(%bias : tensor<32xf32>)
    outs(%init : tensor<?x?x32xf32>) -> tensor<?x?x32xf32>
  %q = tensor.expand_shape %l [[0], [1], [2, 3]] output_shape [%b, %n, 2, 16]
    : tensor<?x?x32xf32> into tensor<?x?x2x16xf32>
  %qr = posenc.rope %q at(%qp) {pairing = #posenc.pairing<half>, layout = #posenc.layout<bshd>}
    : (tensor<?x?x2x16xf32>, tensor<?xi64>) -> tensor<?x?x2x16xf32>
  %kr = posenc.rope %k at(%kp) {pairing = #posenc.pairing<half>, layout = #posenc.layout<bshd>}
    : (tensor<?x?x2x16xf32>, tensor<?xi64>) -> tensor<?x?x2x16xf32>
  %s = posenc.scores %qr, %kr {layout = #posenc.layout<bshd>}
    : (tensor<?x?x2x16xf32>, tensor<?x?x2x16xf32>) -> tensor<?x2x?x?xf32>
  %a = posenc.alibi %s at(%qp, %kp) : (tensor<?x2x?x?xf32>, tensor<?xi64>, tensor<?xi64>) -> tensor<?x2x?x?xf32>
  %c = posenc.causal %a at(%qp, %kp) : (tensor<?x2x?x?xf32>, tensor<?xi64>, tensor<?xi64>) -> tensor<?x2x?x?xf32>
  %o = posenc.attend %c, %v {layout = #posenc.layout<bshd>}
    : (tensor<?x2x?x?xf32>, tensor<?x?x2x16xf32>) -> tensor<?x?x2x16xf32>
  %t = tensor.collapse_shape %o [[0], [1], [2, 3]] : tensor<?x?x2x16xf32> into tensor<?x?x32xf32>
  %r = posenc.layer_norm ins(%t, %gamma, %bias : tensor<?x?x32xf32>, tensor<32xf32>, tensor<32xf32>)
    outs(%init : tensor<?x?x32xf32>) {eps = 1.0e-12 : f32} -> tensor<?x?x32xf32>
  return %r : tensor<?x?x32xf32>
}
