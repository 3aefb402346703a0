// Keys and values that regions encode: by the first block of queries that meets them, or
// before all where heads of keys are not as many for each thread.
// RUN: pe-opt %s --posenc-cpu="to=vectorize vector-bits=512 bf16-pairs=0" | FileCheck %s
// RUN: pe-opt %s --posenc-cpu="to=vectorize vector-bits=512 bf16-pairs=1" | FileCheck %s --check-prefix=PAIRS

// DEFINE: %{entry} =
// DEFINE: %{heads} =
// DEFINE: %{keys} =
// DEFINE: %{more} =
// DEFINE: %{run} = pe-runner %s --entry=%{entry} --verify %{more} --input=%{heads}=random:1 --input=%{keys}=random:2 --input=%{keys}=random:3
// DEFINE: %{all} = %{run} --threads=1 && %{run} --threads=2 && %{run} --threads=4 && %{run} --threads=1 --cpu=znver3 && %{run} --threads=4 --cpu=znver3

// Three heads of keys are three for one thread, uneven for two and for four.
// REDEFINE: %{entry} = grouped
// REDEFINE: %{heads} = 1x6x333x24
// REDEFINE: %{keys} = 1x3x333x24
// RUN: %{all}
// REDEFINE: %{heads} = 2x6x129x24
// REDEFINE: %{keys} = 2x3x517x24
// RUN: %{all}
// REDEFINE: %{heads} = 1x6x17x24
// REDEFINE: %{keys} = 1x3x3x24
// RUN: %{all}
// REDEFINE: %{heads} = 1x6x19x24
// REDEFINE: %{keys} = 1x3x0x24
// RUN: %{all}
// REDEFINE: %{heads} = 1x6x0x24
// REDEFINE: %{keys} = 1x3x5x24
// RUN: %{all}

// REDEFINE: %{entry} = windowed
// REDEFINE: %{heads} = 1x300x4x32
// REDEFINE: %{keys} = 1x711x4x32
// RUN: %{all}

// RUN: pe-runner %s --entry=padded --verify --threads=1 --input=3x2x65x16=random:1 --input=3x2x410x16=random:2 --input=3x2x410x16=random:3 --input=3x410=ones
// RUN: pe-runner %s --entry=padded --verify --threads=2 --input=3x2x65x16=random:1 --input=3x2x410x16=random:2 --input=3x2x410x16=random:3 --input=3x410=random:4
// RUN: pe-runner %s --entry=padded --verify --threads=4 --cpu=znver3 --input=3x2x65x16=random:1 --input=3x2x410x16=random:2 --input=3x2x410x16=random:3 --input=3x410=random:4

// REDEFINE: %{entry} = narrow
// REDEFINE: %{heads} = 1x4x301x32
// REDEFINE: %{keys} = 1x1x301x32
// REDEFINE: %{more} = --tolerance=2e-2
// RUN: %{all}

