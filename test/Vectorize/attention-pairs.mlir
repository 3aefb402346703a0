// Products of bf16 are taken in pairs where the processor can: two channels of
// queries and keys, two keys of weights and values.
// RUN: pe-opt %s --posenc-vectorize-attention="vector-bits=512 bf16-pairs=1" --canonicalize --cse --split-input-file | FileCheck %s
// RUN: pe-opt %s --posenc-vectorize-attention=vector-bits=512 --split-input-file | FileCheck %s --check-prefix=NONE
// RUN: pe-opt %s --posenc-vectorize-attention="vector-bits=256 bf16-pairs=1" --split-input-file | FileCheck %s --check-prefix=NONE
// NONE-NOT: x86vector

// Keys are read where they are, a pair as one scalar; the values of a block are
// put into pairs first, and zeros behind an odd last one.
// CHECK-LABEL: func.func private @posenc_attention
// CHECK-SAME:    %{{[^ ]*}}: memref<1x8x?x64xbf16>, %[[K:[^ ]*]]: memref<1x8x?x64xbf16>
// CHECK:         %[[Q:.*]] = memref.alloca() {alignment = 64 : i64} : memref<8x32x32xf32>
// CHECK:         %[[PAIRS:.*]] = memref.alloca() {alignment = 64 : i64} : memref<96x64xf32>
// CHECK:         arith.select %{{.*}}, %{{.*}}, %{{.*}} : vector<16xbf16>
// CHECK:         vector.interleave
// CHECK:         scf.for {{.*}} -> ({{(vector<16xf32>, ){15}vector<16xf32>}})
// CHECK:           vector.load %[[K]]{{.*}} : memref<1x8x?x64xbf16>, vector<2xbf16>
// CHECK-COUNT-16:  x86vector.avx512.dot {{.*}} : vector<32xbf16> -> vector<16xf32>
// CHECK:           scf.yield
// CHECK:         memref.load %[[PAIRS]]
// CHECK:         x86vector.avx512.dot
func.func @pairs(%q: memref<1x8x?x64xbf16>, %k: memref<1x8x?x64xbf16>, %v: memref<1x8x?x64xbf16>,
                 %o: memref<1x8x?x64xbf16>) {
  posenc.attention ins(%q, %k, %v : memref<1x8x?x64xbf16>, memref<1x8x?x64xbf16>, memref<1x8x?x64xbf16>)
                   outs(%o : memref<1x8x?x64xbf16>) {scale = 0.125 : f32}
  return
}

// -----

// A live interval without a mask may end between the keys of a pair.
// CHECK-LABEL: func.func @live
// CHECK-NOT:   x86vector
func.func @live(%q: memref<1x8x?x64xbf16>, %k: memref<1x8x?x64xbf16>, %v: memref<1x8x?x64xbf16>,
                %o: memref<1x8x?x64xbf16>, %n: index) {
  posenc.attention ins(%q, %k, %v : memref<1x8x?x64xbf16>, memref<1x8x?x64xbf16>, memref<1x8x?x64xbf16>)
                   outs(%o : memref<1x8x?x64xbf16>)
    live {
    ^bb0(%b: index, %h: index, %from: index, %to: index):
      %c3 = arith.constant 3 : index
      posenc.yield %c3, %n : index, index
    }
    {scale = 0.125 : f32}
  return
}
