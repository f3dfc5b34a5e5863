// bytearray: storage, construction, operators, its own methods, iteration.
#include "runtime/objects/bytearray_object.h"

#include <algorithm>
#include <cstring>

#include "runtime/objects/byte_inl.h"
#include "runtime/objects/bytes_object.h"
#include "runtime/objects/dict_object.h"
#include "runtime/objects/functional.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/memoryview_object.h"
#include "runtime/objects/slice_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/format.h"
#include "runtime/support/text_buffer.h"
#include "runtime/support/text_search.h"

namespace minivm {

void BytearrayObject::FreeBuffers(Heap& heap) {
  if (buffer) heap.FreeBuffer(buffer, capacity);
  buffer = nullptr;
  capacity = start = size = 0;
}

Result<BytearrayObject> NewBytearrayRaw(ThreadState& ts, size_t size) {
  MVM_TRY(Ref<BytearrayObject> o, New<BytearrayObject>(ts, TypeId::kBytearray));
  if (size != 0) {
    if (size > Heap::kMaxAllocation) return RaiseMemoryError(ts);
    MVM_TRY(void* p, AllocBuffer(ts, size + 1));
    o->buffer = static_cast<uint8_t*>(p);
    o->capacity = size + 1;
    o->size = size;
  }
  return o;
}

Result<BytearrayObject> NewBytearray(ThreadState& ts, std::string_view data) {
  MVM_TRY(Ref<BytearrayObject> o, NewBytearrayRaw(ts, data.size()));
  if (!data.empty()) std::memcpy(o->buffer, data.data(), data.size());
  return o;
}

namespace {

Status CheckResizable(ThreadState& ts, const BytearrayObject* o) {
  if (MVM_LIKELY(o->exports == 0)) return Ok();
  return Raise(ts, Exc::kBufferError, "Existing exports of data: object cannot be re-sized");
}

BytearrayObject* Self(Args args) { return args.self<BytearrayObject>(); }

}  // namespace

Status BytearrayResize(ThreadState& ts, BytearrayObject* o, size_t size) {
  if (size == o->size) return Ok();
  MVM_TRY_VOID(CheckResizable(ts, o));
  if (size == 0) {
    o->start = o->size = 0;
    if (o->capacity > 64) o->FreeBuffers(ts.heap());
    return Ok();
  }
  // In place unless that leaves three quarters of a large buffer unused.
  // One byte stays free: the buffer is longer than what it holds, as __alloc__() shows.
  if (o->start + size < o->capacity && (size >= o->capacity / 4 || o->capacity <= 256)) {
    o->size = size;
    return Ok();
  }
  if (size > Heap::kMaxAllocation) return RaiseMemoryError(ts);
  if (size < o->capacity && o->start > 0 && size > o->size && size + size / 8 <= o->capacity) {
    std::memmove(o->buffer, o->data(), o->size);
    o->start = 0;
    o->size = size;
    return Ok();
  }
  const size_t room = size > o->size && o->size != 0 ? size + size / 8 + 16 : size + 1;
  MVM_TRY(void* p, AllocBuffer(ts, room));
  if (o->size) std::memcpy(p, o->data(), std::min<size_t>(o->size, size));
  if (o->buffer) ts.heap().FreeBuffer(o->buffer, o->capacity);
  o->buffer = static_cast<uint8_t*>(p);
  o->capacity = room;
  o->start = 0;
  o->size = size;
  return Ok();
}

Status BytearraySplice(ThreadState& ts, BytearrayObject* o, size_t at, size_t old_size,
                       std::string_view data) {
  const size_t tail = o->size - at - old_size;
  if (data.size() < old_size) {
    MVM_TRY_VOID(CheckResizable(ts, o));
    const size_t gone = old_size - data.size();
    if (at == 0) {
      o->start += gone;
      o->size -= gone;
      if (o->size == 0) {
        o->start = 0;
        if (o->capacity > 64) o->FreeBuffers(ts.heap());
      } else if (o->size < o->capacity / 4 && o->capacity > 256) {  // three quarters unused
        const size_t room = o->size + 1;
        MVM_TRY(void* p, AllocBuffer(ts, room));
        std::memcpy(p, o->data(), o->size);
        ts.heap().FreeBuffer(o->buffer, o->capacity);
        o->buffer = static_cast<uint8_t*>(p);
        o->capacity = room;
        o->start = 0;
      } else if (o->start > o->capacity / 2 && o->capacity > 256) {
        std::memmove(o->buffer, o->data(), o->size);
        o->start = 0;
      }
    } else {
      std::memmove(o->data() + at + data.size(), o->data() + at + old_size, tail);
      MVM_TRY_VOID(BytearrayResize(ts, o, o->size - gone));
    }
  } else if (data.size() > old_size) {
    MVM_TRY_VOID(BytearrayResize(ts, o, o->size + (data.size() - old_size)));
    std::memmove(o->data() + at + data.size(), o->data() + at + old_size, tail);
  }
  if (!data.empty()) std::memcpy(o->data() + at, data.data(), data.size());
  return Ok();
}

namespace {

// ---- construction ----

Result<> bytearray_new(ThreadState& ts, TypeObject* cls, Args raw) {
  return AllocInstance(ts, cls);
}

// Neither a count nor a buffer; nor a list, whose items are there at once.
bool IsPlainIterable(ThreadState& ts, Value v) {
  return !IsStr(ts, v) && !IsInt(ts, v) && !TypeOf(ts, v)->operators->index && !HasBuffer(ts, v) &&
         !IsExact(v, TypeId::kList) && TypeOf(ts, v)->slots.iter;
}

// One by one: the iterator may look at what is there already.
Status AppendItems(ThreadState& ts, BytearrayObject* o, Value source) {
  Result<> iterator = GetIter(ts, source);
  if (iterator.raised()) {
    if (!ClearPendingIf(ts, Exc::kTypeError)) return kRaised;
    return Raise(ts, Exc::kTypeError, "cannot convert '%T' object to bytearray", source);
  }
  const Ref<> it = iterator.Take();
  for (;;) {
    MVM_TRY(Ref<> item, Next(ts, it));
    if (item.is_done()) {
      (void)item.Release();
      return Ok();
    }
    MVM_TRY(uint8_t byte, ByteFromValue(ts, item));
    const char c = static_cast<char>(byte);
    MVM_TRY_VOID(BytearraySplice(ts, o, o->size, 0, {&c, 1}));
    MVM_TRY_VOID(Charge(ts, 1));
  }
}

Status bytearray_init(ThreadState& ts, Value self, Args raw) {
  BytesArguments args;
  MVM_TRY_VOID(ParseBytesArguments(ts, "bytearray", raw, &args));
  BytearrayObject* o = self.as<BytearrayObject>();
  if (o->size != 0) MVM_TRY_VOID(BytearrayResize(ts, o, 0));
  if (args.source && !args.encoding && !args.errors && IsPlainIterable(ts, args.source)) {
    return AppendItems(ts, o, args.source);
  }
  TextBuffer data(Heap::kMaxAllocation);
  MVM_TRY_VOID(CollectBytes(ts, args, "bytearray", &data));
  return BytearraySplice(ts, o, 0, o->size, data.view());
}

// ---- operators ----

Result<> bytearray_repr(ThreadState& ts, Value self) {
  char prefix[220];
  const size_t n = TypeOf(ts, self)->is_heap()
                       ? TypeDisplayName(TypeOf(ts, self), prefix, sizeof(prefix) - 4)
                       : (std::memcpy(prefix, "bytearray", 9), size_t{9});
  // Only the last part of a dotted name shows.
  const char* name = prefix;
  for (size_t i = 0; i < n; ++i) {
    if (prefix[i] == '.') name = prefix + i + 1;
  }
  std::memcpy(prefix + n, "(b", 3);
  MVM_TRY(Ref<StrObject> body, BytesRepr(ts, self.as<BytearrayObject>()->view(), name));
  MVM_TRY(Ref<StrObject> close, StrFromChar(ts, ')'));
  return StrConcat(ts, body, close);
}

Result<int64_t> bytearray_len(ThreadState& ts, Value self) {
  return static_cast<int64_t>(self.as<BytearrayObject>()->size);
}

Result<> bytearray_str(ThreadState& ts, Value self) {
  if (MVM_UNLIKELY(ts.rt->bytes_warning > 0)) {
    MVM_TRY_VOID(Warn(ts, Exc::kBytesWarning, 1, "str() on a bytearray instance"));
  }
  return bytearray_repr(ts, self);
}

Result<> bytearray_compare(ThreadState& ts, Value a, Value b, CompareOp op) {
  if (!HasBuffer(ts, a) || !HasBuffer(ts, b)) {
    if (MVM_UNLIKELY(ts.rt->bytes_warning > 0) && (op == CompareOp::kEq || op == CompareOp::kNe) &&
        (IsStr(ts, a) || IsStr(ts, b))) {
      MVM_TRY_VOID(Warn(ts, Exc::kBytesWarning, 1, "Comparison between bytearray and string"));
    }
    return NotImplemented(ts);
  }
  ByteView va, vb;
  if (va.Get(ts, a).raised() || vb.Get(ts, b).raised()) {
    if (!ClearPendingIf(ts, Exc::kBufferError)) return kRaised;
    return NotImplemented(ts);
  }
  const std::string_view x = va.view(), y = vb.view();
  switch (op) {
    case CompareOp::kEq: return Bool(ts, x == y);
    case CompareOp::kNe: return Bool(ts, x != y);
    case CompareOp::kLt: return Bool(ts, x < y);
    case CompareOp::kLe: return Bool(ts, x <= y);
    case CompareOp::kGt: return Bool(ts, x > y);
    default: return Bool(ts, x >= y);
  }
}

// The index that a key means, not yet checked against the size.
Result<int64_t> ItemIndex(ThreadState& ts, Value self, Value key) {
  int64_t i;
  if (key.is_int()) {
    i = key.as_int();
  } else if (IsInt(ts, key) || TypeOf(ts, key)->operators->index) {
    MVM_TRY(i, IndexAsInt64(ts, key, Exc::kIndexError));
  } else {
    return Raise(ts, Exc::kTypeError, "bytearray indices must be integers or slices, not %T", key);
  }
  return i < 0 ? i + static_cast<int64_t>(self.as<BytearrayObject>()->size) : i;
}

Status CheckIndex(ThreadState& ts, const BytearrayObject* o, int64_t i) {
  if (MVM_LIKELY(i >= 0 && static_cast<uint64_t>(i) < o->size)) return Ok();
  return Raise(ts, Exc::kIndexError, "bytearray index out of range");
}

Result<> bytearray_get_item(ThreadState& ts, Value self, Value key) {
  BytearrayObject* o = self.as<BytearrayObject>();
  if (IsExact(key, TypeId::kSlice)) {
    int64_t start, stop, step;
    MVM_TRY_VOID(SliceUnpack(ts, key.as<SliceObject>(), &start, &stop, &step));
    const int64_t n = SliceAdjust(static_cast<int64_t>(o->size), &start, &stop, step);
    if (n <= 0) return NewBytearray(ts, {});
    if (step == 1) {
      return NewBytearray(ts, o->view().substr(static_cast<size_t>(start), static_cast<size_t>(n)));
    }
    MVM_TRY(Ref<BytearrayObject> out, NewBytearrayRaw(ts, static_cast<size_t>(n)));
    for (int64_t k = 0; k < n; ++k) out->buffer[k] = o->data()[start + k * step];
    return out;
  }
  MVM_TRY(int64_t i, ItemIndex(ts, self, key));
  MVM_TRY_VOID(CheckIndex(ts, o, i));
  return Small(o->data()[i]);
}

Status DeleteSlice(ThreadState& ts, BytearrayObject* o, int64_t start, int64_t step, int64_t n) {
  if (n <= 0) return Ok();
  if (step == 1 || n == 1) {
    return BytearraySplice(ts, o, static_cast<size_t>(start), static_cast<size_t>(n), {});
  }
  MVM_TRY_VOID(CheckResizable(ts, o));
  if (step < 0) {
    start += step * (n - 1);
    step = -step;
  }
  uint8_t* p = o->data();
  size_t to = static_cast<size_t>(start);
  int64_t next = start, left = n;
  for (size_t from = to; from < o->size; ++from) {
    if (left > 0 && static_cast<int64_t>(from) == next) {
      next += step;
      --left;
    } else {
      p[to++] = p[from];
    }
  }
  return BytearrayResize(ts, o, to);
}

Status SetSlice(ThreadState& ts, BytearrayObject* o, SliceObject* slice, Value value) {
  TextBuffer data(Heap::kMaxAllocation);
  if (value) {
    if (HasBuffer(ts, value)) {
      ByteView view;
      MVM_TRY_VOID(view.Get(ts, value));
      MVM_TRY_VOID(CheckRoom(ts, view.size()));
      data.Append(view.view());
      if (data.failed()) return RaiseMemoryError(ts);
    } else if (IsStr(ts, value) || IsInt(ts, value)) {
      return Raise(ts, Exc::kTypeError,
                   "can assign only bytes, buffers, or iterables of ints in range(0, 256)");
    } else {
      MVM_TRY_VOID(CollectBytes(ts, {value, {}, {}}, "bytearray", &data));
    }
  }
  int64_t start, stop, step;
  MVM_TRY_VOID(SliceUnpack(ts, slice, &start, &stop, &step));
  const int64_t n = SliceAdjust(static_cast<int64_t>(o->size), &start, &stop, step);
  if (!value) return DeleteSlice(ts, o, start, step, n);
  if (step == 1) {
    return BytearraySplice(ts, o, static_cast<size_t>(start),
                           static_cast<size_t>(std::max<int64_t>(n, 0)), data.view());
  }
  if (data.size() == 0) return DeleteSlice(ts, o, start, step, n);
  if (static_cast<int64_t>(data.size()) != n) {
    return Raise(ts, Exc::kValueError,
                 "attempt to assign bytes of size %zu to extended slice of size %lld", data.size(),
                 static_cast<long long>(n));
  }
  for (int64_t k = 0; k < n; ++k)
    o->data()[start + k * step] = static_cast<uint8_t>(data.data()[k]);
  return Ok();
}

Status bytearray_set_item(ThreadState& ts, Value self, Value key, Value value) {
  BytearrayObject* o = self.as<BytearrayObject>();
  if (IsExact(key, TypeId::kSlice)) return SetSlice(ts, o, key.as<SliceObject>(), value);
  MVM_TRY(int64_t i, ItemIndex(ts, self, key));
  if (!value) {
    MVM_TRY_VOID(CheckIndex(ts, o, i));
    return BytearraySplice(ts, o, static_cast<size_t>(i), 1, {});
  }
  MVM_TRY(uint8_t byte, ByteFromValue(ts, value));
  MVM_TRY_VOID(CheckIndex(ts, o, i));  // now: __index__ may have shortened it
  o->data()[i] = byte;
  return Ok();
}

Result<bool> bytearray_contains(ThreadState& ts, Value self, Value item) {
  if (IsInt(ts, item) || (TypeOf(ts, item)->operators->index && !HasBuffer(ts, item))) {
    MVM_TRY(uint8_t byte, ByteFromValue(ts, item));
    return BytesOf(ts, self).find(static_cast<char>(byte)) != std::string_view::npos;
  }
  ByteView needle;
  MVM_TRY_VOID(needle.Get(ts, item));
  const std::string_view text = BytesOf(ts, self);
  return needle.size() == 0 ||
         FindText(Chars(text), text.size(), needle.data(), needle.size()) >= 0;
}

Result<> bytearray_concat(ThreadState& ts, Value self, Value other) {
  if (!HasBuffer(ts, other))
    return Raise(ts, Exc::kTypeError, "can't concat %T to %T", other, self);
  ByteView tail;
  MVM_TRY_VOID(tail.Get(ts, other));
  BytearrayObject* o = self.as<BytearrayObject>();
  MVM_TRY(Ref<BytearrayObject> out, NewBytearrayRaw(ts, o->size + tail.size()));
  if (o->size) std::memcpy(out->buffer, o->data(), o->size);
  if (tail.size()) std::memcpy(out->buffer + o->size, tail.data(), tail.size());
  return out;
}

// Appends a bytes-like object, which may be the array itself.
Status AppendBuffer(ThreadState& ts, BytearrayObject* o, Value other) {
  if (other.is(Value(o))) {
    const size_t n = o->size;
    MVM_TRY_VOID(BytearrayResize(ts, o, n * 2));
    if (n) std::memcpy(o->data() + n, o->data(), n);
    return Ok();
  }
  ByteView tail;
  MVM_TRY_VOID(tail.Get(ts, other));
  return BytearraySplice(ts, o, o->size, 0, tail.view());
}

Result<> bytearray_iconcat(ThreadState& ts, Value self, Value other) {
  if (!HasBuffer(ts, other))
    return Raise(ts, Exc::kTypeError, "can't concat %T to %T", other, self);
  MVM_TRY_VOID(AppendBuffer(ts, self.as<BytearrayObject>(), other));
  return Result<>::Borrow(self);
}

void FillRepeated(uint8_t* p, size_t unit, size_t total) {
  for (size_t done = unit; done < total;) {
    const size_t step = std::min(done, total - done);
    std::memcpy(p + done, p, step);
    done += step;
  }
}

Result<> bytearray_repeat(ThreadState& ts, Value self, int64_t count) {
  BytearrayObject* o = self.as<BytearrayObject>();
  const size_t n = o->size;
  if (count <= 0 || n == 0) return NewBytearray(ts, {});
  if (static_cast<uint64_t>(count) > Heap::kMaxAllocation / n) return RaiseMemoryError(ts);
  MVM_TRY(Ref<BytearrayObject> out, NewBytearrayRaw(ts, n * static_cast<size_t>(count)));
  std::memcpy(out->buffer, o->data(), n);
  FillRepeated(out->buffer, n, out->size);
  return out;
}

Result<> bytearray_irepeat(ThreadState& ts, Value self, int64_t count) {
  BytearrayObject* o = self.as<BytearrayObject>();
  const size_t n = o->size;
  const size_t times = count < 0 ? 0 : static_cast<size_t>(count);
  if (n != 0 && times > Heap::kMaxAllocation / n) return RaiseMemoryError(ts);
  MVM_TRY_VOID(BytearrayResize(ts, o, n * times));
  if (o->size > n) FillRepeated(o->data(), n, o->size);
  return Result<>::Borrow(self);
}

Result<> bytearray_mod(ThreadState& ts, Value a, Value b) {
  if (!IsBytearray(ts, a)) return NotImplemented(ts);
  MVM_TRY(Ref<BytesObject> format, NewBytes(ts, a.as<BytearrayObject>()->view()));
  MVM_TRY(Ref<BytesObject> text, BytesPercent(ts, format->view(), b));
  return NewBytearray(ts, text->view());
}

void ReleaseExport(BufferView* view) { --view->object.as<BytearrayObject>()->exports; }

Status bytearray_buffer(ThreadState& ts, Value self, BufferView* out, bool writable) {
  BytearrayObject* o = self.as<BytearrayObject>();
  FillSimple(out, self, const_cast<char*>(o->view().data()), static_cast<int64_t>(o->size), false);
  out->release = ReleaseExport;
  ++o->exports;
  return Ok();
}

// ---- methods ----

Result<> bytearray_append(ThreadState& ts, Args args) {
  MVM_TRY(uint8_t byte, ByteFromValue(ts, args[1]));
  BytearrayObject* o = Self(args);
  MVM_TRY_VOID(BytearrayResize(ts, o, o->size + 1));
  o->data()[o->size - 1] = byte;
  return None(ts);
}

Result<> bytearray_release_buffer(ThreadState& ts, Args args) {
  MVM_TRY_VOID(MemoryviewReleaseFor(ts, args[0], args[1]));
  return None(ts);
}

Result<> bytearray_extend(ThreadState& ts, Args args) {
  BytearrayObject* o = Self(args);
  if (HasBuffer(ts, args[1])) {
    MVM_TRY_VOID(AppendBuffer(ts, o, args[1]));
    return None(ts);
  }
  if (IsStr(ts, args[1])) {
    return Raise(ts, Exc::kTypeError, "expected iterable of integers; got: 'str'");
  }
  Result<> iterator = GetIter(ts, args[1]);
  if (iterator.raised()) {
    if (!ClearPendingIf(ts, Exc::kTypeError)) return kRaised;
    return Raise(ts, Exc::kTypeError, "can't extend bytearray with %T", args[1]);
  }
  const Ref<> it = iterator.Take();
  TextBuffer data(Heap::kMaxAllocation);
  MVM_TRY_VOID(LengthHint(ts, args[1], 0));
  MVM_TRY_VOID(CollectBytes(ts, {it, {}, {}}, "bytearray", &data));
  MVM_TRY_VOID(BytearraySplice(ts, o, o->size, 0, data.view()));
  return None(ts);
}

Result<> bytearray_insert(ThreadState& ts, Args args) {
  MVM_TRY(int64_t at, AsSize(ts, args[1]));
  MVM_TRY(uint8_t byte, ByteFromValue(ts, args[2]));
  BytearrayObject* o = Self(args);
  const int64_t n = static_cast<int64_t>(o->size);
  if (at < 0) at = std::max<int64_t>(at + n, 0);
  at = std::min(at, n);
  const char c = static_cast<char>(byte);
  MVM_TRY_VOID(BytearraySplice(ts, o, static_cast<size_t>(at), 0, {&c, 1}));
  return None(ts);
}

Result<> bytearray_pop(ThreadState& ts, Args args) {
  int64_t at = -1;
  if (args.has(1)) {
    MVM_TRY(at, AsSize(ts, args[1]));
  }
  BytearrayObject* o = Self(args);
  const int64_t n = static_cast<int64_t>(o->size);
  if (n == 0) return Raise(ts, Exc::kIndexError, "pop from empty bytearray");
  if (at < 0) at += n;
  if (at < 0 || at >= n) return Raise(ts, Exc::kIndexError, "pop index out of range");
  MVM_TRY_VOID(CheckResizable(ts, o));
  const uint8_t byte = o->data()[at];
  MVM_TRY_VOID(BytearraySplice(ts, o, static_cast<size_t>(at), 1, {}));
  return Small(byte);
}

Result<> bytearray_remove(ThreadState& ts, Args args) {
  MVM_TRY(uint8_t byte, ByteFromValue(ts, args[1]));
  BytearrayObject* o = Self(args);
  const size_t at = o->view().find(static_cast<char>(byte));
  if (at == std::string_view::npos)
    return Raise(ts, Exc::kValueError, "value not found in bytearray");
  MVM_TRY_VOID(BytearraySplice(ts, o, at, 1, {}));
  return None(ts);
}

Result<> bytearray_clear(ThreadState& ts, Args args) {
  MVM_TRY_VOID(BytearrayResize(ts, Self(args), 0));
  return None(ts);
}

Result<> bytearray_copy(ThreadState& ts, Args args) { return NewBytearray(ts, Self(args)->view()); }

Result<> bytearray_reverse(ThreadState& ts, Args args) {
  BytearrayObject* o = Self(args);
  if (o->size) std::reverse(o->data(), o->data() + o->size);
  return None(ts);
}

Result<> bytearray_alloc(ThreadState& ts, Args args) {
  return Small(static_cast<int64_t>(Self(args)->capacity));
}

Result<> bytearray_sizeof(ThreadState& ts, Args args) {
  return Small(static_cast<int64_t>(sizeof(BytearrayObject) + Self(args)->capacity));
}

Result<> Reduce(ThreadState& ts, Value self, bool as_bytes) {
  const std::string_view view = self.as<BytearrayObject>()->view();
  Ref<> arguments;
  if (as_bytes) {
    MVM_TRY(Ref<BytesObject> data, NewBytes(ts, view));
    Value items[] = {data};
    MVM_TRY(arguments, NewTuple(ts, items));
  } else {
    MVM_TRY(Ref<StrObject> text, NewStrFromUcs1(ts, Chars(view), view.size()));
    MVM_TRY(Ref<StrObject> encoding, NewStr(ts, "latin-1"));
    Value items[] = {text, encoding};
    MVM_TRY(arguments, NewTuple(ts, items));
  }
  Ref<> state = Ref<>::Borrow(ts.rt->none);
  if (TypeOf(ts, self)->is_heap()) {
    MVM_TRY(state, CallMethod(ts, self, MVM_NAME(ts, __getstate__)));
  }
  Value items[] = {Value(TypeOf(ts, self)), arguments, state};
  return NewTuple(ts, items);
}

Result<> bytearray_reduce(ThreadState& ts, Args args) { return Reduce(ts, args[0], false); }
Result<> bytearray_reduce_ex(ThreadState& ts, Args args) {
  MVM_TRY(int64_t protocol, AsSize(ts, args[1]));
  return Reduce(ts, args[0], protocol >= 3);
}

// ---- iteration ----

class BytearrayIterator : public Object {
 public:
  BytearrayObject* array = nullptr;  // null: exhausted
  uint64_t index = 0;
  template <class V>
  void VisitRefs(V&& v) {
    v(array);
  }
};

Result<> bytearray_iter(ThreadState& ts, Value self) {
  MVM_TRY(Ref<BytearrayIterator> it, New<BytearrayIterator>(ts, TypeId::kBytearrayIterator));
  it->array = Ref<BytearrayObject>::Borrow(self.as<BytearrayObject>()).Release();
  Track(it);
  return it;
}

Result<> bytearrayiter_iter(ThreadState& ts, Value self) { return Result<>::Borrow(self); }

Result<> bytearrayiter_next(ThreadState& ts, Value self) {
  BytearrayIterator* it = self.as<BytearrayIterator>();
  if (it->array && it->index < it->array->size) return Small(it->array->data()[it->index++]);
  Ref<BytearrayObject> done = Ref<BytearrayObject>::Steal(std::exchange(it->array, nullptr));
  return Result<>::Done();
}

Result<> bytearrayiter_length_hint(ThreadState& ts, Args args) {
  BytearrayIterator* it = args.self<BytearrayIterator>();
  return Small(it->array && it->array->size > it->index
                   ? static_cast<int64_t>(it->array->size - it->index)
                   : 0);
}

Result<> bytearrayiter_reduce(ThreadState& ts, Args args) {
  BytearrayIterator* it = args.self<BytearrayIterator>();
  // Looking it up may run code that moves the iterator.
  MVM_TRY(Ref<> iter, BuiltinByName(ts, "iter"));
  const int64_t index = static_cast<int64_t>(it->index);
  Ref<> source = Ref<>::Borrow(it->array ? Value(it->array) : ts.rt->empty_tuple);
  const bool live = it->array != nullptr;
  Value inner[] = {source};
  MVM_TRY(Ref<TupleObject> arguments, NewTuple(ts, inner));
  Value outer[] = {iter, arguments, Value::Int(index)};
  return NewTuple(ts, std::span<const Value>(outer, live ? 3 : 2));
}

Result<> bytearrayiter_setstate(ThreadState& ts, Args args) {
  MVM_TRY(int64_t index, AsSize(ts, args[1]));
  BytearrayIterator* it = args.self<BytearrayIterator>();
  if (it->array) {
    it->index =
        static_cast<uint64_t>(std::clamp<int64_t>(index, 0, static_cast<int64_t>(it->array->size)));
  }
  return None(ts);
}

const MethodSpec kBytearrayMethods[] = {
    {"__alloc__(self, /)", bytearray_alloc, "How many bytes there is room for without growing."},
    {"__reduce__(self, /)", bytearray_reduce,
     "What pickle and copy need to make the object again."},
    {"__reduce_ex__(self, proto=0, /)", bytearray_reduce_ex,
     "What pickle and copy need to make the object again."},
    {"__sizeof__(self, /)", bytearray_sizeof, "How many bytes the object takes, with its reserve."},
    {"append(self, item, /)", bytearray_append,
     "Adds one byte, an integer from 0 to 255, at the end."},
    {"clear(self, /)", bytearray_clear, "Makes the bytearray empty."},
    {"copy(self, /)", bytearray_copy, "Another bytearray of the same bytes."},
    {"__release_buffer__(self, buffer, /)", bytearray_release_buffer,
     "Runs when a memoryview that __buffer__() gave is done with."},
    {"extend(self, iterable_of_ints, /)", bytearray_extend,
     "Adds the bytes of a bytes-like object or an iterable of integers at the end."},
    {"insert(self, index, item, /)", bytearray_insert,
     "Puts one byte in front of the one at index."},
    {"pop(self, index=-1, /)", bytearray_pop,
     "Takes out the byte at index, the last by default; IndexError if there is none."},
    {"remove(self, value, /)", bytearray_remove,
     "Takes out the first byte with that value; ValueError if there is none."},
    {"reverse(self, /)", bytearray_reverse, "Turns the order of the bytes round, in place."},
    MVM_BYTE_METHOD_ROWS,
};

const MethodSpec kBytearrayIteratorMethods[] = {
    {"__length_hint__(self, /)", bytearrayiter_length_hint,
     "How many items are left, as far as is known."},
    {"__reduce__(self, /)", bytearrayiter_reduce,
     "What pickle and copy need to make the object again."},
    {"__setstate__(self, state, /)", bytearrayiter_setstate,
     "Takes over a state that __reduce__() gave."},
};

}  // namespace

const TypeSpec kBytearrayType = {
    .name = "bytearray",
    .doc =
        "bytearray(source=b'') -> a mutable sequence of bytes\n\n"
        "The source is a bytes-like object, an iterable of integers below 256, a number of\n"
        "zero bytes, or a string together with its encoding.",
    .flags = kTypeBase | kTypeBytearraySubclass | kTypeMatchSelf,
    .size = sizeof(BytearrayObject),
    .gc = LeafHooksOf<BytearrayObject>(),
    .slots = {.repr = bytearray_repr,
              .str = bytearray_str,
              .hash = HashNotImplemented,
              .compare = bytearray_compare,
              .iter = bytearray_iter,
              .init = bytearray_init,
              .new_ = bytearray_new,
              .len = bytearray_len,
              .get_item = bytearray_get_item,
              .set_item = bytearray_set_item,
              .contains = bytearray_contains,
              .concat = bytearray_concat,
              .repeat = bytearray_repeat,
              .iconcat = bytearray_iconcat,
              .irepeat = bytearray_irepeat,
              .mod = bytearray_mod,
              .buffer = bytearray_buffer},
    .methods = kBytearrayMethods};

const TypeSpec kBytearrayIteratorType = {
    .name = "bytearray_iterator",
    .flags = kTypeNoNew,
    .size = sizeof(BytearrayIterator),
    .gc = GcHooksOf<BytearrayIterator>(),
    .slots = {.iter = bytearrayiter_iter, .next = bytearrayiter_next},
    .methods = kBytearrayIteratorMethods};

}  // namespace minivm
