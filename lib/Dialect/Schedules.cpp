//===- Schedules.cpp - verifiers of schedules that users set --------------===//

#include "posenc/Dialect.h"

using namespace mlir;
using namespace posenc;

LogicalResult ScheduleAttr::verify(llvm::function_ref<InFlightDiagnostic()> emitError, Form form,
                                   int64_t splits) {
  if (splits < 0 || splits > 1024)
    return emitError() << "expected splits of 0 to 1024, but found " << splits;
  if (splits && form != Form::decode)
    return emitError() << "expected splits in the form 'decode' only, but found '"
                       << stringifyForm(form) << "'";
  return success();
}

LogicalResult CpuScheduleAttr::verify(llvm::function_ref<InFlightDiagnostic()> emitError,
                                      int64_t rows, int64_t keys, int64_t panels, int64_t ahead,
                                      bool pairs) {
  auto check = [&](StringRef name, int64_t n, int64_t least, int64_t most) -> LogicalResult {
    if (n == 0 || (n >= least && n <= most))
      return success();
    return emitError() << "expected " << name << " of " << least << " to " << most
                       << ", but found " << n;
  };
  if (failed(check("rows", rows, 2, 32)) || failed(check("keys", keys, 2, 1024)) ||
      failed(check("panels", panels, 1, 16)) || failed(check("ahead", ahead, 1, 64)))
    return failure();
  if (keys && rows && keys % rows)
    return emitError() << "expected keys to be a multiple of rows, but found " << keys << " and "
                       << rows;
  if (keys % 2)
    return emitError() << "expected an even number of keys, but found " << keys;
  return success();
}
