// _IOBase and the abstract families: everything in terms of other methods.
#include "stdlib/io/io_types.h"

#include <unistd.h>

#include "runtime/core/blocking.h"
#include "runtime/native/native_function.h"
#include "runtime/objects/bytearray_object.h"
#include "runtime/objects/bytes_object.h"
#include "runtime/objects/dict_object.h"
#include "runtime/objects/exception_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/memoryview_object.h"
#include "runtime/objects/module_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/buffer.h"
#include "runtime/protocol/protocol.h"

namespace minivm::io {

Result<> AllocStream(ThreadState& ts, TypeObject* cls, Args) { return AllocInstance(ts, cls); }

Raised RaiseUnsupported(ThreadState& ts, const char* message) {
  Result<TypeObject*> type = TypeForSpec(ts, kUnsupportedOperationType);
  if (type.raised()) return kRaised;
  Result<StrObject> text = NewStr(ts, message);
  if (text.raised()) return kRaised;
  Ref<StrObject> t = text.Take();
  Result<> made = Call(ts, Value(type.Take()), Value(t.get()));
  if (made.raised()) return kRaised;
  Ref<> exception = made.Take();
  return RaiseObject(ts, exception);
}

Result<> CallNamed(ThreadState& ts, Value stream, const char* method, std::span<const Value> args) {
  const Ref<> pinned = Ref<>::Borrow(stream);  // often a field, which the call may exchange
  MVM_TRY(Ref<StrObject> name, InternUtf8(ts, method));
  return CallMethod(ts, stream, name, args);
}

Status EnterAttribute(ThreadState& ts, Value stream, const TypeSpec& spec, StrObject* name,
                      Value value) {
  if (!IsOur(ts, stream, spec)) return SetAttr(ts, stream, name, value);
  IoBaseObject* o = stream.as<IoBaseObject>();
  if (!o->dict) {
    MVM_TRY(Ref<DictObject> dict, NewDict(ts));
    o->dict = dict.Release();
  }
  return DictSetStr(ts, o->dict, name, value);
}

namespace {

// What a file says if it is ours and open, itself or under one buffer; -1: it has to be called.
int KnownAnswer(ThreadState& ts, Value stream, std::string_view method) {
  const bool reader = IsOur(ts, stream, kBufferedReaderType);
  if (reader || IsOur(ts, stream, kBufferedWriterType)) {
    const BufferedObject* b = stream.as<BufferedObject>();
    if (!b->ok || !b->raw_is_file) return -1;
    if (method == (reader ? "writable" : "readable")) return 0;
    stream = b->raw;
  }
  if (!IsOur(ts, stream, kFileIoType)) return -1;
  FileIoObject* f = stream.as<FileIoObject>();
  if (f->fd < 0) return -1;
  if (method == "readable") return f->readable;
  if (method == "writable") return f->writable;
  return method == "seekable" ? FileSeekable(f) : -1;
}

}  // namespace

Result<bool> AskStream(ThreadState& ts, Value stream, const char* method) {
  const int known = KnownAnswer(ts, stream, method);
  if (known >= 0) return known > 0;
  MVM_TRY(Ref<> answer, CallNamed(ts, stream, method));
  return Truth(ts, answer);
}

Result<bool> IsClosed(ThreadState& ts, Value stream) {
  if (IsOur(ts, stream, kFileIoType)) return stream.as<FileIoObject>()->fd < 0;
  const Ref<> pinned = Ref<>::Borrow(stream);
  MVM_TRY(Ref<> closed, GetAttr(ts, stream, "closed"));
  return Truth(ts, closed);
}

Status CheckClosed(ThreadState& ts, Value stream, const char* message) {
  MVM_TRY(bool closed, IsClosed(ts, stream));
  if (closed) return Raise(ts, Exc::kValueError, "%s", message);
  return Ok();
}

Result<int64_t> SizeArgument(ThreadState& ts, Value v) {
  if (v.is_absent() || IsNone(ts, v)) return int64_t{-1};
  if (!IsInt(ts, v) && !TypeOf(ts, v)->operators->index) {
    return Raise(ts, Exc::kTypeError, "argument should be integer or None, not '%T'", v);
  }
  MVM_TRY(int64_t n, IndexAsInt64(ts, v, Exc::kOverflowError));
  return n < 0 ? int64_t{-1} : n;
}

Result<int64_t> OffsetArgument(ThreadState& ts, Value v) {
  return IndexAsInt64(ts, v, Exc::kOverflowError);
}

Result<> NameForRepr(ThreadState& ts, Value stream) {
  Result<> name = GetAttrOptional(ts, stream, MVM_NAME(ts, name));
  if (!name.raised()) return name;
  if (!ClearPendingIf(ts, Exc::kValueError)) return kRaised;
  return Result<>::Steal(Value::Absent());
}

Status WarnOfDefaultEncoding(ThreadState& ts, int stack_level) {
  MVM_TRY(Ref<> flags, GetAttrOptional(ts, Value(ts.rt->sys), "flags"));
  if (flags.is_absent()) return Ok();
  MVM_TRY(Ref<> wanted, GetAttrOptional(ts, flags, "warn_default_encoding"));
  if (wanted.is_absent()) return Ok();
  MVM_TRY(bool warn, Truth(ts, wanted));
  if (!warn) return Ok();
  return Warn(ts, Exc::kEncodingWarning, stack_level, "'encoding' argument not specified");
}

StreamLock::StreamLock(ThreadState& ts, StreamOwner* owner, Value stream) : ts_(ts), owner_(owner) {
  while (owner->thread != nullptr) {
    if (owner->thread == &ts) {
      (void)Raise(ts, Exc::kRuntimeError, "reentrant call inside %R", stream);
      return;
    }
    const ThreadState* t = ts.rt->threads;
    while (t != nullptr && t != owner->thread) t = t->next;
    if (t == nullptr) break;  // it is not in this child of a fork
    if (ts.rt->ending) {
      (void)Raise(ts, Exc::kRuntimeError,
                  "could not acquire lock for %R at interpreter shutdown, possibly due to daemon "
                  "threads",
                  stream);
      return;
    }
    if (owner->waiting.Wait(ts, nullptr, kNever, [owner] { return owner->thread == nullptr; })
            .raised()) {
      return;
    }
  }
  owner->thread = &ts;
  held_ = true;
}

StreamLock::StreamLock(ThreadState& ts, BufferedObject* stream)
    : StreamLock(ts, &stream->owner, Value(stream)) {
  if (held_ && CheckUsable(ts, stream).raised()) {
    Leave();
  }
}

StreamLock::StreamLock(ThreadState& ts, TextIoObject* stream)
    : StreamLock(ts, &stream->owner, Value(stream)) {
  if (held_ && CheckText(ts, stream).raised()) {
    Leave();
  }
}

Status FinalizeStream(ThreadState& ts, Value self) {
  // Nobody would notice that these are closed.
  const TypeObject* type = TypeOf(ts, self);
  if (!type->is_heap() && (type->spec == &kStringIoType || type->spec == &kBytesIoType))
    return Ok();
  Result<> closed = GetAttrOptional(ts, self, "closed");
  if (closed.raised()) {
    // Not usable: its constructor failed, or what it stood on has been detached. There is nothing
    // to close.
    ClearPending(ts);
    return Ok();
  }
  Ref<> c = closed.Take();
  if (c.is_absent() || IsTrue(ts, c)) return Ok();
  MVM_TRY(Ref<StrObject> flag, InternUtf8(ts, "_finalizing"));
  if (SetAttr(ts, self, flag, ts.rt->true_).raised()) ClearPending(ts);
  Result<> done = CallMethod(ts, self, MVM_NAME(ts, close));
  if (done.raised()) return kRaised;
  Ref<> dropped = done.Take();
  return Ok();
}

namespace {

IoBaseObject* Self(Args args) { return args.self<IoBaseObject>(); }

Result<> iobase_unsupported_seek(ThreadState& ts, Args args) {
  return RaiseUnsupported(ts, "seek");
}
Result<> iobase_unsupported_truncate(ThreadState& ts, Args args) {
  return RaiseUnsupported(ts, "truncate");
}
Result<> iobase_unsupported_fileno(ThreadState& ts, Args args) {
  return RaiseUnsupported(ts, "fileno");
}
Result<> iobase_tell(ThreadState& ts, Args args) {
  Value pair[] = {Value::Int(0), Value::Int(1)};
  return CallNamed(ts, args[0], "seek", pair);
}
Result<> iobase_flush(ThreadState& ts, Args args) {
  if (Self(args)->base_closed) return Raise(ts, Exc::kValueError, "I/O operation on closed file.");
  return None(ts);
}
Result<> iobase_close(ThreadState& ts, Args args) {
  if (Self(args)->base_closed) return None(ts);
  Result<> flushed = CallMethod(ts, args[0], MVM_NAME(ts, flush));
  Self(args)->base_closed = true;
  if (flushed.raised()) return kRaised;
  Ref<> dropped = flushed.Take();
  return None(ts);
}
Result<> iobase_get_closed(ThreadState& ts, Value self) {
  return Bool(ts, self.as<IoBaseObject>()->base_closed);
}
Result<> iobase_no(ThreadState& ts, Args args) { return Bool(ts, false); }
Result<> iobase_isatty(ThreadState& ts, Args args) {
  MVM_TRY_VOID(CheckClosed(ts, args[0]));
  return Bool(ts, false);
}
Result<> iobase_check_closed(ThreadState& ts, Args args) {
  MVM_TRY_VOID(CheckClosed(ts, args[0]));
  return None(ts);
}
template <int kWhich>
Result<> iobase_check(ThreadState& ts, Args args) {
  static constexpr const char* kMethods[] = {"readable", "writable", "seekable"};
  static constexpr const char* kMessages[] = {"File or stream is not readable.",
                                              "File or stream is not writable.",
                                              "File or stream is not seekable."};
  MVM_TRY(bool yes, AskStream(ts, args[0], kMethods[kWhich]));
  if (!yes) return RaiseUnsupported(ts, kMessages[kWhich]);
  return Bool(ts, true);
}
Result<> iobase_enter(ThreadState& ts, Args args) {
  MVM_TRY_VOID(CheckClosed(ts, args[0]));
  return Result<>::Borrow(args[0]);
}
Result<> iobase_exit(ThreadState& ts, Args args) {
  return CallMethod(ts, args[0], MVM_NAME(ts, close));
}
Result<> iobase_iter(ThreadState& ts, Value self) {
  MVM_TRY_VOID(CheckClosed(ts, self));
  return Result<>::Borrow(self);
}
Result<> iobase_next(ThreadState& ts, Value self) {
  MVM_TRY(Ref<> line, CallMethod(ts, self, MVM_NAME(ts, readline)));
  MVM_TRY(int64_t n, Length(ts, line));
  if (n == 0) return Result<>::Done();
  return line;
}

// readline() by single reads, or by looks ahead where there is peek().
Result<> iobase_readline(ThreadState& ts, Args args) {
  MVM_TRY(int64_t limit, SizeArgument(ts, args[1]));
  MVM_TRY(Ref<> peek, GetAttrOptional(ts, args[0], "peek"));
  MVM_TRY(Ref<BytearrayObject> line, NewBytearray(ts, ""));
  while (limit < 0 || static_cast<int64_t>(line->size) < limit) {
    int64_t want = 1;
    if (!peek.is_absent()) {
      MVM_TRY(Ref<> ahead, Call(ts, peek, Value::Int(1)));
      if (!IsBytes(ts, ahead)) {
        return Raise(ts, Exc::kOSError, "peek() should have returned a bytes object, not '%T'",
                     ahead.get());
      }
      std::string_view view = ahead.as<BytesObject>()->view();
      if (!view.empty()) {
        size_t newline = view.find('\n');
        want = static_cast<int64_t>(newline == view.npos ? view.size() : newline + 1);
        if (limit >= 0 && want > limit - static_cast<int64_t>(line->size))
          want = limit - static_cast<int64_t>(line->size);
      }
    }
    MVM_TRY(Ref<> piece, CallMethod(ts, args[0], MVM_NAME(ts, read), Value::Int(want)));
    if (!IsBytes(ts, piece)) {
      return Raise(ts, Exc::kOSError, "read() should have returned a bytes object, not '%T'",
                   piece.get());
    }
    std::string_view got = piece.as<BytesObject>()->view();
    if (got.empty()) break;
    MVM_TRY_VOID(BytearraySplice(ts, line, line->size, 0, got));
    if (got.back() == '\n') break;
  }
  return NewBytes(ts, line->view());
}

Result<> iobase_readlines(ThreadState& ts, Args args) {
  MVM_TRY(int64_t hint, SizeArgument(ts, args[1]));
  MVM_TRY(Ref<ListObject> lines, NewList(ts, {}));
  int64_t length = 0;
  MVM_TRY(Ref<> it, GetIter(ts, args[0]));
  for (;;) {
    MVM_TRY(Ref<> line, Next(ts, it));
    if (line.is_done()) return lines;
    MVM_TRY_VOID(ListAppend(ts, lines, line));
    if (hint > 0) {
      MVM_TRY(int64_t n, Length(ts, line));
      length += n;
      if (length > hint) return lines;
    }
    MVM_TRY_VOID(Charge(ts, 1));
  }
}

Result<> iobase_writelines(ThreadState& ts, Args args) {
  MVM_TRY_VOID(CheckClosed(ts, args[0]));
  MVM_TRY_VOID(ForEach(ts, args[1], [&](Value line) -> Status {
    MVM_TRY_VOID(CallMethod(ts, args[0], MVM_NAME(ts, write), line));
    return Ok();
  }));
  return None(ts);
}

const MethodSpec kIoBaseMethods[] = {
    {"__enter__(self, /)", iobase_enter},
    {"__exit__(self, /, *args)", iobase_exit},
    {"_checkClosed(self, /, *args)", iobase_check_closed},
    {"_checkReadable(self, /, *args)", iobase_check<0>},
    {"_checkSeekable(self, /, *args)", iobase_check<2>},
    {"_checkWritable(self, /, *args)", iobase_check<1>},
    {"close(self, /)", iobase_close, "Flush and end all use; a second call does nothing."},
    {"fileno(self, /)", iobase_unsupported_fileno,
     "The number of the descriptor below. OSError if there is none."},
    {"flush(self, /)", iobase_flush, "Pass on what a buffer holds; nothing to do here."},
    {"isatty(self, /)", iobase_isatty,
     "Whether a terminal is at the other end; False unless a subclass knows."},
    {"readable(self, /)", iobase_no, "Whether read() works; if not, it raises OSError."},
    {"readline(self, size=-1, /)", iobase_readline,
     "The next line, with its newline, but no more than size bytes or characters."},
    {"readlines(self, hint=-1, /)", iobase_readlines,
     "The lines that are left, as a list; no more once hint bytes or characters are exceeded."},
    {"seek(self, offset, whence=0, /)", iobase_unsupported_seek,
     "Go to offset from the start, the position (whence 1) or the end (2); returns where that is."},
    {"seekable(self, /)", iobase_no, "Whether seek(), tell() and truncate() work."},
    {"tell(self, /)", iobase_tell, "The position, from the start."},
    {"truncate(self, size=None, /)", iobase_unsupported_truncate,
     "Make the file size bytes long, by default up to the position, which stays; returns size."},
    {"writable(self, /)", iobase_no, "Whether write() works; if not, it raises OSError."},
    {"writelines(self, lines, /)", iobase_writelines,
     "Write each of the lines; no newline is added."},
};
const GetSetSpec kIoBaseGetSets[] = {{"closed", iobase_get_closed}};

// ---- _RawIOBase ----

Result<> raw_readall(ThreadState& ts, Args args) {
  MVM_TRY(Ref<BytearrayObject> all, NewBytearray(ts, ""));
  bool blocked_first = false;
  for (;;) {
    MVM_TRY(Ref<> piece,
            CallMethod(ts, args[0], MVM_NAME(ts, read), Value::Int(kDefaultBufferSize)));
    if (IsNone(ts, piece)) {
      blocked_first = all->size == 0;
      break;
    }
    if (!IsBytes(ts, piece)) return Raise(ts, Exc::kTypeError, "read() should return bytes");
    std::string_view got = piece.as<BytesObject>()->view();
    if (got.empty()) break;
    MVM_TRY_VOID(BytearraySplice(ts, all, all->size, 0, got));
  }
  if (blocked_first) return None(ts);
  return NewBytes(ts, all->view());
}

Result<> raw_read(ThreadState& ts, Args args) {
  MVM_TRY(int64_t n, SizeArgument(ts, args[1]));
  if (n < 0) return CallNamed(ts, args[0], "readall");
  MVM_TRY_VOID(CheckRoom(ts, static_cast<size_t>(n)));
  MVM_TRY(Ref<BytearrayObject> b, NewBytearrayRaw(ts, static_cast<size_t>(n)));
  MVM_TRY(Ref<> got, CallNamed(ts, args[0], "readinto", Value(b.get())));
  if (IsNone(ts, got)) return None(ts);
  MVM_TRY(int64_t count, AsInt64(ts, got));
  if (count < 0 || count > static_cast<int64_t>(b->size)) {
    return Raise(ts, Exc::kValueError, "readinto returned %lld outside buffer size %lld",
                 static_cast<long long>(count), static_cast<long long>(b->size));
  }
  return NewBytes(ts, b->view().substr(0, static_cast<size_t>(count)));
}
Result<> raw_not_implemented(ThreadState& ts, Args args) {
  return RaiseNoMessage(ts, Exc::kNotImplementedError);
}

const MethodSpec kRawMethods[] = {
    {"read(self, size=-1, /)", raw_read},
    {"readall(self, /)", raw_readall, "All that repeated read() gives, up to the end."},
    {"readinto(self, buffer, /)", raw_not_implemented},
    {"write(self, b, /)", raw_not_implemented},
};

// ---- _BufferedIOBase ----

template <int kWhich>
Result<> buffered_unsupported(ThreadState& ts, Args args) {
  static constexpr const char* kNames[] = {"detach", "read", "read1", "write"};
  return RaiseUnsupported(ts, kNames[kWhich]);
}

Result<> ReadInto(ThreadState& ts, Args args, const char* method) {
  ByteView view;
  MVM_TRY_VOID(
      view.GetWritable(ts, args[1],
                       std::string_view(method) == "read"
                           ? "readinto() argument must be read-write bytes-like object, not %T"
                           : "readinto1() argument must be read-write bytes-like object, not %T"));
  MVM_TRY(Ref<> data,
          CallNamed(ts, args[0], method, Value::Int(static_cast<int64_t>(view.size()))));
  if (!IsBytes(ts, data)) return Raise(ts, Exc::kTypeError, "%s() should return bytes", method);
  std::string_view got = data.as<BytesObject>()->view();
  if (got.size() > view.size()) {
    return Raise(ts, Exc::kValueError,
                 "%s() returned too much data: %zd bytes requested, %zd returned", method,
                 view.size(), got.size());
  }
  if (!got.empty()) __builtin_memcpy(view.mutable_data(), got.data(), got.size());
  return Small(static_cast<int64_t>(got.size()));
}
Result<> buffered_readinto(ThreadState& ts, Args args) { return ReadInto(ts, args, "read"); }
Result<> buffered_readinto1(ThreadState& ts, Args args) { return ReadInto(ts, args, "read1"); }

const MethodSpec kBufferedBaseMethods[] = {
    {"detach(self, /)", buffered_unsupported<0>,
     "Flush, and give up the raw stream, which is returned. OSError where there is none."},
    {"read(self, size=-1, /)", buffered_unsupported<1>,
     "Up to size bytes, all if size is negative or None; fewer only at the end, or where it would "
     "block."},
    {"read1(self, size=-1, /)", buffered_unsupported<2>,
     "Up to size bytes, with one read() of the raw stream at most."},
    {"readinto(self, buffer, /)", buffered_readinto},
    {"readinto1(self, buffer, /)", buffered_readinto1},
    {"write(self, b, /)", buffered_unsupported<3>,
     "Take the bytes of b; returns how many. BlockingIOError where not all could be taken."},
};

// ---- _TextIOBase ----

template <int kWhich>
Result<> text_unsupported(ThreadState& ts, Args args) {
  static constexpr const char* kNames[] = {"detach", "read", "readline", "write"};
  return RaiseUnsupported(ts, kNames[kWhich]);
}
Result<> text_none(ThreadState& ts, Value self) { return None(ts); }

const MethodSpec kTextBaseMethods[] = {
    {"detach(self, /)", text_unsupported<0>,
     "Flush, and give up the buffer, which is returned. OSError where there is none."},
    {"read(self, size=-1, /)", text_unsupported<1>,
     "Up to size characters, all if size is negative or None."},
    {"readline(self, size=-1, /)", text_unsupported<2>,
     "Characters up to the next newline and with it, but no more than size; '' at the end."},
    {"write(self, s, /)", text_unsupported<3>, "Write the characters of s and return how many."},
};
const GetSetSpec kTextBaseGetSets[] = {
    {"encoding", text_none}, {"newlines", text_none}, {"errors", text_none}};

}  // namespace

const TypeSpec kIoBaseType = {
    .name = "_io._IOBase",
    .doc = "What streams have in common: closing, lines, iteration, with-statements.",
    .flags = kTypeBase | kTypeWeakrefs | kTypeHasFinalizer,
    .size = sizeof(IoBaseObject),
    .gc = GcHooksOf<IoBaseObject>(),
    .slots = {.iter = iobase_iter,
              .next = iobase_next,
              .new_ = AllocStream,
              .finalize = FinalizeStream},
    .methods = kIoBaseMethods,
    .getsets = kIoBaseGetSets,
    .storage = AttrStorage::kDictField,
    .dict_offset = offsetof(IoBaseObject, dict),
};
const TypeSpec kRawIoBaseType = {
    .name = "_io._RawIOBase",
    .doc =
        "A stream of bytes with no buffer: a call is a system call. Subclasses define readinto() "
        "and write().",
    .base = &kIoBaseType,
    .flags = kTypeBase,
    .size = sizeof(IoBaseObject),
    .methods = kRawMethods,
};
const TypeSpec kBufferedIoBaseType = {
    .name = "_io._BufferedIOBase",
    .doc = "A stream of bytes with a buffer: read() does not stop short of what is asked for.",
    .base = &kIoBaseType,
    .flags = kTypeBase,
    .size = sizeof(IoBaseObject),
    .methods = kBufferedBaseMethods,
};
const TypeSpec kTextIoBaseType = {
    .name = "_io._TextIOBase",
    .doc = "A stream of characters.",
    .base = &kIoBaseType,
    .flags = kTypeBase,
    .size = sizeof(IoBaseObject),
    .methods = kTextBaseMethods,
    .getsets = kTextBaseGetSets,
};

}  // namespace minivm::io
