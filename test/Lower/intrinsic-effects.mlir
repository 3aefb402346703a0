// Intrinsics touch memory where LLVM says so: of two equal calls that do not, one is
// enough.

// RUN: pe-opt %s --cse | FileCheck %s

// CHECK-LABEL:       llvm.func @effects
// CHECK-COUNT-1:       "llvm.x86.avx512.vpermi2var.d.512"
// CHECK-NOT:           vpermi2var
// CHECK-COUNT-2:       "llvm.x86.rdtsc"
// CHECK:               llvm.return
llvm.func @effects(%a: vector<16xi32>, %i: vector<16xi32>, %b: vector<16xi32>) -> (!llvm.struct<(vector<16xi32>, vector<16xi32>, i64, i64)>) {
  %x = llvm.call_intrinsic "llvm.x86.avx512.vpermi2var.d.512"(%a, %i, %b) : (vector<16xi32>, vector<16xi32>, vector<16xi32>) -> vector<16xi32>
  %y = llvm.call_intrinsic "llvm.x86.avx512.vpermi2var.d.512"(%a, %i, %b) : (vector<16xi32>, vector<16xi32>, vector<16xi32>) -> vector<16xi32>
  %s = llvm.call_intrinsic "llvm.x86.rdtsc"() : () -> i64
  %t = llvm.call_intrinsic "llvm.x86.rdtsc"() : () -> i64
  %0 = llvm.mlir.poison : !llvm.struct<(vector<16xi32>, vector<16xi32>, i64, i64)>
  %1 = llvm.insertvalue %x, %0[0] : !llvm.struct<(vector<16xi32>, vector<16xi32>, i64, i64)>
  %2 = llvm.insertvalue %y, %1[1] : !llvm.struct<(vector<16xi32>, vector<16xi32>, i64, i64)>
  %3 = llvm.insertvalue %s, %2[2] : !llvm.struct<(vector<16xi32>, vector<16xi32>, i64, i64)>
  %4 = llvm.insertvalue %t, %3[3] : !llvm.struct<(vector<16xi32>, vector<16xi32>, i64, i64)>
  llvm.return %4 : !llvm.struct<(vector<16xi32>, vector<16xi32>, i64, i64)>
}
