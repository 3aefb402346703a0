//===- Report.h - What a benchmark prints -----------------------*- C++ -*-===//

#ifndef POSENC_BENCH_REPORT_H
#define POSENC_BENCH_REPORT_H

#include "Bench/Case.h"
#include "Bench/Timing.h"
#include "llvm/Support/raw_ostream.h"

namespace posenc::bench {

/// One measured case.
struct Result {
  std::string name;
  /// Whose code this is: "posenc" or another library with its version.
  std::string library = "posenc", version;
  Summary seconds;
  double flops = 0, bytes = 0;
  /// The bounds, in flops and bytes per second, of the same rounds; what they are
  /// rates of.
  Summary fma, read;
  llvm::StringRef fmaName = "fma", readName = "read";
  double error = 0;
  unsigned threads = 1;
  /// Time over that of the case that this one adds something to; 0 if none.
  double overBase = 0;
  /// For another library: its time over ours. 0 for ours.
  double overOurs = 0;

  /// Whether reading is what takes longer at best.
  bool isReadBound() const;
};

/// Prints results, as text or as one JSON object per line.
class Report {
public:
  Report(bool isJson, llvm::raw_ostream &os) : isJson(isJson), os(os) {}

  void add(const Result &result);

private:
  void addText(const Result &result);
  void addJson(const Result &result);

  bool isJson;
  llvm::raw_ostream &os;
};

} // namespace posenc::bench

#endif // POSENC_BENCH_REPORT_H
