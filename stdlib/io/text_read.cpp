// TextIOWrapper: reading.
#include <cstring>

#include "runtime/native/native_function.h"
#include "runtime/objects/bytes_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/buffer.h"
#include "runtime/protocol/protocol.h"
#include "stdlib/io/io_types.h"

namespace minivm::io {

namespace {

TextIoObject* Self(Value v) { return v.as<TextIoObject>(); }

// One read from the buffer below: bytes (or an object with a buffer).
Result<> ReadBuffer(ThreadState& ts, TextIoObject* t, int64_t n) {
  if (t->buffer_is_ours) {
    BufferedObject* b = t->buffer.as<BufferedObject>();
    MVM_TRY_VOID(CheckBuffered(ts, b, "read of closed file"));
    MVM_TRY(Ref<> data, BufferedRead1(ts, b, n));
    if (data.is_absent()) return NewBytes(ts, "");
    return data;
  }
  MVM_TRY(Ref<> read1, GetAttrOptional(ts, t->buffer, "read1"));
  const char* method = read1.is_absent() ? "read" : "read1";
  MVM_TRY(Ref<> data, CallNamed(ts, t->buffer, method, Value::Int(n)));
  if (!HasBuffer(ts, data)) {
    return Raise(ts, Exc::kTypeError,
                 "underlying %s() should have returned a bytes-like object, not '%T'", method,
                 data.get());
  }
  return data;
}

Status MakeState(ThreadState& ts, TextIoObject* t) {
  if (t->state) return Ok();
  t->state = new (std::nothrow) DecodeState;
  t->snapshot_state = new (std::nothrow) DecodeState;
  t->snapshot = new (std::nothrow) std::string;
  if (!t->state || !t->snapshot_state || !t->snapshot) return RaiseMemoryError(ts);
  return Ok();
}

// The text that is decoded and not yet used, at most n characters; it counts as used then.
Result<StrObject> TakeDecoded(ThreadState& ts, TextIoObject* t, int64_t n) {
  if (t->decoded == nullptr) return EmptyStr(ts);
  int64_t available = static_cast<int64_t>(t->decoded->length) - t->used;
  if (n < 0 || n > available) n = available;
  if (t->used == 0 && n == available) {
    t->used = n;
    return Ref<StrObject>::Borrow(t->decoded);
  }
  int64_t start = t->used;
  t->used += n;
  return StrSlice(ts, t->decoded, static_cast<size_t>(start), static_cast<size_t>(start + n));
}

}  // namespace

void SetDecoded(TextIoObject* t, StrObject* text) {
  StrObject* old = std::exchange(t->decoded, text);
  t->used = 0;
  if (old) Decref(old);
}

Status CheckReadable(ThreadState& ts, TextIoObject* t) {
  if (!t->readable) return RaiseUnsupported(ts, "not readable");
  return MakeState(ts, t);
}

Result<TupleObject> DecoderState(ThreadState& ts, TextIoObject* t) {
  MVM_TRY(Ref<> state, CallNamed(ts, t->decoder, "getstate"));
  if (!IsTuple(ts, state) || state.as<TupleObject>()->size() != 2) {
    return Raise(ts, Exc::kTypeError, "illegal decoder state");
  }
  return std::move(state).Into<TupleObject>();
}

Result<bool> ReadChunk(ThreadState& ts, TextIoObject* t, int64_t hint) {
  if (t->telling) {
    *t->snapshot_state = *t->state;
    if (t->codec == TextCodec::kObject) {
      MVM_TRY(Ref<TupleObject> pair, DecoderState(ts, t));
      Decref(std::exchange(t->snapshot_flags, Ref<>::Borrow((*pair)[1]).Release()));
      ByteView buffered;
      MVM_TRY_VOID(buffered.Get(ts, (*pair)[0]));
      t->snapshot_state->rest = buffered.view();
    }
  }
  int64_t want = std::max(t->chunk_size, hint);
  MVM_TRY(Ref<> data, ReadBuffer(ts, t, want));
  ByteView view;
  MVM_TRY_VOID(view.Get(ts, data));
  bool eof = view.size() == 0;
  if (t->telling) {
    t->snapshot->assign(view.view());
    t->snapshot_origin = 0;
  }
  MVM_TRY(Ref<StrObject> text, DecodeText(ts, t, t->state, view.view(), eof));
  bool some = text->length > 0;
  SetDecoded(t, text.Release());
  return !eof || some;
}

int64_t FindLineEnd(const StrObject* s, int64_t start, const NewlineMode& mode) {
  int64_t n = static_cast<int64_t>(s->length);
  char32_t wanted = '\n';
  if (!mode.universal && mode.read_end[0] == '\r') wanted = '\r';
  if (mode.translate || (!mode.universal && mode.read_end[1] == 0)) {
    if (s->kind() == 1) {
      const void* p =
          std::memchr(s->data1() + start, static_cast<int>(wanted), static_cast<size_t>(n - start));
      return p ? static_cast<const uint8_t*>(p) - s->data1() + 1 : -1;
    }
    for (int64_t i = start; i < n; ++i) {
      if (s->At(static_cast<size_t>(i)) == wanted) return i + 1;
    }
    return -1;
  }
  if (mode.universal) {
    for (int64_t i = start; i < n; ++i) {
      char32_t c = s->At(static_cast<size_t>(i));
      if (c == '\n') return i + 1;
      if (c == '\r') return i + 1 < n && s->At(static_cast<size_t>(i + 1)) == '\n' ? i + 2 : i + 1;
    }
    return -1;
  }
  for (int64_t i = start; i + 1 < n; ++i) {
    if (s->At(static_cast<size_t>(i)) == '\r' && s->At(static_cast<size_t>(i + 1)) == '\n')
      return i + 2;
  }
  return -1;
}

Result<> TextReadLine(ThreadState& ts, TextIoObject* t, int64_t limit) {
  MVM_TRY_VOID(WritePending(ts, t));
  // The line is in what has been read ahead, most of the time.
  if (t->decoded && limit < 0) {
    int64_t end = FindLineEnd(t->decoded, t->used, t->newline);
    if (end >= 0) {
      int64_t start = std::exchange(t->used, end);
      return StrSlice(ts, t->decoded, static_cast<size_t>(start), static_cast<size_t>(end));
    }
  }
  StrBuilder line(ts);
  bool two = !t->newline.universal && t->newline.read_end[1] != 0;
  for (;;) {
    if (t->decoded == nullptr || t->used == static_cast<int64_t>(t->decoded->length)) {
      MVM_TRY(bool more, ReadChunk(ts, t, 0));
      if (!more) {
        SetDecoded(t, nullptr);
        t->snapshot_origin = -1;
        break;
      }
      if (t->decoded->length == 0) continue;
    }
    // A line end of two characters may stand across the pieces.
    if (two && line.length() > 0) {
      MVM_TRY(Ref<StrObject> sofar, line.Finish());
      MVM_TRY_VOID(line.Append(sofar.get()));
      if (sofar->At(sofar->length - 1) == '\r' &&
          t->decoded->At(static_cast<size_t>(t->used)) == '\n' &&
          (limit < 0 || static_cast<int64_t>(line.length()) < limit)) {
        MVM_TRY_VOID(line.Append('\n'));
        ++t->used;
        break;
      }
    }
    int64_t end = FindLineEnd(t->decoded, t->used, t->newline);
    bool found = end >= 0;
    if (!found) end = static_cast<int64_t>(t->decoded->length);
    if (limit >= 0) {
      int64_t room = limit - static_cast<int64_t>(line.length());
      if (end - t->used >= room) {
        end = t->used + room;
        found = true;
      }
    }
    MVM_TRY_VOID(
        line.AppendSlice(t->decoded, static_cast<size_t>(t->used), static_cast<size_t>(end)));
    t->used = end;
    if (found) break;
  }
  return line.Finish();
}

Result<> text_readline(ThreadState& ts, Args args) {
  TextIoObject* t = Self(args[0]);
  MVM_TRY(int64_t limit, SizeArgument(ts, args[1]));
  MVM_TRY_VOID(CheckText(ts, t));
  MVM_TRY_VOID(CheckClosed(ts, args[0]));
  StreamLock lock(ts, t);
  if (!lock) return kRaised;
  MVM_TRY_VOID(CheckReadable(ts, t));
  return TextReadLine(ts, t, limit);
}

Result<> text_next(ThreadState& ts, Value self) {
  TextIoObject* t = Self(self);
  MVM_TRY_VOID(CheckText(ts, t));
  t->telling = false;
  Ref<> line;
  if (IsOur(ts, self, kTextIoWrapperType)) {
    MVM_TRY_VOID(CheckClosed(ts, self));
    StreamLock lock(ts, t);
    if (!lock) return kRaised;
    MVM_TRY_VOID(CheckReadable(ts, t));
    MVM_TRY(line, TextReadLine(ts, t, -1));
  } else {
    MVM_TRY(line, CallMethod(ts, self, MVM_NAME(ts, readline)));
    if (!IsStr(ts, line)) {
      return Raise(ts, Exc::kOSError, "readline() should have returned a str object, not '%T'",
                   line.get());
    }
  }
  if (line.as<StrObject>()->length > 0) return line;
  t->snapshot_origin = -1;
  t->telling = t->seekable;
  return Result<>::Done();
}

Result<> text_read(ThreadState& ts, Args args) {
  TextIoObject* t = Self(args[0]);
  MVM_TRY(int64_t n, SizeArgument(ts, args[1]));
  MVM_TRY_VOID(CheckText(ts, t));
  MVM_TRY_VOID(CheckClosed(ts, args[0]));
  StreamLock lock(ts, t);
  if (!lock) return kRaised;
  MVM_TRY_VOID(CheckReadable(ts, t));
  MVM_TRY_VOID(WritePending(ts, t));
  if (n < 0) {
    Ref<> data;
    if (t->buffer_is_ours) {
      BufferedObject* b = t->buffer.as<BufferedObject>();
      MVM_TRY_VOID(CheckBuffered(ts, b, "read of closed file"));
      MVM_TRY(data, BufferedRead(ts, b, -1));
      if (data.is_absent()) data = Ref<>::Borrow(ts.rt->none);
    } else {
      MVM_TRY(data, CallMethod(ts, t->buffer, MVM_NAME(ts, read)));
    }
    MVM_TRY(Ref<StrObject> head, TakeDecoded(ts, t, -1));
    if (IsNone(ts, data)) return head;
    ByteView view;
    MVM_TRY_VOID(view.Get(ts, data));
    MVM_TRY(Ref<StrObject> rest, DecodeText(ts, t, t->state, view.view(), true));
    SetDecoded(t, nullptr);
    t->snapshot_origin = -1;
    if (head->length == 0) return rest;
    return StrConcat(ts, head, rest);
  }
  MVM_TRY(Ref<StrObject> result, TakeDecoded(ts, t, n));
  if (static_cast<int64_t>(result->length) == n) return result;
  StrBuilder out(ts);
  MVM_TRY_VOID(out.Append(result.get()));
  while (static_cast<int64_t>(out.length()) < n) {
    MVM_TRY(bool more, ReadChunk(ts, t, 0));
    if (!more) break;
    MVM_TRY(Ref<StrObject> piece, TakeDecoded(ts, t, n - static_cast<int64_t>(out.length())));
    MVM_TRY_VOID(out.Append(piece.get()));
  }
  return out.Finish();
}

}  // namespace minivm::io
