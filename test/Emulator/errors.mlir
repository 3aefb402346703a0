// What the emulator refuses, and how it says so.

// RUN: split-file %s %t
// DEFINE: %{file} =
// DEFINE: %{flags} =
// DEFINE: %{run} = not pe-runner %t/%{file}.mlir --device=emulator --pipeline='%lower-host' %{flags} 2>&1

// REDEFINE: %{file} = intrinsic
// RUN: %{run} | FileCheck %s --check-prefix=INTRINSIC
// INTRINSIC: error: kernels use 'wgmma.fence.sync.aligned', which the emulator does not know
// REDEFINE: %{file} = assembly
// RUN: %{run} | FileCheck %s --check-prefix=ASSEMBLY
// ASSEMBLY: error: kernels use 'asm bfind.u32 $0, $1;', which the emulator does not know
// REDEFINE: %{file} = library
// RUN: %{run} | FileCheck %s --check-prefix=LIBRARY
// LIBRARY: error: kernels call '__nv_expf', which nothing defines
// REDEFINE: %{file} = trap
// RUN: %{run} | FileCheck %s --check-prefix=TRAP
// TRAP: error: kernel 'kernel', block (1, 0, 0), thread (0, 0, 0): trap

// REDEFINE: %{file} = launches
// REDEFINE: %{flags} = -e launch --input=8 --input=2 --input=0
// RUN: pe-runner %t/launches.mlir --device=emulator --pipeline='%lower-host' %{flags} --check --check-leaks
// REDEFINE: %{flags} = -e launch --input=1025 --input=1 --input=0
// RUN: %{run} | FileCheck %s --check-prefix=THREADS
// THREADS: error: launch of kernel 'kernel' with blocks of 1025 x 1 x 1 threads, where at most 1024 are allowed
// REDEFINE: %{flags} = -e launch --input=0 --input=1 --input=0
// RUN: %{run} | FileCheck %s --check-prefix=EMPTY
// EMPTY: error: launch of kernel 'kernel' with blocks of 0 x 1 x 1 threads
// REDEFINE: %{flags} = -e launch --input=8 --input=1 --input=170000
// RUN: %{run} | FileCheck %s --check-prefix=SHARED
// SHARED: error: kernel 'kernel' needs 170000 bytes of shared memory, but sm_80 has 166912
// REDEFINE: %{flags} = -e launch_required --input=8 --input=1 --input=0
// RUN: %{run} | FileCheck %s --check-prefix=REQUIRED
// REQUIRED: error: launch of kernel 'required' with blocks of 8 x 1 x 1 threads, where it requires 64 x 1 x 1
// An empty grid is no launch.
// REDEFINE: %{flags} = -e launch --input=8 --input=0 --input=0
// RUN: pe-runner %t/launches.mlir --device=emulator --pipeline='%lower-host' %{flags} --check

// REDEFINE: %{flags} = -e memory --input=100000000000
// RUN: %{run} | FileCheck %s --check-prefix=MEMORY
// MEMORY: error: out of memory on the emulator: asked for 100000000000 bytes where all is 17179869184
// REDEFINE: %{flags} = -e twice --input=1
// RUN: %{run} | FileCheck %s --check-prefix=TWICE
// TWICE: error: release of {{.*}}, which is not allocated on the device
// REDEFINE: %{flags} = -e overflow --input=1
// RUN: %{run} | FileCheck %s --check-prefix=OVERFLOW
// OVERFLOW: error: the host writes 64 bytes at byte 0 of a buffer of 32 bytes
// REDEFINE: %{flags} = -e text --input=1
// RUN: %{run} | FileCheck %s --check-prefix=TEXT
// TEXT: error: the emulator runs LLVM bitcode, but the module is PTX
// REDEFINE: %{flags} = -e time --input=1
// RUN: %{run} | FileCheck %s --check-prefix=TIME
// TIME: error: the emulator has no times: it counts

