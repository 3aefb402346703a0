// The CUDA driver as we call it, and each of its errors, with a driver that needs
// no GPU.

// RUN: mkdir -p %t.pool %t.plain %t.old
// RUN: %cc -shared -fPIC -w -DPOOL %S/Inputs/fake_cuda.c -o %t.pool/libcuda.so.1
// RUN: %cc -shared -fPIC -w %S/Inputs/fake_cuda.c -o %t.plain/libcuda.so.1
// RUN: %cc -shared -fPIC -w -DOLD %S/Inputs/fake_cuda.c -o %t.old/libcuda.so.1

// DEFINE: %{driver} = pool
// DEFINE: %{entry} = main
// DEFINE: %{input} = iota
// DEFINE: %{fail} = none
// DEFINE: %{flags} =
// DEFINE: %{run} = rm -f %t.log ; env LD_LIBRARY_PATH=%t.%{driver} FAKE_CUDA_LOG=%t.log FAKE_CUDA_FAIL=%{fail} \
// DEFINE:   pe-runner %s --device=cuda --pipeline='%lower-host' -e %{entry} --input=%{input} --check-leaks %{flags}
// DEFINE: %{refused} = rm -f %t.log ; env LD_LIBRARY_PATH=%t.%{driver} FAKE_CUDA_LOG=%t.log FAKE_CUDA_FAIL=%{fail} \
// DEFINE:   not pe-runner %s --device=cuda --pipeline='%lower-host' -e %{entry} --input=%{input}

// Three runs: the module and the kernel are found once, memory comes and goes.
// REDEFINE: %{flags} = --repeat=2
// RUN: %{run}
// RUN: FileCheck %s --input-file=%t.log --check-prefix=CALLS
// CALLS: cuInit
// CALLS: cuMemPoolSetAttribute 4 = 18446744073709551615
// CALLS-NEXT: cuStreamCreate [[STREAM:[0-9]+]]
// CALLS-NEXT: cuMemAllocAsync 256 bytes
// CALLS-NEXT:   is [[A:[0-9]+]]
// CALLS-NEXT: cuMemAllocAsync 256 bytes
// CALLS-NEXT:   is [[B:[0-9]+]]
// CALLS-NEXT: cuMemcpyAsync 256 bytes
// CALLS-NEXT: cuModuleLoadDataEx .target sm_80{{$}}
// CALLS-NEXT: cuModuleGetFunction kernel
// CALLS-NEXT: cuLaunchKernel grid 3 1 1 block 64 1 1 shared 16 stream [[STREAM]] arguments [[A]] [[B]]
// CALLS-NEXT: cuMemcpyAsync 256 bytes
// CALLS-NEXT: cuMemFreeAsync [[A]]
// CALLS-NEXT: cuMemFreeAsync [[B]]
// CALLS-NEXT: cuStreamSynchronize [[STREAM]]
// CALLS-NEXT: cuStreamDestroy_v2 [[STREAM]]
// CALLS-NOT: cuModule
// CALLS: cuLaunchKernel
// CALLS-NOT: cuModule
// CALLS: cuLaunchKernel

// A driver without pools.
// REDEFINE: %{driver} = plain
// REDEFINE: %{flags} =
// RUN: %{run}
// RUN: FileCheck %s --input-file=%t.log --check-prefix=PLAIN
// PLAIN-COUNT-2: cuMemAlloc_v2 256 bytes
// PLAIN-COUNT-2: cuMemFree_v2
// REDEFINE: %{driver} = old
// RUN: %{refused} 2>&1 | FileCheck %s --check-prefix=OLD
// OLD: error: the CUDA driver is too old: it has no cuEventElapsedTime
// REDEFINE: %{driver} = pool

// No device.
// REDEFINE: %{fail} = cuInit:100:1
// RUN: %{refused} 2>&1 | FileCheck %s --check-prefix=INIT
// INIT: error: cuInit failed: CUDA_ERROR_NO_DEVICE (as the test asked)
// RUN: env LD_LIBRARY_PATH=%t.pool FAKE_CUDA_DEVICES=0 not pe-runner %s --device=cuda --pipeline='%lower-host' -e main --input=iota 2>&1 | FileCheck %s --check-prefix=NONE
// NONE: error: no CUDA device 0: the driver finds 0

// Another architecture; the driver's compiler says why.
// REDEFINE: %{fail} = cuModuleLoadDataEx:209:1
// RUN: %{refused} 2>&1 | FileCheck %s --check-prefix=CHIP
// CHIP: error: cuModuleLoadDataEx failed: CUDA_ERROR_NO_BINARY_FOR_GPU (as the test asked) on Fake GPU, which is sm_86: the log of the compiler
// RUN: FileCheck %s --input-file=%t.log --check-prefix=RELEASED

