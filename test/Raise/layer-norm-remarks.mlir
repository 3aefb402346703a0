// RUN: pe-opt %s --posenc-raise --remarks-filter=posenc-raise --remark-format=emitRemark \
// RUN:   --split-input-file --verify-diagnostics | FileCheck %s

// Over the rows.

// CHECK-LABEL: func @wrong_axis(
// CHECK-NOT: posenc.
func.func @wrong_axis(%x: tensor<4x8xf32>, %g: tensor<8xf32>, %b: tensor<8xf32>) -> tensor<4x8xf32> {
  %zero = arith.constant 0.0 : f32
  %count = arith.constant 4.0 : f32
  %countv = arith.constant 4.0 : f32
  %eps = arith.constant 1.0e-5 : f32
  %e = tensor.empty() : tensor<4x8xf32>
  %k = tensor.empty() : tensor<8xf32>
  %z = linalg.fill ins(%zero : f32) outs(%k : tensor<8xf32>) -> tensor<8xf32>
  %sum = linalg.reduce { arith.addf } ins(%x : tensor<4x8xf32>) outs(%z : tensor<8xf32>) dimensions = [0]
  %d = linalg.generic {indexing_maps = [affine_map<(i, c) -> (i, c)>, affine_map<(i, c) -> (c)>, affine_map<(i, c) -> (i, c)>],
                       iterator_types = ["parallel", "parallel"]}
    ins(%x, %sum : tensor<4x8xf32>, tensor<8xf32>) outs(%e : tensor<4x8xf32>) {
  ^bb0(%a: f32, %s: f32, %out: f32):
    %mu = arith.divf %s, %count : f32
    %0 = arith.subf %a, %mu : f32
    linalg.yield %0 : f32
  } -> tensor<4x8xf32>
  %dd = linalg.mul ins(%d, %d : tensor<4x8xf32>, tensor<4x8xf32>) outs(%e : tensor<4x8xf32>) -> tensor<4x8xf32>
  %squares = linalg.reduce { arith.addf } ins(%dd : tensor<4x8xf32>) outs(%z : tensor<8xf32>) dimensions = [0]
  %y = linalg.generic {indexing_maps = [affine_map<(i, c) -> (i, c)>, affine_map<(i, c) -> (c)>, affine_map<(i, c) -> (c)>,
                                        affine_map<(i, c) -> (c)>, affine_map<(i, c) -> (i, c)>],
                       iterator_types = ["parallel", "parallel"]}
    ins(%d, %squares, %g, %b : tensor<4x8xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xf32>) outs(%e : tensor<4x8xf32>) {
  ^bb0(%a: f32, %s: f32, %gain: f32, %shift: f32, %out: f32):
    %var = arith.divf %s, %countv : f32
    %safe = arith.addf %var, %eps : f32
    // expected-remark @below {{layer norm is not raised: its mean is not taken over the last dimension of what is normalised}}
    %r = math.rsqrt %safe : f32
    %0 = arith.mulf %a, %r : f32
    %1 = arith.mulf %0, %gain : f32
    %2 = arith.addf %1, %shift : f32
    linalg.yield %2 : f32
  } -> tensor<4x8xf32>
  return %y : tensor<4x8xf32>
}

// -----

// The unbiased variance.