// The flags.
// RUN: not pe-runner %t/trap.mlir --pipeline='%lower-host' 2>&1 | FileCheck %s --check-prefix=CPU
// CPU: error: the module has kernels, but no device was chosen to run them
// RUN: not pe-runner %t/trap.mlir --pipeline='%lower-host' --device=tpu 2>&1 | FileCheck %s --check-prefix=DEVICE
// DEVICE: error: expected --device=cpu, emulator or cuda but got 'tpu'
// RUN: not pe-runner %t/trap.mlir --check 2>&1 | FileCheck %s --check-prefix=CHECK
// CHECK: error: expected --device=emulator with --check

//--- intrinsic.mlir
module attributes {gpu.container_module} {
  gpu.module @kernels [#nvvm.target<chip = "sm_90a", features = "+ptx80">] {
    llvm.func @kernel() attributes {gpu.kernel, nvvm.kernel} {
      nvvm.wgmma.fence.aligned
      llvm.return
    }
  }
  func.func @main() {
    %c1 = arith.constant 1 : index
    gpu.launch_func @kernels::@kernel blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1)
    return
  }
}

//--- assembly.mlir
module attributes {gpu.container_module} {
  gpu.module @kernels [#nvvm.target<chip = "sm_80", features = "+ptx70">] {
    llvm.func @kernel() attributes {gpu.kernel, nvvm.kernel} {
      %x = nvvm.read.ptx.sreg.tid.x : i32
      %y = llvm.inline_asm has_side_effects "bfind.u32   $0, $1;", "=r,r" %x : (i32) -> i32
      llvm.return
    }
  }
  func.func @main() {
    %c1 = arith.constant 1 : index
    gpu.launch_func @kernels::@kernel blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1)
    return
  }
}

//--- library.mlir
module attributes {gpu.container_module} {
  gpu.module @kernels [#nvvm.target<chip = "sm_80", features = "+ptx70">] {
    llvm.func @__nv_expf(f32) -> f32
    llvm.func @kernel(%x: !llvm.ptr) attributes {gpu.kernel, nvvm.kernel} {
      %v = llvm.load %x : !llvm.ptr -> f32
      %y = llvm.call @__nv_expf(%v) : (f32) -> f32
      llvm.store %y, %x : f32, !llvm.ptr
      llvm.return
    }
  }
  func.func @main() {
    %c1 = arith.constant 1 : index
    %a = gpu.alloc () : memref<1xf32>
    gpu.launch_func @kernels::@kernel blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1) args(%a : memref<1xf32>)
    gpu.dealloc %a : memref<1xf32>
    return
  }
}

//--- trap.mlir
module attributes {gpu.container_module} {
  gpu.module @kernels [#nvvm.target<chip = "sm_80", features = "+ptx70">] {
    llvm.func @kernel() attributes {gpu.kernel, nvvm.kernel} {
      %x = nvvm.read.ptx.sreg.ctaid.x : i32
      %c1 = llvm.mlir.constant(1 : i32) : i32
      %bad = llvm.icmp "eq" %x, %c1 : i32
      llvm.cond_br %bad, ^trap, ^end
    ^trap:
      llvm.intr.trap
      llvm.br ^end
    ^end:
      llvm.return
    }
  }
  func.func @main() {
    %c1 = arith.constant 1 : index
    %c3 = arith.constant 3 : index
    gpu.launch_func @kernels::@kernel blocks in (%c3, %c1, %c1) threads in (%c1, %c1, %c1)
    return
  }
}

