// RUN: pe-opt %s --posenc-check-operands --posenc-fuse --split-input-file | FileCheck %s

// A chain on tokens is one map, in order; every table is checked once, before.

// CHECK-LABEL: func @tokens(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<?x?x8xf32>, %[[POS:[a-z0-9]+]]: tensor<?xi64>, %[[TABLE:[a-z0-9]+]]: tensor<512x8xf32>, %[[IDS:[a-z0-9]+]]: tensor<?x?xi64>, %[[KINDS:[a-z0-9]+]]: tensor<2x8xf32>
// CHECK: posenc.check %[[POS]] below %{{.+}} "position"
// CHECK: posenc.check %[[IDS]] below %{{.+}} "token type"
// CHECK-NOT: posenc.check
// CHECK: %[[INIT:.+]] = tensor.empty(%{{.+}}, %{{.+}}) : tensor<?x?x8xf32>
// CHECK: %[[Y:.+]] = posenc.map ins(%[[X]] : tensor<?x?x8xf32>) outs(%[[INIT]] : tensor<?x?x8xf32>) {
// CHECK-NEXT: ^bb0(%[[V:.+]]: f32, %[[B:.+]]: index, %{{.+}}: index, %[[I:.+]]: index, %[[C:.+]]: index):
// CHECK: tensor.extract %[[POS]][%[[I]]]
// CHECK: %[[T:.+]] = tensor.extract %[[TABLE]][%{{.+}}, %[[C]]]
// CHECK: %[[V1:.+]] = arith.addf %[[V]], %[[T]]
// CHECK: tensor.extract %[[IDS]][%[[B]], %[[I]]]
// CHECK: %[[K:.+]] = tensor.extract %[[KINDS]][%{{.+}}, %[[C]]]
// CHECK: %[[V2:.+]] = arith.addf %[[V1]], %[[K]]
// CHECK: posenc.yield %[[V2]] : f32
// CHECK: channels = #posenc.channels<each, offset = 0, width = 0>
// CHECK-NOT: posenc.map
// CHECK: return %[[Y]]
func.func @tokens(%x: tensor<?x?x8xf32>, %pos: tensor<?xi64>, %table: tensor<512x8xf32>,
                  %ids: tensor<?x?xi64>, %kinds: tensor<2x8xf32>) -> tensor<?x?x8xf32> {
  %y = posenc.learned %x at(%pos) table(%table)
    : (tensor<?x?x8xf32>, tensor<?xi64>, tensor<512x8xf32>) -> tensor<?x?x8xf32>
  %z = posenc.token_type %y ids(%ids) table(%kinds)
    : (tensor<?x?x8xf32>, tensor<?x?xi64>, tensor<2x8xf32>) -> tensor<?x?x8xf32>
  return %z : tensor<?x?x8xf32>
}

// -----

// A value that is read twice ends its map; encoded rows that no attention reads
// are mapped with their layout and channels.

// CHECK-LABEL: func @shared(
// CHECK: %[[Y:.+]] = posenc.map
// CHECK: %[[Z:.+]] = posenc.map ins(%[[Y]] :
// CHECK: return %[[Y]], %[[Z]]
// CHECK-LABEL: func @rows(
// CHECK-NOT: posenc.rope
// CHECK: posenc.map
// CHECK: {channels = #posenc.channels<half, offset = 8, width = 16>, layout = #posenc.layout<bshd>} -> tensor<2x5x4x64xf16>
func.func @shared(%x: tensor<?x?x8xf32>, %table: tensor<512x8xf32>)
    -> (tensor<?x?x8xf32>, tensor<?x?x8xf32>) {
  %y = posenc.learned %x table(%table)
    : (tensor<?x?x8xf32>, tensor<512x8xf32>) -> tensor<?x?x8xf32>
  %z = posenc.learned %y table(%table)
    : (tensor<?x?x8xf32>, tensor<512x8xf32>) -> tensor<?x?x8xf32>
  return %y, %z : tensor<?x?x8xf32>, tensor<?x?x8xf32>
}
func.func @rows(%x: tensor<2x5x4x64xf16>) -> tensor<2x5x4x64xf16> {
  %y = posenc.rope %x {pairing = #posenc.pairing<half>, layout = #posenc.layout<bshd>,
                       offset = 8 : i64, width = 16 : i64}
    : (tensor<2x5x4x64xf16>) -> tensor<2x5x4x64xf16>
  return %y : tensor<2x5x4x64xf16>
}

// -----

// Tokens that are looked up are part of their map, which is spread over rows.

