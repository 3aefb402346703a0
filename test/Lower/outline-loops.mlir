// RUN: pe-opt %s --posenc-outline-loops | FileCheck %s
// RUN: pe-runner %s -e f --pipeline='builtin.module(posenc-record-signature,posenc-outline-loops,convert-scf-to-openmp,canonicalize,convert-scf-to-cf,convert-to-llvm,convert-openmp-to-llvm,reconcile-unrealized-casts)' --input=4=zeros --input=4=zeros --output=- | FileCheck %s --check-prefix=RESULT
// RESULT: 0.5, 0.5, 0.5, 0.5

// Loops that differ in their operands only are one function; constants are its own.
// CHECK-LABEL: func.func @f(
// CHECK: call @posenc_loop(%{{.*}}, %{{.*}}, %[[X:.*]]) : (index, f32, memref<4xf32>) -> ()
// CHECK: call @posenc_loop(%{{.*}}, %{{.*}}, %[[Y:.*]]) : (index, f32, memref<4xf32>) -> ()
// What is there once stays.
// CHECK: scf.parallel
// CHECK: func.func private @posenc_loop(%[[N:.*]]: index, %[[V:.*]]: f32, %[[M:.*]]: memref<4xf32>) attributes {no_inline, passthrough = ["noinline"]}
// CHECK-DAG: %[[ZERO:.*]] = arith.constant 0 : index
// CHECK-DAG: %[[ONE:.*]] = arith.constant 1 : index
// CHECK: scf.parallel (%[[I:.*]]) = (%[[ZERO]]) to (%[[N]]) step (%[[ONE]])
// CHECK: memref.store %[[V]], %[[M]][%[[I]]]
// CHECK-NOT: func.func
func.func @f(%x: memref<4xf32>, %y: memref<4xf32>) -> memref<4xf32> attributes {llvm.emit_c_interface} {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %n = memref.dim %x, %zero : memref<4xf32>
  %a = arith.constant 0.25 : f32
  %b = arith.addf %a, %a : f32
  %c = arith.addf %b, %b : f32
  scf.parallel (%i) = (%zero) to (%n) step (%one) {
    memref.store %b, %x[%i] : memref<4xf32>
    scf.reduce
  }
  scf.parallel (%i) = (%zero) to (%n) step (%one) {
    memref.store %c, %y[%i] : memref<4xf32>
    scf.reduce
  }
  %r = memref.alloc() : memref<4xf32>
  scf.parallel (%i) = (%zero) to (%n) step (%one) {
    %p = memref.load %x[%i] : memref<4xf32>
    %q = memref.load %y[%i] : memref<4xf32>
    %m = arith.mulf %p, %q : f32
    memref.store %m, %r[%i] : memref<4xf32>
    scf.reduce
  }
  return %r : memref<4xf32>
}
