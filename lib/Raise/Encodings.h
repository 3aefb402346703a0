//===- Encodings.h - the encodings that idioms are raised to ----*- C++ -*-===//

#ifndef POSENC_RAISE_ENCODINGS_H
#define POSENC_RAISE_ENCODINGS_H

#include "posenc/Dialect.h"

#define GET_OP_CLASSES
#include "Causal.h.inc"
#define GET_OP_CLASSES
#include "Padding.h.inc"
#define GET_OP_CLASSES
#include "Rope.h.inc"

#endif // POSENC_RAISE_ENCODINGS_H
