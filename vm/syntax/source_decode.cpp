// How the cookie is found and the bytes become UTF-8.
#include "vm/syntax/source_decode.h"

#include <cstdio>

#include "runtime/support/utf8.h"

namespace minivm {
namespace {

bool IsCookieChar(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_' || c == '.';
}

// The name in "coding[:=]\s*name" if the line is a comment; *blank: the next line may have it.
std::string_view CookieInLine(std::string_view line, bool* blank) {
  size_t i = 0;
  while (i < line.size() && (line[i] == ' ' || line[i] == '\t' || line[i] == '\f')) i++;
  *blank = i == line.size() || line[i] == '#' || line[i] == '\r';
  if (i == line.size() || line[i] != '#') return {};
  for (; (i = line.find("coding", i)) != std::string_view::npos; i += 6) {
    size_t at = i + 6;
    if (at >= line.size() || (line[at] != ':' && line[at] != '=')) continue;
    at++;
    while (at < line.size() && (line[at] == ' ' || line[at] == '\t')) at++;
    size_t end = at;
    while (end < line.size() && IsCookieChar(line[end])) end++;
    if (end > at) return line.substr(at, end - at);
  }
  return {};
}

// An encoding's name as codecs compare it: lower case, runs of punctuation as one '_'.
std::string CodecKey(std::string_view name) {
  std::string key;
  for (char c : name) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
    key += c == '-' || c == ' ' ? '_' : c;
  }
  return key;
}

enum class Builtin : uint8_t { kNone, kUtf8, kUtf8Sig, kLatin1, kAscii, kCp1252 };

Builtin FindBuiltin(std::string_view name) {
  struct Alias {
    std::string_view key;
    Builtin codec;
  };
  static constexpr Alias kAliases[] = {
      {"utf_8", Builtin::kUtf8},
      {"utf8", Builtin::kUtf8},
      {"u8", Builtin::kUtf8},
      {"utf", Builtin::kUtf8},
      {"cp65001", Builtin::kUtf8},
      {"utf8_ucs2", Builtin::kUtf8},
      {"utf8_ucs4", Builtin::kUtf8},
      {"utf_8_sig", Builtin::kUtf8Sig},
      {"latin_1", Builtin::kLatin1},
      {"latin1", Builtin::kLatin1},
      {"latin", Builtin::kLatin1},
      {"l1", Builtin::kLatin1},
      {"iso_8859_1", Builtin::kLatin1},
      {"iso8859_1", Builtin::kLatin1},
      {"iso8859", Builtin::kLatin1},
      {"iso_8859_1_1987", Builtin::kLatin1},
      {"iso_ir_100", Builtin::kLatin1},
      {"8859", Builtin::kLatin1},
      {"cp819", Builtin::kLatin1},
      {"ibm819", Builtin::kLatin1},
      {"csisolatin1", Builtin::kLatin1},
      {"iso_latin_1", Builtin::kLatin1},
      {"ascii", Builtin::kAscii},
      {"us_ascii", Builtin::kAscii},
      {"646", Builtin::kAscii},
      {"us", Builtin::kAscii},
      {"ansi_x3.4_1968", Builtin::kAscii},
      {"iso646_us", Builtin::kAscii},
      {"cp1252", Builtin::kCp1252},
      {"windows_1252", Builtin::kCp1252},
      {"1252", Builtin::kCp1252},
  };
  const std::string key = CodecKey(name);
  for (const Alias& alias : kAliases) {
    if (alias.key == key) return alias.codec;
  }
  return Builtin::kNone;
}

void Append(std::string* out, char32_t c) {
  char bytes[4];
  out->append(bytes, EncodeUtf8(bytes, c));
}

std::string Undecodable(const char* codec, char byte, size_t position, const char* reason) {
  char text[128];
  std::snprintf(text, sizeof text, "'%s' codec can't decode byte 0x%02x in position %zu: %s", codec,
                static_cast<unsigned>(static_cast<uint8_t>(byte)), position, reason);
  return text;
}

// Decodes with one of our own codecs; false with the reason.
bool DecodeBuiltin(Builtin codec, std::string_view bytes, std::string* out, std::string* error) {
  // 0x80..0x9F in cp1252; 0 is undefined.
  static constexpr char16_t kCp1252[32] = {
      0x20AC, 0,      0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
      0x2039, 0x0152, 0,      0x017D, 0,      0,      0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
      0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0,      0x017E, 0x0178};
  if (codec == Builtin::kUtf8 || codec == Builtin::kUtf8Sig) {
    *error = DescribeInvalidUtf8(bytes);
    *out = bytes;
    return error->empty();
  }
  out->reserve(bytes.size() + bytes.size() / 8);
  for (size_t i = 0; i < bytes.size(); i++) {
    const auto byte = static_cast<uint8_t>(bytes[i]);
    if (byte < 0x80) {
      *out += bytes[i];
    } else if (codec == Builtin::kAscii) {
      *error = Undecodable("ascii", bytes[i], i, "ordinal not in range(128)");
      return false;
    } else if (codec == Builtin::kCp1252 && byte < 0xA0) {
      if (kCp1252[byte - 0x80] == 0) {
        *error = Undecodable("charmap", bytes[i], i, "character maps to <undefined>");
        return false;
      }
      Append(out, kCp1252[byte - 0x80]);
    } else {
      Append(out, byte);
    }
  }
  return true;
}

// An error before there is any text to show.
bool Fail(Diagnostic* error, SourceOrigin origin, std::string message) {
  *error = {};
  error->message = std::move(message);
  error->has_text = error->has_end = false;
  if (origin == SourceOrigin::kFile) {
    error->has_location = false;
  } else {
    error->lineno = 0;
    error->offset = -1;
  }
  return false;
}

}  // namespace

