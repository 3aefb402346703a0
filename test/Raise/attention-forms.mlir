// RUN: pe-opt %s --posenc-raise --canonicalize --cse | FileCheck %s

// The numbers are those of the operations as written.
// DEFINE: %{raised} = --pipeline='builtin.module(posenc-raise,posenc-reference)' --verify --output=-
// RUN: pe-runner %s --entry=joined %{raised} --input=2x5x4x8xf32=random --input=2x7x4x8=random \
// RUN:   --input=2x7x4x8=random --input=2x7=random | FileCheck %s --check-prefix=SAME
// RUN: pe-runner %s --entry=matrices %{raised} --input=random --input=random --input=random \
// RUN:   | FileCheck %s --check-prefix=SAME
// RUN: pe-runner %s --entry=past %{raised} --input=3x8=random --input=9x8=random --input=9x8=random \
// RUN:   --input=6 | FileCheck %s --check-prefix=SAME
// RUN: pe-runner %s --entry=grouped %{raised} --input=2x6x3x8=random --input=2x3x7x8=random \
// RUN:   --input=2x3x7x8=random --input=2x7=random | FileCheck %s --check-prefix=SAME
// RUN: pe-runner %s --entry=narrow %{raised} --input=random --input=random --input=random \
// RUN:   | FileCheck %s --check-prefix=SAME
// RUN: pe-runner %s --entry=tiled %{raised} --input=random --input=random \
// RUN:   | FileCheck %s --check-prefix=SAME
// SAME: max abs error {{(0|.*e-0[789])}} (tolerance

#id = affine_map<(n, i, j) -> (n, i, j)>
#row = affine_map<(n, i, j) -> (n, i)>

// Heads are transposed to the front and joined with the batch, as frameworks
// write it; the softmax is written out; a mask over [batch, key] is selected. What comes from
// [batch, row, head, channel] is taken from there.

