// The results of one pipeline against those of the reference, on equal inputs.

// DEFINE: %{lower} = --pipeline='builtin.module(one-shot-bufferize{bufferize-function-boundaries function-boundary-type-conversion=identity-layout-map},convert-linalg-to-loops,convert-scf-to-cf,convert-to-llvm,reconcile-unrealized-casts)'

// RUN: pe-runner %s %{lower} --input=5x3=random --verify --output=- | FileCheck %s
// CHECK: result 0: 5x3xf32 [
// CHECK-NEXT: result 0: max abs error 0 (tolerance 1e-05)
// No error is small enough for a negative tolerance.
// RUN: not pe-runner %s %{lower} --input=5x3=random --verify --tolerance=-1 2>&1 | FileCheck %s --check-prefix=FAIL
// FAIL: result 0: max abs error 0 (tolerance -1)
// FAIL: error: result 0 at index 0: expected [[VALUE:.*]] but got [[VALUE]]

// The first pipeline overwrites the argument; the reference must not see that.
func.func @twice(%a: tensor<?x3xf32>) -> tensor<?x3xf32> {
  %sum = linalg.add ins(%a, %a : tensor<?x3xf32>, tensor<?x3xf32>)
                    outs(%a : tensor<?x3xf32>) -> tensor<?x3xf32>
  return %sum : tensor<?x3xf32>
}
