// Arguments and construction shared by bytes and bytearray; the methods that search, strip, pad,
// replace and map. Splitting and joining: byte_split.cpp.
#include "runtime/objects/byte_methods.h"

#include <algorithm>
#include <cstring>

#include "runtime/objects/byte_inl.h"
#include "runtime/objects/codec.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/str_methods.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/support/small_vector.h"
#include "runtime/support/text_buffer.h"
#include "runtime/support/text_search.h"

namespace minivm {

std::string_view BytesOf(ThreadState& ts, Value v) {
  if (IsBytearray(ts, v)) return v.as<BytearrayObject>()->view();
  return v.as<BytesObject>()->view();
}

Result<> BytesLike(ThreadState& ts, Value self, std::string_view data) {
  if (IsBytearray(ts, self)) return NewBytearray(ts, data);
  return NewBytes(ts, data);
}

// ---- construction ----

Result<uint8_t> ByteFromValue(ThreadState& ts, Value v, bool plural) {
  int64_t i;
  if (MVM_LIKELY(v.is_int())) {
    i = v.as_int();
  } else {
    MVM_TRY(Ref<> number, Index(ts, v));
    if (!IntFitsInt64(number, &i)) i = -1;
  }
  if (MVM_LIKELY(i >= 0 && i < 256)) return static_cast<uint8_t>(i);
  return Raise(ts, Exc::kValueError, "%s must be in range(0, 256)", plural ? "bytes" : "byte");
}

Status ParseBytesArguments(ThreadState& ts, const char* name, Args raw, BytesArguments* out) {
  static constexpr const char* kNames[] = {"source", "encoding", "errors"};
  Value given[3] = {};
  if (raw.n + raw.nkw > 3) {
    return Raise(ts, Exc::kTypeError, "%s() takes at most 3 arguments (%u given)", name,
                 raw.n + raw.nkw);
  }
  for (uint32_t i = 0; i < raw.n; ++i) given[i] = raw[i];
  for (uint32_t i = 0; i < raw.nkw; ++i) {
    StrObject* key = raw[raw.n + raw.nkw].as<TupleObject>()->items()[i].as<StrObject>();
    int at = 0;
    while (at < 3 && !key->EqualsAscii(kNames[at])) ++at;
    if (at == 3) {
      return Raise(ts, Exc::kTypeError, "%s() got an unexpected keyword argument '%U'", name,
                   Value(key));
    }
    if (given[at]) {
      return Raise(ts, Exc::kTypeError, "argument for %s() given by name ('%s') and position (%d)",
                   name, kNames[at], at + 1);
    }
    given[at] = raw[raw.n + i];
  }
  for (int i = 1; i < 3; ++i) {
    if (given[i] && !IsStr(ts, given[i])) {
      return RaiseBadArgument(ts, name, i == 1 ? "argument 'encoding'" : "argument 'errors'", "str",
                              given[i]);
    }
  }
  *out = {given[0], given[1], given[2]};
  return Ok();
}

namespace {

Status CollectItems(ThreadState& ts, Value source, const char* name, TextBuffer* out) {
  const bool plural = name[4] == 's';  // "bytes", not "bytearray"
  if (IsExact(source, TypeId::kList)) {
    ListObject* list = source.as<ListObject>();
    for (size_t i = 0; i < list->size; ++i) {
      Ref<> item = Ref<>::Borrow(list->items[i]);
      MVM_TRY(uint8_t byte, ByteFromValue(ts, item, plural));
      out->Append(static_cast<char>(byte));
    }
  } else {
    Result<> iterator = GetIter(ts, source);
    if (iterator.raised()) {
      if (!ClearPendingIf(ts, Exc::kTypeError)) return kRaised;
      return Raise(ts, Exc::kTypeError, "cannot convert '%T' object to %s", source, name);
    }
    Ref<> it = iterator.Take();
    if (plural)
      MVM_TRY_VOID(LengthHint(ts, source, 0));  // its errors count; the size does not help
    for (;;) {
      MVM_TRY(Ref<> item, Next(ts, it));
      if (item.is_done()) {
        (void)item.Release();
        break;
      }
      MVM_TRY(uint8_t byte, ByteFromValue(ts, item, plural));
      out->Append(static_cast<char>(byte));
      MVM_TRY_VOID(Charge(ts, 1));
      if (MVM_UNLIKELY((out->size() & 0xFFFFF) == 0)) MVM_TRY_VOID(CheckRoom(ts, out->size() * 2));
    }
  }
  if (out->failed()) return RaiseMemoryError(ts);
  return Ok();
}

}  // namespace

Status CollectBytes(ThreadState& ts, const BytesArguments& args, const char* name,
                    TextBuffer* out) {
  if (!args.source) {
    if (!args.encoding && !args.errors) return Ok();
    return Raise(
        ts, Exc::kTypeError,
        args.encoding ? "encoding without a string argument" : "errors without a string argument");
  }
  if (IsStr(ts, args.source)) {
    if (!args.encoding) return Raise(ts, Exc::kTypeError, "string argument without an encoding");
    MVM_TRY(Ref<BytesObject> encoded,
            Encode(ts, args.source.as<StrObject>(), ToUtf8(args.encoding.as<StrObject>()),
                   args.errors ? ToUtf8(args.errors.as<StrObject>()) : std::string("strict")));
    out->Append(encoded->view());
  } else if (args.encoding || args.errors) {
    return Raise(
        ts, Exc::kTypeError,
        args.encoding ? "encoding without a string argument" : "errors without a string argument");
  } else if (IsInt(ts, args.source) ||
             (TypeOf(ts, args.source)->operators->index && !HasBuffer(ts, args.source))) {
    Result<int64_t> index = IndexAsInt64(ts, args.source, Exc::kOverflowError);
    if (index.raised()) {
      // What fails to be a number may be iterable.
      if (IsInt(ts, args.source) || !ClearPendingIf(ts, Exc::kTypeError)) return kRaised;
      return CollectItems(ts, args.source, name, out);
    }
    const int64_t count = index.Take();
    if (count < 0) return Raise(ts, Exc::kValueError, "negative count");
    MVM_TRY_VOID(CheckRoom(ts, static_cast<size_t>(count) * 2));
    out->Append(static_cast<size_t>(count), '\0');
  } else if (HasBuffer(ts, args.source)) {
    BufferView view;
    MVM_TRY_VOID(GetBuffer(ts, args.source, &view));
    MVM_TRY_VOID(CheckRoom(ts, static_cast<size_t>(view.size)));
    char* room = out->Extend(static_cast<size_t>(view.size));
    if (room) CopyBuffer(view, reinterpret_cast<uint8_t*>(room));
  } else {
    return CollectItems(ts, args.source, name, out);
  }
  if (out->failed()) return RaiseMemoryError(ts);
  return Ok();
}

// ---- searching ----

namespace {

// The argument of find() and its kin: bytes-like or one byte.
class Needle {
 public:
  Status Get(ThreadState& ts, Value v) {
    if (!IsInt(ts, v) && HasBuffer(ts, v)) {
      MVM_TRY_VOID(hold_.Get(ts, v));
      view_ = hold_.view();
      return Ok();
    }
    if (!IsInt(ts, v) && !TypeOf(ts, v)->operators->index) {
      return Raise(ts, Exc::kTypeError, "argument should be integer or bytes-like object, not '%T'",
                   v);
    }
    MVM_TRY(byte_, ByteFromValue(ts, v));
    view_ = {reinterpret_cast<const char*>(&byte_), 1};
    return Ok();
  }
  std::string_view view() const { return view_; }

