// bytes: construction, operators, iteration. The methods it shares with bytearray are in
// byte_methods.cpp.
#include "runtime/objects/bytes_object.h"

#include <algorithm>
#include <cstring>

#include "runtime/core/intern.h"
#include "runtime/objects/byte_methods.h"
#include "runtime/objects/functional.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/slice_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/buffer.h"
#include "runtime/protocol/format.h"
#include "runtime/protocol/protocol.h"
#include "runtime/support/hash.h"
#include "runtime/support/text_buffer.h"
#include "runtime/support/text_search.h"

namespace minivm {

Result<BytesObject> NewBytesRaw(ThreadState& ts, size_t length) {
  if (MVM_UNLIKELY(length > Heap::kMaxAllocation)) return RaiseMemoryError(ts);
  Result<BytesObject> r = AllocObject<BytesObject>(ts, ShapeIdOf(TypeId::kBytes),
                                                   sizeof(BytesObject) + length + 1, false);
  if (MVM_UNLIKELY(r.raised())) return kRaised;
  r.word()->length = length;
  r.word()->data()[length] = 0;
  return r;
}

Result<BytesObject> NewBytes(ThreadState& ts, std::string_view data) {
  if (data.empty()) {
    if (MVM_UNLIKELY(ts.rt->empty_bytes == nullptr)) {
      MVM_TRY(Ref<BytesObject> made, NewBytesRaw(ts, 0));
      ts.rt->empty_bytes = made.Release();
    }
    return Ref<BytesObject>::Borrow(ts.rt->empty_bytes->as<BytesObject>());
  }
  MVM_TRY(Ref<BytesObject> b, NewBytesRaw(ts, data.size()));
  std::memcpy(b->data(), data.data(), data.size());
  return b;
}

Result<StrObject> BytesRepr(ThreadState& ts, std::string_view data, const char* prefix) {
  // Double quotes around data with single ones only; bytearray escapes the single ones even then.
  const bool is_bytes = prefix[0] == 'b' && prefix[1] == '\0';
  char quote = '\'';
  if (data.find('\'') != data.npos && data.find('"') == data.npos) quote = '"';
  const unsigned char escaped = static_cast<unsigned char>(is_bytes ? quote : '\'');
  MVM_TRY_VOID(CheckRoom(ts, data.size() * 4));
  size_t total = std::strlen(prefix) + 2;
  for (unsigned char c : data) {
    total += c == escaped || c == '\\' || c == '\t' || c == '\n' || c == '\r' ? 2
             : c < 0x20 || c >= 0x7F                                          ? 4
                                                                              : 1;
  }
  MVM_TRY(Ref<StrObject> s, NewStrRaw(ts, total, 0x7F));
  uint8_t* out = s->data1();
  for (const char* p = prefix; *p; ++p) *out++ = static_cast<uint8_t>(*p);
  *out++ = static_cast<uint8_t>(quote);
  for (unsigned char c : data) {
    switch (c) {
      case '\\':
        *out++ = '\\';
        *out++ = '\\';
        break;
      case '\t':
        *out++ = '\\';
        *out++ = 't';
        break;
      case '\n':
        *out++ = '\\';
        *out++ = 'n';
        break;
      case '\r':
        *out++ = '\\';
        *out++ = 'r';
        break;
      default:
        if (c == escaped) {
          *out++ = '\\';
          *out++ = c;
        } else if (c < 0x20 || c >= 0x7F) {
          *out++ = '\\';
          *out++ = 'x';
          *out++ = static_cast<uint8_t>("0123456789abcdef"[c >> 4]);
          *out++ = static_cast<uint8_t>("0123456789abcdef"[c & 15]);
        } else {
          *out++ = c;
        }
    }
  }
  *out++ = static_cast<uint8_t>(quote);
  return s;
}

namespace {

// ---- construction ----

Result<> NewSubtypeInstance(ThreadState& ts, TypeObject* cls, std::string_view data) {
  MVM_TRY(Ref<> made, AllocInstance(ts, cls, data.size() + 1));
  BytesObject* o = made.as<BytesObject>();
  o->length = data.size();
  if (!data.empty()) std::memcpy(o->data(), data.data(), data.size());
  o->data()[data.size()] = 0;
  return made;
}

// What __bytes__ of the object gives, or Absent().
Result<> CallBytes(ThreadState& ts, Value v) {
  MVM_TRY(Ref<> made, CallSpecial(ts, v, MVM_NAME(ts, __bytes__)));
  if (made.is_absent() || IsBytes(ts, made)) return made;
  return Raise(ts, Exc::kTypeError, "__bytes__ returned non-bytes (type %T)", made.get());
}

Result<> bytes_new(ThreadState& ts, TypeObject* cls, Args raw) {
  BytesArguments args;
  MVM_TRY_VOID(ParseBytesArguments(ts, "bytes", raw, &args));
  const bool exact = cls == TypeById(ts, TypeId::kBytes);
  if (args.source && !args.encoding && !args.errors && !IsExact(args.source, TypeId::kStr)) {
    if (exact && IsExact(args.source, TypeId::kBytes)) return Result<>::Borrow(args.source);
    MVM_TRY(Ref<> made, CallBytes(ts, args.source));
    if (!made.is_absent()) {
      if (exact) return made;
      return NewSubtypeInstance(ts, cls, made.as<BytesObject>()->view());
    }
    (void)made.Release();
  }
  TextBuffer data(Heap::kMaxAllocation);
  MVM_TRY_VOID(CollectBytes(ts, args, "bytes", &data));
  if (exact) return NewBytes(ts, data.view());
  return NewSubtypeInstance(ts, cls, data.view());
}

// ---- operators ----

Result<> bytes_repr(ThreadState& ts, Value self) {
  return BytesRepr(ts, self.as<BytesObject>()->view(), "b");
}

Result<int64_t> bytes_hash(ThreadState& ts, Value self) {
  BytesObject* b = self.as<BytesObject>();
  if (b->aux == 0) b->aux = BytesHash(*ts.rt, b->view());
  return UnfoldHash(b->aux);
}

Result<int64_t> bytes_len(ThreadState& ts, Value self) {
  return static_cast<int64_t>(self.as<BytesObject>()->length);
}

Result<> bytes_str(ThreadState& ts, Value self) {
  if (MVM_UNLIKELY(ts.rt->bytes_warning > 0)) {
    MVM_TRY_VOID(Warn(ts, Exc::kBytesWarning, 1, "str() on a bytes instance"));
  }
  return bytes_repr(ts, self);
}

// -b: comparing bytes with text or numbers is never equal, and rarely meant.
Status WarnComparison(ThreadState& ts, Value a, Value b, CompareOp op) {
  if (op != CompareOp::kEq && op != CompareOp::kNe) return Ok();
  if (IsStr(ts, a) || IsStr(ts, b))
    return Warn(ts, Exc::kBytesWarning, 1, "Comparison between bytes and string");
  if (IsInt(ts, a) || IsInt(ts, b))
    return Warn(ts, Exc::kBytesWarning, 1, "Comparison between bytes and int");
  return Ok();
}

Result<> bytes_compare(ThreadState& ts, Value a, Value b, CompareOp op) {
  if (!IsBytes(ts, a) || !IsBytes(ts, b)) {
    if (MVM_UNLIKELY(ts.rt->bytes_warning > 0)) MVM_TRY_VOID(WarnComparison(ts, a, b, op));
    return NotImplemented(ts);
  }
  const std::string_view x = a.as<BytesObject>()->view(), y = b.as<BytesObject>()->view();
  switch (op) {
    case CompareOp::kEq: return Bool(ts, x == y);
    case CompareOp::kNe: return Bool(ts, x != y);
    case CompareOp::kLt: return Bool(ts, x < y);
    case CompareOp::kLe: return Bool(ts, x <= y);
    case CompareOp::kGt: return Bool(ts, x > y);
    default: return Bool(ts, x >= y);
  }
}

Result<> bytes_get_item(ThreadState& ts, Value self, Value key) {
  BytesObject* b = self.as<BytesObject>();
  int64_t i;
  if (MVM_LIKELY(key.is_int())) {
    i = key.as_int();
  } else if (IsExact(key, TypeId::kSlice)) {
    int64_t start, stop, step;
    MVM_TRY_VOID(SliceUnpack(ts, key.as<SliceObject>(), &start, &stop, &step));
    const int64_t n = SliceAdjust(static_cast<int64_t>(b->length), &start, &stop, step);
    if (n <= 0) return NewBytes(ts, {});
    if (step == 1) {
      if (n == static_cast<int64_t>(b->length) && IsExact(self, TypeId::kBytes))
        return Result<>::Borrow(self);
      return NewBytes(ts, b->view().substr(static_cast<size_t>(start), static_cast<size_t>(n)));
    }
    MVM_TRY(Ref<BytesObject> out, NewBytesRaw(ts, static_cast<size_t>(n)));
    for (int64_t k = 0; k < n; ++k) out->data()[k] = b->data()[start + k * step];
    return out;
  } else if (IsInt(ts, key) || TypeOf(ts, key)->operators->index) {
    MVM_TRY(i, IndexAsInt64(ts, key, Exc::kIndexError));
  } else {
    return Raise(ts, Exc::kTypeError, "byte indices must be integers or slices, not %T", key);
  }
  if (i < 0) i += static_cast<int64_t>(b->length);
  if (i < 0 || static_cast<uint64_t>(i) >= b->length) {
    return Raise(ts, Exc::kIndexError, "index out of range");
  }
  return Small(b->data()[i]);
}

Result<bool> bytes_contains(ThreadState& ts, Value self, Value item) {
  if (IsInt(ts, item) || (TypeOf(ts, item)->operators->index && !HasBuffer(ts, item))) {
    MVM_TRY(uint8_t byte, ByteFromValue(ts, item));
    const std::string_view data = BytesOf(ts, self);
    return data.find(static_cast<char>(byte)) != data.npos;
  }
  ByteView needle;
  MVM_TRY_VOID(needle.Get(ts, item));
  const std::string_view data = BytesOf(ts, self);
  if (needle.size() == 0) return true;
  return FindText(reinterpret_cast<const uint8_t*>(data.data()), data.size(), needle.data(),
                  needle.size()) >= 0;
}

Result<> bytes_concat(ThreadState& ts, Value self, Value other) {
  if (!HasBuffer(ts, other)) {
    return Raise(ts, Exc::kTypeError, "can't concat %T to %T", other, self);
  }
  ByteView tail;
  MVM_TRY_VOID(tail.Get(ts, other));
  BytesObject* b = self.as<BytesObject>();
  if (b->length == 0 && IsExact(other, TypeId::kBytes)) return Result<>::Borrow(other);
  if (tail.size() == 0 && IsExact(self, TypeId::kBytes)) return Result<>::Borrow(self);
  MVM_TRY(Ref<BytesObject> out, NewBytesRaw(ts, b->length + tail.size()));
  std::memcpy(out->data(), b->data(), b->length);
  std::memcpy(out->data() + b->length, tail.data(), tail.size());
  return out;
}

Result<> bytes_repeat(ThreadState& ts, Value self, int64_t count) {
  BytesObject* b = self.as<BytesObject>();
  if (count <= 0 || b->length == 0) return NewBytes(ts, {});
  if (count == 1 && IsExact(self, TypeId::kBytes)) return Result<>::Borrow(self);
  const size_t n = b->length;
  if (static_cast<uint64_t>(count) > static_cast<uint64_t>(INT64_MAX) / n) {
    return Raise(ts, Exc::kOverflowError, "repeated bytes are too long");
  }
  MVM_TRY(Ref<BytesObject> out, NewBytesRaw(ts, n * static_cast<size_t>(count)));
  if (n == 1) {
    std::memset(out->data(), b->data()[0], out->length);
    return out;
  }
  std::memcpy(out->data(), b->data(), n);
  for (size_t done = n; done < out->length;) {
    const size_t step = std::min<size_t>(done, out->length - done);
    std::memcpy(out->data() + done, out->data(), step);
    done += step;
  }
  return out;
}

Result<> bytes_mod(ThreadState& ts, Value a, Value b) {
  if (!IsBytes(ts, a)) return NotImplemented(ts);
  return BytesPercent(ts, a.as<BytesObject>()->view(), b);
}

Status bytes_buffer(ThreadState& ts, Value self, BufferView* out, bool writable) {
  if (writable) return Raise(ts, Exc::kBufferError, "Object is not writable.");
  BytesObject* b = self.as<BytesObject>();
  FillSimple(out, self, b->data(), static_cast<int64_t>(b->length), true);
  return Ok();
}

// ---- iteration ----

class BytesIterator : public Object {
 public:
  BytesObject* bytes = nullptr;  // null: exhausted
  uint64_t index = 0;
  template <class V>
  void VisitRefs(V&& v) {
    v(bytes);
  }
};

Result<> bytes_iter(ThreadState& ts, Value self) {
  MVM_TRY(Ref<BytesIterator> it, New<BytesIterator>(ts, TypeId::kBytesIterator));
  it->bytes = Ref<BytesObject>::Borrow(self.as<BytesObject>()).Release();
  Track(it);
  return it;
}

Result<> bytesiter_iter(ThreadState& ts, Value self) { return Result<>::Borrow(self); }

Result<> bytesiter_next(ThreadState& ts, Value self) {
  BytesIterator* it = self.as<BytesIterator>();
  if (it->bytes && it->index < it->bytes->length) return Small(it->bytes->data()[it->index++]);
  Ref<BytesObject> done = Ref<BytesObject>::Steal(std::exchange(it->bytes, nullptr));
  return Result<>::Done();
}

Result<> bytesiter_length_hint(ThreadState& ts, Args args) {
  BytesIterator* it = args.self<BytesIterator>();
  return Small(it->bytes ? static_cast<int64_t>(it->bytes->length - it->index) : 0);
}

Result<> bytesiter_reduce(ThreadState& ts, Args args) {
  BytesIterator* it = args.self<BytesIterator>();
  // Looking it up may run code that moves the iterator.
  MVM_TRY(Ref<> iter, BuiltinByName(ts, "iter"));
  const int64_t index = static_cast<int64_t>(it->index);
  const bool live = it->bytes != nullptr;
  Ref<> bytes = Ref<>::Borrow(live ? Value(it->bytes) : Value(ts.rt->empty_tuple));
  Value inner[] = {bytes};
  MVM_TRY(Ref<TupleObject> arguments, NewTuple(ts, inner));
  Value outer[] = {iter, arguments, Value::Int(index)};
  return NewTuple(ts, std::span<const Value>(outer, live ? 3 : 2));
}

Result<> bytesiter_setstate(ThreadState& ts, Args args) {
  MVM_TRY(int64_t index, AsInt64(ts, args[1]));
  BytesIterator* it = args.self<BytesIterator>();
  if (it->bytes) {
    it->index = static_cast<uint64_t>(
        std::clamp<int64_t>(index, 0, static_cast<int64_t>(it->bytes->length)));
  }
  return None(ts);
}

Result<> bytes_dunder_bytes(ThreadState& ts, Args args) {
  if (IsExact(args[0], TypeId::kBytes)) return Result<>::Borrow(args[0]);
  return NewBytes(ts, args.self<BytesObject>()->view());
}

Result<> bytes_getnewargs(ThreadState& ts, Args args) {
  MVM_TRY(Ref<BytesObject> plain, NewBytes(ts, args.self<BytesObject>()->view()));
  Value items[] = {plain};
  return NewTuple(ts, items);
}

const MethodSpec kBytesMethods[] = {
    {"__bytes__(self, /)", bytes_dunder_bytes, "The same bytes, without the subclass."},
    {"__getnewargs__(self, /)", bytes_getnewargs},
    MVM_BYTE_METHOD_ROWS,
};

const MethodSpec kBytesIteratorMethods[] = {
    {"__length_hint__(self, /)", bytesiter_length_hint,
     "How many items are left, as far as is known."},
    {"__reduce__(self, /)", bytesiter_reduce,
     "What pickle and copy need to make the object again."},
    {"__setstate__(self, state, /)", bytesiter_setstate,
     "Takes over a state that __reduce__() gave."},
};

}  // namespace

Result<> BytesFromObject(ThreadState& ts, Value v) {
  if (IsExact(v, TypeId::kBytes)) return Result<>::Borrow(v);
  MVM_TRY(Ref<> made, CallBytes(ts, v));
  if (!made.is_absent()) return made;
  if (IsStr(ts, v) ||
      (!HasBuffer(ts, v) && !TypeOf(ts, v)->slots.iter && !TypeOf(ts, v)->slots.get_item)) {
    return Raise(ts, Exc::kTypeError, "cannot convert '%T' object to bytes", v);
  }
  // An object that can be iterated is not a count, though it may be an index too.
  Ref<> source = Ref<>::Borrow(v);
  if (!HasBuffer(ts, v)) {
    MVM_TRY(source, ListFrom(ts, v));
  }
  TextBuffer data(Heap::kMaxAllocation);
  MVM_TRY_VOID(CollectBytes(ts, {source, {}, {}}, "bytes", &data));
  return NewBytes(ts, data.view());
}

uint32_t BytesHash(const RuntimeState& rt, std::string_view data) {
  return TextHash(rt, data.data(), data.size());
}

const TypeSpec kBytesType = {
    .name = "bytes",
    .doc =
        "bytes(source=b'') -> an immutable sequence of bytes\n\n"
        "The source is a bytes-like object, an iterable of integers below 256, a number of\n"
        "zero bytes, or a string together with its encoding.",
    .flags = kTypeBase | kTypeBytesSubclass | kTypeMatchSelf,
    .size = sizeof(BytesObject),
    .item_size = 1,
    .slots = {.repr = bytes_repr,
              .str = bytes_str,
              .hash = bytes_hash,
              .compare = bytes_compare,
              .iter = bytes_iter,
              .new_ = bytes_new,
              .len = bytes_len,
              .get_item = bytes_get_item,
              .contains = bytes_contains,
              .concat = bytes_concat,
              .repeat = bytes_repeat,
              .mod = bytes_mod,
              .buffer = bytes_buffer},
    .methods = kBytesMethods};

const TypeSpec kBytesIteratorType = {.name = "bytes_iterator",
                                     .flags = kTypeNoNew,
                                     .size = sizeof(BytesIterator),
                                     .gc = GcHooksOf<BytesIterator>(),
                                     .slots = {.iter = bytesiter_iter, .next = bytesiter_next},
                                     .methods = kBytesIteratorMethods};

}  // namespace minivm
