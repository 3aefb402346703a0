//===- Json.cpp - JSON of files that may be damaged -----------------------===//

#include "Json.h"

using namespace llvm;

constexpr int maxDepth = 100;

/// Whether brackets outside strings nest deeper than `maxDepth`.
static bool isTooDeep(StringRef text) {
  int depth = 0;
  bool inString = false;
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (inString && c == '\\')
      ++i;
    else if (c == '"')
      inString = !inString;
    else if (!inString && (c == '[' || c == '{') && ++depth > maxDepth)
      return true;
    else if (!inString && (c == ']' || c == '}'))
      --depth;
  }
  return false;
}

Expected<json::Value> posenc::parseJSON(StringRef text) {
  if (isTooDeep(text))
    return createStringError("expected at most %d levels of nesting", maxDepth);
  Expected<json::Value> value = json::parse(text);
  if (!value)
    return createStringError(StringRef(toString(value.takeError())).lower());
  return value;
}
