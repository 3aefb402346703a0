// Where linear layers make what is read by heads, each head's rows follow each other.
// RUN: pe-opt %s --posenc-group-heads=vector-bits=512 --canonicalize --cse | FileCheck %s

// Queries, keys and values of one product, of two query heads for each key head: the
// layer writes [rows, heads, 32], attention has the heads of its part.
// CHECK-LABEL: func.func @merged(
// CHECK-SAME:    %[[X:.*]]: memref<?x?x8xf32>, {{.*}}, %[[B:.*]]: index, %[[S:.*]]: index,
// CHECK:         %[[BUFFER:.*]] = memref.alloc(%[[B]], %[[S]]) {alignment = 64 : i64} : memref<8x?x?x32xf32>
// CHECK:         %[[ALL:.*]] = memref.reinterpret_cast %[[BUFFER]] to offset: [0], sizes: [%[[B]], %[[S]], 8, 32], strides: [%{{.*}}, 32, %{{.*}}, 1]
// CHECK:         %[[ROWS:.*]] = memref.reinterpret_cast %[[BUFFER]] to offset: [0], sizes: [%{{.*}}, 8, 32], strides: [32, %{{.*}}, 1]
// CHECK:         %[[IN:.*]] = memref.collapse_shape %[[X]] {{\[\[}}0, 1], [2]]
// CHECK:         posenc.linear ins(%[[IN]], {{.*}}) outs(%[[ROWS]] : memref<?x8x32xf32, strided<[32, ?, 1]>>)
// CHECK-DAG:     %[[Q:.*]] = memref.subview %[[ALL]][0, 0, 0, 0] [%[[B]], %[[S]], 4, 32]
// CHECK-DAG:     %[[K:.*]] = memref.subview %[[ALL]][0, 0, 4, 0] [%[[B]], %[[S]], 2, 32]
// CHECK-DAG:     %[[V:.*]] = memref.subview %[[ALL]][0, 0, 6, 0] [%[[B]], %[[S]], 2, 32]
// CHECK:         posenc.attention ins(%[[Q]], %[[K]], %[[V]] :
func.func @merged(%x: memref<?x?x8xf32>, %w: memref<8x8x32xf32>, %bias: memref<256xf32>, %b: index, %s: index,
                  %out: memref<?x?x4x32xf32>) {
  %y = memref.alloc(%b, %s) {alignment = 64 : i64} : memref<?x?x256xf32>
  posenc.linear ins(%x, %w : memref<?x?x8xf32>, memref<8x8x32xf32>) with(%bias : memref<256xf32>)
                outs(%y : memref<?x?x256xf32>)
  %0 = memref.subview %y[0, 0, 0] [%b, %s, 128] [1, 1, 1] : memref<?x?x256xf32> to memref<?x?x128xf32, strided<[?, 256, 1]>>
  %1 = memref.subview %y[0, 0, 128] [%b, %s, 64] [1, 1, 1] : memref<?x?x256xf32> to memref<?x?x64xf32, strided<[?, 256, 1], offset: 128>>
  %2 = memref.subview %y[0, 0, 192] [%b, %s, 64] [1, 1, 1] : memref<?x?x256xf32> to memref<?x?x64xf32, strided<[?, 256, 1], offset: 192>>
  %q = memref.expand_shape %0 [[0], [1], [2, 3]] output_shape [%b, %s, 4, 32] : memref<?x?x128xf32, strided<[?, 256, 1]>> into memref<?x?x4x32xf32, strided<[?, 256, 32, 1]>>
  %k = memref.expand_shape %1 [[0], [1], [2, 3]] output_shape [%b, %s, 2, 32] : memref<?x?x64xf32, strided<[?, 256, 1], offset: 128>> into memref<?x?x2x32xf32, strided<[?, 256, 32, 1], offset: 128>>
  %v = memref.expand_shape %2 [[0], [1], [2, 3]] output_shape [%b, %s, 2, 32] : memref<?x?x64xf32, strided<[?, 256, 1], offset: 192>> into memref<?x?x2x32xf32, strided<[?, 256, 32, 1], offset: 192>>
  posenc.attention ins(%q, %k, %v : memref<?x?x4x32xf32, strided<[?, 256, 32, 1]>>, memref<?x?x2x32xf32, strided<[?, 256, 32, 1], offset: 128>>, memref<?x?x2x32xf32, strided<[?, 256, 32, 1], offset: 192>>)
                   outs(%out : memref<?x?x4x32xf32>) {layout = #posenc.layout<bshd>, scale = 1.0 : f32}
  return
}

// Heads that are no multiple of a vector stay in rows.
// CHECK-LABEL: func.func @narrow(
// CHECK:         memref.alloc({{.*}}) : memref<?x96xf32>
func.func @narrow(%x: memref<?x8xf32>, %w: memref<3x8x32xf32>, %s: index, %out: memref<?x4x24xf32>) {
  %y = memref.alloc(%s) : memref<?x96xf32>
  posenc.linear ins(%x, %w : memref<?x8xf32>, memref<3x8x32xf32>) outs(%y : memref<?x96xf32>)
  %h = memref.expand_shape %y [[0], [1, 2]] output_shape [%s, 4, 24] : memref<?x96xf32> into memref<?x4x24xf32>
  posenc.map ins(%h : memref<?x4x24xf32>) outs(%out : memref<?x4x24xf32>) {
  ^bb0(%a: f32, %n: index, %i: index, %j: index, %c: index):
    posenc.yield %a : f32
  } {channels = #posenc.channels<each, offset = 0, width = 0>}
  return
}

// So do rows that someone reads as rows, as a layer does.
// CHECK-LABEL: func.func @rows(
// CHECK:         memref.alloc({{.*}}) : memref<?x32xf32>
func.func @rows(%x: memref<?x8xf32>, %w: memref<1x8x32xf32>, %s: index, %out: memref<?x2x16xf32>,
                %w1: memref<1x32x32xf32>, %z: memref<?x32xf32>) {
  %y = memref.alloc(%s) : memref<?x32xf32>
  posenc.linear ins(%x, %w : memref<?x8xf32>, memref<1x8x32xf32>) outs(%y : memref<?x32xf32>)
  %h = memref.expand_shape %y [[0], [1, 2]] output_shape [%s, 2, 16] : memref<?x32xf32> into memref<?x2x16xf32>
  posenc.map ins(%h : memref<?x2x16xf32>) outs(%out : memref<?x2x16xf32>) {
  ^bb0(%a: f32, %n: index, %i: index, %j: index, %c: index):
    posenc.yield %a : f32
  } {channels = #posenc.channels<each, offset = 0, width = 0>}
  posenc.linear ins(%y, %w1 : memref<?x32xf32>, memref<1x32x32xf32>) outs(%z : memref<?x32xf32>)
  return
}
