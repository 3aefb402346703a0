//===- Analyses.h - What passes of LLVM ask for -----------------*- C++ -*-===//

#ifndef POSENC_JIT_ANALYSES_H
#define POSENC_JIT_ANALYSES_H

#include "llvm/Passes/PassBuilder.h"

namespace posenc {

/// The analyses of all levels, as `builder` knows them for its target.
struct Analyses {
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager callGraph;
  llvm::ModuleAnalysisManager modules;

  explicit Analyses(llvm::PassBuilder &builder) {
    builder.registerModuleAnalyses(modules);
    builder.registerCGSCCAnalyses(callGraph);
    builder.registerFunctionAnalyses(functions);
    builder.registerLoopAnalyses(loops);
    builder.crossRegisterProxies(loops, functions, callGraph, modules);
  }
};

} // namespace posenc

#endif // POSENC_JIT_ANALYSES_H
