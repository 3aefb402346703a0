func.func @rope(%x: tensor<1x2x?x8xf32>) -> tensor<1x2x?x8xf32> {
  %y = posenc.rope %x {pairing = #posenc.pairing<half>} : (tensor<1x2x?x8xf32>) -> tensor<1x2x?x8xf32>
  return %y : tensor<1x2x?x8xf32>
}
