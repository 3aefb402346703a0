// Attention as a kernel of tiles and fragments: queries as they are, two stages of
// keys and values, and a loop over the live keys only.
// RUN: pe-opt %s --posenc-nvptx=to=kernels | FileCheck %s

// CHECK-LABEL: func.func @causal(
// CHECK: gpu.launch_func @posenc_kernels::@mma_attention {{.*}} dynamic_shared_memory_size
// CHECK-LABEL: gpu.func @mma_attention
// CHECK-DAG: pgpu.alloc : <1x128x64xbf16>
// CHECK-DAG: pgpu.alloc : <2x64x64xbf16>
// CHECK-DAG: pgpu.alloc : <2x64x64xbf16>
// CHECK-COUNT-3: pgpu.copy
// CHECK: nvvm.cp.async.commit.group
// CHECK: scf.for
// CHECK: nvvm.cp.async.wait.group 0
// CHECK: gpu.barrier
// CHECK: scf.if
// CHECK-COUNT-2: pgpu.copy
// CHECK: nvvm.cp.async.commit.group
// Blocks that every row sees whole do not ask the mask: four steps of 16 channels, of
// two strips of 16 rows and four pieces of 16 keys.
// CHECK: scf.if
// CHECK: pgpu.load {{.*}} as left
// CHECK: pgpu.load {{.*}} as transposed right
// CHECK-COUNT-32: pgpu.mma
// CHECK-NOT: arith.select {{.*}} : vector<8xi1>
// CHECK: pgpu.row_reduce max
// CHECK: pgpu.quad_reduce max
// Sums are scaled only when a score exceeds by far what is subtracted.
// CHECK: nvvm.vote.sync any
// CHECK: scf.if
// CHECK: math.exp2 {{.*}} : vector<2xf32>
// CHECK: math.exp2 {{.*}} : vector<8xf32>
// CHECK: pgpu.row_reduce add
// CHECK: arith.truncf {{.*}} : vector<8xf32> to vector<8xbf16>
// CHECK: pgpu.load {{.*}} as right
// CHECK-COUNT-32: pgpu.mma
// CHECK: else
// Warps skip blocks that none of their rows sees.
// CHECK: scf.if
// CHECK-COUNT-32: pgpu.mma
// CHECK: arith.cmpi
// CHECK: arith.select {{.*}} : vector<8xi1>
// CHECK-COUNT-32: pgpu.mma
// CHECK: pgpu.quad_reduce add
// CHECK: pgpu.store
func.func @causal(%q: tensor<1x8x?x64xbf16>, %k: tensor<1x2x?x64xbf16>, %v: tensor<1x2x?x64xbf16>)
    -> tensor<1x8x?x64xbf16> {
  %s = posenc.scores %q, %k : (tensor<1x8x?x64xbf16>, tensor<1x2x?x64xbf16>) -> tensor<1x8x?x?xf32>
  %m = posenc.causal %s : (tensor<1x8x?x?xf32>) -> tensor<1x8x?x?xf32>
  %o = posenc.attend %m, %v : (tensor<1x8x?x?xf32>, tensor<1x2x?x64xbf16>) -> tensor<1x8x?x64xbf16>
  return %o : tensor<1x8x?x64xbf16>
}
