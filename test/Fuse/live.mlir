// RUN: pe-opt %s --posenc-fuse --canonicalize --cse --split-input-file | FileCheck %s

// A window around coordinates that advance by one: from the first query's on to
// the last one's, as rows of the keys.

// CHECK-LABEL: func @window(
// CHECK-SAME: %[[N:[a-z0-9]+]]: index, %[[PAST:[a-z0-9]+]]: index, %[[KSTART:[a-z0-9]+]]: index
// CHECK-DAG: %[[ZERO:.+]] = arith.constant 0 : index
// CHECK-DAG: %[[ONE:.+]] = arith.constant 1 : index
// CHECK-DAG: %[[LK:.+]] = tensor.dim %arg1
// CHECK: } live {
// CHECK-NEXT: ^bb0(%{{.+}}: index, %{{.+}}: index, %[[I0:.+]]: index, %[[I1:.+]]: index):
// CHECK-DAG: %[[LAST:.+]] = arith.subi %[[I1]], %[[ONE]]
// CHECK-DAG: %[[I032:.+]] = arith.index_cast %[[I0]] : index to i32
// CHECK-DAG: %[[PAST32:.+]] = arith.index_cast %[[PAST]] : index to i32
// CHECK-DAG: %[[FIRSTP:.+]] = arith.addi %[[I032]], %[[PAST32]]
// CHECK-DAG: %[[LAST32:.+]] = arith.index_cast %[[LAST]] : index to i32
// CHECK-DAG: %[[LASTP:.+]] = arith.addi %[[LAST32]], %[[PAST32]]
// CHECK: %[[LOS:.+]] = arith.maxsi %[[FIRSTP]], %{{.+}} : i32
// CHECK: %[[LOP:.+]] = arith.subi %[[LOS]], %{{.+}} : i32
// CHECK: %[[HIS:.+]] = arith.minsi %[[LASTP]], %{{.+}} : i32
// CHECK: %[[HIP:.+]] = arith.addi %[[HIS]], %{{.+}} : i32
// CHECK: %[[LOX:.+]] = arith.index_cast %[[LOP]] : i32 to index
// CHECK: %[[LO:.+]] = arith.subi %[[LOX]], %[[KSTART]]
// CHECK: %[[HIX:.+]] = arith.index_cast %[[HIP]] : i32 to index
// CHECK: %[[HI:.+]] = arith.subi %[[HIX]], %[[KSTART]]
// CHECK: %[[LOM:.+]] = arith.minsi %[[LO]], %[[LK]]
// CHECK: %[[LOC:.+]] = arith.maxsi %[[LOM]], %[[ZERO]]
// CHECK: %[[HIM:.+]] = arith.minsi %[[HI]], %[[LK]]
// CHECK: %[[HIC:.+]] = arith.maxsi %[[HIM]], %[[ZERO]]
// CHECK: posenc.yield %[[LOC]], %[[HIC]]
// CHECK: exact_live
func.func @window(%q: tensor<1x8x?x64xf32>, %k: tensor<1x8x?x64xf32>, %v: tensor<1x8x?x64xf32>,
                  %n: index, %past: index, %kstart: index) -> tensor<1x8x?x64xf32> {
  %qp = posenc.positions %n from %past : index -> tensor<?xi64>
  %kp = posenc.positions %n from %kstart : index -> tensor<?xi64>
  %s = posenc.scores %q, %k : (tensor<1x8x?x64xf32>, tensor<1x8x?x64xf32>) -> tensor<1x8x?x?xf32>
  %w = posenc.window %s at(%qp, %kp) {left = 255 : i64, right = 3 : i64}
    : (tensor<1x8x?x?xf32>, tensor<?xi64>, tensor<?xi64>) -> tensor<1x8x?x?xf32>
  %o = posenc.attend %w, %v : (tensor<1x8x?x?xf32>, tensor<1x8x?x64xf32>) -> tensor<1x8x?x64xf32>
  return %o : tensor<1x8x?x64xf32>
}

// -----

// Two masks intersect: the greater lower and the lesser upper bound. A start
// per sample is read for the sample at hand.

