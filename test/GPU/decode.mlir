// Attention of few queries: a block reads keys and values once for all heads that share
// them, 16 bytes per thread, and a second kernel joins what blocks have of other keys.
// RUN: split-file %s %t

// Of each row of 256 bytes, 16 lanes read a piece: loops of eight pieces of keys and of
// four of values.
// RUN: %python %S/ptx.py %t/group.mlir sm_80 | FileCheck %s --check-prefix=PTX
// RUN: %python %S/ptx.py %t/group.mlir sm_90a
// RUN: %python %S/ptx.py %t/causal.mlir sm_75
// PTX: decode: 12 ld.global.v4,
// PTX: decode_join:

// Eight heads on two key heads, 700 keys in four parts: each key and value is read once
// (2 x 2 x 700 rows of 8 sectors), and a tile of 32 more than the last repeats it.
// RUN: pe-runner %t/group.mlir --device=emulator --counts --verify --tolerance=5e-3 --input=1x8x1x128=random:1 --input=1x2x700x128=random:2 --input=1x2x700x128=random:3 | FileCheck %s --check-prefix=COUNTS
// COUNTS: kernel 'decode': 1 launches, 4 blocks, 512 threads
// COUNTS: global loads of warps: {{.*}} bytes, 22{{...}} sectors
// COUNTS: kernel 'decode_join': 1 launches

// DEFINE: %{file} = causal
// DEFINE: %{tolerance} = 2e-6
// DEFINE: %{inputs} =
// DEFINE: %{check} = pe-runner %t/%{file}.mlir --device=emulator --check --check-leaks --verify --tolerance=%{tolerance} %{inputs}
// More queries than keys, so that some see none; one key; no key.
// REDEFINE: %{inputs} = --input=2x6x5x24=random:1 --input=2x2x3x24=random:2 --input=2x2x3x40=random:3
// RUN: %{check}
// REDEFINE: %{inputs} = --input=2x6x5x24=random:1 --input=2x2x1x24=random:2 --input=2x2x1x40=random:3
// RUN: %{check}
// REDEFINE: %{inputs} = --input=2x6x5x24=random:1 --input=2x2x0x24=random:2 --input=2x2x0x40=random:3
// RUN: %{check}
// More splits than there are turns of the warps.
// REDEFINE: %{file} = splits
// REDEFINE: %{inputs} = --input=2x3x2x7=random:1 --input=2x1x300x7=random:2 --input=2x1x300x5=random:3
// RUN: %{check}
// REDEFINE: %{inputs} = --input=2x3x2x7=random:1 --input=2x1x3x7=random:2 --input=2x1x3x5=random:3
// RUN: %{check}
// Rows that no lane holds whole; several rounds.
// REDEFINE: %{file} = wide
// REDEFINE: %{inputs} = --input=1x2x1x300=random:1 --input=1x1x70x300=random:2 --input=1x1x70x133=random:3
// RUN: %{check}
// The number of heads is not known.
// REDEFINE: %{file} = dynamic
// REDEFINE: %{tolerance} = 1e-3
// REDEFINE: %{inputs} = --input=1x3x15x80=random:1 --input=1x3x3x80=random:2 --input=1x3x3x80=random:3
// RUN: %{check}

// RUN: not pe-opt --posenc-nvptx %t/many.mlir 2>&1 | FileCheck %s --check-prefix=MANY
// MANY: error: 'posenc.attention' op cannot have the form 'decode': expected at least one and at most 16 queries, a number known when compiling
// RUN: not pe-opt --posenc-nvptx %t/form.mlir 2>&1 | FileCheck %s --check-prefix=FORM
// FORM: error: expected splits in the form 'decode' only, but found 'simt'

