// RUN: pe-opt %s --posenc-plan-memory --split-input-file | FileCheck %s

// Lives that do not overlap share a slot, as large as the larger.
// CHECK-LABEL: func.func @turns(
// CHECK-DAG: %[[BYTES:.*]] = arith.constant 8 : index
// CHECK: %[[SIZE:.*]] = arith.muli %[[BYTES]], %arg0
// CHECK: %[[PIECE:.*]] = memref.alloc(%{{.*}}) {alignment = 64 : i64, posenc.kept} : memref<?xi8>
// CHECK: memref.view %[[PIECE]][%[[FIRST:.*]]][%arg0] : memref<?xi8> to memref<?xf32>
// CHECK: memref.view %[[PIECE]][%[[FIRST]]][%arg0] : memref<?xi8> to memref<?x2xf32>
// CHECK-NOT: memref.alloc
// CHECK: memref.dealloc %[[PIECE]]
// CHECK-NEXT: return
func.func @turns(%n: index, %x: f32) attributes {posenc.signature = (index, f32) -> ()} {
  %a = memref.alloc(%n) : memref<?xf32>
  linalg.fill ins(%x : f32) outs(%a : memref<?xf32>)
  memref.dealloc %a : memref<?xf32>
  %b = memref.alloc(%n) : memref<?x2xf32>
  linalg.fill ins(%x : f32) outs(%b : memref<?x2xf32>)
  memref.dealloc %b : memref<?x2xf32>
  return
}

// -----

// Both live at once; a third takes the place of the one that has its sizes.
// CHECK-LABEL: func.func @together(
// CHECK: %[[A:.*]] = memref.view %{{.*}}[%[[AT:.*]]][%arg0] : memref<?xi8> to memref<?xi1>
// CHECK: %[[B:.*]] = memref.view %{{.*}}[%[[OTHER:.*]]][%arg1] : memref<?xi8> to memref<?xi1>
// CHECK: %[[C:.*]] = memref.view %{{.*}}[%[[OTHER]]][%arg1] : memref<?xi8> to memref<?xi1>
func.func @together(%n: index, %m: index, %x: i1) attributes {posenc.signature = (index, index, i1) -> ()} {
  %a = memref.alloc(%n) : memref<?xi1>
  %b = memref.alloc(%m) : memref<?xi1>
  linalg.fill ins(%x : i1) outs(%b : memref<?xi1>)
  linalg.fill ins(%x : i1) outs(%a : memref<?xi1>)
  memref.dealloc %a : memref<?xi1>
  memref.dealloc %b : memref<?xi1>
  %c = memref.alloc(%m) : memref<?xi1>
  linalg.fill ins(%x : i1) outs(%c : memref<?xi1>)
  memref.dealloc %c : memref<?xi1>
  return
}

// -----

// Sizes of different kinds: the larger is found at run time. What computes the
// second moves in front, and may be negative there.
// CHECK-LABEL: func.func @sizes(
// CHECK: %[[M:.*]] = arith.subi %arg1, %arg0
// CHECK: arith.maxsi
// CHECK: arith.maxsi
// CHECK: arith.maxsi
// CHECK: memref.alloc({{.*}}posenc.kept
// CHECK: cf.assert
func.func @sizes(%n: index, %m: index, %x: f32) attributes {posenc.signature = (index, index, f32) -> ()} {
  %a = memref.alloc(%n) : memref<?xf32>
  linalg.fill ins(%x : f32) outs(%a : memref<?xf32>)
  memref.dealloc %a : memref<?xf32>
  %good = arith.cmpi sge, %m, %n : index
  cf.assert %good, "expected m of at least n"
  %size = arith.subi %m, %n : index
  %b = memref.alloc(%size) : memref<?xf32>
  linalg.fill ins(%x : f32) outs(%b : memref<?xf32>)
  memref.dealloc %b : memref<?xf32>
  return
}

// -----

// A buffer in a loop lives as long as the loop; one in a parallel loop is a view of a
// piece of its iteration, of the thread that runs it.
// CHECK-LABEL: func.func @loop(
// CHECK: memref.view %{{.*}}[%[[OUTER:.*]]][] : memref<?xi8> to memref<4xf32>
// CHECK: scf.for
// CHECK-NOT: memref.view %{{.*}}[%[[OUTER]]]
// CHECK: memref.view %{{.*}}[%{{.*}}][] : memref<?xi8> to memref<8xf32>
// CHECK: scf.parallel
// CHECK: %[[OWN:.*]] = memref.alloc(%{{.*}}) {alignment = 64 : i64, posenc.kept} : memref<?xi8>
// CHECK: memref.view %[[OWN]]{{.*}} : memref<?xi8> to memref<8xf32>
// CHECK: memref.dealloc %[[OWN]]
// CHECK-NEXT: scf.reduce
func.func @loop(%n: index, %x: f32) attributes {posenc.signature = (index, f32) -> ()} {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %a = memref.alloc() : memref<4xf32>
  scf.for %i = %zero to %n step %one {
    %b = memref.alloc() : memref<8xf32>
    linalg.fill ins(%x : f32) outs(%b : memref<8xf32>)
    memref.dealloc %b : memref<8xf32>
  }
  memref.dealloc %a : memref<4xf32>
  scf.parallel (%i) = (%zero) to (%n) step (%one) {
    %b = memref.alloc() : memref<8xf32>
    linalg.fill ins(%x : f32) outs(%b : memref<8xf32>)
    memref.dealloc %b : memref<8xf32>
    scf.reduce
  }
  return
}

// -----

// Results, sizes from memory and functions that only the module calls stay.
// CHECK-LABEL: func.func @others(
// CHECK: memref.view
// CHECK: memref.alloc(%{{.*}}) : memref<?xf32>
// CHECK: memref.alloc() : memref<4xf32>
// CHECK: func.func private @inner(
// CHECK-NOT: memref.view
func.func @others(%n: memref<index>, %x: f32) -> memref<4xf32>
    attributes {posenc.signature = (tensor<index>, f32) -> tensor<4xf32>} {
  %first = memref.alloc() : memref<2xf32>
  linalg.fill ins(%x : f32) outs(%first : memref<2xf32>)
  memref.dealloc %first : memref<2xf32>
  %size = memref.load %n[] : memref<index>
  %a = memref.alloc(%size) : memref<?xf32>
  linalg.fill ins(%x : f32) outs(%a : memref<?xf32>)
  memref.dealloc %a : memref<?xf32>
  %b = memref.alloc() : memref<4xf32>
  linalg.fill ins(%x : f32) outs(%b : memref<4xf32>)
  return %b : memref<4xf32>
}
func.func private @inner(%x: f32) {
  %a = memref.alloc() : memref<4xf32>
  linalg.fill ins(%x : f32) outs(%a : memref<4xf32>)
  memref.dealloc %a : memref<4xf32>
  return
}
