// Why a linear layer has no form of matrix instructions.
// RUN: pe-opt %s --posenc-map-to-gpu=chip=sm_86 --remarks-filter=posenc-map-to-gpu \
// RUN:   --remark-format=emitRemark --split-input-file --verify-diagnostics | FileCheck %s
// RUN: not pe-opt %s --posenc-map-to-gpu="chip=sm_75" --split-input-file 2>&1 | FileCheck %s --check-prefix=OLD
// OLD: error: 'posenc.linear' op cannot have the form 'mma': expected sm_80 or later for products of 16 x 8 x 16, but found sm_75

// CHECK-LABEL: func @types(
// CHECK: gpu.launch
// CHECK-NOT: pgpu
// CHECK: return
func.func @types(%x: memref<8x32xf32>, %w: memref<16x32xf32>, %y: memref<8x16xf32>) {
  // expected-remark @below {{expected inputs and weights of f16, or both of bf16, but found memref<8x32xf32> and memref<16x32xf32>}}
  posenc.linear ins(%x, %w : memref<8x32xf32>, memref<16x32xf32>) outs(%y : memref<8x16xf32>)
  return
}

// -----

func.func @mixed(%x: memref<8x32xf16>, %w: memref<16x32xbf16>, %y: memref<8x16xf32>) {
  // expected-remark @below {{expected inputs and weights of f16, or both of bf16, but found memref<8x32xf16> and memref<16x32xbf16>}}
  posenc.linear ins(%x, %w : memref<8x32xf16>, memref<16x32xbf16>) outs(%y : memref<8x16xf32>)
  return
}

// -----

func.func @inputs(%x: memref<8x24xf16>, %w: memref<16x24xf16>, %y: memref<8x16xf32>) {
  // expected-remark @below {{expected a multiple of 16 inputs, but found memref<8x24xf16>}}
  posenc.linear ins(%x, %w : memref<8x24xf16>, memref<16x24xf16>) outs(%y : memref<8x16xf32>)
  return
}

// -----

func.func @outputs(%x: memref<8x32xf16>, %w: memref<24x32xf16>, %y: memref<8x24xf32>) {
  // expected-remark @below {{expected a multiple of 16 outputs, but found memref<8x24xf32>}}
  posenc.linear ins(%x, %w : memref<8x32xf16>, memref<24x32xf16>) outs(%y : memref<8x24xf32>)
  return
}

// -----

func.func @strided(%x: memref<8x32xf16, strided<[40, 1], offset: 4>>, %w: memref<16x32xf16>, %y: memref<8x16xf32>) {
  // expected-remark @below {{expected rows that start at multiples of 16 bytes, but found memref<8x32xf16, strided<[40, 1], offset: 4>>}}
  posenc.linear ins(%x, %w : memref<8x32xf16, strided<[40, 1], offset: 4>>, memref<16x32xf16>) outs(%y : memref<8x16xf32>)
  return
}

// -----

// CHECK-LABEL: func @named(
// CHECK: pgpu.mma
func.func @named(%x: memref<8x32xf16>, %w: memref<16x32xf16>, %y: memref<8x16xf32>) {
  posenc.linear ins(%x, %w : memref<8x32xf16>, memref<16x32xf16>) outs(%y : memref<8x16xf32>)
    {posenc.schedule = #posenc.schedule<mma>}
  return
}