// CHECK-LABEL: func @unbiased(
// CHECK-NOT: posenc.
func.func @unbiased(%x: tensor<4x8xf32>, %g: tensor<8xf32>, %b: tensor<8xf32>) -> tensor<4x8xf32> {
  %zero = arith.constant 0.0 : f32
  %count = arith.constant 8.0 : f32
  %countv = arith.constant 7.0 : f32
  %eps = arith.constant 1.0e-5 : f32
  %e = tensor.empty() : tensor<4x8xf32>
  %k = tensor.empty() : tensor<4xf32>
  %z = linalg.fill ins(%zero : f32) outs(%k : tensor<4xf32>) -> tensor<4xf32>
  %sum = linalg.reduce { arith.addf } ins(%x : tensor<4x8xf32>) outs(%z : tensor<4xf32>) dimensions = [1]
  %d = linalg.generic {indexing_maps = [affine_map<(i, c) -> (i, c)>, affine_map<(i, c) -> (i)>, affine_map<(i, c) -> (i, c)>],
                       iterator_types = ["parallel", "parallel"]}
    ins(%x, %sum : tensor<4x8xf32>, tensor<4xf32>) outs(%e : tensor<4x8xf32>) {
  ^bb0(%a: f32, %s: f32, %out: f32):
    %mu = arith.divf %s, %count : f32
    %0 = arith.subf %a, %mu : f32
    linalg.yield %0 : f32
  } -> tensor<4x8xf32>
  %dd = linalg.mul ins(%d, %d : tensor<4x8xf32>, tensor<4x8xf32>) outs(%e : tensor<4x8xf32>) -> tensor<4x8xf32>
  %squares = linalg.reduce { arith.addf } ins(%dd : tensor<4x8xf32>) outs(%z : tensor<4xf32>) dimensions = [1]
  %y = linalg.generic {indexing_maps = [affine_map<(i, c) -> (i, c)>, affine_map<(i, c) -> (i)>, affine_map<(i, c) -> (c)>,
                                        affine_map<(i, c) -> (c)>, affine_map<(i, c) -> (i, c)>],
                       iterator_types = ["parallel", "parallel"]}
    ins(%d, %squares, %g, %b : tensor<4x8xf32>, tensor<4xf32>, tensor<8xf32>, tensor<8xf32>) outs(%e : tensor<4x8xf32>) {
  ^bb0(%a: f32, %s: f32, %gain: f32, %shift: f32, %out: f32):
    %var = arith.divf %s, %countv : f32
    %safe = arith.addf %var, %eps : f32
    // expected-remark @below {{layer norm is not raised: its variance divides by 7.000000e+00 instead of 8}}
    %r = math.rsqrt %safe : f32
    %0 = arith.mulf %a, %r : f32
    %1 = arith.mulf %0, %gain : f32
    %2 = arith.addf %1, %shift : f32
    linalg.yield %2 : f32
  } -> tensor<4x8xf32>
  return %y : tensor<4x8xf32>
}

// -----

// Only the scale is normalised.

// CHECK-LABEL: func @no_mean(
// CHECK-NOT: posenc.
func.func @no_mean(%x: tensor<4x8xf32>, %g: tensor<8xf32>, %b: tensor<8xf32>) -> tensor<4x8xf32> {
  %zero = arith.constant 0.0 : f32
  %count = arith.constant 8.0 : f32
  %countv = arith.constant 8.0 : f32
  %eps = arith.constant 1.0e-5 : f32
  %e = tensor.empty() : tensor<4x8xf32>
  %k = tensor.empty() : tensor<4xf32>
  %z = linalg.fill ins(%zero : f32) outs(%k : tensor<4xf32>) -> tensor<4xf32>
  %sum = linalg.reduce { arith.addf } ins(%x : tensor<4x8xf32>) outs(%z : tensor<4xf32>) dimensions = [1]
  %d = linalg.generic {indexing_maps = [affine_map<(i, c) -> (i, c)>, affine_map<(i, c) -> (i)>, affine_map<(i, c) -> (i, c)>],
                       iterator_types = ["parallel", "parallel"]}
    ins(%x, %sum : tensor<4x8xf32>, tensor<4xf32>) outs(%e : tensor<4x8xf32>) {
  ^bb0(%a: f32, %s: f32, %out: f32):
    %mu = arith.divf %s, %count : f32
    %0 = arith.subf %a, %zero : f32
    linalg.yield %0 : f32
  } -> tensor<4x8xf32>
  %dd = linalg.mul ins(%d, %d : tensor<4x8xf32>, tensor<4x8xf32>) outs(%e : tensor<4x8xf32>) -> tensor<4x8xf32>
  %squares = linalg.reduce { arith.addf } ins(%dd : tensor<4x8xf32>) outs(%z : tensor<4xf32>) dimensions = [1]
  %y = linalg.generic {indexing_maps = [affine_map<(i, c) -> (i, c)>, affine_map<(i, c) -> (i)>, affine_map<(i, c) -> (c)>,
                                        affine_map<(i, c) -> (c)>, affine_map<(i, c) -> (i, c)>],
                       iterator_types = ["parallel", "parallel"]}
    ins(%d, %squares, %g, %b : tensor<4x8xf32>, tensor<4xf32>, tensor<8xf32>, tensor<8xf32>) outs(%e : tensor<4x8xf32>) {
  ^bb0(%a: f32, %s: f32, %gain: f32, %shift: f32, %out: f32):
    %var = arith.divf %s, %countv : f32
    %safe = arith.addf %var, %eps : f32
    // expected-remark @below {{layer norm is not raised: it does not subtract the mean}}
    %r = math.rsqrt %safe : f32
    %0 = arith.mulf %a, %r : f32
    %1 = arith.mulf %0, %gain : f32
    %2 = arith.addf %1, %shift : f32
    linalg.yield %2 : f32
  } -> tensor<4x8xf32>
  return %y : tensor<4x8xf32>
}

