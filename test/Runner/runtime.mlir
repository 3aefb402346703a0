// What compiled code asks of the runtime library, and of its host.

// RUN: not pe-runner %s -e index --input=40000 2>&1 | FileCheck %s --check-prefix=INDEX
// INDEX: {{^}}error: token id 40000 is out of range [0, 30522){{$}}
// The same from inside a parallel region, which nobody may leave by a jump.
// RUN: not pe-runner %s -e parallel --input=-1 --threads=2 2>&1 | FileCheck %s --check-prefix=PARALLEL
// PARALLEL: {{^}}error: token id -1 is out of range [0, 30522){{$}}
// RUN: not pe-runner %s -e parallel --input=-1 --threads=1 2>&1 | FileCheck %s --check-prefix=PARALLEL

// posenc_load runs once, before all calls: the counter starts at 40.
// RUN: pe-runner %s -e count --input=0 --threads=1 --repeat=2 | FileCheck %s --check-prefix=ONE
// ONE: result 0: i64 41
// RUN: pe-runner %s -e count --input=0 --threads=3 | FileCheck %s --check-prefix=THREE
// THREE: result 0: i64 43

// RUN: not pe-runner %s -e leak --input=100 --check-leaks 2>&1 | FileCheck %s --check-prefix=LEAK
// LEAK: error: entry point 'leak' leaks 100 bytes (buffers: 1)
// RUN: pe-runner %s -e leak --input=100

llvm.func @malloc(i64) -> !llvm.ptr
llvm.func @posenc_fail_index(!llvm.ptr, i64, i64)
llvm.mlir.global internal constant @what("token id\00")
llvm.mlir.global internal @counter(0 : i64) : i64
llvm.mlir.global internal @kept() : !llvm.ptr {
  %null = llvm.mlir.zero : !llvm.ptr
  llvm.return %null : !llvm.ptr
}

llvm.func @posenc_load() {
  %counter = llvm.mlir.addressof @counter : !llvm.ptr
  %c40 = llvm.mlir.constant(40 : i64) : i64
  llvm.store %c40, %counter : i64, !llvm.ptr
  llvm.return
}

llvm.func @_mlir_ciface_index(%id: i64) -> i64 {
  %what = llvm.mlir.addressof @what : !llvm.ptr
  %limit = llvm.mlir.constant(30522 : i64) : i64
  llvm.call @posenc_fail_index(%what, %id, %limit) : (!llvm.ptr, i64, i64) -> ()
  llvm.return %id : i64
}
llvm.func @index(%id: i64) attributes {posenc.signature = (i64) -> i64} {
  llvm.return
}

llvm.func @_mlir_ciface_parallel(%id: i64) {
  %what = llvm.mlir.addressof @what : !llvm.ptr
  %limit = llvm.mlir.constant(30522 : i64) : i64
  omp.parallel {
    llvm.call @posenc_fail_index(%what, %id, %limit) : (!llvm.ptr, i64, i64) -> ()
    omp.terminator
  }
  llvm.return
}
llvm.func @parallel(%id: i64) attributes {posenc.signature = (i64) -> ()} {
  llvm.return
}

llvm.func @_mlir_ciface_count(%ignored: i64) -> i64 {
  %counter = llvm.mlir.addressof @counter : !llvm.ptr
  %c1 = llvm.mlir.constant(1 : i64) : i64
  omp.parallel {
    %old = llvm.atomicrmw add %counter, %c1 seq_cst : !llvm.ptr, i64
    omp.terminator
  }
  %value = llvm.load %counter : !llvm.ptr -> i64
  llvm.return %value : i64
}
llvm.func @count(%ignored: i64) attributes {posenc.signature = (i64) -> i64} {
  llvm.return
}

llvm.func @_mlir_ciface_leak(%size: i64) {
  %kept = llvm.mlir.addressof @kept : !llvm.ptr
  %buffer = llvm.call @malloc(%size) : (i64) -> !llvm.ptr
  llvm.store volatile %buffer, %kept : !llvm.ptr, !llvm.ptr
  llvm.return
}
llvm.func @leak(%size: i64) attributes {posenc.signature = (i64) -> ()} {
  llvm.return
}
