//===- Chip.cpp - the GPUs that kernels are written for -------------------===//

#include "GPU/Chip.h"

#include "posenc/Device.h"
#include "posenc/Pipelines.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Error.h"

using namespace mlir;
using namespace posenc;

// The versions of PTX and the sizes are those of NVIDIA's PTX ISA (release notes)
// and CUDA Programming Guide (technical specifications per compute capability); the
// numbers of processors those of its data sheets for T4, A100, A40, L40S, H100 SXM,
// B200 and RTX PRO 6000 Blackwell.
static constexpr Chip kChips[] = {
    {"sm_75", 63, 64 << 10, 40},    {"sm_80", 70, 163 << 10, 108},
    {"sm_86", 71, 99 << 10, 84},    {"sm_89", 78, 99 << 10, 142},
    {"sm_90a", 80, 227 << 10, 132}, {"sm_100a", 86, 227 << 10, 148},
    {"sm_120", 87, 99 << 10, 188},
};

int Chip::version() const {
  int number = 0;
  name.drop_front(3).take_while(llvm::isDigit).getAsInteger(10, number);
  return number;
}

/// Code for a chip runs on later ones, unless its name ends with a letter.
llvm::Expected<StringRef> posenc::findChip(const Device &device) {
  StringRef best;
  for (const Chip &chip : kChips)
    if (chip.version() == device.getVersion() ||
        (chip.version() < device.getVersion() && llvm::isDigit(chip.name.back())))
      best = chip.name;
  if (!best.empty())
    return best;
  return llvm::createStringError("expected a GPU of compute capability 7.5 at least, but %s has %d.%d",
                                 device.getName(), device.getVersion() / 10,
                                 device.getVersion() % 10);
}

std::optional<Chip> posenc::getChip(Operation *op, StringRef name) {
  for (const Chip &chip : kChips)
    if (chip.name == name)
      return chip;
  InFlightDiagnostic error = op->emitError("unknown chip '") << name << "', expected one of: ";
  llvm::interleaveComma(kChips, error, [&](const Chip &chip) { error << chip.name; });
  return std::nullopt;
}
