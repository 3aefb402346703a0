//===- Flags.h - The command line of pe-runner ------------------*- C++ -*-===//

#ifndef POSENC_TOOLS_PE_RUNNER_FLAGS_H
#define POSENC_TOOLS_PE_RUNNER_FLAGS_H

#include "llvm/ADT/StringSet.h"
#include "llvm/Support/CommandLine.h"

#include <string>

namespace cl = llvm::cl;

/// Makes room among the hundreds of options that libLLVM brings: hides them
/// from
/// --help, and removes the one whose name is needed here.
inline void hideLibraryOptions() {
  auto &options = cl::getRegisteredOptions();
  for (auto &option : options)
    if (option.first != "help" && option.first != "version")
      option.second->setHiddenFlag(cl::Hidden);
  if (auto found = options.find("threads"); found != options.end())
    found->second->removeArgument();
}

/// The names of all flags so far.
inline llvm::StringSet<> getOptionNames() {
  llvm::StringSet<> names;
  for (auto &option : cl::getRegisteredOptions())
    names.insert(option.first);
  return names;
}

/// Whether the command line has one of the flags `names`.
inline bool hasOption(const llvm::StringSet<> &names) {
  return llvm::any_of(cl::getRegisteredOptions(), [&](auto &option) {
    return option.second->getNumOccurrences() && names.contains(option.first);
  });
}

/// The flags, to be made after hideLibraryOptions().
struct Flags {
  cl::opt<std::string> inputFile{cl::Positional, cl::desc("<input file>"),
                                 cl::init("-")};
  cl::opt<std::string> entry{
      "entry", cl::value_desc("name"),
      cl::desc("Function to run (default: the only public one)")};
  cl::alias entryAlias{"e", cl::aliasopt(entry), cl::desc("Alias of --entry")};

  cl::list<std::string> inputs{
      "input", cl::value_desc("[AxBxC=]spec"),
      cl::desc("One per argument: @file.npy, random[:seed], zeros, ones, iota "
               "or a number; AxBxC gives dynamic sizes")};
  cl::list<std::string> outputs{
      "output", cl::value_desc("@file.npy"),
      cl::desc("One per result: the file to write, or - to print")};
  cl::list<std::string> expected{
      "expect", cl::value_desc("@file.npy"),
      cl::desc("One per result: the values that it must have")};
  cl::opt<double> tolerance{
      "tolerance", cl::init(1e-5),
      cl::desc("Largest absolute error that --expect and --verify accept")};
  cl::opt<bool> verify{
      "verify",
      cl::desc("Compare the results with those of pipeline posenc-reference")};
  cl::opt<bool> checkLeaks{
      "check-leaks", cl::desc("Fail if the function leaves buffers behind")};
  cl::opt<unsigned> repeat{
      "repeat", cl::init(0), cl::value_desc("n"),
      cl::desc("Run n more times and print how long a run takes")};
  cl::opt<bool> times{"time", cl::desc("Print how long each step takes")};

  cl::opt<std::string> pipeline{
      "pipeline", cl::init("posenc-cpu"),
      cl::desc("Lowers a module that is not yet in the LLVM dialect: a name "
               "with options, or builtin.module(...); the default is posenc-nvptx "
               "for a device other than the CPU")};
  cl::opt<std::string> device{
      "device", cl::init("cpu"), cl::value_desc("cpu|emulator|cuda"),
      cl::desc("What runs the program, or its kernels")};
  cl::opt<bool> check{
      "check", cl::desc("On the emulator: find races, accesses out of bounds, "
                        "deadlocks and the like")};
  cl::opt<bool> counts{
      "counts", cl::desc("On the emulator: print instructions, transactions "
                         "and bank conflicts of each kernel")};
  cl::opt<std::string> cpu{
      "cpu", cl::desc("Processor to compile for (default: this one)")};
  cl::opt<std::string> features{
      "features", cl::desc("Processor features, as in +avx2,-fma")};
  cl::opt<unsigned> optLevel{"O", cl::Prefix, cl::init(3),
                             cl::desc("LLVM's optimization level, 0 to 3")};
  cl::opt<int> threads{
      "threads", cl::init(0),
      cl::desc("Threads that compiled code uses (default: all processors)")};
  cl::list<std::string> sharedLibs{
      "shared-libs", cl::CommaSeparated,
      cl::desc("Libraries that compiled code calls")};
  cl::opt<std::string> cache{
      "cache", cl::value_desc("folder|off"),
      cl::desc("Where compiled modules are kept for the next time (default: "
               "posenc in the user's cache folder)")};
  cl::opt<bool> dumpObject{
      "dump-object-file",
      cl::desc("Write the object file that --object-filename names")};
  cl::opt<std::string> objectFile{
      "object-filename", cl::desc("Default: the input file with .o appended")};
};

#endif // POSENC_TOOLS_PE_RUNNER_FLAGS_H