// CHECK-LABEL: func @joined(
// CHECK-SAME: %[[Q:[a-z0-9]+]]: tensor<?x5x4x8xf32>, %[[K:[a-z0-9]+]]: tensor<?x7x4x8xf32>, %[[V:[a-z0-9]+]]: tensor<?x7x4x8xf32>, %[[VALID:[a-z0-9]+]]: tensor<?x7xi1>
// CHECK-NOT: linalg
// CHECK: %[[S:.+]] = posenc.scores %[[Q]], %[[K]] {layout = #posenc.layout<bshd>, scale = 1.250000e-01 : f32} : {{.*}} -> tensor<?x4x5x7xf32>
// CHECK-NEXT: %[[M:.+]] = posenc.padding %[[S]] valid(%[[VALID]])
// CHECK-NEXT: %[[O:.+]] = posenc.attend %[[M]], %[[V]] {layout = #posenc.layout<bshd>}
// CHECK-NEXT: return %[[O]]
func.func @joined(%q: tensor<?x5x4x8xf32>, %k: tensor<?x7x4x8xf32>, %v: tensor<?x7x4x8xf32>,
                  %valid: tensor<?x7xi1>) -> tensor<?x5x4x8xf32> {
  %c0 = arith.constant 0 : index
  %c4 = arith.constant 4 : index
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %eight = arith.constant 8.0 : f32
  %inf = arith.constant 0xFF800000 : f32
  %b = tensor.dim %q, %c0 : tensor<?x5x4x8xf32>
  %n = arith.muli %b, %c4 : index
  %qe = tensor.empty(%b) : tensor<?x4x5x8xf32>
  %ke = tensor.empty(%b) : tensor<?x4x7x8xf32>
  %qt = linalg.transpose ins(%q : tensor<?x5x4x8xf32>) outs(%qe : tensor<?x4x5x8xf32>) permutation = [0, 2, 1, 3]
  %kt = linalg.transpose ins(%k : tensor<?x7x4x8xf32>) outs(%ke : tensor<?x4x7x8xf32>) permutation = [0, 2, 1, 3]
  %vt = linalg.transpose ins(%v : tensor<?x7x4x8xf32>) outs(%ke : tensor<?x4x7x8xf32>) permutation = [0, 2, 1, 3]
  %q3 = tensor.collapse_shape %qt [[0, 1], [2], [3]] : tensor<?x4x5x8xf32> into tensor<?x5x8xf32>
  %k3 = tensor.collapse_shape %kt [[0, 1], [2], [3]] : tensor<?x4x7x8xf32> into tensor<?x7x8xf32>
  %v3 = tensor.collapse_shape %vt [[0, 1], [2], [3]] : tensor<?x4x7x8xf32> into tensor<?x7x8xf32>
  %e = tensor.empty(%n) : tensor<?x5x7xf32>
  %z = linalg.fill ins(%zero : f32) outs(%e : tensor<?x5x7xf32>) -> tensor<?x5x7xf32>
  %s = linalg.batch_matmul
    indexing_maps = [affine_map<(n, i, j, d) -> (n, i, d)>, affine_map<(n, i, j, d) -> (n, j, d)>,
                     affine_map<(n, i, j, d) -> (n, i, j)>]
    ins(%q3, %k3 : tensor<?x5x8xf32>, tensor<?x7x8xf32>) outs(%z : tensor<?x5x7xf32>) -> tensor<?x5x7xf32>
  %s4 = tensor.expand_shape %s [[0, 1], [2], [3]] output_shape [%b, 4, 5, 7]
    : tensor<?x5x7xf32> into tensor<?x4x5x7xf32>
  %e4 = tensor.empty(%b) : tensor<?x4x5x7xf32>
  %masked = linalg.generic {
    indexing_maps = [affine_map<(b, h, i, j) -> (b, h, i, j)>, affine_map<(b, h, i, j) -> (b, j)>,
                     affine_map<(b, h, i, j) -> (b, h, i, j)>],
    iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
    ins(%s4, %valid : tensor<?x4x5x7xf32>, tensor<?x7xi1>) outs(%e4 : tensor<?x4x5x7xf32>) {
  ^bb0(%x: f32, %m: i1, %out: f32):
    %0 = arith.divf %x, %eight : f32
    %1 = arith.select %m, %0, %inf : f32
    linalg.yield %1 : f32
  } -> tensor<?x4x5x7xf32>
  %s3 = tensor.collapse_shape %masked [[0, 1], [2], [3]] : tensor<?x4x5x7xf32> into tensor<?x5x7xf32>
  %rows = tensor.empty(%n) : tensor<?x5xf32>
  %low = linalg.fill ins(%inf : f32) outs(%rows : tensor<?x5xf32>) -> tensor<?x5xf32>
  %max = linalg.reduce { arith.maximumf } ins(%s3 : tensor<?x5x7xf32>) outs(%low : tensor<?x5xf32>) dimensions = [2]
  %exp = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%s3, %max : tensor<?x5x7xf32>, tensor<?x5xf32>) outs(%e : tensor<?x5x7xf32>) {
  ^bb0(%x: f32, %m: f32, %out: f32):
    %0 = arith.subf %x, %m : f32
    %1 = math.exp %0 : f32
    linalg.yield %1 : f32
  } -> tensor<?x5x7xf32>
  %none = linalg.fill ins(%zero : f32) outs(%rows : tensor<?x5xf32>) -> tensor<?x5xf32>
  %sum = linalg.reduce { arith.addf } ins(%exp : tensor<?x5x7xf32>) outs(%none : tensor<?x5xf32>) dimensions = [2]
  %p = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%exp, %sum : tensor<?x5x7xf32>, tensor<?x5xf32>) outs(%e : tensor<?x5x7xf32>) {
  ^bb0(%x: f32, %l: f32, %out: f32):
    %0 = arith.divf %one, %l : f32
    %1 = arith.mulf %x, %0 : f32
    linalg.yield %1 : f32
  } -> tensor<?x5x7xf32>
  %oe = tensor.empty(%n) : tensor<?x5x8xf32>
  %oz = linalg.fill ins(%zero : f32) outs(%oe : tensor<?x5x8xf32>) -> tensor<?x5x8xf32>
  %o3 = linalg.batch_matmul ins(%p, %v3 : tensor<?x5x7xf32>, tensor<?x7x8xf32>)
    outs(%oz : tensor<?x5x8xf32>) -> tensor<?x5x8xf32>
  %o4 = tensor.expand_shape %o3 [[0, 1], [2], [3]] output_shape [%b, 4, 5, 8]
    : tensor<?x5x8xf32> into tensor<?x4x5x8xf32>
  %re = tensor.empty(%b) : tensor<?x5x4x8xf32>
  %r = linalg.transpose ins(%o4 : tensor<?x4x5x8xf32>) outs(%re : tensor<?x5x4x8xf32>) permutation = [0, 2, 1, 3]
  return %r : tensor<?x5x4x8xf32>
}

