#ifndef RECENCY_TD
#define RECENCY_TD

include "posenc/PosencBase.td"

def Posenc_RecencyOp : Posenc_ScoreEncoding<"recency"> {
  let summary = "prefers later keys, by a constant per step";
  let description = "`s[b, h, i, j] + 0.1 * pk[j]`.";
}

#endif
