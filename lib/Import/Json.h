//===- Json.h - JSON of files that may be damaged ---------------*- C++ -*-===//

#ifndef POSENC_IMPORT_JSON_H
#define POSENC_IMPORT_JSON_H

#include "llvm/Support/JSON.h"

namespace posenc {

/// llvm::json::parse, with the message in lower case. LLVM's parser recurses
/// without a limit: text that nests deeper than any model's is refused.
llvm::Expected<llvm::json::Value> parseJSON(llvm::StringRef text);

} // namespace posenc

#endif // POSENC_IMPORT_JSON_H
