// TextIOWrapper: positions.
//
// tell() gives a cookie: the byte position of a place where decoding can start again, and, where
// that is not the exact place, how to get there: the decoder's flags (bits 64-127), the bytes to
// feed it (128-191), the characters to skip (192-255), and whether the end was reached (256). For
// most encodings only the position is ever needed. The place is found by decoding prefixes of the
// last chunk again.
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

struct Cookie {
  uint64_t position = 0, flags = 0, feed = 0, skip = 0;
  bool eof = false;
};

Result<> PackCookie(ThreadState& ts, const Cookie& c) {
  uint64_t limbs[] = {c.position, c.flags, c.feed, c.skip, c.eof};
  size_t n = 5;
  while (n > 0 && limbs[n - 1] == 0) --n;
  return NewIntFromLimbs(ts, limbs, n, false);
}

Status UnpackCookie(ThreadState& ts, Value v, Cookie* c) {
  IntView view(v);
  if (view.negative()) return Raise(ts, Exc::kValueError, "negative seek position %R", v);
  auto limb = [&](size_t i) { return i < view.size() ? view.limbs()[i] : 0; };
  if (limb(0) > INT64_MAX)
    return Raise(ts, Exc::kOverflowError, "Python int too large to convert to C long");
  *c = {limb(0), limb(1), limb(2), limb(3), limb(4) != 0};
  return Ok();
}

// The decoder as it stood before the last chunk.
Status RestoreDecoder(ThreadState& ts, TextIoObject* t, const DecodeState& from, Value flags,
                      DecodeState* to) {
  *to = from;
  if (t->codec != TextCodec::kObject) return Ok();
  MVM_TRY(Ref<BytesObject> rest, NewBytes(ts, from.rest));
  Value pair[] = {Value(rest.get()), flags.is_null() ? Value::Int(0) : flags};
  MVM_TRY(Ref<TupleObject> state, NewTuple(ts, pair));
  MVM_TRY_VOID(CallNamed(ts, t->decoder, "setstate", Value(state.get())));
  to->rest.clear();
  return Ok();
}

// Characters that the first n bytes of the last chunk decode to; *after: the state behind them.
Result<int64_t> CountChars(ThreadState& ts, TextIoObject* t, size_t n, DecodeState* after) {
  MVM_TRY_VOID(RestoreDecoder(ts, t, *t->snapshot_state, t->snapshot_flags, after));
  uint8_t seen = t->seen;
  Result<StrObject> text =
      DecodeText(ts, t, after, std::string_view(*t->snapshot).substr(0, n), false);
  t->seen = seen;
  if (text.raised()) return kRaised;
  Ref<StrObject> s = text.Take();
  return static_cast<int64_t>(s->length);
}

uint64_t OrderFlags(const TextIoObject* t, const DecodeState& s) {
  if (t->fixed_order != ByteOrder::kNative) return 0;
  return s.order == ByteOrder::kLittle ? 1 : s.order == ByteOrder::kBig ? 2 : 0;
}

Result<int64_t> BufferPosition(ThreadState& ts, TextIoObject* t) {
  MVM_TRY(Ref<> at, CallNamed(ts, t->buffer, "tell"));
  return AsInt64(ts, at);
}

