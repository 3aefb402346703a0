// Appending to a cache is a kernel, whose threads go along the channels of a row. Decoding
// reads the cache, if chunks are whole pieces of 16 bytes, and its rows else. A caller that
// has the caches on the device has them changed there, and nothing is copied.
// RUN: pe-opt %s --posenc-nvptx="to=place resident" | FileCheck %s
// RUN: pe-opt %s --posenc-nvptx="to=place resident form=simt" | FileCheck %s --check-prefix=ROWS
// RUN: sed 's/1x16x64x/64x16x1x/g' %s | pe-opt --posenc-nvptx="to=place resident" | FileCheck %s --check-prefix=ROWS
// CHECK-LABEL: func.func @step(
// CHECK-SAME: %[[K:[^:]+]]: memref<1x2x?x1x16x64xf16>, %[[V:[^:]+]]: memref<1x2x?x1x16x64xf16>,
// CHECK-NOT: gpu.memcpy
// CHECK-NOT: memref.store
// CHECK-COUNT-2: @posenc_kernels::@elementwise
// CHECK-NOT: @posenc_kernels::@elementwise
// CHECK: @posenc_kernels::@decode {{.*}} %[[K]] : {{.*}} %[[V]] :
// CHECK-NOT: gpu.memcpy
// CHECK: return %{{.*}}, %[[K]], %[[V]] :
// CHECK: gpu.func @elementwise
// CHECK: memref.store {{.*}} : memref<1x2x?x1x16x64xf16>
// ROWS-COUNT-4: @posenc_kernels::@elementwise

// Any other caller has each copied to the device once, and back.
// RUN: pe-opt %s --posenc-nvptx=to=place | FileCheck %s --check-prefix=COPIES
// COPIES-COUNT-4: gpu.memcpy {{.*}} : memref<1x2x?x1x16x64xf16>
// COPIES-NOT: gpu.memcpy {{.*}} : memref<1x2x?x1x16x64xf16>

// The bytes of what is appended and of 300 keys and values.
// RUN: pe-runner %s --pipeline=posenc-nvptx --device=emulator --check --check-leaks --counts --verify --tolerance=2e-3 --input=1x8x1x64=random:1 --input=1x2x1x64=random:2 --input=1x2x1x64=random:3 --input=1x2x20x1x16x64=random:4 --input=1x2x20x1x16x64=random:5 --input=299 | FileCheck %s --check-prefix=COUNTS
// COUNTS: kernel 'decode'
// COUNTS: global loads of warps: {{.*}} 49{{..}} sectors
// COUNTS: kernel 'elementwise': 2 launches
// COUNTS: global stores of warps: 8, 512 bytes, 16 sectors
func.func @step(%q: tensor<1x8x1x64xf16>, %k: tensor<1x2x1x64xf16>, %v: tensor<1x2x1x64xf16>,
                %keys: tensor<1x2x?x1x16x64xf16> {bufferization.writable = true},
                %values: tensor<1x2x?x1x16x64xf16> {bufferization.writable = true}, %past: index)
    -> (tensor<1x8x1x64xf16>, tensor<1x2x?x1x16x64xf16>, tensor<1x2x?x1x16x64xf16>) {
  %one = arith.constant 1 : index
  %n = arith.addi %past, %one : index
  %keys1 = posenc.append %k into %keys at %past : tensor<1x2x1x64xf16> into tensor<1x2x?x1x16x64xf16>
  %values1 = posenc.append %v into %values at %past : tensor<1x2x1x64xf16> into tensor<1x2x?x1x16x64xf16>
  %ka = posenc.rows %n of %keys1 : tensor<1x2x?x1x16x64xf16> -> tensor<1x2x?x64xf16>
  %va = posenc.rows %n of %values1 : tensor<1x2x?x1x16x64xf16> -> tensor<1x2x?x64xf16>
  %s = posenc.scores %q, %ka : (tensor<1x8x1x64xf16>, tensor<1x2x?x64xf16>) -> tensor<1x8x1x?xf32>
  %o = posenc.attend %s, %va : (tensor<1x8x1x?xf32>, tensor<1x2x?x64xf16>) -> tensor<1x8x1x64xf16>
  return %o, %keys1, %values1 : tensor<1x8x1x64xf16>, tensor<1x2x?x1x16x64xf16>, tensor<1x2x?x1x16x64xf16>
}
