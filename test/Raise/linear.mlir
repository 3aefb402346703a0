// RUN: pe-opt %s --posenc-raise --canonicalize --cse | FileCheck %s

// The numbers are those of the operations as written.
// DEFINE: %{raised} = --pipeline='builtin.module(posenc-raise,posenc-reference)' --verify --output=-
// RUN: pe-runner %s --entry=named %{raised} --input=5x8=random --input=random --input=random \
// RUN:   | FileCheck %s --check-prefix=SAME
// RUN: pe-runner %s --entry=tokens %{raised} --input=2x3x8=random --input=random --input=random \
// RUN:   --input=2x3x6=random | FileCheck %s --check-prefix=SAME
// RUN: pe-runner %s --entry=start %{raised} --input=random --input=random --input=random \
// RUN:   | FileCheck %s --check-prefix=SAME
// SAME: max abs error {{(0|.*e-0[789])}} (tolerance

// The weight is transposed for a plain product, the bias repeated.

// CHECK-LABEL: func @named(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<?x8xf32>, %[[W:[a-z0-9]+]]: tensor<6x8xf32>, %[[B:[a-z0-9]+]]: tensor<6xf32>
// CHECK-NOT: linalg
// CHECK: %[[Y:.+]] = posenc.linear ins(%[[X]], %[[W]] : {{.*}}) with(%[[B]] : tensor<6xf32>)
// CHECK-NEXT: return %[[Y]]
func.func @named(%x: tensor<?x8xf32>, %w: tensor<6x8xf32>, %b: tensor<6xf32>) -> tensor<?x6xf32> {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %n = tensor.dim %x, %c0 : tensor<?x8xf32>
  %we = tensor.empty() : tensor<8x6xf32>
  %wt = linalg.transpose ins(%w : tensor<6x8xf32>) outs(%we : tensor<8x6xf32>) permutation = [1, 0]
  %e = tensor.empty(%n) : tensor<?x6xf32>
  %z = linalg.fill ins(%zero : f32) outs(%e : tensor<?x6xf32>) -> tensor<?x6xf32>
  %p = linalg.matmul ins(%x, %wt : tensor<?x8xf32>, tensor<8x6xf32>) outs(%z : tensor<?x6xf32>) -> tensor<?x6xf32>
  %bs = linalg.broadcast ins(%b : tensor<6xf32>) outs(%e : tensor<?x6xf32>) dimensions = [0]
  %y = linalg.add ins(%p, %bs : tensor<?x6xf32>, tensor<?x6xf32>) outs(%e : tensor<?x6xf32>) -> tensor<?x6xf32>
  return %y : tensor<?x6xf32>
}

// Tokens of rank 3. A residual is no bias: fusion takes it.

// CHECK-LABEL: func @tokens(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<?x?x8xf32>, %[[W:[a-z0-9]+]]: tensor<6x8xf32>, %[[B:[a-z0-9]+]]: tensor<6xf32>, %[[R:[a-z0-9]+]]: tensor<?x?x6xf32>
// CHECK: %[[P:.+]] = posenc.linear ins(%[[X]], %[[W]] : {{.*}}) with(%[[B]] : tensor<6xf32>)
// CHECK: %[[Y:.+]] = linalg.add ins(%[[P]], %[[R]]
// CHECK: return %[[Y]]
func.func @tokens(%x: tensor<?x?x8xf32>, %w: tensor<6x8xf32>, %b: tensor<6xf32>, %r: tensor<?x?x6xf32>)
    -> tensor<?x?x6xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f32
  %m = tensor.dim %x, %c0 : tensor<?x?x8xf32>
  %n = tensor.dim %x, %c1 : tensor<?x?x8xf32>
  %e = tensor.empty(%m, %n) : tensor<?x?x6xf32>
  %z = linalg.fill ins(%zero : f32) outs(%e : tensor<?x?x6xf32>) -> tensor<?x?x6xf32>
  %p = linalg.contract
    indexing_maps = [affine_map<(b, i, n, k) -> (b, i, k)>, affine_map<(b, i, n, k) -> (n, k)>,
                     affine_map<(b, i, n, k) -> (b, i, n)>]
    ins(%x, %w : tensor<?x?x8xf32>, tensor<6x8xf32>) outs(%z : tensor<?x?x6xf32>) -> tensor<?x?x6xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(b, i, n) -> (b, i, n)>, affine_map<(b, i, n) -> (n)>,
                                        affine_map<(b, i, n) -> (b, i, n)>],
                       iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%p, %b : tensor<?x?x6xf32>, tensor<6xf32>) outs(%e : tensor<?x?x6xf32>) {
  ^bb0(%a: f32, %c: f32, %out: f32):
    %0 = arith.addf %c, %a : f32
    linalg.yield %0 : f32
  } -> tensor<?x?x6xf32>
  %s = linalg.add ins(%y, %r : tensor<?x?x6xf32>, tensor<?x?x6xf32>) outs(%e : tensor<?x?x6xf32>) -> tensor<?x?x6xf32>
  return %s : tensor<?x?x6xf32>
}

// The sum starts at the bias; the weight is [inputs, outputs]; operands are narrow.

// CHECK-LABEL: func @start(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<5x8xbf16>, %[[W:[a-z0-9]+]]: tensor<8x6xbf16>, %[[B:[a-z0-9]+]]: tensor<6xf32>
// CHECK: %[[WT:.+]] = linalg.transpose ins(%[[W]] : {{.*}} permutation = [1, 0]
// CHECK: %[[Y:.+]] = posenc.linear ins(%[[X]], %[[WT]] : tensor<5x8xbf16>, tensor<6x8xbf16>) with(%[[B]] : tensor<6xf32>)
// CHECK-NEXT: return %[[Y]]
func.func @start(%x: tensor<5x8xbf16>, %w: tensor<8x6xbf16>, %b: tensor<6xf32>) -> tensor<5x6xf32> {
  %e = tensor.empty() : tensor<5x6xf32>
  %bs = linalg.broadcast ins(%b : tensor<6xf32>) outs(%e : tensor<5x6xf32>) dimensions = [0]
  %y = linalg.matmul ins(%x, %w : tensor<5x8xbf16>, tensor<8x6xbf16>) outs(%bs : tensor<5x6xf32>) -> tensor<5x6xf32>
  return %y : tensor<5x6xf32>
}