// No batch is known: each matrix is a sample with one head. Keys come transposed, scales are on
// queries and keys, and every step is a named operation.

// CHECK-LABEL: func @matrices(
// CHECK-SAME: %[[Q:[a-z0-9]+]]: tensor<3x5x8xf32>, %[[K:[a-z0-9]+]]: tensor<3x8x7xf32>, %[[V:[a-z0-9]+]]: tensor<3x7x6xf32>
// CHECK-DAG: %[[Q4:.+]] = tensor.expand_shape %[[Q]] {{.*}} into tensor<3x1x5x8xf32>
// CHECK-DAG: %[[KT:.+]] = linalg.transpose ins(%[[K]] : {{.*}} permutation = [0, 2, 1]
// CHECK-DAG: %[[K4:.+]] = tensor.expand_shape %[[KT]] {{.*}} into tensor<3x1x7x8xf32>
// CHECK-DAG: %[[V4:.+]] = tensor.expand_shape %[[V]] {{.*}} into tensor<3x1x7x6xf32>
// CHECK: %[[S:.+]] = posenc.scores %[[Q4]], %[[K4]] {scale = 2.500000e-01 : f32}
// CHECK-NEXT: %[[O:.+]] = posenc.attend %[[S]], %[[V4]]
// CHECK-NEXT: tensor.collapse_shape %[[O]] {{.*}} into tensor<3x5x6xf32>
// CHECK-NEXT: return
func.func @matrices(%q: tensor<3x5x8xf32>, %k: tensor<3x8x7xf32>, %v: tensor<3x7x6xf32>)
    -> tensor<3x5x6xf32> {
  %half = arith.constant dense<0.5> : tensor<3x5x8xf32>
  %two = arith.constant dense<2.0> : tensor<3x8x7xf32>
  %zero = arith.constant 0.0 : f32
  %low = arith.constant -3.40282347E+38 : f32
  %qe = tensor.empty() : tensor<3x5x8xf32>
  %ke = tensor.empty() : tensor<3x8x7xf32>
  %qs = linalg.mul ins(%q, %half : tensor<3x5x8xf32>, tensor<3x5x8xf32>) outs(%qe : tensor<3x5x8xf32>) -> tensor<3x5x8xf32>
  %ks = linalg.div ins(%k, %two : tensor<3x8x7xf32>, tensor<3x8x7xf32>) outs(%ke : tensor<3x8x7xf32>) -> tensor<3x8x7xf32>
  %e = tensor.empty() : tensor<3x5x7xf32>
  %z = linalg.fill ins(%zero : f32) outs(%e : tensor<3x5x7xf32>) -> tensor<3x5x7xf32>
  %s = linalg.batch_matmul ins(%qs, %ks : tensor<3x5x8xf32>, tensor<3x8x7xf32>) outs(%z : tensor<3x5x7xf32>) -> tensor<3x5x7xf32>
  %rows = tensor.empty() : tensor<3x5xf32>
  %l = linalg.fill ins(%low : f32) outs(%rows : tensor<3x5xf32>) -> tensor<3x5xf32>
  %max = linalg.reduce { arith.maxnumf } ins(%s : tensor<3x5x7xf32>) outs(%l : tensor<3x5xf32>) dimensions = [2]
  %maxes = linalg.broadcast ins(%max : tensor<3x5xf32>) outs(%e : tensor<3x5x7xf32>) dimensions = [2]
  %d = linalg.sub ins(%s, %maxes : tensor<3x5x7xf32>, tensor<3x5x7xf32>) outs(%e : tensor<3x5x7xf32>) -> tensor<3x5x7xf32>
  %x = linalg.exp ins(%d : tensor<3x5x7xf32>) outs(%e : tensor<3x5x7xf32>) -> tensor<3x5x7xf32>
  %n = linalg.fill ins(%zero : f32) outs(%rows : tensor<3x5xf32>) -> tensor<3x5xf32>
  %sum = linalg.reduce { arith.addf } ins(%x : tensor<3x5x7xf32>) outs(%n : tensor<3x5xf32>) dimensions = [2]
  %sums = linalg.broadcast ins(%sum : tensor<3x5xf32>) outs(%e : tensor<3x5x7xf32>) dimensions = [2]
  %p = linalg.div ins(%x, %sums : tensor<3x5x7xf32>, tensor<3x5x7xf32>) outs(%e : tensor<3x5x7xf32>) -> tensor<3x5x7xf32>
  %oe = tensor.empty() : tensor<3x5x6xf32>
  %oz = linalg.fill ins(%zero : f32) outs(%oe : tensor<3x5x6xf32>) -> tensor<3x5x6xf32>
  %o = linalg.batch_matmul ins(%p, %v : tensor<3x5x7xf32>, tensor<3x7x6xf32>) outs(%oz : tensor<3x5x6xf32>) -> tensor<3x5x6xf32>
  return %o : tensor<3x5x6xf32>
}

