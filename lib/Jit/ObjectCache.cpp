//===- ObjectCache.cpp - Objects that were compiled before ----------------===//
//
// A file is a header of lines, then the code:
//
//     posenc object
//     2                      how many names follow
//     posenc_invoke_f
//     posenc_load
//     81920 1f3a...          bytes of code, and their hash
//
//===----------------------------------------------------------------------===//

#include "posenc/Jit/ObjectCache.h"

#include "posenc/Jit/HostTensor.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/Support/CachePruning.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/SHA256.h"
#include "llvm/Support/xxhash.h"

#include <link.h>
#include <limits>

using namespace posenc;
using llvm::StringRef;
using llvm::Twine;

static constexpr llvm::StringLiteral kMagic = "posenc object";

std::string ObjectCache::getDefaultFolder() {
  llvm::SmallString<128> folder;
  if (const char *cache = std::getenv("XDG_CACHE_HOME"); cache && *cache)
    folder = cache;
  else if (!llvm::sys::path::home_directory(folder))
    return "";
  else
    llvm::sys::path::append(folder, ".cache");
  llvm::sys::path::append(folder, "posenc");
  return folder.str().str();
}

/// Tells apart the builds of everything that this process has loaded.
static std::string describeProcess() {
  std::string text = LLVM_VERSION_STRING;
  dl_iterate_phdr(
      [](dl_phdr_info *info, size_t, void *data) {
        StringRef path = info->dlpi_name;
        llvm::sys::fs::file_status status;
        // The program itself has no name.
        if (!llvm::sys::fs::status(path.empty() ? "/proc/self/exe" : path, status))
          llvm::raw_string_ostream(*static_cast<std::string *>(data))
              << '\n' << path << ' ' << status.getSize() << ' '
              << status.getLastModificationTime().time_since_epoch().count();
        return 0;
      },
      &text);
  return text;
}

std::string ObjectCache::getKey(mlir::ModuleOp module, StringRef entry,
                                StringRef pipeline,
                                const llvm::TargetMachine &target,
                                const CompileOptions &options) {
  std::string text;
  llvm::raw_string_ostream os(text);
  os << describeProcess() << '\n'
     << target.getTargetTriple().str() << '\n' << target.getTargetCPU() << '\n'
     << target.getTargetFeatureString() << '\n' << options.optLevel << '\n'
     << pipeline << '\n' << entry << '\n';
  // Whole, whatever the command line wants elided.
  constexpr int64_t all = std::numeric_limits<int64_t>::max();
  module->print(os, mlir::OpPrintingFlags()
                        .enableDebugInfo(false)
                        .skipRegions(false)
                        .elideLargeElementsAttrs(all)
                        .elideLargeResourceString(all)
                        .assumeVerified());
  return llvm::toHex(
      llvm::SHA256::hash(llvm::arrayRefFromStringRef(text)), /*LowerCase=*/true);
}

llvm::Expected<ObjectCache> ObjectCache::open(StringRef folder) {
  if (std::error_code error = llvm::sys::fs::create_directories(folder))
    return makeError("cannot make the cache folder '" + folder +
                     "': " + error.message());
  return ObjectCache(folder.str());
}

/// The object in the text of a file, unless that is not as it was written.
static std::optional<Object> parseObject(StringRef text) {
  auto line = [&] {
    auto [first, rest] = text.split('\n');
    text = rest;
    return first;
  };
  unsigned count;
  if (line() != kMagic || line().getAsInteger(10, count) || count > text.size())
    return std::nullopt;
  Object object;
  for (unsigned i = 0; i < count; ++i)
    object.names.push_back(line().str());
  auto [size, hash] = line().split(' ');
  uint64_t bytes, expected;
  if (size.getAsInteger(10, bytes) || hash.getAsInteger(16, expected) ||
      bytes != text.size() || llvm::xxh3_64bits(text) != expected)
    return std::nullopt;
  object.code = llvm::MemoryBuffer::getMemBufferCopy(text);
  return object;
}

/// Calls `found` with the file of `key`; without one returns what writes it.
static llvm::Expected<llvm::AddStreamFn>
look(StringRef folder, StringRef key, llvm::function_ref<void(StringRef)> found) {
  auto cache = llvm::localCache(
      "posenc", "posenc", folder,
      [&](unsigned, const Twine &, std::unique_ptr<llvm::MemoryBuffer> buffer) {
        found(buffer->getBuffer());
      });
  if (!cache)
    return cache.takeError();
  return (*cache)(/*Task=*/0, key, "");
}

std::optional<Object> ObjectCache::find(StringRef key) {
  std::optional<Object> object;
  bool isThere = false;
  auto add = look(folder, key, [&](StringRef text) {
    isThere = true;
    object = parseObject(text);
  });
  if (!add)
    llvm::consumeError(add.takeError());
  if (isThere && !object)
    llvm::sys::fs::remove(folder + "/llvmcache-" + key);
  return object;
}

void ObjectCache::store(StringRef key, const Object &object) {
  auto add = look(folder, key, [](StringRef) {});
  if (!add)
    return llvm::consumeError(add.takeError());
  if (!*add) // another process was faster
    return;
  auto stream = (*add)(/*Task=*/0, "");
  if (!stream)
    return llvm::consumeError(stream.takeError());
  StringRef code = object.code->getBuffer();
  llvm::raw_ostream &os = *(*stream)->OS;
  os << kMagic << '\n' << object.names.size() << '\n';
  for (const std::string &name : object.names)
    os << name << '\n';
  os << code.size() << ' ' << llvm::utohexstr(llvm::xxh3_64bits(code)) << '\n' << code;
  llvm::consumeError((*stream)->commit());
  llvm::CachePruningPolicy policy; // by default, what was not used for a week goes
  policy.MaxSizeBytes = uint64_t(1) << 30;
  llvm::pruneCache(folder, policy);
}
