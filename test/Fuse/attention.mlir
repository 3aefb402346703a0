// RUN: pe-opt %s --posenc-fuse --canonicalize --cse --split-input-file | FileCheck %s

// A score encoding and two masks, with a log-sum-exp, become regions. The mask
// without bounds contributes nothing to live, which stays exact: it looks at keys only.

// CHECK-LABEL: func @chain(
// CHECK-SAME: %[[Q:[a-z0-9]+]]: tensor<?x8x?x64xf32>, %[[K:[a-z0-9]+]]: tensor<?x2x?x64xf32>, %[[V:[a-z0-9]+]]: tensor<?x2x?x64xf32>,
// CHECK-SAME: %[[QP:[a-z0-9]+]]: tensor<?xi64>, %[[KP:[a-z0-9]+]]: tensor<?xf32>, %[[VALID:[a-z0-9]+]]: tensor<?x?xi1>
// CHECK-NOT: posenc.scores
// CHECK-DAG: %[[C0:.+]] = arith.constant 0 : index
// CHECK-DAG: %[[C2:.+]] = arith.constant 2 : index
// CHECK-DAG: %[[B:.+]] = tensor.dim %[[Q]], %[[C0]]
// CHECK-DAG: %[[LQ:.+]] = tensor.dim %[[Q]], %[[C2]]
// CHECK-DAG: %[[LK:.+]] = tensor.dim %[[K]], %[[C2]]
// CHECK-DAG: %[[O:.+]] = tensor.empty(%[[B]], %[[LQ]]) : tensor<?x8x?x64xf32>
// CHECK-DAG: %[[L:.+]] = tensor.empty(%[[B]], %[[LQ]]) : tensor<?x8x?xf32>
// CHECK: %[[A:.+]]:2 = posenc.attention ins(%[[Q]], %[[K]], %[[V]] : {{.*}}) outs(%[[O]], %[[L]] : {{.*}}) score {
// CHECK-NEXT: ^bb0(%[[S:.+]]: f32, %{{.+}}: index, %[[H:.+]]: index, %[[I:.+]]: index, %[[J:.+]]: index):
// CHECK: %[[PQ:.+]] = tensor.extract %[[QP]][%[[I]]]
// CHECK: %[[PQ32:.+]] = arith.trunci %[[PQ]] : i64 to i32
// CHECK: %[[PK:.+]] = tensor.extract %[[KP]][%[[J]]]
// CHECK: %[[PQF:.+]] = arith.sitofp %[[PQ32]] : i32 to f32
// CHECK: tensor.extract %{{.+}}[%[[H]]] : tensor<8xf32>
// CHECK: %[[D:.+]] = arith.subf %[[PQF]], %[[PK]]
// CHECK: %[[R:.+]] = arith.subf %[[S]]
// CHECK: posenc.yield %[[R]] : f32
// CHECK: } mask {
// CHECK-NEXT: ^bb0(%[[B:.+]]: index, %{{.+}}: index, %[[I:.+]]: index, %[[J:.+]]: index):
// CHECK: %[[SHIFT:.+]] = arith.subi %[[LK]], %[[LQ]] : index
// CHECK: %[[CAUSAL:.+]] = arith.cmpi sle
// CHECK: %[[PAD:.+]] = tensor.extract %[[VALID]][%[[B]], %[[J]]]
// CHECK: %[[BOTH:.+]] = arith.andi %[[CAUSAL]], %[[PAD]]
// CHECK: posenc.yield %[[BOTH]] : i1
// CHECK: } live {
// CHECK: posenc.yield %[[C0]], %{{.+}} : index, index
// CHECK: exact_live, scale = 1.250000e-01 : f32
// CHECK: return %[[A]]#0, %[[A]]#1
func.func @chain(%q: tensor<?x8x?x64xf32>, %k: tensor<?x2x?x64xf32>, %v: tensor<?x2x?x64xf32>,
                 %qp: tensor<?xi64>, %kp: tensor<?xf32>, %valid: tensor<?x?xi1>)
    -> (tensor<?x8x?x64xf32>, tensor<?x8x?xf32>) {
  %s = posenc.scores %q, %k : (tensor<?x8x?x64xf32>, tensor<?x2x?x64xf32>) -> tensor<?x8x?x?xf32>
  %c = posenc.causal %s : (tensor<?x8x?x?xf32>) -> tensor<?x8x?x?xf32>
  %a = posenc.alibi %c at(%qp, %kp)
    : (tensor<?x8x?x?xf32>, tensor<?xi64>, tensor<?xf32>) -> tensor<?x8x?x?xf32>
  %p = posenc.padding %a valid(%valid)
    : (tensor<?x8x?x?xf32>, tensor<?x?xi1>) -> tensor<?x8x?x?xf32>
  %o, %lse = posenc.attend %p, %v : (tensor<?x8x?x?xf32>, tensor<?x2x?x64xf32>)
    -> (tensor<?x8x?x64xf32>, tensor<?x8x?xf32>)
  return %o, %lse : tensor<?x8x?x64xf32>, tensor<?x8x?xf32>
}

// -----

// Without encodings there are no regions; the given scale and layout stay. A
// question for a size of the scores does not keep them.

// CHECK-LABEL: func @plain(
// CHECK-SAME: %[[Q:[a-z0-9]+]]: tensor<1x?x8x64xf16>, %[[K:[a-z0-9]+]]: tensor<1x?x8x64xf16>
// CHECK: %[[ONE:.+]] = arith.constant 1 : index
// CHECK-NOT: posenc.scores
// CHECK-DAG: %[[LQ:.+]] = tensor.dim %[[Q]], %[[ONE]]
// CHECK-DAG: %[[LK:.+]] = tensor.dim %[[K]], %[[ONE]]
// CHECK-NOT: posenc.scores
// CHECK: posenc.attention
// CHECK-NOT: {{(score|mask|live) \{}}
// CHECK-SAME: {layout = #posenc.layout<bshd>, scale = 3.000000e+00 : f32} -> tensor<1x?x8x64xf16>
// CHECK: return %{{.+}}, %[[LK]]
func.func @plain(%q: tensor<1x?x8x64xf16>, %k: tensor<1x?x8x64xf16>, %v: tensor<1x?x8x64xf16>)
    -> (tensor<1x?x8x64xf16>, index) {
  %s = posenc.scores %q, %k {scale = 3.0 : f32, layout = #posenc.layout<bshd>}
    : (tensor<1x?x8x64xf16>, tensor<1x?x8x64xf16>) -> tensor<1x8x?x?xf32>
  %three = arith.constant 3 : index
  %n = tensor.dim %s, %three : tensor<1x8x?x?xf32>
  %o = posenc.attend %s, %v {layout = #posenc.layout<bshd>}
    : (tensor<1x8x?x?xf32>, tensor<1x?x8x64xf16>) -> tensor<1x?x8x64xf16>
  return %o, %n : tensor<1x?x8x64xf16>, index
}