// One head of one sample, and a decoder's past: key <= query + past.

// CHECK-LABEL: func @past(
// CHECK-SAME: %[[Q:[a-z0-9]+]]: tensor<?x8xf32>, %[[K:[a-z0-9]+]]: tensor<?x8xf32>, %[[V:[a-z0-9]+]]: tensor<?x8xf32>, %[[PAST:[a-z0-9]+]]: index
// CHECK: %[[S:.+]] = posenc.scores {{.*}} -> tensor<1x1x?x?xf32>
// CHECK: %[[QP:.+]] = posenc.positions %{{.+}} from %[[PAST]]
// CHECK: %[[KP:.+]] = posenc.positions %{{.+}} from %c0
// CHECK: %[[M:.+]] = posenc.causal %[[S]] at(%[[QP]], %[[KP]])
// CHECK: posenc.attend %[[M]]
// CHECK-NEXT: tensor.collapse_shape {{.*}} into tensor<?x8xf32>
func.func @past(%q: tensor<?x8xf32>, %k: tensor<?x8xf32>, %v: tensor<?x8xf32>, %past: index)
    -> tensor<?x8xf32> {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %low = arith.constant -1.0e9 : f32
  %n = tensor.dim %q, %c0 : tensor<?x8xf32>
  %m = tensor.dim %k, %c0 : tensor<?x8xf32>
  %e = tensor.empty(%n, %m) : tensor<?x?xf32>
  %z = linalg.fill ins(%zero : f32) outs(%e : tensor<?x?xf32>) -> tensor<?x?xf32>
  %s = linalg.matmul
    indexing_maps = [affine_map<(i, j, d) -> (i, d)>, affine_map<(i, j, d) -> (j, d)>, affine_map<(i, j, d) -> (i, j)>]
    ins(%q, %k : tensor<?x8xf32>, tensor<?x8xf32>) outs(%z : tensor<?x?xf32>) -> tensor<?x?xf32>
  %bias = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
    outs(%e : tensor<?x?xf32>) {
  ^bb0(%out: f32):
    %i = linalg.index 0 : index
    %j = linalg.index 1 : index
    %last = arith.addi %i, %past : index
    %visible = arith.cmpi sge, %last, %j : index
    %0 = arith.select %visible, %zero, %low : f32
    linalg.yield %0 : f32
  } -> tensor<?x?xf32>
  %t = linalg.add ins(%s, %bias : tensor<?x?xf32>, tensor<?x?xf32>) outs(%e : tensor<?x?xf32>) -> tensor<?x?xf32>
  %p = linalg.softmax dimension(1) ins(%t : tensor<?x?xf32>) outs(%e : tensor<?x?xf32>) -> tensor<?x?xf32>
  %oe = tensor.empty(%n) : tensor<?x8xf32>
  %oz = linalg.fill ins(%zero : f32) outs(%oe : tensor<?x8xf32>) -> tensor<?x8xf32>
  %o = linalg.matmul ins(%p, %v : tensor<?x?xf32>, tensor<?x8xf32>) outs(%oz : tensor<?x8xf32>) -> tensor<?x8xf32>
  return %o : tensor<?x8xf32>
}

// Keys are repeated for the query heads that share them; the last query is aligned with the last
// key; an integer mask is compared in another operation and added as in BERT.

