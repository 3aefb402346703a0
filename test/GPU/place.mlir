// Where buffers are, and when they are copied.
// RUN: pe-opt %s --posenc-place-buffers | FileCheck %s
// RUN: pe-opt %s --posenc-place-buffers=resident | FileCheck %s --check-prefix=RESIDENT
// RUN: not pe-opt %s --posenc-merge-kernels=chip=sm_81 2>&1 | FileCheck %s --check-prefix=CHIP
// CHIP: error: unknown chip 'sm_81'

module attributes {gpu.container_module} {
  gpu.module @kernels {
    gpu.func @copy(%x: memref<?xf32>, %y: memref<?xf32>) kernel {
      %t = gpu.thread_id x
      %v = memref.load %x[%t] : memref<?xf32>
      memref.store %v, %y[%t] : memref<?xf32>
      gpu.return
    }
    gpu.func @count(%x: memref<?xi64>, %y: memref<?xi64>) kernel {
      %t = gpu.thread_id x
      %v = memref.load %x[%t] : memref<?xi64>
      memref.store %v, %y[%t] : memref<?xi64>
      gpu.return
    }
    gpu.func @look_up(%x: memref<4xf32>, %y: memref<?xf32>) kernel {
      %t = gpu.thread_id x
      %v = memref.load %x[%t] : memref<4xf32>
      memref.store %v, %y[%t] : memref<?xf32>
      gpu.return
    }
  }

  // CHECK-LABEL: func.func @through
  // CHECK-SAME: (%[[X:.*]]: memref<?xf32>) -> memref<?xf32>
  // The argument, when the function begins.
  // CHECK: %[[A:.*]] = gpu.alloc (%{{.*}}) : memref<?xf32>
  // CHECK-NEXT: gpu.memcpy %[[A]], %[[X]]
  // What only kernels use, and what is returned.
  // CHECK: %[[B:.*]] = gpu.alloc (%{{.*}}) : memref<?xf32>
  // CHECK: %[[C:.*]] = gpu.alloc (%{{.*}}) : memref<?xf32>
  // CHECK: gpu.launch_func @kernels::@copy {{.*}} args(%[[A]] : {{.*}}, %[[B]] :
  // CHECK: gpu.launch_func @kernels::@copy {{.*}} args(%[[B]] : {{.*}}, %[[C]] :
  // CHECK: gpu.dealloc %[[B]]
  // CHECK: gpu.dealloc %[[A]]
  // CHECK: %[[R:.*]] = memref.alloc(
  // CHECK-NEXT: gpu.memcpy %[[R]], %[[C]]
  // CHECK-NEXT: gpu.dealloc %[[C]]
  // CHECK-NEXT: return %[[R]]
  // With the caller's on the device nothing is copied.
  // RESIDENT-LABEL: func.func @through
  // RESIDENT-SAME: (%[[X:.*]]: memref<?xf32>) -> memref<?xf32>
  // RESIDENT-NOT: gpu.memcpy
  // RESIDENT: %[[B:.*]] = gpu.alloc (
  // RESIDENT: %[[C:.*]] = gpu.alloc (
  // RESIDENT: gpu.launch_func @kernels::@copy {{.*}} args(%[[X]] : {{.*}}, %[[B]] :
  // RESIDENT: gpu.launch_func @kernels::@copy {{.*}} args(%[[B]] : {{.*}}, %[[C]] :
  // RESIDENT-NEXT: gpu.dealloc %[[B]]
  // RESIDENT-NEXT: return %[[C]]
  func.func @through(%x: memref<?xf32>) -> memref<?xf32> {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %n = memref.dim %x, %c0 : memref<?xf32>
    %b = memref.alloc(%n) : memref<?xf32>
    %c = memref.alloc(%n) : memref<?xf32>
    gpu.launch_func @kernels::@copy blocks in (%c1, %c1, %c1) threads in (%n, %c1, %c1) args(%x : memref<?xf32>, %b : memref<?xf32>)
    gpu.launch_func @kernels::@copy blocks in (%c1, %c1, %c1) threads in (%n, %c1, %c1) args(%b : memref<?xf32>, %c : memref<?xf32>)
    memref.dealloc %b : memref<?xf32>
    return %c : memref<?xf32>
  }

  // CHECK-LABEL: func.func @table
  // Once, whatever happens.
  // CHECK: %[[T:.*]] = memref.get_global @values
  // CHECK-NEXT: %[[D:.*]] = posenc.on_device %[[T]] : memref<4xf32>
  // CHECK: gpu.launch_func @kernels::@look_up {{.*}} args(%[[D]] :
  memref.global "private" constant @values : memref<4xf32> = dense<[1.0, 2.0, 3.0, 4.0]>
  func.func @table() -> memref<?xf32> {
    %c1 = arith.constant 1 : index
    %c4 = arith.constant 4 : index
    %t = memref.get_global @values : memref<4xf32>
    %y = memref.alloc(%c4) : memref<?xf32>
    gpu.launch_func @kernels::@look_up blocks in (%c1, %c1, %c1) threads in (%c4, %c1, %c1) args(%t : memref<4xf32>, %y : memref<?xf32>)
    return %y : memref<?xf32>
  }

  // CHECK-LABEL: func.func private @both
  // The host writes it before, and reads it after.
  // CHECK: %[[H:.*]] = memref.alloc(
  // CHECK: memref.store %{{.*}}, %[[H]]
  // CHECK: %[[D:.*]] = gpu.alloc
  // CHECK-NEXT: gpu.memcpy %[[D]], %[[H]]
  // CHECK: gpu.launch_func @kernels::@copy {{.*}} args(%[[D]] : {{.*}}, %[[D]] :
  // CHECK-NEXT: gpu.memcpy %[[H]], %[[D]]
  // CHECK-NEXT: gpu.dealloc %[[D]]
  // CHECK: memref.load %[[H]]
  func.func private @both(%n: index, %v: f32) -> f32 {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %h = memref.alloc(%n) : memref<?xf32>
    memref.store %v, %h[%c0] : memref<?xf32>
    gpu.launch_func @kernels::@copy blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1) args(%h : memref<?xf32>, %h : memref<?xf32>)
    %r = memref.load %h[%c0] : memref<?xf32>
    memref.dealloc %h : memref<?xf32>
    return %r : f32
  }

  // CHECK-LABEL: func.func @checked
  // CHECK: posenc.check %arg0 below
  // What the host checks, it copies from the device.
  // RESIDENT-LABEL: func.func @checked
  // RESIDENT: %[[H:.*]] = memref.alloc(
  // RESIDENT-NEXT: gpu.memcpy %[[H]], %arg0
  // RESIDENT-NEXT: posenc.check %[[H]] below
  // RESIDENT-NEXT: memref.dealloc %[[H]]
  // RESIDENT: gpu.launch_func @kernels::@count {{.*}} args(%arg0 :
  func.func @checked(%ids: memref<?xi64>, %n: index) -> memref<?xi64> {
    %c1 = arith.constant 1 : index
    posenc.check %ids below %n "id" : memref<?xi64>
    %y = memref.alloc(%n) : memref<?xi64>
    gpu.launch_func @kernels::@count blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1) args(%ids : memref<?xi64>, %y : memref<?xi64>)
    return %y : memref<?xi64>
  }
}
