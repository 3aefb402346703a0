// RUN: split-file %s %t

// Without a bank conflict; keys, and values if they are wide enough, by 16 bytes.
// RUN: pe-runner %t/heads.mlir --device=emulator --counts --verify --input=1x4x40x64=random:1 --input=1x2x40x64=random:2 --input=1x2x40x128=random:3 | FileCheck %s --check-prefix=COUNTS
// COUNTS: kernel 'attention': 1 launches, 8 blocks, 1024 threads
// COUNTS: shared loads of warps: {{.*}} 0 bank conflicts
// COUNTS: shared stores of warps: {{.*}} 0 bank conflicts

// Any width: several tiles of channels, odd ones, more than one round of lanes.
// RUN: pe-runner %t/wide.mlir --device=emulator --check --verify --input=1x1x5x300=random:1 --input=1x1x9x300=random:2 --input=1x1x9x133=random:3
// RUN: pe-runner %t/odd.mlir --device=emulator --check --verify --input=1x1x5x7=random:1 --input=1x1x9x7=random:2 --input=1x1x9x1=random:3
// RUN: pe-runner %t/odd.mlir --device=emulator --check --verify --input=1x1x0x7=random:1 --input=1x1x9x7=random:2 --input=1x1x9x1=random:3
// RUN: pe-runner %t/odd.mlir --device=emulator --check --verify --input=1x1x3x7=random:1 --input=1x1x0x7=random:2 --input=1x1x0x1=random:3

// Sums are scaled when a score exceeds by far what is subtracted: rarely, here often. By
// both forms, with 8 rows for a warp, or 4 where blocks are known to be few.
// DEFINE: %{queries} = 37
// DEFINE: %{steep} = pe-runner %t/steep.mlir --device=emulator --check --verify --tolerance=1e-4 --input=1x2x%{queries}x32=random:1 --input=1x2x139x32=random:2 --input=1x2x139x32=random:3
// RUN: %{steep} --entry=many
// RUN: %{steep} --entry=few
// REDEFINE: %{queries} = 3
// RUN: %{steep} --entry=decode

// What does not fit is refused.
// RUN: not pe-opt --posenc-nvptx %t/huge.mlir 2>&1 | FileCheck %s --check-prefix=HUGE
// HUGE: error: 'posenc.attention' op expected heads of at most 7936 channels, but found 8000
// RUN: not pe-opt --posenc-nvptx %t/values.mlir 2>&1 | FileCheck %s --check-prefix=VALUES
// VALUES: error: 'posenc.attention' op expected values of at most 4096 channels, but found 5000

