// The fraction of a distance is dropped, and no coordinate leaves the table. The
// table holds the numbers of its rows.

// RUN: pe-opt %s --posenc-reference -o %t.reference.mlir
// RUN: pe-opt %s --posenc-cpu -o %t.cpu.mlir
// RUN: pe-runner %t.reference.mlir --input=zeros --input=2.5 --input=iota --input=iota | FileCheck %s
// RUN: pe-runner %t.cpu.mlir --input=zeros --input=2.5 --input=iota --input=iota | FileCheck %s
// CHECK: 1x1x1x7xf32 [2, 1, 0, 0, 17, 18, 19]
// RUN: pe-runner %t.cpu.mlir --input=zeros --input=1e30 --input=iota --input=iota | FileCheck %s --check-prefix=FAR
// RUN: pe-runner %t.cpu.mlir --input=zeros --input=inf --input=iota --input=iota | FileCheck %s --check-prefix=FAR
// FAR: 1x1x1x7xf32 [15, 15, 15, 15, 15, 15, 15]
// RUN: pe-runner %t.cpu.mlir --input=zeros --input=nan --input=iota --input=iota

func.func @fractions(%s: tensor<1x1x1x7xf32>, %q: tensor<1xf32>, %k: tensor<7xf32>,
                     %table: tensor<32x1xf32>) -> tensor<1x1x1x7xf32> {
  %r = posenc.t5_bucket %s at(%q, %k) table(%table)
    : (tensor<1x1x1x7xf32>, tensor<1xf32>, tensor<7xf32>, tensor<32x1xf32>) -> tensor<1x1x1x7xf32>
  return %r : tensor<1x1x1x7xf32>
}
