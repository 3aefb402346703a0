// Equal operations share a kernel: what their regions use from outside is an
// argument, but for constants. A C interface is for callers, not for kernels.
// RUN: pe-opt %s --posenc-vectorize-attention=vector-bits=256 --posenc-vectorize-linear=vector-bits=256 --canonicalize --cse | FileCheck %s
// RUN: pe-opt %s --posenc-vectorize-attention=vector-bits=256 --posenc-vectorize-linear=vector-bits=256 --posenc-cpu=from=llvm | FileCheck %s --check-prefix=LLVM

// CHECK-LABEL: func.func @attention({{.*}} attributes {llvm.emit_c_interface}
// CHECK:         call @posenc_attention(
// CHECK:         call @posenc_attention(
// CHECK:         call @posenc_attention_0(
// CHECK-LABEL: func.func @map(
// CHECK:         call @posenc_map(
// CHECK:         call @posenc_map(
// CHECK:       func.func private @posenc_attention({{.*}}) attributes {no_inline, {{.*}}} {
// CHECK:       func.func private @posenc_attention_0({{.*}}) attributes {no_inline, {{.*}}} {
// CHECK:       func.func private @posenc_map({{.*}}) attributes {no_inline, {{.*}}} {
// CHECK-NOT:   func.func

// LLVM:     llvm.func @_mlir_ciface_attention(
// LLVM:     llvm.func @_mlir_ciface_map(
// LLVM-NOT: @_mlir_ciface_posenc
// LLVM:     llvm.func @posenc_attention({{.*}}"noinline"
func.func @attention(%q: memref<1x8x?x64xf32>, %o: memref<1x8x?x64xf32>, %near: memref<8x1000xf32>,
                     %far: memref<8x1000xf32>) attributes {llvm.emit_c_interface} {
  posenc.attention ins(%q, %q, %q : memref<1x8x?x64xf32>, memref<1x8x?x64xf32>, memref<1x8x?x64xf32>)
                   outs(%o : memref<1x8x?x64xf32>)
    score {
    ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
      %t = memref.load %near[%h, %j] : memref<8x1000xf32>
      %r = arith.addf %s, %t : f32
      posenc.yield %r : f32
    } {scale = 0.125 : f32}
  posenc.attention ins(%q, %o, %o : memref<1x8x?x64xf32>, memref<1x8x?x64xf32>, memref<1x8x?x64xf32>)
                   outs(%o : memref<1x8x?x64xf32>)
    score {
    ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
      %t = memref.load %far[%h, %j] : memref<8x1000xf32>
      %r = arith.addf %s, %t : f32
      posenc.yield %r : f32
    } {scale = 0.125 : f32}
  posenc.attention ins(%q, %o, %o : memref<1x8x?x64xf32>, memref<1x8x?x64xf32>, memref<1x8x?x64xf32>)
                   outs(%o : memref<1x8x?x64xf32>) {scale = 0.125 : f32}
  return
}

memref.global "private" constant @first : memref<32xf32> = dense<1.0>
memref.global "private" constant @second : memref<32xf32> = dense<2.0>
func.func @map(%x: memref<1x?x32xf32>) attributes {llvm.emit_c_interface} {
  %first = memref.get_global @first : memref<32xf32>
  %second = memref.get_global @second : memref<32xf32>
  posenc.map ins(%x : memref<1x?x32xf32>) outs(%x : memref<1x?x32xf32>) {
  ^bb0(%a: f32, %n: index, %h: index, %i: index, %c: index):
    %t = memref.load %first[%c] : memref<32xf32>
    %r = arith.mulf %a, %t : f32
    posenc.yield %r : f32
  } {channels = #posenc.channels<each, offset = 0, width = 0>}
  posenc.map ins(%x : memref<1x?x32xf32>) outs(%x : memref<1x?x32xf32>) {
  ^bb0(%a: f32, %n: index, %h: index, %i: index, %c: index):
    %t = memref.load %second[%c] : memref<32xf32>
    %r = arith.mulf %a, %t : f32
    posenc.yield %r : f32
  } {channels = #posenc.channels<each, offset = 0, width = 0>}
  return
}