//--- heads.mlir
func.func @heads(%q: tensor<1x4x?x64xf32>, %k: tensor<1x2x?x64xf32>, %v: tensor<1x2x?x128xf32>) -> tensor<1x4x?x128xf32> {
  %s = posenc.scores %q, %k : (tensor<1x4x?x64xf32>, tensor<1x2x?x64xf32>) -> tensor<1x4x?x?xf32>
  %c = posenc.causal %s : (tensor<1x4x?x?xf32>) -> tensor<1x4x?x?xf32>
  %o = posenc.attend %c, %v : (tensor<1x4x?x?xf32>, tensor<1x2x?x128xf32>) -> tensor<1x4x?x128xf32>
  return %o : tensor<1x4x?x128xf32>
}
//--- wide.mlir
func.func @wide(%q: tensor<1x1x?x300xf32>, %k: tensor<1x1x?x300xf32>, %v: tensor<1x1x?x133xf32>) -> (tensor<1x1x?x133xf32>, tensor<1x1x?xf32>) {
  %s = posenc.scores %q, %k : (tensor<1x1x?x300xf32>, tensor<1x1x?x300xf32>) -> tensor<1x1x?x?xf32>
  %o:2 = posenc.attend %s, %v : (tensor<1x1x?x?xf32>, tensor<1x1x?x133xf32>) -> (tensor<1x1x?x133xf32>, tensor<1x1x?xf32>)
  return %o#0, %o#1 : tensor<1x1x?x133xf32>, tensor<1x1x?xf32>
}
//--- odd.mlir
func.func @odd(%q: tensor<1x1x?x7xf32>, %k: tensor<1x1x?x7xf32>, %v: tensor<1x1x?x1xf32>) -> (tensor<1x1x?x1xf32>, tensor<1x1x?xf32>) {
  %s = posenc.scores %q, %k : (tensor<1x1x?x7xf32>, tensor<1x1x?x7xf32>) -> tensor<1x1x?x?xf32>
  %o:2 = posenc.attend %s, %v : (tensor<1x1x?x?xf32>, tensor<1x1x?x1xf32>) -> (tensor<1x1x?x1xf32>, tensor<1x1x?xf32>)
  return %o#0, %o#1 : tensor<1x1x?x1xf32>, tensor<1x1x?xf32>
}
//--- steep.mlir
func.func @many(%q: tensor<1x2x?x32xf32>, %k: tensor<1x2x?x32xf32>, %v: tensor<1x2x?x32xf32>) -> tensor<1x2x?x32xf32> {
  %s = posenc.scores %q, %k {scale = 9.0 : f32} : (tensor<1x2x?x32xf32>, tensor<1x2x?x32xf32>) -> tensor<1x2x?x?xf32>
  %o = posenc.attend %s, %v : (tensor<1x2x?x?xf32>, tensor<1x2x?x32xf32>) -> tensor<1x2x?x32xf32>
  return %o : tensor<1x2x?x32xf32>
}
func.func @few(%q: tensor<1x2x37x32xf32>, %k: tensor<1x2x?x32xf32>, %v: tensor<1x2x?x32xf32>) -> tensor<1x2x37x32xf32> {
  %s = posenc.scores %q, %k {scale = 9.0 : f32} : (tensor<1x2x37x32xf32>, tensor<1x2x?x32xf32>) -> tensor<1x2x37x?xf32>
  %o = posenc.attend %s, %v : (tensor<1x2x37x?xf32>, tensor<1x2x?x32xf32>) -> tensor<1x2x37x32xf32>
  return %o : tensor<1x2x37x32xf32>
}
func.func @decode(%q: tensor<1x2x3x32xf32>, %k: tensor<1x2x?x32xf32>, %v: tensor<1x2x?x32xf32>) -> tensor<1x2x3x32xf32> {
  %s = posenc.scores %q, %k {scale = 9.0 : f32} : (tensor<1x2x3x32xf32>, tensor<1x2x?x32xf32>) -> tensor<1x2x3x?xf32>
  %o = posenc.attend %s, %v : (tensor<1x2x3x?xf32>, tensor<1x2x?x32xf32>) -> tensor<1x2x3x32xf32>
  return %o : tensor<1x2x3x32xf32>
}
//--- huge.mlir
func.func @huge(%q: tensor<1x1x?x8000xf32>, %v: tensor<1x1x?x64xf32>) -> tensor<1x1x?x64xf32> {
  %s = posenc.scores %q, %q : (tensor<1x1x?x8000xf32>, tensor<1x1x?x8000xf32>) -> tensor<1x1x?x?xf32>
  %o = posenc.attend %s, %v : (tensor<1x1x?x?xf32>, tensor<1x1x?x64xf32>) -> tensor<1x1x?x64xf32>
  return %o : tensor<1x1x?x64xf32>
}
//--- values.mlir
func.func @values(%q: tensor<1x1x?x64xf32>, %v: tensor<1x1x?x5000xf32>) -> tensor<1x1x?x5000xf32> {
  %s = posenc.scores %q, %q : (tensor<1x1x?x64xf32>, tensor<1x1x?x64xf32>) -> tensor<1x1x?x?xf32>
  %o = posenc.attend %s, %v : (tensor<1x1x?x?xf32>, tensor<1x1x?x5000xf32>) -> tensor<1x1x?x5000xf32>
  return %o : tensor<1x1x?x5000xf32>
}
