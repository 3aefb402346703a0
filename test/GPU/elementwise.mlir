// A thread takes as many elements as an access of 16 bytes holds, of what linalg can write;
// one where rows, their order or the body do not allow more.
// RUN: pe-translate --posenc-to-ptx %s | FileCheck %s
// DEFINE: %{function} = residual
// DEFINE: %{inputs} = --input=3x7x64=random:1 --input=3x7x64=random:2 --input=64=random:3
// DEFINE: %{check} = pe-runner %s --entry=%{function} --pipeline=posenc-nvptx --device=emulator --check --check-leaks --verify --tolerance=1e-2 %{inputs}
// RUN: %{check}
// REDEFINE: %{function} = convert
// REDEFINE: %{inputs} = --input=5x24=random:1
// RUN: %{check}
// REDEFINE: %{function} = transposed
// REDEFINE: %{inputs} = --input=8x5=random:1
// RUN: %{check}
// REDEFINE: %{function} = numbered
// REDEFINE: %{inputs} = --input=3x16=random:1 --input=20=random:2
// RUN: %{check}
// REDEFINE: %{function} = odd
// REDEFINE: %{inputs} = --input=3x5=random:1
// RUN: %{check}

#id3 = affine_map<(b, i, d) -> (b, i, d)>
#last = affine_map<(b, i, d) -> (d)>
#id = affine_map<(i, j) -> (i, j)>
#swapped = affine_map<(i, j) -> (j, i)>
#row = affine_map<(i, j) -> (i, 0)>

// Eight elements of bf16; a vector that all rows share.
// CHECK-LABEL: .entry elementwise(
// CHECK-COUNT-3: ld.global.v4
// CHECK: st.global.v4
// CHECK: ret
func.func @residual(%x: tensor<?x?x64xbf16>, %y: tensor<?x?x64xbf16>, %bias: tensor<64xbf16>) -> tensor<?x?x64xbf16> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %b = tensor.dim %x, %c0 : tensor<?x?x64xbf16>
  %n = tensor.dim %x, %c1 : tensor<?x?x64xbf16>
  %e = tensor.empty(%b, %n) : tensor<?x?x64xbf16>
  %r = linalg.generic {indexing_maps = [#id3, #id3, #last, #id3], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%x, %y, %bias : tensor<?x?x64xbf16>, tensor<?x?x64xbf16>, tensor<64xbf16>) outs(%e : tensor<?x?x64xbf16>) {
  ^bb0(%a: bf16, %c: bf16, %d: bf16, %o: bf16):
    %a32 = arith.extf %a : bf16 to f32
    %c32 = arith.extf %c : bf16 to f32
    %d32 = arith.extf %d : bf16 to f32
    %t = math.tanh %a32 : f32
    %0 = arith.addf %t, %c32 : f32
    %1 = arith.addf %0, %d32 : f32
    %2 = arith.truncf %1 : f32 to bf16
    linalg.yield %2 : bf16
  } -> tensor<?x?x64xbf16>
  return %r : tensor<?x?x64xbf16>
}

// Four of f32, and half as many bytes of f16.
// CHECK-LABEL: .entry elementwise_0(
// CHECK: ld.global.v4
// CHECK: st.global.v2
func.func @convert(%x: tensor<?x24xf32>) -> tensor<?x24xf16> {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?x24xf32>
  %e = tensor.empty(%n) : tensor<?x24xf16>
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<?x24xf32>) outs(%e : tensor<?x24xf16>) {
  ^bb0(%a: f32, %o: f16):
    %0 = arith.truncf %a : f32 to f16
    linalg.yield %0 : f16
  } -> tensor<?x24xf16>
  return %r : tensor<?x24xf16>
}

// CHECK-LABEL: .entry elementwise_1(
// CHECK-NOT: global.v
// CHECK: ret
func.func @transposed(%x: tensor<8x?xf32>) -> tensor<?x8xf32> {
  %c1 = arith.constant 1 : index
  %n = tensor.dim %x, %c1 : tensor<8x?xf32>
  %e = tensor.empty(%n) : tensor<?x8xf32>
  %r = linalg.generic {indexing_maps = [#swapped, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<8x?xf32>) outs(%e : tensor<?x8xf32>) {
  ^bb0(%a: f32, %o: f32):
    linalg.yield %a : f32
  } -> tensor<?x8xf32>
  return %r : tensor<?x8xf32>
}

// Numbers of rows and columns, a lookup by both.
// CHECK-LABEL: .entry elementwise_2(
// CHECK: ld.global.v4
// CHECK: st.global.v4
func.func @numbered(%x: tensor<?x16xf32>, %t: tensor<20xf32>) -> tensor<?x16xf32> {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?x16xf32>
  %e = tensor.empty(%n) : tensor<?x16xf32>
  %r = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x, %x : tensor<?x16xf32>, tensor<?x16xf32>) outs(%e : tensor<?x16xf32>) {
  ^bb0(%a: f32, %f: f32, %o: f32):
    %i = linalg.index 0 : index
    %j = linalg.index 1 : index
    %u = tensor.extract %t[%i] : tensor<20xf32>
    %v = tensor.extract %t[%j] : tensor<20xf32>
    %k = arith.muli %i, %j : index
    %ki = arith.index_cast %k : index to i32
    %w = arith.sitofp %ki : i32 to f32
    %0 = arith.addf %a, %u : f32
    %1 = arith.mulf %0, %v : f32
    %2 = arith.addf %1, %w : f32
    %3 = arith.addf %2, %f : f32
    linalg.yield %3 : f32
  } -> tensor<?x16xf32>
  return %r : tensor<?x16xf32>
}

func.func @odd(%x: tensor<?x5xf32>) -> tensor<?x5xf32> {
  %r = linalg.generic {indexing_maps = [#id], iterator_types = ["parallel", "parallel"]} outs(%x : tensor<?x5xf32>) {
  ^bb0(%o: f32):
    %0 = arith.addf %o, %o : f32
    linalg.yield %0 : f32
  } -> tensor<?x5xf32>
  return %r : tensor<?x5xf32>
}
