// RUN: pe-opt %s --posenc-vectorize-linear=vector-bits=256 --canonicalize --cse | FileCheck %s

// CHECK-LABEL: func.func @norm(
// CHECK: scf.parallel
// CHECK: func.call @posenc_layer_norm(
func.func @norm(%x: memref<?x?x100xf32>, %g: memref<100xf32>, %b: memref<100xf32>, %y: memref<?x?x100xf32>) {
  posenc.layer_norm ins(%x, %g, %b : memref<?x?x100xf32>, memref<100xf32>, memref<100xf32>)
                    outs(%y : memref<?x?x100xf32>) {eps = 1.0e-12 : f32}
  return
}

// CHECK-LABEL: func.func @half(
// CHECK: call @posenc_map(
func.func @half(%x: memref<1x8x?x64xf32>, %t: memref<?x32xf32>, %y: memref<1x8x?x64xf32>, %first: index) {
  %zero = arith.constant 0 : index
  posenc.map ins(%x : memref<1x8x?x64xf32>) outs(%y : memref<1x8x?x64xf32>) at(%zero, %zero, %first) {
  ^bb0(%a: f32, %b: f32, %n: index, %h: index, %i: index, %c: index):
    %cos = memref.load %t[%i, %c] : memref<?x32xf32>
    %0 = arith.mulf %a, %cos : f32
    %1 = arith.mulf %b, %cos : f32
    posenc.yield %0, %1 : f32, f32
  } {channels = #posenc.channels<half, offset = 0, width = 64>}
  return
}

// CHECK-LABEL: func.func @interleaved(
// CHECK: call @posenc_map_0(
func.func @interleaved(%x: memref<1x?x32xf32>, %y: memref<1x?x32xf32>) {
  posenc.map ins(%x : memref<1x?x32xf32>) outs(%y : memref<1x?x32xf32>) {
  ^bb0(%a: f32, %b: f32, %n: index, %h: index, %i: index, %c: index):
    posenc.yield %b, %a : f32, f32
  } {channels = #posenc.channels<interleaved, offset = 8, width = 16>}
  return
}

// A loop over what varies between channels has no vector form.
// CHECK-LABEL: func.func @loop(
// CHECK: call @posenc_map_1(
func.func @loop(%x: memref<1x?x32xf32>, %y: memref<1x?x32xf32>) {
  posenc.map ins(%x : memref<1x?x32xf32>) outs(%y : memref<1x?x32xf32>) {
  ^bb0(%a: f32, %n: index, %h: index, %i: index, %c: index):
    %zero = arith.constant 0 : index
    %one = arith.constant 1 : index
    %r = scf.for %k = %zero to %c step %one iter_args(%acc = %a) -> (f32) {
      %s = arith.addf %acc, %a : f32
      scf.yield %s : f32
    }
    posenc.yield %r : f32
  } {channels = #posenc.channels<each, offset = 0, width = 0>}
  return
}

// Four rows at a time, whose sums become the lanes of one vector; what is left one by one,
// by four chains of sums.
// CHECK: func.func private @posenc_layer_norm(
// CHECK: scf.for {{.*}} -> (vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>)
// CHECK: vector.shuffle
// CHECK-COUNT-4: math.sqrt
// CHECK-COUNT-4: vector.store
// CHECK: scf.for {{.*}} -> (vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>)
// CHECK: math.sqrt
// CHECK: vector.store

// CHECK: func.func private @posenc_map(
// CHECK: vector.load %{{.*}} : memref<1x8x?x64xf32>, vector<8xf32>
// CHECK: vector.load %{{.*}} : memref<1x8x?x64xf32>, vector<8xf32>
// CHECK: vector.load %{{.*}} : memref<?x32xf32>, vector<8xf32>
// CHECK-COUNT-2: vector.store

// Channels outside are copied.
// CHECK: func.func private @posenc_map_0(
// CHECK-COUNT-2: vector.store
// CHECK: vector.deinterleave
// CHECK: vector.interleave

// CHECK: func.func private @posenc_map_1(
// CHECK-NOT: vector<
