// BufferedReader, BufferedWriter and BufferedRandom.
//
// One buffer per stream: it holds either bytes read ahead of the reader, or bytes that are still to
// be written; a BufferedRandom that changes direction first gives back (by seeking) or writes out
// what it has. The raw stream's own position is asked for, never remembered, so others may move it.
#include <cerrno>
#include <cstring>

#include "runtime/core/blocking.h"
#include "runtime/native/native_function.h"
#include "runtime/objects/bytearray_object.h"
#include "runtime/objects/bytes_object.h"
#include "runtime/objects/descriptor_object.h"
#include "runtime/objects/dict_object.h"
#include "runtime/objects/exception_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/memoryview_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/buffer.h"
#include "runtime/protocol/protocol.h"
#include "stdlib/io/io_types.h"

namespace minivm::io {

void BufferedObject::FreeBuffers(Heap& heap) {
  if (buffer != nullptr) heap.FreeBuffer(buffer, static_cast<size_t>(size));
  buffer = nullptr;
}

namespace {

BufferedObject* Self(Value v) { return v.as<BufferedObject>(); }

// ---- the raw stream ----

// Bytes read into `to`, 0 at the end, -1 if it would block.
Result<int64_t> RawRead(ThreadState& ts, BufferedObject* b, void* to, int64_t n) {
  if (MVM_LIKELY(b->raw_is_file)) {
    FileIoObject* f = b->raw.as<FileIoObject>();
    if (!f->readable) return RaiseUnsupported(ts, "File not open for reading");
    return FileRead(ts, f, to, static_cast<size_t>(n));
  }
  // Scripts get memory of their own: they may keep it.
  MVM_TRY(Ref<BytearrayObject> room, NewBytearrayRaw(ts, static_cast<size_t>(n)));
  std::memset(room->data(), 0, static_cast<size_t>(n));
  MVM_TRY(Ref<MemoryviewObject> view, NewMemoryview(ts, room));
  MVM_TRY(Ref<> got, CallNamed(ts, b->raw, "readinto", Value(view.get())));
  if (IsNone(ts, got)) return int64_t{-1};
  Result<int64_t> count = AsInt64(ts, got);
  if (count.raised()) {
    Ref<> cause = TakePending(ts);
    (void)Raise(ts, Exc::kOSError, "raw readinto() failed");
    if (PendingIs(ts, Exc::kOSError)) {
      ExceptionObject* e = ts.pending.as<ExceptionObject>();
      Decref(std::exchange(e->context, Ref<>::Borrow(cause).Release()));
      Decref(std::exchange(e->cause, cause.Release()));
      e->suppress_context = true;
    }
    return kRaised;
  }
  int64_t c = count.Take();
  if (c < 0 || c > n) {
    return Raise(
        ts, Exc::kOSError,
        "raw readinto() returned invalid length %lld (should have been between 0 and %lld)",
        static_cast<long long>(c), static_cast<long long>(n));
  }
  std::memcpy(to, room->data(), static_cast<size_t>(c));
  return c;
}

Result<int64_t> RawWrite(ThreadState& ts, BufferedObject* b, const void* from, int64_t n) {
  if (MVM_LIKELY(b->raw_is_file)) {
    FileIoObject* f = b->raw.as<FileIoObject>();
    if (!f->writable) return RaiseUnsupported(ts, "File not open for writing");
    return FileWrite(ts, f, from, static_cast<size_t>(n));
  }
  MVM_TRY(Ref<BytesObject> copy,
          NewBytes(ts, {static_cast<const char*>(from), static_cast<size_t>(n)}));
  MVM_TRY(Ref<MemoryviewObject> view, NewMemoryview(ts, copy));
  MVM_TRY(Ref<> put, CallMethod(ts, b->raw, MVM_NAME(ts, write), Value(view.get())));
  if (IsNone(ts, put)) return int64_t{-1};
  MVM_TRY(int64_t c, AsInt64(ts, put));
  if (c < 0 || c > n) {
    return Raise(ts, Exc::kOSError,
                 "raw write() returned invalid length %lld (should have been between 0 and %lld)",
                 static_cast<long long>(c), static_cast<long long>(n));
  }
  return c;
}

Result<int64_t> RawSeek(ThreadState& ts, BufferedObject* b, int64_t offset, int whence) {
  if (MVM_LIKELY(b->raw_is_file)) return FileSeek(ts, b->raw.as<FileIoObject>(), offset, whence);
  MVM_TRY(Ref<> off, NewInt(ts, offset));
  Value pair[] = {off.get(), Value::Int(whence)};
  MVM_TRY(Ref<> at, CallNamed(ts, b->raw, "seek", pair));
  MVM_TRY(int64_t position, AsInt64(ts, at));
  if (position < 0) {
    return Raise(ts, Exc::kOSError, "Raw stream returned invalid position %lld",
                 static_cast<long long>(position));
  }
  return position;
}

Result<int64_t> RawTell(ThreadState& ts, BufferedObject* b) {
  if (MVM_LIKELY(b->raw_is_file)) return FileSeek(ts, b->raw.as<FileIoObject>(), 0, SEEK_CUR);
  MVM_TRY(Ref<> at, CallNamed(ts, b->raw, "tell"));
  MVM_TRY(int64_t position, AsInt64(ts, at));
  if (position < 0) {
    return Raise(ts, Exc::kOSError, "Raw stream returned invalid position %lld",
                 static_cast<long long>(position));
  }
  return position;
}

// ---- state ----

// The first stream, from this one down, that does not just hand a question on to its raw stream.
// Walking there saves chains of our streams from asking by a call per level at each level. One that
// stands on itself is given back as it is: calls find out by their depth.
template <class F>
Value Answering(Value stream, F hands_on) {
  Value slow = stream;
  for (bool odd = true; hands_on(stream); odd = !odd) {
    stream = Self(stream)->raw;
    if (!odd) slow = Self(slow)->raw;
    if (stream.bits() == slow.bits()) break;
  }
  return stream;
}

Result<> buffered_get_closed(ThreadState& ts, Value self);
Result<> buffered_flush(ThreadState& ts, Args args);

// Is the stream one of ours, or of a script's class derived from them?
bool IsBuffered(ThreadState& ts, Value stream) {
  if (!stream.is_object()) return false;
  const TypeSpec* spec = TypeOf(ts, stream)->spec;
  return spec == &kBufferedReaderType || spec == &kBufferedWriterType ||
         spec == &kBufferedRandomType;
}

// Does `stream.closed` end in the property of this file? *name: "closed", made when first needed.
bool HandsOnClosed(ThreadState& ts, Value stream, Ref<StrObject>* name) {
  if (!IsBuffered(ts, stream) || !Self(stream)->ok) return false;
  TypeObject* type = TypeOf(ts, stream);
  if (MVM_LIKELY(!type->is_heap())) return true;
  if (type->slots.getattro != GenericGetAttr) return false;
  if (!*name) {
    Result<StrObject> interned = InternUtf8(ts, "closed");
    if (interned.raised()) {
      ClearPending(ts);
      return false;
    }
    *name = interned.Take();
  }
  Value found = TypeLookup(ts, type, name->get());
  return IsExact(found, TypeId::kGetSetDescriptor) &&
         found.as<GetSetDescriptorObject>()->spec->get == buffered_get_closed;
}

// Does `stream.flush()` only ask the raw stream to flush?
bool HandsOnFlush(ThreadState& ts, Value stream) {
  if (!IsBuffered(ts, stream) || !Self(stream)->ok || Self(stream)->writable) return false;
  TypeObject* type = TypeOf(ts, stream);
  DictObject* dict = Self(stream)->dict;
  if (dict != nullptr && !DictGetStr(ts, dict, MVM_NAME(ts, flush)).is_null()) return false;
  if (MVM_LIKELY(!type->is_heap())) return true;
  if (type->slots.getattro != GenericGetAttr) return false;
  Value found = TypeLookup(ts, type, MVM_NAME(ts, flush));
  return IsExact(found, TypeId::kMethodDescriptor) &&
         found.as<MethodDescriptorObject>()->spec->fn == buffered_flush;
}

Value WhoKnowsClosed(ThreadState& ts, Value stream) {
  Ref<StrObject> name;
  return Answering(stream, [&](Value v) { return HandsOnClosed(ts, v, &name); });
}

Result<bool> RawClosed(ThreadState& ts, BufferedObject* b) {
  if (MVM_LIKELY(b->raw_is_file)) return b->raw.as<FileIoObject>()->fd < 0;
  return IsClosed(ts, WhoKnowsClosed(ts, b->raw));
}

int64_t Ahead(const BufferedObject* b) { return b->end - b->pos; }

// Before reading: what is to be written goes out.
Status TurnToReading(ThreadState& ts, BufferedObject* b) {
  return MVM_UNLIKELY(b->dirty > 0) ? BufferedFlush(ts, b) : Ok();
}
// Before writing: what was read ahead is given back.
Status TurnToWriting(ThreadState& ts, BufferedObject* b) {
  if (b->pos < b->end) MVM_TRY_VOID(RawSeek(ts, b, -Ahead(b), SEEK_CUR));
  b->pos = b->end = 0;
  return Ok();
}

// One raw read into the empty buffer. -1: would block.
Result<int64_t> Fill(ThreadState& ts, BufferedObject* b) {
  b->pos = b->end = 0;
  MVM_TRY(int64_t n, RawRead(ts, b, b->buffer, b->size));
  if (n > 0) b->end = n;
  return n;
}

// Raises BlockingIOError.
Raised RaiseBlocking(ThreadState& ts, int64_t written) {
  Result<StrObject> text = NewStr(ts, "write could not complete without blocking");
  if (text.raised()) return kRaised;
  Ref<StrObject> t = text.Take();
  Result<> made = Call(ts, Value(ExcType(ts, Exc::kBlockingIOError)), Value::Int(EAGAIN),
                       Value(t.get()), Value::Int(written));
  if (made.raised()) return kRaised;
  Ref<> exception = made.Take();
  return RaiseObject(ts, exception);
}

Result<> ReadAll(ThreadState& ts, BufferedObject* b) {
  MVM_TRY_VOID(TurnToReading(ts, b));
  MVM_TRY(Ref<BytesObject> ahead, NewBytes(ts, {reinterpret_cast<char*>(b->buffer) + b->pos,
                                                static_cast<size_t>(Ahead(b))}));
  b->pos = b->end = 0;
  MVM_TRY(Ref<> readall, GetAttrOptional(ts, b->raw, "readall"));
  if (!readall.is_absent()) {
    MVM_TRY(Ref<> rest, Call(ts, readall));
    if (IsNone(ts, rest))
      return ahead->length ? Result<>(std::move(ahead)) : Result<>::Steal(Value::Absent());
    if (!IsBytes(ts, rest)) return Raise(ts, Exc::kTypeError, "readall() should return bytes");
    if (ahead->length == 0) return rest;
    std::string_view tail = rest.as<BytesObject>()->view();
    MVM_TRY(Ref<BytesObject> all, NewBytesRaw(ts, ahead->length + tail.size()));
    std::memcpy(all->data(), ahead->data(), ahead->length);
    std::memcpy(all->data() + ahead->length, tail.data(), tail.size());
    return all;
  }
  MVM_TRY(Ref<BytearrayObject> all, NewBytearray(ts, ahead->view()));
  for (;;) {
    MVM_TRY(Ref<> piece, CallMethod(ts, b->raw, MVM_NAME(ts, read)));
    if (IsNone(ts, piece)) {
      if (all->size == 0) return Result<>::Steal(Value::Absent());
      break;
    }
    if (!IsBytes(ts, piece)) return Raise(ts, Exc::kTypeError, "read() should return bytes");
    if (piece.as<BytesObject>()->length == 0) break;
    MVM_TRY_VOID(BytearraySplice(ts, all, all->size, 0, piece.as<BytesObject>()->view()));
  }
  return NewBytes(ts, all->view());
}

// Reads up to n bytes to `to`; `once`: with one raw read at most. -1: would block and nothing was
// read.
Result<int64_t> ReadTo(ThreadState& ts, BufferedObject* b, uint8_t* to, int64_t n, bool once) {
  MVM_TRY_VOID(TurnToReading(ts, b));
  int64_t have = std::min(n, Ahead(b));
  std::memcpy(to, b->buffer + b->pos, static_cast<size_t>(have));
  b->pos += have;
  // One raw read may follow what was there, but only straight to where the bytes are wanted.
  if (once && have > 0 && n - have <= b->size) return have;
  while (have < n) {
    int64_t want = n - have;
    if (want >= b->size) {
      b->pos = b->end = 0;
      if (!once) want -= want % b->size;
      MVM_TRY(int64_t got, RawRead(ts, b, to + have, want));
      if (got < 0 && have == 0) return int64_t{-1};
      if (got <= 0) break;
      have += got;
    } else {
      MVM_TRY(int64_t got, Fill(ts, b));
      if (got < 0 && have == 0) return int64_t{-1};
      if (got <= 0) break;
      int64_t take = std::min(want, got);
      std::memcpy(to + have, b->buffer, static_cast<size_t>(take));
      b->pos = take;
      have += take;
    }
    if (once) break;
  }
  return have;
}

Result<> BytesOf(ThreadState& ts, BufferedObject* b, int64_t n, bool once) {
  if (n <= Ahead(b)) {
    MVM_TRY(Ref<BytesObject> r,
            NewBytes(ts, {reinterpret_cast<char*>(b->buffer) + b->pos, static_cast<size_t>(n)}));
    b->pos += n;
    return r;
  }
  // Huge requests get their memory as the data comes.
  constexpr int64_t kPiece = int64_t{1} << 20;
  if (n <= kPiece || once) {
    if (once && n > b->size && n > kPiece) n = std::max(b->size, kPiece);
    MVM_TRY(Ref<BytesObject> r, NewBytesRaw(ts, static_cast<size_t>(n)));
    MVM_TRY(int64_t got, ReadTo(ts, b, r->data(), n, once));
    if (got < 0) return Result<>::Steal(Value::Absent());
    if (got == n) return r;
    return NewBytes(ts, r->view().substr(0, static_cast<size_t>(got)));
  }
  MVM_TRY(Ref<BytearrayObject> all, NewBytearray(ts, ""));
  int64_t have = 0;
  while (have < n) {
    int64_t want = std::min(n - have, std::max(kPiece, have));
    MVM_TRY_VOID(BytearrayResize(ts, all, static_cast<size_t>(have + want)));
    MVM_TRY(int64_t got, ReadTo(ts, b, all->data() + have, want, false));
    if (got < 0 && have == 0) return Result<>::Steal(Value::Absent());
    if (got > 0) have += got;
    if (got < want) break;
  }
  return NewBytes(ts, all->view().substr(0, static_cast<size_t>(have)));
}

}  // namespace

Status CheckUsable(ThreadState& ts, BufferedObject* b) {
  if (MVM_LIKELY(b->ok)) return Ok();
  return Raise(
      ts, Exc::kValueError,
      b->detached ? "raw stream has been detached" : "I/O operation on uninitialized object");
}

Status CheckBuffered(ThreadState& ts, BufferedObject* b, const char* what) {
  MVM_TRY_VOID(CheckUsable(ts, b));
  MVM_TRY(bool closed, RawClosed(ts, b));
  if (closed) return Raise(ts, Exc::kValueError, "%s", what);
  return CheckUsable(ts, b);  // asking may have detached it
}

Status BufferedFlush(ThreadState& ts, BufferedObject* b) {
  int64_t done = 0;
  Status result = Ok();
  while (done < b->dirty) {
    Result<int64_t> put = RawWrite(ts, b, b->buffer + done, b->dirty - done);
    if (put.raised()) {
      result = kRaised;
      break;
    }
    int64_t n = put.Take();
    if (n < 0) {
      result = RaiseBlocking(ts, 0);
      break;
    }
    done += n;
    Status served = ServeBetween(ts);
    if (served.raised()) {
      result = kRaised;
      break;
    }
  }
  if (done > 0) std::memmove(b->buffer, b->buffer + done, static_cast<size_t>(b->dirty - done));
  b->dirty -= done;
  return result;
}

Status BufferedWriteAll(ThreadState& ts, BufferedObject* b, const void* data, int64_t n) {
  if (b->pos != b->end || b->end != 0) MVM_TRY_VOID(TurnToWriting(ts, b));
  if (MVM_LIKELY(n <= b->size - b->dirty)) {
    std::memcpy(b->buffer + b->dirty, data, static_cast<size_t>(n));
    b->dirty += n;
    return Ok();
  }
  const uint8_t* from = static_cast<const uint8_t*>(data);
  int64_t written = 0;
  if (BufferedFlush(ts, b).raised()) {
    if (!PendingIs(ts, Exc::kBlockingIOError)) return kRaised;
    // Keep what fits; say how much was taken.
    ClearPending(ts);
    int64_t room = b->size - b->dirty;
    int64_t take = std::min(room, n);
    std::memcpy(b->buffer + b->dirty, from, static_cast<size_t>(take));
    b->dirty += take;
    return take == n ? Ok() : Status(RaiseBlocking(ts, take));
  }
  while (n - written > b->size) {
    MVM_TRY(int64_t put, RawWrite(ts, b, from + written, n - written));
    if (put < 0) {
      int64_t take = std::min(b->size, n - written);
      std::memcpy(b->buffer, from + written, static_cast<size_t>(take));
      b->dirty = take;
      written += take;
      return written == n ? Ok() : Status(RaiseBlocking(ts, written));
    }
    written += put;
    MVM_TRY_VOID(ServeBetween(ts));
  }
  std::memcpy(b->buffer, from + written, static_cast<size_t>(n - written));
  b->dirty = n - written;
  return Ok();
}

Result<> BufferedRead(ThreadState& ts, BufferedObject* b, int64_t n) {
  StreamLock lock(ts, b);
  if (!lock) return kRaised;
  return n < 0 ? ReadAll(ts, b) : BytesOf(ts, b, n, false);
}

Result<> BufferedRead1(ThreadState& ts, BufferedObject* b, int64_t n) {
  StreamLock lock(ts, b);
  if (!lock) return kRaised;
  if (n < 0) n = b->size;
  if (n == 0) return NewBytes(ts, "");
  MVM_TRY_VOID(TurnToReading(ts, b));
  if (Ahead(b) > 0) return BytesOf(ts, b, std::min(n, Ahead(b)), true);
  return BytesOf(ts, b, n, true);
}

namespace {

// ---- methods ----

Raised NotReadable(ThreadState& ts) { return RaiseUnsupported(ts, "read"); }

Result<> NoneForAbsent(ThreadState& ts, Result<> r) {
  if (r.raised()) return r;
  Ref<> v = r.Take();
  return v.is_absent() ? None(ts) : Result<>(std::move(v));
}

Result<> buffered_read(ThreadState& ts, Args args) {
  BufferedObject* b = Self(args[0]);
  MVM_TRY(int64_t n, SizeArgument(ts, args[1]));
  if (args.has(1) && !IsNone(ts, args[1])) {
    MVM_TRY(int64_t given, OffsetArgument(ts, args[1]));
    if (given < -1) return Raise(ts, Exc::kValueError, "read length must be non-negative or -1");
  }
  MVM_TRY_VOID(CheckBuffered(ts, b, "read of closed file"));
  if (!b->readable) return NotReadable(ts);
  return NoneForAbsent(ts, BufferedRead(ts, b, n));
}

Result<> buffered_read1(ThreadState& ts, Args args) {
  BufferedObject* b = Self(args[0]);
  MVM_TRY(int64_t n, SizeArgument(ts, args[1]));
  MVM_TRY_VOID(CheckBuffered(ts, b, "read of closed file"));
  if (!b->readable) return NotReadable(ts);
  Result<> r = BufferedRead1(ts, b, n);
  if (r.raised()) return r;
  Ref<> v = r.Take();
  return v.is_absent() ? NewBytes(ts, "") : Result<>(std::move(v));
}

Result<> buffered_peek(ThreadState& ts, Args args) {
  BufferedObject* b = Self(args[0]);
  MVM_TRY_VOID(CheckBuffered(ts, b, "peek of closed file"));
  StreamLock lock(ts, b);
  if (!lock) return kRaised;
  MVM_TRY_VOID(TurnToReading(ts, b));
  if (Ahead(b) == 0) MVM_TRY_VOID(Fill(ts, b));
  return NewBytes(ts, {reinterpret_cast<char*>(b->buffer) + b->pos, static_cast<size_t>(Ahead(b))});
}

Result<> ReadInto(ThreadState& ts, Args args, bool once) {
  BufferedObject* b = Self(args[0]);
  MVM_TRY_VOID(CheckBuffered(ts, b, "readinto of closed file"));
  if (!b->readable) return NotReadable(ts);
  ByteView view;
  MVM_TRY_VOID(
      view.GetWritable(ts, args[1],
                       once ? "readinto1() argument must be read-write bytes-like object, not %T"
                            : "readinto() argument must be read-write bytes-like object, not %T"));
  StreamLock lock(ts, b);
  if (!lock) return kRaised;
  MVM_TRY(int64_t n, ReadTo(ts, b, view.mutable_data(), static_cast<int64_t>(view.size()), once));
  if (n < 0) return None(ts);
  return Small(n);
}
Result<> buffered_readinto(ThreadState& ts, Args args) { return ReadInto(ts, args, false); }
Result<> buffered_readinto1(ThreadState& ts, Args args) { return ReadInto(ts, args, true); }

Result<> ReadLine(ThreadState& ts, BufferedObject* b, int64_t limit) {
  MVM_TRY_VOID(TurnToReading(ts, b));
  Ref<BytearrayObject> line;
  for (;;) {
    int64_t n = Ahead(b);
    int64_t have = line ? static_cast<int64_t>(line->size) : 0;
    if (limit >= 0 && n > limit - have) n = limit - have;
    const uint8_t* start = b->buffer + b->pos;
    const void* newline = n > 0 ? std::memchr(start, '\n', static_cast<size_t>(n)) : nullptr;
    if (newline) n = static_cast<const uint8_t*>(newline) - start + 1;
    std::string_view piece(reinterpret_cast<const char*>(start), static_cast<size_t>(n));
    bool finished = newline != nullptr || (limit >= 0 && have + n >= limit);
    if (finished && !line) {
      MVM_TRY(Ref<BytesObject> r, NewBytes(ts, piece));
      b->pos += n;
      return r;
    }
    if (!line) {
      MVM_TRY(line, NewBytearray(ts, piece));
    } else {
      MVM_TRY_VOID(BytearraySplice(ts, line, line->size, 0, piece));
    }
    b->pos += n;
    if (finished) break;
    MVM_TRY(int64_t got, Fill(ts, b));
    if (got <= 0) break;
  }
  return NewBytes(ts, line->view());
}

Result<> buffered_readline(ThreadState& ts, Args args) {
  BufferedObject* b = Self(args[0]);
  MVM_TRY(int64_t limit, SizeArgument(ts, args[1]));
  MVM_TRY_VOID(CheckBuffered(ts, b, "readline of closed file"));
  if (!b->readable) return NotReadable(ts);
  StreamLock lock(ts, b);
  if (!lock) return kRaised;
  return ReadLine(ts, b, limit);
}

Result<> buffered_next(ThreadState& ts, Value self) {
  BufferedObject* b = Self(self);
  Ref<> line;
  if (IsOur(ts, self, kBufferedReaderType) || IsOur(ts, self, kBufferedRandomType)) {
    MVM_TRY_VOID(CheckBuffered(ts, b, "readline of closed file"));
    StreamLock lock(ts, b);
    if (!lock) return kRaised;
    MVM_TRY(line, ReadLine(ts, b, -1));
  } else {
    MVM_TRY(line, CallMethod(ts, self, MVM_NAME(ts, readline)));
    if (!IsBytes(ts, line)) {
      return Raise(ts, Exc::kOSError, "readline() should have returned a bytes object, not '%T'",
                   line.get());
    }
  }
  if (line.as<BytesObject>()->length == 0) return Result<>::Done();
  return line;
}

Result<> buffered_write(ThreadState& ts, Args args) {
  BufferedObject* b = Self(args[0]);
  MVM_TRY_VOID(CheckUsable(ts, b));
  ByteView data;
  MVM_TRY_VOID(data.Get(ts, args[1]));
  MVM_TRY_VOID(CheckBuffered(ts, b, "write to closed file"));
  StreamLock lock(ts, b);
  if (!lock) return kRaised;
  // Once more: another thread may have been closing it.
  MVM_TRY_VOID(CheckBuffered(ts, b, "write to closed file"));
  MVM_TRY_VOID(BufferedWriteAll(ts, b, data.data(), static_cast<int64_t>(data.size())));
  return Small(static_cast<int64_t>(data.size()));
}

Result<> buffered_flush(ThreadState& ts, Args args) {
  BufferedObject* b = Self(args[0]);
  if (!b->writable) {
    // A reader passes it on. It leaves asking whether the stream is closed to the end of the chain,
    // too: each level would ask all below it.
    MVM_TRY_VOID(CheckUsable(ts, b));
    Value raw = Answering(b->raw, [&](Value v) { return HandsOnFlush(ts, v); });
    Ref<> hold = Ref<>::Borrow(raw);
    return CallMethod(ts, hold, MVM_NAME(ts, flush));
  }
  MVM_TRY_VOID(CheckBuffered(ts, b, "flush of closed file"));
  StreamLock lock(ts, b);
  if (!lock) return kRaised;
  MVM_TRY_VOID(BufferedFlush(ts, b));
  if (b->readable && b->pos < b->end) MVM_TRY_VOID(TurnToWriting(ts, b));
  return None(ts);
}

}  // namespace

Result<int64_t> BufferedTell(ThreadState& ts, BufferedObject* b) {
  MVM_TRY_VOID(CheckUsable(ts, b));
  const Ref<> raw = Ref<>::Borrow(b->raw);
  MVM_TRY(int64_t at, RawTell(ts, b));
  at += b->dirty - Ahead(b);
  return at < 0 ? 0 : at;
}

namespace {

Result<> buffered_tell(ThreadState& ts, Args args) {
  MVM_TRY(int64_t at, BufferedTell(ts, Self(args[0])));
  return NewInt(ts, at);
}

Result<> buffered_seek(ThreadState& ts, Args args) {
  BufferedObject* b = Self(args[0]);
  MVM_TRY(int64_t whence, AsInt64(ts, args[2]));
  MVM_TRY_VOID(CheckUsable(ts, b));
  if (whence < 0 || whence > 4) {
    return Raise(ts, Exc::kValueError, "whence value %d unsupported", static_cast<int>(whence));
  }
  MVM_TRY_VOID(CheckBuffered(ts, b, "seek of closed file"));
  MVM_TRY(bool seekable, AskStream(ts, b->raw, "seekable"));
  if (!seekable) return RaiseUnsupported(ts, "File or stream is not seekable.");
  MVM_TRY(int64_t offset, OffsetArgument(ts, args[1]));
  StreamLock lock(ts, b);
  if (!lock) return kRaised;
  MVM_TRY_VOID(BufferedFlush(ts, b));
  if (whence <= 1 && Ahead(b) > 0) {
    // Within what was read ahead nothing needs to move.
    MVM_TRY(int64_t raw, RawTell(ts, b));
    // Devices may stay at 0, however much is read.
    int64_t now = std::max<int64_t>(raw - Ahead(b), 0);
    int64_t delta = whence == 0 ? offset - now : offset;
    if (delta >= -b->pos && delta <= Ahead(b)) {
      b->pos += delta;
      return NewInt(ts, now + delta);
    }
  }
  if (whence == 1) offset -= Ahead(b);
  MVM_TRY(int64_t at, RawSeek(ts, b, offset, static_cast<int>(whence)));
  b->pos = b->end = 0;
  return NewInt(ts, at);
}

Result<> buffered_truncate(ThreadState& ts, Args args) {
  BufferedObject* b = Self(args[0]);
  MVM_TRY_VOID(CheckBuffered(ts, b, "truncate of closed file"));
  if (!b->writable) return RaiseUnsupported(ts, "truncate");
  StreamLock lock(ts, b);
  if (!lock) return kRaised;
  MVM_TRY_VOID(BufferedFlush(ts, b));
  MVM_TRY_VOID(TurnToWriting(ts, b));
  return CallNamed(ts, b->raw, "truncate", args[1]);
}

// Calls f; what it raises later takes what is pending now as its context.
template <class F>
Status AlsoDo(ThreadState& ts, F f) {
  Ref<> first = TakePending(ts);
  Result<> done = f();
  if (done.raised()) {
    if (first && ts.HasPending() && IsException(ts, ts.pending)) {
      ExceptionObject* e = ts.pending.as<ExceptionObject>();
      if (e->context.is_null() && !ts.pending.is(first)) e->context = first.Release();
    }
    return kRaised;
  }
  Ref<> dropped = done.Take();
  if (first) {
    RestorePending(ts, std::move(first));
    return kRaised;
  }
  return Ok();
}

Result<> buffered_close(ThreadState& ts, Args args) {
  BufferedObject* b = Self(args[0]);
  MVM_TRY_VOID(Charge(ts, 100));  // chains of streams can be long
  MVM_TRY_VOID(CheckUsable(ts, b));
  MVM_TRY(bool closed, RawClosed(ts, b));
  if (closed) return None(ts);
  MVM_TRY_VOID(CheckUsable(ts, b));
  if (b->finalizing) {
    const Ref<> raw = Ref<>::Borrow(b->raw);
    MVM_TRY(Ref<> warn, GetAttrOptional(ts, raw, "_dealloc_warn"));
    if (!warn.is_absent()) {
      Result<> done = Call(ts, warn, args[0]);
      if (done.raised()) {
        ClearPending(ts);
      } else {
        Ref<> dropped = done.Take();
      }
    }
  }
  Result<> flushed = CallMethod(ts, args[0], MVM_NAME(ts, flush));
  if (!flushed.raised()) {
    Ref<> dropped = flushed.Take();
  }
  Status done = AlsoDo(ts, [&]() -> Result<> {
    StreamLock lock(ts, b);  // flush() may have detached it
    if (!lock) return kRaised;
    const Ref<> raw = Ref<>::Borrow(b->raw);
    return CallMethod(ts, raw, MVM_NAME(ts, close));
  });
  if (done.raised()) return kRaised;
  return None(ts);
}

Result<> buffered_detach(ThreadState& ts, Args args) {
  BufferedObject* b = Self(args[0]);
  MVM_TRY_VOID(CheckUsable(ts, b));
  MVM_TRY_VOID(CallMethod(ts, args[0], MVM_NAME(ts, flush)));
  StreamLock lock(ts, b);
  if (!lock) return kRaised;
  b->ok = false;
  b->detached = true;
  b->raw_is_file = false;
  return Ref<>::Steal(std::exchange(b->raw, Value()));
}

template <int kWhich>
Result<> buffered_pass(ThreadState& ts, Args args) {
  static constexpr const char* kNames[] = {"seekable", "readable", "writable", "fileno", "isatty"};
  BufferedObject* b = Self(args[0]);
  MVM_TRY_VOID(CheckUsable(ts, b));
  return CallNamed(ts, b->raw, kNames[kWhich]);
}
Result<> buffered_dealloc_warn(ThreadState& ts, Args args) {
  BufferedObject* b = Self(args[0]);
  if (b->ok && !b->raw.is_null()) {
    const Ref<> raw = Ref<>::Borrow(b->raw);
    MVM_TRY(Ref<> warn, GetAttrOptional(ts, raw, "_dealloc_warn"));
    if (!warn.is_absent()) MVM_TRY_VOID(Call(ts, warn, args[1]));
  }
  return None(ts);
}
Result<> buffered_no_pickle(ThreadState& ts, Args args) {
  return Raise(ts, Exc::kTypeError, "cannot pickle '%U' instances",
               Value(TypeOf(ts, args[0])->name));
}
Result<> buffered_sizeof(ThreadState& ts, Args args) {
  BufferedObject* b = Self(args[0]);
  return Small(static_cast<int64_t>(sizeof(*b)) + (b->buffer ? b->size : 0));
}

Result<> buffered_get_raw(ThreadState& ts, Value self) {
  Value raw = Self(self)->raw;
  return raw.is_null() ? None(ts) : Result<>::Borrow(raw);
}
template <int kWhich>
Result<> buffered_get_attribute(ThreadState& ts, Value self) {
  static constexpr const char* kNames[] = {"name", "mode"};
  MVM_TRY_VOID(CheckUsable(ts, Self(self)));
  Ref<> raw = Ref<>::Borrow(Self(self)->raw);
  return GetAttr(ts, raw, kNames[kWhich]);
}
Result<> buffered_get_closed(ThreadState& ts, Value self) {
  MVM_TRY_VOID(CheckUsable(ts, Self(self)));
  Ref<> raw = Ref<>::Borrow(WhoKnowsClosed(ts, Self(self)->raw));
  return GetAttr(ts, raw, "closed");
}
Result<> buffered_get_finalizing(ThreadState& ts, Value self) {
  return Bool(ts, Self(self)->finalizing);
}
Status buffered_set_finalizing(ThreadState& ts, Value self, Value v) {
  Self(self)->finalizing = !v.is_null() && IsTrue(ts, v);
  return Ok();
}

Result<> buffered_repr(ThreadState& ts, Value self) {
  MVM_TRY(Ref<> name, NameForRepr(ts, self));
  if (name.is_absent()) return Format(ts, "<%N>", TypeOf(ts, self));
  RecursionGuard guard(ts, " while getting the repr of an object");
  if (!guard) return kRaised;
  return Format(ts, "<%N name=%R>", TypeOf(ts, self), name.get());
}

Status Init(ThreadState& ts, BufferedObject* b, Value raw, Value size_value, bool readable,
            bool writable) {
  b->ok = false;
  b->detached = false;
  auto require = [&](const char* method, const char* message) -> Status {
    MVM_TRY(bool yes, AskStream(ts, raw, method));
    if (!yes) return RaiseUnsupported(ts, message);
    return Ok();
  };
  if (readable && writable) MVM_TRY_VOID(require("seekable", "File or stream is not seekable."));
  if (readable) MVM_TRY_VOID(require("readable", "File or stream is not readable."));
  if (writable) MVM_TRY_VOID(require("writable", "File or stream is not writable."));
  MVM_TRY(int64_t size, AsInt64(ts, size_value));
  if (size <= 0) return Raise(ts, Exc::kValueError, "buffer size must be strictly positive");
  MVM_TRY_VOID(CheckRoom(ts, static_cast<size_t>(size)));
  MVM_TRY(void* buffer, AllocBuffer(ts, static_cast<size_t>(size)));
  if (b->buffer) ts.heap().FreeBuffer(b->buffer, static_cast<size_t>(b->size));
  b->buffer = static_cast<uint8_t*>(buffer);
  b->size = size;
  b->pos = b->end = b->dirty = 0;
  b->readable = readable;
  b->writable = writable;
  Decref(std::exchange(b->raw, Ref<>::Borrow(raw).Release()));
  b->raw_is_file = IsOur(ts, raw, kFileIoType);
  b->ok = true;
  return Ok();
}

}  // namespace

Result<> NewBuffered(ThreadState& ts, const TypeSpec& spec, Value raw, int64_t size) {
  MVM_TRY(TypeObject * type, TypeForSpec(ts, spec));
  MVM_TRY(Ref<> b, AllocInstance(ts, type));
  MVM_TRY_VOID(Init(ts, Self(b), raw, Value::Int(size), &spec != &kBufferedWriterType,
                    &spec != &kBufferedReaderType));
  return b;
}

namespace {

template <bool kRead, bool kWrite>
Result<> buffered_init(ThreadState& ts, Args args) {
  BufferedObject* b = Self(args[0]);
  StreamLock lock(ts, &b->owner, args[0]);
  if (!lock) return kRaised;
  MVM_TRY_VOID(Init(ts, b, args[1], args[2], kRead, kWrite));
  return None(ts);
}

#define MVM_BUFFERED_COMMON                                                                      \
  {"__reduce__(self, /)", buffered_no_pickle},                                                   \
      {"__reduce_ex__(self, protocol, /)", buffered_no_pickle},                                  \
      {"__sizeof__(self, /)", buffered_sizeof},                                                  \
      {"_dealloc_warn(self, source, /)", buffered_dealloc_warn},                                 \
      {"close(self, /)", buffered_close}, {"detach(self, /)", buffered_detach},                  \
      {"fileno(self, /)", buffered_pass<3>}, {"flush(self, /)", buffered_flush},                 \
      {"isatty(self, /)", buffered_pass<4>}, {"seek(self, target, whence=0, /)", buffered_seek}, \
      {"seekable(self, /)", buffered_pass<0>}, {"tell(self, /)", buffered_tell}, {               \
    "truncate(self, pos=None, /)", buffered_truncate                                             \
  }
#define MVM_BUFFERED_READING                                                                \
  {"peek(self, size=0, /)", buffered_peek}, {"read(self, size=-1, /)", buffered_read},      \
      {"read1(self, size=-1, /)", buffered_read1}, {"readable(self, /)", buffered_pass<1>}, \
      {"readinto(self, buffer, /)", buffered_readinto},                                     \
      {"readinto1(self, buffer, /)", buffered_readinto1}, {                                 \
    "readline(self, size=-1, /)", buffered_readline                                         \
  }
#define MVM_BUFFERED_WRITING \
  {"writable(self, /)", buffered_pass<2>}, { "write(self, buffer, /)", buffered_write }

const MethodSpec kReaderMethods[] = {MVM_BUFFERED_COMMON, MVM_BUFFERED_READING};
const MethodSpec kWriterMethods[] = {MVM_BUFFERED_COMMON, MVM_BUFFERED_WRITING};
const MethodSpec kRandomMethods[] = {MVM_BUFFERED_COMMON, MVM_BUFFERED_READING,
                                     MVM_BUFFERED_WRITING};
#undef MVM_BUFFERED_COMMON
#undef MVM_BUFFERED_READING
#undef MVM_BUFFERED_WRITING

const GetSetSpec kBufferedGetSets[] = {
    {"raw", buffered_get_raw},
    {"_finalizing", buffered_get_finalizing, buffered_set_finalizing},
    {"closed", buffered_get_closed},
    {"name", buffered_get_attribute<0>},
    {"mode", buffered_get_attribute<1>},
};

}  // namespace

const TypeSpec kBufferedReaderType = {
    .name = "_io.BufferedReader",
    .doc = "Reads a raw stream through a buffer, so that small reads are cheap.",
    .base = &kBufferedIoBaseType,
    .flags = kTypeBase,
    .size = sizeof(BufferedObject),
    .gc = GcHooksOf<BufferedObject>(),
    .slots = {.repr = buffered_repr, .next = buffered_next},
    .init = {"BufferedReader(self, raw, buffer_size=8192)", buffered_init<true, false>},
    .methods = kReaderMethods,
    .getsets = kBufferedGetSets,
};
const TypeSpec kBufferedWriterType = {
    .name = "_io.BufferedWriter",
    .doc = "Writes to a raw stream through a buffer, which flush() empties.",
    .base = &kBufferedIoBaseType,
    .flags = kTypeBase,
    .size = sizeof(BufferedObject),
    .gc = GcHooksOf<BufferedObject>(),
    .slots = {.repr = buffered_repr},
    .init = {"BufferedWriter(self, raw, buffer_size=8192)", buffered_init<false, true>},
    .methods = kWriterMethods,
    .getsets = kBufferedGetSets,
};
const TypeSpec kBufferedRandomType = {
    .name = "_io.BufferedRandom",
    .doc = "Reads and writes a seekable raw stream through one buffer.",
    .base = &kBufferedIoBaseType,
    .flags = kTypeBase,
    .size = sizeof(BufferedObject),
    .gc = GcHooksOf<BufferedObject>(),
    .slots = {.repr = buffered_repr, .next = buffered_next},
    .init = {"BufferedRandom(self, raw, buffer_size=8192)", buffered_init<true, true>},
    .methods = kRandomMethods,
    .getsets = kBufferedGetSets,
};

}  // namespace minivm::io
