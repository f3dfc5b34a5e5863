// unicode_escape and raw_unicode_escape.
#include <cstdio>

#include "runtime/objects/codec.h"
#include "runtime/support/text_buffer.h"
#include "runtime/support/unicode.h"
#include "runtime/support/utf8.h"

namespace minivm {
namespace {

int HexDigit(uint8_t c) {
  if (c >= '0' && c <= '9') return c - '0';
  const uint8_t lower = c | 32;
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

struct Escape {
  char32_t c = 0;
  size_t end = 0;  // behind the escape, or behind what belongs to the error
  const char* error = nullptr;
  bool incomplete = false;  // more input could complete it
};

// `digits` hexadecimal digits from p[at].
Escape ReadHex(std::string_view p, size_t at, int digits, const char* truncated,
               const char* too_large) {
  Escape e;
  size_t i = at;
  for (; i < p.size() && i < at + static_cast<size_t>(digits); ++i) {
    const int digit = HexDigit(static_cast<uint8_t>(p[i]));
    if (digit < 0) break;
    e.c = e.c << 4 | static_cast<char32_t>(digit);
  }
  e.end = i;
  if (i < at + static_cast<size_t>(digits)) {
    e.error = truncated;
    e.incomplete = i == p.size();
  } else if (e.c > kMaxCodePoint) {
    e.error = too_large;
  }
  return e;
}

Escape ReadName(std::string_view p, size_t at) {
  Escape e;
  e.error = "malformed \\N character escape";
  e.end = at;
  if (at >= p.size() || p[at] != '{') {
    e.incomplete = at >= p.size();
    return e;
  }
  const size_t close = p.find('}', at);
  if (close == std::string_view::npos) {
    e.end = p.size();
    e.incomplete = true;
    return e;
  }
  e.end = close + 1;
  if (close == at + 1) return e;
  e.error = CharacterFromName(p.substr(at + 1, close - at - 1), &e.c)
                ? nullptr
                : "unknown Unicode character name";
  return e;
}

}  // namespace

Result<StrObject> DecodeUnicodeEscape(ThreadState& ts, DecodeInput& in) {
  StrBuilder out(ts);
  MVM_TRY_VOID(out.Reserve(in.bytes.size()));
  Ref<> keep;
  size_t at = 0;
  bool warned = false;
  while (at < in.bytes.size()) {
    const uint8_t c = static_cast<uint8_t>(in.bytes[at]);
    if (c != '\\') {
      MVM_TRY_VOID(out.Append(c));
      ++at;
      continue;
    }
    Escape e;
    if (at + 1 == in.bytes.size()) {
      e.error = "\\ at end of string";
      e.end = at + 1;
      e.incomplete = true;
    } else {
      const char kind = in.bytes[at + 1];
      e.end = at + 2;
      switch (kind) {
        case '\n': at += 2; continue;
        case '\\':
        case '\'':
        case '"': e.c = static_cast<uint8_t>(kind); break;
        case 'a': e.c = '\a'; break;
        case 'b': e.c = '\b'; break;
        case 'f': e.c = '\f'; break;
        case 'n': e.c = '\n'; break;
        case 'r': e.c = '\r'; break;
        case 't': e.c = '\t'; break;
        case 'v': e.c = '\v'; break;
        case 'x': e = ReadHex(in.bytes, at + 2, 2, "truncated \\xXX escape", ""); break;
        case 'u': e = ReadHex(in.bytes, at + 2, 4, "truncated \\uXXXX escape", ""); break;
        case 'U':
          e = ReadHex(in.bytes, at + 2, 8, "truncated \\UXXXXXXXX escape",
                      "illegal Unicode character");
          break;
        case 'N': e = ReadName(in.bytes, at + 2); break;
        case '0':
        case '1':
        case '2':
        case '3':
        case '4':
        case '5':
        case '6':
        case '7': {
          size_t i = at + 1;
          for (; i < in.bytes.size() && i < at + 4 && in.bytes[i] >= '0' && in.bytes[i] <= '7';
               ++i) {
            e.c = e.c << 3 | static_cast<char32_t>(in.bytes[i] - '0');
          }
          e.end = i;
          if (e.c > 0xFF && !std::exchange(warned, true)) {
            MVM_TRY_VOID(Warn(ts, Exc::kDeprecationWarning, 1,
                              "invalid octal escape sequence '\\%.3s'", in.bytes.data() + at + 1));
          }
          break;
        }
        default:
          if (!std::exchange(warned, true)) {
            MVM_TRY_VOID(Warn(ts, Exc::kDeprecationWarning, 1, "invalid escape sequence '\\%c'",
                              static_cast<unsigned char>(kind) < 128 ? kind : '?'));
          }
          MVM_TRY_VOID(out.Append('\\'));
          MVM_TRY_VOID(out.Append(static_cast<uint8_t>(kind)));
          at += 2;
          continue;
      }
    }
    if (!e.error) {
      MVM_TRY_VOID(out.Append(e.c));
      at = e.end;
      continue;
    }
    if (e.incomplete && !in.final) break;
    MVM_TRY(at, HandleDecodeError(ts, in, "unicodeescape", at, e.end, e.error, &out, &keep));
  }
  in.consumed = at;
  return out.Finish();
}

Result<StrObject> DecodeRawUnicodeEscape(ThreadState& ts, DecodeInput& in) {
  StrBuilder out(ts);
  MVM_TRY_VOID(out.Reserve(in.bytes.size()));
  Ref<> keep;
  size_t at = 0;
  while (at < in.bytes.size()) {
    const uint8_t c = static_cast<uint8_t>(in.bytes[at]);
    if (c != '\\') {
      MVM_TRY_VOID(out.Append(c));
      ++at;
      continue;
    }
    if (at + 1 == in.bytes.size()) {
      if (!in.final) break;
      MVM_TRY_VOID(out.Append(c));
      ++at;
      continue;
    }
    const char kind = in.bytes[at + 1];
    if (kind != 'u' && kind != 'U') {
      MVM_TRY_VOID(out.Append(c));
      MVM_TRY_VOID(out.Append(static_cast<uint8_t>(kind)));
      at += 2;
      continue;
    }
    const Escape e = kind == 'u' ? ReadHex(in.bytes, at + 2, 4, "truncated \\uXXXX escape", "")
                                 : ReadHex(in.bytes, at + 2, 8, "truncated \\UXXXXXXXX escape",
                                           "\\Uxxxxxxxx out of range");
    if (!e.error) {
      MVM_TRY_VOID(out.Append(e.c));
      at = e.end;
      continue;
    }
    if (e.incomplete && !in.final) break;
    MVM_TRY(at, HandleDecodeError(ts, in, "rawunicodeescape", at, e.end, e.error, &out, &keep));
  }
  in.consumed = at;
  return out.Finish();
}

namespace {

void AppendEscape(TextBuffer* out, char32_t c) {
  char buf[12];
  const int n = std::snprintf(buf, sizeof(buf),
                              c < 0x100     ? "\\x%02x"
                              : c < 0x10000 ? "\\u%04x"
                                            : "\\U%08x",
                              static_cast<unsigned>(c));
  out->Append({buf, static_cast<size_t>(n)});
}

}  // namespace

Result<BytesObject> EncodeUnicodeEscape(ThreadState& ts, StrObject* s) {
  MVM_TRY_VOID(CheckRoom(ts, s->length * 2));
  TextBuffer out(Heap::kMaxAllocation);
  for (size_t i = 0; i < s->length; ++i) {
    const char32_t c = s->At(i);
    switch (c) {
      case '\\': out.Append("\\\\"); break;
      case '\t': out.Append("\\t"); break;
      case '\n': out.Append("\\n"); break;
      case '\r': out.Append("\\r"); break;
      default:
        if (c >= 0x20 && c < 0x7F) {
          out.Append(static_cast<char>(c));
        } else {
          AppendEscape(&out, c);
        }
    }
  }
  if (out.failed()) return RaiseMemoryError(ts);
  return NewBytes(ts, out.view());
}

Result<BytesObject> EncodeRawUnicodeEscape(ThreadState& ts, StrObject* s) {
  if (s->kind() == 1) return NewBytes(ts, s->ascii_view());
  TextBuffer out(Heap::kMaxAllocation);
  for (size_t i = 0; i < s->length; ++i) {
    const char32_t c = s->At(i);
    if (c < 0x100) {
      out.Append(static_cast<char>(c));
    } else {
      AppendEscape(&out, c);
    }
  }
  if (out.failed()) return RaiseMemoryError(ts);
  return NewBytes(ts, out.view());
}

}  // namespace minivm
