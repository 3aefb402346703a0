// RUN: pe-opt %s --posenc-fuse --canonicalize --cse --split-input-file | FileCheck %s

// Query, key and value become one product; what follows reads parts of it.
// CHECK-LABEL: func @merged(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<?x8xf32>
// CHECK-DAG: %[[Q:.*]] = posenc.weight @weights "q"
// CHECK-DAG: %[[K:.*]] = posenc.weight @weights "k"
// CHECK-DAG: %[[W:.*]] = tensor.concat dim(0) %[[Q]], %[[K]] : (tensor<16x8xf32>, tensor<32x8xf32>) -> tensor<48x8xf32>
// CHECK-DAG: %[[QB:.*]] = posenc.weight @weights "q.bias"
// CHECK-DAG: %[[KB:.*]] = posenc.weight @weights "k.bias"
// CHECK-DAG: %[[B:.*]] = tensor.concat dim(0) %[[QB]], %[[KB]]
// CHECK: %[[Y:.*]] = posenc.linear ins(%[[X]], %[[W]] {{.*}} with(%[[B]] : tensor<48xf32>)
// CHECK-NOT: posenc.linear
// CHECK: tensor.extract_slice %[[Y]][0, 0] [%{{.*}}, 16] [1, 1]
// CHECK: tensor.extract_slice %[[Y]][0, 16] [%{{.*}}, 32] [1, 1]
posenc.weights @weights {path = "model.safetensors", size = 100000 : i64, header_hash = 7 : i64}
func.func @merged(%x: tensor<?x8xf32>, %a: tensor<?x16xf32>, %b: tensor<?x32xf32>) -> (tensor<?x16xf32>, tensor<?x32xf32>) {
  %q = posenc.weight @weights "q" at 128 : tensor<16x8xf32>
  %qb = posenc.weight @weights "q.bias" at 640 : tensor<16xf32>
  %y = posenc.linear ins(%x, %q : tensor<?x8xf32>, tensor<16x8xf32>) with(%qb : tensor<16xf32>)
    outs(%a : tensor<?x16xf32>) -> tensor<?x16xf32>
  %k = posenc.weight @weights "k" at 704 : tensor<32x8xf32>
  %kb = posenc.weight @weights "k.bias" at 1728 : tensor<32xf32>
  %z = posenc.linear ins(%x, %k : tensor<?x8xf32>, tensor<32x8xf32>) with(%kb : tensor<32xf32>)
    outs(%b : tensor<?x32xf32>) -> tensor<?x32xf32>
  return %y, %z : tensor<?x16xf32>, tensor<?x32xf32>
}

// -----

// Joining weights that are arguments would cost a copy in every call; another
// input or another epilogue makes another layer.
// CHECK-LABEL: func @apart(
// CHECK-NOT: tensor.concat
// CHECK-COUNT-4: posenc.linear
posenc.weights @weights {path = "model.safetensors", size = 100000 : i64, header_hash = 7 : i64}
func.func @apart(%x: tensor<?x8xf32>, %u: tensor<?x8xf32>, %v: tensor<16x8xf32>, %a: tensor<?x16xf32>)
    -> (tensor<?x16xf32>, tensor<?x16xf32>, tensor<?x16xf32>, tensor<?x16xf32>) {
  %w = posenc.weight @weights "w" at 128 : tensor<16x8xf32>
  %0 = posenc.linear ins(%x, %w : tensor<?x8xf32>, tensor<16x8xf32>) outs(%a : tensor<?x16xf32>) -> tensor<?x16xf32>
  %1 = posenc.linear ins(%x, %v : tensor<?x8xf32>, tensor<16x8xf32>) outs(%a : tensor<?x16xf32>) -> tensor<?x16xf32>
  %2 = posenc.linear ins(%u, %w : tensor<?x8xf32>, tensor<16x8xf32>) outs(%a : tensor<?x16xf32>) -> tensor<?x16xf32>
  %3 = posenc.linear ins(%x, %w : tensor<?x8xf32>, tensor<16x8xf32>) outs(%a : tensor<?x16xf32>)
    epilogue {
    ^bb0(%acc: f32):
      %r = math.absf %acc : f32
      posenc.yield %r : f32
    } -> tensor<?x16xf32>
  return %0, %1, %2, %3 : tensor<?x16xf32>, tensor<?x16xf32>, tensor<?x16xf32>, tensor<?x16xf32>
}
