// A chip without the instructions; the widest heads fit all others.
// RUN: not pe-opt %s --posenc-map-to-gpu=chip=sm_75 2>&1 | FileCheck %s --check-prefix=OLD
// OLD: error: 'posenc.attention' op cannot have the form 'mma': expected sm_80 or later for products of 16 x 8 x 16, but found sm_75
// RUN: pe-opt %s --posenc-map-to-gpu=chip=sm_86 | FileCheck %s
// CHECK: %[[BYTES:.*]] = arith.constant 98304 : i32
// CHECK: gpu.launch {{.*}}dynamic_shared_memory_size %[[BYTES]]
// CHECK: pgpu.mma
func.func @wide(%q: memref<1x8x64x256xf16>, %o: memref<1x8x64x256xf16>) {
  posenc.attention ins(%q, %q, %q : memref<1x8x64x256xf16>, memref<1x8x64x256xf16>, memref<1x8x64x256xf16>)
    outs(%o : memref<1x8x64x256xf16>) {posenc.schedule = #posenc.schedule<mma>, scale = 0.0625 : f32}
  return
}