Result<> Tell(ThreadState& ts, TextIoObject* t) {
  MVM_TRY(int64_t position, BufferPosition(ts, t));
  if (t->decoded == nullptr || t->snapshot_origin < 0 || !t->readable) {
    return NewInt(ts, position);
  }
  Cookie cookie;
  size_t size = t->snapshot->size();
  int64_t start =
      position - static_cast<int64_t>(size) - static_cast<int64_t>(t->snapshot_state->rest.size());
  cookie.position = static_cast<uint64_t>(start);
  if (t->used == 0 && t->snapshot_state->rest.empty() && t->codec != TextCodec::kObject &&
      !t->snapshot_state->pending_cr) {
    cookie.flags = OrderFlags(t, *t->snapshot_state);
    return PackCookie(ts, cookie);
  }
  // Pure ASCII without carriage returns: bytes are characters.
  if (t->codec == TextCodec::kUtf8 && t->decoded->ascii() && t->decoded->length == size &&
      t->snapshot_state->rest.empty() && !t->snapshot_state->pending_cr &&
      t->snapshot->find('\r') == std::string::npos) {
    cookie.position += static_cast<uint64_t>(t->used);
    return PackCookie(ts, cookie);
  }
  // The decoder is borrowed for the search and put back afterwards.
  Ref<> saved;
  if (t->codec == TextCodec::kObject) {
    MVM_TRY(saved, DecoderState(ts, t));
  }
  auto search = [&]() -> Result<> {
    DecodeState after;
    size_t low = 0, high = size;  // smallest n with CountChars(n) >= used
    while (low < high) {
      size_t middle = (low + high) / 2;
      MVM_TRY(int64_t n, CountChars(ts, t, middle, &after));
      if (n >= t->used) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    MVM_TRY(int64_t n, CountChars(ts, t, low, &after));
    bool plain = n == t->used && after.rest.empty() && !after.pending_cr;
    uint64_t flags = 0;
    if (t->codec == TextCodec::kObject) {
      MVM_TRY(Ref<TupleObject> pair, DecoderState(ts, t));
      MVM_TRY(int64_t buffered, Length(ts, (*pair)[0]));
      plain = plain && buffered == 0;
      flags = IsInt(ts, (*pair)[1]) ? IntLowBits((*pair)[1]) : 0;
    } else {
      flags = OrderFlags(t, after);
    }
    if (plain) {
      cookie.position += low + t->snapshot_state->rest.size();
      cookie.flags = flags;
      return PackCookie(ts, cookie);
    }
    cookie.flags = t->codec == TextCodec::kObject
                       ? (!t->snapshot_flags.is_null() && IsInt(ts, t->snapshot_flags)
                              ? IntLowBits(t->snapshot_flags)
                              : 0)
                       : OrderFlags(t, *t->snapshot_state);
    cookie.feed = low + t->snapshot_state->rest.size();
    cookie.skip = static_cast<uint64_t>(t->used);
    cookie.eof = n < t->used;
    return PackCookie(ts, cookie);
  };
  Result<> result = search();
  if (saved) {
    Ref<> pending = TakePending(ts);
    Result<> restored = CallNamed(ts, t->decoder, "setstate", saved);
    if (restored.raised()) {
      if (!pending) return kRaised;
      ClearPending(ts);
    } else {
      Ref<> dropped = restored.Take();
    }
    if (pending) RestorePending(ts, std::move(pending));
  }
  return result;
}

}  // namespace

Result<> text_tell(ThreadState& ts, Args args) {
  TextIoObject* t = args.self<TextIoObject>();
  MVM_TRY_VOID(CheckText(ts, t));
  MVM_TRY_VOID(CheckClosed(ts, args[0]));
  if (!t->seekable) return RaiseUnsupported(ts, "underlying stream is not seekable");
  if (!t->telling) return Raise(ts, Exc::kOSError, "telling position disabled by next() call");
  {
    StreamLock lock(ts, t);
    if (!lock) return kRaised;
    MVM_TRY_VOID(WritePending(ts, t));
  }
  MVM_TRY_VOID(CallMethod(ts, args[0], MVM_NAME(ts, flush)));
  StreamLock lock(ts, t);
  if (!lock) return kRaised;
  return Tell(ts, t);
}

