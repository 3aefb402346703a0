//===- ObjectCache.h - Objects that were compiled before ---------*- C++ -*-===//
//
// A folder of objects, found by a hash of all that they were made from. Processes
// may share it: files appear whole, and one that was cut or changed since counts
// as absent.
//
//===----------------------------------------------------------------------===//

#ifndef POSENC_JIT_OBJECTCACHE_H
#define POSENC_JIT_OBJECTCACHE_H

#include "posenc/Jit/Object.h"
#include "llvm/Support/Caching.h"

#include <optional>

namespace posenc {

class ObjectCache {
public:
  /// The folder of the user's cache: $XDG_CACHE_HOME/posenc or ~/.cache/posenc;
  /// empty if there is neither.
  static std::string getDefaultFolder();

  /// What names an object: `module` as it is before `pipeline`, the processor,
  /// the entry point, and the compiler, that is every library in this process.
  static std::string getKey(mlir::ModuleOp module, llvm::StringRef entry,
                            llvm::StringRef pipeline,
                            const llvm::TargetMachine &target,
                            const CompileOptions &options);

  /// Makes the folder if it is absent.
  static llvm::Expected<ObjectCache> open(llvm::StringRef folder);

  std::optional<Object> find(llvm::StringRef key);
  /// Writes an object, and removes old ones. A full disk or the like costs the
  /// file, no more.
  void store(llvm::StringRef key, const Object &object);

private:
  explicit ObjectCache(std::string folder) : folder(std::move(folder)) {}
  std::string folder;
};

} // namespace posenc

#endif // POSENC_JIT_OBJECTCACHE_H
