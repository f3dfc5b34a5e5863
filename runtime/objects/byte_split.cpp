// Methods of bytes and bytearray that take them apart, put them together or turn them into text.
#include <algorithm>
#include <cstring>

#include "runtime/objects/byte_inl.h"
#include "runtime/objects/codec.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/str_methods.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/support/text_buffer.h"
#include "runtime/support/text_search.h"

namespace minivm {
namespace {

// Collects sections of self. Making objects runs no script code, so self's bytes stay.
class Sections {
 public:
  Sections(ThreadState& ts, Value self) : ts_(ts), self_(self), text_(BytesOf(ts, self)) {}
  Status Start() {
    MVM_TRY(list_, NewListReserve(ts_, 8));
    return Ok();
  }
  std::string_view text() const { return text_; }
  Status Add(size_t from, size_t to) {
    Ref<> piece;
    if (from == 0 && to == text_.size()) {
      MVM_TRY(piece, SameBytes(ts_, self_));
    } else {
      MVM_TRY(piece, BytesLike(ts_, self_, text_.substr(from, to - from)));
    }
    ListObject* list = list_;
    if (MVM_UNLIKELY(list->size == list->capacity)) {
      MVM_TRY_VOID(ListGrow(ts_, list, list->size + 1));
    }
    list->items[list->size++] = piece.Release();
    return Ok();
  }
  Result<> Finish(bool reversed) {
    if (reversed) std::reverse(list_->items, list_->items + list_->size);
    return std::move(list_);
  }