// CHECK-LABEL: func @grouped(
// CHECK-SAME: %[[Q:[a-z0-9]+]]: tensor<2x6x?x8xf32>, %[[K:[a-z0-9]+]]: tensor<2x3x?x8xf32>, %[[V:[a-z0-9]+]]: tensor<2x3x?x8xf32>, %[[MASK:[a-z0-9]+]]: tensor<2x?xi64>
// CHECK: %[[S:.+]] = posenc.scores %[[Q]], %[[K]] {scale = 3.750000e-01 : f32} : (tensor<2x6x?x8xf32>, tensor<2x3x?x8xf32>)
// CHECK-NEXT: %[[C:.+]] = posenc.causal %[[S]] : (
// CHECK: %[[VALID:.+]] = linalg.generic {{.*}} ins(%[[MASK]] : tensor<2x?xi64>)
// CHECK: arith.cmpi sgt
// CHECK: %[[M:.+]] = posenc.padding %[[C]] valid(%[[VALID]])
// CHECK: posenc.attend %[[M]], %[[V]] : (tensor<2x6x?x?xf32>, tensor<2x3x?x8xf32>)
#b5 = affine_map<(b, h, g, j, d) -> (b, h, j, d)>
#i5 = affine_map<(b, h, g, j, d) -> (b, h, g, j, d)>
#i4 = affine_map<(b, h, i, j) -> (b, h, i, j)>
#bj = affine_map<(b, h, i, j) -> (b, j)>
func.func @grouped(%q: tensor<2x6x?x8xf32>, %k: tensor<2x3x?x8xf32>, %v: tensor<2x3x?x8xf32>,
                   %mask: tensor<2x?xi64>) -> tensor<2x6x?x8xf32> {
  %c2 = arith.constant 2 : index
  %no = arith.constant 30 : i64
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %low = arith.constant -10000.0 : f32
  %lowest = arith.constant 0xFF800000 : f32
  %scale = arith.constant 0.375 : f32
  %n = tensor.dim %q, %c2 : tensor<2x6x?x8xf32>
  %m = tensor.dim %k, %c2 : tensor<2x3x?x8xf32>
  %e5 = tensor.empty(%m) : tensor<2x3x2x?x8xf32>
  %kr = linalg.broadcast ins(%k : tensor<2x3x?x8xf32>) outs(%e5 : tensor<2x3x2x?x8xf32>) dimensions = [2]
  %vr = linalg.generic {indexing_maps = [#b5, #i5],
                        iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]}
    ins(%v : tensor<2x3x?x8xf32>) outs(%e5 : tensor<2x3x2x?x8xf32>) {
  ^bb0(%x: f32, %out: f32):
    linalg.yield %x : f32
  } -> tensor<2x3x2x?x8xf32>
  %k4 = tensor.collapse_shape %kr [[0], [1, 2], [3], [4]] : tensor<2x3x2x?x8xf32> into tensor<2x6x?x8xf32>
  %v4 = tensor.collapse_shape %vr [[0], [1, 2], [3], [4]] : tensor<2x3x2x?x8xf32> into tensor<2x6x?x8xf32>
  %ei = tensor.empty(%m) : tensor<2x?xf32>
  %flags = linalg.generic {indexing_maps = [affine_map<(b, j) -> (b, j)>, affine_map<(b, j) -> (b, j)>],
                           iterator_types = ["parallel", "parallel"]}
    ins(%mask : tensor<2x?xi64>) outs(%ei : tensor<2x?xf32>) {
  ^bb0(%x: i64, %out: f32):
    %0 = arith.cmpi sgt, %x, %no : i64
    %1 = arith.uitofp %0 : i1 to f32
    %2 = arith.subf %one, %1 : f32
    linalg.yield %2 : f32
  } -> tensor<2x?xf32>
  %e = tensor.empty(%n, %m) : tensor<2x6x?x?xf32>
  %z = linalg.fill ins(%zero : f32) outs(%e : tensor<2x6x?x?xf32>) -> tensor<2x6x?x?xf32>
  %s = linalg.generic {indexing_maps = [affine_map<(b, h, i, j, d) -> (b, h, i, d)>,
                                        affine_map<(b, h, i, j, d) -> (b, h, j, d)>,
                                        affine_map<(b, h, i, j, d) -> (b, h, i, j)>],
                       iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]}
    ins(%q, %k4 : tensor<2x6x?x8xf32>, tensor<2x6x?x8xf32>) outs(%z : tensor<2x6x?x?xf32>) {
  ^bb0(%x: f32, %y: f32, %acc: f32):
    %0 = arith.mulf %x, %y : f32
    %1 = arith.addf %0, %acc : f32
    linalg.yield %1 : f32
  } -> tensor<2x6x?x?xf32>
  %past = arith.subi %m, %n : index
  %t = linalg.generic {indexing_maps = [#i4, #bj, #i4],
                       iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
    ins(%s, %flags : tensor<2x6x?x?xf32>, tensor<2x?xf32>) outs(%e : tensor<2x6x?x?xf32>) {
  ^bb0(%x: f32, %hidden: f32, %out: f32):
    %i = linalg.index 2 : index
    %j = linalg.index 3 : index
    %i32 = arith.index_cast %i : index to i32
    %j32 = arith.index_cast %j : index to i32
    %p32 = arith.index_cast %past : index to i32
    %at = arith.addi %p32, %i32 : i32
    %after = arith.cmpi sgt, %j32, %at : i32
    %0 = arith.mulf %scale, %x : f32
    %1 = arith.select %after, %lowest, %0 : f32
    %2 = arith.mulf %hidden, %low : f32
    %3 = arith.addf %1, %2 : f32
    linalg.yield %3 : f32
  } -> tensor<2x6x?x?xf32>
  %p = linalg.softmax dimension(3) ins(%t : tensor<2x6x?x?xf32>) outs(%e : tensor<2x6x?x?xf32>)
    -> tensor<2x6x?x?xf32>
  %oe = tensor.empty(%n) : tensor<2x6x?x8xf32>
  %oz = linalg.fill ins(%zero : f32) outs(%oe : tensor<2x6x?x8xf32>) -> tensor<2x6x?x8xf32>
  %o = linalg.generic {indexing_maps = [affine_map<(b, h, i, d, j) -> (b, h, i, j)>,
                                        affine_map<(b, h, i, d, j) -> (b, h, j, d)>,
                                        affine_map<(b, h, i, d, j) -> (b, h, i, d)>],
                       iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]}
    ins(%p, %v4 : tensor<2x6x?x?xf32>, tensor<2x6x?x8xf32>) outs(%oz : tensor<2x6x?x8xf32>) {
  ^bb0(%x: f32, %y: f32, %acc: f32):
    %0 = arith.mulf %x, %y : f32
    %1 = arith.addf %acc, %0 : f32
    linalg.yield %1 : f32
  } -> tensor<2x6x?x8xf32>
  return %o : tensor<2x6x?x8xf32>
}

