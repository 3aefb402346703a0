// Equal kernels are one, in a module for the chip; too large ones are refused.
// RUN: split-file %s %t
// RUN: pe-opt %t/equal.mlir --posenc-merge-kernels=chip=sm_86 | FileCheck %s
// RUN: not pe-opt %t/large.mlir --posenc-merge-kernels 2>&1 | FileCheck %s --check-prefix=LARGE
// LARGE: error: 'gpu.func' op needs 49280 bytes of shared memory, but a kernel for sm_80 can declare 49152

// RUN: not pe-opt %t/dynamic.mlir --posenc-merge-kernels=chip=sm_86 2>&1 | FileCheck %s --check-prefix=DYNAMIC
// RUN: pe-opt %t/dynamic.mlir --posenc-merge-kernels=chip=sm_90a
// DYNAMIC: error: 'gpu.launch_func' op gives its kernel 102400 bytes of shared memory, but a block on sm_86 has 101376

// CHECK: gpu.launch_func @posenc_kernels::@one
// CHECK: gpu.launch_func @posenc_kernels::@one
// CHECK: gpu.launch_func @posenc_kernels::@[[OTHER:one_[0-9]+]]
// CHECK: gpu.module @posenc_kernels [#nvvm.target<O = 3, chip = "sm_86", features = "+ptx71">]
// CHECK: gpu.func @one
// CHECK-SAME: llvm.align = 128
// CHECK: arith.constant 1.0
// CHECK: gpu.func @[[OTHER]]
// CHECK: arith.constant 3.0
// CHECK-NOT: gpu.func

//--- equal.mlir
module attributes {gpu.container_module} {
  func.func @main(%x: memref<4xf32>) {
    %c1 = arith.constant 1 : index
    gpu.launch_func @a::@one blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1) args(%x : memref<4xf32>)
    gpu.launch_func @b::@two blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1) args(%x : memref<4xf32>)
    gpu.launch_func @c::@one blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1) args(%x : memref<4xf32>)
    return
  }
  gpu.module @a {
    gpu.func @one(%x: memref<4xf32>) workgroup(%s: memref<8xf32, #gpu.address_space<workgroup>>) kernel {
      %t = gpu.thread_id x
      %v = arith.constant 1.0 : f32
      memref.store %v, %x[%t] : memref<4xf32>
      gpu.return
    }
  }
  gpu.module @b {
    gpu.func @two(%x: memref<4xf32>) workgroup(%s: memref<8xf32, #gpu.address_space<workgroup>>) kernel {
      %t = gpu.thread_id x
      %v = arith.constant 1.0 : f32
      memref.store %v, %x[%t] : memref<4xf32>
      gpu.return
    }
  }
  gpu.module @c {
    gpu.func @one(%x: memref<4xf32>) workgroup(%s: memref<8xf32, #gpu.address_space<workgroup>>) kernel {
      %t = gpu.thread_id x
      %v = arith.constant 3.0 : f32
      memref.store %v, %x[%t] : memref<4xf32>
      gpu.return
    }
  }
}
//--- large.mlir
module attributes {gpu.container_module} {
  gpu.module @a {
    gpu.func @one() workgroup(%s: memref<12288xf32, #gpu.address_space<workgroup>>,
                              %t: memref<32xf32, #gpu.address_space<workgroup>>) kernel {
      gpu.return
    }
  }
}
//--- dynamic.mlir
module attributes {gpu.container_module} {
  func.func @main() {
    %c1 = arith.constant 1 : index
    %bytes = arith.constant 102400 : i32
    gpu.launch_func @a::@one blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1) dynamic_shared_memory_size %bytes
    return
  }
  gpu.module @a {
    gpu.func @one() kernel {
      gpu.return
    }
  }
}
