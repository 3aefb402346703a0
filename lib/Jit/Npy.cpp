//===- Npy.cpp - Arrays in numpy's file format ----------------------------===//

#include "posenc/Jit/Npy.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"

#include <cstring>

using namespace posenc;
using llvm::StringRef;
using llvm::Twine;

static constexpr StringRef magic("\x93NUMPY", 6);

/// The type string that numpy gives arrays of `kind`.
static StringRef getDescr(ElementKind kind) {
  static constexpr const char *descrs[] = {"<f8", "<f4", "<f2", "<u2", "<i8",
                                           "<i4", "<i2", "|i1", "|b1"};
  return descrs[static_cast<int>(kind)];
}

namespace {
struct Header {
  StringRef descr;
  bool fortranOrder = false;
  llvm::SmallVector<int64_t> shape;
};

/// Parses the header, a Python dictionary with exactly three known keys.
class HeaderParser {
public:
  explicit HeaderParser(StringRef text) : rest(text) {}

  llvm::Error parse(Header &header) {
    bool hasDescr = false, hasOrder = false, hasShape = false;
    if (!consume("{"))
      return fail("'{'");
    while (!consume("}")) {
      StringRef key;
      if (!parseString(key) || !consume(":"))
        return fail("a key");
      if (key == "descr" && !hasDescr) {
        hasDescr = true;
        if (!parseString(header.descr))
          return fail("a simple element type");
      } else if (key == "fortran_order" && !hasOrder) {
        hasOrder = true;
        header.fortranOrder = consume("True");
        if (!header.fortranOrder && !consume("False"))
          return fail("True or False");
      } else if (key == "shape" && !hasShape) {
        hasShape = true;
        if (!parseShape(header.shape))
          return fail("a shape");
      } else {
        return makeError("malformed header: unexpected key '" + printable(key) +
                         "'");
      }
      if (!consume(",") && !rest.starts_with("}"))
        return fail("',' or '}'");
    }
    if (!hasDescr || !hasOrder || !hasShape)
      return fail("the keys descr, fortran_order and shape");
    if (!rest.trim().empty())
      return fail("nothing after the dictionary");
    return llvm::Error::success();
  }

private:
  bool consume(StringRef token) {
    rest = rest.ltrim();
    if (!rest.consume_front(token))
      return false;
    rest = rest.ltrim();
    return true;
  }

  bool parseString(StringRef &text) {
    for (StringRef quote : {"'", "\""}) {
      if (!rest.consume_front(quote))
        continue;
      size_t end = rest.find(quote);
      if (end == StringRef::npos)
        return false;
      text = rest.take_front(end);
      rest = rest.drop_front(end + 1).ltrim();
      return true;
    }
    return false;
  }

  bool parseShape(llvm::SmallVectorImpl<int64_t> &shape) {
    if (!consume("("))
      return false;
    while (!consume(")")) {
      uint64_t size;
      if (rest.consumeInteger(10, size) || size > INT64_MAX)
        return false;
      shape.push_back(size);
      if (!consume(",") && !rest.starts_with(")"))
        return false;
    }
    return true;
  }

  static std::string printable(StringRef text) {
    std::string result;
    llvm::raw_string_ostream os(result);
    llvm::printEscapedString(text.take_front(32), os);
    return result;
  }

  llvm::Error fail(const Twine &what) {
    return makeError("malformed header: expected " + what + " at '" +
                     printable(rest) + "'");
  }

  StringRef rest;
};
} // namespace

/// Splits `bytes` into header text and data.
static llvm::Error splitFile(StringRef bytes, StringRef &header,
                             StringRef &data) {
  if (!bytes.starts_with(magic))
    return makeError("not an .npy file");
  if (bytes.size() < 8)
    return makeError("truncated header");
  unsigned major = static_cast<unsigned char>(bytes[6]);
  if (major < 1 || major > 3)
    return makeError("unsupported .npy version " + Twine(major));
  size_t start = major == 1 ? 10 : 12;
  if (bytes.size() < start)
    return makeError("truncated header");
  size_t length = major == 1
                      ? llvm::support::endian::read16le(bytes.data() + 8)
                      : llvm::support::endian::read32le(bytes.data() + 8);
  if (length > bytes.size() - start)
    return makeError("truncated header");
  header = bytes.substr(start, length);
  data = bytes.drop_front(start + length);
  return llvm::Error::success();
}

