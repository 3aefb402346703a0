// GELU, written out with erf, that is rounded to bf16 comes from a table where there are
// registers for it: a product of two for each coefficient but one, and one with x.
// RUN: pe-opt %s --posenc-expand-math=vector-bits=512 | FileCheck %s --check-prefixes=CHECK,TABLE
// RUN: pe-opt %s --posenc-expand-math=vector-bits=256 | FileCheck %s --check-prefixes=CHECK,NONE
// RUN: not pe-opt %s --posenc-expand-math=vector-bits=128 2>&1 | FileCheck %s --check-prefix=BITS
// BITS: expected vector-bits of 256 or 512, but found 128

// CHECK-LABEL: func.func @rounded(
// TABLE-COUNT-3: llvm.call_intrinsic "llvm.x86.avx512.vpermi2var.ps.512"
// TABLE-COUNT-2: math.fma
// TABLE-NOT:     math.fma
// NONE-COUNT-8:  math.fma
// CHECK:         return
func.func @rounded(%x: vector<16xf32>) -> vector<16xbf16> {
  %root = arith.constant dense<0.707106769> : vector<16xf32>
  %half = arith.constant dense<0.5> : vector<16xf32>
  %one = arith.constant dense<1.0> : vector<16xf32>
  %z = arith.mulf %x, %root : vector<16xf32>
  %e = math.erf %z : vector<16xf32>
  %h = arith.mulf %x, %half : vector<16xf32>
  %s = arith.addf %e, %one : vector<16xf32>
  %y = arith.mulf %h, %s : vector<16xf32>
  %r = arith.truncf %y : vector<16xf32> to vector<16xbf16>
  return %r : vector<16xbf16>
}

// One that is not rounded does without.
// CHECK-LABEL: func.func @kept(
// CHECK-NOT:   vpermi2var
// CHECK:       return
func.func @kept(%x: vector<16xf32>) -> vector<16xf32> {
  %root = arith.constant dense<0.707106769> : vector<16xf32>
  %half = arith.constant dense<0.5> : vector<16xf32>
  %one = arith.constant dense<1.0> : vector<16xf32>
  %z = arith.mulf %x, %root : vector<16xf32>
  %e = math.erf %z : vector<16xf32>
  %h = arith.mulf %x, %half : vector<16xf32>
  %s = arith.addf %e, %one : vector<16xf32>
  %y = arith.mulf %h, %s : vector<16xf32>
  return %y : vector<16xf32>
}
