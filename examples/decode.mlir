// One token of a decoder: its keys and values go to caches, which its query reads.
func.func @decode(%q: tensor<1x8x1x64xf32>, %k: tensor<1x2x1x64xf32>, %v: tensor<1x2x1x64xf32>,
                  %keys: tensor<1x2x?x64x32x1xf32> {bufferization.writable = true},
                  %values: tensor<1x2x?x2x32x32xf32> {bufferization.writable = true}, %past: index)
    -> (tensor<1x8x1x64xf32>, tensor<1x2x?x64x32x1xf32>, tensor<1x2x?x2x32x32xf32>) {
  %one = arith.constant 1 : index
  %n = arith.addi %past, %one : index
  %p = posenc.positions %one from %past : index -> tensor<?xi64>
  %qr = posenc.rope %q at(%p) {pairing = #posenc.pairing<half>} : (tensor<1x8x1x64xf32>, tensor<?xi64>) -> tensor<1x8x1x64xf32>
  %kr = posenc.rope %k at(%p) {pairing = #posenc.pairing<half>} : (tensor<1x2x1x64xf32>, tensor<?xi64>) -> tensor<1x2x1x64xf32>
  %keys1 = posenc.append %kr into %keys at %past : tensor<1x2x1x64xf32> into tensor<1x2x?x64x32x1xf32>
  %values1 = posenc.append %v into %values at %past : tensor<1x2x1x64xf32> into tensor<1x2x?x2x32x32xf32>
  %ka = posenc.rows %n of %keys1 : tensor<1x2x?x64x32x1xf32> -> tensor<1x2x?x64xf32>
  %va = posenc.rows %n of %values1 : tensor<1x2x?x2x32x32xf32> -> tensor<1x2x?x64xf32>
  %s = posenc.scores %qr, %ka : (tensor<1x8x1x64xf32>, tensor<1x2x?x64xf32>) -> tensor<1x8x1x?xf32>
  %o = posenc.attend %s, %va : (tensor<1x8x1x?xf32>, tensor<1x2x?x64xf32>) -> tensor<1x8x1x64xf32>
  return %o, %keys1, %values1 : tensor<1x8x1x64xf32>, tensor<1x2x?x64x32x1xf32>, tensor<1x2x?x2x32x32xf32>
}
