// Results that layers write head by head are those of the reference: heads as wide as a
// panel of weights, wider, narrower and no multiple of it, two query heads for each
// key head, odd numbers of rows, of a residual too.

// DEFINE: %{rows} = 37
// DEFINE: %{in} = --input=3x%{rows}x40=random:1 --input=192x40=random:2 --input=96x40=random:3 --input=96x40=random:4 --input=3x%{rows}x96=random:5 --threads=2
// DEFINE: %{entry} = wide
// DEFINE: %{check} = pe-runner %s --entry=%{entry} %{in} --verify --tolerance=5e-5 && pe-runner %s --entry=%{entry} %{in} --verify --tolerance=5e-5 --pipeline=posenc-cpu{vector-bits=256}
// RUN: %{check}
// RUN: pe-opt %s --posenc-cpu="to=vectorize vector-bits=256" | FileCheck %s
// REDEFINE: %{entry} = narrow
// RUN: %{check}
// REDEFINE: %{rows} = 1
// RUN: %{check}
// REDEFINE: %{entry} = odd
// RUN: %{check}
// REDEFINE: %{rows} = 130
// RUN: %{check}

// CHECK-LABEL: func.func @wide(
// CHECK-COUNT-3: memref.alloc({{.*}}) {{.*}}: memref<{{[24]}}x3x?x48xf32>
// CHECK-LABEL: func.func @narrow(
// CHECK-COUNT-3: memref.alloc({{.*}}) {{.*}}: memref<{{12|6}}x3x?x16xf32>
// CHECK-LABEL: func.func @odd(
// CHECK-COUNT-3: memref.alloc({{.*}}) {{.*}}: memref<3x?x{{192|96}}xf32>

