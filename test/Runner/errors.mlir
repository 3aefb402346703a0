// Each thing that can be wrong with the command line or the module is one line.

// RUN: split-file %s %t

// RUN: not pe-runner %t/two.mlir 2>&1 | FileCheck %s --check-prefix=ENTRY
// ENTRY: error: expected --entry with one of: f, g
// RUN: not pe-runner %t/two.mlir -e h 2>&1 | FileCheck %s --check-prefix=UNKNOWN
// UNKNOWN: error: no entry point 'h'; there are: f, g
// RUN: not pe-runner %t/two.mlir -e hidden 2>&1 | FileCheck %s --check-prefix=HIDDEN
// HIDDEN: error: no entry point 'hidden'; there are: f, g
// RUN: not pe-runner %t/two.mlir -e f 2>&1 | FileCheck %s --check-prefix=FEW
// FEW: error: wrong number of inputs for 'f': expected 1 but got 0
// RUN: not pe-runner %t/two.mlir -e f --input=1 --input=2 2>&1 | FileCheck %s --check-prefix=MANY
// MANY: error: wrong number of inputs for 'f': expected 1 but got 2
// RUN: not pe-runner %t/two.mlir -e f --input=1 --output=@%t/a.npy --output=@%t/b.npy 2>&1 | FileCheck %s --check-prefix=OUTPUTS
// OUTPUTS: error: too many --output: expected at most 1 but got 2
// RUN: not pe-runner %t/two.mlir -e f --input=1 --expect=@%t/a.npy --expect=@%t/b.npy 2>&1 | FileCheck %s --check-prefix=EXPECTS
// EXPECTS: error: too many --expect: expected at most 1 but got 2
// RUN: not pe-runner %t/two.mlir -e g --input=4=ones 2>&1 | FileCheck %s --check-prefix=VECTOR
// VECTOR: error: entry point 'g' has argument 0 of unsupported type vector<4xf32>
// RUN: not pe-runner %t/empty.mlir 2>&1 | FileCheck %s --check-prefix=EMPTY
// EMPTY: error: the module has no public function to run
// RUN: not pe-runner %t/absent.mlir 2>&1 | FileCheck %s --check-prefix=ABSENT
// ABSENT: error: cannot open input file '{{.*}}absent.mlir'
// RUN: not pe-runner %t/syntax.mlir 2>&1 | FileCheck %s --check-prefix=SYNTAX
// SYNTAX: syntax.mlir:1:{{[0-9]+}}: error:

// RUN: not pe-runner %t/two.mlir -e f --input=1 --pipeline=no-such-pass 2>&1 | FileCheck %s --check-prefix=PIPELINE
// PIPELINE: error: invalid pipeline 'no-such-pass': 'no-such-pass' does not refer to a registered pass or pass pipeline
// RUN: not pe-runner %t/two.mlir -e f --input=1 --pipeline='builtin.module(cse' 2>&1 | FileCheck %s --check-prefix=PARENTHESIS
// PARENTHESIS: error: invalid pipeline 'builtin.module(cse': expected
// RUN: not pe-runner %t/two.mlir -e f --input=1 --pipeline=cse 2>&1 | FileCheck %s --check-prefix=NOTLOWERED
// NOTLOWERED: error: expected a module in the LLVM dialect but got operation '{{arith.addi|func.return}}'
// RUN: not pe-runner %t/cast.mlir --input=1 --pipeline=one-shot-bufferize 2>&1 | FileCheck %s --check-prefix=FAILED
// FAILED: cast.mlir:2:{{[0-9]+}}: error: op was not bufferized
// FAILED: error: pipeline 'one-shot-bufferize' failed

