// str: making, comparing, hashing, slicing and joining strings; repr().
//
// Here is what the rest of the VM calls. The type with its operators is in str_type.cpp, the
// methods in str_methods.cpp, str_split.cpp and str_case.cpp, searching in support/text_search.
#include "runtime/objects/str_object.h"

#include <algorithm>
#include <cstring>

#include "runtime/core/intern.h"
#include "runtime/objects/exception_object.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"
#include "runtime/support/text_search.h"
#include "runtime/support/unicode.h"
#include "runtime/support/utf8.h"

namespace minivm {
namespace {

int KindFor(char32_t max_char) { return max_char < 0x100 ? 1 : max_char < 0x10000 ? 2 : 4; }

char32_t BoundOf(const StrObject* s) { return s->bound(); }

// Memory behind the object's address.
size_t SlotBytes(const Object* o) {
  const Page* p = Page::Of(o);
  return p->large ? p->region_size - Page::kHeaderSize : p->slot_size;
}

void Terminate(StrObject* s) {
  std::memset(s->data1() + s->size_bytes(), 0, static_cast<size_t>(s->kind()));
}

// The word behind the header, written as a whole: the fields one by one would be read back from
// memory that the string has only just got.
inline void SetLayout(StrObject* s, size_t length, int kind, bool ascii) {
  struct Layout {
    uint64_t length : 48;
    uint64_t kind : 8;
    uint64_t ascii : 1;
    uint64_t rest : 7;
  };
  static_assert(sizeof(Layout) == 8 && sizeof(StrObject) == sizeof(Object) + sizeof(Layout));
  const Layout layout = {length, static_cast<uint64_t>(kind), ascii, 0};
  std::memcpy(reinterpret_cast<char*>(s) + sizeof(Object), &layout, sizeof layout);
}

Result<StrObject> AllocStr(ThreadState& ts, size_t length, int kind, size_t capacity,
                           bool ascii = false) {
  if (MVM_UNLIKELY(capacity > Heap::kMaxAllocation / 8)) return RaiseMemoryError(ts);
  Result<StrObject> r = AllocObject<StrObject>(ts, ShapeIdOf(TypeId::kStr),
                                               sizeof(StrObject) + (capacity + 1) * kind, false);
  if (MVM_UNLIKELY(r.raised())) return kRaised;
  SetLayout(r.word(), length, kind, ascii);
  return r;
}

// The usual string: one byte a character, in line if short. `ascii`: all below 0x80. Ends with a
// zero byte.
[[gnu::always_inline]] inline Result<StrObject> AllocStr1(ThreadState& ts, size_t length,
                                                          bool ascii) {
  if (MVM_UNLIKELY(length >= kSmallLimit - sizeof(StrObject))) {
    MVM_TRY(Ref<StrObject> s, AllocStr(ts, length, 1, length, ascii));
    s->data1()[length] = 0;
    return s;
  }
  void* p = ts.heap().Allocate(sizeof(StrObject) + length + 1, false);
  if (MVM_UNLIKELY(!p)) return RaiseMemoryError(ts);
  StrObject* s = static_cast<StrObject*>(StartObject(p, ShapeIdOf(TypeId::kStr), 0));
  SetLayout(s, length, 1, ascii);
  s->data1()[length] = 0;
  return Result<StrObject>::Steal(s);
}

// Length and kind.
constexpr uint64_t kLayoutBits = (uint64_t{1} << 56) - 1;
inline uint64_t LayoutOf(const StrObject* s) {
  uint64_t layout;
  std::memcpy(&layout, reinterpret_cast<const char*>(s) + sizeof(Object), sizeof layout);
  return layout & kLayoutBits;
}

// memcpy for the short pieces that text is made of: no call below 33 bytes.
inline void CopyShort(uint8_t* to, const uint8_t* from, size_t n) {
  if (n >= 16) {
    if (n > 32) {
      std::memcpy(to, from, n);
      return;
    }
    std::memcpy(to, from, 16);
    std::memcpy(to + n - 16, from + n - 16, 16);
  } else if (n >= 8) {
    std::memcpy(to, from, 8);
    std::memcpy(to + n - 8, from + n - 8, 8);
  } else if (n >= 4) {
    std::memcpy(to, from, 4);
    std::memcpy(to + n - 4, from + n - 4, 4);
  } else if (n > 0) {
    to[0] = from[0];
    to[n / 2] = from[n / 2];
    to[n - 1] = from[n - 1];
  }
}

// Copies n characters of `from`, from index `start`, to out of width `kind` at index `at`.
// REQUIRES: they fit
void CopyChars(void* out, int kind, size_t at, const StrObject* from, size_t start, size_t n) {
  if (from->kind() == kind) {
    const size_t unit = static_cast<size_t>(kind);
    CopyShort(static_cast<uint8_t*>(out) + at * unit, from->data1() + start * unit, n * unit);
    return;
  }
  WithChars(from, [&](auto* p) {
    if (kind == 1) ConvertChars(static_cast<uint8_t*>(out) + at, p + start, n);
    if (kind == 2) ConvertChars(static_cast<uint16_t*>(out) + at, p + start, n);
    if (kind == 4) ConvertChars(static_cast<uint32_t*>(out) + at, p + start, n);
  });
}

template <class CharT>
Result<StrObject> NewStrFromChars(ThreadState& ts, const CharT* p, size_t n) {
  if (n <= 1) return n == 0 ? EmptyStr(ts) : StrFromChar(ts, p[0]);
  char32_t max_char = MaxChar(p, n);
  MVM_TRY(Ref<StrObject> s, NewStrRaw(ts, n, max_char));
  switch (s->kind()) {
    case 1: ConvertChars(s->data1(), p, n); break;
    case 2: ConvertChars(s->data2(), p, n); break;
    default: ConvertChars(s->data4(), p, n); break;
  }
  return s;
}

}  // namespace

// ---- comparison and hashing ----

bool StrEquals(const StrObject* a, const StrObject* b) {
  if (a == b) return true;
  if (LayoutOf(a) != LayoutOf(b)) return false;
  if (a->aux != b->aux && a->aux != 0 && b->aux != 0) return false;
  return EqualBytes(a->data1(), b->data1(), a->size_bytes());
}

int StrCompare(const StrObject* a, const StrObject* b) {
  const size_t n = std::min<size_t>(a->length, b->length);
  int order = WithChars(a, [&](auto* p) {
    return WithChars(b, [&](auto* q) {
      if constexpr (sizeof(*p) == 1 && sizeof(*q) == 1) {
        return std::memcmp(p, q, n);
      } else {
        for (size_t i = 0; i < n; ++i) {
          if (p[i] != q[i]) return p[i] < q[i] ? -1 : 1;
        }
        return 0;
      }
    });
  });
  if (order != 0) return order;
  return a->length < b->length ? -1 : a->length > b->length;
}

uint32_t StrHashSlow(const RuntimeState& rt, StrObject* s) {
  return s->aux = TextHash(rt, s->data1(), s->size_bytes());
}

// ---- making ----

Result<StrObject> NewStrRaw(ThreadState& ts, size_t length, char32_t max_char) {
  if (MVM_LIKELY(max_char < 0x100)) return AllocStr1(ts, length, max_char < 0x80);
  MVM_TRY(Ref<StrObject> s, AllocStr(ts, length, KindFor(max_char), length));
  Terminate(s);
  return s;
}

Result<StrObject> EmptyStr(ThreadState& ts) {
  StrObject*& shared = ts.rt->empty_str;
  if (MVM_UNLIKELY(shared == nullptr)) {
    MVM_TRY(Ref<StrObject> made, NewStrRaw(ts, 0, 0));
    shared = made.Release();
  }
  return Ref<StrObject>::Borrow(shared);
}

Result<StrObject> NewStr(ThreadState& ts, std::string_view utf8) {
  const size_t ascii = AsciiPrefix(utf8.data(), utf8.size());
  if (MVM_LIKELY(ascii == utf8.size())) {
    return NewStrFromUcs1(ts, reinterpret_cast<const uint8_t*>(utf8.data()), utf8.size());
  }
  Utf8Scan scan = ScanUtf8(utf8.data(), utf8.size(), true);
  if (scan.error != Utf8Error::kNone) return NewStrFromOs(ts, utf8);
  MVM_TRY(Ref<StrObject> s, NewStrRaw(ts, scan.code_points, scan.max_char));
  switch (s->kind()) {
    case 1: DecodeUtf8(s->data1(), utf8.data(), utf8.size()); break;
    case 2: DecodeUtf8(s->data2(), utf8.data(), utf8.size()); break;
    default: DecodeUtf8(s->data4(), utf8.data(), utf8.size()); break;
  }
  if (s->length == 1) return StrFromChar(ts, s->At(0));
  return s;
}

Result<StrObject> NewStrFromOs(ThreadState& ts, std::string_view bytes) {
  if (IsAscii(bytes.data(), bytes.size())) return NewStr(ts, bytes);
  StrBuilder out(ts);
  while (!bytes.empty()) {
    Utf8Scan scan = ScanUtf8(bytes.data(), bytes.size());
    MVM_TRY_VOID(out.AppendUtf8(bytes.substr(0, scan.valid_bytes)));
    bytes.remove_prefix(scan.valid_bytes);
    for (unsigned i = 0; i < scan.error_length && !bytes.empty(); ++i) {
      MVM_TRY_VOID(out.Append(0xDC00u + static_cast<uint8_t>(bytes[0])));
      bytes.remove_prefix(1);
    }
  }
  return out.Finish();
}

Result<StrObject> NewStrFromUcs1(ThreadState& ts, const uint8_t* p, size_t n) {
  if (n <= 1) return n == 0 ? EmptyStr(ts) : StrFromChar(ts, p[0]);
  bool ascii = IsAscii(reinterpret_cast<const char*>(p), n);
  MVM_TRY(Ref<StrObject> s, NewStrRaw(ts, n, ascii ? 0x7F : 0xFF));
  std::memcpy(s->data1(), p, n);
  return s;
}
Result<StrObject> NewStrFromUcs2(ThreadState& ts, const uint16_t* p, size_t n) {
  return NewStrFromChars(ts, p, n);
}
Result<StrObject> NewStrFromUcs4(ThreadState& ts, const uint32_t* p, size_t n) {
  return NewStrFromChars(ts, p, n);
}

Result<StrObject> StrFromChar(ThreadState& ts, char32_t c) {
  if (c < 0x100) {
    StrObject*& shared = ts.rt->latin1[c];
    if (MVM_UNLIKELY(shared == nullptr)) {
      MVM_TRY(Ref<StrObject> made, NewStrRaw(ts, 1, c));
      made->data1()[0] = static_cast<uint8_t>(c);
      shared = made.Release();
    }
    return Ref<StrObject>::Borrow(shared);
  }
  MVM_TRY(Ref<StrObject> s, NewStrRaw(ts, 1, c));
  if (c < 0x10000) {
    s->data2()[0] = static_cast<uint16_t>(c);
  } else {
    s->data4()[0] = c;
  }
  return s;
}

Result<StrObject> StrExact(ThreadState& ts, StrObject* s) {
  if (MVM_LIKELY(IsExact(s, TypeId::kStr))) return Ref<StrObject>::Borrow(s);
  MVM_TRY(Ref<StrObject> copy, NewStrRaw(ts, s->length, BoundOf(s)));
  std::memcpy(copy->data1(), s->data1(), s->size_bytes());
  copy->aux = s->aux;
  return copy;
}

Result<StrObject> StrNarrow(ThreadState& ts, Ref<StrObject> s) {
  if (s->ascii()) return s;
  const char32_t max_char = WithChars(s, [&](auto* p) { return MaxChar(p, s->length); });
  if (s->length <= 1) return s->length ? StrFromChar(ts, s->At(0)) : EmptyStr(ts);
  if (KindFor(max_char) == s->kind()) {
    s->ascii_ = max_char < 0x80;
    return s;
  }
  MVM_TRY(Ref<StrObject> narrow, NewStrRaw(ts, s->length, max_char));
  CopyChars(narrow->data1(), narrow->kind(), 0, s, 0, s->length);
  return narrow;
}

void StrCopyChars(StrObject* to, size_t at, const StrObject* from, size_t start, size_t n) {
  CopyChars(to->data1(), to->kind(), at, from, start, n);
}

Result<StrObject*> ExpectStr(ThreadState& ts, Value v, const char* what) {
  if (MVM_LIKELY(IsStr(ts, v))) return v.as<StrObject>();
  return Raise(ts, Exc::kTypeError, "%s must be str, not %T", what, v);
}

// ---- pieces ----

Result<StrObject> StrSlice(ThreadState& ts, StrObject* s, size_t start, size_t end) {
  if (start >= end) return EmptyStr(ts);
  const size_t n = end - start;
  if (n == s->length) return StrExact(ts, s);
  if (n == 1) return StrFromChar(ts, s->At(start));
  if (s->ascii()) {
    Result<StrObject> made = AllocStr1(ts, n, true);
    if (MVM_LIKELY(!made.raised())) CopyShort(made.word()->data1(), s->data1() + start, n);
    return made;
  }
  switch (s->kind()) {
    case 1: return NewStrFromUcs1(ts, s->data1() + start, n);
    case 2: return NewStrFromUcs2(ts, s->data2() + start, n);
    default: return NewStrFromUcs4(ts, s->data4() + start, n);
  }
}

Result<StrObject> StrConcat(ThreadState& ts, StrObject* a, StrObject* b) {
  if (a->length == 0) return StrExact(ts, b);
  if (b->length == 0) return StrExact(ts, a);
  const size_t n = a->length, m = b->length;
  if (MVM_LIKELY((a->kind() | b->kind()) == 1)) {
    Result<StrObject> made = AllocStr1(ts, n + m, a->ascii() && b->ascii());
    if (MVM_UNLIKELY(made.raised())) return kRaised;
    uint8_t* to = made.word()->data1();
    CopyShort(to, a->data1(), n);
    CopyShort(to + n, b->data1(), m);
    return made;
  }
  MVM_TRY(Ref<StrObject> s, NewStrRaw(ts, n + m, std::max(BoundOf(a), BoundOf(b))));
  CopyChars(s->data1(), s->kind(), 0, a, 0, n);
  CopyChars(s->data1(), s->kind(), n, b, 0, m);
  return s;
}

Result<StrObject> StrAppendInPlace(ThreadState& ts, StrObject* owned, StrObject* tail) {
  Ref<StrObject> s = Ref<StrObject>::Steal(owned);
  if (tail->length == 0 && IsExact(s.value(), TypeId::kStr)) return s;
  const char32_t bound = std::max(BoundOf(owned), BoundOf(tail));
  if (owned->refcount != 1 || owned->interned() || owned == tail || owned->length == 0 ||
      !IsExact(s.value(), TypeId::kStr)) {
    return StrConcat(ts, owned, tail);
  }
  const size_t n = owned->length, m = tail->length, kind = static_cast<size_t>(KindFor(bound));
  if (kind == static_cast<size_t>(owned->kind()) &&
      sizeof(StrObject) + (n + m + 1) * kind <= SlotBytes(owned)) {
    CopyChars(owned->data1(), owned->kind(), n, tail, 0, m);
    owned->length = n + m;
    owned->aux = 0;
    owned->ascii_ = bound < 0x80;
    Terminate(owned);
    return s;
  }
  // An eighth of spare room, and more while small, keeps the number of moves logarithmic.
  const size_t room = n + m + (n + m) / 8 + 32;
  MVM_TRY(Ref<StrObject> moved, AllocStr(ts, n + m, static_cast<int>(kind), room));
  CopyChars(moved->data1(), moved->kind(), 0, owned, 0, n);
  CopyChars(moved->data1(), moved->kind(), n, tail, 0, m);
  moved->ascii_ = bound < 0x80;
  Terminate(moved);
  return moved;
}

Result<StrObject> StrConcatMany(ThreadState& ts, const Value* pieces, size_t n) {
  size_t total = 0, texts = 0;
  char32_t bound = 0;
  StrObject* only = nullptr;
  for (size_t i = 0; i < n; ++i) {
    StrObject* s = pieces[i].as<StrObject>();
    if (s->length == 0) continue;
    total += s->length;
    bound = std::max(bound, BoundOf(s));
    only = s;
    ++texts;
  }
  if (texts == 0) return EmptyStr(ts);
  if (texts == 1) return StrExact(ts, only);
  MVM_TRY(Ref<StrObject> out, NewStrRaw(ts, total, bound));
  size_t at = 0;
  for (size_t i = 0; i < n; ++i) {
    StrObject* s = pieces[i].as<StrObject>();
    CopyChars(out->data1(), out->kind(), at, s, 0, s->length);
    at += s->length;
  }
  return out;
}

Result<StrObject> StrRepeat(ThreadState& ts, StrObject* s, int64_t count) {
  if (count <= 0 || s->length == 0) return EmptyStr(ts);
  if (count == 1) return StrExact(ts, s);
  const size_t n = s->length;
  if (static_cast<uint64_t>(count) > static_cast<uint64_t>(INT64_MAX) / n) {
    return Raise(ts, Exc::kOverflowError, "repeated string is too long");
  }
  const size_t total = n * static_cast<size_t>(count);
  MVM_TRY(Ref<StrObject> out, NewStrRaw(ts, total, BoundOf(s)));
  const size_t unit = s->size_bytes(), bytes = out->size_bytes();
  uint8_t* p = out->data1();
  if (unit == 1) {
    std::memset(p, s->data1()[0], bytes);
    return out;
  }
  std::memcpy(p, s->data1(), unit);
  for (size_t done = unit; done < bytes;) {  // doubling
    const size_t step = std::min(done, bytes - done);
    std::memcpy(p + done, p, step);
    done += step;
  }
  return out;
}

Result<StrObject> StrJoin(ThreadState& ts, StrObject* separator, Value items) {
  MVM_TRY(Ref<> sequence, FastSequence(ts, items, "can only join an iterable"));
  // No script code runs from here on, so the items stay.
  Value* v;
  size_t n;
  if (IsTuple(ts, sequence)) {
    v = sequence.as<TupleObject>()->items();
    n = sequence.as<TupleObject>()->size();
  } else {
    v = sequence.as<ListObject>()->items;
    n = sequence.as<ListObject>()->size;
  }
  if (n == 0) return EmptyStr(ts);
  if (n == 1 && IsExact(v[0], TypeId::kStr)) return Ref<StrObject>::Borrow(v[0].as<StrObject>());
  size_t total = 0;
  char32_t bound = n > 1 && separator->length ? BoundOf(separator) : 0;
  for (size_t i = 0; i < n; ++i) {
    if (MVM_UNLIKELY(!IsExact(v[i], TypeId::kStr) && !IsStr(ts, v[i]))) {
      return Raise(ts, Exc::kTypeError, "sequence item %zu: expected str instance, %T found", i,
                   v[i]);
    }
    const StrObject* s = v[i].as<StrObject>();
    if (s->length == 0) continue;
    total += s->length;
    bound = std::max(bound, BoundOf(s));
  }
  const size_t gap = separator->length;
  if (gap > 0 && n - 1 > (Heap::kMaxAllocation - total) / gap) return RaiseMemoryError(ts);
  total += gap * (n - 1);
  if (total == 0) return EmptyStr(ts);
  MVM_TRY(Ref<StrObject> out, NewStrRaw(ts, total, bound));
  if (out->kind() == 1) {
    uint8_t* p = out->data1();
    const uint8_t* sep = separator->data1();
    for (size_t i = 0; i < n; ++i) {
      if (i != 0) {
        if (gap == 1) {
          *p++ = *sep;
        } else {
          CopyShort(p, sep, gap);
          p += gap;
        }
      }
      const StrObject* s = v[i].as<StrObject>();
      const size_t n_chars = s->length;
      CopyShort(p, s->data1(), n_chars);
      p += n_chars;
    }
    return out;
  }
  size_t at = 0;
  for (size_t i = 0; i < n; ++i) {
    if (i != 0) {
      CopyChars(out->data1(), out->kind(), at, separator, 0, gap);
      at += gap;
    }
    const StrObject* s = v[i].as<StrObject>();
    CopyChars(out->data1(), out->kind(), at, s, 0, s->length);
    at += s->length;
  }
  return out;
}

int64_t StrFind(const StrObject* s, const StrObject* needle, size_t start, size_t end) {
  if (start > end || needle->length > end - start) return -1;
  if (needle->length == 0) return static_cast<int64_t>(start);
  if (needle->kind() > s->kind() || (s->ascii() && !needle->ascii())) return -1;
  if (MVM_LIKELY(s->kind() == 1)) {
    const ptrdiff_t at = FindText(s->data1() + start, end - start, needle->data1(), needle->length);
    return at < 0 ? -1 : at + static_cast<int64_t>(start);
  }
  ptrdiff_t at = WithChars(s, [&](auto* h) {
    return WithChars(needle, [&](auto* p) -> ptrdiff_t {
      if constexpr (sizeof(*p) <= sizeof(*h)) {
        return FindText(h + start, end - start, p, needle->length);
      } else {
        return -1;
      }
    });
  });
  return at < 0 ? -1 : at + static_cast<int64_t>(start);
}

// ---- UTF-8 ----

void AppendUtf8(const StrObject* s, std::string* out) {
  if (s->ascii()) {
    out->append(s->ascii_view());
    return;
  }
  WithChars(s, [&](auto* p) {
    const size_t old = out->size(), more = Utf8Size(p, s->length);
    out->resize(old + more);
    EncodeUtf8Text(out->data() + old, p, s->length);
  });
}

std::string ToUtf8(const StrObject* s) {
  std::string out;
  AppendUtf8(s, &out);
  return out;
}

Status CheckEncodable(ThreadState& ts, StrObject* s) {
  if (s->ascii()) return Ok();
  for (size_t i = 0; i < s->length; ++i) {
    if (!IsSurrogate(s->At(i))) continue;
    size_t end = i + 1;
    while (end < s->length && IsSurrogate(s->At(end))) ++end;
    return RaiseEncodeError(ts, "utf-8", s, static_cast<int64_t>(i), static_cast<int64_t>(end),
                            "surrogates not allowed");
  }
  return Ok();
}

Status ToOsString(ThreadState& ts, StrObject* s, std::string* out) {
  out->clear();
  out->reserve(s->length);
  for (size_t i = 0; i < s->length; ++i) {
    const char32_t c = s->At(i);
    if (c == 0) return Raise(ts, Exc::kValueError, "embedded null character");
    if (c >= 0xDC80 && c <= 0xDCFF) {
      out->push_back(static_cast<char>(c - 0xDC00));
    } else if (IsSurrogate(c)) {
      return RaiseEncodeError(ts, "utf-8", s, static_cast<int64_t>(i), static_cast<int64_t>(i + 1),
                              "surrogates not allowed");
    } else {
      char buf[4];
      out->append(buf, EncodeUtf8(buf, c));
    }
  }
  return Ok();
}

// ---- repr ----

namespace {

// Characters that repr() needs for c, and whether it is written as it is.
size_t ReprWidth(char32_t c, char32_t quote) {
  if (c == quote || c == '\\' || c == '\t' || c == '\n' || c == '\r') return 2;
  if (c < 0x7F && c >= 0x20) return 1;
  if (c >= 0x80 && IsPrintable(c)) return 1;
  return c < 0x100 ? 4 : c < 0x10000 ? 6 : 10;
}

template <class Out>
Out* PutRepr(Out* out, char32_t c, char32_t quote) {
  switch (ReprWidth(c, quote)) {
    case 1: *out++ = static_cast<Out>(c); return out;
    case 2:
      *out++ = '\\';
      *out++ = static_cast<Out>(c == '\t' ? 't' : c == '\n' ? 'n' : c == '\r' ? 'r' : c);
      return out;
    default: break;
  }
  const int digits = c < 0x100 ? 2 : c < 0x10000 ? 4 : 8;
  *out++ = '\\';
  *out++ = digits == 2 ? 'x' : digits == 4 ? 'u' : 'U';
  for (int shift = (digits - 1) * 4; shift >= 0; shift -= 4) {
    *out++ = static_cast<Out>("0123456789abcdef"[(c >> shift) & 15]);
  }
  return out;
}

template <class Out, class In>
void WriteRepr(Out* out, const In* p, size_t n, char32_t quote) {
  *out++ = static_cast<Out>(quote);
  for (size_t i = 0; i < n; ++i) {
    if (p[i] >= 0x20 && p[i] < 0x7F && p[i] != quote && p[i] != '\\') {
      *out++ = static_cast<Out>(p[i]);
    } else {
      out = PutRepr(out, p[i], quote);
    }
  }
  *out++ = static_cast<Out>(quote);
}

template <class In>
Result<StrObject> ReprOf(ThreadState& ts, const In* p, size_t n) {
  const bool single = FindChar(p, n, static_cast<In>('\'')) >= 0;
  const char32_t quote = single && FindChar(p, n, static_cast<In>('"')) < 0 ? '"' : '\'';
  if constexpr (sizeof(In) == 1) {
    uint8_t special = 0;
    const uint8_t mark = static_cast<uint8_t>(quote);
    for (size_t i = 0; i < n; ++i) {
      special |= static_cast<uint8_t>(p[i] - 0x20) >= 0x5F || p[i] == mark || p[i] == '\\';
    }
    if (!special) {
      MVM_TRY(Ref<StrObject> plain, NewStrRaw(ts, n + 2, 0x7F));
      plain->data1()[0] = plain->data1()[n + 1] = mark;
      std::memcpy(plain->data1() + 1, p, n);
      return plain;
    }
  }
  size_t total = 2;
  char32_t bound = 0x7F;
  for (size_t i = 0; i < n; ++i) {
    const char32_t c = p[i];
    if (c >= 0x20 && c < 0x7F && c != quote && c != '\\') {
      ++total;
      continue;
    }
    const size_t width = ReprWidth(p[i], quote);
    total += width;
    if (width == 1 && p[i] > bound) bound = p[i];
  }
  MVM_TRY(Ref<StrObject> s, NewStrRaw(ts, total, bound));
  switch (s->kind()) {
    case 1: WriteRepr(s->data1(), p, n, quote); break;
    case 2: WriteRepr(s->data2(), p, n, quote); break;
    default: WriteRepr(s->data4(), p, n, quote); break;
  }
  return s;
}

}  // namespace

Result<StrObject> StrRepr(ThreadState& ts, StrObject* s) {
  MVM_TRY_VOID(CheckRoom(ts, s->length));
  return WithChars(s, [&](auto* p) { return ReprOf(ts, p, s->length); });
}

// ---- StrBuilder ----

StrBuilder::~StrBuilder() {
  if (object_) Decref(object_);
}

Status StrBuilder::Grow(size_t more, char32_t max_char) {
  const char32_t bound = std::max(max_char, max_char_);
  const int kind = std::max(KindFor(bound), kind_);
  if (kind == kind_ && more <= capacity_ - length_) {
    max_char_ = bound;
    return Ok();
  }
  if (MVM_UNLIKELY(more > Heap::kMaxAllocation)) return RaiseMemoryError(ts_);
  const size_t need = length_ + more;
  const size_t room = need <= capacity_ ? need + need / 8 : need + need / 2;
  MVM_TRY(Ref<StrObject> fresh, AllocStr(ts_, 0, kind, std::max<size_t>(room, 64)));
  Terminate(fresh);
  void* to = fresh->data1();
  if (kind == kind_) {
    std::memcpy(to, data_, length_ * static_cast<size_t>(kind));
  } else if (kind_ == 1 && kind == 2) {
    ConvertChars(static_cast<uint16_t*>(to), static_cast<uint8_t*>(data_), length_);
  } else if (kind_ == 1) {
    ConvertChars(static_cast<uint32_t*>(to), static_cast<uint8_t*>(data_), length_);
  } else {
    ConvertChars(static_cast<uint32_t*>(to), static_cast<uint16_t*>(data_), length_);
  }
  if (object_) Decref(object_);
  object_ = fresh.Release();
  data_ = to;
  kind_ = kind;
  max_char_ = bound;
  capacity_ = (SlotBytes(object_) - sizeof(StrObject)) / static_cast<size_t>(kind) - 1;
  return Ok();
}

Status StrBuilder::Reserve(size_t more_chars) { return Grow(more_chars, max_char_); }

Status StrBuilder::AppendSlow(char32_t c) {
  MVM_TRY_VOID(Grow(1, c));
  switch (kind_) {
    case 1: static_cast<uint8_t*>(data_)[length_++] = static_cast<uint8_t>(c); break;
    case 2: static_cast<uint16_t*>(data_)[length_++] = static_cast<uint16_t>(c); break;
    default: static_cast<uint32_t*>(data_)[length_++] = c; break;
  }
  return Ok();
}

Status StrBuilder::AppendSlice(const StrObject* s, size_t start, size_t end) {
  if (start >= end) return Ok();
  const size_t n = end - start;
  if (MVM_LIKELY(kind_ == 1 && s->ascii() && n <= capacity_ - length_)) {
    CopyShort(static_cast<uint8_t*>(data_) + length_, s->data1() + start, n);
    length_ += n;
    return Ok();
  }
  if (kind_ == 1 && s->kind() == 2 && n <= capacity_ - length_) {  // a part may still be ASCII
    const uint16_t* from = s->data2() + start;
    uint8_t* to = static_cast<uint8_t*>(data_) + length_;
    uint32_t all = 0;
    for (size_t i = 0; i < n; ++i) {
      all |= from[i];
      to[i] = static_cast<uint8_t>(from[i]);
    }
    if (all < 0x80) {
      length_ += n;
      return Ok();
    }
  }
  char32_t bound = BoundOf(s);
  if (bound > max_char_ && n != s->length) {
    bound = WithChars(s, [&](auto* p) { return MaxChar(p + start, n); });
  }
  MVM_TRY_VOID(Grow(n, bound));
  CopyChars(data_, kind_, length_, s, start, n);
  length_ += n;
  return Ok();
}

Status StrBuilder::AppendAscii(std::string_view s) {
  if (MVM_LIKELY(kind_ == 1 && s.size() <= capacity_ - length_)) {
    CopyShort(static_cast<uint8_t*>(data_) + length_, reinterpret_cast<const uint8_t*>(s.data()),
              s.size());
    length_ += s.size();
    return Ok();
  }
  MVM_TRY_VOID(Grow(s.size(), 0x7F));
  const uint8_t* p = reinterpret_cast<const uint8_t*>(s.data());
  switch (kind_) {
    case 1: std::memcpy(static_cast<uint8_t*>(data_) + length_, p, s.size()); break;
    case 2: ConvertChars(static_cast<uint16_t*>(data_) + length_, p, s.size()); break;
    default: ConvertChars(static_cast<uint32_t*>(data_) + length_, p, s.size()); break;
  }
  length_ += s.size();
  return Ok();
}

Status StrBuilder::AppendUtf8(std::string_view s) {
  if (IsAscii(s.data(), s.size())) return AppendAscii(s);
  Utf8Scan scan = ScanUtf8(s.data(), s.size(), true);
  MVM_DCHECK(scan.error == Utf8Error::kNone, "the VM's own text is valid");
  MVM_TRY_VOID(Grow(scan.code_points, scan.max_char));
  switch (kind_) {
    case 1: DecodeUtf8(static_cast<uint8_t*>(data_) + length_, s.data(), scan.valid_bytes); break;
    case 2: DecodeUtf8(static_cast<uint16_t*>(data_) + length_, s.data(), scan.valid_bytes); break;
    default: DecodeUtf8(static_cast<uint32_t*>(data_) + length_, s.data(), scan.valid_bytes); break;
  }
  length_ += scan.code_points;
  return Ok();
}

Status StrBuilder::AppendRepeated(char32_t c, size_t n) {
  if (n == 0) return Ok();
  MVM_TRY_VOID(Grow(n, c));
  switch (kind_) {
    case 1: std::memset(static_cast<uint8_t*>(data_) + length_, static_cast<int>(c), n); break;
    case 2:
      std::fill_n(static_cast<uint16_t*>(data_) + length_, n, static_cast<uint16_t>(c));
      break;
    default:
      std::fill_n(static_cast<uint32_t*>(data_) + length_, n, static_cast<uint32_t>(c));
      break;
  }
  length_ += n;
  return Ok();
}

Result<StrObject> StrBuilder::Finish() {
  const size_t n = length_;
  Result<StrObject> result(kRaised);
  // The bound may be too high (Truncate, pieces of wide strings): only ASCII and latin-1 text in
  // a byte buffer of at least half its capacity is handed out as it is.
  if (object_ && kind_ == 1 && max_char_ < 0x80 && n > 1 && n >= capacity_ / 2) {
    object_->length = n;
    object_->ascii_ = 1;
    Terminate(object_);
    result = Result<StrObject>::Steal(std::exchange(object_, nullptr));
  } else if (kind_ == 1 && max_char_ < 0x80 && n > 1) {
    result = NewStrRaw(ts_, n, 0x7F);
    if (!result.raised()) CopyShort(result.word()->data1(), static_cast<uint8_t*>(data_), n);
  } else if (kind_ == 1) {
    result = NewStrFromUcs1(ts_, static_cast<uint8_t*>(data_), n);
  } else if (kind_ == 2) {
    result = NewStrFromUcs2(ts_, static_cast<uint16_t*>(data_), n);
  } else {
    result = NewStrFromUcs4(ts_, static_cast<uint32_t*>(data_), n);
  }
  if (object_) Decref(std::exchange(object_, nullptr));
  data_ = inline_;
  capacity_ = kInline;
  length_ = 0;
  kind_ = 1;
  max_char_ = 0x7F;
  return result;
}

}  // namespace minivm
