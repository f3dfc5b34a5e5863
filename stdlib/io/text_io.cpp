// TextIOWrapper: set-up and writing.
//
// Written text gathers, encoded, in `pending`; ASCII text for an ASCII-compatible encoding is
// copied there without a bytes object in between. It moves to the buffer below when there is a
// chunk of it, when somebody reads, seeks or flushes, or at the end of a line with line buffering.
// A stream of a script below may itself write here (it logs, say): that joins `pending`, for which
// all that goes down is taken out or copied first.
#include <cstring>

#include "runtime/native/native_function.h"
#include "runtime/objects/bytes_object.h"
#include "runtime/objects/dict_object.h"
#include "runtime/objects/exception_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"
#include "stdlib/io/io_types.h"

namespace minivm::io {

void TextIoObject::FreeBuffers(Heap& heap) {
  if (pending) heap.FreeBuffer(pending, static_cast<size_t>(pending_capacity));
  pending = nullptr;
  delete state;
  delete snapshot_state;
  delete snapshot;
  state = snapshot_state = nullptr;
  snapshot = nullptr;
}

Status CheckText(ThreadState& ts, TextIoObject* t) {
  if (MVM_LIKELY(t->ok)) return Ok();
  return Raise(ts, Exc::kValueError,
               t->detached ? "underlying buffer has been detached"
                           : "I/O operation on uninitialized object");
}

namespace {

TextIoObject* Self(Value v) { return v.as<TextIoObject>(); }

// closed, without the detours where our own types are below.
Result<bool> TextClosed(ThreadState& ts, TextIoObject* t) {
  if (MVM_LIKELY(t->buffer_is_ours)) {
    BufferedObject* b = t->buffer.as<BufferedObject>();
    if (MVM_LIKELY(b->ok && b->raw_is_file)) return b->raw.as<FileIoObject>()->fd < 0;
  }
  return IsClosed(ts, t->buffer);
}

Status BufferWrite(ThreadState& ts, TextIoObject* t, std::string_view bytes) {
  if (MVM_LIKELY(t->buffer_is_ours)) {
    BufferedObject* b = t->buffer.as<BufferedObject>();
    MVM_TRY_VOID(CheckBuffered(ts, b, "write to closed file"));
    StreamLock lock(ts, b);
    if (!lock) return kRaised;
    return BufferedWriteAll(ts, b, bytes.data(), static_cast<int64_t>(bytes.size()));
  }
  MVM_TRY(Ref<BytesObject> copy, NewBytes(ts, bytes));
  const Ref<> buffer = Ref<>::Borrow(t->buffer);
  MVM_TRY_VOID(CallMethod(ts, buffer, MVM_NAME(ts, write), Value(copy.get())));
  return Ok();
}

// BufferWrite() of the holder of the lock, during which it may write to the stream again.
Status WriteBelow(ThreadState& ts, TextIoObject* t, std::string_view bytes) {
  const bool before = std::exchange(t->writing, true);
  Status done = BufferWrite(ts, t, bytes);
  t->writing = before;
  return done;
}

Status BufferFlush(ThreadState& ts, TextIoObject* t) {
  if (MVM_LIKELY(t->buffer_is_ours)) {
    BufferedObject* b = t->buffer.as<BufferedObject>();
    MVM_TRY_VOID(CheckBuffered(ts, b, "flush of closed file"));
    StreamLock lock(ts, b);
    if (!lock) return kRaised;
    return BufferedFlush(ts, b);
  }
  MVM_TRY_VOID(CallMethod(ts, t->buffer, MVM_NAME(ts, flush)));
  return Ok();
}

Status AppendPending(ThreadState& ts, TextIoObject* t, std::string_view bytes) {
  int64_t n = static_cast<int64_t>(bytes.size());
  if (MVM_UNLIKELY(t->pending_size + n > t->pending_capacity)) {
    while (t->pending_size > 0 && t->pending_size + n > t->chunk_size) {
      MVM_TRY_VOID(WritePending(ts, t));
      MVM_TRY_VOID(Charge(ts, 1));
    }
    if (n > t->chunk_size) return WriteBelow(ts, t, bytes);
    if (t->pending == nullptr || t->pending_capacity < t->chunk_size) {
      MVM_TRY(void* p, AllocBuffer(ts, static_cast<size_t>(t->chunk_size)));
      if (t->pending_size > 0) std::memcpy(p, t->pending, static_cast<size_t>(t->pending_size));
      if (t->pending) ts.heap().FreeBuffer(t->pending, static_cast<size_t>(t->pending_capacity));
      t->pending = static_cast<uint8_t*>(p);
      t->pending_capacity = t->chunk_size;
    }
  }
  if (n > 0) std::memcpy(t->pending + t->pending_size, bytes.data(), bytes.size());
  t->pending_size += n;
  return MVM_UNLIKELY(t->pending_size >= t->chunk_size) ? WritePending(ts, t) : Ok();
}

// The text with its newlines as they are to be written. `s` itself if there is nothing to do.
Result<StrObject> WithLineEnds(ThreadState& ts, TextIoObject* t, StrObject* s) {
  StrBuilder out(ts);
  size_t start = 0;
  for (size_t i = 0; i < s->length; ++i) {
    if (s->At(i) != '\n') continue;
    MVM_TRY_VOID(out.AppendSlice(s, start, i));
    MVM_TRY_VOID(out.AppendAscii(t->newline.write_end));
    start = i + 1;
  }
  MVM_TRY_VOID(out.AppendSlice(s, start, s->length));
  return out.Finish();
}

bool Has(const StrObject* s, char c) {
  if (s->kind() == 1) return std::memchr(s->data1(), c, s->length) != nullptr;
  for (size_t i = 0; i < s->length; ++i) {
    if (s->At(i) == static_cast<char32_t>(c)) return true;
  }
  return false;
}

Status WriteText(ThreadState& ts, TextIoObject* t, StrObject* s) {
  MVM_TRY_VOID(CheckText(ts, t));
  MVM_TRY(bool closed, TextClosed(ts, t));
  if (MVM_UNLIKELY(closed)) return Raise(ts, Exc::kValueError, "I/O operation on closed file.");
  if (!t->writable) return RaiseUnsupported(ts, "not writable");
  bool flush = t->line_buffering && (Has(s, '\n') || Has(s, '\r'));
  Ref<StrObject> text = Ref<StrObject>::Borrow(s);
  if (t->newline.write_end[0] != 0 && Has(s, '\n')) {
    MVM_TRY(text, WithLineEnds(ts, t, s));
  }
  if (MVM_LIKELY(text->ascii() && t->codec <= TextCodec::kLatin1 && !t->sig)) {
    t->encoding_started = true;
    MVM_TRY_VOID(AppendPending(ts, t, text->ascii_view()));
  } else {
    MVM_TRY(Ref<BytesObject> bytes, EncodeText(ts, t, text));
    MVM_TRY_VOID(AppendPending(ts, t, bytes->view()));
  }
  if (flush || t->write_through) MVM_TRY_VOID(WritePending(ts, t));
  if (flush) MVM_TRY_VOID(BufferFlush(ts, t));
  // What was read ahead is no longer what comes next, unless the two directions are apart.
  if (t->decoded != nullptr && t->snapshot_origin >= 0) {
    SetDecoded(t, nullptr);
    t->snapshot_origin = -1;
    MVM_TRY_VOID(ResetDecoder(ts, t));
  }
  return Ok();
}

}  // namespace

Status WritePending(ThreadState& ts, TextIoObject* t) {
  if (t->pending_size == 0) return Ok();
  // Taken out first: what fails is not written twice.
  int64_t n = std::exchange(t->pending_size, 0);
  std::string_view bytes(reinterpret_cast<char*>(t->pending), static_cast<size_t>(n));
  if (MVM_LIKELY(t->buffer_is_ours && t->buffer.as<BufferedObject>()->raw_is_file)) {
    return BufferWrite(ts, t, bytes);
  }
  return WriteBelow(ts, t, std::string(bytes));
}

Status TextFlush(ThreadState& ts, TextIoObject* t) {
  MVM_TRY_VOID(CheckText(ts, t));
  MVM_TRY(bool closed, TextClosed(ts, t));
  if (closed) return Raise(ts, Exc::kValueError, "I/O operation on closed file.");
  t->telling = t->seekable;
  StreamLock lock(ts, t);
  if (!lock) return kRaised;
  MVM_TRY_VOID(WritePending(ts, t));
  return BufferFlush(ts, t);
}

namespace {

Result<> text_write(ThreadState& ts, Args args) {
  if (MVM_UNLIKELY(!IsStr(ts, args[1]))) {
    MVM_TRY_VOID(CheckText(ts, Self(args[0])));
    return Raise(ts, Exc::kTypeError, "write() argument must be str, not %T", args[1]);
  }
  TextIoObject* t = Self(args[0]);
  StrObject* s = args.as<StrObject>(1);
  if (MVM_UNLIKELY(t->writing && t->owner.thread == &ts)) {
    MVM_TRY_VOID(WriteText(ts, t, s));
    return Small(static_cast<int64_t>(s->length));
  }
  StreamLock lock(ts, t);
  if (!lock) return kRaised;
  MVM_TRY_VOID(WriteText(ts, t, s));
  return Small(static_cast<int64_t>(s->length));
}

Result<> text_flush(ThreadState& ts, Args args) {
  MVM_TRY_VOID(TextFlush(ts, Self(args[0])));
  return None(ts);
}

Result<> text_close(ThreadState& ts, Args args) {
  TextIoObject* t = Self(args[0]);
  MVM_TRY_VOID(CheckText(ts, t));
  MVM_TRY(bool closed, TextClosed(ts, t));
  if (closed) return None(ts);
  MVM_TRY_VOID(CheckText(ts, t));  // asking may have detached it
  const Ref<> buffer = Ref<>::Borrow(t->buffer);
  if (t->finalizing) {
    MVM_TRY(Ref<> warn, GetAttrOptional(ts, buffer, "_dealloc_warn"));
    if (!warn.is_absent()) {
      Result<> warned = Call(ts, warn, args[0]);
      if (warned.raised()) {
        ClearPending(ts);
      } else {
        Ref<> dropped = warned.Take();
      }
    }
  }
  Result<> flushed = CallMethod(ts, args[0], MVM_NAME(ts, flush));
  Ref<> first;
  if (flushed.raised()) {
    first = TakePending(ts);
  } else {
    Ref<> dropped = flushed.Take();
  }
  Result<> done = CallMethod(ts, buffer, MVM_NAME(ts, close));
  if (done.raised()) {
    if (first && IsException(ts, ts.pending)) {
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
  return None(ts);
}

Result<> text_detach(ThreadState& ts, Args args) {
  TextIoObject* t = Self(args[0]);
  MVM_TRY_VOID(CheckText(ts, t));
  MVM_TRY_VOID(CallMethod(ts, args[0], MVM_NAME(ts, flush)));
  StreamLock lock(ts, t);
  if (!lock) return kRaised;
  t->ok = false;
  t->detached = true;
  t->buffer_is_ours = false;
  return Ref<>::Steal(std::exchange(t->buffer, Value()));
}

template <int kWhich>
Result<> text_pass(ThreadState& ts, Args args) {
  static constexpr const char* kNames[] = {"fileno", "seekable", "readable", "writable", "isatty"};
  TextIoObject* t = Self(args[0]);
  MVM_TRY_VOID(CheckText(ts, t));
  return CallNamed(ts, t->buffer, kNames[kWhich]);
}

Result<> text_truncate(ThreadState& ts, Args args) {
  TextIoObject* t = Self(args[0]);
  MVM_TRY_VOID(CheckText(ts, t));
  MVM_TRY_VOID(CallMethod(ts, args[0], MVM_NAME(ts, flush)));
  MVM_TRY_VOID(CheckText(ts, t));  // flush() may have detached it
  const Ref<> buffer = Ref<>::Borrow(t->buffer);
  if (!IsNone(ts, args[1])) return CallNamed(ts, buffer, "truncate", args[1]);
  MVM_TRY(Ref<> at, CallNamed(ts, buffer, "tell"));
  return CallNamed(ts, buffer, "truncate", at);
}

Status CheckStrOrNone(ThreadState& ts, Value v, const char* what) {
  if (IsNone(ts, v) || IsStr(ts, v)) return Ok();
  return Raise(ts, Exc::kTypeError, "%s must be str or None, not %T", what, v);
}

Result<StrObject> EncodingName(ThreadState& ts, Value v) {
  if (!IsNone(ts, v) && !v.as<StrObject>()->EqualsAscii("locale"))
    return Ref<StrObject>::Borrow(v.as<StrObject>());
  return NewStr(ts, "UTF-8");
}

// In development mode a handler of errors that does not exist is found out at once.
Status CheckHandler(ThreadState& ts, Value errors) {
  if (MVM_LIKELY(!ts.rt->dev_mode) || IsNone(ts, errors)) return Ok();
  MVM_TRY_VOID(CodecLookupError(ts, ToUtf8(errors.as<StrObject>())));
  return Ok();
}

// A switch of reconfigure(): None leaves it as it is.
Status ReadSwitch(ThreadState& ts, Value v, bool* value) {
  if (IsNone(ts, v)) return Ok();
  MVM_TRY(int64_t n, AsInt64(ts, v));
  *value = n != 0;
  return Ok();
}

// TextIOWrapper(buffer, encoding=None, errors=None, newline=None, line_buffering=False,
// write_through=False)
Result<> text_init(ThreadState& ts, Args args) {
  TextIoObject* t = Self(args[0]);
  StreamLock lock(ts, &t->owner, args[0]);
  if (!lock) return kRaised;
  t->ok = t->detached = false;
  MVM_TRY_VOID(CheckStrOrNone(ts, args[2], "TextIOWrapper() argument 'encoding'"));
  MVM_TRY_VOID(CheckStrOrNone(ts, args[3], "TextIOWrapper() argument 'errors'"));
  MVM_TRY_VOID(CheckStrOrNone(ts, args[4], "TextIOWrapper() argument 'newline'"));
  MVM_TRY_VOID(ParseNewline(ts, args[4], &t->newline));
  MVM_TRY(bool line_buffering, Truth(ts, args[5]));
  MVM_TRY(bool write_through, Truth(ts, args[6]));
  for (int i = 2; i <= 3; ++i) {
    if (IsStr(ts, args[i])) MVM_TRY_VOID(CheckEncodable(ts, args.as<StrObject>(i)));
    if (IsStr(ts, args[i]) && Has(args.as<StrObject>(i), '\0')) {
      return Raise(ts, Exc::kValueError, "embedded null character");
    }
  }
  if (IsNone(ts, args[2])) MVM_TRY_VOID(WarnOfDefaultEncoding(ts, 1));
  MVM_TRY_VOID(CheckHandler(ts, args[3]));
  MVM_TRY(Ref<StrObject> encoding, EncodingName(ts, args[2]));
  Ref<StrObject> errors =
      Ref<StrObject>::Borrow(IsNone(ts, args[3]) ? MVM_NAME(ts, strict) : args.as<StrObject>(3));
  Value buffer = args[1];
  MVM_TRY(t->readable, AskStream(ts, buffer, "readable"));
  MVM_TRY(t->writable, AskStream(ts, buffer, "writable"));
  MVM_TRY(t->seekable, AskStream(ts, buffer, "seekable"));
  MVM_TRY_VOID(SetCodec(ts, t, encoding, errors));
  t->telling = t->seekable;
  t->line_buffering = line_buffering;
  t->write_through = write_through;
  t->seen = 0;
  t->pending_size = 0;
  if (t->chunk_size <= 0) t->chunk_size = kDefaultBufferSize;
  t->snapshot_origin = -1;
  SetDecoded(t, nullptr);
  Decref(std::exchange(t->buffer, Ref<>::Borrow(buffer).Release()));
  t->buffer_is_ours = IsOur(ts, buffer, kBufferedReaderType) ||
                      IsOur(ts, buffer, kBufferedWriterType) ||
                      IsOur(ts, buffer, kBufferedRandomType);
  t->ok = true;
  if (t->state) MVM_TRY_VOID(ResetDecoder(ts, t));
  // A byte order mark belongs to the start of the file only.
  if (t->seekable && t->writable) {
    bool start;
    if (IsOur(ts, buffer, kBufferedWriterType)) {
      MVM_TRY(int64_t at, BufferedTell(ts, buffer.as<BufferedObject>()));
      start = at == 0;
    } else {
      MVM_TRY(Ref<> at, CallNamed(ts, buffer, "tell"));
      MVM_TRY(start, EqualValues(ts, at, Value::Int(0)));
    }
    if (!start) {
      t->encoding_started = true;
      if (t->codec == TextCodec::kObject)
        MVM_TRY_VOID(CallNamed(ts, t->encoder, "setstate", Value::Int(0)));
    }
  }
  return None(ts);
}

}  // namespace

Result<> NewTextStream(ThreadState& ts, std::span<const Value, 6> args) {
  MVM_TRY(TypeObject * type, TypeForSpec(ts, kTextIoWrapperType));
  MVM_TRY(Ref<> t, AllocInstance(ts, type));
  Value all[] = {t, args[0], args[1], args[2], args[3], args[4], args[5]};
  MVM_TRY_VOID(text_init(ts, Args{all, 7}));
  return t;
}

namespace {

// reconfigure(*, encoding=None, errors=None, newline=<absent>, line_buffering=None,
// write_through=None)
Result<> text_reconfigure(ThreadState& ts, Args args) {
  TextIoObject* t = Self(args[0]);
  MVM_TRY_VOID(CheckText(ts, t));
  if (t->decoded != nullptr && (!IsNone(ts, args[1]) || !IsNone(ts, args[2]) || args.has(3))) {
    return RaiseUnsupported(
        ts, "It is not possible to set the encoding or newline of stream after the first read");
  }
  MVM_TRY_VOID(CheckStrOrNone(ts, args[1], "reconfigure() argument 'encoding'"));
  MVM_TRY_VOID(CheckStrOrNone(ts, args[2], "reconfigure() argument 'errors'"));
  for (int i = 1; i <= 2; ++i) {
    if (IsStr(ts, args[i])) MVM_TRY_VOID(CheckEncodable(ts, args.as<StrObject>(i)));
  }
  NewlineMode newline = t->newline;
  if (args.has(3)) {
    MVM_TRY_VOID(CheckStrOrNone(ts, args[3], "reconfigure() argument 'newline'"));
    MVM_TRY_VOID(ParseNewline(ts, args[3], &newline));
  }
  bool line_buffering = t->line_buffering, write_through = t->write_through;
  MVM_TRY_VOID(ReadSwitch(ts, args[4], &line_buffering));
  MVM_TRY_VOID(ReadSwitch(ts, args[5], &write_through));
  MVM_TRY_VOID(CallMethod(ts, args[0], MVM_NAME(ts, flush)));
  StreamLock lock(ts, t);
  if (!lock) return kRaised;
  if (!IsNone(ts, args[1]) || !IsNone(ts, args[2])) {
    Ref<StrObject> encoding = Ref<StrObject>::Borrow(t->encoding);
    // A new encoding starts out strict; new errors alone keep the encoding.
    Ref<StrObject> errors =
        Ref<StrObject>::Borrow(IsNone(ts, args[2]) ? MVM_NAME(ts, strict) : args.as<StrObject>(2));
    if (!IsNone(ts, args[1])) {
      MVM_TRY(encoding, EncodingName(ts, args[1]));
    }
    bool started = t->encoding_started;
    MVM_TRY_VOID(SetCodec(ts, t, encoding, errors));
    // Who cannot seek cannot tell whether this is the start: the signature asked for is given.
    const bool sign = t->sig && !t->seekable && !IsNone(ts, args[1]);
    t->encoding_started = started && !sign;
  }
  t->newline = newline;
  t->line_buffering = line_buffering;
  t->write_through = write_through;
  return None(ts);
}

Result<> text_no_pickle(ThreadState& ts, Args args) {
  return Raise(ts, Exc::kTypeError, "cannot pickle '%U' instances",
               Value(TypeOf(ts, args[0])->name));
}

// ---- attributes ----

Result<> ShowStr(ThreadState& ts, StrObject* s) {
  return s ? Result<>::Borrow(Value(s)) : None(ts);
}
Result<> text_get_encoding(ThreadState& ts, Value self) {
  return ShowStr(ts, Self(self)->encoding);
}
Result<> text_get_errors(ThreadState& ts, Value self) {
  if (!Self(self)->detached) MVM_TRY_VOID(CheckText(ts, Self(self)));
  return ShowStr(ts, Self(self)->errors);
}
Result<> text_get_newlines(ThreadState& ts, Value self) {
  MVM_TRY_VOID(CheckText(ts, Self(self)));
  return NewlinesAttribute(ts, Self(self)->newline.universal ? Self(self)->seen : 0);
}
Result<> text_get_buffer(ThreadState& ts, Value self) {
  MVM_TRY_VOID(CheckText(ts, Self(self)));
  return Result<>::Borrow(Self(self)->buffer);
}
Result<> text_get_line_buffering(ThreadState& ts, Value self) {
  return Bool(ts, Self(self)->line_buffering);
}
Result<> text_get_write_through(ThreadState& ts, Value self) {
  return Bool(ts, Self(self)->write_through);
}
Result<> text_get_finalizing(ThreadState& ts, Value self) {
  return Bool(ts, Self(self)->finalizing);
}
Status text_set_finalizing(ThreadState& ts, Value self, Value v) {
  Self(self)->finalizing = !v.is_null() && IsTrue(ts, v);
  return Ok();
}
Result<> text_get_name(ThreadState& ts, Value self) {
  MVM_TRY_VOID(CheckText(ts, Self(self)));
  const Ref<> buffer = Ref<>::Borrow(Self(self)->buffer);
  return GetAttr(ts, buffer, MVM_NAME(ts, name));
}
Result<> text_get_closed(ThreadState& ts, Value self) {
  MVM_TRY_VOID(CheckText(ts, Self(self)));
  MVM_TRY(bool closed, TextClosed(ts, Self(self)));
  return Bool(ts, closed);
}
Result<> text_get_chunk_size(ThreadState& ts, Value self) { return Small(Self(self)->chunk_size); }
Status text_set_chunk_size(ThreadState& ts, Value self, Value v) {
  if (v.is_null()) return Raise(ts, Exc::kAttributeError, "cannot delete attribute");
  MVM_TRY(int64_t n, AsInt64(ts, v));
  if (n <= 0) return Raise(ts, Exc::kValueError, "a strictly positive integer is required");
  MVM_TRY_VOID(CheckText(ts, Self(self)));
  MVM_TRY_VOID(CheckRoom(ts, static_cast<size_t>(n)));
  Self(self)->chunk_size = n;
  return Ok();
}

Result<> text_repr(ThreadState& ts, Value self) {
  TextIoObject* t = Self(self);
  if (!t->detached) MVM_TRY_VOID(CheckText(ts, t));
  RecursionGuard guard(ts, " while getting the repr of an object");
  if (!guard) return kRaised;
  MVM_TRY(Ref<StrObject> text, Format(ts, "<%N", TypeOf(ts, self)));
  MVM_TRY(Ref<> name, NameForRepr(ts, self));
  if (!name.is_absent()) {
    MVM_TRY(text, Format(ts, "%U name=%R", Value(text.get()), name.get()));
  }
  MVM_TRY(Ref<> mode, GetAttrOptional(ts, self, "mode"));
  if (!mode.is_absent()) {
    MVM_TRY(text, Format(ts, "%U mode=%R", Value(text.get()), mode.get()));
  }
  const Ref<StrObject> encoding = Ref<StrObject>::Borrow(t->encoding);
  return Format(ts, "%U encoding=%R>", Value(text.get()), Value(encoding.get()));
}

const MethodSpec kTextMethods[] = {
    {"__reduce__(self, /)", text_no_pickle},
    {"__reduce_ex__(self, protocol, /)", text_no_pickle},
    {"close(self, /)", text_close},
    {"detach(self, /)", text_detach},
    {"fileno(self, /)", text_pass<0>},
    {"flush(self, /)", text_flush},
    {"isatty(self, /)", text_pass<4>},
    {"read(self, size=-1, /)", text_read},
    {"readable(self, /)", text_pass<2>},
    {"readline(self, size=-1, /)", text_readline},
    {"reconfigure(self, /, *, encoding=None, errors=None, newline=<unrepresentable>, "
     "line_buffering=None, write_through=None)",
     text_reconfigure,
     "Change encoding, errors, newline or buffering; None keeps each. Once something is read, only "
     "the latter two."},
    {"seek(self, cookie, whence=0, /)", text_seek,
     "Go to what tell() has given, or to the start or the end (whence 2); returns where that is."},
    {"seekable(self, /)", text_pass<1>},
    {"tell(self, /)", text_tell,
     "The position as a number for seek(), which also has the state of the decoder."},
    {"truncate(self, pos=None, /)", text_truncate},
    {"writable(self, /)", text_pass<3>},
    {"write(self, text, /)", text_write},
};
const GetSetSpec kTextGetSets[] = {
    {"_CHUNK_SIZE", text_get_chunk_size, text_set_chunk_size},
    {"_finalizing", text_get_finalizing, text_set_finalizing},
    {"buffer", text_get_buffer},
    {"closed", text_get_closed},
    {"encoding", text_get_encoding},
    {"errors", text_get_errors},
    {"line_buffering", text_get_line_buffering},
    {"name", text_get_name},
    {"newlines", text_get_newlines},
    {"write_through", text_get_write_through},
};

}  // namespace

const TypeSpec kTextIoWrapperType = {
    .name = "_io.TextIOWrapper",
    .doc =
        "Characters through a buffer of bytes: decodes what it reads, encodes what it writes, "
        "turns newlines.",
    .base = &kTextIoBaseType,
    .flags = kTypeBase,
    .size = sizeof(TextIoObject),
    .gc = GcHooksOf<TextIoObject>(),
    .slots = {.repr = text_repr, .next = text_next},
    .init = {"TextIOWrapper(self, buffer, encoding=None, errors=None, newline=None, "
             "line_buffering=False, write_through=False)",
             text_init},
    .methods = kTextMethods,
    .getsets = kTextGetSets,
};

}  // namespace minivm::io
