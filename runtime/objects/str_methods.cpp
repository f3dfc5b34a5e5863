// Methods of str that search, strip, pad, replace and translate.
#include "runtime/objects/str_methods.h"

#include <algorithm>
#include <cstring>

#include "runtime/objects/dict_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"
#include "runtime/support/small_vector.h"
#include "runtime/support/text_search.h"
#include "runtime/support/unicode.h"
#include "runtime/support/utf8.h"

namespace minivm {
namespace {

// ---- searching ----

struct Search {
  StrObject* text;
  StrObject* needle;
  size_t from, to;
};

Status SearchArguments(ThreadState& ts, Args args, const char* method, Search* out) {
  out->text = args.self<StrObject>();
  MVM_TRY(out->needle, StrArgument(ts, args[1], method, 1));
  return SliceBounds(ts, args.get(2, Value()), args.get(3, Value()), out->text->length, &out->from,
                     &out->to);
}

int64_t RFind(const StrObject* s, const StrObject* needle, size_t start, size_t end) {
  if (start > end || needle->length > end - start) return -1;
  if (needle->length == 0) return static_cast<int64_t>(end);
  if (needle->kind() > s->kind() || (s->ascii() && !needle->ascii())) return -1;
  ptrdiff_t at = WithChars(s, [&](auto* h) {
    return WithChars(needle, [&](auto* p) -> ptrdiff_t {
      if constexpr (sizeof(*p) <= sizeof(*h)) {
        return RFindText(h + start, end - start, p, needle->length);
      } else {
        return -1;
      }
    });
  });
  return at < 0 ? -1 : at + static_cast<int64_t>(start);
}

// -1: an exception is pending.
ptrdiff_t Count(ThreadState& ts, const StrObject* s, const StrObject* needle, size_t start,
                size_t end) {
  if (start > end) return 0;
  if (needle->length == 0) return static_cast<ptrdiff_t>(end - start + 1);
  if (needle->kind() > s->kind() || (s->ascii() && !needle->ascii())) return 0;
  return WithChars(s, [&](auto* h) {
    return WithChars(needle, [&](auto* p) -> ptrdiff_t {
      using H = std::remove_cvref_t<decltype(*h)>;
      if constexpr (sizeof(*p) <= sizeof(*h)) {
        if (needle->length == 1)
          return static_cast<ptrdiff_t>(CountChar(h + start, end - start, static_cast<H>(p[0])));
        return CountText(h + start, end - start, p, needle->length,
                         [&ts] { return !Charge(ts, 1).raised(); });
      } else {
        return 0;
      }
    });
  });
}

// Does s[at:] begin with `part`? REQUIRES: at + part->length <= s->length
[[gnu::noinline]] bool WideMatchesAt(const StrObject* s, const StrObject* part, size_t at) {
  if (part->kind() > s->kind()) return false;
  return WithChars(s, [&](auto* h) {
    return WithChars(part, [&](auto* p) { return EqualChars(h + at, p, part->length); });
  });
}

[[gnu::always_inline]] inline bool MatchesAt(const StrObject* s, const StrObject* part, size_t at) {
  if (MVM_UNLIKELY((s->kind() | part->kind()) != 1)) return WideMatchesAt(s, part, at);
  return EqualBytes(s->data1() + at, part->data1(), part->length);
}

[[gnu::always_inline]] inline bool TailMatch(const StrObject* s, const StrObject* part, size_t from,
                                             size_t to, bool at_end) {
  if (from > to || part->length > to - from) return false;
  return MatchesAt(s, part, at_end ? to - part->length : from);
}

Result<> PrefixTestSlow(ThreadState& ts, Args args, bool at_end) {
  const char* method = at_end ? "endswith" : "startswith";
  const StrObject* s = args.self<StrObject>();
  size_t from, to;
  MVM_TRY_VOID(SliceBounds(ts, args.get(2, Value()), args.get(3, Value()), s->length, &from, &to));
  if (MVM_LIKELY(IsStr(ts, args[1]))) {
    return Bool(ts, TailMatch(s, args.as<StrObject>(1), from, to, at_end));
  }
  if (!IsTuple(ts, args[1])) {
    return Raise(ts, Exc::kTypeError, "%s first arg must be str or a tuple of str, not %T", method,
                 args[1]);
  }
  for (Value part : args.as<TupleObject>(1)->span()) {
    if (!IsStr(ts, part)) {
      return Raise(ts, Exc::kTypeError, "tuple for %s must only contain str, not %T", method, part);
    }
    if (TailMatch(s, part.as<StrObject>(), from, to, at_end)) return Bool(ts, true);
  }
  return Bool(ts, false);
}

template <bool kAtEnd>
Result<> PrefixTest(ThreadState& ts, Args args) {
  if (MVM_LIKELY(IsExact(args[1], TypeId::kStr) && IsNone(ts, args[2]) && IsNone(ts, args[3]))) {
    const StrObject* s = args.self<StrObject>();
    return Bool(ts, TailMatch(s, args.as<StrObject>(1), 0, s->length, kAtEnd));
  }
  return PrefixTestSlow(ts, args, kAtEnd);
}

// ---- stripping ----

enum Sides { kLeft = 1, kRight = 2, kBoth = 3 };

// The characters of a strip() argument: a bitmap for those below 128, the rest is searched.
class CharSet {
 public:
  explicit CharSet(const StrObject* chars) : chars_(chars) {
    WithChars(chars, [&](auto* p) {
      for (size_t i = 0; i < chars_->length; ++i) {
        if (p[i] < 128) bits_[p[i] >> 6] |= uint64_t{1} << (p[i] & 63);
      }
    });
  }
  bool Has(char32_t c) const {
    if (c < 128) return (bits_[c >> 6] >> (c & 63)) & 1;
    if (chars_->ascii()) return false;
    return WithChars(chars_, [&](auto* p) {
      for (size_t i = 0; i < chars_->length; ++i) {
        if (p[i] == c) return true;
      }
      return false;
    });
  }

