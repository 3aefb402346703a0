//===- Template.cpp - Programs from pieces of text ------------------------===//

#include "Bench/Template.h"

#include "mlir/Parser/Parser.h"
#include "llvm/ADT/StringExtras.h"

using namespace posenc;

std::string posenc::bench::expand(llvm::StringRef text,
                                  const Substitutions &values) {
  std::string result;
  while (!text.empty()) {
    auto [plain, rest] = text.split('$');
    result += plain;
    if (plain.size() == text.size())
      break;
    llvm::StringRef name = rest.take_while(llvm::isAlpha);
    auto found = values.find(name);
    result += found == values.end() ? ("$" + name).str() : found->second;
    text = rest.drop_front(name.size());
  }
  return result;
}

llvm::Expected<Program>
posenc::bench::buildProgram(mlir::MLIRContext &context, llvm::StringRef text,
                            llvm::StringRef entry,
                            const ProgramOptions &options) {
  auto module = mlir::parseSourceString<mlir::ModuleOp>(text, &context);
  if (!module)
    return makeError("cannot parse the program");
  return Program::build(*module, entry, options);
}
