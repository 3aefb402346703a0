//===- Forms.cpp - in what ways an operation becomes a kernel -------------===//

#include "GPU/Forms.h"

using namespace mlir;
using namespace posenc;

template <typename Op> static std::string acceptAll(Op, const Chip &) { return ""; }

ArrayRef<KernelForm<AttentionOp>> posenc::getForms(AttentionOp) {
  static const KernelForm<AttentionOp> forms[] = {
      {Form::mma, refuseMmaAttention, buildMmaAttention},
      {Form::decode, refuseSimtDecode, buildSimtDecode},
      {Form::simt, acceptAll<AttentionOp>, buildSimtAttention}};
  return forms;
}

ArrayRef<KernelForm<LinearOp>> posenc::getForms(LinearOp) {
  static const KernelForm<LinearOp> forms[] = {
      {Form::mma, refuseMmaLinear, buildMmaLinear},
      {Form::simt, acceptAll<LinearOp>, buildSimtLinear}};
  return forms;
}
