//===- Safetensors.cpp - Headers of safetensors files ---------------------===//

#include "Safetensors.h"

#include "Json.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/CheckedArithmetic.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace llvm;
using namespace posenc;

namespace {

template <typename... Args> Error failure(const char *format, Args &&...args) {
  return createStringError(formatv(format, std::forward<Args>(args)...).str());
}

/// Bytes per element, or 0 for a dtype the format does not define (or packs
/// below one byte).
unsigned getElementSize(StringRef dtype) {
  return StringSwitch<unsigned>(dtype)
      .Cases({"BOOL", "U8", "I8", "F8_E4M3", "F8_E5M2", "F8_E8M0"}, 1)
      .Cases({"U16", "I16", "F16", "BF16"}, 2)
      .Cases({"U32", "I32", "F32"}, 4)
      .Cases({"U64", "I64", "F64", "C64"}, 8)
      .Default(0);
}

uint64_t fnv1a64(StringRef bytes) {
  uint64_t hash = 0xcbf29ce484222325;
  for (unsigned char byte : bytes)
    hash = (hash ^ byte) * 0x100000001b3;
  return hash;
}

/// The length field and the JSON behind it, as one piece.
Expected<StringRef> getHeader(StringRef path, StringRef bytes) {
  if (bytes.size() < 8)
    return failure("{0}: expected at least 8 bytes of a safetensors file but "
                   "found {1}",
                   path, bytes.size());
  uint64_t length = support::endian::read64le(bytes.data());
  if (length > bytes.size() - 8)
    return failure("{0}: expected a header of {1} bytes but found {2} (the "
                   "file is truncated or not safetensors)",
                   path, length, bytes.size() - 8);
  return bytes.take_front(8 + length);
}

/// Reads `"shape": [..]` and `"data_offsets": [begin, end]`: arrays of
/// non-negative integers.
Error readNumbers(const json::Object &object, StringRef key, StringRef where,
                  SmallVectorImpl<int64_t> &numbers) {
  const json::Array *array = object.getArray(key);
  if (!array)
    return failure("{0}: expected '{1}' to be an array", where, key);
  for (const json::Value &value : *array) {
    std::optional<int64_t> number = value.getAsInteger();
    if (!number || *number < 0)
      return failure("{0}: expected '{1}' to hold non-negative integers but "
                     "found {2}",
                     where, key, value);
    numbers.push_back(*number);
  }
  return Error::success();
}

/// Reads one entry of the header and checks it by itself. `dataStart` is the
/// byte of the file where the tensors start.
Expected<SafetensorsEntry> readEntry(StringRef where, StringRef name,
                                     const json::Value &value,
                                     uint64_t dataStart) {
  const json::Object *object = value.getAsObject();
  if (!object)
    return failure("{0}: expected a JSON object", where);
  SafetensorsEntry entry;
  entry.name = name.str();
  std::optional<StringRef> dtype = object->getString("dtype");
  if (!dtype)
    return failure("{0}: expected 'dtype' to be a string", where);
  entry.dtype = dtype->str();
  unsigned elementSize = getElementSize(*dtype);
  if (!elementSize)
    return failure("{0}: unknown dtype \"{1}\"", where, *dtype);

  SmallVector<int64_t, 2> range;
  if (Error error = readNumbers(*object, "shape", where, entry.shape))
    return error;
  if (Error error = readNumbers(*object, "data_offsets", where, range))
    return error;
  if (range.size() != 2 || range[0] > range[1])
    return failure("{0}: expected 'data_offsets' to be [begin, end] but found "
                   "[{1:$[, ]}]",
                   where, make_range(range.begin(), range.end()));

  uint64_t expected = elementSize;
  for (int64_t extent : entry.shape) {
    auto product = checkedMulUnsigned<uint64_t>(expected, extent);
    if (!product)
      return failure("{0}: shape [{1:$[, ]}] is too large", where,
                     make_range(entry.shape.begin(), entry.shape.end()));
    expected = *product;
  }
  entry.byteSize = range[1] - range[0];
  if (entry.byteSize != expected)
    return failure("{0}: expected {1} bytes for {2} [{3:$[, ]}] but found {4}",
                   where, expected, *dtype,
                   make_range(entry.shape.begin(), entry.shape.end()),
                   entry.byteSize);
  entry.offset = dataStart + range[0];
  if (entry.offset % elementSize)
    return failure("{0}: expected an offset that is a multiple of {1} bytes "
                   "but found {2}",
                   where, elementSize, entry.offset);
  return entry;
}

/// The format wants the tensors back to back from the header to the end of the
/// file; this also excludes overlaps and ranges outside the file.
Error checkLayout(StringRef path, uint64_t dataStart, uint64_t fileSize,
                  ArrayRef<const SafetensorsEntry *> entries) {
  SmallVector<const SafetensorsEntry *> sorted(entries);
  llvm::sort(sorted, [](const auto *lhs, const auto *rhs) {
    return std::tie(lhs->offset, lhs->byteSize, lhs->name) <
           std::tie(rhs->offset, rhs->byteSize, rhs->name);
  });
  uint64_t end = dataStart;
  for (const SafetensorsEntry *entry : sorted) {
    if (entry->offset != end)
      return failure("{0}: tensor '{1}': expected its data at byte {2}, where "
                     "the data before it ends, but found {3}",
                     path, entry->name, end, entry->offset);
    end += entry->byteSize;
    if (end > fileSize)
      return failure("{0}: tensor '{1}': expected data up to byte {2} but "
                     "found a file of {3} bytes (truncated)",
                     path, entry->name, end, fileSize);
  }
  if (end != fileSize)
    return failure("{0}: expected a file of {1} bytes but found {2}", path, end,
                   fileSize);
  return Error::success();
}

} // namespace

Expected<SafetensorsFile> SafetensorsFile::open(StringRef path) {
  auto buffer = MemoryBuffer::getFile(path, /*IsText=*/false,
                                      /*RequiresNullTerminator=*/false);
  if (std::error_code error = buffer.getError())
    return failure("{0}: {1}", path, StringRef(error.message()).lower());
  StringRef bytes = (*buffer)->getBuffer();
  Expected<StringRef> header = getHeader(path, bytes);
  if (!header)
    return header.takeError();
  Expected<json::Value> root = parseJSON(header->drop_front(8));
  if (!root)
    return failure("{0}: malformed header: {1}", path, toString(root.takeError()));
  const json::Object *tensors = root->getAsObject();
  if (!tensors)
    return failure("{0}: expected the header to be a JSON object", path);

  SafetensorsFile file;
  file.path = path.str();
  file.fileSize = bytes.size();
  file.headerHash = fnv1a64(*header);
  SmallVector<const SafetensorsEntry *> entries;
  for (const auto &[key, value] : *tensors) {
    StringRef name = key;
    if (name == "__metadata__")
      continue;
    std::string where = formatv("{0}: tensor '{1}'", path, name);
    auto entry = readEntry(where, name, value, header->size());
    if (!entry)
      return entry.takeError();
    auto inserted = file.entries.try_emplace(name, std::move(*entry)).first;
    entries.push_back(&inserted->second);
  }
  if (Error error = checkLayout(path, header->size(), file.fileSize, entries))
    return error;
  return file;
}

const SafetensorsEntry *SafetensorsFile::lookup(StringRef name) const {
  auto it = entries.find(name);
  return it == entries.end() ? nullptr : &it->second;
}