// CHECK-LABEL: func @embed(
// CHECK-SAME: %[[IDS:[a-z0-9]+]]: tensor<?x?xi64>, %[[WORDS:[a-z0-9]+]]: tensor<100x8xf32>, %[[TABLE:[a-z0-9]+]]: tensor<512x8xf32>
// CHECK-NOT: linalg.generic
// CHECK: posenc.map ins(%[[INIT:.+]] : tensor<?x?x8xf32>)
// CHECK-NEXT: ^bb0(%{{.+}}: f32, %[[B:.+]]: index, %{{.+}}: index, %[[I:.+]]: index, %[[C:.+]]: index):
// CHECK: tensor.extract %[[IDS]][%[[B]], %[[I]]]
// CHECK: %[[X:.+]] = tensor.extract %[[WORDS]][%{{.+}}, %[[C]]]
// CHECK: %[[T:.+]] = tensor.extract %[[TABLE]][%{{.+}}, %[[C]]]
// CHECK: arith.addf %[[X]], %[[T]]
func.func @embed(%ids: tensor<?x?xi64>, %words: tensor<100x8xf32>, %table: tensor<512x8xf32>, %init: tensor<?x?x8xf32>) -> tensor<?x?x8xf32> {
  %x = linalg.generic {indexing_maps = [affine_map<(b, i, c) -> (b, i, c)>], iterator_types = ["parallel", "parallel", "parallel"]}
      outs(%init : tensor<?x?x8xf32>) {
  ^bb0(%out: f32):
    %b = linalg.index 0 : index
    %i = linalg.index 1 : index
    %c = linalg.index 2 : index
    %id = tensor.extract %ids[%b, %i] : tensor<?x?xi64>
    %word = arith.index_cast %id : i64 to index
    %v = tensor.extract %words[%word, %c] : tensor<100x8xf32>
    linalg.yield %v : f32
  } -> tensor<?x?x8xf32>
  %y = posenc.learned %x table(%table) : (tensor<?x?x8xf32>, tensor<512x8xf32>) -> tensor<?x?x8xf32>
  return %y : tensor<?x?x8xf32>
}

// -----

// So are tokens of an embedding, in its own type, unless something else reads them.

// CHECK-LABEL: func @lookup(
// CHECK-SAME: %[[IDS:[a-z0-9]+]]: tensor<?x7xi32>, %[[WORDS:[a-z0-9]+]]: tensor<100x8xbf16>
// CHECK: posenc.check %[[IDS]] below
// CHECK-NOT: posenc.embedding
// CHECK: %[[INIT:.+]] = tensor.empty(%{{.+}}) : tensor<?x7x8xbf16>
// CHECK: posenc.map ins(%[[INIT]] : tensor<?x7x8xbf16>)
// CHECK-NEXT: ^bb0(%{{.+}}: f32, %[[B:.+]]: index, %{{.+}}: index, %[[I:.+]]: index, %[[C:.+]]: index):
// CHECK: %[[ID:.+]] = tensor.extract %[[IDS]][%[[B]], %[[I]]] : tensor<?x7xi32>
// CHECK: %[[WORD:.+]] = arith.index_cast %[[ID]]
// CHECK: %[[X:.+]] = tensor.extract %[[WORDS]][%[[WORD]], %[[C]]]
// CHECK: %[[V:.+]] = arith.extf %[[X]]
// CHECK: arith.addf %[[V]]
func.func @lookup(%ids: tensor<?x7xi32>, %words: tensor<100x8xbf16>, %table: tensor<512x8xf32>) -> tensor<?x7x8xbf16> {
  %x = posenc.embedding %ids, %words : (tensor<?x7xi32>, tensor<100x8xbf16>) -> tensor<?x7x8xbf16>
  %y = posenc.learned %x table(%table) : (tensor<?x7x8xbf16>, tensor<512x8xf32>) -> tensor<?x7x8xbf16>
  return %y : tensor<?x7x8xbf16>
}

// CHECK-LABEL: func @lookup_read_twice(
// CHECK: %[[X:.+]] = posenc.embedding
// CHECK: posenc.map ins(%[[X]]
func.func @lookup_read_twice(%ids: tensor<?x7xi64>, %words: tensor<100x8xf32>, %table: tensor<512x8xf32>) -> (tensor<?x7x8xf32>, tensor<?x7x8xf32>) {
  %x = posenc.embedding %ids, %words : (tensor<?x7xi64>, tensor<100x8xf32>) -> tensor<?x7x8xf32>
  %y = posenc.learned %x table(%table) : (tensor<?x7x8xf32>, tensor<512x8xf32>) -> tensor<?x7x8xf32>
  return %x, %y : tensor<?x7x8xf32>, tensor<?x7x8xf32>
}
