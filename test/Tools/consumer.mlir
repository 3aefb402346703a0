// Another project finds the package in the build tree, and installed, and brings
// an encoding of its own.

// DEFINE: %{configure} = cmake -G Ninja -S %source/examples/consumer -DCMAKE_C_COMPILER=clang -DCMAKE_CXX_COMPILER=clang++

// RUN: rm -rf %t && %{configure} -B %t/a -DPosenc_DIR=%build/lib/cmake/posenc
// RUN: cmake --build %t/a
// RUN: %t/a/consumer %s posenc-fuse | FileCheck %s
// RUN: %t/a/consumer %s posenc-cpu{vector-bits=256} | FileCheck %s --check-prefix=CPU

// RUN: cmake --install %build --prefix %t/prefix
// RUN: %{configure} -B %t/b -DCMAKE_PREFIX_PATH=%t/prefix
// RUN: cmake --build %t/b
// RUN: %t/b/consumer %s posenc-fuse | FileCheck %s
// RUN: not grep -rE '(%build|%source)/(include|lib|cmake)' %t/prefix/lib/cmake %t/b/build.ninja
// RUN: %t/prefix/bin/pe-opt %source/examples/attention.mlir --posenc-fuse | FileCheck %s
// RUN: mlir-opt --load-dialect-plugin=%t/prefix/lib/PosencPlugin.so %source/examples/attention.mlir

// CHECK-NOT: posenc.recency
// CHECK: posenc.attention
// CHECK: score {
// CPU: llvm.func @recent(
func.func @recent(%q: tensor<1x4x?x32xf32>, %k: tensor<1x4x?x32xf32>, %v: tensor<1x4x?x32xf32>) -> tensor<1x4x?x32xf32> {
  %s = posenc.scores %q, %k : (tensor<1x4x?x32xf32>, tensor<1x4x?x32xf32>) -> tensor<1x4x?x?xf32>
  %r = posenc.recency %s : (tensor<1x4x?x?xf32>) -> tensor<1x4x?x?xf32>
  %o = posenc.attend %r, %v : (tensor<1x4x?x?xf32>, tensor<1x4x?x32xf32>) -> tensor<1x4x?x32xf32>
  return %o : tensor<1x4x?x32xf32>
}
