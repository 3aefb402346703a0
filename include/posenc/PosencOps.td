//===- PosencOps.td - all operations that are not encodings --------------===//

#ifndef POSENC_OPS_TD
#define POSENC_OPS_TD

include "posenc/CacheOps.td"
include "posenc/FrontOps.td"
include "posenc/KernelOps.td"

#endif // POSENC_OPS_TD