// bf16 operands, multiplied in f32; heads of one sample, which no dimension counts.

// CHECK-LABEL: func @narrow(
// CHECK-SAME: %[[Q:[a-z0-9]+]]: tensor<1x4x5x8xbf16>, %[[K:[a-z0-9]+]]: tensor<1x4x5x8xbf16>, %[[V:[a-z0-9]+]]: tensor<1x4x5x8xf32>
// CHECK-NEXT: %[[S:.+]] = posenc.scores %[[Q]], %[[K]] {scale = 1.000000e+00 : f32} : (tensor<1x4x5x8xbf16>, tensor<1x4x5x8xbf16>) -> tensor<1x4x5x5xf32>
// CHECK-NEXT: %[[O:.+]] = posenc.attend %[[S]], %[[V]] : (tensor<1x4x5x5xf32>, tensor<1x4x5x8xf32>) -> tensor<1x4x5x8xf32>
// CHECK-NEXT: return %[[O]]
func.func @narrow(%q: tensor<1x4x5x8xbf16>, %k: tensor<1x4x5x8xbf16>, %v: tensor<1x4x5x8xf32>)
    -> tensor<1x4x5x8xf32> {
  %zero = arith.constant 0.0 : f32
  %q3 = tensor.collapse_shape %q [[0, 1], [2], [3]] : tensor<1x4x5x8xbf16> into tensor<4x5x8xbf16>
  %k3 = tensor.collapse_shape %k [[0, 1], [2], [3]] : tensor<1x4x5x8xbf16> into tensor<4x5x8xbf16>
  %v3 = tensor.collapse_shape %v [[0, 1], [2], [3]] : tensor<1x4x5x8xf32> into tensor<4x5x8xf32>
  %e = tensor.empty() : tensor<4x5x5xf32>
  %z = linalg.fill ins(%zero : f32) outs(%e : tensor<4x5x5xf32>) -> tensor<4x5x5xf32>
  %s = linalg.batch_matmul
    indexing_maps = [affine_map<(n, i, j, d) -> (n, i, d)>, affine_map<(n, i, j, d) -> (n, j, d)>,
                     affine_map<(n, i, j, d) -> (n, i, j)>]
    ins(%q3, %k3 : tensor<4x5x8xbf16>, tensor<4x5x8xbf16>) outs(%z : tensor<4x5x5xf32>) -> tensor<4x5x5xf32>
  %p = linalg.softmax dimension(2) ins(%s : tensor<4x5x5xf32>) outs(%e : tensor<4x5x5xf32>) -> tensor<4x5x5xf32>
  %oe = tensor.empty() : tensor<4x5x8xf32>
  %oz = linalg.fill ins(%zero : f32) outs(%oe : tensor<4x5x8xf32>) -> tensor<4x5x8xf32>
  %o = linalg.batch_matmul ins(%p, %v3 : tensor<4x5x5xf32>, tensor<4x5x8xf32>) outs(%oz : tensor<4x5x8xf32>) -> tensor<4x5x8xf32>
  %o4 = tensor.expand_shape %o [[0, 1], [2], [3]] output_shape [1, 4, 5, 8] : tensor<4x5x8xf32> into tensor<1x4x5x8xf32>
  return %o4 : tensor<1x4x5x8xf32>
}

