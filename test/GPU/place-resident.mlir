// What has no place on the device.
// RUN: pe-opt %s --posenc-place-buffers=resident --split-input-file --verify-diagnostics

module attributes {gpu.container_module} {
  func.func @read(%x: memref<4xf32>) {
    %c0 = arith.constant 0 : index
    // expected-error@+1 {{expected argument #0, which is memory of the device, to be used by kernels only, but found 'memref.load'}}
    %v = memref.load %x[%c0] : memref<4xf32>
    return
  }
}

// -----

module attributes {gpu.container_module} {
  func.func @written_by_the_host(%v: f32) -> memref<1xf32> {
    %c0 = arith.constant 0 : index
    %y = memref.alloc() : memref<1xf32>
    memref.store %v, %y[%c0] : memref<1xf32>
    // expected-error@+1 {{expected result #0 to be memory of the device that kernels write, and no other result}}
    return %y : memref<1xf32>
  }
}

// -----

module attributes {gpu.container_module} {
  gpu.module @kernels {
    gpu.func @fill(%y: memref<4xf32>) kernel {
      %t = gpu.thread_id x
      %v = arith.constant 1.0 : f32
      memref.store %v, %y[%t] : memref<4xf32>
      gpu.return
    }
  }
  func.func @twice() -> (memref<4xf32>, memref<4xf32>) {
    %c1 = arith.constant 1 : index
    %c4 = arith.constant 4 : index
    %y = memref.alloc() : memref<4xf32>
    gpu.launch_func @kernels::@fill blocks in (%c1, %c1, %c1) threads in (%c4, %c1, %c1) args(%y : memref<4xf32>)
    // expected-error@+1 {{expected result #1 to be memory of the device}}
    return %y, %y : memref<4xf32>, memref<4xf32>
  }
}
