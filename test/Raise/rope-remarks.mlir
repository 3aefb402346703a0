// RUN: pe-opt %s --posenc-raise --remarks-filter=posenc-raise --remark-format=emitRemark \
// RUN:   --split-input-file --verify-diagnostics | FileCheck %s

// Halves are swapped, but frequencies repeated for neighbours.

// CHECK-LABEL: func @repeated_for_half(
// CHECK-NOT: posenc.
#id = affine_map<(b, h, i, c) -> (b, h, i, c)>
#row = affine_map<(b, h, i, c) -> (i)>
#channel = affine_map<(b, h, i, c) -> (c)>
func.func @repeated_for_half(%x: tensor<1x2x5x4xf32>, %pos: tensor<5xf32>) -> tensor<1x2x5x4xf32> {
  %w = arith.constant dense<[1.0, 1.0, 0.01, 0.01]> : tensor<4xf32>
  %first = tensor.extract_slice %x[0, 0, 0, 0] [1, 2, 5, 2] [1, 1, 1, 1] : tensor<1x2x5x4xf32> to tensor<1x2x5x2xf32>
  %second = tensor.extract_slice %x[0, 0, 0, 2] [1, 2, 5, 2] [1, 1, 1, 1] : tensor<1x2x5x4xf32> to tensor<1x2x5x2xf32>
  %he = tensor.empty() : tensor<1x2x5x2xf32>
  %negated = linalg.negf ins(%second : tensor<1x2x5x2xf32>) outs(%he : tensor<1x2x5x2xf32>) -> tensor<1x2x5x2xf32>
  %rotated = tensor.concat dim(3) %negated, %first : (tensor<1x2x5x2xf32>, tensor<1x2x5x2xf32>) -> tensor<1x2x5x4xf32>
  %e = tensor.empty() : tensor<1x2x5x4xf32>
  %y = linalg.generic {indexing_maps = [#id, #id, #row, #channel, #id],
                       iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
    ins(%x, %rotated, %pos, %w : tensor<1x2x5x4xf32>, tensor<1x2x5x4xf32>, tensor<5xf32>, tensor<4xf32>)
    outs(%e : tensor<1x2x5x4xf32>) {
  ^bb0(%a: f32, %r: f32, %p: f32, %f: f32, %out: f32):
    %angle = arith.mulf %p, %f : f32
    %cos = math.cos %angle : f32
    %sin = math.sin %angle : f32
    %0 = arith.mulf %a, %cos : f32
    %1 = arith.mulf %r, %sin : f32
    // expected-remark @below {{rotation is not raised: channels 0 and 2 are a pair, but turn by different angles}}
    %2 = arith.addf %0, %1 : f32
    linalg.yield %2 : f32
  } -> tensor<1x2x5x4xf32>
  return %y : tensor<1x2x5x4xf32>
}

// -----

// Neighbours are swapped, but frequencies given twice.

// CHECK-LABEL: func @twice_for_neighbours(
// CHECK-NOT: posenc.
#id = affine_map<(b, h, i, c) -> (b, h, i, c)>
#row = affine_map<(b, h, i, c) -> (i)>
#channel = affine_map<(b, h, i, c) -> (c)>
func.func @twice_for_neighbours(%x: tensor<1x2x5x4xf32>, %pos: tensor<5xf32>) -> tensor<1x2x5x4xf32> {
  %w = arith.constant dense<[1.0, 0.01, 1.0, 0.01]> : tensor<4xf32>
  %even = tensor.extract_slice %x[0, 0, 0, 0] [1, 2, 5, 2] [1, 1, 1, 2] : tensor<1x2x5x4xf32> to tensor<1x2x5x2xf32>
  %odd = tensor.extract_slice %x[0, 0, 0, 1] [1, 2, 5, 2] [1, 1, 1, 2] : tensor<1x2x5x4xf32> to tensor<1x2x5x2xf32>
  %he = tensor.empty() : tensor<1x2x5x2xf32>
  %negated = linalg.negf ins(%odd : tensor<1x2x5x2xf32>) outs(%he : tensor<1x2x5x2xf32>) -> tensor<1x2x5x2xf32>
  %e0 = tensor.empty() : tensor<1x2x5x4xf32>
  %e1 = tensor.insert_slice %negated into %e0[0, 0, 0, 0] [1, 2, 5, 2] [1, 1, 1, 2] : tensor<1x2x5x2xf32> into tensor<1x2x5x4xf32>
  %rotated = tensor.insert_slice %even into %e1[0, 0, 0, 1] [1, 2, 5, 2] [1, 1, 1, 2] : tensor<1x2x5x2xf32> into tensor<1x2x5x4xf32>
  %e = tensor.empty() : tensor<1x2x5x4xf32>
  %y = linalg.generic {indexing_maps = [#id, #id, #row, #channel, #id],
                       iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
    ins(%x, %rotated, %pos, %w : tensor<1x2x5x4xf32>, tensor<1x2x5x4xf32>, tensor<5xf32>, tensor<4xf32>)
    outs(%e : tensor<1x2x5x4xf32>) {
  ^bb0(%a: f32, %r: f32, %p: f32, %f: f32, %out: f32):
    %angle = arith.mulf %p, %f : f32
    %cos = math.cos %angle : f32
    %sin = math.sin %angle : f32
    %0 = arith.mulf %a, %cos : f32
    %1 = arith.mulf %r, %sin : f32
    // expected-remark @below {{rotation is not raised: channels 0 and 1 are a pair, but turn by different angles}}
    %2 = arith.addf %0, %1 : f32
    linalg.yield %2 : f32
  } -> tensor<1x2x5x4xf32>
  return %y : tensor<1x2x5x4xf32>
}

// -----

// base^(-(2c + 2) / width): the series does not start at 1.

// CHECK-LABEL: func @late_series(
// CHECK-NOT: posenc.
#id = affine_map<(b, h, i, c) -> (b, h, i, c)>
#row = affine_map<(b, h, i, c) -> (i)>
#channel = affine_map<(b, h, i, c) -> (c)>
func.func @late_series(%x: tensor<1x2x5x4xf32>, %pos: tensor<5xf32>) -> tensor<1x2x5x4xf32> {
  %w = arith.constant dense<[1.0e-2, 1.0e-4, 1.0e-2, 1.0e-4]> : tensor<4xf32>
  %first = tensor.extract_slice %x[0, 0, 0, 0] [1, 2, 5, 2] [1, 1, 1, 1] : tensor<1x2x5x4xf32> to tensor<1x2x5x2xf32>
  %second = tensor.extract_slice %x[0, 0, 0, 2] [1, 2, 5, 2] [1, 1, 1, 1] : tensor<1x2x5x4xf32> to tensor<1x2x5x2xf32>
  %he = tensor.empty() : tensor<1x2x5x2xf32>
  %negated = linalg.negf ins(%second : tensor<1x2x5x2xf32>) outs(%he : tensor<1x2x5x2xf32>) -> tensor<1x2x5x2xf32>
  %rotated = tensor.concat dim(3) %negated, %first : (tensor<1x2x5x2xf32>, tensor<1x2x5x2xf32>) -> tensor<1x2x5x4xf32>
  %e = tensor.empty() : tensor<1x2x5x4xf32>
  %y = linalg.generic {indexing_maps = [#id, #id, #row, #channel, #id],
                       iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
    ins(%x, %rotated, %pos, %w : tensor<1x2x5x4xf32>, tensor<1x2x5x4xf32>, tensor<5xf32>, tensor<4xf32>)
    outs(%e : tensor<1x2x5x4xf32>) {
  ^bb0(%a: f32, %r: f32, %p: f32, %f: f32, %out: f32):
    %angle = arith.mulf %p, %f : f32
    %cos = math.cos %angle : f32
    %sin = math.sin %angle : f32
    %0 = arith.mulf %a, %cos : f32
    %1 = arith.mulf %r, %sin : f32
    // expected-remark @below {{rotation is not raised: the frequency of pair 0 is 1.000000e-02, but that of a series from 1 to 1.000000e-04 is 1.000000e+00}}
    %2 = arith.addf %0, %1 : f32
    linalg.yield %2 : f32
  } -> tensor<1x2x5x4xf32>
  return %y : tensor<1x2x5x4xf32>
}

// -----

// The other way round.

// CHECK-LABEL: func @backwards(
// CHECK-NOT: posenc.
#id = affine_map<(b, h, i, c) -> (b, h, i, c)>
#row = affine_map<(b, h, i, c) -> (i)>
#channel = affine_map<(b, h, i, c) -> (c)>
func.func @backwards(%x: tensor<1x2x5x4xf32>, %pos: tensor<5xf32>) -> tensor<1x2x5x4xf32> {
  %w = arith.constant dense<[1.0, 0.01, 1.0, 0.01]> : tensor<4xf32>
  %first = tensor.extract_slice %x[0, 0, 0, 0] [1, 2, 5, 2] [1, 1, 1, 1] : tensor<1x2x5x4xf32> to tensor<1x2x5x2xf32>
  %second = tensor.extract_slice %x[0, 0, 0, 2] [1, 2, 5, 2] [1, 1, 1, 1] : tensor<1x2x5x4xf32> to tensor<1x2x5x2xf32>
  %he = tensor.empty() : tensor<1x2x5x2xf32>
  %negated = linalg.negf ins(%first : tensor<1x2x5x2xf32>) outs(%he : tensor<1x2x5x2xf32>) -> tensor<1x2x5x2xf32>
  %rotated = tensor.concat dim(3) %second, %negated : (tensor<1x2x5x2xf32>, tensor<1x2x5x2xf32>) -> tensor<1x2x5x4xf32>
  %e = tensor.empty() : tensor<1x2x5x4xf32>
  %y = linalg.generic {indexing_maps = [#id, #id, #row, #channel, #id],
                       iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
    ins(%x, %rotated, %pos, %w : tensor<1x2x5x4xf32>, tensor<1x2x5x4xf32>, tensor<5xf32>, tensor<4xf32>)
    outs(%e : tensor<1x2x5x4xf32>) {
  ^bb0(%a: f32, %r: f32, %p: f32, %f: f32, %out: f32):
    %angle = arith.mulf %p, %f : f32
    %cos = math.cos %angle : f32
    %sin = math.sin %angle : f32
    %0 = arith.mulf %a, %cos : f32
    %1 = arith.mulf %r, %sin : f32
    // expected-remark @below {{rotation is not raised: channels 0 and 2 are not turned from the first to the second}}
    %2 = arith.addf %0, %1 : f32
    linalg.yield %2 : f32
  } -> tensor<1x2x5x4xf32>
  return %y : tensor<1x2x5x4xf32>
}

// -----

// Frequencies that are known at run time only.

// CHECK-LABEL: func @argument(
// CHECK-NOT: posenc.
#id = affine_map<(b, h, i, c) -> (b, h, i, c)>
#row = affine_map<(b, h, i, c) -> (i)>
#channel = affine_map<(b, h, i, c) -> (c)>
func.func @argument(%x: tensor<1x2x5x4xf32>, %pos: tensor<5xf32>, %w: tensor<4xf32>) -> tensor<1x2x5x4xf32> {
  %first = tensor.extract_slice %x[0, 0, 0, 0] [1, 2, 5, 2] [1, 1, 1, 1] : tensor<1x2x5x4xf32> to tensor<1x2x5x2xf32>
  %second = tensor.extract_slice %x[0, 0, 0, 2] [1, 2, 5, 2] [1, 1, 1, 1] : tensor<1x2x5x4xf32> to tensor<1x2x5x2xf32>
  %he = tensor.empty() : tensor<1x2x5x2xf32>
  %negated = linalg.negf ins(%second : tensor<1x2x5x2xf32>) outs(%he : tensor<1x2x5x2xf32>) -> tensor<1x2x5x2xf32>
  %rotated = tensor.concat dim(3) %negated, %first : (tensor<1x2x5x2xf32>, tensor<1x2x5x2xf32>) -> tensor<1x2x5x4xf32>
  %e = tensor.empty() : tensor<1x2x5x4xf32>
  %y = linalg.generic {indexing_maps = [#id, #id, #row, #channel, #id],
                       iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
    ins(%x, %rotated, %pos, %w : tensor<1x2x5x4xf32>, tensor<1x2x5x4xf32>, tensor<5xf32>, tensor<4xf32>)
    outs(%e : tensor<1x2x5x4xf32>) {
  ^bb0(%a: f32, %r: f32, %p: f32, %f: f32, %out: f32):
    %angle = arith.mulf %p, %f : f32
    %cos = math.cos %angle : f32
    %sin = math.sin %angle : f32
    %0 = arith.mulf %a, %cos : f32
    %1 = arith.mulf %r, %sin : f32
    // expected-remark @below {{rotation is not raised: its angles are not products of a position and a constant frequency}}
    %2 = arith.addf %0, %1 : f32
    linalg.yield %2 : f32
  } -> tensor<1x2x5x4xf32>
  return %y : tensor<1x2x5x4xf32>
}

// -----

// The swapped halves are returned as well.

// CHECK-LABEL: func @read_swapped(
// CHECK-NOT: posenc.
#id = affine_map<(b, h, i, c) -> (b, h, i, c)>
#row = affine_map<(b, h, i, c) -> (i)>
#channel = affine_map<(b, h, i, c) -> (c)>
func.func @read_swapped(%x: tensor<1x2x5x4xf32>, %pos: tensor<5xf32>) -> (tensor<1x2x5x4xf32>, tensor<1x2x5x4xf32>) {
  %w = arith.constant dense<[1.0, 0.01, 1.0, 0.01]> : tensor<4xf32>
  %first = tensor.extract_slice %x[0, 0, 0, 0] [1, 2, 5, 2] [1, 1, 1, 1] : tensor<1x2x5x4xf32> to tensor<1x2x5x2xf32>
  %second = tensor.extract_slice %x[0, 0, 0, 2] [1, 2, 5, 2] [1, 1, 1, 1] : tensor<1x2x5x4xf32> to tensor<1x2x5x2xf32>
  %he = tensor.empty() : tensor<1x2x5x2xf32>
  %negated = linalg.negf ins(%second : tensor<1x2x5x2xf32>) outs(%he : tensor<1x2x5x2xf32>) -> tensor<1x2x5x2xf32>
  %rotated = tensor.concat dim(3) %negated, %first : (tensor<1x2x5x2xf32>, tensor<1x2x5x2xf32>) -> tensor<1x2x5x4xf32>
  %e = tensor.empty() : tensor<1x2x5x4xf32>
  %y = linalg.generic {indexing_maps = [#id, #id, #row, #channel, #id],
                       iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
    ins(%x, %rotated, %pos, %w : tensor<1x2x5x4xf32>, tensor<1x2x5x4xf32>, tensor<5xf32>, tensor<4xf32>)
    outs(%e : tensor<1x2x5x4xf32>) {
  ^bb0(%a: f32, %r: f32, %p: f32, %f: f32, %out: f32):
    %angle = arith.mulf %p, %f : f32
    %cos = math.cos %angle : f32
    %sin = math.sin %angle : f32
    %0 = arith.mulf %a, %cos : f32
    %1 = arith.mulf %r, %sin : f32
    // expected-remark @below {{rotation is not raised: the result of 'tensor.concat' is used elsewhere, too}}
    %2 = arith.addf %0, %1 : f32
    linalg.yield %2 : f32
  } -> tensor<1x2x5x4xf32>
  return %y, %rotated : tensor<1x2x5x4xf32>, tensor<1x2x5x4xf32>
}

// -----

// The halves change places without a sign: a reflection.

// CHECK-LABEL: func @reflection(
// CHECK-NOT: posenc.
#id = affine_map<(b, h, i, c) -> (b, h, i, c)>
#row = affine_map<(b, h, i, c) -> (i)>
#channel = affine_map<(b, h, i, c) -> (c)>
func.func @reflection(%x: tensor<1x2x5x4xf32>, %pos: tensor<5xf32>) -> tensor<1x2x5x4xf32> {
  %w = arith.constant dense<[1.0, 0.01, 1.0, 0.01]> : tensor<4xf32>
  %first = tensor.extract_slice %x[0, 0, 0, 0] [1, 2, 5, 2] [1, 1, 1, 1] : tensor<1x2x5x4xf32> to tensor<1x2x5x2xf32>
  %second = tensor.extract_slice %x[0, 0, 0, 2] [1, 2, 5, 2] [1, 1, 1, 1] : tensor<1x2x5x4xf32> to tensor<1x2x5x2xf32>
  %he = tensor.empty() : tensor<1x2x5x2xf32>
  %negated = linalg.negf ins(%second : tensor<1x2x5x2xf32>) outs(%he : tensor<1x2x5x2xf32>) -> tensor<1x2x5x2xf32>
  %rotated = tensor.concat dim(3) %second, %first : (tensor<1x2x5x2xf32>, tensor<1x2x5x2xf32>) -> tensor<1x2x5x4xf32>
  %e = tensor.empty() : tensor<1x2x5x4xf32>
  %y = linalg.generic {indexing_maps = [#id, #id, #row, #channel, #id],
                       iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
    ins(%x, %rotated, %pos, %w : tensor<1x2x5x4xf32>, tensor<1x2x5x4xf32>, tensor<5xf32>, tensor<4xf32>)
    outs(%e : tensor<1x2x5x4xf32>) {
  ^bb0(%a: f32, %r: f32, %p: f32, %f: f32, %out: f32):
    %angle = arith.mulf %p, %f : f32
    %cos = math.cos %angle : f32
    %sin = math.sin %angle : f32
    %0 = arith.mulf %a, %cos : f32
    %1 = arith.mulf %r, %sin : f32
    // expected-remark @below {{rotation is not raised: channels 0 and 2 are not turned from the first to the second}}
    %2 = arith.addf %0, %1 : f32
    linalg.yield %2 : f32
  } -> tensor<1x2x5x4xf32>
  return %y : tensor<1x2x5x4xf32>
}

// -----

// Channels come from the wrong place.

// CHECK-LABEL: func @shuffled(
// CHECK-NOT: posenc.
#id = affine_map<(b, h, i, c) -> (b, h, i, c)>
#row = affine_map<(b, h, i, c) -> (i)>
#channel = affine_map<(b, h, i, c) -> (c)>
func.func @shuffled(%x: tensor<1x2x5x4xf32>, %pos: tensor<5xf32>) -> tensor<1x2x5x4xf32> {
  %w = arith.constant dense<[1.0, 0.01, 1.0, 0.01]> : tensor<4xf32>
  %r0 = tensor.extract_slice %x[0, 0, 0, 3] [1, 2, 5, 1] [1, 1, 1, 1] : tensor<1x2x5x4xf32> to tensor<1x2x5x1xf32>
  %r1 = tensor.extract_slice %x[0, 0, 0, 0] [1, 2, 5, 3] [1, 1, 1, 1] : tensor<1x2x5x4xf32> to tensor<1x2x5x3xf32>
  %rotated = tensor.concat dim(3) %r0, %r1 : (tensor<1x2x5x1xf32>, tensor<1x2x5x3xf32>) -> tensor<1x2x5x4xf32>
  %e = tensor.empty() : tensor<1x2x5x4xf32>
  %y = linalg.generic {indexing_maps = [#id, #id, #row, #channel, #id],
                       iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
    ins(%x, %rotated, %pos, %w : tensor<1x2x5x4xf32>, tensor<1x2x5x4xf32>, tensor<5xf32>, tensor<4xf32>)
    outs(%e : tensor<1x2x5x4xf32>) {
  ^bb0(%a: f32, %r: f32, %p: f32, %f: f32, %out: f32):
    %angle = arith.mulf %p, %f : f32
    %cos = math.cos %angle : f32
    %sin = math.sin %angle : f32
    %0 = arith.mulf %a, %cos : f32
    %1 = arith.mulf %r, %sin : f32
    // expected-remark @below {{rotation is not raised: channel 0 is paired with channel 3, neither the next nor half the width away}}
    %2 = arith.addf %0, %1 : f32
    linalg.yield %2 : f32
  } -> tensor<1x2x5x4xf32>
  return %y : tensor<1x2x5x4xf32>
}

// -----

// Long wavelengths are stretched and short ones kept, as in Llama 3: no geometric series.

// CHECK-LABEL: func @stretched(
// CHECK-NOT: posenc.
#id = affine_map<(b, h, i, c) -> (b, h, i, c)>
#table = affine_map<(b, h, i, c) -> (i, c)>
func.func @stretched(%x: tensor<1x2x5x6xf32>, %pos: tensor<5xf32>) -> tensor<1x2x5x6xf32> {
  %w = arith.constant dense<[1.0, 0.1, 0.005]> : tensor<3xf32>
  %te = tensor.empty() : tensor<5x3xf32>
  %angles = linalg.generic {indexing_maps = [affine_map<(i, c) -> (i)>, affine_map<(i, c) -> (c)>, affine_map<(i, c) -> (i, c)>],
                            iterator_types = ["parallel", "parallel"]}
    ins(%pos, %w : tensor<5xf32>, tensor<3xf32>) outs(%te : tensor<5x3xf32>) {
  ^bb0(%p: f32, %f: f32, %out: f32):
    %0 = arith.mulf %p, %f : f32
    linalg.yield %0 : f32
  } -> tensor<5x3xf32>
  %first = tensor.extract_slice %x[0, 0, 0, 0] [1, 2, 5, 3] [1, 1, 1, 1] : tensor<1x2x5x6xf32> to tensor<1x2x5x3xf32>
  %second = tensor.extract_slice %x[0, 0, 0, 3] [1, 2, 5, 3] [1, 1, 1, 1] : tensor<1x2x5x6xf32> to tensor<1x2x5x3xf32>
  %he = tensor.empty() : tensor<1x2x5x3xf32>
  %a, %b = linalg.generic {indexing_maps = [#id, #id, #table, #id, #id],
                           iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
    ins(%first, %second, %angles : tensor<1x2x5x3xf32>, tensor<1x2x5x3xf32>, tensor<5x3xf32>)
    outs(%he, %he : tensor<1x2x5x3xf32>, tensor<1x2x5x3xf32>) {
  ^bb0(%u: f32, %v: f32, %t: f32, %o0: f32, %o1: f32):
    %c = math.cos %t : f32
    %s = math.sin %t : f32
    %0 = arith.mulf %u, %c : f32
    %1 = arith.mulf %v, %s : f32
    // expected-remark @below {{the frequency of pair 1 is 1.000000e-01, but that of a series from 1 to 5.000000e-03 is 7.071068e-02}}
    %2 = arith.subf %0, %1 : f32
    %3 = arith.mulf %v, %c : f32
    %4 = arith.mulf %u, %s : f32
    %5 = arith.addf %3, %4 : f32
    linalg.yield %2, %5 : f32, f32
  } -> (tensor<1x2x5x3xf32>, tensor<1x2x5x3xf32>)
  %y = tensor.concat dim(3) %a, %b : (tensor<1x2x5x3xf32>, tensor<1x2x5x3xf32>) -> tensor<1x2x5x6xf32>
  return %y : tensor<1x2x5x6xf32>
}
