// What cannot be lowered.
// RUN: pe-opt %s --pass-pipeline='builtin.module(gpu.module(posenc-lower-fragments))' -split-input-file -verify-diagnostics

gpu.module @kernels {
  gpu.func @copy(%x: memref<16x16xf16>) kernel {
    %c0 = arith.constant 0 : index
    %tile = pgpu.alloc : !pgpu.tile<1x16x16xf16>
    // expected-error@+1 {{expected the kernel to have a known_block_size of one dimension}}
    pgpu.copy %x[%c0 to %c0], %tile[%c0] : memref<16x16xf16>, !pgpu.tile<1x16x16xf16>
    gpu.return
  }
}

// -----

gpu.module @kernels {
  gpu.func @copy(%x: memref<16x16xf16>) kernel attributes {known_block_size = array<i32: 32, 2, 1>} {
    %c0 = arith.constant 0 : index
    %tile = pgpu.alloc : !pgpu.tile<1x16x16xf16>
    // expected-error@+1 {{expected the kernel to have a known_block_size of one dimension}}
    pgpu.copy %x[%c0 to %c0], %tile[%c0] : memref<16x16xf16>, !pgpu.tile<1x16x16xf16>
    gpu.return
  }
}

// -----

gpu.module @kernels {
  gpu.func @load(%tile: !pgpu.tile<1x16x16xf16>) {
    %c0 = arith.constant 0 : index
    // expected-error@+1 {{expected the tile to be that of a pgpu.alloc}}
    %l = pgpu.load %tile[%c0, %c0, %c0] as left : !pgpu.tile<1x16x16xf16> -> vector<8xf16>
    gpu.return
  }
}
