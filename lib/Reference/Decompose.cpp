#include "posenc/Passes.h"
namespace posenc {
#define GEN_PASS_DEF_POSENCDECOMPOSE
#include "posenc/Passes.h.inc"
} // namespace posenc
namespace {
struct Decompose : posenc::impl::PosencDecomposeBase<Decompose> {
  void runOnOperation() override {}
};
} // namespace
