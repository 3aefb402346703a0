// Tiles become addresses, fragments registers of instructions.
// RUN: pe-opt %s --pass-pipeline='builtin.module(gpu.module(posenc-lower-fragments,canonicalize,cse))' | FileCheck %s

gpu.module @kernels {
  // Two tiles, the second behind the first. Rows have 8 pieces, and piece c of row r
  // lies at c xor r mod 8.
  // CHECK-LABEL: gpu.func @copy
  // CHECK-DAG: %[[BASE:.*]] = llvm.mlir.addressof @pgpu_shared
  // CHECK-DAG: %[[C0:.*]] = arith.constant 0 : i32
  // CHECK-DAG: %[[C8:.*]] = arith.constant 8 : i32
  // CHECK-DAG: %[[C16:.*]] = arith.constant 16 : i32
  // CHECK-DAG: %[[PITCH:.*]] = arith.constant 128 : i32
  // CHECK: %[[ID:.*]] = gpu.thread_id x
  // CHECK: %[[THREAD:.*]] = arith.index_cast %[[ID]] : index to i32
  // CHECK: %[[ROW:.*]] = arith.divui %[[THREAD]], %[[C8]]
  // CHECK: %[[PIECE:.*]] = arith.remui %[[THREAD]], %[[C8]]
  // CHECK: %[[FIRST:.*]] = arith.addi %{{.*}}, %[[ROW]]
  // CHECK: %[[COUNT:.*]] = arith.subi %{{.*}}, %[[FIRST]]
  // CHECK: %[[START:.*]] = arith.addi %{{.*}} : i64
  // CHECK: %[[START:.*]] = arith.addi %{{.*}} : i64
  // CHECK: %[[EXISTS:.*]] = arith.cmpi sgt, %[[COUNT]], %[[C0]]
  // CHECK: %[[BYTES:.*]] = arith.select %[[EXISTS]], %[[C16]], %[[C0]]
  // CHECK: %[[LOW:.*]] = arith.remui %[[ROW]], %[[C8]]
  // CHECK: %[[AT:.*]] = arith.xori %[[PIECE]], %[[LOW]]
  // CHECK: arith.muli %[[AT]], %[[C16]]
  // CHECK: %[[LOCAL:.*]] = llvm.getelementptr %[[BASE]]
  // CHECK: %[[TO:.*]] = llvm.getelementptr %[[LOCAL]][4096]
  // CHECK: %[[FROM:.*]] = llvm.inttoptr %[[START]] : i64 to !llvm.ptr<1>
  // CHECK: nvvm.cp.async.shared.global %[[TO]], %[[FROM]], 16, cache = cg, %[[BYTES]]
  // 32 rows of 8 pieces by 96 threads: two whole rounds of 12 rows and a part. Each
  // adds a constant to the address of the first.
  // CHECK: arith.addi %[[START]], %c1536_i64
  // CHECK: nvvm.cp.async.shared.global
  // CHECK: scf.if
  // CHECK: arith.addi %[[START]], %c3072_i64
  // CHECK: llvm.getelementptr %[[LOCAL]][7168]
  // CHECK: nvvm.cp.async.shared.global
  // CHECK-NOT: nvvm.cp.async.shared.global
  gpu.func @copy(%x: memref<?x64xbf16>, %first: index, %end: index)
      kernel attributes {known_block_size = array<i32: 96, 1, 1>} {
    %c0 = arith.constant 0 : index
    %zeros = arith.constant dense<0.0> : vector<8xf16>
    %other = pgpu.alloc : !pgpu.tile<2x32x32xf16>
    %tile = pgpu.alloc : !pgpu.tile<1x32x64xbf16>
    pgpu.copy %x[%first to %end], %tile[%c0] : memref<?x64xbf16>, !pgpu.tile<1x32x64xbf16>
    pgpu.put %zeros, %other[%c0, %c0, %c0] : vector<8xf16>, !pgpu.tile<2x32x32xf16>
    gpu.return
  }

  // Rows of 32 bytes: four of them fill the banks once.
  // CHECK-LABEL: gpu.func @narrow
  // CHECK-DAG: %[[TWO:.*]] = arith.constant 2 : i32
  // CHECK-DAG: %[[FOUR:.*]] = arith.constant 4 : i32
  // CHECK: %[[QUARTER:.*]] = arith.divui %{{.*}}, %[[FOUR]]
  // CHECK: %[[LOW:.*]] = arith.remui %[[QUARTER]], %[[TWO]]
  // CHECK: arith.xori %{{.*}}, %[[LOW]]
  // CHECK: llvm.store %{{.*}} {alignment = 16 : i64} : vector<8xf16>
  gpu.func @narrow(%v: vector<8xf16>, %row: index, %column: index) kernel {
    %c0 = arith.constant 0 : index
    %tile = pgpu.alloc : !pgpu.tile<1x16x16xf16>
    pgpu.put %v, %tile[%c0, %row, %column] : vector<8xf16>, !pgpu.tile<1x16x16xf16>
    gpu.return
  }

  // CHECK-LABEL: gpu.func @product
  // CHECK-COUNT-1: nvvm.ldmatrix {{.*}} layout = #nvvm.mma_layout<row>, num = 4
  // CHECK-COUNT-2: nvvm.ldmatrix {{.*}} layout = #nvvm.mma_layout<col>, num = 4
  // CHECK-COUNT-4: nvvm.mma.sync {{.*}} : (vector<2xf16>, vector<2xf16>, f32)
  // CHECK-COUNT-2: nvvm.ldmatrix {{.*}} layout = #nvvm.mma_layout<row>, num = 4
  // CHECK-COUNT-4: nvvm.mma.sync
  // CHECK-NOT: pgpu.
  gpu.func @product(%sum: vector<16xf32>, %out: memref<16x32xf32>) kernel {
    %c0 = arith.constant 0 : index
    %c16 = arith.constant 16 : index
    %tile = pgpu.alloc : !pgpu.tile<1x32x32xf16>
    %l = pgpu.load %tile[%c0, %c0, %c0] as left : !pgpu.tile<1x32x32xf16> -> vector<8xf16>
    %r = pgpu.load %tile[%c0, %c0, %c0] as right : !pgpu.tile<1x32x32xf16> -> vector<16xf16>
    %s = pgpu.mma %l, %r, %sum : vector<8xf16>, vector<16xf16>, vector<16xf32>
    %t = pgpu.load %tile[%c0, %c0, %c0] as transposed right : !pgpu.tile<1x32x32xf16> -> vector<16xf16>
    %o = pgpu.mma %l, %t, %s : vector<8xf16>, vector<16xf16>, vector<16xf32>
    pgpu.store %o, %out[%c0 to %c16, %c0] : vector<16xf32>, memref<16x32xf32>
    gpu.return
  }

  // CHECK-LABEL: gpu.func @rows
  // CHECK-COUNT-6: llvm.intr.maxnum
  // CHECK-COUNT-4: nvvm.shfl.sync bfly
  // CHECK: vector.shuffle {{.*}} [0, 0, 1, 1, 0, 0, 1, 1]
  // CHECK-COUNT-4: vector.store {{.*}} {alignment = 8 : i64} : memref<16x16xf32>, vector<2xf32>
  gpu.func @rows(%x: vector<8xf32>, %out: memref<16x16xf32>) kernel {
    %c0 = arith.constant 0 : index
    %c16 = arith.constant 16 : index
    %own = pgpu.row_reduce max %x : vector<8xf32>
    %all = pgpu.quad_reduce max %own
    %y = pgpu.spread %all : vector<8xf32>
    pgpu.store %y, %out[%c0 to %c16, %c0] : vector<8xf32>, memref<16x16xf32>
    gpu.return
  }
}