// CHECK-LABEL: func @intersection(
// CHECK-SAME: %[[STARTS:[a-z0-9]+]]: tensor<?xi64>) ->
// CHECK: } live {
// CHECK-NEXT: ^bb0(%[[B:.+]]: index, %{{.+}}: index, %{{.+}}: index, %{{.+}}: index):
// CHECK: tensor.extract %[[STARTS]][%[[B]]]
// CHECK: %[[HI:.+]] = arith.minsi
// CHECK: arith.minsi
// CHECK: posenc.yield
// CHECK: exact_live
func.func @intersection(%q: tensor<?x8x?x64xf32>, %k: tensor<?x8x?x64xf32>,
                        %v: tensor<?x8x?x64xf32>, %n: index, %starts: tensor<?xi64>)
    -> tensor<?x8x?x64xf32> {
  %zero = arith.constant 0 : index
  %qp = posenc.positions %n from %starts : tensor<?xi64> -> tensor<?x?xi64>
  %kp = posenc.positions %n from %zero : index -> tensor<?xi64>
  %s = posenc.scores %q, %k : (tensor<?x8x?x64xf32>, tensor<?x8x?x64xf32>) -> tensor<?x8x?x?xf32>
  %c = posenc.causal %s at(%qp, %kp)
    : (tensor<?x8x?x?xf32>, tensor<?x?xi64>, tensor<?xi64>) -> tensor<?x8x?x?xf32>
  %w = posenc.window %c {left = 7 : i64, right = 9 : i64}
    : (tensor<?x8x?x?xf32>) -> tensor<?x8x?x?xf32>
  %o = posenc.attend %w, %v : (tensor<?x8x?x?xf32>, tensor<?x8x?x64xf32>) -> tensor<?x8x?x64xf32>
  return %o : tensor<?x8x?x64xf32>
}

// -----

// Coordinates from a tensor may be in any order: no bounds.

// CHECK-LABEL: func @unordered(
// CHECK: } live {
// CHECK: posenc.yield
// CHECK-NOT: exact_live
// CHECK: return
// CHECK-LABEL: func @unbounded(
// CHECK: mask {
// CHECK-NOT: live
// CHECK: return
func.func @unordered(%q: tensor<1x8x?x64xf32>, %k: tensor<1x8x?x64xf32>, %v: tensor<1x8x?x64xf32>,
                     %p: tensor<?xi64>) -> tensor<1x8x?x64xf32> {
  %s = posenc.scores %q, %k : (tensor<1x8x?x64xf32>, tensor<1x8x?x64xf32>) -> tensor<1x8x?x?xf32>
  %c = posenc.causal %s at(%p, %p)
    : (tensor<1x8x?x?xf32>, tensor<?xi64>, tensor<?xi64>) -> tensor<1x8x?x?xf32>
  %w = posenc.window %c {left = 7 : i64} : (tensor<1x8x?x?xf32>) -> tensor<1x8x?x?xf32>
  %o = posenc.attend %w, %v : (tensor<1x8x?x?xf32>, tensor<1x8x?x64xf32>) -> tensor<1x8x?x64xf32>
  return %o : tensor<1x8x?x64xf32>
}
func.func @unbounded(%q: tensor<1x8x?x64xf32>, %k: tensor<1x8x?x64xf32>, %v: tensor<1x8x?x64xf32>,
                     %p: tensor<?xi64>) -> tensor<1x8x?x64xf32> {
  %s = posenc.scores %q, %k : (tensor<1x8x?x64xf32>, tensor<1x8x?x64xf32>) -> tensor<1x8x?x?xf32>
  %c = posenc.causal %s at(%p, %p)
    : (tensor<1x8x?x?xf32>, tensor<?xi64>, tensor<?xi64>) -> tensor<1x8x?x?xf32>
  %o = posenc.attend %c, %v : (tensor<1x8x?x?xf32>, tensor<1x8x?x64xf32>) -> tensor<1x8x?x64xf32>
  return %o : tensor<1x8x?x64xf32>
}
