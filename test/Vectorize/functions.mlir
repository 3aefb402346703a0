// Functions that no vector instruction and no vector intrinsic computes.

// RUN: pe-runner %s --verify --input=random:1 --input=random:2 --input=random:3 -O1

func.func @functions(%q: tensor<1x2x9x8xf32>, %k: tensor<1x2x21x8xf32>, %v: tensor<1x2x21x8xf32>)
    -> tensor<1x2x9x8xf32> {
  %init = tensor.empty() : tensor<1x2x9x8xf32>
  %o = posenc.attention ins(%q, %k, %v : tensor<1x2x9x8xf32>, tensor<1x2x21x8xf32>, tensor<1x2x21x8xf32>)
                        outs(%init : tensor<1x2x9x8xf32>)
    key {
    ^bb0(%x: f32, %b: index, %h: index, %j: index, %c: index):
      %root = math.cbrt %x : f32
      posenc.yield %root : f32
    } value {
    ^bb0(%x: f32, %b: index, %h: index, %j: index, %c: index):
      %angle = math.atan %x : f32
      posenc.yield %angle : f32
    } score {
    ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
      // Another exponent in every lane, and the same one in all.
      %three = arith.constant 3 : index
      %rest = arith.remui %i, %three : index
      %power = arith.index_cast %rest : index to i32
      %two = arith.constant 2 : i32
      %root = math.cbrt %s : f32
      %varying = math.fpowi %root, %power : f32, i32
      %square = math.fpowi %root, %two : f32, i32
      %wave = math.sinh %root : f32
      %sum = arith.addf %varying, %square : f32
      %all = arith.addf %sum, %wave : f32
      posenc.yield %all : f32
    } {key_channels = #posenc.channels<each, offset = 0, width = 0>, scale = 0.25 : f32, value_channels = #posenc.channels<each, offset = 0, width = 0>} -> tensor<1x2x9x8xf32>
  return %o : tensor<1x2x9x8xf32>
}