// -----

// Squares of what is not centred.

// CHECK-LABEL: func @not_centred(
// CHECK-NOT: posenc.
func.func @not_centred(%x: tensor<4x8xf32>, %g: tensor<8xf32>, %b: tensor<8xf32>) -> tensor<4x8xf32> {
  %zero = arith.constant 0.0 : f32
  %count = arith.constant 8.0 : f32
  %countv = arith.constant 8.0 : f32
  %eps = arith.constant 1.0e-5 : f32
  %e = tensor.empty() : tensor<4x8xf32>
  %k = tensor.empty() : tensor<4xf32>
  %z = linalg.fill ins(%zero : f32) outs(%k : tensor<4xf32>) -> tensor<4xf32>
  %sum = linalg.reduce { arith.addf } ins(%x : tensor<4x8xf32>) outs(%z : tensor<4xf32>) dimensions = [1]
  %d = linalg.generic {indexing_maps = [affine_map<(i, c) -> (i, c)>, affine_map<(i, c) -> (i)>, affine_map<(i, c) -> (i, c)>],
                       iterator_types = ["parallel", "parallel"]}
    ins(%x, %sum : tensor<4x8xf32>, tensor<4xf32>) outs(%e : tensor<4x8xf32>) {
  ^bb0(%a: f32, %s: f32, %out: f32):
    %mu = arith.divf %s, %count : f32
    %0 = arith.subf %a, %mu : f32
    linalg.yield %0 : f32
  } -> tensor<4x8xf32>
  %dd = linalg.mul ins(%x, %x : tensor<4x8xf32>, tensor<4x8xf32>) outs(%e : tensor<4x8xf32>) -> tensor<4x8xf32>
  %squares = linalg.reduce { arith.addf } ins(%dd : tensor<4x8xf32>) outs(%z : tensor<4xf32>) dimensions = [1]
  %y = linalg.generic {indexing_maps = [affine_map<(i, c) -> (i, c)>, affine_map<(i, c) -> (i)>, affine_map<(i, c) -> (c)>,
                                        affine_map<(i, c) -> (c)>, affine_map<(i, c) -> (i, c)>],
                       iterator_types = ["parallel", "parallel"]}
    ins(%d, %squares, %g, %b : tensor<4x8xf32>, tensor<4xf32>, tensor<8xf32>, tensor<8xf32>) outs(%e : tensor<4x8xf32>) {
  ^bb0(%a: f32, %s: f32, %gain: f32, %shift: f32, %out: f32):
    %var = arith.divf %s, %countv : f32
    %safe = arith.addf %var, %eps : f32
    // expected-remark @below {{layer norm is not raised: its variance is not taken over the last dimension of what is normalised}}
    %r = math.rsqrt %safe : f32
    %0 = arith.mulf %a, %r : f32
    %1 = arith.mulf %0, %gain : f32
    %2 = arith.addf %1, %shift : f32
    linalg.yield %2 : f32
  } -> tensor<4x8xf32>
  return %y : tensor<4x8xf32>
}

// -----

// The deviations are returned as well.