 private:
  const StrObject* chars_;
  uint64_t bits_[2] = {};
};

template <class Pred>
Result<> StripWhere(ThreadState& ts, StrObject* s, int sides, Pred drop) {
  size_t from = 0, to = s->length;
  WithChars(s, [&](auto* p) {
    if (sides & kLeft) {
      while (from < to && drop(p[from])) ++from;
    }
    if (sides & kRight) {
      while (to > from && drop(p[to - 1])) --to;
    }
  });
  return StrSlice(ts, s, from, to);
}

Result<> Strip(ThreadState& ts, Args args, int sides, const char* method) {
  StrObject* s = args.self<StrObject>();
  if (!args.has(1) || IsNone(ts, args[1])) {
    return StripWhere(ts, s, sides, [](auto c) { return IsSpaceChar(c); });
  }
  if (!IsStr(ts, args[1])) return Raise(ts, Exc::kTypeError, "%s arg must be None or str", method);
  const StrObject* chars = args.as<StrObject>(1);
  if (chars->length == 1) {
    const char32_t only = chars->At(0);
    return StripWhere(ts, s, sides, [only](char32_t c) { return c == only; });
  }
  CharSet set(chars);
  return StripWhere(ts, s, sides, [&](char32_t c) { return set.Has(c); });
}

// ---- padding ----

Result<StrObject> Pad(ThreadState& ts, StrObject* s, size_t left, size_t right, char32_t fill) {
  if (left == 0 && right == 0) return StrExact(ts, s);
  if (left > Heap::kMaxAllocation || right > Heap::kMaxAllocation) return RaiseMemoryError(ts);
  MVM_TRY(Ref<StrObject> out, NewStrRaw(ts, left + s->length + right, std::max(s->bound(), fill)));
  StrCopyChars(out, left, s, 0, s->length);
  WithChars(out.get(), [&](auto* p) {
    using C = std::remove_cvref_t<decltype(*p)>;
    C* to = const_cast<C*>(p);
    std::fill_n(to, left, static_cast<C>(fill));
    std::fill_n(to + left + s->length, right, static_cast<C>(fill));
  });
  return out;
}

Status PadArguments(ThreadState& ts, Args args, int64_t* width, char32_t* fill) {
  MVM_TRY(*width, AsSize(ts, args[1]));
  *fill = ' ';
  if (!args.has(2)) return Ok();
  if (!IsStr(ts, args[2])) {
    return Raise(ts, Exc::kTypeError, "The fill character must be a unicode character, not %T",
                 args[2]);
  }
  if (args.as<StrObject>(2)->length != 1) {
    return Raise(ts, Exc::kTypeError, "The fill character must be exactly one character long");
  }
  *fill = args.as<StrObject>(2)->At(0);
  return Ok();
}

// ---- replacing ----

// Where `old` occurs, at most `limit` times. False: no memory.
bool FindAll(ThreadState& ts, const StrObject* s, const StrObject* old, size_t limit,
             Positions* out) {
  const size_t n = s->length, m = old->length;
  return WithChars(s, [&](auto* h) {
    return WithChars(old, [&](auto* p) {
      if constexpr (sizeof(*p) <= sizeof(*h)) {
        for (size_t i = 0; out->size() < limit;) {
          ptrdiff_t at = FindText(h + i, n - i, p, m);
          if (at < 0) break;
          i += static_cast<size_t>(at);
          if (!PushPosition(ts, i, out)) return false;
          i += m;
        }
      }
      return true;
    });
  });
}

// One character by another of the same width: a copy with the bytes changed.
Result<StrObject> ReplaceChar(ThreadState& ts, StrObject* s, char32_t old, char32_t fresh,
                              size_t limit) {
  const int64_t first = WithChars(s, [&](auto* p) {
    using C = std::remove_cvref_t<decltype(*p)>;
    return FindChar(p, s->length, static_cast<C>(old));
  });
  if (first < 0) return StrExact(ts, s);
  MVM_TRY(Ref<StrObject> out, NewStrRaw(ts, s->length, std::max(s->bound(), fresh)));
  StrCopyChars(out, 0, s, 0, s->length);
  WithChars(out.get(), [&](auto* p) {
    using C = std::remove_cvref_t<decltype(*p)>;
    C* to = const_cast<C*>(p);
    const C from_char = static_cast<C>(old), to_char = static_cast<C>(fresh);
    const size_t n =
        s->length;  // a local: stores to `to` might change the field, for all GCC knows
    if (limit >= n) {
      size_t i = static_cast<size_t>(first);
      if constexpr (sizeof(C) == 1) {
        // Eight at a time: the high bit of each byte that is equal spreads to the bits that change.
        constexpr uint64_t kOnes = 0x0101010101010101u;
        const uint64_t from = kOnes * from_char, change = kOnes * (from_char ^ to_char);
        for (; i + 8 <= n; i += 8) {
          uint64_t word;
          std::memcpy(&word, to + i, 8);
          const uint64_t other = word ^ from;
          const uint64_t equal = ~(((other & kOnes * 0x7F) + kOnes * 0x7F) | other) & kOnes * 0x80;
          word ^= change & (equal >> 7) * 0xFF;
          std::memcpy(to + i, &word, 8);
        }
      }
      for (; i < n; ++i) {
        to[i] = to[i] == from_char ? to_char : to[i];
      }
    } else {
      for (size_t i = static_cast<size_t>(first); i < n && limit > 0; ++i) {
        if (to[i] == from_char) {
          to[i] = to_char;
          --limit;
        }
      }
    }
  });
  return StrNarrow(ts, std::move(out));
}

// `fresh` between all characters (and at both ends), at most `limit` times.
Result<StrObject> Interleave(ThreadState& ts, StrObject* s, StrObject* fresh, size_t limit) {
  const size_t count = std::min(limit, static_cast<size_t>(s->length) + 1);
  if (fresh->length > 0 && count > (Heap::kMaxAllocation - s->length) / fresh->length) {
    return RaiseMemoryError(ts);
  }
  MVM_TRY(Ref<StrObject> out,
          NewStrRaw(ts, s->length + count * fresh->length, std::max(s->bound(), fresh->bound())));
  size_t at = 0;
  for (size_t i = 0; i < count; ++i) {
    StrCopyChars(out, at, fresh, 0, fresh->length);
    at += fresh->length;
    if (i < s->length) StrCopyChars(out, at++, s, i, 1);
  }
  if (count < s->length) StrCopyChars(out, at, s, count, s->length - count);
  return out;
}

Result<StrObject> Replace(ThreadState& ts, StrObject* s, StrObject* old, StrObject* fresh,
                          size_t limit) {
  if (limit == 0 || old->length > s->length || StrEquals(old, fresh)) return StrExact(ts, s);
  if (old->kind() > s->kind() || (s->ascii() && !old->ascii())) return StrExact(ts, s);
  if (old->length == 0) {
    if (fresh->length == 0) return StrExact(ts, s);
    return Interleave(ts, s, fresh, limit);
  }
  if (old->length == 1 && fresh->length == 1)
    return ReplaceChar(ts, s, old->At(0), fresh->At(0), limit);
  Positions found;
  if (!FindAll(ts, s, old, limit, &found)) return RaiseMemoryError(ts);
  const size_t count = found.size(), m = old->length, k = fresh->length;
  if (count == 0) return StrExact(ts, s);
  const size_t rest = s->length - count * m;
  if (k > 0 && count > (Heap::kMaxAllocation - rest) / k) return RaiseMemoryError(ts);
  const size_t total = rest + count * k;
  if (total == 0) return EmptyStr(ts);
  MVM_TRY(Ref<StrObject> out, NewStrRaw(ts, total, std::max(s->bound(), fresh->bound())));
  if (out->kind() == 1) {
    uint8_t* to = out->data1();
    const uint8_t *from = s->data1(), *piece = fresh->data1();
    size_t done = 0;
    for (size_t at : found) {
      std::memcpy(to, from + done, at - done);
      to += at - done;
      std::memcpy(to, piece, k);
      to += k;
      done = at + m;
    }
    std::memcpy(to, from + done, s->length - done);
  } else {
    size_t at_out = 0, done = 0;
    for (size_t at : found) {
      StrCopyChars(out, at_out, s, done, at - done);
      at_out += at - done;
      StrCopyChars(out, at_out, fresh, 0, k);
      at_out += k;
      done = at + m;
    }
    StrCopyChars(out, at_out, s, done, s->length - done);
  }
  return StrNarrow(ts, std::move(out));
}

// ---- translating ----

// Appends what the table says for c.
Status TranslateChar(ThreadState& ts, char32_t c, Value table, StrBuilder* out) {
  Result<> looked_up = GetItem(ts, table, Value::Int(static_cast<int64_t>(c)));
  if (looked_up.raised()) {
    if (!ClearPendingIf(ts, Exc::kLookupError)) return kRaised;
    return out->Append(c);
  }
  Ref<> mapped = looked_up.Take();
  if (IsNone(ts, mapped)) return Ok();
  if (IsStr(ts, mapped)) return out->Append(mapped.as<StrObject>());
  if (!IsInt(ts, mapped)) {
    return Raise(ts, Exc::kTypeError, "character mapping must return integer, None or str");
  }
  int64_t code;
  if (!IntFitsInt64(mapped, &code) || code < 0 || code > static_cast<int64_t>(kMaxCodePoint)) {
    return Raise(ts, Exc::kValueError, "character mapping must be in range(0x110000)");
  }
  return out->Append(static_cast<char32_t>(code));
}

// ASCII text and a real dict: each character's answer is looked up once while it is one ASCII
// character or nothing. *done gets how many characters were handled.
Status TranslateAscii(ThreadState& ts, StrObject* s, DictObject* table, StrBuilder* out,
                      size_t* done) {
  constexpr uint8_t kUnknown = 0xFF, kGone = 0xFE, kOther = 0xFD;
  uint8_t answer[128];
  std::memset(answer, kUnknown, sizeof(answer));
  MVM_TRY_VOID(out->Reserve(s->length));
  const uint8_t* p = s->data1();
  for (size_t i = 0; i < s->length; ++i) {
    const uint8_t c = p[i];
    if (answer[c] == kUnknown) {
      MVM_TRY(Ref<> mapped, DictGet(ts, table, Value::Int(c)));
      if (mapped.is_absent()) {
        answer[c] = c;
      } else if (IsNone(ts, mapped)) {
        answer[c] = kGone;
      } else if (mapped.is_int() && mapped.get().as_int() >= 0 && mapped.get().as_int() < 128) {
        answer[c] = static_cast<uint8_t>(mapped.get().as_int());
      } else if (IsExact(mapped, TypeId::kStr) && mapped.as<StrObject>()->length == 1 &&
                 mapped.as<StrObject>()->ascii()) {
        answer[c] = mapped.as<StrObject>()->data1()[0];
      } else {
        answer[c] = kOther;
      }
      if (mapped.is_absent()) (void)mapped.Release();
    }
    if (MVM_LIKELY(answer[c] < 128)) {
      MVM_TRY_VOID(out->Append(answer[c]));
    } else if (answer[c] == kOther) {
      MVM_TRY_VOID(TranslateChar(ts, c, table, out));
    }
  }
  *done = s->length;
  return Ok();
}

Status MapTransKey(ThreadState& ts, DictObject* table, Value key, Value value) {
  if (IsStr(ts, key)) {
    if (key.as<StrObject>()->length != 1) {
      return Raise(ts, Exc::kValueError, "string keys in translate table must be of length 1");
    }
    return DictSet(ts, table, Value::Int(static_cast<int64_t>(key.as<StrObject>()->At(0))), value);
  }
  if (!IsInt(ts, key)) {
    return Raise(ts, Exc::kTypeError, "keys in translate table must be strings or integers");
  }
  return DictSet(ts, table, key, value);
}

}  // namespace

Result<> str_find(ThreadState& ts, Args args) {
  Search s;
  MVM_TRY_VOID(SearchArguments(ts, args, "find", &s));
  return Small(StrFind(s.text, s.needle, s.from, s.to));
}

Result<> str_rfind(ThreadState& ts, Args args) {
  Search s;
  MVM_TRY_VOID(SearchArguments(ts, args, "rfind", &s));
  return Small(RFind(s.text, s.needle, s.from, s.to));
}

Result<> str_index(ThreadState& ts, Args args) {
  Search s;
  MVM_TRY_VOID(SearchArguments(ts, args, "index", &s));
  const int64_t at = StrFind(s.text, s.needle, s.from, s.to);
  if (at < 0) return Raise(ts, Exc::kValueError, "substring not found");
  return Small(at);
}

Result<> str_rindex(ThreadState& ts, Args args) {
  Search s;
  MVM_TRY_VOID(SearchArguments(ts, args, "rindex", &s));
  const int64_t at = RFind(s.text, s.needle, s.from, s.to);
  if (at < 0) return Raise(ts, Exc::kValueError, "substring not found");
  return Small(at);
}

Result<> str_count(ThreadState& ts, Args args) {
  Search s;
  MVM_TRY_VOID(SearchArguments(ts, args, "count", &s));
  const ptrdiff_t count = Count(ts, s.text, s.needle, s.from, s.to);
  if (count < 0) return kRaised;
  return Small(count);
}

Result<> str_startswith(ThreadState& ts, Args args) { return PrefixTest<false>(ts, args); }
Result<> str_endswith(ThreadState& ts, Args args) { return PrefixTest<true>(ts, args); }

Result<> str_removeprefix(ThreadState& ts, Args args) {
  StrObject* s = args.self<StrObject>();
  MVM_TRY(StrObject * prefix, StrArgument(ts, args[1], "removeprefix", 0));
  if (!TailMatch(s, prefix, 0, s->length, false)) return StrExact(ts, s);
  return StrSlice(ts, s, prefix->length, s->length);
}

Result<> str_removesuffix(ThreadState& ts, Args args) {
  StrObject* s = args.self<StrObject>();
  MVM_TRY(StrObject * suffix, StrArgument(ts, args[1], "removesuffix", 0));
  if (!TailMatch(s, suffix, 0, s->length, true)) return StrExact(ts, s);
  return StrSlice(ts, s, 0, s->length - suffix->length);
}

Result<> str_strip(ThreadState& ts, Args args) { return Strip(ts, args, kBoth, "strip"); }
Result<> str_lstrip(ThreadState& ts, Args args) { return Strip(ts, args, kLeft, "lstrip"); }
Result<> str_rstrip(ThreadState& ts, Args args) { return Strip(ts, args, kRight, "rstrip"); }

Result<> str_center(ThreadState& ts, Args args) {
  int64_t width;
  char32_t fill;
  MVM_TRY_VOID(PadArguments(ts, args, &width, &fill));
  StrObject* s = args.self<StrObject>();
  const int64_t length = static_cast<int64_t>(s->length);
  if (width <= length) return StrExact(ts, s);
  const int64_t pad = width - length;
  const int64_t left = pad / 2 + (pad & width & 1);
  return Pad(ts, s, static_cast<size_t>(left), static_cast<size_t>(pad - left), fill);
}

Result<> str_ljust(ThreadState& ts, Args args) {
  int64_t width;
  char32_t fill;
  MVM_TRY_VOID(PadArguments(ts, args, &width, &fill));
  StrObject* s = args.self<StrObject>();
  const int64_t length = static_cast<int64_t>(s->length);
  return Pad(ts, s, 0, width <= length ? 0 : static_cast<size_t>(width - length), fill);
}

Result<> str_rjust(ThreadState& ts, Args args) {
  int64_t width;
  char32_t fill;
  MVM_TRY_VOID(PadArguments(ts, args, &width, &fill));
  StrObject* s = args.self<StrObject>();
  const int64_t length = static_cast<int64_t>(s->length);
  return Pad(ts, s, width <= length ? 0 : static_cast<size_t>(width - length), 0, fill);
}

Result<> str_zfill(ThreadState& ts, Args args) {
  MVM_TRY(int64_t width, AsSize(ts, args[1]));
  StrObject* s = args.self<StrObject>();
  const int64_t length = static_cast<int64_t>(s->length);
  if (width <= length) return StrExact(ts, s);
  const size_t fill = static_cast<size_t>(width - length);
  MVM_TRY(Ref<StrObject> out, Pad(ts, s, fill, 0, '0'));
  if (length > 0) {
    WithChars(out.get(), [&](auto* p) {
      using C = std::remove_cvref_t<decltype(*p)>;
      C* to = const_cast<C*>(p);
      if (to[fill] == '+' || to[fill] == '-') {
        to[0] = to[fill];
        to[fill] = '0';
      }
    });
  }
  return out;
}

Result<> str_expandtabs(ThreadState& ts, Args args) {
  StrObject* s = args.self<StrObject>();
  int64_t tab = 8;
  if (args.has(1)) {
    int64_t wide;
    if (IsInt(ts, args[1]) &&
        (!IntFitsInt64(args[1], &wide) || wide != static_cast<int32_t>(wide))) {
      return Raise(ts, Exc::kOverflowError, "Python int too large to convert to C int");
    }
    MVM_TRY(tab, AsSize(ts, args[1]));
  }
  bool any = false;
  size_t total = 0, column = 0;
  WithChars(s, [&](auto* p) {
    for (size_t i = 0; i < s->length; ++i) {
      if (p[i] == '\t') {
        any = true;
        if (tab > 0) {
          const size_t pad = static_cast<size_t>(tab) - column % static_cast<size_t>(tab);
          column += pad;
          total += pad;
        }
      } else {
        ++total;
        column = p[i] == '\n' || p[i] == '\r' ? 0 : column + 1;
      }
    }
  });
  if (!any) return StrExact(ts, s);
  if (total > Heap::kMaxAllocation) return Raise(ts, Exc::kOverflowError, "new string is too long");
  if (total == 0) return EmptyStr(ts);
  MVM_TRY(Ref<StrObject> out, NewStrRaw(ts, total, s->bound()));
  WithChars(s, [&](auto* p) {
    using C = std::remove_cvref_t<decltype(*p)>;
    C* to = reinterpret_cast<C*>(out->data1());
    size_t at = 0;
    for (size_t i = 0; i < s->length; ++i) {
      if (p[i] != '\t') {
        *to++ = p[i];
        at = p[i] == '\n' || p[i] == '\r' ? 0 : at + 1;
      } else if (tab > 0) {
        const size_t pad = static_cast<size_t>(tab) - at % static_cast<size_t>(tab);
        to = std::fill_n(to, pad, static_cast<C>(' '));
        at += pad;
      }
    }
  });
  return StrNarrow(ts, std::move(out));
}

Result<> str_replace(ThreadState& ts, Args args) {
  MVM_TRY(StrObject * old, StrArgument(ts, args[1], "replace", 1));
  MVM_TRY(StrObject * fresh, StrArgument(ts, args[2], "replace", 2));
  int64_t count = -1;
  if (args.has(3)) {
    MVM_TRY(count, AsSize(ts, args[3]));
  }
  return Replace(ts, args.self<StrObject>(), old, fresh,
                 count < 0 ? SIZE_MAX : static_cast<size_t>(count));
}

Result<> str_translate(ThreadState& ts, Args args) {
  StrObject* s = args.self<StrObject>();
  StrBuilder out(ts);
  size_t done = 0;
  if (s->ascii() && IsExact(args[1], TypeId::kDict)) {
    MVM_TRY_VOID(TranslateAscii(ts, s, args.as<DictObject>(1), &out, &done));
  }
  for (; done < s->length; ++done) {
    MVM_TRY_VOID(TranslateChar(ts, s->At(done), args[1], &out));
  }
  return out.Finish();
}

Result<> str_maketrans(ThreadState& ts, Args args) {
  const Value x = args[0];
  MVM_TRY(Ref<DictObject> table, NewDict(ts));
  if (!args.has(1)) {
    if (!IsDict(ts, x)) {
      return Raise(ts, Exc::kTypeError,
                   "if you give only one argument to maketrans it must be a dict");
    }
    size_t pos = 0;
    Value key, value;
    while (DictNext(ts, x.as<DictObject>(), &pos, &key, &value)) {
      Ref<> held_key = Ref<>::Borrow(key), held_value = Ref<>::Borrow(value);
      MVM_TRY_VOID(MapTransKey(ts, table, held_key, held_value));
    }
    return table;
  }
  if (!IsStr(ts, x)) {
    return Raise(ts, Exc::kTypeError,
                 "first maketrans argument must be a string if there is a second argument");
  }
  MVM_TRY(StrObject * y, StrArgument(ts, args[1], "maketrans", 2));
  const StrObject* from = x.as<StrObject>();
  StrObject* gone = nullptr;
  if (args.has(2)) {
    MVM_TRY(gone, StrArgument(ts, args[2], "maketrans", 3));
  }
  if (from->length != y->length) {
    return Raise(ts, Exc::kValueError, "the first two maketrans arguments must have equal length");
  }
  for (size_t i = 0; i < from->length; ++i) {
    MVM_TRY_VOID(DictSet(ts, table, Value::Int(static_cast<int64_t>(from->At(i))),
                         Value::Int(static_cast<int64_t>(y->At(i)))));
  }
  for (size_t i = 0; gone && i < gone->length; ++i) {
    MVM_TRY_VOID(DictSet(ts, table, Value::Int(static_cast<int64_t>(gone->At(i))), ts.rt->none));
  }
  return table;
}

}  // namespace minivm
