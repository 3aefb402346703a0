// Why attention has no form of matrix instructions; it gets another one then.
// RUN: pe-opt %s --posenc-map-to-gpu=chip=sm_86 --remarks-filter=posenc-map-to-gpu \
// RUN:   --remark-format=emitRemark --split-input-file --verify-diagnostics | FileCheck %s

// CHECK-LABEL: func @types(
// CHECK: gpu.launch
// CHECK-NOT: pgpu
// CHECK: return
func.func @types(%q: memref<1x8x64x64xf32>, %k: memref<1x8x64x64xf32>, %o: memref<1x8x64x64xf32>) {
  // expected-remark @below {{expected queries, keys and values of f16, or all of bf16, but found memref<1x8x64x64xf32>}}
  // expected-remark @below {{expected at least one and at most 16 queries, a number known when compiling}}
  posenc.attention ins(%q, %k, %k : memref<1x8x64x64xf32>, memref<1x8x64x64xf32>, memref<1x8x64x64xf32>)
    outs(%o : memref<1x8x64x64xf32>) {scale = 0.125 : f32}
  return
}

// -----

func.func @mixed(%q: memref<1x8x64x64xf16>, %k: memref<1x8x64x64xbf16>, %o: memref<1x8x64x64xf16>) {
  // expected-remark @below {{expected queries, keys and values of f16, or all of bf16, but found memref<1x8x64x64xbf16>}}
  // expected-remark @below {{expected at least one and at most 16 queries, a number known when compiling}}
  posenc.attention ins(%q, %k, %k : memref<1x8x64x64xf16>, memref<1x8x64x64xbf16>, memref<1x8x64x64xbf16>)
    outs(%o : memref<1x8x64x64xf16>) {scale = 0.125 : f32}
  return
}

// -----

func.func @width(%q: memref<1x8x64x24xf16>, %o: memref<1x8x64x24xf16>) {
  // expected-remark @below {{expected a head width that is a multiple of 16 up to 256, but found memref<1x8x64x24xf16>}}
  // expected-remark @below {{expected at least one and at most 16 queries, a number known when compiling}}
  posenc.attention ins(%q, %q, %q : memref<1x8x64x24xf16>, memref<1x8x64x24xf16>, memref<1x8x64x24xf16>)
    outs(%o : memref<1x8x64x24xf16>) {scale = 0.125 : f32}
  return
}

// -----

func.func @wide(%q: memref<1x1x64x16xf16>, %v: memref<1x1x64x272xf16>, %o: memref<1x1x64x272xf16>) {
  // expected-remark @below {{expected a head width that is a multiple of 16 up to 256, but found memref<1x1x64x272xf16>}}
  // expected-remark @below {{expected at least one and at most 16 queries, a number known when compiling}}
  posenc.attention ins(%q, %q, %v : memref<1x1x64x16xf16>, memref<1x1x64x16xf16>, memref<1x1x64x272xf16>)
    outs(%o : memref<1x1x64x272xf16>) {scale = 0.125 : f32}
  return
}

// -----

func.func @strided(%q: memref<1x8x64x32xf16, strided<[16384, 2048, 32, 1], offset: ?>>, %o: memref<1x8x64x32xf16>) {
  // expected-remark @below {{expected rows that start at multiples of 16 bytes, but found memref<1x8x64x32xf16, strided<[16384, 2048, 32, 1], offset: ?>>}}
  // expected-remark @below {{expected at least one and at most 16 queries, a number known when compiling}}
  posenc.attention ins(%q, %q, %q : memref<1x8x64x32xf16, strided<[16384, 2048, 32, 1], offset: ?>>, memref<1x8x64x32xf16, strided<[16384, 2048, 32, 1], offset: ?>>, memref<1x8x64x32xf16, strided<[16384, 2048, 32, 1], offset: ?>>)
    outs(%o : memref<1x8x64x32xf16>) {scale = 0.125 : f32}
  return
}

// -----

func.func @result(%q: memref<1x8x64x32xf16>, %o: memref<1x8x64x32xf16, strided<[16384, 2048, 32, 1], offset: ?>>) {
  // expected-remark @below {{expected results in row-major order, but found}}
  // expected-remark @below {{expected at least one and at most 16 queries, a number known when compiling}}
  posenc.attention ins(%q, %q, %q : memref<1x8x64x32xf16>, memref<1x8x64x32xf16>, memref<1x8x64x32xf16>)
    outs(%o : memref<1x8x64x32xf16, strided<[16384, 2048, 32, 1], offset: ?>>) {scale = 0.125 : f32}
  return
}

// -----

func.func @few(%q: memref<1x8x16x32xf16>, %k: memref<1x8x64x32xf16>, %o: memref<1x8x16x32xf16>) {
  // expected-remark @below {{expected more than 16 queries, but found memref<1x8x16x32xf16>}}
  posenc.attention ins(%q, %k, %k : memref<1x8x16x32xf16>, memref<1x8x64x32xf16>, memref<1x8x64x32xf16>)
    outs(%o : memref<1x8x16x32xf16>) {scale = 0.125 : f32}
  return
}

// -----

// Asked for by name, it is an error.
func.func @named(%q: memref<1x8x64x24xf16>, %o: memref<1x8x64x24xf16>) {
  // expected-error @below {{cannot have the form 'mma': expected a head width that is a multiple of 16 up to 256, but found memref<1x8x64x24xf16>}}
  posenc.attention ins(%q, %q, %q : memref<1x8x64x24xf16>, memref<1x8x64x24xf16>, memref<1x8x64x24xf16>)
    outs(%o : memref<1x8x64x24xf16>) {posenc.schedule = #posenc.schedule<mma>, scale = 0.125 : f32}
  return
}