std::string DescribeInvalidUtf8(std::string_view text) {
  const Utf8Scan scan = ScanUtf8(text.data(), text.size());
  if (scan.error == Utf8Error::kNone) return {};
  const char* const reason = Utf8ErrorReason(scan.error);
  if (scan.error_length == 1) {
    return Undecodable("utf-8", text[scan.valid_bytes], scan.valid_bytes, reason);
  }
  char message[128];
  std::snprintf(message, sizeof message, "'utf-8' codec can't decode bytes in position %zu-%zu: %s",
                scan.valid_bytes, scan.valid_bytes + scan.error_length - 1, reason);
  return message;
}

std::string ReplaceInvalidUtf8(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const Utf8Scan scan = ScanUtf8(text.data(), text.size());
    out.append(text.substr(0, scan.valid_bytes));
    if (scan.error == Utf8Error::kNone) break;
    Append(&out, kReplacementCharacter);
    text.remove_prefix(scan.valid_bytes + scan.error_length);
  }
  return out;
}

std::string FindEncodingCookie(std::string_view bytes) {
  std::string_view cookie;
  bool blank = true;
  for (int line = 0; line < 2 && blank && cookie.empty(); line++) {
    const size_t end = bytes.find('\n');
    cookie = CookieInLine(bytes.substr(0, end), &blank);
    if (end == std::string_view::npos) break;
    bytes.remove_prefix(end + 1);
  }
  // Only the first 12 characters count for the two encodings with a name of their own.
  std::string key;
  for (char c : cookie.substr(0, 12)) {
    key += c == '_' ? '-' : c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
  }
  const auto is = [&key](std::string_view name) {
    return key == name || (key.starts_with(name) && key[name.size()] == '-');
  };
  if (is("utf-8")) return "utf-8";
  if (is("latin-1") || is("iso-8859-1") || is("iso-latin-1")) return "iso-8859-1";
  return std::string(cookie);
}

bool DecodeSource(std::string_view bytes, SourceOrigin origin, std::string_view filename,
                  const SourceCodec& codec, DecodedSource* out, Diagnostic* error) {
  *out = {};
  const bool bom = bytes.starts_with("\xEF\xBB\xBF");
  if (bom) bytes.remove_prefix(3);
  if (origin == SourceOrigin::kBytes && bytes.find('\0') != std::string_view::npos) {
    Fail(error, origin, "source code string cannot contain null bytes");
    error->has_location = false;
    return false;
  }
  out->encoding = FindEncodingCookie(bytes);
  const bool declared = !out->encoding.empty();
  if (bom && declared && out->encoding != "utf-8") {
    return Fail(error, origin, "encoding problem: " + out->encoding + " with BOM");
  }
  if (!declared) out->encoding = "utf-8";
  if (out->encoding == "utf-8") {
    out->text = bytes;
    const Utf8Scan scan = ScanUtf8(bytes.data(), bytes.size());
    out->invalid_utf8 = scan.error != Utf8Error::kNone;
    size_t line = 1, line_start = 0;
    for (size_t i = 0; out->invalid_utf8 && i < scan.valid_bytes; i++) {
      if (bytes[i] == '\n') line_start = i + 1, ++line;
    }
    // Files are read by the line: a NUL in an earlier one is found first.
    const bool nul_before = bytes.substr(0, line_start).find('\0') != std::string_view::npos;
    if (out->invalid_utf8 && origin == SourceOrigin::kFile && !declared && !nul_before) {
      char code[8];
      std::snprintf(code, sizeof code, "\\x%02x",
                    static_cast<unsigned>(static_cast<uint8_t>(bytes[scan.valid_bytes])));
      return Fail(error, origin,
                  std::string("Non-UTF-8 code starting with '") + code + "' in file " +
                      std::string(filename) + " on line " + std::to_string(line) +
                      ", but no encoding declared; see https://peps.python.org/pep-0263/ for "
                      "details");
    }
  } else {
    const Builtin builtin = FindBuiltin(out->encoding);
    std::string reason = "unknown encoding: " + out->encoding;
    bool ok = false;
    if (builtin != Builtin::kNone) {
      ok = DecodeBuiltin(builtin, bytes, &out->storage, &reason);
    } else if (codec.decode != nullptr) {
      ok = codec.decode(codec.context, out->encoding, bytes, &out->storage, &reason);
    }
    if (!ok) {
      if (origin == SourceOrigin::kFile) reason = "encoding problem: " + out->encoding;
      return Fail(error, origin, std::move(reason));
    }
    out->text = out->storage;
  }
  const size_t nul = out->text.find('\0');
  if (nul != std::string_view::npos) {
    Fail(error, origin, "source code cannot contain null bytes");
    size_t line_start = out->text.substr(0, nul).rfind('\n');
    line_start = line_start == std::string_view::npos ? 0 : line_start + 1;
    error->has_location = error->has_text = true;
    error->lineno = 1;
    for (size_t i = 0; i < nul; i++) error->lineno += out->text[i] == '\n';
    error->offset = 0;
    error->text = ReplaceInvalidUtf8(out->text.substr(line_start, nul - line_start));
    return false;
  }
  return true;
}

}  // namespace minivm
