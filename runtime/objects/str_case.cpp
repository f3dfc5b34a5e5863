// Case mappings of str and the is...() tests. ASCII text is mapped eight characters at a time;
// the rest goes character by character through the full Unicode mappings.
#include <cstring>

#include "runtime/objects/str_methods.h"
#include "runtime/support/small_vector.h"
#include "runtime/support/unicode.h"

namespace minivm {
namespace {

inline bool AsciiUpper(uint8_t c) { return static_cast<uint8_t>(c - 'A') < 26; }
inline bool AsciiLower(uint8_t c) { return static_cast<uint8_t>(c - 'a') < 26; }

// For each of the eight ASCII bytes of a word, 0x20 where it is within [first, first + 26).
inline uint64_t CaseBits(uint64_t word, char first) {
  constexpr uint64_t kOnes = 0x0101010101010101u;
  const uint64_t from = word + kOnes * static_cast<uint64_t>(0x80 - first);
  const uint64_t above = word + kOnes * static_cast<uint64_t>(0x80 - first - 26);
  return ((from & ~above) & kOnes * 0x80) >> 2;
}

// A new ASCII string from an ASCII one: `flip` gives the bits by which eight bytes change.
template <class F>
Result<StrObject> FlipAscii(ThreadState& ts, const StrObject* s, F flip) {
  const size_t n = s->length;
  uint64_t word = 0;
  if (n <= 1) {
    if (n == 0) return EmptyStr(ts);
    word = s->data1()[0];
    return StrFromChar(ts, static_cast<char32_t>(word ^ flip(word)));
  }
  MVM_TRY(Ref<StrObject> out, NewStrRaw(ts, n, 0x7F));
  const uint8_t* from = s->data1();
  uint8_t* to = out->data1();
  size_t i = 0;
  for (; i + 8 <= n; i += 8) {
    std::memcpy(&word, from + i, 8);
    word ^= flip(word);
    std::memcpy(to + i, &word, 8);
  }
  for (; i < n; ++i) {
    word = from[i];
    to[i] = static_cast<uint8_t>(word ^ flip(word));
  }
  return out;
}

// A new ASCII string from each byte of an ASCII one.
template <class F>
Result<StrObject> MapAscii(ThreadState& ts, const StrObject* s, F f) {
  if (s->length == 0) return EmptyStr(ts);
  if (s->length == 1) return StrFromChar(ts, f(s->data1()[0]));
  MVM_TRY(Ref<StrObject> out, NewStrRaw(ts, s->length, 0x7F));
  const uint8_t* from = s->data1();
  uint8_t* to = out->data1();
  const size_t n = s->length;
  for (size_t i = 0; i < n; ++i) to[i] = f(from[i]);
  return out;
}

using WideText = SmallVector<uint32_t, 256>;

// f(p, i, out3) maps the character at p[i] to up to three and returns how many.
template <class F>
Result<StrObject> MapFull(ThreadState& ts, const StrObject* s, F f) {
  MVM_TRY_VOID(CheckRoom(ts, s->length * 4));
  // Nearly all text keeps its length: one more pass with room for three times as much where it does
  // not.
  const size_t n = s->length;
  WideText out;
  for (const size_t room : {n + n / 16 + 8, n * 3 + 3}) {
    if (!out.Reserve(room)) return RaiseMemoryError(ts);
    uint32_t* const begin = out.data();
    uint32_t* const last = begin + room - 3;
    uint32_t* to = begin;
    const bool done = WithChars(s, [&](auto* p) {
      for (size_t i = 0; i < n; ++i) {
        if (to > last) return false;
        char32_t mapped[3];
        const unsigned count = f(p, i, mapped);
        *to++ = mapped[0];
        for (unsigned k = 1; k < count; ++k) *to++ = mapped[k];
      }
      return true;
    });
    if (done) return NewStrFromUcs4(ts, begin, static_cast<size_t>(to - begin));
  }
  return RaiseMemoryError(ts);
}

template <class CharT>
unsigned LowerAt(const CharT* p, size_t n, size_t i, char32_t* out) {
  if (p[i] == 0x3A3) {
    out[0] = LowerSigma(p, n, i);
    return 1;
  }
  return FullLower(p[i], out);
}

// True if the text is not empty and every character passes.
template <class Pred>
Result<> All(ThreadState& ts, Args args, Pred pred) {
  const StrObject* s = args.self<StrObject>();
  if (s->length == 0) return Bool(ts, false);
  return Bool(ts, WithChars(s, [&](auto* p) {
                for (size_t i = 0; i < s->length; ++i) {
                  if (!pred(static_cast<char32_t>(p[i]))) return false;
                }
                return true;
              }));
}

}  // namespace

Result<> str_lower(ThreadState& ts, Args args) {
  const StrObject* s = args.self<StrObject>();
  if (s->ascii()) {
    return FlipAscii(ts, s, [](uint64_t word) { return CaseBits(word, 'A'); });
  }
  return MapFull(ts, s, [s](auto* p, size_t i, char32_t* out) -> unsigned {
    if (p[i] < 0x80) {
      out[0] = p[i] + (AsciiUpper(static_cast<uint8_t>(p[i])) ? 32u : 0u);
      return 1;
    }
    return LowerAt(p, s->length, i, out);
  });
}

Result<> str_upper(ThreadState& ts, Args args) {
  const StrObject* s = args.self<StrObject>();
  if (s->ascii()) {
    return FlipAscii(ts, s, [](uint64_t word) { return CaseBits(word, 'a'); });
  }
  return MapFull(ts, s, [](auto* p, size_t i, char32_t* out) -> unsigned {
    if (p[i] < 0x80) {
      out[0] = p[i] - (AsciiLower(static_cast<uint8_t>(p[i])) ? 32u : 0u);
      return 1;
    }
    return FullUpper(p[i], out);
  });
}

Result<> str_casefold(ThreadState& ts, Args args) {
  const StrObject* s = args.self<StrObject>();
  if (s->ascii()) return str_lower(ts, args);
  return MapFull(ts, s, [](auto* p, size_t i, char32_t* out) { return FullCasefold(p[i], out); });
}

Result<> str_swapcase(ThreadState& ts, Args args) {
  const StrObject* s = args.self<StrObject>();
  if (s->ascii()) {
    return FlipAscii(ts, s,
                     [](uint64_t word) { return CaseBits(word, 'A') | CaseBits(word, 'a'); });
  }
  return MapFull(ts, s, [s](auto* p, size_t i, char32_t* out) -> unsigned {
    if (IsUpper(p[i])) return LowerAt(p, s->length, i, out);
    if (IsLower(p[i])) return FullUpper(p[i], out);
    out[0] = p[i];
    return 1;
  });
}

Result<> str_title(ThreadState& ts, Args args) {
  const StrObject* s = args.self<StrObject>();
  bool in_word = false;
  if (s->ascii()) {
    return MapAscii(ts, s, [&in_word](uint8_t c) -> uint8_t {
      const bool upper = AsciiUpper(c), lower = AsciiLower(c);
      if (in_word && upper) c += 32;
      if (!in_word && lower) c -= 32;
      in_word = upper || lower;
      return c;
    });
  }
  return MapFull(ts, s, [s, &in_word](auto* p, size_t i, char32_t* out) {
    if (i == 0) in_word = false;
    const unsigned n = in_word ? LowerAt(p, s->length, i, out) : FullTitle(p[i], out);
    in_word = IsCased(p[i]);
    return n;
  });
}

Result<> str_capitalize(ThreadState& ts, Args args) {
  const StrObject* s = args.self<StrObject>();
  if (s->ascii()) {
    bool first = true;
    return MapAscii(ts, s, [&first](uint8_t c) -> uint8_t {
      const bool up = std::exchange(first, false);
      if (up) return c - (AsciiLower(c) ? 32 : 0);
      return c + (AsciiUpper(c) ? 32 : 0);
    });
  }
  return MapFull(ts, s, [s](auto* p, size_t i, char32_t* out) {
    return i == 0 ? FullTitle(p[i], out) : LowerAt(p, s->length, i, out);
  });
}

Result<> str_isascii(ThreadState& ts, Args args) {
  return Bool(ts, args.self<StrObject>()->ascii());
}
Result<> str_isalnum(ThreadState& ts, Args args) {
  return All(ts, args, [](char32_t c) { return IsAlnum(c); });
}
Result<> str_isalpha(ThreadState& ts, Args args) {
  return All(ts, args, [](char32_t c) { return IsAlpha(c); });
}
Result<> str_isdecimal(ThreadState& ts, Args args) {
  return All(ts, args, [](char32_t c) { return IsDecimal(c); });
}
Result<> str_isdigit(ThreadState& ts, Args args) {
  return All(ts, args, [](char32_t c) { return IsDigit(c); });
}
Result<> str_isnumeric(ThreadState& ts, Args args) {
  return All(ts, args, [](char32_t c) { return IsNumeric(c); });
}
Result<> str_isspace(ThreadState& ts, Args args) {
  return All(ts, args, [](char32_t c) { return IsSpace(c); });
}
Result<> str_isprintable(ThreadState& ts, Args args) {
  if (args.self<StrObject>()->length == 0) return Bool(ts, true);
  return All(ts, args, [](char32_t c) { return IsPrintable(c); });
}

Result<> str_isidentifier(ThreadState& ts, Args args) {
  bool first = true;
  return All(ts, args, [&first](char32_t c) {
    return std::exchange(first, false) ? c == '_' || IsIdentifierStart(c) : IsIdentifierContinue(c);
  });
}

Result<> str_islower(ThreadState& ts, Args args) {
  bool cased = false;
  MVM_TRY(Ref<> none_upper, All(ts, args, [&cased](char32_t c) {
            cased |= IsLower(c);
            return !IsUpper(c) && !IsTitle(c);
          }));
  return Bool(ts, cased && IsTrue(ts, none_upper));
}

Result<> str_isupper(ThreadState& ts, Args args) {
  bool cased = false;
  MVM_TRY(Ref<> none_lower, All(ts, args, [&cased](char32_t c) {
            cased |= IsUpper(c);
            return !IsLower(c) && !IsTitle(c);
          }));
  return Bool(ts, cased && IsTrue(ts, none_lower));
}

Result<> str_istitle(ThreadState& ts, Args args) {
  bool cased = false, in_word = false;
  MVM_TRY(Ref<> ordered, All(ts, args, [&](char32_t c) {
            if (IsUpper(c) || IsTitle(c)) {
              if (in_word) return false;
              cased = in_word = true;
            } else if (IsLower(c)) {
              if (!in_word) return false;
              cased = true;
            } else {
              in_word = false;
            }
            return true;
          }));
  return Bool(ts, cased && IsTrue(ts, ordered));
}

}  // namespace minivm
