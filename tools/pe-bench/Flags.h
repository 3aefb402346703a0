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

/// The subcommands that a flag belongs to.
struct In {
  llvm::SmallVector<cl::SubCommand *> commands;
  In(std::initializer_list<cl::SubCommand *> commands) : commands(commands) {}
  void apply(cl::Option &option) const {
    for (cl::SubCommand *command : commands)
      option.addSubCommand(*command);
  }
};

/// All flags. Each belongs to some of the subcommands, so that none of the
/// hundreds of options that libLLVM brings is in the way.
struct Flags {
  cl::SubCommand attention{"attention", "Time attention with an encoding"};
  cl::SubCommand encodings{"encodings", "Time each encoding beside the same without it"};
  cl::SubCommand gemm{"gemm", "Time a linear layer"};
  cl::SubCommand model{"model", "Time a function of a file"};

  In all{&attention, &encodings, &gemm, &model};
  cl::opt<unsigned> threads{"threads", cl::init(1), all,
                            cl::desc("Threads that compiled code uses (default 1)")};
  cl::opt<bool> json{"json", all, cl::desc("Print one JSON object per line")};
  cl::opt<unsigned> repeat{"repeat", cl::init(10), cl::value_desc("n"), all,
                           cl::desc("Rounds, at least (default 10)")};
  cl::opt<double> minTime{"min-time", cl::init(0.5), cl::value_desc("seconds"), all,
                          cl::desc("Time of each case over all rounds, at least (default 0.5)")};
  cl::opt<std::string> cpu{"cpu", all,
                           cl::desc("Processor to compile for, and to measure the peak of "
                                    "(default: this one)")};
  cl::opt<std::string> features{"features", all, cl::desc("Processor features, as in +avx2,-fma")};
  cl::opt<std::string> pipeline{"pipeline", all,
                                cl::desc("Default: posenc-cpu, or posenc-nvptx{resident} for the "
                                         "device's chip")};
  cl::opt<std::string> device{"device", cl::init("cpu"), cl::value_desc("cpu|emulator|cuda"), all,
                              cl::desc("What runs it; the emulator counts instead of timing")};
  cl::opt<double> tolerance{"tolerance", cl::init(0), all,
                            cl::desc("Largest error that is right, relative to the largest "
                                     "element (default: what the element type explains)")};
  cl::list<std::string> peers{"peers", cl::CommaSeparated, cl::ValueOptional, all,
                              cl::value_desc("library,..."),
                              cl::desc("Time these, too: onnxruntime, openvino, torch, jax, iree, "
                                       "numpy, torch_cuda or files; without a value the first five, or "
                                       "the last if it can")};
  cl::opt<std::string> peersPython{"peers-python", cl::value_desc("file"), all,
                                   cl::desc("Interpreter that has them (default: "
                                            "../peers/bin/python beside this program)")};

  // Shapes of attention.
  In shapes{&attention, &encodings};
  cl::opt<int64_t> batch{"batch", cl::init(1), shapes, cl::desc("Samples (default 1)")};
  cl::opt<int64_t> heads{"heads", cl::init(8), shapes, cl::desc("Heads of queries (default 8)")};
  cl::opt<int64_t> keyHeads{"kv-heads", shapes,
                            cl::desc("Heads of keys and values (default: as many)")};
  cl::opt<int64_t> dim{"dim", cl::init(64), shapes, cl::desc("Channels of a head (default 64)")};
  cl::opt<int64_t> queries{"q", cl::init(1024), shapes, cl::desc("Rows of queries (default 1024)")};
  cl::opt<int64_t> keys{"kv", shapes, cl::desc("Rows of keys and values (default: --q)")};
  cl::opt<Layout> layout{
      "layout", cl::init(Layout::HeadMajor), shapes,
      cl::desc("Order of dimensions (default bhsd)"),
      cl::values(clEnumValN(Layout::HeadMajor, "bhsd", "batch, head, row, channel"),
                 clEnumValN(Layout::RowMajor, "bshd", "batch, row, head, channel"))};
  cl::opt<bool> isDynamic{"dynamic", shapes,
                          cl::desc("Do not tell the compiler how many rows there are")};
  cl::opt<ElementKind> kind{"dtype", cl::init(ElementKind::F32),
                            In{&attention, &encodings, &gemm, &model},
                            cl::desc("Element type (default f32); of a model, what its linear "
                                     "layers may round to, f32 or bf16"),
                            cl::values(clEnumValN(ElementKind::F32, "f32", ""),
                                       clEnumValN(ElementKind::F16, "f16", ""),
                                       clEnumValN(ElementKind::BF16, "bf16", ""))};

  // Attention.
  cl::opt<bool> causal{"causal", shapes, cl::desc("Queries see no later keys")};
  cl::opt<int64_t> window{"window", cl::value_desc("n"), cl::sub(attention),
                          cl::desc("Queries see their own key and n - 1 before it; without "
                                   "--causal as many after it, too")};
  cl::opt<EncodingName> encoding{"encoding", cl::init(EncodingName::None), cl::sub(attention),
                                 cl::desc("Position encoding (default none)"),
                                 cl::values(clEnumValN(EncodingName::None, "none", ""),
                                            clEnumValN(EncodingName::Rope, "rope", ""),
                                            clEnumValN(EncodingName::Alibi, "alibi", ""),
                                            clEnumValN(EncodingName::T5, "t5", ""))};
  cl::opt<bool> cache{"cache", cl::sub(attention),
                      cl::desc("Keep keys and values in a cache, append those of the queries' "
                               "tokens, and read it")};
  cl::opt<std::string> program{"program", cl::value_desc("file"), cl::sub(attention),
                               cl::desc("Time this program, which must compute the same")};
  cl::opt<std::string> emitMlir{"emit-mlir", cl::value_desc("file"), cl::sub(attention),
                                cl::desc("Write the program instead of timing it; - for stdout")};

  // Linear layers.
  cl::opt<int64_t> m{"m", cl::init(1024), cl::sub(gemm), cl::desc("Rows (default 1024)")};
  cl::opt<int64_t> n{"n", cl::init(1024), cl::sub(gemm), cl::desc("Outputs (default 1024)")};
  cl::opt<int64_t> k{"k", cl::init(1024), cl::sub(gemm), cl::desc("Inputs (default 1024)")};
  cl::opt<bool> bias{"bias", cl::sub(gemm), cl::desc("Add a bias")};
  cl::opt<bool> gelu{"gelu", cl::sub(gemm), cl::desc("Apply GELU, the one with erf")};

  // Models.
  cl::opt<std::string> inputFile{cl::Positional, cl::desc("<input file>"), cl::Required,
                                 cl::sub(model)};
  cl::opt<std::string> entry{"entry", cl::value_desc("name"), cl::sub(model),
                             cl::desc("Function to time (default: the only public one)")};
  cl::list<std::string> inputs{"input", cl::value_desc("[AxBxC=]spec"), cl::sub(model),
                               cl::desc("One per argument, as for pe-runner")};
  cl::opt<std::string> peersModel{"peers-model", cl::value_desc("folder"), cl::sub(model),
                                  cl::desc("Hugging Face folder of the BERT sentence encoder that "
                                           "the file is, for --peers; inputs: ids and mask")};
};

} // namespace posenc::bench

#endif // POSENC_TOOLS_PE_BENCH_FLAGS_H
