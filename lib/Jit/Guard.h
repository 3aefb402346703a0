//===- Guard.h - Survive run-time errors of compiled code -------*- C++ -*-===//

#ifndef POSENC_LIB_JIT_GUARD_H
#define POSENC_LIB_JIT_GUARD_H

#include "llvm/Support/Error.h"

namespace posenc {

/// Calls `function(slots)`; a posenc_fail in this thread becomes an error.
llvm::Error callGuarded(void (*function)(void **), void **slots);

} // namespace posenc

#endif // POSENC_LIB_JIT_GUARD_H
