// RUN: pe-opt %s --posenc-vectorize-attention=vector-bits=256 -split-input-file -verify-diagnostics

// What posenc-read-caches leaves alone has no kernel, if written by hand.

func.func @chunks(%q: memref<1x4x1x64xf32>, %k: memref<1x2x?x32x32x2xf32>, %v: memref<1x2x?x4x32x16xf32>, %n: index, %o: memref<1x4x1x64xf32>) {
  // expected-error @+1 {{cannot read the cache: chunks of keys are not of one channel}}
  posenc.attention ins(%q, %k, %v : memref<1x4x1x64xf32>, memref<1x2x?x32x32x2xf32>, memref<1x2x?x4x32x16xf32>) count(%n)
    outs(%o : memref<1x4x1x64xf32>) {scale = 0.125 : f32}
  return
}

// -----

func.func @layout(%q: memref<1x4x1x64xf32>, %k: memref<1x2x?x64x32x1xf32, strided<[1, 1, 1, 1, 1, 1]>>, %v: memref<1x2x?x4x32x16xf32>, %n: index, %o: memref<1x4x1x64xf32>) {
  // expected-error @+1 {{expected a cache as it was allocated, but found}}
  posenc.attention ins(%q, %k, %v : memref<1x4x1x64xf32>, memref<1x2x?x64x32x1xf32, strided<[1, 1, 1, 1, 1, 1]>>, memref<1x2x?x4x32x16xf32>) count(%n)
    outs(%o : memref<1x4x1x64xf32>) {scale = 0.125 : f32}
  return
}
