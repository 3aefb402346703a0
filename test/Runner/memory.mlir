// Calls keep their memory: only results are allocated. Threads have memory of
// their own, and a call that fails gives its memory back.

// RUN: pe-runner %s --input=1x5x16=ones --input=5=zeros --input=ones --input=ones --dump-object-file --object-filename=%t.o
// RUN: %cc -O1 %S/Inputs/memory.c %t.o -Wl,--wrap=malloc -L%build/lib -lPosencRuntime -Wl,-rpath,%build/lib -fopenmp -pthread -o %t.run
// RUN: %t.run | FileCheck %s
// CHECK: allocations per call: 1
// CHECK-NEXT: wrong results of 4 threads: 0
// CHECK-NEXT: refused: position 9 is out of range [0, 8)
// CHECK-NEXT: its memory is back
// CHECK-NEXT: refused: cannot allocate 9223372036854775807 bytes for a call

func.func @f(%x: tensor<1x?x16xf32>, %at: tensor<?xi64>, %w: tensor<16x16xf32>, %table: tensor<8x16xf32>)
    -> tensor<1x?x16xf32> {
  %one = arith.constant 1 : index
  %n = tensor.dim %x, %one : tensor<1x?x16xf32>
  %init = tensor.empty(%n) : tensor<1x?x16xf32>
  %y = posenc.linear ins(%x, %w : tensor<1x?x16xf32>, tensor<16x16xf32>)
    outs(%init : tensor<1x?x16xf32>) -> tensor<1x?x16xf32>
  %e = posenc.learned %y at(%at) table(%table)
    : (tensor<1x?x16xf32>, tensor<?xi64>, tensor<8x16xf32>) -> tensor<1x?x16xf32>
  %z = posenc.linear ins(%e, %w : tensor<1x?x16xf32>, tensor<16x16xf32>)
    outs(%init : tensor<1x?x16xf32>) -> tensor<1x?x16xf32>
  return %z : tensor<1x?x16xf32>
}
