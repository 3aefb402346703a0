// The object has the C interface of the entry point; what it inlined is gone.

// RUN: pe-runner %s --input=3 --dump-object-file --object-filename=%t.o
// RUN: llvm-nm %t.o | FileCheck %s --implicit-check-not=square --implicit-check-not=unused
// CHECK-DAG: T _mlir_ciface_f
// CHECK-DAG: T posenc_invoke_f

// A given processor decides about the instructions, a function's own before it.
// RUN: pe-runner %s --input=3 --cpu=x86-64 --dump-object-file --object-filename=%t.sse.o
// RUN: llvm-objdump -d %t.sse.o | FileCheck %s --check-prefix=SSE
// SSE: {{[^v]}}mulss
// RUN: pe-runner %s --input=3 --cpu=x86-64 --features=+avx --dump-object-file --object-filename=%t.avx.o
// RUN: llvm-objdump -d %t.avx.o | FileCheck %s --check-prefix=AVX
// AVX: vmulss
// RUN: sed 's/attributes {interface}/attributes {target_features = #llvm.target_features<["+avx"]>}/' %s > %t.mlir
// RUN: pe-runner %t.mlir --input=3 --cpu=x86-64 --dump-object-file --object-filename=%t.own.o
// RUN: llvm-objdump -d %t.own.o | FileCheck %s --check-prefix=AVX

llvm.func internal @square(%a: f32) -> f32 {
  %product = llvm.fmul %a, %a : f32
  llvm.return %product : f32
}
llvm.func @unused() {
  llvm.return
}
llvm.func @_mlir_ciface_f(%a: f32) -> f32 attributes {interface} {
  %result = llvm.call @square(%a) : (f32) -> f32
  llvm.return %result : f32
}
llvm.func @f(%a: f32) -> f32 attributes {posenc.signature = (f32) -> f32} {
  llvm.return %a : f32
}
