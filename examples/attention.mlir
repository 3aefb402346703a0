// Rotated queries and keys, a distance bias, a causal mask: each by its name.
func.func @attention(%q: tensor<1x8x?x64xf32>, %k: tensor<1x2x?x64xf32>,
                     %v: tensor<1x2x?x64xf32>) -> tensor<1x8x?x64xf32> {
  %qr = posenc.rope %q {pairing = #posenc.pairing<half>} : (tensor<1x8x?x64xf32>) -> tensor<1x8x?x64xf32>
  %kr = posenc.rope %k {pairing = #posenc.pairing<half>} : (tensor<1x2x?x64xf32>) -> tensor<1x2x?x64xf32>
  %s0 = posenc.scores %qr, %kr : (tensor<1x8x?x64xf32>, tensor<1x2x?x64xf32>) -> tensor<1x8x?x?xf32>
  %s1 = posenc.alibi %s0 : (tensor<1x8x?x?xf32>) -> tensor<1x8x?x?xf32>
  %s2 = posenc.causal %s1 : (tensor<1x8x?x?xf32>) -> tensor<1x8x?x?xf32>
  %o = posenc.attend %s2, %v : (tensor<1x8x?x?xf32>, tensor<1x2x?x64xf32>) -> tensor<1x8x?x64xf32>
  return %o : tensor<1x8x?x64xf32>
}
