#ifndef POSENC_SINUSOIDAL_TD
#define POSENC_SINUSOIDAL_TD

include "posenc/PosencBase.td"

def Posenc_SinusoidalOp : Posenc_TokenEncoding<"sinusoidal",
    (ins Posenc_PairingAttr:$pairing, DefaultValuedAttr<F64Attr, "10000.0">:$base,
         DefaultValuedAttr<I64Attr, "0">:$shift,
         DefaultValuedAttr<F64Attr, "1.0">:$scale), "", ["getChannels"]> {
  let summary = "sines and cosines of the coordinate, added to the tokens";
  let description = [{
    Adds `scale * sin(p * w[c])` to the first and `scale * cos(p * w[c])` to the
    second channel of pair `c`, `w[c] = base^(-c / (M/2 - shift))` for `M`
    channels (Vaswani et al. 2017, arXiv 1706.03762). `interleaved` pairs
    channels `(2c, 2c + 1)`: sine and cosine alternate. `half` pairs
    `(c, c + M/2)`: all sines come first. Models use either, so there is no
    default. `shift = 1` makes the last frequency exactly `1 / base`
    (tensor2tensor, fairseq, Whisper). Frequencies are derived in f64, angles
    computed in f32.

    Example:

    ```mlir
    func.func @sinusoidal(%x: tensor<?x?x8xf32>, %pos: tensor<?xi64>) -> tensor<?x?x8xf32> {
      %y = posenc.sinusoidal %x at(%pos) {pairing = #posenc.pairing<interleaved>}
        : (tensor<?x?x8xf32>, tensor<?xi64>) -> tensor<?x?x8xf32>
      return %y : tensor<?x?x8xf32>
    }
    ```
  }];
  let hasVerifier = 1;
}

#endif