//--- group.mlir
func.func @group(%q: tensor<1x8x1x128xbf16>, %k: tensor<1x2x?x128xbf16>, %v: tensor<1x2x?x128xbf16>) -> tensor<1x8x1x128xbf16> {
  %s = posenc.scores %q, %k : (tensor<1x8x1x128xbf16>, tensor<1x2x?x128xbf16>) -> tensor<1x8x1x?xf32>
  %o = posenc.attend %s, %v : (tensor<1x8x1x?xf32>, tensor<1x2x?x128xbf16>) -> tensor<1x8x1x128xbf16>
  return %o : tensor<1x8x1x128xbf16>
}
//--- causal.mlir
func.func @causal(%q: tensor<?x6x5x24xf32>, %k: tensor<?x2x?x24xf32>, %v: tensor<?x2x?x40xf32>) -> (tensor<?x6x5x40xf32>, tensor<?x6x5xf32>) {
  %s = posenc.scores %q, %k : (tensor<?x6x5x24xf32>, tensor<?x2x?x24xf32>) -> tensor<?x6x5x?xf32>
  %c = posenc.causal %s : (tensor<?x6x5x?xf32>) -> tensor<?x6x5x?xf32>
  %o:2 = posenc.attend %c, %v : (tensor<?x6x5x?xf32>, tensor<?x2x?x40xf32>) -> (tensor<?x6x5x40xf32>, tensor<?x6x5xf32>)
  return %o#0, %o#1 : tensor<?x6x5x40xf32>, tensor<?x6x5xf32>
}
//--- splits.mlir
func.func @splits(%q: tensor<?x3x2x7xf32>, %k: tensor<?x1x?x7xf32>, %v: tensor<?x1x?x5xf32>) -> (tensor<?x3x2x5xf32>, tensor<?x3x2xf32>) {
  %s = posenc.scores %q, %k : (tensor<?x3x2x7xf32>, tensor<?x1x?x7xf32>) -> tensor<?x3x2x?xf32>
  %c = posenc.window %s {left = 200 : i64, right = 0 : i64} : (tensor<?x3x2x?xf32>) -> tensor<?x3x2x?xf32>
  %o:2 = posenc.attend %c, %v {posenc.schedule = #posenc.schedule<decode, splits = 7>} : (tensor<?x3x2x?xf32>, tensor<?x1x?x5xf32>) -> (tensor<?x3x2x5xf32>, tensor<?x3x2xf32>)
  return %o#0, %o#1 : tensor<?x3x2x5xf32>, tensor<?x3x2xf32>
}
//--- wide.mlir
func.func @wide(%q: tensor<1x2x1x300xf32>, %k: tensor<1x1x?x300xf32>, %v: tensor<1x1x?x133xf32>) -> tensor<1x2x1x133xf32> {
  %s = posenc.scores %q, %k : (tensor<1x2x1x300xf32>, tensor<1x1x?x300xf32>) -> tensor<1x2x1x?xf32>
  %o = posenc.attend %s, %v : (tensor<1x2x1x?xf32>, tensor<1x1x?x133xf32>) -> tensor<1x2x1x133xf32>
  return %o : tensor<1x2x1x133xf32>
}
//--- dynamic.mlir
func.func @dynamic(%q: tensor<1x3x?x80xf16>, %k: tensor<1x?x?x80xf16>, %v: tensor<1x?x?x80xf16>) -> tensor<1x3x?x80xf16> {
  %s = posenc.scores %q, %k {layout = #posenc.layout<bshd>} : (tensor<1x3x?x80xf16>, tensor<1x?x?x80xf16>) -> tensor<1x?x3x?xf32>
  %o = posenc.attend %s, %v {layout = #posenc.layout<bshd>} : (tensor<1x?x3x?xf32>, tensor<1x?x?x80xf16>) -> tensor<1x3x?x80xf16>
  return %o : tensor<1x3x?x80xf16>
}
//--- many.mlir
func.func @many(%q: tensor<1x8x?x64xf32>, %k: tensor<1x8x?x64xf32>) -> tensor<1x8x?x64xf32> {
  %s = posenc.scores %q, %k : (tensor<1x8x?x64xf32>, tensor<1x8x?x64xf32>) -> tensor<1x8x?x?xf32>
  %o = posenc.attend %s, %k {posenc.schedule = #posenc.schedule<decode>} : (tensor<1x8x?x?xf32>, tensor<1x8x?x64xf32>) -> tensor<1x8x?x64xf32>
  return %o : tensor<1x8x?x64xf32>
}
//--- form.mlir
func.func @form(%q: tensor<1x8x1x64xf32>, %k: tensor<1x8x?x64xf32>) -> tensor<1x8x1x64xf32> {
  %s = posenc.scores %q, %k : (tensor<1x8x1x64xf32>, tensor<1x8x?x64xf32>) -> tensor<1x8x1x?xf32>
  %o = posenc.attend %s, %k {posenc.schedule = #posenc.schedule<simt, splits = 4>} : (tensor<1x8x1x?xf32>, tensor<1x8x?x64xf32>) -> tensor<1x8x1x64xf32>
  return %o : tensor<1x8x1x64xf32>
}
