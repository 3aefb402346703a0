// Linalg on the device: whatever its loops, the result is that of scalar loops.
// RUN: split-file %s %t
// RUN: pe-runner %t/columns.mlir --device=emulator --check --check-leaks --verify --input=5x37=random:1
// RUN: pe-runner %t/total.mlir --device=emulator --check --check-leaks --verify --input=5x37=random:1
// RUN: pe-runner %t/matmul.mlir --device=emulator --check --check-leaks --verify --input=3x5x7=random:1 --input=3x7x4=random:2
// RUN: pe-runner %t/slices.mlir --device=emulator --check --check-leaks --verify --input=9x6=random:1
// RUN: pe-runner %t/slices.mlir --device=emulator --check --check-leaks --verify --input=4x6=random:1
// RUN: pe-runner %t/shared.mlir --device=emulator --check --check-leaks --verify --input=7=random:1 --input=3
// RUN: pe-runner %t/same.mlir --device=emulator --check --check-leaks --verify --input=7=random:1

//--- columns.mlir
func.func @columns(%x: tensor<?x?xf32>) -> tensor<?xf32> {
  %c1 = arith.constant 1 : index
  %n = tensor.dim %x, %c1 : tensor<?x?xf32>
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty(%n) : tensor<?xf32>
  %z = linalg.fill ins(%zero : f32) outs(%e : tensor<?xf32>) -> tensor<?xf32>
  %y = linalg.reduce { arith.addf } ins(%x : tensor<?x?xf32>) outs(%z : tensor<?xf32>) dimensions = [0]
  return %y : tensor<?xf32>
}
//--- total.mlir
func.func @total(%x: tensor<?x?xf32>) -> tensor<f32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<f32>
  %z = linalg.fill ins(%zero : f32) outs(%e : tensor<f32>) -> tensor<f32>
  %y = linalg.reduce { arith.addf } ins(%x : tensor<?x?xf32>) outs(%z : tensor<f32>) dimensions = [0, 1]
  return %y : tensor<f32>
}
//--- matmul.mlir
func.func @matmul(%x: tensor<3x?x7xf32>, %w: tensor<3x7x4xf32>) -> tensor<3x?x4xf32> {
  %c1 = arith.constant 1 : index
  %n = tensor.dim %x, %c1 : tensor<3x?x7xf32>
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty(%n) : tensor<3x?x4xf32>
  %z = linalg.fill ins(%zero : f32) outs(%e : tensor<3x?x4xf32>) -> tensor<3x?x4xf32>
  %y = linalg.batch_matmul ins(%x, %w : tensor<3x?x7xf32>, tensor<3x7x4xf32>) outs(%z : tensor<3x?x4xf32>) -> tensor<3x?x4xf32>
  return %y : tensor<3x?x4xf32>
}
//--- slices.mlir
// A part of a buffer, and a copy into a part of one.
func.func @slices(%x: tensor<?x6xf32>) -> (tensor<6x?xf32>, tensor<?x6xf32>) {
  %c0 = arith.constant 0 : index
  %c4 = arith.constant 4 : index
  %n = tensor.dim %x, %c0 : tensor<?x6xf32>
  %m = arith.subi %n, %c4 : index
  %part = tensor.extract_slice %x[4, 1] [%m, 2] [1, 2] : tensor<?x6xf32> to tensor<?x2xf32>
  %all = tensor.insert_slice %part into %x[0, 3] [%m, 2] [1, 1] : tensor<?x2xf32> into tensor<?x6xf32>
  %e = tensor.empty(%n) : tensor<6x?xf32>
  %t = linalg.transpose ins(%all : tensor<?x6xf32>) outs(%e : tensor<6x?xf32>) permutation = [1, 0]
  return %t, %all : tensor<6x?xf32>, tensor<?x6xf32>
}
//--- shared.mlir
// The host reads and writes what kernels do.
#id = affine_map<(i) -> (i)>
func.func @shared(%x: tensor<?xf32>, %n: i64) -> (tensor<?xf32>, f32) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %count = arith.index_cast %n : i64 to index
  %y = scf.for %i = %c0 to %count step %c1 iter_args(%a = %x) -> tensor<?xf32> {
    %e = tensor.extract %a[%i] : tensor<?xf32>
    %b = tensor.insert %e into %a[%c0] : tensor<?xf32>
    %c = linalg.generic {indexing_maps = [#id], iterator_types = ["parallel"]} outs(%b : tensor<?xf32>) {
    ^bb0(%v: f32):
      %w = arith.addf %v, %e : f32
      linalg.yield %w : f32
    } -> tensor<?xf32>
    scf.yield %c : tensor<?xf32>
  }
  %first = tensor.extract %y[%c0] : tensor<?xf32>
  return %y, %first : tensor<?xf32>, f32
}
//--- same.mlir
// One buffer that is two results, beside the argument itself.
#id = affine_map<(i) -> (i)>
func.func @same(%x: tensor<?xf32>) -> (tensor<?xf32>, tensor<?xf32>, tensor<?xf32>) {
  %y = linalg.generic {indexing_maps = [#id], iterator_types = ["parallel"]} outs(%x : tensor<?xf32>) {
  ^bb0(%v: f32):
    %w = arith.mulf %v, %v : f32
    linalg.yield %w : f32
  } -> tensor<?xf32>
  return %y, %y, %x : tensor<?xf32>, tensor<?xf32>, tensor<?xf32>
}