func.func @wide(%x: tensor<3x?x40xf32>, %wq: tensor<192x40xf32>, %wk: tensor<96x40xf32>, %wv: tensor<96x40xf32>,
    %residual: tensor<3x?x96xf32>) -> tensor<3x?x4x48xf32> {
  %c1 = arith.constant 1 : index
  %s = tensor.dim %x, %c1 : tensor<3x?x40xf32>
  %q0 = tensor.empty(%s) : tensor<3x?x192xf32>
  %k0 = tensor.empty(%s) : tensor<3x?x96xf32>
  %q = posenc.linear ins(%x, %wq : tensor<3x?x40xf32>, tensor<192x40xf32>) outs(%q0 : tensor<3x?x192xf32>) -> tensor<3x?x192xf32>
  %k = posenc.linear ins(%x, %wk : tensor<3x?x40xf32>, tensor<96x40xf32>) with(%residual : tensor<3x?x96xf32>)
                     outs(%k0 : tensor<3x?x96xf32>) -> tensor<3x?x96xf32>
  %v = posenc.linear ins(%x, %wv : tensor<3x?x40xf32>, tensor<96x40xf32>) outs(%k0 : tensor<3x?x96xf32>) -> tensor<3x?x96xf32>
  %qh = tensor.expand_shape %q [[0], [1], [2, 3]] output_shape [3, %s, 4, 48] : tensor<3x?x192xf32> into tensor<3x?x4x48xf32>
  %kh = tensor.expand_shape %k [[0], [1], [2, 3]] output_shape [3, %s, 2, 48] : tensor<3x?x96xf32> into tensor<3x?x2x48xf32>
  %vh = tensor.expand_shape %v [[0], [1], [2, 3]] output_shape [3, %s, 2, 48] : tensor<3x?x96xf32> into tensor<3x?x2x48xf32>
  %scores = posenc.scores %qh, %kh {layout = #posenc.layout<bshd>, scale = 0.004 : f32} : (tensor<3x?x4x48xf32>, tensor<3x?x2x48xf32>) -> tensor<3x4x?x?xf32>
  %o = posenc.attend %scores, %vh {layout = #posenc.layout<bshd>} : (tensor<3x4x?x?xf32>, tensor<3x?x2x48xf32>) -> tensor<3x?x4x48xf32>
  return %o : tensor<3x?x4x48xf32>
}

func.func @narrow(%x: tensor<3x?x40xf32>, %wq: tensor<192x40xf32>, %wk: tensor<96x40xf32>, %wv: tensor<96x40xf32>,
    %residual: tensor<3x?x96xf32>) -> tensor<3x?x12x16xf32> {
  %c1 = arith.constant 1 : index
  %s = tensor.dim %x, %c1 : tensor<3x?x40xf32>
  %q0 = tensor.empty(%s) : tensor<3x?x192xf32>
  %k0 = tensor.empty(%s) : tensor<3x?x96xf32>
  %q = posenc.linear ins(%x, %wq : tensor<3x?x40xf32>, tensor<192x40xf32>) outs(%q0 : tensor<3x?x192xf32>) -> tensor<3x?x192xf32>
  %k = posenc.linear ins(%x, %wk : tensor<3x?x40xf32>, tensor<96x40xf32>) with(%residual : tensor<3x?x96xf32>)
                     outs(%k0 : tensor<3x?x96xf32>) -> tensor<3x?x96xf32>
  %v = posenc.linear ins(%x, %wv : tensor<3x?x40xf32>, tensor<96x40xf32>) outs(%k0 : tensor<3x?x96xf32>) -> tensor<3x?x96xf32>
  %qh = tensor.expand_shape %q [[0], [1], [2, 3]] output_shape [3, %s, 12, 16] : tensor<3x?x192xf32> into tensor<3x?x12x16xf32>
  %kh = tensor.expand_shape %k [[0], [1], [2, 3]] output_shape [3, %s, 6, 16] : tensor<3x?x96xf32> into tensor<3x?x6x16xf32>
  %vh = tensor.expand_shape %v [[0], [1], [2, 3]] output_shape [3, %s, 6, 16] : tensor<3x?x96xf32> into tensor<3x?x6x16xf32>
  %scores = posenc.scores %qh, %kh {layout = #posenc.layout<bshd>, scale = 0.004 : f32} : (tensor<3x?x12x16xf32>, tensor<3x?x6x16xf32>) -> tensor<3x12x?x?xf32>
  %o = posenc.attend %scores, %vh {layout = #posenc.layout<bshd>} : (tensor<3x12x?x?xf32>, tensor<3x?x6x16xf32>) -> tensor<3x?x12x16xf32>
  return %o : tensor<3x?x12x16xf32>
}

func.func @odd(%x: tensor<3x?x40xf32>, %wq: tensor<192x40xf32>, %wk: tensor<96x40xf32>, %wv: tensor<96x40xf32>,
    %residual: tensor<3x?x96xf32>) -> tensor<3x?x16x12xf32> {
  %c1 = arith.constant 1 : index
  %s = tensor.dim %x, %c1 : tensor<3x?x40xf32>
  %q0 = tensor.empty(%s) : tensor<3x?x192xf32>
  %k0 = tensor.empty(%s) : tensor<3x?x96xf32>
  %q = posenc.linear ins(%x, %wq : tensor<3x?x40xf32>, tensor<192x40xf32>) outs(%q0 : tensor<3x?x192xf32>) -> tensor<3x?x192xf32>
  %k = posenc.linear ins(%x, %wk : tensor<3x?x40xf32>, tensor<96x40xf32>) with(%residual : tensor<3x?x96xf32>)
                     outs(%k0 : tensor<3x?x96xf32>) -> tensor<3x?x96xf32>
  %v = posenc.linear ins(%x, %wv : tensor<3x?x40xf32>, tensor<96x40xf32>) outs(%k0 : tensor<3x?x96xf32>) -> tensor<3x?x96xf32>
  %qh = tensor.expand_shape %q [[0], [1], [2, 3]] output_shape [3, %s, 16, 12] : tensor<3x?x192xf32> into tensor<3x?x16x12xf32>
  %kh = tensor.expand_shape %k [[0], [1], [2, 3]] output_shape [3, %s, 8, 12] : tensor<3x?x96xf32> into tensor<3x?x8x12xf32>
  %vh = tensor.expand_shape %v [[0], [1], [2, 3]] output_shape [3, %s, 8, 12] : tensor<3x?x96xf32> into tensor<3x?x8x12xf32>
  %scores = posenc.scores %qh, %kh {layout = #posenc.layout<bshd>, scale = 0.004 : f32} : (tensor<3x?x16x12xf32>, tensor<3x?x8x12xf32>) -> tensor<3x16x?x?xf32>
  %o = posenc.attend %scores, %vh {layout = #posenc.layout<bshd>} : (tensor<3x16x?x?xf32>, tensor<3x?x8x12xf32>) -> tensor<3x?x16x12xf32>
  return %o : tensor<3x?x16x12xf32>
}
