// BytesIO: a binary stream in memory.
#include <cstring>

#include "runtime/native/native_function.h"
#include "runtime/objects/bytes_object.h"
#include "runtime/objects/dict_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/memoryview_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/buffer.h"
#include "runtime/protocol/protocol.h"
#include "stdlib/io/io_types.h"

namespace minivm::io {

void BytesIoObject::FreeBuffers(Heap& heap) {
  if (buffer) heap.FreeBuffer(buffer, capacity);
  buffer = nullptr;
  capacity = size = 0;
}

namespace {

// What getbuffer() exports: keeps the stream from being resized.
class BytesIoBuffer : public Object {
 public:
  BytesIoObject* source = nullptr;
  template <class V>
  void VisitRefs(V&& v) {
    v(source);
  }
};

// In garbage it keeps its source: the views on it, which may be cleared later, give that its memory
// back. They break the cycle.
constexpr GcHooks kBufferGc = {gc_internal::VisitHook<BytesIoBuffer>, [](Object*) {},
                               gc_internal::DestroyHook<BytesIoBuffer>};

BytesIoObject* Self(Value v) { return v.as<BytesIoObject>(); }

Status CheckOpen(ThreadState& ts, BytesIoObject* b) {
  if (b->closed) return Raise(ts, Exc::kValueError, "I/O operation on closed file.");
  return Ok();
}
Status CheckExports(ThreadState& ts, BytesIoObject* b) {
  if (b->exports > 0)
    return Raise(ts, Exc::kBufferError, "Existing exports of data: object cannot be re-sized");
  return Ok();
}

Status Reserve(ThreadState& ts, BytesIoObject* b, uint64_t n) {
  if (n <= b->capacity) return Ok();
  uint64_t capacity = n < 64 ? 64 : n + n / 8;
  MVM_TRY_VOID(CheckRoom(ts, capacity));
  void* p = ts.heap().ReallocateBuffer(b->buffer, b->capacity, capacity);
  if (!p) return RaiseMemoryError(ts);
  b->buffer = static_cast<uint8_t*>(p);
  b->capacity = capacity;
  return Ok();
}

Status Write(ThreadState& ts, BytesIoObject* b, std::string_view data) {
  MVM_TRY_VOID(CheckOpen(ts, b));
  MVM_TRY_VOID(CheckExports(ts, b));
  if (data.empty()) return Ok();
  uint64_t end;
  if (__builtin_add_overflow(b->pos, data.size(), &end) || end > INT64_MAX) {
    return Raise(ts, Exc::kOverflowError, "new buffer size too large");
  }
  MVM_TRY_VOID(Reserve(ts, b, end));
  if (b->pos > b->size) std::memset(b->buffer + b->size, 0, b->pos - b->size);
  std::memcpy(b->buffer + b->pos, data.data(), data.size());
  b->pos = end;
  if (end > b->size) b->size = end;
  return Ok();
}

std::string_view Rest(const BytesIoObject* b) {
  if (b->pos >= b->size) return {};
  return {reinterpret_cast<const char*>(b->buffer) + b->pos, b->size - b->pos};
}

// The next n bytes (all when negative); they count as read.
std::string_view Take(BytesIoObject* b, int64_t n) {
  std::string_view rest = Rest(b);
  if (n >= 0 && static_cast<uint64_t>(n) < rest.size())
    rest = rest.substr(0, static_cast<size_t>(n));
  b->pos += rest.size();
  return rest;
}

std::string_view TakeLine(BytesIoObject* b, int64_t limit) {
  std::string_view rest = Rest(b);
  size_t newline = rest.find('\n');
  size_t n = newline == rest.npos ? rest.size() : newline + 1;
  if (limit >= 0 && static_cast<uint64_t>(limit) < n) n = static_cast<size_t>(limit);
  b->pos += n;
  return rest.substr(0, n);
}

Result<> bytes_init(ThreadState& ts, Args args) {
  BytesIoObject* b = Self(args[0]);
  MVM_TRY_VOID(CheckExports(ts, b));
  b->size = b->pos = 0;
  b->closed = false;
  if (!IsNone(ts, args[1])) {
    ByteView data;
    MVM_TRY_VOID(data.Get(ts, args[1]));
    MVM_TRY_VOID(Write(ts, b, data.view()));
    b->pos = 0;
  }
  return None(ts);
}

Result<> bytes_read(ThreadState& ts, Args args) {
  MVM_TRY(int64_t n, SizeArgument(ts, args[1]));
  MVM_TRY_VOID(CheckOpen(ts, Self(args[0])));
  return NewBytes(ts, Take(Self(args[0]), n));
}
Result<> bytes_readline(ThreadState& ts, Args args) {
  MVM_TRY(int64_t n, SizeArgument(ts, args[1]));
  MVM_TRY_VOID(CheckOpen(ts, Self(args[0])));
  return NewBytes(ts, TakeLine(Self(args[0]), n));
}
Result<> bytes_readlines(ThreadState& ts, Args args) {
  MVM_TRY(int64_t hint, SizeArgument(ts, args[1]));
  MVM_TRY_VOID(CheckOpen(ts, Self(args[0])));
  MVM_TRY(Ref<ListObject> lines, NewList(ts, {}));
  int64_t total = 0;
  for (;;) {
    std::string_view line = TakeLine(Self(args[0]), -1);
    if (line.empty()) break;
    MVM_TRY(Ref<BytesObject> item, NewBytes(ts, line));
    MVM_TRY_VOID(ListAppend(ts, lines, item));
    total += static_cast<int64_t>(line.size());
    if (hint > 0 && total >= hint) break;
    MVM_TRY_VOID(Charge(ts, 1));
  }
  return lines;
}
Result<> bytes_next(ThreadState& ts, Value self) {
  MVM_TRY_VOID(CheckOpen(ts, Self(self)));
  std::string_view line = TakeLine(Self(self), -1);
  if (line.empty()) return Result<>::Done();
  return NewBytes(ts, line);
}
Result<> bytes_readinto(ThreadState& ts, Args args) {
  MVM_TRY_VOID(CheckOpen(ts, Self(args[0])));
  ByteView to;
  MVM_TRY_VOID(to.GetWritable(ts, args[1],
                              "readinto() argument must be read-write bytes-like object, not %T"));
  std::string_view data = Take(Self(args[0]), static_cast<int64_t>(to.size()));
  if (!data.empty()) std::memmove(to.mutable_data(), data.data(), data.size());
  return Small(static_cast<int64_t>(data.size()));
}

Result<> bytes_write(ThreadState& ts, Args args) {
  BytesIoObject* b = Self(args[0]);
  MVM_TRY_VOID(CheckOpen(ts, b));
  ByteView data;
  MVM_TRY_VOID(data.Get(ts, args[1]));
  // Its own memory may be what is written.
  if (b->exports > 0) return CheckExports(ts, b).raised() ? Result<>(kRaised) : None(ts);
  MVM_TRY_VOID(Write(ts, b, data.view()));
  return Small(static_cast<int64_t>(data.size()));
}
Result<> bytes_writelines(ThreadState& ts, Args args) {
  MVM_TRY_VOID(CheckOpen(ts, Self(args[0])));
  MVM_TRY_VOID(ForEach(ts, args[1], [&](Value line) -> Status {
    ByteView data;
    MVM_TRY_VOID(data.Get(ts, line));
    return Write(ts, Self(args[0]), data.view());
  }));
  return None(ts);
}

Result<> bytes_tell(ThreadState& ts, Args args) {
  MVM_TRY_VOID(CheckOpen(ts, Self(args[0])));
  return NewInt(ts, static_cast<int64_t>(Self(args[0])->pos));
}
Result<> bytes_seek(ThreadState& ts, Args args) {
  BytesIoObject* b = Self(args[0]);
  MVM_TRY(int64_t offset, OffsetArgument(ts, args[1]));
  MVM_TRY(int64_t whence, AsInt64(ts, args[2]));
  MVM_TRY_VOID(CheckOpen(ts, b));
  if (whence == 0 && offset < 0) {
    return Raise(ts, Exc::kValueError, "negative seek value %lld", static_cast<long long>(offset));
  }
  int64_t base = whence == 1   ? static_cast<int64_t>(b->pos)
                 : whence == 2 ? static_cast<int64_t>(b->size)
                               : 0;
  if (whence < 0 || whence > 2) {
    return Raise(ts, Exc::kValueError, "invalid whence (%d, should be 0, 1 or 2)",
                 static_cast<int>(whence));
  }
  int64_t target;
  if (__builtin_add_overflow(base, offset, &target))
    return Raise(ts, Exc::kOverflowError, "new position too large");
  b->pos = target < 0 ? 0 : static_cast<uint64_t>(target);
  return NewInt(ts, static_cast<int64_t>(b->pos));
}
Result<> bytes_truncate(ThreadState& ts, Args args) {
  BytesIoObject* b = Self(args[0]);
  MVM_TRY_VOID(CheckOpen(ts, b));
  MVM_TRY_VOID(CheckExports(ts, b));
  int64_t size = static_cast<int64_t>(b->pos);
  if (!IsNone(ts, args[1])) {
    MVM_TRY(size, OffsetArgument(ts, args[1]));
    if (size < 0)
      return Raise(ts, Exc::kValueError, "negative size value %lld", static_cast<long long>(size));
  }
  if (static_cast<uint64_t>(size) < b->size) b->size = static_cast<uint64_t>(size);
  return NewInt(ts, size);
}

Result<> bytes_getvalue(ThreadState& ts, Args args) {
  BytesIoObject* b = Self(args[0]);
  MVM_TRY_VOID(CheckOpen(ts, b));
  return NewBytes(ts, {reinterpret_cast<char*>(b->buffer), b->size});
}
Result<> bytes_getbuffer(ThreadState& ts, Args args) {
  MVM_TRY_VOID(CheckOpen(ts, Self(args[0])));
  MVM_TRY(TypeObject * type, TypeForSpec(ts, kBytesIoBufferType));
  MVM_TRY(Ref<BytesIoBuffer> source, New<BytesIoBuffer>(ts, type->shape_id_exact));
  source->source = Ref<BytesIoObject>::Borrow(Self(args[0])).Release();
  Track(source.get());
  return NewMemoryview(ts, source);
}
Result<> bytes_close(ThreadState& ts, Args args) {
  BytesIoObject* b = Self(args[0]);
  MVM_TRY_VOID(CheckExports(ts, b));
  b->closed = true;
  b->FreeBuffers(ts.heap());
  b->pos = 0;
  return None(ts);
}
Result<> bytes_flush(ThreadState& ts, Args args) {
  MVM_TRY_VOID(CheckOpen(ts, Self(args[0])));
  return None(ts);
}
template <bool kAnswer>
Result<> bytes_answer(ThreadState& ts, Args args) {
  MVM_TRY_VOID(CheckOpen(ts, Self(args[0])));
  return Bool(ts, kAnswer);
}
Result<> bytes_get_closed(ThreadState& ts, Value self) { return Bool(ts, Self(self)->closed); }

// (value, position, dict or None)
Result<> bytes_getstate(ThreadState& ts, Args args) {
  MVM_TRY(Ref<> value, bytes_getvalue(ts, args));
  BytesIoObject* b = Self(args[0]);
  MVM_TRY(Ref<> pos, NewInt(ts, static_cast<int64_t>(b->pos)));
  Ref<> dict = Ref<>::Borrow(ts.rt->none);
  if (b->dict && DictSize(b->dict) > 0) {
    MVM_TRY(dict, Result<>(DictCopy(ts, b->dict)));
  }
  Value parts[] = {value, pos, dict};
  return NewTuple(ts, parts);
}
Result<> bytes_setstate(ThreadState& ts, Args args) {
  BytesIoObject* b = Self(args[0]);
  if (!IsTuple(ts, args[1]) || args.as<TupleObject>(1)->size() < 3) {
    return Raise(ts, Exc::kTypeError, "%T.__setstate__ argument should be 3-tuple, got %T", args[0],
                 args[1]);
  }
  MVM_TRY_VOID(CheckOpen(ts, b));
  MVM_TRY_VOID(CheckExports(ts, b));
  TupleObject* state = args.as<TupleObject>(1);
  b->size = b->pos = 0;
  b->closed = false;
  ByteView data;
  MVM_TRY_VOID(data.Get(ts, (*state)[0]));
  MVM_TRY_VOID(Write(ts, b, data.view()));
  if (!IsInt(ts, (*state)[1])) {
    return Raise(ts, Exc::kTypeError, "second item of state must be an integer, not %T",
                 (*state)[1]);
  }
  MVM_TRY(int64_t pos, AsInt64(ts, (*state)[1]));
  if (pos < 0) return Raise(ts, Exc::kValueError, "position value cannot be negative");
  b->pos = static_cast<uint64_t>(pos);
  if (!IsNone(ts, (*state)[2])) {
    if (!IsDict(ts, (*state)[2])) {
      return Raise(ts, Exc::kTypeError, "third item of state should be a dict, got a %T",
                   (*state)[2]);
    }
    MVM_TRY(Ref<DictObject> dict, InstanceDict(ts, args[0]));
    MVM_TRY_VOID(DictUpdate(ts, dict, (*state)[2]));
  }
  return None(ts);
}
Result<> bytes_sizeof(ThreadState& ts, Args args) {
  return Small(static_cast<int64_t>(sizeof(BytesIoObject) + Self(args[0])->capacity));
}

Status ExportBuffer(ThreadState& ts, Value self, BufferView* out, bool) {
  BytesIoObject* b = self.as<BytesIoBuffer>()->source;
  ++b->exports;
  FillSimple(out, self, b->buffer, static_cast<int64_t>(b->size), false);
  out->release = [](BufferView* view) { --view->object.as<BytesIoBuffer>()->source->exports; };
  return Ok();
}

const MethodSpec kMethods[] = {
    {"__getstate__(self, /)", bytes_getstate},
    {"__setstate__(self, state, /)", bytes_setstate},
    {"__sizeof__(self, /)", bytes_sizeof},
    {"close(self, /)", bytes_close, "Free the memory; any use afterwards is a ValueError."},
    {"flush(self, /)", bytes_flush, "Nothing: all is in memory already."},
    {"getbuffer(self, /)", bytes_getbuffer,
     "A writable view of the contents, which cannot change size while it lives."},
    {"getvalue(self, /)", bytes_getvalue, "All of the contents, wherever the position is."},
    {"isatty(self, /)", bytes_answer<false>, "Always returns False."},
    {"read(self, size=-1, /)", bytes_read,
     "The next bytes, up to size; to the end if size is negative or None."},
    {"read1(self, size=-1, /)", bytes_read,
     "The next bytes, up to size; to the end if size is negative or None."},
    {"readable(self, /)", bytes_answer<true>, "True, while it is open."},
    {"readinto(self, buffer, /)", bytes_readinto,
     "Fill a buffer with the next bytes; returns how many."},
    {"readline(self, size=-1, /)", bytes_readline,
     "Bytes up to the next newline and with it, but no more than size; b'' at the end."},
    {"readlines(self, size=None, /)", bytes_readlines,
     "The lines that are left; no more once size bytes are exceeded."},
    {"seek(self, pos, whence=0, /)", bytes_seek, "Change stream position."},
    {"seekable(self, /)", bytes_answer<true>, "True, while it is open."},
    {"tell(self, /)", bytes_tell, "The position, in bytes from the start."},
    {"truncate(self, size=None, /)", bytes_truncate,
     "Cut what is behind size, by default the position. The position stays; returns size."},
    {"writable(self, /)", bytes_answer<true>, "True, while it is open."},
    {"write(self, b, /)", bytes_write,
     "Put bytes at the position, over what is there; returns how many."},
    {"writelines(self, lines, /)", bytes_writelines,
     "Write each of the lines; no newline is added."},
};
const GetSetSpec kGetSets[] = {
    {"closed", bytes_get_closed, nullptr, "Whether close() has been called."}};

}  // namespace

const TypeSpec kBytesIoBufferType = {
    .name = "_io._BytesIOBuffer",
    .flags = kTypeNoNew,
    .size = sizeof(BytesIoBuffer),
    .gc = kBufferGc,
    .slots = {.buffer = ExportBuffer},
};
const TypeSpec kBytesIoType = {
    .name = "_io.BytesIO",
    .doc = "A binary file in memory: BytesIO(initial_bytes=b''), opened at the start.",
    .base = &kBufferedIoBaseType,
    .flags = kTypeBase,
    .size = sizeof(BytesIoObject),
    .gc = GcHooksOf<BytesIoObject>(),
    .slots = {.next = bytes_next},
    .init = {"BytesIO(self, initial_bytes=None)", bytes_init},
    .methods = kMethods,
    .getsets = kGetSets,
};

}  // namespace minivm::io