// RUN: not pe-runner %t/llvm.mlir -e f --input=1 --cpu=quantum 2>&1 | FileCheck %s --check-prefix=CPU
// CPU: error: unknown processor 'quantum' for
// RUN: not pe-runner %t/llvm.mlir -e f --input=1 --cpu=bdver4 2>&1 | FileCheck %s --check-prefix=LACKS
// LACKS: error: this machine lacks {{fma4|tbm|xop}}, which code for processor 'bdver4' may use
// RUN: not pe-runner %t/llvm.mlir -e f --input=1 --features=+quantum 2>&1 | FileCheck %s --check-prefix=FEATURE
// FEATURE: error: unknown processor feature '+quantum' for
// RUN: not pe-runner %t/llvm.mlir -e f --input=1 -O4 2>&1 | FileCheck %s --check-prefix=LEVEL
// LEVEL: error: expected -O0 to -O3 but got -O4
// RUN: not pe-runner %t/llvm.mlir -e f --input=1 --threads=-1 2>&1 | FileCheck %s --check-prefix=NEGATIVE
// NEGATIVE: error: expected --threads of 0 to 4096 but got -1
// RUN: not pe-runner %t/llvm.mlir -e f --input=1 --threads=100000 2>&1 | FileCheck %s --check-prefix=THREADS
// THREADS: error: expected --threads of 0 to 4096 but got 100000
// RUN: not pe-runner %t/llvm.mlir -e f --input=1 2>&1 | FileCheck %s --check-prefix=INTERFACE
// INTERFACE: error: entry point 'f' has no C interface (llvm.emit_c_interface)
// RUN: not pe-runner %t/llvm.mlir -e g --input=1 2>&1 | FileCheck %s --check-prefix=MISMATCH
// MISMATCH: error: the C interface of entry point 'g' does not match its posenc.signature
// RUN: not pe-runner %t/llvm.mlir -e h --input=1 2>&1 | FileCheck %s --check-prefix=SYMBOL
// SYMBOL: error: {{.*}}no_such_symbol

// RUN: not pe-runner %t/dynamic.mlir --input=ones 2>&1 | FileCheck %s --check-prefix=DYNAMIC
// DYNAMIC: error: input 0: expected a shape for the dynamic sizes of ?x4xf32, as in 2x3=ones
// RUN: not pe-runner %t/dynamic.mlir --input=2x5=ones 2>&1 | FileCheck %s --check-prefix=STATIC
// STATIC: error: input 0: expected a shape that fits ?x4xf32 but got '2x5'
// RUN: not pe-runner %t/dynamic.mlir --input=2x4xf16=ones 2>&1 | FileCheck %s --check-prefix=TYPE
// TYPE: error: input 0: expected a shape that fits ?x4xf32 but got '2x4xf16'
// RUN: not pe-runner %t/dynamic.mlir --input=9999999999999x4=ones 2>&1 | FileCheck %s --check-prefix=MEMORY
// MEMORY: error: input 0: 9999999999999x4xf32 does not fit into memory
// RUN: not pe-runner %t/dynamic.mlir --input=2x4=ones --output=y.npy 2>&1 | FileCheck %s --check-prefix=AT
// AT: error: expected --output=@FILE.npy but got 'y.npy'
// RUN: not pe-runner %t/dynamic.mlir --input=2x4=ones --output=@%t/no/y.npy 2>&1 | FileCheck %s --check-prefix=WRITE
// WRITE: error: cannot write '{{.*}}no/y.npy':

//--- two.mlir
func.func @f(%a: i64) -> i64 {
  %sum = arith.addi %a, %a : i64
  return %sum : i64
}
func.func @g(%a: vector<4xf32>) {
  return
}
func.func private @hidden() {
  return
}

//--- empty.mlir
func.func private @declared()

//--- syntax.mlir
func.func @f( {

//--- cast.mlir
func.func @f(%a: i64) {
  %0 = builtin.unrealized_conversion_cast %a : i64 to tensor<4xi64>
  %1 = math.absi %0 : tensor<4xi64>
  %2 = builtin.unrealized_conversion_cast %1 : tensor<4xi64> to i64
  return
}

//--- llvm.mlir
llvm.func @no_such_symbol()
llvm.func @f(%a: i64) attributes {posenc.signature = (i64) -> ()} {
  llvm.return
}
llvm.func @_mlir_ciface_g(%a: i32) {
  llvm.return
}
llvm.func @g(%a: i32) attributes {posenc.signature = (i64) -> ()} {
  llvm.return
}
llvm.func @_mlir_ciface_h(%a: i64) {
  llvm.call @no_such_symbol() : () -> ()
  llvm.return
}
llvm.func @h(%a: i64) attributes {posenc.signature = (i64) -> ()} {
  llvm.return
}

//--- dynamic.mlir
llvm.func @_mlir_ciface_f(%result: !llvm.ptr, %a: !llvm.ptr) {
  %value = llvm.load %a : !llvm.ptr -> !llvm.struct<(ptr, ptr, i64, array<2 x i64>, array<2 x i64>)>
  llvm.store %value, %result : !llvm.struct<(ptr, ptr, i64, array<2 x i64>, array<2 x i64>)>, !llvm.ptr
  llvm.return
}
llvm.func @f() attributes {posenc.signature = (tensor<?x4xf32>) -> tensor<?x4xf32>} {
  llvm.return
}
