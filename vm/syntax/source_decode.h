// From the bytes of a source to text: byte order mark and PEP 263 cookie.
//
// UTF-8 is not copied. Bytes given to compile() may hold invalid UTF-8 where it
// does no harm (comments): CPython notices it only in names and strings, and so
// do we, through ParseOptions::invalid_utf8. A file is checked at once.
#pragma once

#include <string>
#include <string_view>

#include "vm/syntax/parser.h"

namespace minivm {

enum class SourceOrigin : uint8_t {
  kBytes,  // compile(), import
  kFile    // a script named on the command line
};

// Decodes text in an encoding other than UTF-8, Latin-1, ASCII and cp1252. On failure returns
// false with the error's text, such as "unknown encoding: foo".
struct SourceCodec {
  bool (*decode)(void* context, std::string_view encoding, std::string_view bytes,
                 std::string* utf8, std::string* error) = nullptr;
  void* context = nullptr;
};

struct DecodedSource {
  std::string_view text;  // views the input, or `storage`
  std::string storage;
  bool invalid_utf8 = false;  // to be passed on in ParseOptions
  std::string encoding;       // "utf-8" or as the cookie has it, normalised
};

// Returns false with *error filled if the bytes cannot be decoded. `filename` is for messages.
bool DecodeSource(std::string_view bytes, SourceOrigin origin, std::string_view filename,
                  const SourceCodec& codec, DecodedSource* out, Diagnostic* error);

// The encoding that a cookie names on one of the first two lines, normalised as in messages
// ("utf-8", "iso-8859-1", else as written); empty if there is none.
std::string FindEncodingCookie(std::string_view bytes);

// UTF-8 with U+FFFD for whatever is invalid in `text`.
std::string ReplaceInvalidUtf8(std::string_view text);

// "'utf-8' codec can't decode byte 0xff in position 3: invalid start byte" if `text` is invalid
// from `valid_bytes` on, else empty.
std::string DescribeInvalidUtf8(std::string_view text);

}  // namespace minivm
