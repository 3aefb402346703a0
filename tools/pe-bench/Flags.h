//===- Flags.h - The command line of pe-bench -------------------*- C++ -*-===//

#ifndef POSENC_TOOLS_PE_BENCH_FLAGS_H
#define POSENC_TOOLS_PE_BENCH_FLAGS_H

#include "posenc/Jit/HostTensor.h"
#include "llvm/Support/CommandLine.h"

#include <string>

namespace cl = llvm::cl;

namespace posenc::bench {

enum class Layout { HeadMajor, RowMajor };
enum class EncodingName { None, Rope, Alibi, T5 };

/// All flags. Each belongs to some of the subcommands, so that none of the
/// hundreds of options that libLLVM brings is in the way.
struct Flags {
  cl::SubCommand attention{"attention", "Time attention with an encoding"};

  // Every subcommand.
  cl::opt<unsigned> threads{
      "threads", cl::init(1), cl::sub(attention),
      cl::desc("Threads that compiled code uses (default 1)")};
  cl::opt<bool> json{"json", cl::sub(attention),
                     cl::desc("Print one JSON object per line")};
  cl::opt<unsigned> repeat{"repeat", cl::init(10), cl::value_desc("n"),
                           cl::sub(attention),
                           cl::desc("Rounds, at least (default 10)")};
  cl::opt<double> minTime{
      "min-time", cl::init(0.5), cl::value_desc("seconds"), cl::sub(attention),
      cl::desc("Time of each case over all rounds, at least (default 0.5)")};
  cl::opt<std::string> cpu{
      "cpu", cl::sub(attention),
      cl::desc("Processor to compile for, and to measure the peak of "
               "(default: this one)")};
  cl::opt<std::string> features{
      "features", cl::sub(attention),
      cl::desc("Processor features, as in +avx2,-fma")};
  cl::opt<std::string> pipeline{"pipeline", cl::init("posenc-cpu"),
                                cl::sub(attention),
                                cl::desc("Default: posenc-cpu, or posenc-nvptx")};
  cl::opt<std::string> device{
      "device", cl::init("cpu"), cl::value_desc("cpu|emulator"), cl::sub(attention),
      cl::desc("What runs it; the emulator counts instead of timing")};

  // Shapes.
  cl::opt<int64_t> batch{"batch", cl::init(1), cl::sub(attention),
                         cl::desc("Samples (default 1)")};
  cl::opt<int64_t> heads{"heads", cl::init(8), cl::sub(attention),
                         cl::desc("Heads of queries (default 8)")};
  cl::opt<int64_t> keyHeads{
      "kv-heads", cl::sub(attention),
      cl::desc("Heads of keys and values (default: as many)")};
  cl::opt<int64_t> dim{"dim", cl::init(64), cl::sub(attention),
                       cl::desc("Channels of a head (default 64)")};
  cl::opt<int64_t> queries{"q", cl::init(1024), cl::sub(attention),
                           cl::desc("Rows of queries (default 1024)")};
  cl::opt<int64_t> keys{"kv", cl::sub(attention),
                        cl::desc("Rows of keys and values (default: --q)")};
  cl::opt<ElementKind> kind{
      "dtype", cl::init(ElementKind::F32), cl::sub(attention),
      cl::desc("Element type (default f32)"),
      cl::values(clEnumValN(ElementKind::F32, "f32", ""),
                 clEnumValN(ElementKind::F16, "f16", ""),
                 clEnumValN(ElementKind::BF16, "bf16", ""))};
  cl::opt<Layout> layout{
      "layout", cl::init(Layout::HeadMajor), cl::sub(attention),
      cl::desc("Order of dimensions (default bhsd)"),
      cl::values(
          clEnumValN(Layout::HeadMajor, "bhsd", "batch, head, row, channel"),
          clEnumValN(Layout::RowMajor, "bshd", "batch, row, head, channel"))};
  cl::opt<bool> isDynamic{
      "dynamic", cl::sub(attention),
      cl::desc("Do not tell the compiler how many rows there are")};

  // Attention.
  cl::opt<bool> causal{"causal", cl::sub(attention),
                       cl::desc("Queries see no later keys")};
  cl::opt<int64_t> window{
      "window", cl::value_desc("n"), cl::sub(attention),
      cl::desc("Queries see their own key and n - 1 before it; without "
               "--causal as many after it, too")};
  cl::opt<EncodingName> encoding{
      "encoding", cl::init(EncodingName::None), cl::sub(attention),
      cl::desc("Position encoding (default none)"),
      cl::values(clEnumValN(EncodingName::None, "none", ""),
                 clEnumValN(EncodingName::Rope, "rope", ""),
                 clEnumValN(EncodingName::Alibi, "alibi", ""),
                 clEnumValN(EncodingName::T5, "t5", ""))};
  cl::opt<std::string> emitMlir{
      "emit-mlir", cl::value_desc("file"), cl::sub(attention),
      cl::desc("Write the program instead of timing it; - for stdout")};
  cl::opt<std::string> program{
      "program", cl::value_desc("file"), cl::sub(attention),
      cl::desc("Time this program, which must compute the same")};
};

} // namespace posenc::bench

#endif // POSENC_TOOLS_PE_BENCH_FLAGS_H
