//===- Dialect.cpp - the dialect and its attributes -----------------------===//

#include "posenc/Dialect.h"

#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace posenc;

#include "posenc/PosencDialect.cpp.inc"
#include "posenc/PosencEnums.cpp.inc"
#define GET_ATTRDEF_CLASSES
#include "posenc/PosencAttrs.cpp.inc"

SmallVectorImpl<EncodingRegistration> &posenc::encodingRegistrations() {
  static SmallVector<EncodingRegistration> list;
  return list;
}

void PosencDialect::registerAttributes() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "posenc/PosencAttrs.cpp.inc"
      >();
}

void PosencDialect::initialize() {
  registerAttributes();
  addOperations<
#define GET_OP_LIST
#include "posenc/PosencOps.cpp.inc"
      >();
  for (EncodingRegistration add : posenc::encodingRegistrations())
    add(*this);
}
