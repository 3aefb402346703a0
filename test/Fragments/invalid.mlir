// What verifiers refuse.
// RUN: pe-opt %s -split-input-file -verify-diagnostics

// expected-error@+1 {{expected elements of f16 or bf16, but found 'f32'}}
func.func private @f(!pgpu.tile<1x16x16xf32>)

// -----

// expected-error@+1 {{expected 1 stage at least, but found 0}}
func.func private @f(!pgpu.tile<0x16x16xf16>)

// -----

// expected-error@+1 {{expected rows to be a multiple of 8, but found 12}}
func.func private @f(!pgpu.tile<1x12x16xf16>)

// -----

// expected-error@+1 {{expected columns to be a multiple of 16, but found 24}}
func.func private @f(!pgpu.tile<1x16x24xf16>)

// -----

// expected-error@+1 {{expected stages, rows and columns, but found 2 sizes}}
func.func private @f(!pgpu.tile<16x16xf16>)

// -----

func.func @copy(%x: memref<8x16x16xf16>, %t: !pgpu.tile<1x16x16xf16>, %i: index) {
  // expected-error@+1 {{expected a matrix of contiguous rows, but found 'memref<8x16x16xf16>'}}
  pgpu.copy %x[%i to %i], %t[%i] : memref<8x16x16xf16>, !pgpu.tile<1x16x16xf16>
  return
}

// -----

func.func @copy(%x: memref<16x16xf16, strided<[32, 2]>>, %t: !pgpu.tile<1x16x16xf16>, %i: index) {
  // expected-error@+1 {{expected a matrix of contiguous rows}}
  pgpu.copy %x[%i to %i], %t[%i] : memref<16x16xf16, strided<[32, 2]>>, !pgpu.tile<1x16x16xf16>
  return
}

// -----

func.func @copy(%x: memref<16x16xbf16>, %t: !pgpu.tile<1x16x16xf16>, %i: index) {
  // expected-error@+1 {{expected elements of 'f16', but found 'bf16'}}
  pgpu.copy %x[%i to %i], %t[%i] : memref<16x16xbf16>, !pgpu.tile<1x16x16xf16>
  return
}

// -----

func.func @copy(%x: memref<16x32xf16>, %t: !pgpu.tile<1x16x16xf16>, %i: index) {
  // expected-error@+1 {{expected rows of 16 elements, but found 'memref<16x32xf16>'}}
  pgpu.copy %x[%i to %i], %t[%i] : memref<16x32xf16>, !pgpu.tile<1x16x16xf16>
  return
}

// -----

func.func @copy(%x: memref<16x16xf16, strided<[20, 1]>>, %t: !pgpu.tile<1x16x16xf16>, %i: index) {
  // expected-error@+1 {{expected rows that start at multiples of 16 bytes}}
  pgpu.copy %x[%i to %i], %t[%i] : memref<16x16xf16, strided<[20, 1]>>, !pgpu.tile<1x16x16xf16>
  return
}

// -----

func.func @put(%v: vector<3xf16>, %t: !pgpu.tile<1x16x16xf16>, %i: index) {
  // expected-error@+1 {{expected 1, 2, 4 or 8 elements, but found 3}}
  pgpu.put %v, %t[%i, %i, %i] : vector<3xf16>, !pgpu.tile<1x16x16xf16>
  return
}

// -----

func.func @put(%v: vector<8xbf16>, %t: !pgpu.tile<1x16x16xf16>, %i: index) {
  // expected-error@+1 {{expected elements of 'f16', but found 'bf16'}}
  pgpu.put %v, %t[%i, %i, %i] : vector<8xbf16>, !pgpu.tile<1x16x16xf16>
  return
}

// -----

func.func @load(%t: !pgpu.tile<1x16x16xf16>, %i: index) {
  // expected-error@+1 {{expected elements of 'f16', but found 'bf16'}}
  %v = pgpu.load %t[%i, %i, %i] as left : !pgpu.tile<1x16x16xf16> -> vector<8xbf16>
  return
}

// -----

func.func @load(%t: !pgpu.tile<1x16x16xf16>, %i: index) {
  // expected-error@+1 {{expected a multiple of 8 elements, but found 4}}
  %v = pgpu.load %t[%i, %i, %i] as right : !pgpu.tile<1x16x16xf16> -> vector<4xf16>
  return
}