// Query head h reads key head h mod 2, which only repeated keys can express.

// CHECK-LABEL: func @tiled(
// CHECK-SAME: %[[Q:[a-z0-9]+]]: tensor<1x4x3x8xf32>, %[[K:[a-z0-9]+]]: tensor<1x2x3x8xf32>
// CHECK: %[[R:.+]] = linalg.broadcast ins(%[[K]] : {{.*}} dimensions = [1]
// CHECK: %[[K4:.+]] = tensor.collapse_shape %[[R]] {{.*}} into tensor<1x4x3x8xf32>
// CHECK: posenc.scores %[[Q]], %[[K4]]
// CHECK: posenc.attend %{{.+}}, %[[K4]]
func.func @tiled(%q: tensor<1x4x3x8xf32>, %k: tensor<1x2x3x8xf32>) -> tensor<1x4x3x8xf32> {
  %zero = arith.constant 0.0 : f32
  %e5 = tensor.empty() : tensor<1x2x2x3x8xf32>
  %kr = linalg.broadcast ins(%k : tensor<1x2x3x8xf32>) outs(%e5 : tensor<1x2x2x3x8xf32>) dimensions = [1]
  %k4 = tensor.collapse_shape %kr [[0], [1, 2], [3], [4]] : tensor<1x2x2x3x8xf32> into tensor<1x4x3x8xf32>
  %e = tensor.empty() : tensor<1x4x3x3xf32>
  %z = linalg.fill ins(%zero : f32) outs(%e : tensor<1x4x3x3xf32>) -> tensor<1x4x3x3xf32>
  %s = linalg.contract
    indexing_maps = [affine_map<(b, h, i, j, d) -> (b, h, i, d)>, affine_map<(b, h, i, j, d) -> (b, h, j, d)>,
                     affine_map<(b, h, i, j, d) -> (b, h, i, j)>]
    ins(%q, %k4 : tensor<1x4x3x8xf32>, tensor<1x4x3x8xf32>) outs(%z : tensor<1x4x3x3xf32>) -> tensor<1x4x3x3xf32>
  %p = linalg.softmax dimension(3) ins(%s : tensor<1x4x3x3xf32>) outs(%e : tensor<1x4x3x3xf32>) -> tensor<1x4x3x3xf32>
  %oe = tensor.empty() : tensor<1x4x3x8xf32>
  %oz = linalg.fill ins(%zero : f32) outs(%oe : tensor<1x4x3x8xf32>) -> tensor<1x4x3x8xf32>
  %o = linalg.contract
    indexing_maps = [affine_map<(b, h, i, d, j) -> (b, h, i, j)>, affine_map<(b, h, i, d, j) -> (b, h, j, d)>,
                     affine_map<(b, h, i, d, j) -> (b, h, i, d)>]
    ins(%p, %k4 : tensor<1x4x3x3xf32>, tensor<1x4x3x8xf32>) outs(%oz : tensor<1x4x3x8xf32>) -> tensor<1x4x3x8xf32>
  return %o : tensor<1x4x3x8xf32>
}
