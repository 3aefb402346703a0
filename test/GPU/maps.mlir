// Threads take as many groups of channels as an access of 16 bytes has: of halves, two
// accesses; of pairs, one. Rows that do not allow it are read by elements.
// A thread has up to four heads, for which it evaluates an angle once.
// RUN: pe-translate --posenc-to-ptx %s | FileCheck %s
// DEFINE: %{function} = halves
// DEFINE: %{input} = 2x3x37x64
// DEFINE: %{check} = pe-runner %s --entry=%{function} --input=%{input}=random:1 --pipeline=posenc-nvptx --device=emulator --check --verify --tolerance=2e-2
// RUN: %{check}
// REDEFINE: %{function} = part
// RUN: %{check}
// REDEFINE: %{function} = pairs
// REDEFINE: %{input} = 2x37x8x64
// RUN: %{check}
// REDEFINE: %{function} = narrow
// REDEFINE: %{input} = 2x5x37x6
// RUN: %{check}
// RUN: pe-runner %s --entry=looked_up --input=2x9x16=random:1 --input=2x9=random:2 --input=100x16=random:3 --pipeline=posenc-nvptx{resident} --device=emulator --verify --tolerance=2e-2

// CHECK-LABEL: .entry map(
// CHECK-COUNT-6: ld.global.v4.b32
// CHECK-COUNT-2: ld.global.v4.b32
// CHECK-NOT: ld.global
// CHECK-COUNT-6: st.global.v4
// CHECK-NOT: st.global
// CHECK-LABEL: .entry map_0(
func.func @halves(%x: tensor<?x3x?x64xbf16>) -> tensor<?x3x?x64xbf16> {
  %r = posenc.rope %x {pairing = #posenc.pairing<half>} : (tensor<?x3x?x64xbf16>) -> tensor<?x3x?x64xbf16>
  return %r : tensor<?x3x?x64xbf16>
}

// Two groups of four heads.
func.func @pairs(%x: tensor<?x?x8x64xf16>) -> tensor<?x?x8x64xf16> {
  %r = posenc.rope %x {pairing = #posenc.pairing<interleaved>, layout = #posenc.layout<bshd>} : (tensor<?x?x8x64xf16>) -> tensor<?x?x8x64xf16>
  return %r : tensor<?x?x8x64xf16>
}

// A part of the channels, the others are copied.
func.func @part(%x: tensor<?x3x?x64xf32>) -> tensor<?x3x?x64xf32> {
  %r = posenc.rope %x {pairing = #posenc.pairing<half>, offset = 8 : i64, width = 32 : i64} : (tensor<?x3x?x64xf32>) -> tensor<?x3x?x64xf32>
  return %r : tensor<?x3x?x64xf32>
}

func.func @narrow(%x: tensor<?x5x?x6xbf16>) -> tensor<?x5x?x6xbf16> {
  %r = posenc.rope %x {pairing = #posenc.pairing<half>} : (tensor<?x5x?x6xbf16>) -> tensor<?x5x?x6xbf16>
  return %r : tensor<?x5x?x6xbf16>
}

// Of what is on the device, the host checks a copy.
func.func @looked_up(%x: tensor<?x?x16xbf16>, %ids: tensor<?x?xi64>, %table: tensor<100x16xf32>) -> tensor<?x?x16xbf16> {
  %r = posenc.token_type %x ids(%ids) table(%table) : (tensor<?x?x16xbf16>, tensor<?x?xi64>, tensor<100x16xf32>) -> tensor<?x?x16xbf16>
  return %r : tensor<?x?x16xbf16>
}
