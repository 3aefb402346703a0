// DEFINE: %{lower} = --pipeline='builtin.module(one-shot-bufferize{bufferize-function-boundaries function-boundary-type-conversion=identity-layout-map},convert-linalg-to-loops,convert-scf-to-cf,convert-to-llvm,reconcile-unrealized-casts)'

// Dynamic sizes come from the inputs; results are printed in short form.
// RUN: pe-runner %s -e add %{lower} --input=3x4=iota --input=3x4xf32=0.5 --check-leaks | FileCheck %s --check-prefix=PRINT
// PRINT: result 0: 3x4xf32 [0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5, ...]

// Bytecode and stdin work as well.
// RUN: mlir-opt %s --emit-bytecode -o %t.mlirbc
// RUN: pe-runner --entry=add %{lower} --input=1x4=ones --input=1x4=ones < %t.mlirbc | FileCheck %s --check-prefix=STDIN
// STDIN: result 0: 1x4xf32 [2, 2, 2, 2]

// What one run writes, the next can read and expect.
// RUN: pe-runner %s -e add %{lower} --input=5x4=random:1 --input=5x4=zeros --output=@%t.npy | count 0
// RUN: pe-runner %s -e add %{lower} --input=@%t.npy --input=5x4=@%t.npy --output=@%t2.npy
// RUN: pe-runner %s -e add %{lower} --input=5x4=random:1 --input=5x4=random:1 --expect=@%t2.npy | FileCheck %s --check-prefix=SAME
// SAME: result 0: 5x4xf32
// SAME: result 0: max abs error 0 (tolerance 1e-05)
// RUN: not pe-runner %s -e add %{lower} --input=@%t.npy --input=5x4=0.25 --expect=@%t.npy 2>&1 | FileCheck %s --check-prefix=DIFFERENT
// DIFFERENT: result 0: max abs error 0.25 (tolerance 1e-05)
// DIFFERENT: error: result 0 at index {{[0-9]+}}: expected {{.*}} but got
// RUN: pe-runner %s -e add %{lower} --input=@%t.npy --input=5x4=0.25 --expect=@%t.npy --tolerance=0.5
// RUN: not pe-runner %s -e add %{lower} --input=1x4=ones --input=1x4=ones --expect=@%t.npy 2>&1 | FileCheck %s --check-prefix=SHAPE
// SHAPE: error: result 0: expected 5x4xf32 but got 1x4xf32

// NaN is not near anything but NaN.
// RUN: not pe-runner %s -e add %{lower} --input=5x4=nan --input=5x4=ones --expect=@%t.npy --tolerance=1e30 2>&1 | FileCheck %s --check-prefix=NAN
// NAN: max abs error inf
// NAN: error: result 0 at index 0: expected {{.*}} but got nan
// RUN: pe-runner %s -e add %{lower} --input=5x4=nan --input=5x4=ones --output=@%t3.npy
// RUN: pe-runner %s -e add %{lower} --input=5x4=nan --input=5x4=ones --expect=@%t3.npy --tolerance=0

// Without a seed, inputs differ from each other but not from run to run.
// RUN: pe-runner %s -e add %{lower} --input=5x4=random --input=5x4=random --output=@%t4.npy
// RUN: pe-runner %s -e add %{lower} --input=5x4=random:0 --input=5x4=random:1 --expect=@%t4.npy --tolerance=0

// RUN: pe-runner %s -e add %{lower} --input=1x4=ones --input=1x4=ones --repeat=3 | FileCheck %s --check-prefix=REPEAT
// REPEAT: time: median {{.*}} ms, min {{.*}} ms, 3 runs
// RUN: pe-runner %s -e add %{lower} --input=1x4=ones --input=1x4=ones --cache=off --time 2>&1 | FileCheck %s --check-prefix=STEPS
// STEPS-DAG: parse {{.*}} ms
// STEPS-DAG: pipeline {{.*}} ms
// STEPS-DAG: compile {{.*}} ms
// STEPS-DAG: load {{.*}} ms
// STEPS-DAG: run {{.*}} ms
// RUN: pe-runner %s -e add %{lower} --input=1x4=ones --input=1x4=ones --mlir-timing 2>&1 | FileCheck %s --check-prefix=TIMING
// TIMING: ConvertToLLVMPass

func.func @add(%a: tensor<?x4xf32>, %b: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %c0 = arith.constant 0 : index
  %size = tensor.dim %a, %c0 : tensor<?x4xf32>
  %empty = tensor.empty(%size) : tensor<?x4xf32>
  %sum = linalg.add ins(%a, %b : tensor<?x4xf32>, tensor<?x4xf32>)
                    outs(%empty : tensor<?x4xf32>) -> tensor<?x4xf32>
  return %sum : tensor<?x4xf32>
}

// A result that is an argument, and one that is a constant, belong to others.
// RUN: pe-runner %s -e alias %{lower} --input=iota --repeat=2 | FileCheck %s --check-prefix=ALIAS
// ALIAS: result 0: 2xi32 [0, 1]
// ALIAS: result 1: 3xi1 [1, 0, 1]
// ALIAS: result 2: 2xi32 [0, 1]
// ALIAS: result 3: f64 2.5
func.func @alias(%a: tensor<2xi32>)
    -> (tensor<2xi32>, tensor<3xi1>, tensor<2xi32>, tensor<f64>) {
  %mask = arith.constant dense<[true, false, true]> : tensor<3xi1>
  %scalar = arith.constant dense<2.5> : tensor<f64>
  return %a, %mask, %a, %scalar
      : tensor<2xi32>, tensor<3xi1>, tensor<2xi32>, tensor<f64>
}

// An empty tensor is a tensor.
// RUN: pe-runner %s -e add %{lower} --input=0x4=random --input=0x4=zeros | FileCheck %s --check-prefix=EMPTY
// EMPTY: result 0: 0x4xf32 []

// A memref argument is passed as it is.
// RUN: pe-runner %s -e first %{lower} --input=4=iota --input=2 | FileCheck %s --check-prefix=MEMREF
// MEMREF: result 0: i64 2
func.func @first(%a: memref<?xi64>, %i: index) -> i64 {
  %value = memref.load %a[%i] : memref<?xi64>
  return %value : i64
}
