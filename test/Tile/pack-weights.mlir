// RUN: pe-opt %s --split-input-file --posenc-pack-weights=vector-bits=256 | FileCheck %s
// RUN: pe-opt %s --split-input-file --posenc-pack-weights=vector-bits=512 | FileCheck %s --check-prefix=WIDE

// A register tile is 16 outputs wide with 256 bits; with 512 bits 32, or less
// where that would pad far more.
// WIDE: memref<3x8x16xf32> = uninitialized
// WIDE-LABEL: func.func @arguments(
// WIDE: tensor<1x8x32xf32>

// Weights of bf16 are packed in pairs of inputs where those are multiplied.
// RUN: pe-opt %s --split-input-file --posenc-pack-weights="vector-bits=512 bf16-pairs bf16-weights" | FileCheck %s --check-prefix=PAIRS
// RUN: pe-opt %s --split-input-file --posenc-pack-weights="vector-bits=512 bf16-weights" | FileCheck %s --check-prefix=SINGLE
// PAIRS: memref<3x4x16x2xbf16> = uninitialized
// PAIRS-LABEL: func.func private @posenc_pack(%{{.*}}: tensor<40x8xf32>, %{{.*}}: memref<3x4x16x2xbf16>)
// PAIRS: %[[E:.*]] = tensor.expand_shape %{{.*}} {{\[\[}}0, 1], [2, 3]] output_shape [3, 16, 4, 2]
// PAIRS: linalg.transpose ins(%[[E]] {{.*}} permutation = [0, 2, 1, 3]
// SINGLE: memref<3x8x16xbf16> = uninitialized

// A weight from the file is packed once, by the load function, for all layers
// that use it.
// CHECK: memref.global "private" @packed_layer_weight : memref<3x8x16xf32> = uninitialized {alignment = 64 : i64}
// CHECK-LABEL: func.func @shared(
// CHECK-NOT: posenc.weight @
// CHECK: memref.get_global @packed_layer_weight
// CHECK: %[[W:.*]] = bufferization.to_tensor %{{.*}} restrict
// CHECK: posenc.linear ins(%{{.*}}, %[[W]] : tensor<?x8xf32>, tensor<3x8x16xf32>)
// CHECK: memref.get_global @packed_layer_weight
// CHECK: posenc.linear
// CHECK-LABEL: func.func @posenc_load()
// CHECK: %[[F:.*]] = posenc.weight @weights "layer.weight" at 128
// CHECK: %[[B:.*]] = memref.get_global @packed_layer_weight
// CHECK: call @posenc_pack(%[[F]], %[[B]]) : (tensor<40x8xf32>, memref<3x8x16xf32>) -> ()
// CHECK-NOT: posenc.weight @
// CHECK: return
// CHECK-LABEL: func.func private @posenc_pack(
// CHECK-SAME: %[[W:.*]]: tensor<40x8xf32>, %[[TO:.*]]: memref<3x8x16xf32>) attributes {no_inline, passthrough = ["noinline"]}
// CHECK: %[[P:.*]] = tensor.pad %[[W]] low[0, 0] high[8, 0]
// CHECK: %[[E:.*]] = tensor.expand_shape %[[P]] {{\[\[}}0, 1], [2]] output_shape [3, 16, 8]
// CHECK: linalg.transpose ins(%[[E]] {{.*}} permutation = [0, 2, 1]
// CHECK: bufferization.materialize_in_destination %{{.*}} in restrict writable %[[TO]]
posenc.weights @weights {path = "model.safetensors", size = 100000 : i64, header_hash = 7 : i64}
func.func @shared(%x: tensor<?x8xf32>, %init: tensor<?x40xf32>) -> (tensor<?x40xf32>, tensor<?x40xf32>) {
  %w = posenc.weight @weights "layer.weight" at 128 : tensor<40x8xf32>
  %y = posenc.linear ins(%x, %w : tensor<?x8xf32>, tensor<40x8xf32>) outs(%init : tensor<?x40xf32>) -> tensor<?x40xf32>
  %v = posenc.weight @weights "tied.weight" at 128 : tensor<40x8xf32>
  %z = posenc.linear ins(%x, %v : tensor<?x8xf32>, tensor<40x8xf32>) outs(%init : tensor<?x40xf32>) -> tensor<?x40xf32>
  return %y, %z : tensor<?x40xf32>, tensor<?x40xf32>
}

// -----

// Weights that are put together from several are packed once as well, and what
// is put together for them is joined once. A bias by itself stays in the file.
// CHECK-LABEL: func.func @joined(
// CHECK-NOT: tensor.concat
// CHECK: posenc.weight @weights "r"
// CHECK: memref.get_global @joined_b
// CHECK-LABEL: func.func @posenc_load()
// CHECK-COUNT-2: tensor.concat
posenc.weights @weights {path = "model.safetensors", size = 100000 : i64, header_hash = 7 : i64}
func.func @joined(%x: tensor<?x8xf32>, %init: tensor<?x48xf32>) -> tensor<?x48xf32> {
  %q = posenc.weight @weights "q" at 128 : tensor<16x8xf32>
  %k = posenc.weight @weights "k" at 640 : tensor<32x8xf32>
  %w = tensor.concat dim(0) %q, %k : (tensor<16x8xf32>, tensor<32x8xf32>) -> tensor<48x8xf32>
  %b = posenc.weight @weights "b" at 1664 : tensor<16xf32>
  %c = posenc.weight @weights "c" at 1728 : tensor<32xf32>
  %bc = tensor.concat dim(0) %b, %c : (tensor<16xf32>, tensor<32xf32>) -> tensor<48xf32>
  %r = posenc.weight @weights "r" at 1856 : tensor<48xf32>
  %y = posenc.linear ins(%x, %w : tensor<?x8xf32>, tensor<48x8xf32>) with(%bc, %r : tensor<48xf32>, tensor<48xf32>)
    outs(%init : tensor<?x48xf32>) -> tensor<?x48xf32>
  return %y : tensor<?x48xf32>
}

// -----

// Others are packed at their use; dynamic ones stay as they are.
// CHECK-LABEL: func.func @arguments(
// CHECK-NOT: memref
// CHECK: linalg.transpose
// CHECK: posenc.linear ins(%{{.*}} : tensor<?x8xf32>, tensor<2x8x16xf32>)
// CHECK: posenc.linear ins(%{{.*}} : tensor<?x8xf32>, tensor<?x8xf32>)
// CHECK-NOT: @posenc_load
func.func @arguments(%x: tensor<?x8xf32>, %w: tensor<32x8xf32>, %v: tensor<?x8xf32>, %init: tensor<?x32xf32>,
    %other: tensor<?x?xf32>) -> (tensor<?x32xf32>, tensor<?x?xf32>) {
  %y = posenc.linear ins(%x, %w : tensor<?x8xf32>, tensor<32x8xf32>) outs(%init : tensor<?x32xf32>) -> tensor<?x32xf32>
  %z = posenc.linear ins(%x, %v : tensor<?x8xf32>, tensor<?x8xf32>) outs(%other : tensor<?x?xf32>) -> tensor<?x?xf32>
  return %y, %z : tensor<?x32xf32>, tensor<?x?xf32>
}