// -----

func.func @load(%t: !pgpu.tile<1x16x16xf16>, %i: index) {
  // expected-error@+1 {{expected a right fragment, since it is transposed}}
  %v = pgpu.load %t[%i, %i, %i] as transposed left : !pgpu.tile<1x16x16xf16> -> vector<8xf16>
  return
}

// -----

func.func @load(%t: !pgpu.tile<1x16x16xf16>, %i: index) {
  // expected-error@+1 {{expected a tile of 32 x 16 at least, but found '!pgpu.tile<1x16x16xf16>'}}
  %v = pgpu.load %t[%i, %i, %i] as transposed right : !pgpu.tile<1x16x16xf16> -> vector<16xf16>
  return
}

// -----

func.func @load(%t: !pgpu.tile<1x8x32xf16>, %i: index) {
  // expected-error@+1 {{expected a tile of 16 x 32 at least, but found '!pgpu.tile<1x8x32xf16>'}}
  %v = pgpu.load %t[%i, %i, %i] as right : !pgpu.tile<1x8x32xf16> -> vector<16xf16>
  return
}

// -----

func.func @mma(%l: vector<16xf16>, %r: vector<8xf16>, %s: vector<8xf32>) {
  // expected-error@+1 {{expected a left fragment of 8 elements, but found 16}}
  %v = pgpu.mma %l, %r, %s : vector<16xf16>, vector<8xf16>, vector<8xf32>
  return
}

// -----

func.func @mma(%l: vector<8xf16>, %r: vector<8xbf16>, %s: vector<8xf32>) {
  // expected-error@+1 {{expected elements of 'f16', but found 'bf16'}}
  %v = pgpu.mma %l, %r, %s : vector<8xf16>, vector<8xbf16>, vector<8xf32>
  return
}

// -----

func.func @mma(%l: vector<8xf16>, %r: vector<6xf16>, %s: vector<6xf32>) {
  // expected-error@+1 {{expected a right fragment of a multiple of 4 elements, but found 6}}
  %v = pgpu.mma %l, %r, %s : vector<8xf16>, vector<6xf16>, vector<6xf32>
  return
}

// -----

func.func @mma(%l: vector<8xf16>, %r: vector<8xf16>, %s: vector<16xf32>) {
  // expected-error@+1 {{expected as many sums as right elements, but found 16 and 8}}
  %v = pgpu.mma %l, %r, %s : vector<8xf16>, vector<8xf16>, vector<16xf32>
  return
}

// -----

func.func @coordinates() {
  // expected-error@+1 {{expected a multiple of 4 elements, but found 'vector<6xindex>'}}
  %r, %c = pgpu.coordinates : vector<6xindex>
  return
}

// -----

func.func @reduce(%x: vector<6xf32>) {
  // expected-error@+1 {{expected a multiple of 4 elements, but found 'vector<6xf32>'}}
  %r = pgpu.row_reduce max %x : vector<6xf32>
  return
}

// -----

func.func @spread(%x: vector<2xf32>) {
  // expected-error@+1 {{expected a multiple of 4 elements, but found 'vector<6xf32>'}}
  %r = pgpu.spread %x : vector<6xf32>
  return
}

// -----

func.func @store(%x: vector<6xf32>, %m: memref<16x16xf32>, %i: index) {
  // expected-error@+1 {{expected a multiple of 4 elements, but found 'vector<6xf32>'}}
  pgpu.store %x, %m[%i to %i, %i] : vector<6xf32>, memref<16x16xf32>
  return
}

// -----

func.func @store(%x: vector<8xf32>, %m: memref<16xf32>, %i: index) {
  // expected-error@+1 {{expected a matrix of contiguous rows, but found 'memref<16xf32>'}}
  pgpu.store %x, %m[%i to %i, %i] : vector<8xf32>, memref<16xf32>
  return
}

// -----

func.func @store(%x: vector<8xf32>, %m: memref<16x16xf16>, %i: index) {
  // expected-error@+1 {{expected elements of 'f16', but found 'f32'}}
  pgpu.store %x, %m[%i to %i, %i] : vector<8xf32>, memref<16x16xf16>
  return
}
