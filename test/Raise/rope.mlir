// RUN: pe-opt %s --posenc-raise --canonicalize --cse | FileCheck %s

// The numbers are those of the operations as written.
// DEFINE: %{raised} = --pipeline='builtin.module(posenc-raise,posenc-reference)' --verify --output=-
// RUN: pe-runner %s --entry=rotate_half %{raised} --input=2x3x5x8=random --input=2x5=random \
// RUN:   | FileCheck %s --check-prefix=SAME
// RUN: pe-runner %s --entry=interleaved %{raised} --input=2x5x3x8=random --input=7 \
// RUN:   | FileCheck %s --check-prefix=SAME
// RUN: pe-runner %s --entry=inserted %{raised} --input=1x2x5x8=random --input=random \
// RUN:   | FileCheck %s --check-prefix=SAME
// RUN: pe-runner %s --entry=whole_width %{raised} --input=random --input=random \
// RUN:   | FileCheck %s --check-prefix=SAME
// SAME: max abs error {{(0|.*e-0[678])}} (tolerance

// As in Llama: the angles are a product of positions and frequencies and given twice, one half of
// the channels is negated and changes places with the other.

// CHECK-LABEL: func @rotate_half(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<?x3x?x8xf32>, %[[P:[a-z0-9]+]]: tensor<?x?xi64>
// CHECK-NEXT: %[[Y:.+]] = posenc.rope %[[X]] at(%[[P]]) {pairing = #posenc.pairing<half>} :
// CHECK-NEXT: return %[[Y]]
#id3 = affine_map<(b, i, c) -> (b, i, c)>
#at = affine_map<(b, i, c) -> (b, i, 0)>
#once = affine_map<(b, i, c) -> (0, 0, c)>
#id4 = affine_map<(b, h, i, c) -> (b, h, i, c)>
#shared = affine_map<(b, h, i, c) -> (b, i, c)>
func.func @rotate_half(%x: tensor<?x3x?x8xf32>, %pos: tensor<?x?xi64>) -> tensor<?x3x?x8xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %zero = arith.constant 0.0 : f32
  %frequencies = arith.constant dense<[1.0, 0.1, 0.01, 0.001]> : tensor<4xf32>
  %b = tensor.dim %x, %c0 : tensor<?x3x?x8xf32>
  %n = tensor.dim %x, %c2 : tensor<?x3x?x8xf32>
  %pb = tensor.dim %pos, %c0 : tensor<?x?xi64>
  %pn = tensor.dim %pos, %c1 : tensor<?x?xi64>
  %fe = tensor.empty(%pb, %pn) : tensor<?x?xf32>
  %positions = linalg.generic {indexing_maps = [affine_map<(b, i) -> (b, i)>, affine_map<(b, i) -> (b, i)>],
                               iterator_types = ["parallel", "parallel"]}
    ins(%pos : tensor<?x?xi64>) outs(%fe : tensor<?x?xf32>) {
  ^bb0(%p: i64, %out: f32):
    %0 = arith.sitofp %p : i64 to f32
    linalg.yield %0 : f32
  } -> tensor<?x?xf32>
  %column = tensor.expand_shape %positions [[0], [1, 2]] output_shape [%pb, %pn, 1] : tensor<?x?xf32> into tensor<?x?x1xf32>
  %row = tensor.expand_shape %frequencies [[0, 1]] output_shape [1, 4] : tensor<4xf32> into tensor<1x4xf32>
  %ae = tensor.empty(%pb, %pn) : tensor<?x?x4xf32>
  %az = linalg.fill ins(%zero : f32) outs(%ae : tensor<?x?x4xf32>) -> tensor<?x?x4xf32>
  %angles = linalg.contract
    indexing_maps = [affine_map<(b, i, c, k) -> (b, i, k)>, affine_map<(b, i, c, k) -> (k, c)>,
                     affine_map<(b, i, c, k) -> (b, i, c)>]
    ins(%column, %row : tensor<?x?x1xf32>, tensor<1x4xf32>) outs(%az : tensor<?x?x4xf32>) -> tensor<?x?x4xf32>
  %twice = tensor.concat dim(2) %angles, %angles : (tensor<?x?x4xf32>, tensor<?x?x4xf32>) -> tensor<?x?x8xf32>
  %te = tensor.empty(%pb, %pn) : tensor<?x?x8xf32>
  %cos = linalg.generic {indexing_maps = [#id3, #id3], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%twice : tensor<?x?x8xf32>) outs(%te : tensor<?x?x8xf32>) {
  ^bb0(%a: f32, %out: f32):
    %0 = math.cos %a : f32
    linalg.yield %0 : f32
  } -> tensor<?x?x8xf32>
  %sin = linalg.generic {indexing_maps = [#id3, #id3], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%twice : tensor<?x?x8xf32>) outs(%te : tensor<?x?x8xf32>) {
  ^bb0(%a: f32, %out: f32):
    %0 = math.sin %a : f32
    linalg.yield %0 : f32
  } -> tensor<?x?x8xf32>
  %first = tensor.extract_slice %x[0, 0, 0, 0] [%b, 3, %n, 4] [1, 1, 1, 1] : tensor<?x3x?x8xf32> to tensor<?x3x?x4xf32>
  %second = tensor.extract_slice %x[0, 0, 0, 4] [%b, 3, %n, 4] [1, 1, 1, 1] : tensor<?x3x?x8xf32> to tensor<?x3x?x4xf32>
  %he = tensor.empty(%b, %n) : tensor<?x3x?x4xf32>
  %negated = linalg.negf ins(%second : tensor<?x3x?x4xf32>) outs(%he : tensor<?x3x?x4xf32>) -> tensor<?x3x?x4xf32>
  %rotated = tensor.concat dim(3) %negated, %first : (tensor<?x3x?x4xf32>, tensor<?x3x?x4xf32>) -> tensor<?x3x?x8xf32>
  %e = tensor.empty(%b, %n) : tensor<?x3x?x8xf32>
  %xc = linalg.generic {indexing_maps = [#id4, #shared, #id4], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
    ins(%x, %cos : tensor<?x3x?x8xf32>, tensor<?x?x8xf32>) outs(%e : tensor<?x3x?x8xf32>) {
  ^bb0(%a: f32, %t: f32, %out: f32):
    %0 = arith.mulf %a, %t : f32
    linalg.yield %0 : f32
  } -> tensor<?x3x?x8xf32>
  %rs = linalg.generic {indexing_maps = [#id4, #shared, #id4], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
    ins(%rotated, %sin : tensor<?x3x?x8xf32>, tensor<?x?x8xf32>) outs(%e : tensor<?x3x?x8xf32>) {
  ^bb0(%a: f32, %t: f32, %out: f32):
    %0 = arith.mulf %a, %t : f32
    linalg.yield %0 : f32
  } -> tensor<?x3x?x8xf32>
  %y = linalg.add ins(%xc, %rs : tensor<?x3x?x8xf32>, tensor<?x3x?x8xf32>) outs(%e : tensor<?x3x?x8xf32>) -> tensor<?x3x?x8xf32>
  return %y : tensor<?x3x?x8xf32>
}

// As in GPT-J: the first 4 of 8 channels, even with odd; rows lie before heads and follow a cache;
// frequencies are computed, and the exponent's width is that of the rotated part.

// CHECK-LABEL: func @interleaved(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<2x?x3x8xf32>, %[[PAST:[a-z0-9]+]]: i64
// CHECK: %[[FROM:.+]] = arith.index_cast %[[PAST]] : i64 to index
// CHECK: %[[P:.+]] = posenc.positions %{{.+}} from %[[FROM]]
// CHECK: %[[Y:.+]] = posenc.rope %[[X]] at(%[[P]]) {base = 1.000000e+02 : f64, layout = #posenc.layout<bshd>, pairing = #posenc.pairing<interleaved>, width = 4 : i64} :
// CHECK-NEXT: return %[[Y]]
#pairs = affine_map<(b, i, h, c) -> (b, i, h, c)>
#table = affine_map<(b, i, h, c) -> (i, c)>
func.func @interleaved(%x: tensor<2x?x3x8xf32>, %past: i64) -> tensor<2x?x3x8xf32> {
  %c1 = arith.constant 1 : index
  %base = arith.constant 100.0 : f32
  %minus = arith.constant -2.0 : f32
  %width = arith.constant 4.0 : f32
  %n = tensor.dim %x, %c1 : tensor<2x?x3x8xf32>
  %te = tensor.empty(%n) : tensor<?x2xf32>
  %cos, %sin = linalg.generic {indexing_maps = [affine_map<(i, c) -> (i, c)>, affine_map<(i, c) -> (i, c)>],
                               iterator_types = ["parallel", "parallel"]}
    outs(%te, %te : tensor<?x2xf32>, tensor<?x2xf32>) {
  ^bb0(%out: f32, %other: f32):
    %i = linalg.index 0 : index
    %c = linalg.index 1 : index
    %ii = arith.index_cast %i : index to i64
    %p = arith.addi %ii, %past : i64
    %ci = arith.index_cast %c : index to i32
    %cf = arith.sitofp %ci : i32 to f32
    %0 = arith.mulf %cf, %minus : f32
    %1 = arith.divf %0, %width : f32
    %w = math.powf %base, %1 : f32
    %pf = arith.sitofp %p : i64 to f32
    %angle = arith.mulf %w, %pf : f32
    %2 = math.cos %angle : f32
    %3 = math.sin %angle : f32
    linalg.yield %2, %3 : f32, f32
  } -> (tensor<?x2xf32>, tensor<?x2xf32>)
  %turned = tensor.extract_slice %x[0, 0, 0, 0] [2, %n, 3, 4] [1, 1, 1, 1] : tensor<2x?x3x8xf32> to tensor<2x?x3x4xf32>
  %rest = tensor.extract_slice %x[0, 0, 0, 4] [2, %n, 3, 4] [1, 1, 1, 1] : tensor<2x?x3x8xf32> to tensor<2x?x3x4xf32>
  %even = tensor.extract_slice %turned[0, 0, 0, 0] [2, %n, 3, 2] [1, 1, 1, 2] : tensor<2x?x3x4xf32> to tensor<2x?x3x2xf32>
  %pairs = tensor.expand_shape %turned [[0], [1], [2], [3, 4]] output_shape [2, %n, 3, 2, 2] : tensor<2x?x3x4xf32> into tensor<2x?x3x2x2xf32>
  %odd = tensor.extract_slice %pairs[0, 0, 0, 0, 1] [2, %n, 3, 2, 1] [1, 1, 1, 1, 1] : tensor<2x?x3x2x2xf32> to tensor<2x?x3x2xf32>
  %he = tensor.empty(%n) : tensor<2x?x3x2xf32>
  %a, %b = linalg.generic {indexing_maps = [#pairs, #pairs, #table, #table, #pairs, #pairs],
                           iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
    ins(%even, %odd, %cos, %sin : tensor<2x?x3x2xf32>, tensor<2x?x3x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>)
    outs(%he, %he : tensor<2x?x3x2xf32>, tensor<2x?x3x2xf32>) {
  ^bb0(%u: f32, %v: f32, %cs: f32, %sn: f32, %o0: f32, %o1: f32):
    %0 = arith.mulf %u, %cs : f32
    %1 = arith.mulf %v, %sn : f32
    %2 = arith.subf %0, %1 : f32
    %3 = arith.mulf %v, %cs : f32
    %4 = arith.mulf %u, %sn : f32
    %5 = arith.addf %3, %4 : f32
    linalg.yield %2, %5 : f32, f32
  } -> (tensor<2x?x3x2xf32>, tensor<2x?x3x2xf32>)
  %a1 = tensor.expand_shape %a [[0], [1], [2], [3, 4]] output_shape [2, %n, 3, 2, 1] : tensor<2x?x3x2xf32> into tensor<2x?x3x2x1xf32>
  %b1 = tensor.expand_shape %b [[0], [1], [2], [3, 4]] output_shape [2, %n, 3, 2, 1] : tensor<2x?x3x2xf32> into tensor<2x?x3x2x1xf32>
  %stack = tensor.concat dim(4) %a1, %b1 : (tensor<2x?x3x2x1xf32>, tensor<2x?x3x2x1xf32>) -> tensor<2x?x3x2x2xf32>
  %flat = tensor.collapse_shape %stack [[0], [1], [2], [3, 4]] : tensor<2x?x3x2x2xf32> into tensor<2x?x3x4xf32>
  %y = tensor.concat dim(3) %flat, %rest : (tensor<2x?x3x4xf32>, tensor<2x?x3x4xf32>) -> tensor<2x?x3x8xf32>
  return %y : tensor<2x?x3x8xf32>
}

// Halves are inserted, scaled as in YaRN; positions are numbers of any kind.

// CHECK-LABEL: func @inserted(
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<1x2x5x8xf32>, %[[P:[a-z0-9]+]]: tensor<1x5xf32>
// CHECK: %[[ROW:.+]] = tensor.collapse_shape %[[P]] {{.*}} into tensor<5xf32>
// CHECK: %[[Y:.+]] = posenc.rope %[[X]] at(%[[ROW]]) {amplitude = 1.250000e+00 : f64, offset = 4 : i64, pairing = #posenc.pairing<half>} :
// CHECK-NEXT: return %[[Y]]
#half = affine_map<(b, h, i, c) -> (b, h, i, c)>
#angle = affine_map<(b, h, i, c) -> (b, i, c)>
func.func @inserted(%x: tensor<1x2x5x8xf32>, %pos: tensor<1x5xf32>) -> tensor<1x2x5x8xf32> {
  %w = arith.constant dense<[1.0, 0.01]> : tensor<2xf32>
  %scale = arith.constant 1.25 : f32
  %ae = tensor.empty() : tensor<1x5x2xf32>
  %angles = linalg.generic {indexing_maps = [affine_map<(b, i, c) -> (b, i)>, affine_map<(b, i, c) -> (c)>, affine_map<(b, i, c) -> (b, i, c)>],
                            iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%pos, %w : tensor<1x5xf32>, tensor<2xf32>) outs(%ae : tensor<1x5x2xf32>) {
  ^bb0(%p: f32, %f: f32, %out: f32):
    %0 = arith.mulf %p, %f : f32
    linalg.yield %0 : f32
  } -> tensor<1x5x2xf32>
  %first = tensor.extract_slice %x[0, 0, 0, 4] [1, 2, 5, 2] [1, 1, 1, 1] : tensor<1x2x5x8xf32> to tensor<1x2x5x2xf32>
  %second = tensor.extract_slice %x[0, 0, 0, 6] [1, 2, 5, 2] [1, 1, 1, 1] : tensor<1x2x5x8xf32> to tensor<1x2x5x2xf32>
  %he = tensor.empty() : tensor<1x2x5x2xf32>
  %a, %b = linalg.generic {indexing_maps = [#half, #half, #angle, #half, #half],
                           iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
    ins(%first, %second, %angles : tensor<1x2x5x2xf32>, tensor<1x2x5x2xf32>, tensor<1x5x2xf32>)
    outs(%he, %he : tensor<1x2x5x2xf32>, tensor<1x2x5x2xf32>) {
  ^bb0(%u: f32, %v: f32, %t: f32, %o0: f32, %o1: f32):
    %c = math.cos %t : f32
    %s = math.sin %t : f32
    %cs = arith.mulf %c, %scale : f32
    %sn = arith.mulf %s, %scale : f32
    %0 = arith.mulf %u, %cs : f32
    %1 = arith.mulf %v, %sn : f32
    %2 = arith.subf %0, %1 : f32
    %3 = arith.mulf %v, %cs : f32
    %4 = arith.mulf %u, %sn : f32
    %5 = arith.addf %3, %4 : f32
    linalg.yield %2, %5 : f32, f32
  } -> (tensor<1x2x5x2xf32>, tensor<1x2x5x2xf32>)
  %y0 = tensor.insert_slice %a into %x[0, 0, 0, 4] [1, 2, 5, 2] [1, 1, 1, 1] : tensor<1x2x5x2xf32> into tensor<1x2x5x8xf32>
  %y = tensor.insert_slice %b into %y0[0, 0, 0, 6] [1, 2, 5, 2] [1, 1, 1, 1] : tensor<1x2x5x2xf32> into tensor<1x2x5x8xf32>
  return %y : tensor<1x2x5x8xf32>
}

// 100^(-2c / 8), although 4 channels are turned: what is computed is the series of base 10.

// CHECK-LABEL: func @whole_width(
// CHECK: posenc.rope %{{.+}} at(%{{.+}}) {base = 1.000000e+01 : f64, pairing = #posenc.pairing<interleaved>, width = 4 : i64} :
func.func @whole_width(%x: tensor<1x2x5x8xf32>, %pos: tensor<5xi32>) -> tensor<1x2x5x8xf32> {
  %w = arith.constant dense<[1.0, 0.316227766]> : tensor<2xf32>
  %even = tensor.extract_slice %x[0, 0, 0, 0] [1, 2, 5, 2] [1, 1, 1, 2] : tensor<1x2x5x8xf32> to tensor<1x2x5x2xf32>
  %odd = tensor.extract_slice %x[0, 0, 0, 1] [1, 2, 5, 2] [1, 1, 1, 2] : tensor<1x2x5x8xf32> to tensor<1x2x5x2xf32>
  %he = tensor.empty() : tensor<1x2x5x2xf32>
  %a, %b = linalg.generic {indexing_maps = [#half, #half, affine_map<(b, h, i, c) -> (i)>, affine_map<(b, h, i, c) -> (c)>, #half, #half],
                           iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
    ins(%even, %odd, %pos, %w : tensor<1x2x5x2xf32>, tensor<1x2x5x2xf32>, tensor<5xi32>, tensor<2xf32>)
    outs(%he, %he : tensor<1x2x5x2xf32>, tensor<1x2x5x2xf32>) {
  ^bb0(%u: f32, %v: f32, %p: i32, %f: f32, %o0: f32, %o1: f32):
    %pf = arith.sitofp %p : i32 to f32
    %t = arith.mulf %pf, %f : f32
    %c = math.cos %t : f32
    %s = math.sin %t : f32
    %0 = arith.mulf %u, %c : f32
    %1 = arith.mulf %v, %s : f32
    %2 = arith.subf %0, %1 : f32
    %3 = arith.mulf %u, %s : f32
    %4 = arith.mulf %v, %c : f32
    %5 = arith.addf %3, %4 : f32
    linalg.yield %2, %5 : f32, f32
  } -> (tensor<1x2x5x2xf32>, tensor<1x2x5x2xf32>)
  %y0 = tensor.insert_slice %a into %x[0, 0, 0, 0] [1, 2, 5, 2] [1, 1, 1, 2] : tensor<1x2x5x2xf32> into tensor<1x2x5x8xf32>
  %y = tensor.insert_slice %b into %y0[0, 0, 0, 1] [1, 2, 5, 2] [1, 1, 1, 2] : tensor<1x2x5x2xf32> into tensor<1x2x5x8xf32>
  return %y : tensor<1x2x5x8xf32>
}