// Memory that does not suffice. What was allocated before is given back.
// REDEFINE: %{fail} = cuMemAllocAsync:2:2
// RUN: %{refused} 2>&1 | FileCheck %s --check-prefix=MEMORY
// MEMORY: error: out of memory on Fake GPU: asked for 256 bytes where 1000 of 4000 are free (CUDA_ERROR_OUT_OF_MEMORY)
// RUN: FileCheck %s --input-file=%t.log --check-prefix=HALF
// HALF: cuStreamCreate [[STREAM:[0-9]+]]
// HALF: cuMemAllocAsync
// HALF-NEXT:   is [[A:[0-9]+]]
// HALF: cuMemFreeAsync [[A]]
// HALF: cuStreamDestroy_v2 [[STREAM]]

// A kernel that fails is noticed later; its name is known.
// REDEFINE: %{fail} = cuStreamSynchronize:700:1
// RUN: %{refused} 2>&1 | FileCheck %s --check-prefix=ILLEGAL
// ILLEGAL: error: kernel 'kernel', or one before it, failed: CUDA_ERROR_ILLEGAL_ADDRESS (as the test asked)
// REDEFINE: %{fail} = cuLaunchKernel:999:1
// RUN: %{refused} 2>&1 | FileCheck %s --check-prefix=LAUNCH
// LAUNCH: error: launch of kernel 'kernel' failed: CUDA error 999
// RUN: FileCheck %s --input-file=%t.log --check-prefix=RELEASED
// RELEASED: cuStreamCreate [[STREAM:[0-9]+]]
// RELEASED:   is [[A:[0-9]+]]
// RELEASED:   is [[B:[0-9]+]]
// RELEASED-DAG: cuMemFreeAsync [[A]]
// RELEASED-DAG: cuMemFreeAsync [[B]]
// RELEASED: cuStreamDestroy_v2 [[STREAM]]
// REDEFINE: %{fail} = cuModuleGetFunction:500:1
// RUN: %{refused} 2>&1 | FileCheck %s --check-prefix=KERNEL
// KERNEL: error: the module has no kernel 'kernel'
// REDEFINE: %{fail} = none

// Shared memory: 48 KiB for all, more if asked for, up to what the chip has; then most
// of what caches and shared memory have together.
// REDEFINE: %{entry} = shared
// REDEFINE: %{input} = 90000
// RUN: %{run}
// RUN: FileCheck %s --input-file=%t.log --check-prefix=SHARED
// SHARED: cuFuncSetAttribute 8 = 90000
// SHARED-NEXT: cuFuncSetAttribute 9 = 100
// SHARED-NEXT: cuLaunchKernel {{.*}} shared 90000
// REDEFINE: %{input} = 200000
// RUN: %{refused} 2>&1 | FileCheck %s --check-prefix=LIMIT
// LIMIT: error: kernel 'kernel' needs 200000 bytes of shared memory, but Fake GPU has 101376

// Events measure; what is left behind is reported.
// REDEFINE: %{entry} = measure
// REDEFINE: %{input} = 0
// RUN: %{run} | FileCheck %s --check-prefix=TIME
// TIME: result 0: f32 1.5
// RUN: FileCheck %s --input-file=%t.log --check-prefix=EVENTS
// EVENTS: cuEventRecord [[START:[0-9]+]]
// EVENTS: cuEventRecord [[END:[0-9]+]]
// EVENTS: cuStreamWaitEvent {{[0-9]+}} [[END]]
// EVENTS: cuEventSynchronize [[END]]
// EVENTS: cuEventElapsedTime [[START]] [[END]]
// REDEFINE: %{entry} = leak
// REDEFINE: %{input} = 100
// RUN: %{refused} --check-leaks 2>&1 | FileCheck %s --check-prefix=LEAK
// LEAK: error: entry point 'leak' leaks 100 bytes (buffers: 1)
// Twice the same constant is one copy, which is no leak.
// REDEFINE: %{entry} = constant
// RUN: %{run} | FileCheck %s --check-prefix=CONSTANT
// CONSTANT: result 0: i64 1
// RUN: FileCheck %s --input-file=%t.log --check-prefix=ONCE
// ONCE-COUNT-1: cuMemAllocAsync 8 bytes
// ONCE-NOT: cuMemAllocAsync