static llvm::Error checkDescr(StringRef descr, ElementKind kind) {
  if (descr == getDescr(kind) || (kind == ElementKind::BF16 && descr == "|V2"))
    return llvm::Error::success();
  std::string actual;
  llvm::raw_string_ostream os(actual);
  for (int i = 0; i <= static_cast<int>(ElementKind::I1); ++i) {
    auto other = static_cast<ElementKind>(i);
    if (descr == getDescr(other) && other != ElementKind::BF16)
      os << getName(other) << ' ';
  }
  os << "('";
  llvm::printEscapedString(descr.take_front(32), os);
  os << "')";
  return makeError("expected elements of type " + getName(kind) + " ('" +
                   getDescr(kind) + "') but got " + actual);
}

llvm::Expected<HostTensor> posenc::parseNpy(StringRef bytes, ElementKind kind) {
  StringRef text, data;
  if (llvm::Error error = splitFile(bytes, text, data))
    return error;
  Header header;
  if (llvm::Error error = HeaderParser(text).parse(header))
    return error;
  if (llvm::Error error = checkDescr(header.descr, kind))
    return error;
  if (header.fortranOrder)
    return makeError("expected C order but got Fortran order, which "
                     "numpy.ascontiguousarray changes");
  llvm::Expected<HostTensor> tensor = HostTensor::create(kind, header.shape);
  if (!tensor)
    return tensor.takeError();
  if (data.size() != size_t(tensor->getNumBytes()))
    return makeError("expected " + Twine(tensor->getNumBytes()) +
                     " bytes of data but got " + Twine(data.size()));
  std::memcpy(tensor->getData(), data.data(), data.size());
  if (kind == ElementKind::I1)
    for (char &byte :
         llvm::MutableArrayRef(tensor->getData(), tensor->getNumBytes()))
      byte = byte != 0;
  return tensor;
}

llvm::Expected<HostTensor> posenc::readNpy(StringRef path, ElementKind kind) {
  auto buffer = llvm::MemoryBuffer::getFile(path, /*IsText=*/false,
                                            /*RequiresNullTerminator=*/false);
  if (!buffer)
    return makeError("cannot read '" + path +
                     "': " + buffer.getError().message());
  llvm::Expected<HostTensor> tensor = parseNpy((*buffer)->getBuffer(), kind);
  if (!tensor)
    return makeError("'" + path + "': " + llvm::toString(tensor.takeError()));
  return tensor;
}

llvm::Error posenc::writeNpy(StringRef path, const HostTensor &tensor) {
  std::string header = "{'descr': '" + getDescr(tensor.getKind()).str() +
                       "', 'fortran_order': False, 'shape': (";
  for (auto [index, size] : llvm::enumerate(tensor.getShape()))
    header += (index == 0 ? "" : ", ") + std::to_string(size);
  // Python's tuple of one.
  header += tensor.getShape().size() == 1 ? ",), }" : "), }";
  // The data starts at a multiple of 64 bytes, after a newline.
  constexpr size_t prefix = 10;
  header.resize(llvm::alignTo(prefix + header.size() + 1, 64) - prefix, ' ');
  header.back() = '\n';
  if (header.size() > UINT16_MAX)
    return makeError("cannot write '" + path + "': too many dimensions");

  std::error_code error;
  llvm::raw_fd_ostream os(path, error);
  if (!error) {
    char length[2];
    llvm::support::endian::write16le(length, header.size());
    os << magic << '\x01' << '\x00' << StringRef(length, 2) << header;
    os << StringRef(tensor.getData(), tensor.getNumBytes());
    os.close();
    error = os.error();
    os.clear_error();
  }
  if (error)
    return makeError("cannot write '" + path + "': " + error.message());
  return llvm::Error::success();
}
