//===- Report.cpp - What a benchmark prints -------------------------------===//

#include "Bench/Report.h"

#include "llvm/Support/Format.h"

using namespace posenc::bench;

bool Result::isReadBound() const {
  return bytes / read.median > flops / fma.median;
}

namespace {
/// A result in the unit of its bound.
struct Rate {
  bool isRead;
  double reached, peak, low, high;

  explicit Rate(const Result &result) : isRead(result.isReadBound()) {
    const Summary &bound = isRead ? result.read : result.fma;
    double amount = isRead ? result.bytes : result.flops;
    reached = amount / result.seconds.median * 1e-9;
    peak = bound.median * 1e-9;
    low = bound.p10 * 1e-9;
    high = bound.p90 * 1e-9;
    this->bound = isRead ? result.readName : result.fmaName;
  }

  llvm::StringRef bound;

  const char *unit() const { return isRead ? "GB/s" : "GFLOP/s"; }
};
} // namespace

void Report::add(const Result &result) {
  isJson ? addJson(result) : addText(result);
  os.flush();
}

void Report::addText(const Result &result) {
  Rate rate(result);
  std::string label = result.name;
  if (result.library != "posenc")
    label = "  " + result.library + " " + result.version;
  const char *unit = rate.unit();
  os << llvm::format("%-52s %9.4g ms  %6.4g..%-6.4g %7.1f %-7s %5.1f %% of "
                     "%.1f (%s)",
                     label.c_str(), result.seconds.median * 1e3,
                     result.seconds.p10 * 1e3, result.seconds.p90 * 1e3,
                     rate.reached, unit, 100 * rate.reached / rate.peak,
                     rate.peak, rate.bound.data())
     << llvm::format("  error %.1e", result.error);
  if (result.overBase)
    os << llvm::format("  %+.1f %%", 100 * (result.overBase - 1));
  if (result.overOurs)
    os << llvm::format("  %.2f x the time", result.overOurs);
  os << '\n';
}

void Report::addJson(const Result &result) {
  Rate rate(result);
  llvm::json::OStream json(os);
  auto number = [&](const char *name, double value) {
    json.attributeBegin(name);
    json.rawValue(
        [&](llvm::raw_ostream &raw) { raw << llvm::format("%.6g", value); });
    json.attributeEnd();
  };
  json.object([&] {
    json.attribute("name", result.name);
    json.attribute("library", result.library);
    if (!result.version.empty())
      json.attribute("version", result.version);
    json.attribute("threads", result.threads);
    number("ms", result.seconds.median * 1e3);
    number("p10", result.seconds.p10 * 1e3);
    number("p90", result.seconds.p90 * 1e3);
    json.attribute("runs", result.seconds.count);
    json.attribute("flops", result.flops);
    json.attribute("bytes", result.bytes);
    number(rate.isRead ? "gbps" : "gflops", rate.reached);
    json.attribute("bound", rate.bound);
    number("peak", rate.peak);
    number("peak_p10", rate.low);
    number("peak_p90", rate.high);
    number("fraction", rate.reached / rate.peak);
    number("error", result.error);
    if (result.overBase)
      number("over_base", result.overBase);
    if (result.overOurs)
      number("over_posenc", result.overOurs);
  });
  os << '\n';
}
