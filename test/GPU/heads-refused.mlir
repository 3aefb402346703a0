// RUN: pe-opt %s --posenc-map-to-gpu="chip=sm_80" --verify-diagnostics

func.func @heads(%x: memref<5x8xf32>, %w: memref<32x8xf32>, %y: memref<5x2x16xf32>) {
  // expected-error @+1 {{expected a destination of rows to map to a GPU, but found heads}}
  posenc.linear ins(%x, %w : memref<5x8xf32>, memref<32x8xf32>) outs(%y : memref<5x2x16xf32>)
  return
}
