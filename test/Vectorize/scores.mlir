// A region that is linear in the score takes and gives exponents of 2: the factor
// log2(e) is in the scale of queries and in what is the same for all pairs. Of another
// region, every result is multiplied by it.

// RUN: pe-opt %s --posenc-cpu="to=vectorize vector-bits=512" | FileCheck %s
// RUN: pe-runner %s --entry=linear --verify --input=random:1 --input=random:2 --input=random:3
// RUN: pe-runner %s --entry=other --verify --input=random:1 --input=random:2 --input=random:3
// RUN: pe-runner %s --entry=linear --pipeline=posenc-cpu{vector-bits=256} --verify --input=random:1 --input=random:2 --input=random:3
// RUN: pe-runner %s --entry=other --pipeline=posenc-cpu{vector-bits=256} --verify --input=random:1 --input=random:2 --input=random:3

// CHECK-LABEL: func.func private @posenc_attention(
// CHECK-NOT:     dense<1.44269502>
// CHECK-DAG:     arith.constant dense<0.360673755> : vector<16xf32>
// CHECK-NOT:     dense<1.44269502>
// CHECK-LABEL: func.func private @posenc_attention_0(
// CHECK:         dense<1.44269502>

func.func @linear(%q: tensor<1x2x41x16xf32>, %k: tensor<1x2x27x16xf32>, %v: tensor<1x2x27x16xf32>)
    -> tensor<1x2x41x16xf32> {
  %init = tensor.empty() : tensor<1x2x41x16xf32>
  %o = posenc.attention ins(%q, %k, %v : tensor<1x2x41x16xf32>, tensor<1x2x27x16xf32>, tensor<1x2x27x16xf32>)
                        outs(%init : tensor<1x2x41x16xf32>)
    score {
    ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
      %half = arith.constant 5.0e-01 : f32
      %i32 = arith.index_cast %i : index to i32
      %j32 = arith.index_cast %j : index to i32
      %x = arith.sitofp %i32 : i32 to f32
      %y = arith.sitofp %j32 : i32 to f32
      %distance = arith.subf %x, %y : f32
      %h32 = arith.index_cast %h : index to i32
      %head = arith.sitofp %h32 : i32 to f32
      %slope = arith.mulf %head, %half : f32
      %bias = arith.mulf %slope, %distance : f32
      %sum = arith.addf %s, %bias : f32
      %negative = arith.negf %s : f32
      %warm = arith.mulf %negative, %half : f32
      %isLater = arith.cmpi slt, %i, %j : index
      %either = arith.select %isLater, %warm, %sum : f32
      %r = arith.subf %either, %half : f32
      posenc.yield %r : f32
    } {scale = 0.25 : f32} -> tensor<1x2x41x16xf32>
  return %o : tensor<1x2x41x16xf32>
}

func.func @other(%q: tensor<1x2x41x16xf32>, %k: tensor<1x2x27x16xf32>, %v: tensor<1x2x27x16xf32>)
    -> tensor<1x2x41x16xf32> {
  %init = tensor.empty() : tensor<1x2x41x16xf32>
  %o = posenc.attention ins(%q, %k, %v : tensor<1x2x41x16xf32>, tensor<1x2x27x16xf32>, tensor<1x2x27x16xf32>)
                        outs(%init : tensor<1x2x41x16xf32>)
    score {
    ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
      %square = arith.mulf %s, %s : f32
      %r = arith.addf %square, %s : f32
      posenc.yield %r : f32
    } {scale = 0.25 : f32} -> tensor<1x2x41x16xf32>
  return %o : tensor<1x2x41x16xf32>
}
