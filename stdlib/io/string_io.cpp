// StringIO: a text stream in memory.
//
// The characters stand in one buffer of the narrowest width that holds them all so far.
#include <cstring>

#include "runtime/native/native_function.h"
#include "runtime/objects/dict_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"
#include "stdlib/io/io_types.h"

namespace minivm::io {

void StringIoObject::FreeBuffers(Heap& heap) {
  if (buffer) heap.FreeBuffer(buffer, capacity * kind);
  buffer = nullptr;
  capacity = size = 0;
}

namespace {

StringIoObject* Self(Value v) { return v.as<StringIoObject>(); }

Status CheckOpen(ThreadState& ts, StringIoObject* s) {
  if (!s->ok) return Raise(ts, Exc::kValueError, "I/O operation on uninitialized object");
  if (s->closed) return Raise(ts, Exc::kValueError, "I/O operation on closed file");
  return Ok();
}

template <class From, class To>
void CopyChars(const void* from, void* to, uint64_t n) {
  const From* f = static_cast<const From*>(from);
  To* t = static_cast<To*>(to);
  for (uint64_t i = 0; i < n; ++i) t[i] = static_cast<To>(f[i]);
}

// Copies n characters from one width to another that is not narrower.
void Widen(const void* from, int from_kind, void* to, int to_kind, uint64_t n) {
  if (from_kind == to_kind) {
    std::memcpy(to, from, n * static_cast<uint64_t>(to_kind));
  } else if (from_kind == 1 && to_kind == 2) {
    CopyChars<uint8_t, uint16_t>(from, to, n);
  } else if (from_kind == 1) {
    CopyChars<uint8_t, uint32_t>(from, to, n);
  } else {
    CopyChars<uint16_t, uint32_t>(from, to, n);
  }
}

Status Reserve(ThreadState& ts, StringIoObject* s, uint64_t n, int kind) {
  if (kind < s->kind) kind = s->kind;
  if (n <= s->capacity && kind == s->kind) return Ok();
  uint64_t capacity = n <= s->capacity ? s->capacity : n < 64 ? 64 : n + n / 8;
  if (capacity > (uint64_t{1} << 46) / static_cast<uint64_t>(kind)) return RaiseMemoryError(ts);
  if (kind == s->kind) {
    void* p = ts.heap().ReallocateBuffer(s->buffer, s->capacity * s->kind, capacity * s->kind);
    if (!p) return RaiseMemoryError(ts);
    s->buffer = static_cast<uint8_t*>(p);
  } else {
    MVM_TRY(void* p, AllocBuffer(ts, capacity * static_cast<uint64_t>(kind)));
    if (s->buffer) {
      Widen(s->buffer, s->kind, p, kind, s->size);
      ts.heap().FreeBuffer(s->buffer, s->capacity * s->kind);
    }
    s->buffer = static_cast<uint8_t*>(p);
    s->kind = static_cast<uint8_t>(kind);
  }
  s->capacity = capacity;
  return Ok();
}

char32_t At(const StringIoObject* s, uint64_t i) {
  switch (s->kind) {
    case 1: return s->buffer[i];
    case 2: return reinterpret_cast<const uint16_t*>(s->buffer)[i];
    default: return reinterpret_cast<const uint32_t*>(s->buffer)[i];
  }
}

Result<StrObject> Slice(ThreadState& ts, StringIoObject* s, uint64_t start, uint64_t end) {
  uint64_t n = end - start;
  switch (s->kind) {
    case 1: return NewStrFromUcs1(ts, s->buffer + start, n);
    case 2: return NewStrFromUcs2(ts, reinterpret_cast<const uint16_t*>(s->buffer) + start, n);
    default: return NewStrFromUcs4(ts, reinterpret_cast<const uint32_t*>(s->buffer) + start, n);
  }
}

// Text that is to be stored as it is.
Status Store(ThreadState& ts, StringIoObject* s, const StrObject* text) {
  uint64_t n = text->length, end;
  if (n == 0) return Ok();
  if (__builtin_add_overflow(s->pos, n, &end) || end > INT64_MAX) {
    return Raise(ts, Exc::kOverflowError, "new position too large");
  }
  MVM_TRY_VOID(Reserve(ts, s, end, text->kind()));
  if (s->pos > s->size) std::memset(s->buffer + s->size * s->kind, 0, (s->pos - s->size) * s->kind);
  Widen(text->data1(), text->kind(), s->buffer + s->pos * s->kind, s->kind, n);
  s->pos = end;
  if (end > s->size) s->size = end;
  return Ok();
}

Status Write(ThreadState& ts, StringIoObject* s, StrObject* text) {
  Ref<StrObject> t = Ref<StrObject>::Borrow(text);
  if (s->newline.universal) {
    bool pending = false;
    MVM_TRY(t, TranslateNewlines(ts, std::move(t), s->newline.translate, true, &pending, &s->seen));
  }
  if (s->newline.write_end[0] != 0) {
    StrBuilder out(ts);
    size_t start = 0;
    for (size_t i = 0; i < t->length; ++i) {
      if (t->At(i) != '\n') continue;
      MVM_TRY_VOID(out.AppendSlice(t, start, i));
      MVM_TRY_VOID(out.AppendAscii(s->newline.write_end));
      start = i + 1;
    }
    MVM_TRY_VOID(out.AppendSlice(t, start, t->length));
    MVM_TRY(t, out.Finish());
  }
  return Store(ts, s, t);
}

// StringIO(initial_value='', newline='\n')
Result<> string_init(ThreadState& ts, Args args) {
  StringIoObject* s = Self(args[0]);
  if (!IsNone(ts, args[2]) && !IsStr(ts, args[2])) {
    return Raise(ts, Exc::kTypeError, "newline must be str or None, not %T", args[2]);
  }
  if (!IsNone(ts, args[1]) && !IsStr(ts, args[1])) {
    return Raise(ts, Exc::kTypeError, "initial_value must be str or None, not %T", args[1]);
  }
  NewlineMode mode;
  MVM_TRY_VOID(ParseNewline(ts, args[2], &mode));
  s->newline = mode;
  s->FreeBuffers(ts.heap());
  s->kind = 1;
  s->pos = 0;
  s->seen = 0;
  s->closed = false;
  s->ok = true;
  if (IsStr(ts, args[1])) {
    MVM_TRY_VOID(Write(ts, s, args.as<StrObject>(1)));
    s->pos = 0;
  }
  return None(ts);
}

Result<> string_write(ThreadState& ts, Args args) {
  StringIoObject* s = Self(args[0]);
  if (!IsStr(ts, args[1]))
    return Raise(ts, Exc::kTypeError, "string argument expected, got '%T'", args[1]);
  MVM_TRY_VOID(CheckOpen(ts, s));
  MVM_TRY_VOID(Write(ts, s, args.as<StrObject>(1)));
  return Small(static_cast<int64_t>(args.as<StrObject>(1)->length));
}

Result<> string_read(ThreadState& ts, Args args) {
  StringIoObject* s = Self(args[0]);
  MVM_TRY(int64_t n, SizeArgument(ts, args[1]));
  MVM_TRY_VOID(CheckOpen(ts, s));
  if (s->pos >= s->size) return EmptyStr(ts);
  uint64_t start = s->pos, end = s->size;
  if (n >= 0 && static_cast<uint64_t>(n) < end - start) end = start + static_cast<uint64_t>(n);
  s->pos = end;
  return Slice(ts, s, start, end);
}

// End of the line that starts at the position.
uint64_t LineEnd(const StringIoObject* s) {
  const NewlineMode& mode = s->newline;
  char32_t wanted = !mode.universal && mode.read_end[0] == '\r' ? '\r' : '\n';
  bool plain = mode.translate || (!mode.universal && mode.read_end[1] == 0);
  if (plain && s->kind == 1) {
    const void* p = std::memchr(s->buffer + s->pos, static_cast<int>(wanted), s->size - s->pos);
    return p ? static_cast<uint64_t>(static_cast<const uint8_t*>(p) - s->buffer) + 1 : s->size;
  }
  for (uint64_t i = s->pos; i < s->size; ++i) {
    char32_t c = At(s, i);
    if (plain) {
      if (c == wanted) return i + 1;
    } else if (mode.universal) {
      if (c == '\n') return i + 1;
      if (c == '\r') return i + 1 < s->size && At(s, i + 1) == '\n' ? i + 2 : i + 1;
    } else if (c == '\r' && i + 1 < s->size && At(s, i + 1) == '\n') {
      return i + 2;
    }
  }
  return s->size;
}

Result<StrObject> ReadLine(ThreadState& ts, StringIoObject* s, int64_t limit) {
  if (s->pos >= s->size) return EmptyStr(ts);
  uint64_t start = s->pos, end = LineEnd(s);
  if (limit >= 0 && static_cast<uint64_t>(limit) < end - start)
    end = start + static_cast<uint64_t>(limit);
  s->pos = end;
  return Slice(ts, s, start, end);
}

Result<> string_readline(ThreadState& ts, Args args) {
  MVM_TRY(int64_t limit, SizeArgument(ts, args[1]));
  MVM_TRY_VOID(CheckOpen(ts, Self(args[0])));
  return ReadLine(ts, Self(args[0]), limit);
}

Result<> string_next(ThreadState& ts, Value self) {
  Ref<> line;
  if (IsOur(ts, self, kStringIoType)) {
    MVM_TRY_VOID(CheckOpen(ts, Self(self)));
    MVM_TRY(line, Result<>(ReadLine(ts, Self(self), -1)));
  } else {
    MVM_TRY(line, CallMethod(ts, self, MVM_NAME(ts, readline)));
    if (!IsStr(ts, line)) {
      return Raise(ts, Exc::kOSError, "readline() should have returned a str object, not '%T'",
                   line.get());
    }
  }
  if (line.as<StrObject>()->length == 0) return Result<>::Done();
  return line;
}

Result<> string_tell(ThreadState& ts, Args args) {
  MVM_TRY_VOID(CheckOpen(ts, Self(args[0])));
  return NewInt(ts, static_cast<int64_t>(Self(args[0])->pos));
}

Result<> string_seek(ThreadState& ts, Args args) {
  StringIoObject* s = Self(args[0]);
  MVM_TRY(int64_t offset, OffsetArgument(ts, args[1]));
  MVM_TRY(int64_t whence, AsInt64(ts, args[2]));
  MVM_TRY_VOID(CheckOpen(ts, s));
  if (whence < 0 || whence > 2) {
    return Raise(ts, Exc::kValueError, "Invalid whence (%d, should be 0, 1 or 2)",
                 static_cast<int>(whence));
  }
  if (offset < 0 && whence == 0) {
    return Raise(ts, Exc::kValueError, "Negative seek position %lld",
                 static_cast<long long>(offset));
  }
  if (whence != 0 && offset != 0)
    return Raise(ts, Exc::kOSError, "Can't do nonzero cur-relative seeks");
  if (whence == 0) s->pos = static_cast<uint64_t>(offset);
  if (whence == 2) s->pos = s->size;
  return NewInt(ts, static_cast<int64_t>(s->pos));
}

Result<> string_truncate(ThreadState& ts, Args args) {
  StringIoObject* s = Self(args[0]);
  MVM_TRY_VOID(CheckOpen(ts, s));
  int64_t size = static_cast<int64_t>(s->pos);
  if (!IsNone(ts, args[1])) {
    MVM_TRY(size, OffsetArgument(ts, args[1]));
    if (size < 0)
      return Raise(ts, Exc::kValueError, "Negative size value %lld", static_cast<long long>(size));
  }
  if (static_cast<uint64_t>(size) < s->size) s->size = static_cast<uint64_t>(size);
  return NewInt(ts, size);
}

Result<> string_getvalue(ThreadState& ts, Args args) {
  StringIoObject* s = Self(args[0]);
  MVM_TRY_VOID(CheckOpen(ts, s));
  return Slice(ts, s, 0, s->size);
}

Result<> string_close(ThreadState& ts, Args args) {
  StringIoObject* s = Self(args[0]);
  s->closed = true;
  s->FreeBuffers(ts.heap());
  s->pos = 0;
  return None(ts);
}

template <bool kAnswer>
Result<> string_answer(ThreadState& ts, Args args) {
  MVM_TRY_VOID(CheckOpen(ts, Self(args[0])));
  return Bool(ts, kAnswer);
}
Result<> string_get_closed(ThreadState& ts, Value self) {
  if (!Self(self)->ok) return Raise(ts, Exc::kValueError, "I/O operation on uninitialized object");
  return Bool(ts, Self(self)->closed);
}
Result<> string_get_line_buffering(ThreadState& ts, Value self) {
  MVM_TRY_VOID(CheckOpen(ts, Self(self)));
  return Bool(ts, false);
}
Result<> string_get_newlines(ThreadState& ts, Value self) {
  MVM_TRY_VOID(CheckOpen(ts, Self(self)));
  return NewlinesAttribute(ts, Self(self)->newline.universal ? Self(self)->seen : 0);
}

Result<> NewlineArgument(ThreadState& ts, const StringIoObject* s) {
  if (s->newline.translate) return None(ts);
  return NewStr(ts, s->newline.read_end);
}

// (value, newline, position, dict or None)
Result<> string_getstate(ThreadState& ts, Args args) {
  StringIoObject* s = Self(args[0]);
  MVM_TRY(Ref<> value, string_getvalue(ts, args));
  MVM_TRY(Ref<> newline, NewlineArgument(ts, s));
  MVM_TRY(Ref<> pos, NewInt(ts, static_cast<int64_t>(s->pos)));
  Ref<> dict = Ref<>::Borrow(ts.rt->none);
  if (s->dict && DictSize(s->dict) > 0) {
    MVM_TRY(dict, Result<>(DictCopy(ts, s->dict)));
  }
  Value parts[] = {value, newline, pos, dict};
  return NewTuple(ts, parts);
}
Result<> string_setstate(ThreadState& ts, Args args) {
  StringIoObject* s = Self(args[0]);
  if (s->ok) MVM_TRY_VOID(CheckOpen(ts, s));  // one that is being unpickled is not yet
  if (!IsTuple(ts, args[1]) || args.as<TupleObject>(1)->size() < 4) {
    return Raise(ts, Exc::kTypeError, "%T.__setstate__ argument should be 4-tuple, got %T", args[0],
                 args[1]);
  }
  TupleObject* state = args.as<TupleObject>(1);
  Value init[] = {args[0], Value(ts.rt->empty_str), (*state)[1]};
  MVM_TRY_VOID(string_init(ts, Args{init, 3}));
  if (!IsStr(ts, (*state)[0]))
    return Raise(ts, Exc::kTypeError, "initial_value must be str or None, not %T", (*state)[0]);
  // The value has been translated already.
  MVM_TRY_VOID(Store(ts, s, (*state)[0].as<StrObject>()));
  if (!IsInt(ts, (*state)[2])) {
    return Raise(ts, Exc::kTypeError, "third item of state must be an integer, got %T",
                 (*state)[2]);
  }
  MVM_TRY(int64_t pos, AsInt64(ts, (*state)[2]));
  if (pos < 0) return Raise(ts, Exc::kValueError, "position value cannot be negative");
  s->pos = static_cast<uint64_t>(pos);
  if (!IsNone(ts, (*state)[3])) {
    if (!IsDict(ts, (*state)[3])) {
      return Raise(ts, Exc::kTypeError, "fourth item of state should be a dict, got a %T",
                   (*state)[3]);
    }
    MVM_TRY(Ref<DictObject> dict, InstanceDict(ts, args[0]));
    MVM_TRY_VOID(DictUpdate(ts, dict, (*state)[3]));
  }
  return None(ts);
}

const MethodSpec kMethods[] = {
    {"__getstate__(self, /)", string_getstate},
    {"__setstate__(self, state, /)", string_setstate},
    {"close(self, /)", string_close, "Free the memory; any use afterwards is a ValueError."},
    {"getvalue(self, /)", string_getvalue, "All of the contents, wherever the position is."},
    {"read(self, size=-1, /)", string_read,
     "The next characters, up to size; to the end if size is negative or None."},
    {"readable(self, /)", string_answer<true>, "True, while it is open."},
    {"readline(self, size=-1, /)", string_readline,
     "Characters up to the next newline and with it, but no more than size; '' at the end."},
    {"seek(self, pos, whence=0, /)", string_seek, "Change stream position."},
    {"seekable(self, /)", string_answer<true>, "True, while it is open."},
    {"tell(self, /)", string_tell, "The position, in characters from the start."},
    {"truncate(self, pos=None, /)", string_truncate,
     "Cut what is behind pos, by default the position, which stays; returns pos."},
    {"writable(self, /)", string_answer<true>, "True, while it is open."},
    {"write(self, s, /)", string_write,
     "Put characters at the position, over what is there; returns how many."},
};
const GetSetSpec kGetSets[] = {
    {"closed", string_get_closed},
    {"line_buffering", string_get_line_buffering},
    {"newlines", string_get_newlines},
};

}  // namespace

const TypeSpec kStringIoType = {
    .name = "_io.StringIO",
    .doc = "A text file in memory: StringIO(initial_value='', newline='\\n'), opened at the start.",
    .base = &kTextIoBaseType,
    .flags = kTypeBase,
    .size = sizeof(StringIoObject),
    .gc = GcHooksOf<StringIoObject>(),
    .slots = {.next = string_next,
              .new_ = [](ThreadState& ts, TypeObject* cls, Args) -> Result<> {
                MVM_TRY(Ref<> o, AllocInstance(ts, cls));
                o.as<StringIoObject>()->kind = 1;
                return o;
              }},
    .init = {"StringIO(self, initial_value='', newline='\\n')", string_init},
    .methods = kMethods,
    .getsets = kGetSets,
};

}  // namespace minivm::io