 private:
  ThreadState& ts_;
  Value self_;
  std::string_view text_;
  Ref<ListObject> list_;
};

Status SplitSpace(Sections& out, size_t limit) {
  const uint8_t* p = Chars(out.text());
  size_t n = out.text().size(), i = 0;
  for (;;) {
    while (i < n && IsSpaceByte(p[i])) ++i;
    if (i == n) return Ok();
    const size_t start = i;
    if (limit-- == 0) return out.Add(start, n);
    while (i < n && !IsSpaceByte(p[i])) ++i;
    MVM_TRY_VOID(out.Add(start, i));
  }
}

Status RSplitSpace(Sections& out, size_t limit) {
  const uint8_t* p = Chars(out.text());
  size_t n = out.text().size();
  for (;;) {
    while (n > 0 && IsSpaceByte(p[n - 1])) --n;
    if (n == 0) return Ok();
    const size_t end = n;
    if (limit-- == 0) return out.Add(0, end);
    while (n > 0 && !IsSpaceByte(p[n - 1])) --n;
    MVM_TRY_VOID(out.Add(n, end));
  }
}

Status SplitAt(Sections& out, std::string_view sep, size_t limit) {
  const uint8_t* p = Chars(out.text());
  const size_t n = out.text().size();
  size_t start = 0;
  while (limit-- > 0) {
    const ptrdiff_t at = FindText(p + start, n - start, Chars(sep), sep.size());
    if (at < 0) break;
    MVM_TRY_VOID(out.Add(start, start + static_cast<size_t>(at)));
    start += static_cast<size_t>(at) + sep.size();
  }
  return out.Add(start, n);
}

Status RSplitAt(Sections& out, std::string_view sep, size_t limit) {
  const uint8_t* p = Chars(out.text());
  size_t n = out.text().size();
  while (limit-- > 0) {
    const ptrdiff_t at = RFindText(p, n, Chars(sep), sep.size());
    if (at < 0) break;
    MVM_TRY_VOID(out.Add(static_cast<size_t>(at) + sep.size(), n));
    n = static_cast<size_t>(at);
  }
  return out.Add(0, n);
}

Result<> Split(ThreadState& ts, Args args, bool from_end) {
  int64_t max = -1;
  if (args.has(2)) {
    MVM_TRY(max, AsSize(ts, args[2]));
  }
  const size_t limit = max < 0 ? SIZE_MAX : static_cast<size_t>(max);
  ByteView sep;
  const bool spaces = !args.has(1) || IsNone(ts, args[1]);
  if (!spaces) {
    MVM_TRY_VOID(sep.Get(ts, args[1]));
    if (sep.size() == 0) return Raise(ts, Exc::kValueError, "empty separator");
  }
  Sections out(ts, args[0]);
  MVM_TRY_VOID(out.Start());
  if (spaces) {
    MVM_TRY_VOID(from_end ? RSplitSpace(out, limit) : SplitSpace(out, limit));
  } else {
    MVM_TRY_VOID(from_end ? RSplitAt(out, sep.view(), limit) : SplitAt(out, sep.view(), limit));
  }
  return out.Finish(from_end);
}

Result<> Partition(ThreadState& ts, Args args, bool from_end) {
  ByteView sep;
  MVM_TRY_VOID(sep.Get(ts, args[1]));
  const size_t m = sep.size();
  if (m == 0) return Raise(ts, Exc::kValueError, "empty separator");
  const std::string_view text = BytesOf(ts, args[0]);
  const ptrdiff_t at = from_end ? RFindText(Chars(text), text.size(), sep.data(), m)
                                : FindText(Chars(text), text.size(), sep.data(), m);
  Ref<> parts[3];
  if (at < 0) {
    MVM_TRY(parts[from_end ? 2 : 0], SameBytes(ts, args[0]));
    MVM_TRY(parts[1], BytesLike(ts, args[0], {}));
    MVM_TRY(parts[from_end ? 0 : 2], BytesLike(ts, args[0], {}));
  } else {
    const size_t cut = static_cast<size_t>(at);
    MVM_TRY(parts[0], BytesLike(ts, args[0], text.substr(0, cut)));
    if (IsBytes(ts, args[0])) {
      parts[1] = Ref<>::Borrow(args[1]);
    } else {
      MVM_TRY(parts[1], BytesLike(ts, args[0], sep.view()));
    }
    MVM_TRY(parts[2], BytesLike(ts, args[0], text.substr(cut + m)));
  }
  Value items[] = {parts[0].Release(), parts[1].Release(), parts[2].Release()};
  return NewTupleSteal(ts, items, 3);
}

int HexValue(char32_t c) {
  if (c >= '0' && c <= '9') return static_cast<int>(c - '0');
  if ((c | 32) >= 'a' && (c | 32) <= 'f') return static_cast<int>((c | 32) - 'a' + 10);
  return -1;
}

// All pieces bytes or bytearray: no script code can run, so two passes will do.
Result<> JoinPlain(ThreadState& ts, Value self, const Value* items, size_t n) {
  const std::string_view gap = BytesOf(ts, self);
  size_t total = n ? gap.size() * (n - 1) : 0;
  for (size_t i = 0; i < n; ++i) total += BytesOf(ts, items[i]).size();
  RawBytes out;
  MVM_TRY_VOID(out.Make(ts, self, total));
  uint8_t* to = out.data;
  for (size_t i = 0; i < n; ++i) {
    if (i != 0) {
      std::memcpy(to, gap.data(), gap.size());
      to += gap.size();
    }
    const std::string_view piece = BytesOf(ts, items[i]);
    std::memcpy(to, piece.data(), piece.size());
    to += piece.size();
  }
  return std::move(out.object);
}

}  // namespace

Result<> bytes_split(ThreadState& ts, Args args) { return Split(ts, args, false); }
Result<> bytes_rsplit(ThreadState& ts, Args args) { return Split(ts, args, true); }
Result<> bytes_partition(ThreadState& ts, Args args) { return Partition(ts, args, false); }
Result<> bytes_rpartition(ThreadState& ts, Args args) { return Partition(ts, args, true); }

Result<> bytes_splitlines(ThreadState& ts, Args args) {
  bool keep = false;
  if (args.has(1)) {
    MVM_TRY(keep, Truth(ts, args[1]));
  }
  Sections out(ts, args[0]);
  MVM_TRY_VOID(out.Start());
  const std::string_view text = out.text();
  for (size_t i = 0; i < text.size();) {
    const size_t start = i;
    while (i < text.size() && text[i] != '\n' && text[i] != '\r') ++i;
    size_t end = i;
    if (i < text.size()) {
      i += text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n' ? 2 : 1;
      if (keep) end = i;
    }
    MVM_TRY_VOID(out.Add(start, end));
  }
  return out.Finish(false);
}

Result<> bytes_join(ThreadState& ts, Args args) {
  ByteView separator;  // keeps a bytearray from changing while the items are made
  MVM_TRY_VOID(separator.Get(ts, args[0]));
  MVM_TRY(Ref<> sequence, FastSequence(ts, args[1], "can only join an iterable"));
  const bool tuple = IsTuple(ts, sequence);
  auto items = [&] {
    return tuple ? sequence.as<TupleObject>()->items() : sequence.as<ListObject>()->items;
  };
  auto count = [&]() -> size_t {
    return tuple ? sequence.as<TupleObject>()->size() : sequence.as<ListObject>()->size;
  };
  const size_t n = count();
  bool plain = true;
  for (size_t i = 0; i < n && plain; ++i) {
    plain = IsBytes(ts, items()[i]) || IsBytearray(ts, items()[i]);
  }
  if (n == 1 && plain && IsExact(items()[0], TypeId::kBytes) && IsBytes(ts, args[0])) {
    return Result<>::Borrow(items()[0]);
  }
  if (plain) return JoinPlain(ts, args[0], items(), n);
  TextBuffer out(Heap::kMaxAllocation);
  for (size_t i = 0; i < count(); ++i) {
    Ref<> item = Ref<>::Borrow(items()[i]);
    if (!HasBuffer(ts, item)) {
      return Raise(ts, Exc::kTypeError, "sequence item %zu: expected a bytes-like object, %T found",
                   i, item.get());
    }
    ByteView piece;
    MVM_TRY_VOID(piece.Get(ts, item));
    if (i != 0) out.Append(BytesOf(ts, args[0]));
    MVM_TRY_VOID(CheckRoom(ts, out.size() + piece.size()));
    out.Append(piece.view());
  }
  if (out.failed()) return RaiseMemoryError(ts);
  return BytesLike(ts, args[0], out.view());
}

Result<> bytes_decode(ThreadState& ts, Args args) {
  std::string text[2] = {"utf-8", "strict"};
  for (uint32_t i = 0; i < 2; ++i) {
    if (!args.has(i + 1)) continue;
    if (!IsStr(ts, args[i + 1])) {
      return RaiseBadArgument(ts, "decode", i ? "argument 'errors'" : "argument 'encoding'", "str",
                              args[i + 1]);
    }
    text[i] = ToUtf8(args.as<StrObject>(i + 1));
    if (text[i].find('\0') != std::string::npos) {
      return Raise(ts, Exc::kValueError, "embedded null character");
    }
  }
  ByteView view;  // keeps a bytearray from changing in an error handler
  MVM_TRY_VOID(view.Get(ts, args[0]));
  return Decode(ts, view.view(), text[0], text[1], args[0]);
}

Result<StrObject> BytesHex(ThreadState& ts, std::string_view data, Value sep, Value bytes_per_sep) {
  int64_t group = 1;
  char32_t separator = 0;
  if (!bytes_per_sep.is_null() && !bytes_per_sep.is_absent()) {
    MVM_TRY(group, AsInt64(ts, bytes_per_sep));
    if (group != static_cast<int32_t>(group)) {
      return Raise(ts, Exc::kOverflowError, "Python int too large to convert to C int");
    }
  }
  if (!sep.is_null() && !sep.is_absent()) {
    MVM_TRY(int64_t length, Length(ts, sep));
    if (length != 1) return Raise(ts, Exc::kValueError, "sep must be length 1.");
    if (IsStr(ts, sep)) {
      separator = sep.as<StrObject>()->At(0);
      if (separator > 127) return Raise(ts, Exc::kValueError, "sep must be ASCII.");
    } else if (IsBytes(ts, sep)) {
      separator = sep.as<BytesObject>()->data()[0];
      if (separator > 127) return Raise(ts, Exc::kValueError, "sep must be ASCII.");
    } else {
      return Raise(ts, Exc::kTypeError, "sep must be str or bytes.");
    }
  } else {
    group = 0;
  }
  const size_t n = data.size();
  const size_t every = static_cast<size_t>(group < 0 ? -group : group);
  const size_t gaps = n == 0 || every == 0 ? 0 : (n - 1) / every;
  if (n == 0) return EmptyStr(ts);
  MVM_TRY(Ref<StrObject> out, NewStrRaw(ts, n * 2 + gaps, 0x7F));
  uint8_t* to = out->data1();
  constexpr const char* kDigits = "0123456789abcdef";
  if (every == 0) {
    for (const char c : data) {
      to[0] = static_cast<uint8_t>(kDigits[static_cast<uint8_t>(c) >> 4]);
      to[1] = static_cast<uint8_t>(kDigits[c & 15]);
      to += 2;
    }
    return out;
  }
  for (size_t i = 0; i < n; ++i) {
    // Groups are counted from the right, from the left for a negative size.
    if (i != 0 && (group < 0 ? i : n - i) % every == 0) *to++ = static_cast<uint8_t>(separator);
    const uint8_t c = static_cast<uint8_t>(data[i]);
    *to++ = static_cast<uint8_t>(kDigits[c >> 4]);
    *to++ = static_cast<uint8_t>(kDigits[c & 15]);
  }
  return out;
}

Result<> bytes_hex(ThreadState& ts, Args args) {
  ByteView view;
  MVM_TRY_VOID(view.Get(ts, args[0]));
  return BytesHex(ts, view.view(), args.get(1, Value()), args.get(2, Value()));
}

Result<> bytes_fromhex(ThreadState& ts, Args args) {
  if (!IsStr(ts, args[1])) {
    return RaiseBadArgument(ts, "fromhex", "argument", "str", args[1]);
  }
  const StrObject* text = args.as<StrObject>(1);
  MVM_TRY_VOID(CheckRoom(ts, text->length));
  TextBuffer out;
  for (size_t i = 0; i < text->length;) {
    const char32_t c = text->At(i);
    if (c < 128 && IsSpaceByte(static_cast<uint8_t>(c))) {
      ++i;
      continue;
    }
    const int high = HexValue(c);
    const int low = high >= 0 && i + 1 < text->length ? HexValue(text->At(i + 1)) : -1;
    if (low < 0) {
      return Raise(ts, Exc::kValueError,
                   "non-hexadecimal number found in fromhex() arg at position %zu",
                   high < 0 ? i : i + 1);
    }
    out.Append(static_cast<char>(high << 4 | low));
    i += 2;
  }
  if (out.failed()) return RaiseMemoryError(ts);
  TypeObject* cls = args.self<TypeObject>();
  if (cls == TypeById(ts, TypeId::kBytearray)) return NewBytearray(ts, out.view());
  MVM_TRY(Ref<BytesObject> plain, NewBytes(ts, out.view()));
  if (cls == TypeById(ts, TypeId::kBytes)) return plain;
  return Call(ts, Value(cls), plain);
}

}  // namespace minivm
