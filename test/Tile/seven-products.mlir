// RUN: pe-opt %s --split-input-file --posenc-pack-weights="vector-bits=512 seven-products" | FileCheck %s
// RUN: pe-opt %s --split-input-file --posenc-pack-weights="vector-bits=512 seven-products bf16-weights" | FileCheck %s --check-prefix=NONE
// RUN: pe-opt %s --split-input-file --posenc-pack-weights=vector-bits=512 | FileCheck %s --check-prefix=NONE
// NONE-NOT: sums
// NONE-NOT: summed

// A packed weight and the sums of its blocks are prepared once, for all layers that use
// it. Of five panels the last one has no partner.
// CHECK-DAG: memref.global "private" @summed_w : memref<4x2x32x32xf32>
// CHECK-DAG: memref.global "private" @packed_w : memref<5x64x32xf32>
// CHECK-LABEL: func.func @layers(
// CHECK: posenc.linear ins({{.*}} : tensor<?x64xf32>, tensor<5x64x32xf32>) sums(%{{.*}} : tensor<4x2x32x32xf32>)
// CHECK: posenc.linear {{.*}} sums(
// CHECK-LABEL: func.func @posenc_load()
// CHECK-COUNT-2: call @posenc_pack{{.*}} memref<{{5x64x32|4x2x32x32}}xf32>
// CHECK-NOT: call
// The even and the odd panels, the first and the second half of the inputs.
// CHECK: func.func private @posenc_pack{{.*}}memref<4x2x32x32xf32>)
// CHECK: tensor.extract_slice %{{.*}}[0, 0, 0] [2, 32, 32] [2, 1, 1]
// CHECK: tensor.extract_slice %{{.*}}[0, 32, 0] [2, 32, 32] [2, 1, 1]
// CHECK: tensor.extract_slice %{{.*}}[1, 0, 0] [2, 32, 32] [2, 1, 1]
// CHECK: tensor.extract_slice %{{.*}}[1, 32, 0] [2, 32, 32] [2, 1, 1]
// CHECK: linalg.generic
// CHECK-COUNT-4: arith.subf {{.*}} : f64
// CHECK: arith.truncf
posenc.weights @weights {path = "model.safetensors", size = 100000 : i64, header_hash = 7 : i64}
func.func @layers(%x: tensor<?x64xf32>, %init: tensor<?x160xf32>) -> (tensor<?x160xf32>, tensor<?x160xf32>) {
  %w = posenc.weight @weights "w" at 128 : tensor<160x64xf32>
  %y = posenc.linear ins(%x, %w : tensor<?x64xf32>, tensor<160x64xf32>) outs(%init : tensor<?x160xf32>) -> tensor<?x160xf32>
  %z = posenc.linear ins(%x, %w : tensor<?x64xf32>, tensor<160x64xf32>) outs(%y : tensor<?x160xf32>) -> tensor<?x160xf32>
  return %y, %z : tensor<?x160xf32>, tensor<?x160xf32>
}

// -----

// None for few rows, for a width that is no multiple of two vectors or too large, for one
// panel alone, for bf16, and for a weight that is not known when loading.
// CHECK-LABEL: func.func @without(
// CHECK-NOT: sums
posenc.weights @weights {path = "model.safetensors", size = 1000000 : i64, header_hash = 7 : i64}
func.func @without(%few: tensor<5x64xf32>, %odd: tensor<?x48xf32>, %wide: tensor<?x4096xf32>, %x: tensor<?x64xf32>,
    %low: tensor<?x64xbf16>, %v: tensor<96x64xf32>, %y5: tensor<5x96xf32>, %y: tensor<?x96xf32>, %y32: tensor<?x32xf32>) {
  %w = posenc.weight @weights "w" at 128 : tensor<96x64xf32>
  %w48 = posenc.weight @weights "w48" at 128 : tensor<96x48xf32>
  %w4096 = posenc.weight @weights "w4096" at 128 : tensor<32x4096xf32>
  %w32 = posenc.weight @weights "w32" at 128 : tensor<32x64xf32>
  %0 = posenc.linear ins(%few, %w : tensor<5x64xf32>, tensor<96x64xf32>) outs(%y5 : tensor<5x96xf32>) -> tensor<5x96xf32>
  %1 = posenc.linear ins(%odd, %w48 : tensor<?x48xf32>, tensor<96x48xf32>) outs(%y : tensor<?x96xf32>) -> tensor<?x96xf32>
  %2 = posenc.linear ins(%wide, %w4096 : tensor<?x4096xf32>, tensor<32x4096xf32>) outs(%y32 : tensor<?x32xf32>) -> tensor<?x32xf32>
  %3 = posenc.linear ins(%x, %w32 : tensor<?x64xf32>, tensor<32x64xf32>) outs(%y32 : tensor<?x32xf32>) -> tensor<?x32xf32>
  %4 = posenc.linear ins(%low, %w : tensor<?x64xbf16>, tensor<96x64xf32>) outs(%y : tensor<?x96xf32>) -> tensor<?x96xf32>
  %5 = posenc.linear ins(%x, %v : tensor<?x64xf32>, tensor<96x64xf32>) outs(%y : tensor<?x96xf32>) -> tensor<?x96xf32>
  return
}
