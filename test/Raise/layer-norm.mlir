// RUN: pe-opt %s --posenc-raise --canonicalize --cse | FileCheck %s

// The numbers are those of the operations as written.
// DEFINE: %{raised} = --pipeline='builtin.module(posenc-raise,posenc-reference)' --verify --output=-
// RUN: pe-runner %s --entry=steps %{raised} --input=2x5x8=random --input=random --input=random \
// RUN:   | FileCheck %s --check-prefix=SAME
// RUN: pe-runner %s --entry=moments %{raised} --input=random --input=random --input=random \
// RUN:   | FileCheck %s --check-prefix=SAME
// RUN: pe-runner %s --entry=plain %{raised} --input=random | FileCheck %s --check-prefix=SAME
// SAME: max abs error {{(0|.*e-0[789])}} (tolerance

#id = affine_map<(b, i, c) -> (b, i, c)>
#row = affine_map<(b, i, c) -> (b, i)>
#kept = affine_map<(b, i, c) -> (b, i, 0)>
#channel = affine_map<(b, i, c) -> (c)>

// Statistics keep their dimension; the residual, which is added before, is read elsewhere as well.

// CHECK-LABEL: func @steps(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<?x?x8xf32>, %[[G:[a-z0-9]+]]: tensor<8xf32>, %[[B:[a-z0-9]+]]: tensor<8xf32>
// CHECK: %[[R:.+]] = linalg.generic
// CHECK: %[[Y:.+]] = posenc.layer_norm ins(%[[R]], %[[G]], %[[B]] : {{.*}}) outs(%{{.*}}) {eps = 9.99999974E-6 : f32}
// CHECK-NEXT: return %[[Y]], %[[R]]
func.func @steps(%x: tensor<?x?x8xf32>, %g: tensor<8xf32>, %b: tensor<8xf32>)
    -> (tensor<?x?x8xf32>, tensor<?x?x8xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f32
  %width = arith.constant 8.0 : f32
  %eps = arith.constant 1.0e-5 : f32
  %m = tensor.dim %x, %c0 : tensor<?x?x8xf32>
  %n = tensor.dim %x, %c1 : tensor<?x?x8xf32>
  %e = tensor.empty(%m, %n) : tensor<?x?x8xf32>
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%x : tensor<?x?x8xf32>) outs(%e : tensor<?x?x8xf32>) {
  ^bb0(%a: f32, %out: f32):
    %0 = arith.addf %a, %a : f32
    linalg.yield %0 : f32
  } -> tensor<?x?x8xf32>
  %k = tensor.empty(%m, %n) : tensor<?x?x1xf32>
  %z = linalg.fill ins(%zero : f32) outs(%k : tensor<?x?x1xf32>) -> tensor<?x?x1xf32>
  %sum = linalg.generic {indexing_maps = [#id, #kept], iterator_types = ["parallel", "parallel", "reduction"]}
    ins(%r : tensor<?x?x8xf32>) outs(%z : tensor<?x?x1xf32>) {
  ^bb0(%a: f32, %acc: f32):
    %0 = arith.addf %a, %acc : f32
    linalg.yield %0 : f32
  } -> tensor<?x?x1xf32>
  %mean = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%sum : tensor<?x?x1xf32>) outs(%k : tensor<?x?x1xf32>) {
  ^bb0(%a: f32, %out: f32):
    %0 = arith.divf %a, %width : f32
    linalg.yield %0 : f32
  } -> tensor<?x?x1xf32>
  %d = linalg.generic {indexing_maps = [#id, #kept, #id], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%r, %mean : tensor<?x?x8xf32>, tensor<?x?x1xf32>) outs(%e : tensor<?x?x8xf32>) {
  ^bb0(%a: f32, %mu: f32, %out: f32):
    %0 = arith.subf %a, %mu : f32
    linalg.yield %0 : f32
  } -> tensor<?x?x8xf32>
  %squares = linalg.generic {indexing_maps = [#id, #kept], iterator_types = ["parallel", "parallel", "reduction"]}
    ins(%d : tensor<?x?x8xf32>) outs(%z : tensor<?x?x1xf32>) {
  ^bb0(%a: f32, %acc: f32):
    %0 = arith.mulf %a, %a : f32
    %1 = arith.addf %acc, %0 : f32
    linalg.yield %1 : f32
  } -> tensor<?x?x1xf32>
  %inverse = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%squares : tensor<?x?x1xf32>) outs(%k : tensor<?x?x1xf32>) {
  ^bb0(%a: f32, %out: f32):
    %0 = arith.divf %a, %width : f32
    %1 = arith.addf %0, %eps : f32
    %2 = math.rsqrt %1 : f32
    linalg.yield %2 : f32
  } -> tensor<?x?x1xf32>
  %y = linalg.generic {indexing_maps = [#id, #kept, #channel, #channel, #id],
                       iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%d, %inverse, %g, %b : tensor<?x?x8xf32>, tensor<?x?x1xf32>, tensor<8xf32>, tensor<8xf32>)
    outs(%e : tensor<?x?x8xf32>) {
  ^bb0(%a: f32, %s: f32, %gain: f32, %shift: f32, %out: f32):
    %0 = arith.mulf %s, %gain : f32
    %1 = arith.mulf %a, %0 : f32
    %2 = arith.addf %1, %shift : f32
    linalg.yield %2 : f32
  } -> tensor<?x?x8xf32>
  return %y, %r : tensor<?x?x8xf32>, tensor<?x?x8xf32>
}

// Named operations and broadcasts; E[x^2] - E[x]^2, a division by the square root.

// CHECK-LABEL: func @moments(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<5x8xf32>, %[[G:[a-z0-9]+]]: tensor<8xf32>, %[[B:[a-z0-9]+]]: tensor<8xf32>
// CHECK: %[[Y:.+]] = posenc.layer_norm ins(%[[X]], %[[G]], %[[B]] : {{.*}}) outs(%{{.*}}) {eps = 1.000000e-03 : f32}
// CHECK-NEXT: return %[[Y]]
func.func @moments(%x: tensor<5x8xf32>, %g: tensor<8xf32>, %b: tensor<8xf32>) -> tensor<5x8xf32> {
  %zero = arith.constant 0.0 : f32
  %inverse = arith.constant dense<0.125> : tensor<5xf32>
  %eps = arith.constant dense<1.0e-3> : tensor<5xf32>
  %e = tensor.empty() : tensor<5x8xf32>
  %k = tensor.empty() : tensor<5xf32>
  %z = linalg.fill ins(%zero : f32) outs(%k : tensor<5xf32>) -> tensor<5xf32>
  %sum = linalg.reduce { arith.addf } ins(%x : tensor<5x8xf32>) outs(%z : tensor<5xf32>) dimensions = [1]
  %mean = linalg.mul ins(%sum, %inverse : tensor<5xf32>, tensor<5xf32>) outs(%k : tensor<5xf32>) -> tensor<5xf32>
  %xx = linalg.square ins(%x : tensor<5x8xf32>) outs(%e : tensor<5x8xf32>) -> tensor<5x8xf32>
  %sums = linalg.reduce { arith.addf } ins(%xx : tensor<5x8xf32>) outs(%z : tensor<5xf32>) dimensions = [1]
  %means = linalg.mul ins(%sums, %inverse : tensor<5xf32>, tensor<5xf32>) outs(%k : tensor<5xf32>) -> tensor<5xf32>
  %mm = linalg.square ins(%mean : tensor<5xf32>) outs(%k : tensor<5xf32>) -> tensor<5xf32>
  %var = linalg.sub ins(%means, %mm : tensor<5xf32>, tensor<5xf32>) outs(%k : tensor<5xf32>) -> tensor<5xf32>
  %safe = linalg.add ins(%var, %eps : tensor<5xf32>, tensor<5xf32>) outs(%k : tensor<5xf32>) -> tensor<5xf32>
  %sigma = linalg.sqrt ins(%safe : tensor<5xf32>) outs(%k : tensor<5xf32>) -> tensor<5xf32>
  %mu2 = linalg.broadcast ins(%mean : tensor<5xf32>) outs(%e : tensor<5x8xf32>) dimensions = [1]
  %sigma2 = linalg.broadcast ins(%sigma : tensor<5xf32>) outs(%e : tensor<5x8xf32>) dimensions = [1]
  %g2 = linalg.broadcast ins(%g : tensor<8xf32>) outs(%e : tensor<5x8xf32>) dimensions = [0]
  %b2 = linalg.broadcast ins(%b : tensor<8xf32>) outs(%e : tensor<5x8xf32>) dimensions = [0]
  %d = linalg.sub ins(%x, %mu2 : tensor<5x8xf32>, tensor<5x8xf32>) outs(%e : tensor<5x8xf32>) -> tensor<5x8xf32>
  %h = linalg.div ins(%d, %sigma2 : tensor<5x8xf32>, tensor<5x8xf32>) outs(%e : tensor<5x8xf32>) -> tensor<5x8xf32>
  %s = linalg.mul ins(%h, %g2 : tensor<5x8xf32>, tensor<5x8xf32>) outs(%e : tensor<5x8xf32>) -> tensor<5x8xf32>
  %y = linalg.add ins(%b2, %s : tensor<5x8xf32>, tensor<5x8xf32>) outs(%e : tensor<5x8xf32>) -> tensor<5x8xf32>
  return %y : tensor<5x8xf32>
}

// Without gain and shift.

// CHECK-LABEL: func @plain(
// CHECK-DAG: %[[ONE:.+]] = arith.constant dense<1.000000e+00> : tensor<8xf32>
// CHECK-DAG: %[[ZERO:.+]] = arith.constant dense<0.000000e+00> : tensor<8xf32>
// CHECK: posenc.layer_norm ins(%{{.+}}, %[[ONE]], %[[ZERO]] :
func.func @plain(%x: tensor<5x8xf32>) -> tensor<5x8xf32> {
  %zero = arith.constant 0.0 : f32
  %width = arith.constant 8.0 : f32
  %eps = arith.constant 1.0e-6 : f32
  %e = tensor.empty() : tensor<5x8xf32>
  %k = tensor.empty() : tensor<5xf32>
  %z = linalg.fill ins(%zero : f32) outs(%k : tensor<5xf32>) -> tensor<5xf32>
  %sum = linalg.reduce { arith.addf } ins(%x : tensor<5x8xf32>) outs(%z : tensor<5xf32>) dimensions = [1]
  %squares = linalg.generic {indexing_maps = [affine_map<(i, c) -> (i, c)>, affine_map<(i, c) -> (i)>, affine_map<(i, c) -> (i)>],
                             iterator_types = ["parallel", "reduction"]}
    ins(%x, %sum : tensor<5x8xf32>, tensor<5xf32>) outs(%z : tensor<5xf32>) {
  ^bb0(%a: f32, %s: f32, %acc: f32):
    %mu = arith.divf %s, %width : f32
    %d = arith.subf %a, %mu : f32
    %0 = arith.mulf %d, %d : f32
    %1 = arith.addf %acc, %0 : f32
    linalg.yield %1 : f32
  } -> tensor<5xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(i, c) -> (i, c)>, affine_map<(i, c) -> (i)>, affine_map<(i, c) -> (i)>, affine_map<(i, c) -> (i, c)>],
                       iterator_types = ["parallel", "parallel"]}
    ins(%x, %sum, %squares : tensor<5x8xf32>, tensor<5xf32>, tensor<5xf32>) outs(%e : tensor<5x8xf32>) {
  ^bb0(%a: f32, %s: f32, %q: f32, %out: f32):
    %mu = arith.divf %s, %width : f32
    %d = arith.subf %a, %mu : f32
    %var = arith.divf %q, %width : f32
    %safe = arith.addf %var, %eps : f32
    %sigma = math.sqrt %safe : f32
    %0 = arith.divf %d, %sigma : f32
    linalg.yield %0 : f32
  } -> tensor<5x8xf32>
  return %y : tensor<5x8xf32>
}
