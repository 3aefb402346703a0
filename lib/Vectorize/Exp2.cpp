//===- Exp2.cpp - powers of two on vectors --------------------------------===//

#include "Vectorize/Exp2.h"

using namespace mlir;
using namespace posenc;

// No operation here may carry fast-math flags: they would remove the rounding
// by the magic number.
Value posenc::buildExp2(KernelBuilder &b, Value x) {
  // Minimax of 2^r on [-1/2, 1/2].
  static const double coefficients[] = {0.00133813025, 0.00966636852, 0.0555038101,
                                        0.24022349,    0.693147181,   1.0};
  x = b.maxf(b.splat(-126.0), x);
  Value magic = b.splat(12582912.0); // 1.5 * 2^23: its last bits are the integer
  Value rounded = b.addf(x, magic);
  Value rest = b.subf(x, b.subf(rounded, magic));
  Value power = b.splat(coefficients[0]);
  for (double c : llvm::drop_begin(coefficients))
    power = b.fma(power, rest, b.splat(c));
  Type ints = b.vectorType(b.lanes, b.getI32Type());
  Value exponent = arith::ShLIOp::create(b, arith::BitcastOp::create(b, ints, rounded).getResult(),
                                         b.splatInt(23));
  Value bits = b.add(arith::BitcastOp::create(b, ints, power), exponent);
  return arith::BitcastOp::create(b, b.vectorType(), bits);
}
