// JSON string literals, both ways.
#include "runtime/objects/int_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"
#include "stdlib/json/json_types.h"

namespace minivm::json {

Raised RaiseDecodeError(ThreadState& ts, const char* message, StrObject* s, size_t position) {
  MVM_TRY(Ref<> decoder, ts.rt->hooks.import_module(ts, "json.decoder"));
  MVM_TRY(Ref<> cls, GetAttr(ts, decoder, std::string_view("JSONDecodeError")));
  MVM_TRY(Ref<StrObject> text, NewStr(ts, message));
  MVM_TRY(Ref<> pos, NewInt(ts, static_cast<int64_t>(position)));
  MVM_TRY(Ref<> error, Call(ts, cls, Value(text.get()), Value(s), pos));
  return RaiseObject(ts, error);
}

namespace {

int HexDigit(char32_t c) {
  if (c >= '0' && c <= '9') return static_cast<int>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<int>(c - 'a') + 10;
  if (c >= 'A' && c <= 'F') return static_cast<int>(c - 'A') + 10;
  return -1;
}

// The four digits behind \u; -1 if they are not there.
template <class Char>
int32_t FourDigits(const Char* p, size_t n, size_t at) {
  if (at + 4 > n) return -1;
  int32_t value = 0;
  for (size_t i = at; i < at + 4; ++i) {
    const int digit = HexDigit(p[i]);
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

// Characters up to the next quote, backslash or control character.
template <class Char>
size_t PlainEnd(const Char* p, size_t n, size_t at) {
  while (at < n && p[at] != '"' && p[at] != '\\' && p[at] >= 0x20) ++at;
  return at;
}

Result<StrObject> NewSlice(ThreadState& ts, const uint8_t* p, size_t n) {
  return NewStrFromUcs1(ts, p, n);
}
Result<StrObject> NewSlice(ThreadState& ts, const uint16_t* p, size_t n) {
  return NewStrFromUcs2(ts, p, n);
}
Result<StrObject> NewSlice(ThreadState& ts, const uint32_t* p, size_t n) {
  return NewStrFromUcs4(ts, p, n);
}

// A literal with escapes, or with control characters that are allowed.
template <class Char>
Result<StrObject> ScanEscaped(ThreadState& ts, StrObject* s, const Char* p, size_t* end,
                              bool strict) {
  const size_t n = s->length, begin = *end - 1;
  size_t at = *end;
  StrBuilder out(ts);
  for (;;) {
    const size_t stop = PlainEnd(p, n, at);
    if (stop > at) MVM_TRY_VOID(out.AppendSlice(s, at, stop));
    at = stop;
    if (at >= n) return RaiseDecodeError(ts, "Unterminated string starting at", s, begin);
    char32_t c = p[at];
    if (c == '"') {
      *end = at + 1;
      return out.Finish();
    }
    if (c != '\\') {
      if (strict) return RaiseDecodeError(ts, "Invalid control character at", s, at);
      MVM_TRY_VOID(out.Append(c));
      ++at;
      continue;
    }
    if (at + 1 >= n) return RaiseDecodeError(ts, "Unterminated string starting at", s, begin);
    c = p[at + 1];
    switch (c) {
      case '"':
      case '\\':
      case '/': break;
      case 'b': c = '\b'; break;
      case 'f': c = '\f'; break;
      case 'n': c = '\n'; break;
      case 'r': c = '\r'; break;
      case 't': c = '\t'; break;
      case 'u': {
        const int32_t unit = FourDigits(p, n, at + 2);
        if (unit < 0) return RaiseDecodeError(ts, "Invalid \\uXXXX escape", s, at + 1);
        c = static_cast<char32_t>(unit);
        at += 4;
        // The two halves of a pair make one character.
        if (unit >= 0xD800 && unit < 0xDC00 && at + 4 < n && p[at + 2] == '\\' &&
            p[at + 3] == 'u') {
          const int32_t low = FourDigits(p, n, at + 4);
          if (low >= 0xDC00 && low < 0xE000) {
            c = 0x10000 + ((c - 0xD800) << 10) + static_cast<char32_t>(low - 0xDC00);
            at += 6;
          }
        }
        break;
      }
      default: return RaiseDecodeError(ts, "Invalid \\escape", s, at);
    }
    MVM_TRY_VOID(out.Append(c));
    at += 2;
  }
}

// Must the character be escaped in a literal?
inline bool NeedsEscape(char32_t c, bool ascii) {
  return c < 0x20 || c == '"' || c == '\\' || (ascii && c > 0x7E);
}

Status AppendEscape(StrBuilder* out, char32_t c) {
  static constexpr char kHex[] = "0123456789abcdef";
  const char* simple = nullptr;
  switch (c) {
    case '"': simple = "\\\""; break;
    case '\\': simple = "\\\\"; break;
    case '\b': simple = "\\b"; break;
    case '\f': simple = "\\f"; break;
    case '\n': simple = "\\n"; break;
    case '\r': simple = "\\r"; break;
    case '\t': simple = "\\t"; break;
    default: break;
  }
  if (simple) return out->AppendAscii({simple, 2});
  if (c >= 0x10000) {
    MVM_TRY_VOID(AppendEscape(out, 0xD800 + ((c - 0x10000) >> 10)));
    c = 0xDC00 + ((c - 0x10000) & 0x3FF);
  }
  const char text[6] = {'\\',        'u', kHex[c >> 12], kHex[(c >> 8) & 15], kHex[(c >> 4) & 15],
                        kHex[c & 15]};
  return out->AppendAscii({text, 6});
}

template <bool kAscii>
Result<> Encode(ThreadState& ts, Args args) {
  if (!IsStr(ts, args[0]))
    return Raise(ts, Exc::kTypeError, "first argument must be a string, not %T", args[0]);
  StrBuilder out(ts);
  MVM_TRY_VOID(AppendLiteral(ts, &out, args.as<StrObject>(0), kAscii));
  return out.Finish();
}

}  // namespace

Result<StrObject> ScanString(ThreadState& ts, StrObject* s, size_t* end, bool strict) {
  return WithChars(s, [&](const auto* p) -> Result<StrObject> {
    const size_t stop = PlainEnd(p, s->length, *end);
    if (MVM_LIKELY(stop < s->length && p[stop] == '"')) {
      const size_t start = std::exchange(*end, stop + 1);
      return NewSlice(ts, p + start, stop - start);
    }
    return ScanEscaped(ts, s, p, end, strict);
  });
}

Status AppendLiteral(ThreadState& ts, StrBuilder* out, const StrObject* s, bool ascii) {
  MVM_TRY_VOID(out->Append('"'));
  const size_t n = s->length;
  MVM_TRY_VOID(WithChars(s, [&](const auto* p) -> Status {
    size_t start = 0;
    for (size_t i = 0; i < n; ++i) {
      if (MVM_LIKELY(!NeedsEscape(p[i], ascii))) continue;
      if (i > start) MVM_TRY_VOID(out->AppendSlice(s, start, i));
      MVM_TRY_VOID(AppendEscape(out, p[i]));
      start = i + 1;
    }
    return start < n ? out->AppendSlice(s, start, n) : Ok();
  }));
  return out->Append('"');
}

Result<> json_scanstring(ThreadState& ts, Args args) {
  MVM_TRY(Ref<> index, Index(ts, args[1]));
  int64_t end;
  if (!IntFitsInt64(index, &end))
    return Raise(ts, Exc::kOverflowError, "Python int too large to convert to C ssize_t");
  MVM_TRY(bool strict, Truth(ts, args[2]));
  if (!IsStr(ts, args[0]))
    return Raise(ts, Exc::kTypeError, "first argument must be a string, not %T", args[0]);
  StrObject* s = args.as<StrObject>(0);
  if (end < 0 || static_cast<uint64_t>(end) > s->length)
    return Raise(ts, Exc::kValueError, "end is out of bounds");
  size_t at = static_cast<size_t>(end);
  MVM_TRY(Ref<StrObject> text, ScanString(ts, s, &at, strict));
  MVM_TRY(Ref<> after, NewInt(ts, static_cast<int64_t>(at)));
  Value pair[] = {Value(text.get()), after};
  return NewTuple(ts, pair);
}

Result<> json_encode_ascii(ThreadState& ts, Args args) { return Encode<true>(ts, args); }
Result<> json_encode_unicode(ThreadState& ts, Args args) { return Encode<false>(ts, args); }

}  // namespace minivm::json
