// Scalars are passed and returned by value, alone or among other results.

// RUN: pe-runner %s -e many --input=7.5 --input=-0.75 --input=1 --input=-42 --input=0.5 --input=-128 | FileCheck %s --check-prefix=MANY
// MANY: result 0: i8 -128
// MANY-NEXT: result 1: f64 7.5
// MANY-NEXT: result 2: i1 1
// MANY-NEXT: result 3: i64 -42
// MANY-NEXT: result 4: bf16 -0.25
// RUN: pe-runner %s -e one --input=3 | FileCheck %s --check-prefix=ONE
// ONE: result 0: f32 6
// RUN: pe-runner %s -e none | count 0

// RUN: not pe-runner %s -e one --input=many 2>&1 | FileCheck %s --check-prefix=WORD
// WORD: error: input 0: expected @FILE.npy, random, zeros, ones, iota or an f32 number but got 'many'
// RUN: not pe-runner %s -e many --input=7.5 --input=-0.75 --input=2 --input=-42 --input=0.5 --input=0 2>&1 | FileCheck %s --check-prefix=BOOL
// BOOL: error: input 2: expected {{.*}} i1 number but got '2'
// RUN: not pe-runner %s -e many --input=7.5 --input=-0.75 --input=1 --input=4.5 --input=0.5 --input=0 2>&1 | FileCheck %s --check-prefix=FRACTION
// FRACTION: error: input 3: expected {{.*}} i64 number but got '4.5'
// RUN: not pe-runner %s -e many --input=7.5 --input=-0.75 --input=1 --input=4 --input=0.5 --input=128 2>&1 | FileCheck %s --check-prefix=WIDE
// WIDE: error: input 5: expected {{.*}} i8 number but got '128'
// RUN: not pe-runner %s -e one --input=random:x 2>&1 | FileCheck %s --check-prefix=SEED
// SEED: error: input 0: expected a number as the seed of random
// RUN: not pe-runner %s -e one --input=2=1 2>&1 | FileCheck %s --check-prefix=SHAPE
// SHAPE: error: input 0: expected a shape that fits f32 but got '2'

llvm.func @_mlir_ciface_many(%results: !llvm.ptr, %a: f64, %b: f32, %c: i1,
                             %d: i64, %e: bf16, %f: i8) {
  %b16 = llvm.fptrunc %b : f32 to bf16
  %sum = llvm.fadd %b16, %e : bf16
  %0 = llvm.mlir.undef : !llvm.struct<(i8, f64, i1, i64, bf16)>
  %1 = llvm.insertvalue %f, %0[0] : !llvm.struct<(i8, f64, i1, i64, bf16)>
  %2 = llvm.insertvalue %a, %1[1] : !llvm.struct<(i8, f64, i1, i64, bf16)>
  %3 = llvm.insertvalue %c, %2[2] : !llvm.struct<(i8, f64, i1, i64, bf16)>
  %4 = llvm.insertvalue %d, %3[3] : !llvm.struct<(i8, f64, i1, i64, bf16)>
  %5 = llvm.insertvalue %sum, %4[4] : !llvm.struct<(i8, f64, i1, i64, bf16)>
  llvm.store %5, %results : !llvm.struct<(i8, f64, i1, i64, bf16)>, !llvm.ptr
  llvm.return
}
llvm.func @many(f64, f32, i1, i64, bf16, i8) -> i8 attributes {
    posenc.signature = (f64, f32, i1, index, bf16, i8) -> (i8, f64, i1, index, bf16)} {
^bb0(%a: f64, %b: f32, %c: i1, %d: i64, %e: bf16, %f: i8):
  llvm.return %f : i8
}

llvm.func @_mlir_ciface_one(%a: f32) -> f32 {
  %sum = llvm.fadd %a, %a : f32
  llvm.return %sum : f32
}
llvm.func @one(%a: f32) -> f32 attributes {posenc.signature = (f32) -> f32} {
  llvm.return %a : f32
}

llvm.func @_mlir_ciface_none() {
  llvm.return
}
llvm.func @none() attributes {posenc.signature = () -> ()} {
  llvm.return
}
