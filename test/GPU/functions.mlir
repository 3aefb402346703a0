// Functions without an instruction are arithmetic: no call is left.
// RUN: split-file %s %t
// RUN: pe-runner %t/known.mlir --device=emulator --verify --tolerance=4e-6 --input=999=random:1
// RUN: pe-translate --posenc-to-ptx %t/known.mlir | FileCheck %s --implicit-check-not=.extern --implicit-check-not=call
// CHECK: .visible .entry
// RUN: not pe-opt --posenc-nvptx %t/unknown.mlir 2>&1 | FileCheck %s --check-prefix=UNKNOWN
// UNKNOWN: error: 'math.sin' of 'f64' has no form on GPUs

//--- known.mlir
#id = affine_map<(i) -> (i)>
func.func @known(%x: tensor<?xf32>) -> tensor<?xf32> {
  %y = linalg.generic {indexing_maps = [#id], iterator_types = ["parallel"]} outs(%x : tensor<?xf32>) {
  ^bb0(%v: f32):
    %one = arith.constant 1.5 : f32
    %a = math.absf %v : f32
    %b = arith.addf %a, %one : f32
    %0 = math.log %b : f32
    %1 = math.log1p %a : f32
    %2 = math.sqrt %b : f32
    %3 = math.tanh %v : f32
    %4 = math.atan %v : f32
    %5 = math.exp %v : f32
    %6 = math.erf %v : f32
    %7 = math.sin %v : f32
    %8 = math.rsqrt %b : f32
    %9 = math.exp2 %v : f32
    %s0 = arith.addf %0, %1 : f32
    %s1 = arith.addf %s0, %2 : f32
    %s2 = arith.addf %s1, %3 : f32
    %s3 = arith.addf %s2, %4 : f32
    %s4 = arith.addf %s3, %5 : f32
    %s5 = arith.addf %s4, %6 : f32
    %s6 = arith.addf %s5, %7 : f32
    %s7 = arith.addf %s6, %8 : f32
    %s8 = arith.addf %s7, %9 : f32
    linalg.yield %s8 : f32
  } -> tensor<?xf32>
  return %y : tensor<?xf32>
}
//--- unknown.mlir
#id = affine_map<(i) -> (i)>
func.func @unknown(%x: tensor<?xf64>) -> tensor<?xf64> {
  %y = linalg.generic {indexing_maps = [#id], iterator_types = ["parallel"]} outs(%x : tensor<?xf64>) {
  ^bb0(%v: f64):
    %w = math.sin %v : f64
    linalg.yield %w : f64
  } -> tensor<?xf64>
  return %y : tensor<?xf64>
}
