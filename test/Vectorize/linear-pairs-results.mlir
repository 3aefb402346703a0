// Packed pairs of bf16 whose inputs are bf16 as well lose nothing: rows and inputs that
// fill no tile, vector or step of the loop.

// RUN: pe-runner %s -e f --verify --tolerance=1e-4 --input=1x70=random:1 --input=random:2 --input=random:3
// RUN: pe-runner %s -e f --verify --tolerance=1e-4 --input=29x70=random:1 --input=random:2 --input=random:3
// RUN: pe-runner %s -e f --verify --tolerance=1e-4 --input=211x70=random:1 --input=random:2 --input=random:3
// What bf16 holds exactly has no error at all.
// RUN: pe-runner %s -e f --verify --tolerance=0 --input=29x70=iota --input=ones --input=zeros
// RUN: pe-runner %s -e f --verify --tolerance=0 --input=29x70=ones --input=iota --input=ones --cpu=x86-64-v3

func.func @f(%x: tensor<?x70xbf16>, %w: tensor<3x35x32x2xbf16>, %b: tensor<90xf32>) -> tensor<?x90xf32> {
  %zero = arith.constant 0 : index
  %n = tensor.dim %x, %zero : tensor<?x70xbf16>
  %init = tensor.empty(%n) : tensor<?x90xf32>
  %y = posenc.linear ins(%x, %w : tensor<?x70xbf16>, tensor<3x35x32x2xbf16>) with(%b : tensor<90xf32>)
    outs(%init : tensor<?x90xf32>) -> tensor<?x90xf32>
  return %y : tensor<?x90xf32>
}
