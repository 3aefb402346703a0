//===- Model.h - What one instruction does ----------------------*- C++ -*-===//
//
// Each intrinsic of NVPTX, and each text of inline assembly, that kernels may
// use has a model: a function of this process that compiled code calls in its
// place.
//
//===----------------------------------------------------------------------===//

#ifndef POSENC_LIB_EMULATOR_MODEL_H
#define POSENC_LIB_EMULATOR_MODEL_H

#include "Block.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/ADT/Twine.h"

#include <functional>
#include <string>

namespace posenc::emulator {

/// One execution of an instruction by the current thread.
struct Call {
  Block &block;
  const CallSite &site;
  void *result;
  const char *operands;

  template <typename T> T get(int operand) const {
    return *reinterpret_cast<const T *>(operands + 16 * operand);
  }
  template <typename T> void set(T value) const { *static_cast<T *>(result) = value; }
  Thread &thread() const { return *block.thread; }
  /// Runs `execute` once the warp's threads in `mask` have come.
  void meet(uint32_t mask, const std::function<void(Rendezvous &)> &execute) const {
    block.meet(site, mask, result, operands, execute);
  }
  /// The same for instructions that the whole warp must be in.
  void meet(const std::function<void(Rendezvous &)> &execute) const {
    meet(0xffffffff, execute);
  }
};

using Model = std::function<void(const Call &)>;

/// A place in a kernel with an instruction that has a model.
struct CallSite {
  std::string name; // as in llvm.nvvm.barrier0
  std::string reason;
  const Model *model;

  const char *getName() const { return name.c_str(); }
  const char *getReason() const { return reason.c_str(); }
};

/// All models, by the name of the intrinsic without llvm.nvvm., or "asm " and
/// the text.
class Models {
public:
  static const Models &get();

  /// Null if there is none. Suffixes for types, as in shfl.sync.idx.i32, are part
  /// of a name; those of pointers (.p0) are not.
  const Model *find(llvm::StringRef name) const;

  void add(llvm::StringRef name, Model model) { models[name] = std::move(model); }

private:
  Models();
  llvm::StringMap<Model> models;
};

// The parts of the list.
void addRegisters(Models &models);
void addArithmetic(Models &models);
void addWarps(Models &models);
void addBarriers(Models &models);
void addCopies(Models &models);
void addMatrices(Models &models);

} // namespace posenc::emulator

#endif // POSENC_LIB_EMULATOR_MODEL_H
