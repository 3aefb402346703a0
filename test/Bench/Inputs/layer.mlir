// Causal attention of what a linear layer makes of the rows, then a product.
#rows = affine_map<(i, c, k) -> (i, k)>
#weight = affine_map<(i, c, k) -> (k, c)>
#out = affine_map<(i, c, k) -> (i, c)>
func.func @layer(%x: tensor<1x?x32xf32>, %w: tensor<32x32xf32>, %k: tensor<1x2x?x16xf32>,
                 %v: tensor<1x2x?x16xf32>, %p: tensor<32x8xf32>) -> tensor<?x8xf32> {
  %c1 = arith.constant 1 : index
  %rows = tensor.dim %x, %c1 : tensor<1x?x32xf32>
  %e = tensor.empty(%rows) : tensor<1x?x32xf32>
  %y = posenc.linear ins(%x, %w : tensor<1x?x32xf32>, tensor<32x32xf32>) outs(%e : tensor<1x?x32xf32>)
    -> tensor<1x?x32xf32>
  %heads = tensor.expand_shape %y [[0], [1], [2, 3]] output_shape [1, %rows, 2, 16]
    : tensor<1x?x32xf32> into tensor<1x?x2x16xf32>
  %qe = tensor.empty(%rows) : tensor<1x2x?x16xf32>
  %q = linalg.transpose ins(%heads : tensor<1x?x2x16xf32>) outs(%qe : tensor<1x2x?x16xf32>) permutation = [0, 2, 1, 3]
  %s = posenc.scores %q, %k : (tensor<1x2x?x16xf32>, tensor<1x2x?x16xf32>) -> tensor<1x2x?x?xf32>
  %m = posenc.causal %s : (tensor<1x2x?x?xf32>) -> tensor<1x2x?x?xf32>
  %o = posenc.attend %m, %v : (tensor<1x2x?x?xf32>, tensor<1x2x?x16xf32>) -> tensor<1x2x?x16xf32>
  %oe = tensor.empty(%rows) : tensor<1x?x2x16xf32>
  %ot = linalg.transpose ins(%o : tensor<1x2x?x16xf32>) outs(%oe : tensor<1x?x2x16xf32>) permutation = [0, 2, 1, 3]
  %flat = tensor.collapse_shape %ot [[0, 1], [2, 3]] : tensor<1x?x2x16xf32> into tensor<?x32xf32>
  %zero = arith.constant 0.0 : f32
  %re = tensor.empty(%rows) : tensor<?x8xf32>
  %init = linalg.fill ins(%zero : f32) outs(%re : tensor<?x8xf32>) -> tensor<?x8xf32>
  %r = linalg.generic {indexing_maps = [#rows, #weight, #out], iterator_types = ["parallel", "parallel", "reduction"]}
    ins(%flat, %p : tensor<?x32xf32>, tensor<32x8xf32>) outs(%init : tensor<?x8xf32>) {
  ^bb0(%a: f32, %b: f32, %acc: f32):
    %0 = arith.mulf %a, %b : f32
    %1 = arith.addf %acc, %0 : f32
    linalg.yield %1 : f32
  } -> tensor<?x8xf32>
  return %r : tensor<?x8xf32>
}