//--- launches.mlir
module attributes {gpu.container_module} {
  gpu.module @kernels [#nvvm.target<chip = "sm_80", features = "+ptx70">] {
    llvm.func @kernel() attributes {gpu.kernel, nvvm.kernel} {
      llvm.return
    }
    llvm.func @required() attributes {gpu.kernel, nvvm.kernel, nvvm.reqntid = array<i32: 64>} {
      llvm.return
    }
  }
  func.func @launch(%threads: index, %blocks: index, %shared: i32) {
    %c1 = arith.constant 1 : index
    gpu.launch_func @kernels::@kernel blocks in (%blocks, %c1, %c1) threads in (%threads, %c1, %c1) dynamic_shared_memory_size %shared
    return
  }
  func.func @launch_required(%threads: index, %blocks: index, %shared: i32) {
    %c1 = arith.constant 1 : index
    gpu.launch_func @kernels::@required blocks in (%blocks, %c1, %c1) threads in (%threads, %c1, %c1) dynamic_shared_memory_size %shared
    return
  }
  llvm.func @mgpuMemAlloc(i64, !llvm.ptr, i8) -> !llvm.ptr
  llvm.func @mgpuMemFree(!llvm.ptr, !llvm.ptr)
  llvm.func @mgpuMemcpy(!llvm.ptr, !llvm.ptr, i64, !llvm.ptr)
  llvm.func @mgpuModuleLoadJIT(!llvm.ptr, i32) -> !llvm.ptr
  llvm.func @mgpuModuleGetFunction(!llvm.ptr, !llvm.ptr) -> !llvm.ptr
  llvm.func @mgpuEventCreate() -> !llvm.ptr
  llvm.func @posenc_event_elapsed(!llvm.ptr, !llvm.ptr) -> f32
  func.func @memory(%bytes: i64) {
    %stream = llvm.mlir.zero : !llvm.ptr
    %no = arith.constant 0 : i8
    %a = llvm.call @mgpuMemAlloc(%bytes, %stream, %no) : (i64, !llvm.ptr, i8) -> !llvm.ptr
    return
  }
  func.func @twice(%ignored: i32) {
    %stream = llvm.mlir.zero : !llvm.ptr
    %no = arith.constant 0 : i8
    %bytes = arith.constant 32 : i64
    %a = llvm.call @mgpuMemAlloc(%bytes, %stream, %no) : (i64, !llvm.ptr, i8) -> !llvm.ptr
    llvm.call @mgpuMemFree(%a, %stream) : (!llvm.ptr, !llvm.ptr) -> ()
    llvm.call @mgpuMemFree(%a, %stream) : (!llvm.ptr, !llvm.ptr) -> ()
    return
  }
  func.func @overflow(%ignored: i32) {
    %stream = llvm.mlir.zero : !llvm.ptr
    %no = arith.constant 0 : i8
    %bytes = arith.constant 32 : i64
    %more = arith.constant 64 : i64
    %a = llvm.call @mgpuMemAlloc(%bytes, %stream, %no) : (i64, !llvm.ptr, i8) -> !llvm.ptr
    %b = llvm.call @mgpuMemAlloc(%more, %stream, %no) : (i64, !llvm.ptr, i8) -> !llvm.ptr
    llvm.call @mgpuMemcpy(%a, %b, %more, %stream) : (!llvm.ptr, !llvm.ptr, i64, !llvm.ptr) -> ()
    return
  }
  llvm.mlir.global internal constant @ptx(".version 7.0\00")
  llvm.mlir.global internal constant @name("kernel\00")
  func.func @text(%ignored: i32) {
    %ptx = llvm.mlir.addressof @ptx : !llvm.ptr
    %name = llvm.mlir.addressof @name : !llvm.ptr
    %level = arith.constant 3 : i32
    %module = llvm.call @mgpuModuleLoadJIT(%ptx, %level) : (!llvm.ptr, i32) -> !llvm.ptr
    %function = llvm.call @mgpuModuleGetFunction(%module, %name) : (!llvm.ptr, !llvm.ptr) -> !llvm.ptr
    return
  }
  func.func @time(%ignored: i32) -> f32 {
    %start = llvm.call @mgpuEventCreate() : () -> !llvm.ptr
    %time = llvm.call @posenc_event_elapsed(%start, %start) : (!llvm.ptr, !llvm.ptr) -> f32
    return %time : f32
  }
}