// CHECK-LABEL: func.func @grouped(
// CHECK: %[[THREADS:.*]] = call @posenc_threads()
// CHECK: scf.if
// CHECK-NEXT: scf.parallel
// CHECK: %[[ROOM:.*]] = memref.alloc(%{{.*}}) {alignment = 64 : i64} : memref<1x?x24xf32>
// CHECK: %[[DONE:.*]] = memref.alloc() {alignment = 64 : i64} : memref<1xindex>
// CHECK-NOT: call @posenc_map
// CHECK: scf.for
// CHECK: scf.for
// CHECK-NEXT: call @posenc_attention(%arg0, %arg1, %arg2, {{.*}}, %[[DONE]],
// CHECK: } else {
// CHECK: memref.alloc(%{{.*}}) {alignment = 64 : i64} : memref<?x?x24xf32>
// CHECK: scf.parallel
// CHECK: call @posenc_map{{.*}}(%arg1,
// CHECK: scf.parallel
// CHECK: call @posenc_attention(
func.func @grouped(%q: tensor<?x6x?x24xf32>, %k: tensor<?x3x?x24xf32>, %v: tensor<?x3x?x24xf32>)
    -> tensor<?x6x?x24xf32> {
  %qr = posenc.rope %q {pairing = #posenc.pairing<half>} : (tensor<?x6x?x24xf32>) -> tensor<?x6x?x24xf32>
  %kr = posenc.rope %k {pairing = #posenc.pairing<half>} : (tensor<?x3x?x24xf32>) -> tensor<?x3x?x24xf32>
  %s = posenc.scores %qr, %kr : (tensor<?x6x?x24xf32>, tensor<?x3x?x24xf32>) -> tensor<?x6x?x?xf32>
  %c = posenc.causal %s : (tensor<?x6x?x?xf32>) -> tensor<?x6x?x?xf32>
  %o = posenc.attend %c, %v : (tensor<?x6x?x?xf32>, tensor<?x3x?x24xf32>) -> tensor<?x6x?x24xf32>
  return %o : tensor<?x6x?x24xf32>
}

// Keys before the first window are not encoded at all.
// CHECK-LABEL: func.func @windowed(
// CHECK: scf.if
// CHECK-NEXT: scf.parallel
// CHECK: %[[DONE:.*]] = memref.alloc() {alignment = 64 : i64} : memref<1xindex>
// CHECK: memref.store %c312, %[[DONE]]
func.func @windowed(%q: tensor<1x300x4x32xf32>, %k: tensor<1x711x4x32xf32>, %v: tensor<1x711x4x32xf32>)
    -> tensor<1x300x4x32xf32> {
  %kr = posenc.rope %k {pairing = #posenc.pairing<interleaved>, width = 16 : i64, layout = #posenc.layout<bshd>} : (tensor<1x711x4x32xf32>) -> tensor<1x711x4x32xf32>
  %s = posenc.scores %q, %kr {layout = #posenc.layout<bshd>} : (tensor<1x300x4x32xf32>, tensor<1x711x4x32xf32>) -> tensor<1x4x300x711xf32>
  %w = posenc.window %s {left = 99 : i64, right = 0 : i64} : (tensor<1x4x300x711xf32>) -> tensor<1x4x300x711xf32>
  %o = posenc.attend %w, %v {layout = #posenc.layout<bshd>} : (tensor<1x4x300x711xf32>, tensor<1x711x4x32xf32>) -> tensor<1x300x4x32xf32>
  return %o : tensor<1x300x4x32xf32>
}

// Values may be encoded as well; padding is cleared after that.
// CHECK-LABEL: func.func @padded(
// CHECK: scf.if
// CHECK-NEXT: scf.parallel
// CHECK-COUNT-2: memref.alloc() {alignment = 64 : i64} : memref<1x410x16xf32>
// CHECK: } else {
// CHECK-COUNT-2: memref.alloc() {alignment = 64 : i64} : memref<6x410x16xf32>
// CHECK: call @posenc_map{{.*}}(%arg1,
// CHECK: call @posenc_map{{.*}}(%arg2,
func.func @padded(%q: tensor<3x2x65x16xf32>, %k: tensor<3x2x410x16xf32>, %v: tensor<3x2x410x16xf32>,
                  %mask: tensor<3x410xi1>) -> tensor<3x2x65x16xf32> {
  %kr = posenc.rope %k {pairing = #posenc.pairing<half>} : (tensor<3x2x410x16xf32>) -> tensor<3x2x410x16xf32>
  %vr = posenc.rope %v {pairing = #posenc.pairing<interleaved>} : (tensor<3x2x410x16xf32>) -> tensor<3x2x410x16xf32>
  %s = posenc.scores %q, %kr : (tensor<3x2x65x16xf32>, tensor<3x2x410x16xf32>) -> tensor<3x2x65x410xf32>
  %p = posenc.padding %s valid(%mask) : (tensor<3x2x65x410xf32>, tensor<3x410xi1>) -> tensor<3x2x65x410xf32>
  %o = posenc.attend %p, %vr : (tensor<3x2x65x410xf32>, tensor<3x2x410x16xf32>) -> tensor<3x2x65x16xf32>
  return %o : tensor<3x2x65x16xf32>
}

// Rounded where pairs are multiplied, and only there; then read in place.
// CHECK-LABEL: func.func @narrow(
// CHECK: memref<1x?x32xf32>
// PAIRS-LABEL: func.func @narrow(
// PAIRS: memref.alloc(%{{.*}}) {alignment = 64 : i64} : memref<1x?x32xbf16>
func.func @narrow(%q: tensor<1x4x?x32xbf16>, %k: tensor<1x1x?x32xbf16>, %v: tensor<1x1x?x32xbf16>)
    -> tensor<1x4x?x32xbf16> {
  %qr = posenc.rope %q {pairing = #posenc.pairing<half>} : (tensor<1x4x?x32xbf16>) -> tensor<1x4x?x32xbf16>
  %kr = posenc.rope %k {pairing = #posenc.pairing<half>} : (tensor<1x1x?x32xbf16>) -> tensor<1x1x?x32xbf16>
  %s = posenc.scores %qr, %kr : (tensor<1x4x?x32xbf16>, tensor<1x1x?x32xbf16>) -> tensor<1x4x?x?xf32>
  %c = posenc.causal %s : (tensor<1x4x?x?xf32>) -> tensor<1x4x?x?xf32>
  %o = posenc.attend %c, %v : (tensor<1x4x?x?xf32>, tensor<1x1x?x32xbf16>) -> tensor<1x4x?x32xbf16>
  return %o : tensor<1x4x?x32xbf16>
}

// Keys of a block, up to its end, before the panels.
// CHECK-LABEL: func.func private @posenc_attention(
// CHECK-SAME: %[[COUNT:[^:]+]]: memref<1xindex>
// CHECK: %[[FIRST:.*]] = memref.load %[[COUNT]]
// CHECK: %[[NEW:.*]] = arith.cmpi slt, %[[FIRST]], %[[END:.*]] : index
// CHECK: scf.if %[[NEW]] {
// CHECK: scf.for %{{.*}} = %[[FIRST]] to %[[END]]
// CHECK: memref.store %[[END]], %[[COUNT]]
