// RUN: pe-opt %s --posenc-vectorize-attention=vector-bits=512 --canonicalize --cse --split-input-file | FileCheck %s
// RUN: pe-opt %s --posenc-vectorize-attention=vector-bits=256 --canonicalize --cse --split-input-file | FileCheck %s --check-prefix=AVX2

// The kernel is a function, since its scratch must not belong to the loop.

// CHECK-LABEL: func.func @plain
// CHECK:         scf.parallel (%[[B:.*]], %[[H:.*]], %[[I:.*]]) = {{.*}} step (%{{.*}}, %{{.*}}, %{{.*}}) {
// CHECK-NEXT:      func.call @posenc_attention({{.*}}, %[[B]], %[[H]], %[[I]])
// CHECK-NOT:     posenc.attention
// CHECK:       func.func private @posenc_attention({{.*}}) attributes {no_inline{{.*}}}
// CHECK:         memref.alloca() {alignment = 64 : i64} : memref<4x64x32xf32>
// A tile of 8 keys and two vectors of queries, all in registers.
// CHECK:         scf.for {{.*}} -> (vector<16xf32>, vector<16xf32>)
// CHECK:           scf.for {{.*}} -> ({{(vector<16xf32>, ){15}vector<16xf32>}})
// CHECK-COUNT-16:    vector.fma {{.*}} : vector<16xf32>
// CHECK:             scf.yield

// AVX2-LABEL:  func.func private @posenc_attention
// AVX2:          memref.alloca() {alignment = 64 : i64} : memref<4x64x16xf32>
// AVX2:            scf.for {{.*}} -> ({{(vector<8xf32>, ){11}vector<8xf32>}})
// AVX2-COUNT-12:     vector.fma {{.*}} : vector<8xf32>
func.func @plain(%q: memref<?x?x?x64xf32>, %k: memref<?x?x?x64xf32>, %v: memref<?x?x?x64xf32>,
                 %o: memref<?x?x?x64xf32>) {
  posenc.attention ins(%q, %k, %v : memref<?x?x?x64xf32>, memref<?x?x?x64xf32>, memref<?x?x?x64xf32>)
                   outs(%o : memref<?x?x?x64xf32>) {scale = 0.125 : f32}
  return
}

// -----

// What only the query decides is built once per panel, a table that follows the
// distance is read by vectors, and only edge tiles ask the mask.

// CHECK-LABEL: func.func @table
// CHECK:       func.func private @posenc_attention
// CHECK-NOT:     arith.cmpi sle, {{.*}} : vector<16xindex>
// CHECK:         scf.if
// CHECK:           vector.load %{{.*}} : memref<8x1000xf32>, vector<16xf32>
// CHECK:         else
// CHECK:           vector.gather %{{.*}} : memref<8x1000xf32>
// CHECK:         arith.cmpi sle, {{.*}} : vector<16xindex>
// CHECK:         arith.select {{.*}} : vector<16xi1>, vector<16xf32>
func.func @table(%q: memref<1x8x?x64xf32>, %k: memref<1x2x?x64xf32>, %v: memref<1x2x?x64xf32>,
                 %o: memref<1x8x?x64xf32>, %table: memref<8x1000xf32>) {
  posenc.attention ins(%q, %k, %v : memref<1x8x?x64xf32>, memref<1x2x?x64xf32>, memref<1x2x?x64xf32>)
                   outs(%o : memref<1x8x?x64xf32>)
    score {
    ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
      %d = arith.subi %i, %j : index
      %t = memref.load %table[%h, %d] : memref<8x1000xf32>
      %r = arith.addf %s, %t : f32
      posenc.yield %r : f32
    }
    mask {
    ^bb0(%b: index, %h: index, %i: index, %j: index):
      %c = arith.cmpi sle, %j, %i : index
      posenc.yield %c : i1
    }
    live {
    ^bb0(%b: index, %h: index, %from: index, %to: index):
      %zero = arith.constant 0 : index
      posenc.yield %zero, %to : index, index
    }
    {scale = 0.125 : f32, exact_live}
  return
}
