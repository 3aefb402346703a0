// The kernels use the vectors of the processor that is compiled for.
// RUN: pe-runner %s --cpu=znver3 --input=1x1x33x8=random:1 --mlir-print-ir-after=posenc-vectorize-attention 2>&1 | FileCheck %s --check-prefix=AVX2
// RUN: pe-runner %s --cpu=x86-64-v3 --input=1x1x33x8=random:1 --verify --tolerance=1e-6
// RUN: pe-opt %s --posenc-fuse --one-shot-bufferize="bufferize-function-boundaries=1 function-boundary-type-conversion=identity-layout-map" --posenc-vectorize-attention=vector-bits=512 | FileCheck %s --check-prefix=AVX512
// RUN: sed -e '1i module attributes {posenc.vector_bits = 512 : i64} {' -e '$a }' %s | pe-opt --posenc-fuse --one-shot-bufferize="bufferize-function-boundaries=1 function-boundary-type-conversion=identity-layout-map" --posenc-vectorize-attention | FileCheck %s --check-prefix=AVX512
// RUN: not pe-opt %s --posenc-vectorize-attention=vector-bits=128 2>&1 | FileCheck %s --check-prefix=ERROR

// AVX2: vector.fma {{.*}} : vector<8xf32>
// AVX512: vector.fma {{.*}} : vector<16xf32>
// ERROR: error: expected vector-bits of 256 or 512, but found 128

func.func @self(%x: tensor<1x1x?x8xf32>) -> tensor<1x1x?x8xf32> {
  %s = posenc.scores %x, %x : (tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32>) -> tensor<1x1x?x?xf32>
  %o = posenc.attend %s, %x : (tensor<1x1x?x?xf32>, tensor<1x1x?x8xf32>) -> tensor<1x1x?x8xf32>
  return %o : tensor<1x1x?x8xf32>
}