// CHECK-LABEL: func @read_deviations(
// CHECK-NOT: posenc.
func.func @read_deviations(%x: tensor<4x8xf32>, %g: tensor<8xf32>, %b: tensor<8xf32>) -> (tensor<4x8xf32>, tensor<4x8xf32>) {
  %zero = arith.constant 0.0 : f32
  %count = arith.constant 8.0 : f32
  %countv = arith.constant 8.0 : f32
  %eps = arith.constant 1.0e-5 : f32
  %e = tensor.empty() : tensor<4x8xf32>
  %k = tensor.empty() : tensor<4xf32>
  %z = linalg.fill ins(%zero : f32) outs(%k : tensor<4xf32>) -> tensor<4xf32>
  %sum = linalg.reduce { arith.addf } ins(%x : tensor<4x8xf32>) outs(%z : tensor<4xf32>) dimensions = [1]
  %d = linalg.generic {indexing_maps = [affine_map<(i, c) -> (i, c)>, affine_map<(i, c) -> (i)>, affine_map<(i, c) -> (i, c)>],
                       iterator_types = ["parallel", "parallel"]}
    ins(%x, %sum : tensor<4x8xf32>, tensor<4xf32>) outs(%e : tensor<4x8xf32>) {
  ^bb0(%a: f32, %s: f32, %out: f32):
    %mu = arith.divf %s, %count : f32
    %0 = arith.subf %a, %mu : f32
    linalg.yield %0 : f32
  } -> tensor<4x8xf32>
  %dd = linalg.mul ins(%d, %d : tensor<4x8xf32>, tensor<4x8xf32>) outs(%e : tensor<4x8xf32>) -> tensor<4x8xf32>
  %squares = linalg.reduce { arith.addf } ins(%dd : tensor<4x8xf32>) outs(%z : tensor<4xf32>) dimensions = [1]
  %y = linalg.generic {indexing_maps = [affine_map<(i, c) -> (i, c)>, affine_map<(i, c) -> (i)>, affine_map<(i, c) -> (c)>,
                                        affine_map<(i, c) -> (c)>, affine_map<(i, c) -> (i, c)>],
                       iterator_types = ["parallel", "parallel"]}
    ins(%d, %squares, %g, %b : tensor<4x8xf32>, tensor<4xf32>, tensor<8xf32>, tensor<8xf32>) outs(%e : tensor<4x8xf32>) {
  ^bb0(%a: f32, %s: f32, %gain: f32, %shift: f32, %out: f32):
    %var = arith.divf %s, %countv : f32
    %safe = arith.addf %var, %eps : f32
    // expected-remark @below {{layer norm is not raised: the result of 'linalg.generic' is used elsewhere, too}}
    %r = math.rsqrt %safe : f32
    %0 = arith.mulf %a, %r : f32
    %1 = arith.mulf %0, %gain : f32
    %2 = arith.addf %1, %shift : f32
    linalg.yield %2 : f32
  } -> tensor<4x8xf32>
  return %y, %d : tensor<4x8xf32>, tensor<4x8xf32>
}

// -----

// A gain for every element.

// CHECK-LABEL: func @gains(
// CHECK-NOT: posenc.
func.func @gains(%x: tensor<4x8xf32>, %g: tensor<4x8xf32>, %b: tensor<8xf32>) -> tensor<4x8xf32> {
  %zero = arith.constant 0.0 : f32
  %count = arith.constant 8.0 : f32
  %countv = arith.constant 8.0 : f32
  %eps = arith.constant 1.0e-5 : f32
  %e = tensor.empty() : tensor<4x8xf32>
  %k = tensor.empty() : tensor<4xf32>
  %z = linalg.fill ins(%zero : f32) outs(%k : tensor<4xf32>) -> tensor<4xf32>
  %sum = linalg.reduce { arith.addf } ins(%x : tensor<4x8xf32>) outs(%z : tensor<4xf32>) dimensions = [1]
  %d = linalg.generic {indexing_maps = [affine_map<(i, c) -> (i, c)>, affine_map<(i, c) -> (i)>, affine_map<(i, c) -> (i, c)>],
                       iterator_types = ["parallel", "parallel"]}
    ins(%x, %sum : tensor<4x8xf32>, tensor<4xf32>) outs(%e : tensor<4x8xf32>) {
  ^bb0(%a: f32, %s: f32, %out: f32):
    %mu = arith.divf %s, %count : f32
    %0 = arith.subf %a, %mu : f32
    linalg.yield %0 : f32
  } -> tensor<4x8xf32>
  %dd = linalg.mul ins(%d, %d : tensor<4x8xf32>, tensor<4x8xf32>) outs(%e : tensor<4x8xf32>) -> tensor<4x8xf32>
  %squares = linalg.reduce { arith.addf } ins(%dd : tensor<4x8xf32>) outs(%z : tensor<4xf32>) dimensions = [1]
  %y = linalg.generic {indexing_maps = [affine_map<(i, c) -> (i, c)>, affine_map<(i, c) -> (i)>, affine_map<(i, c) -> (i, c)>,
                                        affine_map<(i, c) -> (c)>, affine_map<(i, c) -> (i, c)>],
                       iterator_types = ["parallel", "parallel"]}
    ins(%d, %squares, %g, %b : tensor<4x8xf32>, tensor<4xf32>, tensor<4x8xf32>, tensor<8xf32>) outs(%e : tensor<4x8xf32>) {
  ^bb0(%a: f32, %s: f32, %gain: f32, %shift: f32, %out: f32):
    %var = arith.divf %s, %countv : f32
    %safe = arith.addf %var, %eps : f32
    // expected-remark @below {{layer norm is not raised: its gain is not one number for each channel}}
    %r = math.rsqrt %safe : f32
    %0 = arith.mulf %a, %r : f32
    %1 = arith.mulf %0, %gain : f32
    %2 = arith.addf %1, %shift : f32
    linalg.yield %2 : f32
  } -> tensor<4x8xf32>
  return %y : tensor<4x8xf32>
}
