// Heads of other widths than test/Encodings has, in the other layout too: they agree
// with the reference, under all checks, and no access meets a bank conflict.

// DEFINE: %{function} = narrow
// DEFINE: %{inputs} = --input=1x2x70x16=random:1 --input=1x2x90x16=random:2 --input=1x2x90x32=random:3
// DEFINE: %{check} = pe-runner %s --entry=%{function} %{inputs} --pipeline=posenc-reference --output=@%t.npy && pe-runner %s --entry=%{function} %{inputs} --pipeline=posenc-nvptx --device=emulator --check --check-leaks -O0 --expect=@%t.npy --tolerance=1e-2 && pe-runner %s --entry=%{function} %{inputs} --pipeline=posenc-nvptx --device=emulator --counts -O0 | FileCheck %s
// CHECK: shared loads of warps: {{.*}} 0 bank conflicts
// CHECK: shared stores of warps: {{.*}} 0 bank conflicts
// RUN: %{check}
// REDEFINE: %{function} = odd
// REDEFINE: %{inputs} = --input=1x40x4x80=random:1 --input=1x50x2x80=random:2 --input=1x50x2x96=random:3
// RUN: %{check}
// REDEFINE: %{function} = wide
// REDEFINE: %{inputs} = --input=1x2x65x128=random:1 --input=1x1x129x128=random:2 --input=1x1x129x128=random:3
// RUN: %{check}
// REDEFINE: %{function} = widest
// REDEFINE: %{inputs} = --input=1x1x65x256=random:1 --input=1x1x33x256=random:2 --input=1x1x33x256=random:3
// RUN: %{check}
// Scores of some hundreds: what is subtracted from them grows again and again.
// REDEFINE: %{function} = steep
// REDEFINE: %{inputs} = --input=1x2x70x64=random:1 --input=1x1x300x64=random:2 --input=1x1x300x64=random:3
// RUN: %{check}

func.func @narrow(%q: tensor<?x2x?x16xf16>, %k: tensor<?x2x?x16xf16>, %v: tensor<?x2x?x32xf16>) -> tensor<?x2x?x32xf16> {
  %s = posenc.scores %q, %k {scale = -0.5 : f32} : (tensor<?x2x?x16xf16>, tensor<?x2x?x16xf16>) -> tensor<?x2x?x?xf32>
  %o = posenc.attend %s, %v {posenc.schedule = #posenc.schedule<mma>} : (tensor<?x2x?x?xf32>, tensor<?x2x?x32xf16>) -> tensor<?x2x?x32xf16>
  return %o : tensor<?x2x?x32xf16>
}

func.func @odd(%q: tensor<?x?x4x80xf16>, %k: tensor<?x?x2x80xf16>, %v: tensor<?x?x2x96xf16>) -> tensor<?x?x4x96xf32> {
  %s = posenc.scores %q, %k {layout = #posenc.layout<bshd>} : (tensor<?x?x4x80xf16>, tensor<?x?x2x80xf16>) -> tensor<?x4x?x?xf32>
  %m = posenc.causal %s : (tensor<?x4x?x?xf32>) -> tensor<?x4x?x?xf32>
  %o = posenc.attend %m, %v {layout = #posenc.layout<bshd>, posenc.schedule = #posenc.schedule<mma>} : (tensor<?x4x?x?xf32>, tensor<?x?x2x96xf16>) -> tensor<?x?x4x96xf32>
  return %o : tensor<?x?x4x96xf32>
}

func.func @wide(%q: tensor<?x2x?x128xbf16>, %k: tensor<?x1x?x128xbf16>, %v: tensor<?x1x?x128xbf16>) -> tensor<?x2x?x128xbf16> {
  %s = posenc.scores %q, %k : (tensor<?x2x?x128xbf16>, tensor<?x1x?x128xbf16>) -> tensor<?x2x?x?xf32>
  %m = posenc.window %s {left = 70 : i64, right = 5 : i64} : (tensor<?x2x?x?xf32>) -> tensor<?x2x?x?xf32>
  %o = posenc.attend %m, %v {posenc.schedule = #posenc.schedule<mma>} : (tensor<?x2x?x?xf32>, tensor<?x1x?x128xbf16>) -> tensor<?x2x?x128xbf16>
  return %o : tensor<?x2x?x128xbf16>
}

func.func @widest(%q: tensor<?x1x?x256xf16>, %k: tensor<?x1x?x256xf16>, %v: tensor<?x1x?x256xf16>) -> tensor<?x1x?x256xf16> {
  %s = posenc.scores %q, %k : (tensor<?x1x?x256xf16>, tensor<?x1x?x256xf16>) -> tensor<?x1x?x?xf32>
  %o = posenc.attend %s, %v {posenc.schedule = #posenc.schedule<mma>} : (tensor<?x1x?x?xf32>, tensor<?x1x?x256xf16>) -> tensor<?x1x?x256xf16>
  return %o : tensor<?x1x?x256xf16>
}

func.func @steep(%q: tensor<?x2x?x64xf16>, %k: tensor<?x1x?x64xf16>, %v: tensor<?x1x?x64xf16>) -> tensor<?x2x?x64xf16> {
  %s = posenc.scores %q, %k {scale = 8.0 : f32} : (tensor<?x2x?x64xf16>, tensor<?x1x?x64xf16>) -> tensor<?x2x?x?xf32>
  %m = posenc.causal %s : (tensor<?x2x?x?xf32>) -> tensor<?x2x?x?xf32>
  %o = posenc.attend %m, %v {posenc.schedule = #posenc.schedule<mma>} : (tensor<?x2x?x?xf32>, tensor<?x1x?x64xf16>) -> tensor<?x2x?x64xf16>
  return %o : tensor<?x2x?x64xf16>
}