Result<> text_seek(ThreadState& ts, Args args) {
  TextIoObject* t = args.self<TextIoObject>();
  MVM_TRY(int64_t whence, AsInt64(ts, args[2]));
  MVM_TRY_VOID(CheckText(ts, t));
  MVM_TRY_VOID(CheckClosed(ts, args[0]));
  if (!t->seekable) return RaiseUnsupported(ts, "underlying stream is not seekable");
  Ref<> target = Ref<>::Borrow(args[1]);
  if (whence == 1) {
    MVM_TRY(bool zero, EqualValues(ts, target, Value::Int(0)));
    if (!zero) return RaiseUnsupported(ts, "can't do nonzero cur-relative seeks");
    MVM_TRY_VOID(CallMethod(ts, args[0], MVM_NAME(ts, flush)));
    MVM_TRY(target, CallNamed(ts, args[0], "tell"));
  } else if (whence == 2) {
    MVM_TRY(bool zero, EqualValues(ts, target, Value::Int(0)));
    if (!zero) return RaiseUnsupported(ts, "can't do nonzero end-relative seeks");
    MVM_TRY_VOID(CallMethod(ts, args[0], MVM_NAME(ts, flush)));
    StreamLock lock(ts, t);
    if (!lock) return kRaised;
    SetDecoded(t, nullptr);
    t->snapshot_origin = -1;
    MVM_TRY_VOID(ResetDecoder(ts, t));
    Value pair[] = {Value::Int(0), Value::Int(2)};
    MVM_TRY(Ref<> at, CallNamed(ts, t->buffer, "seek", pair));
    MVM_TRY(bool start, EqualValues(ts, at, Value::Int(0)));
    t->encoding_started = !start;
    return at;
  } else if (whence != 0) {
    return Raise(ts, Exc::kValueError, "invalid whence (%d, should be 0, 1 or 2)",
                 static_cast<int>(whence));
  }
  if (!IsInt(ts, target)) {
    MVM_TRY(target, Index(ts, target));
  }
  Cookie cookie;
  MVM_TRY_VOID(UnpackCookie(ts, target, &cookie));
  MVM_TRY_VOID(CallMethod(ts, args[0], MVM_NAME(ts, flush)));
  StreamLock lock(ts, t);
  if (!lock) return kRaised;
  MVM_TRY(Ref<> position, NewIntU64(ts, cookie.position));
  MVM_TRY_VOID(CallNamed(ts, t->buffer, "seek", position));
  SetDecoded(t, nullptr);
  t->snapshot_origin = -1;
  if (t->readable) {
    MVM_TRY_VOID(CheckReadable(ts, t));
    MVM_TRY_VOID(ResetDecoder(ts, t));
    t->state->order = cookie.flags == 1   ? ByteOrder::kLittle
                      : cookie.flags == 2 ? ByteOrder::kBig
                                          : ByteOrder::kNative;
    t->state->mark_seen = cookie.position > 0;
    if (t->codec == TextCodec::kObject && cookie.flags != 0) {
      MVM_TRY(Ref<> flags, NewIntU64(ts, cookie.flags));
      MVM_TRY_VOID(RestoreDecoder(ts, t, DecodeState(), flags, t->state));
    }
  }
  t->encoding_started = cookie.position > 0;
  if (t->codec == TextCodec::kObject && !t->encoder.is_null()) {
    if (cookie.position == 0) {
      MVM_TRY_VOID(CallNamed(ts, t->encoder, "reset"));
    } else {
      MVM_TRY_VOID(CallNamed(ts, t->encoder, "setstate", Value::Int(0)));
    }
  }
  if (cookie.skip > 0 && t->readable) {
    MVM_TRY(Ref<> feed, NewIntU64(ts, cookie.feed));
    MVM_TRY(Ref<> data, CallMethod(ts, t->buffer, MVM_NAME(ts, read), feed));
    ByteView view;
    MVM_TRY_VOID(view.Get(ts, data));
    *t->snapshot_state = *t->state;
    t->snapshot->assign(view.view());
    t->snapshot_origin = 0;
    MVM_TRY(Ref<StrObject> text, DecodeText(ts, t, t->state, view.view(), cookie.eof));
    if (text->length < cookie.skip)
      return Raise(ts, Exc::kOSError, "can't restore logical file position");
    SetDecoded(t, text.Release());
    t->used = static_cast<int64_t>(cookie.skip);
  }
  return target;
}

}  // namespace minivm::io
