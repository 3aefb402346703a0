#ifndef POSENC_ROPE_TD
#define POSENC_ROPE_TD

include "posenc/PosencBase.td"

def Posenc_RopeOp : Posenc_RowEncoding<"rope",
    (ins Posenc_PairingAttr:$pairing, DefaultValuedAttr<F64Attr, "10000.0">:$base,
         DefaultValuedAttr<I64Attr, "0">:$offset, OptionalAttr<I64Attr>:$width,
         DefaultValuedAttr<F64Attr, "1.0">:$amplitude), "",
    ["getChannels", "isTranslationInvariant"]> {
  let summary = "rotary encoding of pairs of channels";
  let description = [{
    Rotates pair `c` of channels `(a, b)` at coordinate `p` by the angle
    `p * w[c]`, `w[c] = base^(-2c / width)` (RoPE, Su et al. 2021, arXiv
    2104.09864):
    `a' = A (a cos - b sin)`, `b' = A (a sin + b cos)`. `half` pairs channels
    `(c, c + width/2)`, `interleaved` pairs `(2c, 2c + 1)`; there is no default,
    since mixing them up gives plausible wrong numbers. Only channels
    `[offset, offset + width)` are rotated, the rest are copied; `width` is all
    by default. Frequencies are derived in f64, angles computed in f32.

    Example:

    ```mlir
    func.func @rope(%q: tensor<1x8x?x64xf32>, %pos: tensor<?xi64>) -> tensor<1x8x?x64xf32> {
      %r = posenc.rope %q at(%pos) {pairing = #posenc.pairing<half>, width = 32 : i64}
        : (tensor<1x8x?x64xf32>, tensor<?xi64>) -> tensor<1x8x?x64xf32>
      return %r : tensor<1x8x?x64xf32>
    }
    ```
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// The number of rotated channels.
    int64_t getRotatedWidth();
  }];
}

#endif