 private:
  uint8_t byte_ = 0;
  ByteView hold_;
  std::string_view view_;
};

struct Search {
  Needle needle;
  std::string_view text;
  size_t from = 0, to = 0;
  Status Get(ThreadState& ts, Args args) {
    ByteRange range;
    MVM_TRY_VOID(range.Get(ts, args));
    MVM_TRY_VOID(needle.Get(ts, args[1]));
    text = BytesOf(ts, args[0]);
    range.Clamp(text.size(), &from, &to);
    return Ok();
  }
  int64_t Find() const {
    const size_t m = needle.view().size();
    if (from > to || m > to - from) return -1;
    if (m == 0) return static_cast<int64_t>(from);
    const ptrdiff_t at = FindText(Chars(text) + from, to - from, Chars(needle.view()), m);
    return at < 0 ? -1 : at + static_cast<int64_t>(from);
  }
  int64_t RFind() const {
    const size_t m = needle.view().size();
    if (from > to || m > to - from) return -1;
    if (m == 0) return static_cast<int64_t>(to);
    const ptrdiff_t at = RFindText(Chars(text) + from, to - from, Chars(needle.view()), m);
    return at < 0 ? -1 : at + static_cast<int64_t>(from);
  }
};

Result<> SearchOr(ThreadState& ts, Args args, bool last, bool must) {
  Search s;
  MVM_TRY_VOID(s.Get(ts, args));
  const int64_t at = last ? s.RFind() : s.Find();
  if (at < 0 && must) return Raise(ts, Exc::kValueError, "subsection not found");
  return Small(at);
}

bool TailMatch(std::string_view text, std::string_view part, size_t from, size_t to, bool at_end) {
  if (from > to || part.size() > to - from) return false;
  return text.substr(at_end ? to - part.size() : from, part.size()) == part;
}

Result<> PrefixTest(ThreadState& ts, Args args, bool at_end) {
  ByteRange range;
  MVM_TRY_VOID(range.Get(ts, args));
  size_t from, to;
  if (IsTuple(ts, args[1])) {
    for (Value part : args.as<TupleObject>(1)->span()) {
      ByteView view;
      MVM_TRY_VOID(view.Get(ts, part));
      const std::string_view text = BytesOf(ts, args[0]);
      range.Clamp(text.size(), &from, &to);
      if (TailMatch(text, view.view(), from, to, at_end)) return Bool(ts, true);
    }
    return Bool(ts, false);
  }
  ByteView view;
  MVM_TRY_VOID(view.Get(ts, args[1],
                        at_end ? "endswith first arg must be bytes or a tuple of bytes, not %T"
                               : "startswith first arg must be bytes or a tuple of bytes, not %T"));
  const std::string_view text = BytesOf(ts, args[0]);
  range.Clamp(text.size(), &from, &to);
  return Bool(ts, TailMatch(text, view.view(), from, to, at_end));
}

// ---- stripping and padding ----

Result<> Strip(ThreadState& ts, Args args, bool left, bool right) {
  bool drop[256] = {};
  if (args.has(1) && !IsNone(ts, args[1])) {
    ByteView chars;
    MVM_TRY_VOID(chars.Get(ts, args[1]));
    for (unsigned char c : chars.view()) drop[c] = true;
  } else {
    for (unsigned char c : {' ', '\t', '\n', '\r', '\v', '\f'}) drop[c] = true;
  }
  const std::string_view text = BytesOf(ts, args[0]);
  size_t from = 0, to = text.size();
  while (left && from < to && drop[static_cast<uint8_t>(text[from])]) ++from;
  while (right && to > from && drop[static_cast<uint8_t>(text[to - 1])]) --to;
  if (to - from == text.size()) return SameBytes(ts, args[0]);
  return BytesLike(ts, args[0], text.substr(from, to - from));
}

Result<> Pad(ThreadState& ts, Value self, size_t left, size_t right, char fill) {
  if (left == 0 && right == 0) return SameBytes(ts, self);
  if (left > Heap::kMaxAllocation || right > Heap::kMaxAllocation) return RaiseMemoryError(ts);
  const size_t n = BytesOf(ts, self).size();
  RawBytes out;
  MVM_TRY_VOID(out.Make(ts, self, left + n + right));
  std::memset(out.data, fill, left);
  std::memcpy(out.data + left, BytesOf(ts, self).data(), n);
  std::memset(out.data + left + n, fill, right);
  return std::move(out.object);
}

Status PadArguments(ThreadState& ts, Args args, const char* method, int64_t* width, char* fill) {
  MVM_TRY(*width, AsSize(ts, args[1]));
  *fill = ' ';
  if (!args.has(2)) return Ok();
  if ((!IsBytes(ts, args[2]) && !IsBytearray(ts, args[2])) || BytesOf(ts, args[2]).size() != 1) {
    return RaiseBadArgument(ts, method, "argument 2", "a byte string of length 1", args[2]);
  }
  *fill = BytesOf(ts, args[2])[0];
  return Ok();
}

size_t Missing(int64_t width, size_t length) {
  return width <= static_cast<int64_t>(length) ? 0 : static_cast<size_t>(width) - length;
}

// ---- case and classes ----

bool IsUpperByte(uint8_t c) { return static_cast<uint8_t>(c - 'A') < 26; }
bool IsLowerByte(uint8_t c) { return static_cast<uint8_t>(c - 'a') < 26; }
bool IsDigitByte(uint8_t c) { return static_cast<uint8_t>(c - '0') < 10; }
bool IsAlphaByte(uint8_t c) { return static_cast<uint8_t>((c | 32) - 'a') < 26; }

template <class F>
Result<> Map(ThreadState& ts, Args args, F f) {
  const size_t n = BytesOf(ts, args[0]).size();
  if (n == 0) return BytesLike(ts, args[0], {});
  RawBytes out;
  MVM_TRY_VOID(out.Make(ts, args[0], n));
  const uint8_t* from = Chars(BytesOf(ts, args[0]));
  uint8_t* to = out.data;
  for (size_t i = 0; i < n; ++i) to[i] = f(from[i]);
  return std::move(out.object);
}

template <class Pred>
Result<> All(ThreadState& ts, Args args, Pred pred) {
  const std::string_view text = BytesOf(ts, args[0]);
  for (unsigned char c : text) {
    if (!pred(c)) return Bool(ts, false);
  }
  return Bool(ts, !text.empty());
}

// Some letters, and none of the other case.
Result<> OneCase(ThreadState& ts, Args args, bool upper) {
  bool any = false;
  for (unsigned char c : BytesOf(ts, args[0])) {
    if (upper ? IsLowerByte(c) : IsUpperByte(c)) return Bool(ts, false);
    any |= IsAlphaByte(c);
  }
  return Bool(ts, any);
}

}  // namespace

Result<> bytes_find(ThreadState& ts, Args args) { return SearchOr(ts, args, false, false); }
Result<> bytes_rfind(ThreadState& ts, Args args) { return SearchOr(ts, args, true, false); }
Result<> bytes_index(ThreadState& ts, Args args) { return SearchOr(ts, args, false, true); }
Result<> bytes_rindex(ThreadState& ts, Args args) { return SearchOr(ts, args, true, true); }

Result<> bytes_count(ThreadState& ts, Args args) {
  Search s;
  MVM_TRY_VOID(s.Get(ts, args));
  if (s.from > s.to) return Small(0);
  const size_t m = s.needle.view().size(), n = s.to - s.from;
  if (m == 0) return Small(static_cast<int64_t>(n + 1));
  const uint8_t *p = Chars(s.text) + s.from, *q = Chars(s.needle.view());
  if (m == 1) return Small(static_cast<int64_t>(CountChar(p, n, q[0])));
  const bool fixed = IsBytes(ts, args[0]);  // an interrupt may run a script
  const ptrdiff_t count = CountText(p, n, q, m, [&] { return !fixed || !Charge(ts, 1).raised(); });
  if (count < 0) return kRaised;
  return Small(count);
}

Result<> bytes_startswith(ThreadState& ts, Args args) { return PrefixTest(ts, args, false); }
Result<> bytes_endswith(ThreadState& ts, Args args) { return PrefixTest(ts, args, true); }

Result<> bytes_removeprefix(ThreadState& ts, Args args) {
  ByteView part;
  MVM_TRY_VOID(part.Get(ts, args[1]));
  const std::string_view text = BytesOf(ts, args[0]);
  if (part.size() == 0 || !text.starts_with(part.view())) return SameBytes(ts, args[0]);
  return BytesLike(ts, args[0], text.substr(part.size()));
}

Result<> bytes_removesuffix(ThreadState& ts, Args args) {
  ByteView part;
  MVM_TRY_VOID(part.Get(ts, args[1]));
  const std::string_view text = BytesOf(ts, args[0]);
  if (part.size() == 0 || !text.ends_with(part.view())) return SameBytes(ts, args[0]);
  return BytesLike(ts, args[0], text.substr(0, text.size() - part.size()));
}

Result<> bytes_strip(ThreadState& ts, Args args) { return Strip(ts, args, true, true); }
Result<> bytes_lstrip(ThreadState& ts, Args args) { return Strip(ts, args, true, false); }
Result<> bytes_rstrip(ThreadState& ts, Args args) { return Strip(ts, args, false, true); }

Result<> bytes_center(ThreadState& ts, Args args) {
  int64_t width;
  char fill;
  MVM_TRY_VOID(PadArguments(ts, args, "center", &width, &fill));
  const size_t pad = Missing(width, BytesOf(ts, args[0]).size());
  const size_t left = pad / 2 + (pad & static_cast<size_t>(width) & 1);
  return Pad(ts, args[0], left, pad - left, fill);
}

Result<> bytes_ljust(ThreadState& ts, Args args) {
  int64_t width;
  char fill;
  MVM_TRY_VOID(PadArguments(ts, args, "ljust", &width, &fill));
  return Pad(ts, args[0], 0, Missing(width, BytesOf(ts, args[0]).size()), fill);
}

Result<> bytes_rjust(ThreadState& ts, Args args) {
  int64_t width;
  char fill;
  MVM_TRY_VOID(PadArguments(ts, args, "rjust", &width, &fill));
  return Pad(ts, args[0], Missing(width, BytesOf(ts, args[0]).size()), 0, fill);
}

Result<> bytes_zfill(ThreadState& ts, Args args) {
  MVM_TRY(int64_t width, AsSize(ts, args[1]));
  const size_t n = BytesOf(ts, args[0]).size(), pad = Missing(width, n);
  if (pad == 0) return SameBytes(ts, args[0]);
  if (pad > Heap::kMaxAllocation) return RaiseMemoryError(ts);
  RawBytes out;
  MVM_TRY_VOID(out.Make(ts, args[0], pad + n));
  std::memset(out.data, '0', pad);
  std::memcpy(out.data + pad, BytesOf(ts, args[0]).data(), n);
  if (n > 0 && (out.data[pad] == '+' || out.data[pad] == '-'))
    std::swap(out.data[0], out.data[pad]);
  return std::move(out.object);
}

Result<> bytes_expandtabs(ThreadState& ts, Args args) {
  int64_t tab = 8;
  if (args.has(1)) {
    int64_t wide;
    if (IsInt(ts, args[1]) &&
        (!IntFitsInt64(args[1], &wide) || wide != static_cast<int32_t>(wide))) {
      return Raise(ts, Exc::kOverflowError, "Python int too large to convert to C int");
    }
    MVM_TRY(tab, AsSize(ts, args[1]));
  }
  const std::string_view text = BytesOf(ts, args[0]);
  size_t total = 0, column = 0;
  for (char c : text) {
    if (c == '\t') {
      const size_t pad = tab > 0 ? static_cast<size_t>(tab) - column % static_cast<size_t>(tab) : 0;
      column += pad;
      total += pad;
    } else {
      ++total;
      column = c == '\n' || c == '\r' ? 0 : column + 1;
    }
  }
  if (total > Heap::kMaxAllocation) return Raise(ts, Exc::kOverflowError, "result too long");
  RawBytes out;
  MVM_TRY_VOID(out.Make(ts, args[0], total));
  uint8_t* to = out.data;
  column = 0;
  for (char c : BytesOf(ts, args[0])) {
    if (c == '\t') {
      const size_t pad = tab > 0 ? static_cast<size_t>(tab) - column % static_cast<size_t>(tab) : 0;
      std::memset(to, ' ', pad);
      to += pad;
      column += pad;
    } else {
      *to++ = static_cast<uint8_t>(c);
      column = c == '\n' || c == '\r' ? 0 : column + 1;
    }
  }
  return std::move(out.object);
}

Result<> bytes_replace(ThreadState& ts, Args args) {
  int64_t count = -1;
  if (args.has(3)) {
    MVM_TRY(count, AsSize(ts, args[3]));
  }
  ByteView old_view, fresh_view;
  MVM_TRY_VOID(old_view.Get(ts, args[1]));
  MVM_TRY_VOID(fresh_view.Get(ts, args[2]));
  const std::string_view old = old_view.view(), fresh = fresh_view.view(),
                         text = BytesOf(ts, args[0]);
  const size_t limit = count < 0 ? SIZE_MAX : static_cast<size_t>(count);
  Positions found;
  if (old.empty()) {
    if (fresh.empty()) return SameBytes(ts, args[0]);
    for (size_t i = 0; i <= text.size() && found.size() < limit; ++i) {
      if (!PushPosition(ts, i, &found)) return RaiseMemoryError(ts);
    }
  } else {
    for (size_t i = 0; found.size() < limit;) {
      const ptrdiff_t at = FindText(Chars(text) + i, text.size() - i, Chars(old), old.size());
      if (at < 0) break;
      i += static_cast<size_t>(at);
      if (!PushPosition(ts, i, &found)) return RaiseMemoryError(ts);
      i += old.size();
    }
  }
  if (found.empty()) return SameBytes(ts, args[0]);
  const size_t rest = text.size() - found.size() * old.size();
  if (!fresh.empty() && found.size() > (Heap::kMaxAllocation - rest) / fresh.size())
    return RaiseMemoryError(ts);
  RawBytes out;
  MVM_TRY_VOID(out.Make(ts, args[0], rest + found.size() * fresh.size()));
  uint8_t* to = out.data;
  size_t done = 0;
  for (size_t at : found) {
    std::memcpy(to, text.data() + done, at - done);
    to += at - done;
    std::memcpy(to, fresh.data(), fresh.size());
    to += fresh.size();
    done = at + old.size();
  }
  std::memcpy(to, text.data() + done, text.size() - done);
  return std::move(out.object);
}

Result<> bytes_translate(ThreadState& ts, Args args) {
  ByteView table, gone;
  const bool has_table = !IsNone(ts, args[1]);
  if (has_table) {
    MVM_TRY_VOID(table.Get(ts, args[1]));
    if (table.size() != 256) {
      return Raise(ts, Exc::kValueError, "translation table must be 256 characters long");
    }
  }
  bool drop[256] = {}, any = false;
  if (args.has(2)) {
    MVM_TRY_VOID(gone.Get(ts, args[2]));
    for (unsigned char c : gone.view()) drop[c] = any = true;
  }
  if (!any) {
    if (!has_table) return SameBytes(ts, args[0]);
    const uint8_t* map = table.data();
    return Map(ts, args, [map](uint8_t c) { return map[c]; });
  }
  const std::string_view text = BytesOf(ts, args[0]);
  size_t total = 0;
  for (unsigned char c : text) total += !drop[c];
  RawBytes out;
  MVM_TRY_VOID(out.Make(ts, args[0], total));
  uint8_t* to = out.data;
  for (unsigned char c : text) {
    if (!drop[c]) *to++ = has_table ? table.data()[c] : c;
  }
  return std::move(out.object);
}

Result<> bytes_maketrans(ThreadState& ts, Args args) {
  ByteView from, to;
  MVM_TRY_VOID(from.Get(ts, args[0]));
  MVM_TRY_VOID(to.Get(ts, args[1]));
  if (from.size() != to.size()) {
    return Raise(ts, Exc::kValueError, "maketrans arguments must have same length");
  }
  MVM_TRY(Ref<BytesObject> table, NewBytesRaw(ts, 256));
  for (int i = 0; i < 256; ++i) table->data()[i] = static_cast<uint8_t>(i);
  for (size_t i = 0; i < from.size(); ++i) table->data()[from.data()[i]] = to.data()[i];
  return table;
}

Result<> bytes_lower(ThreadState& ts, Args args) {
  return Map(ts, args, [](uint8_t c) -> uint8_t { return c + (IsUpperByte(c) ? 32 : 0); });
}
Result<> bytes_upper(ThreadState& ts, Args args) {
  return Map(ts, args, [](uint8_t c) -> uint8_t { return c - (IsLowerByte(c) ? 32 : 0); });
}
Result<> bytes_swapcase(ThreadState& ts, Args args) {
  return Map(ts, args, [](uint8_t c) -> uint8_t { return c ^ (IsAlphaByte(c) ? 32 : 0); });
}
Result<> bytes_capitalize(ThreadState& ts, Args args) {
  bool first = true;
  return Map(ts, args, [&first](uint8_t c) -> uint8_t {
    if (std::exchange(first, false)) return c - (IsLowerByte(c) ? 32 : 0);
    return c + (IsUpperByte(c) ? 32 : 0);
  });
}
Result<> bytes_title(ThreadState& ts, Args args) {
  bool in_word = false;
  return Map(ts, args, [&in_word](uint8_t c) -> uint8_t {
    const bool letter = IsAlphaByte(c);
    if (letter) c = in_word ? c | 32 : c & ~32;
    in_word = letter;
    return c;
  });
}

Result<> bytes_isalnum(ThreadState& ts, Args args) {
  return All(ts, args, [](uint8_t c) { return IsAlphaByte(c) || IsDigitByte(c); });
}
Result<> bytes_isalpha(ThreadState& ts, Args args) { return All(ts, args, IsAlphaByte); }
Result<> bytes_isdigit(ThreadState& ts, Args args) { return All(ts, args, IsDigitByte); }
Result<> bytes_isspace(ThreadState& ts, Args args) { return All(ts, args, IsSpaceByte); }
Result<> bytes_isascii(ThreadState& ts, Args args) {
  for (unsigned char c : BytesOf(ts, args[0])) {
    if (c >= 128) return Bool(ts, false);
  }
  return Bool(ts, true);
}
Result<> bytes_islower(ThreadState& ts, Args args) { return OneCase(ts, args, false); }
Result<> bytes_isupper(ThreadState& ts, Args args) { return OneCase(ts, args, true); }
Result<> bytes_istitle(ThreadState& ts, Args args) {
  bool any = false, in_word = false;
  for (unsigned char c : BytesOf(ts, args[0])) {
    if (IsUpperByte(c) ? in_word : IsLowerByte(c) && !in_word) return Bool(ts, false);
    in_word = IsAlphaByte(c);
    any |= in_word;
  }
  return Bool(ts, any);
}

}  // namespace minivm