module attributes {gpu.container_module} {
  gpu.module @kernels [#nvvm.target<O = 3, chip = "sm_80", features = "+ptx70">] {
    llvm.func @kernel(%in: !llvm.ptr, %out: !llvm.ptr) attributes {gpu.kernel, nvvm.kernel} {
      llvm.return
    }
  }

  func.func @main(%x: memref<64xf32>) -> memref<64xf32> {
    %c1 = arith.constant 1 : index
    %c3 = arith.constant 3 : index
    %c64 = arith.constant 64 : index
    %shared = arith.constant 16 : i32
    %y = memref.alloc() : memref<64xf32>
    %a = gpu.alloc () : memref<64xf32>
    %b = gpu.alloc () : memref<64xf32>
    gpu.memcpy %a, %x : memref<64xf32>, memref<64xf32>
    gpu.launch_func @kernels::@kernel blocks in (%c3, %c1, %c1) threads in (%c64, %c1, %c1)
      dynamic_shared_memory_size %shared args(%a : memref<64xf32>, %b : memref<64xf32>)
    gpu.memcpy %y, %b : memref<64xf32>, memref<64xf32>
    gpu.dealloc %a : memref<64xf32>
    gpu.dealloc %b : memref<64xf32>
    return %y : memref<64xf32>
  }

  func.func @shared(%bytes: i32) {
    %c1 = arith.constant 1 : index
    %a = gpu.alloc () : memref<1xf32>
    gpu.launch_func @kernels::@kernel blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1)
      dynamic_shared_memory_size %bytes args(%a : memref<1xf32>, %a : memref<1xf32>)
    gpu.dealloc %a : memref<1xf32>
    return
  }

  func.func private @mgpuEventCreate() -> !llvm.ptr
  func.func private @mgpuEventRecord(!llvm.ptr, !llvm.ptr)
  func.func private @mgpuEventSynchronize(!llvm.ptr)
  func.func private @mgpuEventDestroy(!llvm.ptr)
  func.func private @mgpuStreamWaitEvent(!llvm.ptr, !llvm.ptr)
  llvm.func @mgpuMemAlloc(i64, !llvm.ptr, i8) -> !llvm.ptr
  func.func private @posenc_event_elapsed(!llvm.ptr, !llvm.ptr) -> f32
  func.func private @posenc_device_constant(!llvm.ptr, i64) -> !llvm.ptr

  func.func @measure(%ignored: i32) -> f32 {
    %stream = llvm.mlir.zero : !llvm.ptr
    %start = func.call @mgpuEventCreate() : () -> !llvm.ptr
    %end = func.call @mgpuEventCreate() : () -> !llvm.ptr
    func.call @mgpuEventRecord(%start, %stream) : (!llvm.ptr, !llvm.ptr) -> ()
    func.call @mgpuEventRecord(%end, %stream) : (!llvm.ptr, !llvm.ptr) -> ()
    func.call @mgpuStreamWaitEvent(%stream, %end) : (!llvm.ptr, !llvm.ptr) -> ()
    func.call @mgpuEventSynchronize(%end) : (!llvm.ptr) -> ()
    %time = func.call @posenc_event_elapsed(%start, %end) : (!llvm.ptr, !llvm.ptr) -> f32
    func.call @mgpuEventDestroy(%start) : (!llvm.ptr) -> ()
    func.call @mgpuEventDestroy(%end) : (!llvm.ptr) -> ()
    return %time : f32
  }

  func.func @leak(%bytes: i64) {
    %stream = llvm.mlir.zero : !llvm.ptr
    %no = arith.constant 0 : i8
    %memory = llvm.call @mgpuMemAlloc(%bytes, %stream, %no) : (i64, !llvm.ptr, i8) -> !llvm.ptr
    return
  }

  llvm.mlir.global internal constant @eight(42 : i64) : i64
  func.func @constant(%ignored: i32) -> i64 {
    %host = llvm.mlir.addressof @eight : !llvm.ptr
    %bytes = arith.constant 8 : i64
    %a = func.call @posenc_device_constant(%host, %bytes) : (!llvm.ptr, i64) -> !llvm.ptr
    %b = func.call @posenc_device_constant(%host, %bytes) : (!llvm.ptr, i64) -> !llvm.ptr
    %x = llvm.ptrtoint %a : !llvm.ptr to i64
    %y = llvm.ptrtoint %b : !llvm.ptr to i64
    %same = arith.cmpi eq, %x, %y : i64
    %result = arith.extui %same : i1 to i64
    return %result : i64
  }
}
