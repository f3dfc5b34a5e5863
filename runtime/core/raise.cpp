// Raising, and the text of messages.
//
// Messages are put together as UTF-8 and become a str once. Contexts are linked as `raise` does it,
// from the nearest exception being handled.
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>

#include "runtime/core/thread_state.h"
#include "runtime/objects/exception_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"
#include "runtime/support/text_buffer.h"

namespace minivm {

namespace {

constexpr size_t kMaxMessage = size_t{1} << 30;

// One % directive: flags and width as printf spells them, for numbers.
struct Directive {
  char spec[24] = "%";
  size_t spec_size = 1;
  long precision = -1;
  int longs = 0;
  bool size_type = false;
  char kind = 0;
};

// Reads the directive behind '%'; returns the position behind it.
const char* ReadDirective(const char* p, va_list* args, Directive* d) {
  auto keep = [&](char c) {
    if (d->spec_size < sizeof(d->spec) - 6) d->spec[d->spec_size++] = c;
  };
  while (*p == '-' || *p == '0' || *p == '#' || *p == '+' || *p == ' ') keep(*p++);
  while (*p >= '0' && *p <= '9') keep(*p++);
  if (*p == '.') {
    keep(*p++);
    if (*p == '*') {
      d->precision = va_arg(*args, int);
      ++p;
      keep('0');  // only texts take it
    } else {
      d->precision = 0;
      while (*p >= '0' && *p <= '9') {
        d->precision = d->precision * 10 + (*p - '0');
        keep(*p++);
      }
    }
  }
  for (; *p == 'l' || *p == 'z'; ++p) {
    if (*p == 'l') ++d->longs;
    if (*p == 'z') d->size_type = true;
  }
  d->kind = *p;
  return *p ? p + 1 : p;
}

void AppendNumber(TextBuffer& out, Directive d, va_list* args) {
  char text[64];
  bool is_signed = d.kind == 'd' || d.kind == 'i';
  int64_t value;
  if (d.size_type) {
    value = static_cast<int64_t>(va_arg(*args, size_t));
  } else if (d.longs == 2) {
    value = va_arg(*args, long long);
  } else if (d.longs == 1) {
    value = va_arg(*args, long);
  } else {
    int i = va_arg(*args, int);
    value = is_signed ? i : static_cast<int64_t>(static_cast<unsigned>(i));
  }
  if (d.spec_size == 1 && (is_signed || d.kind == 'u')) {  // no flags
    char* end = is_signed
                    ? std::to_chars(text, text + sizeof(text), value).ptr
                    : std::to_chars(text, text + sizeof(text), static_cast<uint64_t>(value)).ptr;
    out.Append(std::string_view(text, static_cast<size_t>(end - text)));
    return;
  }
  d.spec[d.spec_size++] = 'l';
  d.spec[d.spec_size++] = 'l';
  d.spec[d.spec_size++] = is_signed ? 'd' : d.kind;
  d.spec[d.spec_size] = 0;
  int n = std::snprintf(text, sizeof(text), d.spec, static_cast<long long>(value));
  out.Append(std::string_view(text, n < 0 ? 0 : n < 63 ? static_cast<size_t>(n) : 63));
}

void AppendText(TextBuffer& out, const StrObject* s, long precision) {
  size_t n = s->length;
  if (precision >= 0 && static_cast<size_t>(precision) < n) n = static_cast<size_t>(precision);
  if (s->ascii()) {
    out.Append(s->ascii_view().substr(0, n));
  } else {
    for (size_t i = 0; i < n; ++i) out.AppendCodePoint(s->At(i));
  }
}

void AppendCString(TextBuffer& out, const char* s, long precision) {
  if (!s) s = "(null)";
  size_t n = precision < 0 ? std::strlen(s) : strnlen(s, static_cast<size_t>(precision));
  out.Append(std::string_view(s, n));
}

// A Value travels as the word it is.
Value NextValue(va_list* args) { return Value::FromBits(va_arg(*args, uint64_t)); }

void AppendTypeName(TextBuffer& out, const TypeObject* type) {
  char name[512];
  out.Append(std::string_view(name, TypeDisplayName(type, name, sizeof(name))));
}

Status AppendDirective(ThreadState& ts, TextBuffer& out, const Directive& d, va_list* args) {
  switch (d.kind) {
    case 'd':
    case 'i':
    case 'u':
    case 'x':
    case 'X':
    case 'o': AppendNumber(out, d, args); return Ok();
    case 'p': {
      char text[32];
      int n = std::snprintf(text, sizeof(text), "%p", va_arg(*args, void*));
      out.Append(std::string_view(text, static_cast<size_t>(n)));
      return Ok();
    }
    case 'c': out.Append(static_cast<char>(va_arg(*args, int))); return Ok();
    case 's': AppendCString(out, va_arg(*args, const char*), d.precision); return Ok();
    case '%': out.Append('%'); return Ok();
    case 'N': AppendTypeName(out, va_arg(*args, const TypeObject*)); return Ok();
    case 'T': AppendTypeName(out, TypeOf(ts, NextValue(args))); return Ok();
    case 'U': AppendText(out, NextValue(args).as<StrObject>(), d.precision); return Ok();
    case 'R': {
      MVM_TRY(Ref<StrObject> text, Repr(ts, NextValue(args)));
      AppendText(out, text, d.precision);
      return Ok();
    }
    case 'A': {
      MVM_TRY(Ref<StrObject> text, Ascii(ts, NextValue(args)));
      AppendText(out, text, d.precision);
      return Ok();
    }
    case 'S': {
      MVM_TRY(Ref<StrObject> text, ToStr(ts, NextValue(args)));
      AppendText(out, text, d.precision);
      return Ok();
    }
  }
  MVM_CHECK(false, "unknown directive in a message");
  return Ok();
}

// Takes `exception` as the pending one.
void SetPending(ThreadState& ts, Ref<> exception) {
  Ref<> old = TakePending(ts);
  ts.pending = exception.Release();
}

// exception.__context__ = what is being handled.
void SetContext(ThreadState& ts, ExceptionObject* exception) {
  for (HandledException* h = ts.handled; h; h = h->prev) {
    if (!h->value.is_null() && !IsNone(ts, h->value)) return ChainContext(exception, h->value);
  }
}

}  // namespace

void ChainContext(ExceptionObject* exception, Value handled) {
  if (handled.is(exception)) return;
  ExceptionObject* o = handled.as<ExceptionObject>();
  ExceptionObject* slow = o;
  for (bool step = false; !o->context.is_null(); step = !step) {
    ExceptionObject* next = o->context.as<ExceptionObject>();
    if (next == exception) {
      Ref<> cut = Ref<>::Steal(std::exchange(o->context, Value()));
      break;
    }
    o = next;
    if (o == slow) break;  // a ring made by a script
    if (step) slow = slow->context.as<ExceptionObject>();
  }
  Incref(handled);
  Ref<> old = Ref<>::Steal(std::exchange(exception->context, handled));
}

Result<StrObject> FormatV(ThreadState& ts, const char* format, va_list args_in) {
  TextBuffer out(kMaxMessage);
  va_list args;
  va_copy(args, args_in);
  Status status = Ok();
  for (const char* p = format; *p;) {
    const char* percent = std::strchr(p, '%');
    if (!percent) {
      out.Append(std::string_view(p));
      break;
    }
    out.Append(std::string_view(p, static_cast<size_t>(percent - p)));
    Directive d;
    p = ReadDirective(percent + 1, &args, &d);
    status = AppendDirective(ts, out, d, &args);
    if (status.raised()) break;
  }
  va_end(args);
  if (status.raised()) return kRaised;
  if (out.failed()) return RaiseMemoryError(ts);
  return NewStr(ts, out.view());
}

Result<StrObject> Format(ThreadState& ts, const char* format, ...) {
  va_list args;
  va_start(args, format);
  Result<StrObject> text = FormatV(ts, format, args);
  va_end(args);
  return text;
}

Raised Raise(ThreadState& ts, Exc type, const char* format, ...) {
  va_list args;
  va_start(args, format);
  Result<StrObject> text = FormatV(ts, format, args);
  va_end(args);
  if (text.raised()) return kRaised;
  Ref<StrObject> message = text.Take();
  return RaiseValue(ts, type, message);
}

Raised RaiseNoMessage(ThreadState& ts, Exc type) { return RaiseValue(ts, type, Value()); }

Raised RaiseValue(ThreadState& ts, Exc type, Value arg) {
  Result<> made = NewException(ts, type, arg);
  if (made.raised()) return kRaised;
  Ref<> exception = made.Take();
  return RaiseObject(ts, exception);
}

Raised RaiseObject(ThreadState& ts, Value exception) {
  MVM_DCHECK(IsException(ts, exception), "only exceptions are raised");
  SetContext(ts, exception.as<ExceptionObject>());
  SetPending(ts, Ref<>::Borrow(exception));
  return kRaised;
}

Raised RaiseMemoryError(ThreadState& ts) {
  Heap& heap = ts.heap();
  heap.OpenReserve();
  void* p = heap.Allocate(sizeof(ExceptionObject), true);
  if (!p) {
    if (!ts.rt->spare_memory_error) return kRaised;  // RuntimeState::Init is about to give up
    // Shared: what an earlier failure left in it does not matter.
    return RaiseObject(ts, ts.rt->spare_memory_error);
  }
  ExceptionObject* e = static_cast<ExceptionObject*>(p);
  std::memset(static_cast<void*>(e), 0, sizeof(*e));
  e->refcount = 1;
  e->shape_id = ShapeIdOf(Exc::kMemoryError);
  e->args = ts.rt->empty_tuple->as<TupleObject>();
  Incref(e->args);
  Track(e);
  Ref<> exception = Ref<>::Steal(e);
  return RaiseObject(ts, exception);
}

Raised RaiseErrno(ThreadState& ts, int error, Value filename, Value filename2) {
  char buffer[256];
  // The GNU variant: the text may be elsewhere than in the buffer.
  const char* text = strerror_r(error, buffer, sizeof(buffer));
  Result<StrObject> made = NewStrFromOs(ts, text);
  if (made.raised()) return kRaised;
  Ref<StrObject> message = made.Take();
  Value items[5] = {Value::Int(error), message, filename, ts.rt->none, filename2};
  size_t n = filename.is_null() ? 2 : filename2.is_null() ? 3 : 5;
  Result<TupleObject> tuple = NewTuple(ts, {items, n});
  if (tuple.raised()) return kRaised;
  Ref<TupleObject> args = tuple.Take();
  Result<ExceptionObject> exception = NewExceptionWith(ts, ExcForErrno(error), args);
  if (exception.raised()) return kRaised;
  Ref<ExceptionObject> held = exception.Take();
  return RaiseObject(ts, held);
}

void RestorePending(ThreadState& ts, Ref<> exception) { SetPending(ts, std::move(exception)); }

bool PendingIs(ThreadState& ts, Exc type) {
  return IsSubtype(TypeOf(ts, ts.pending), ExcType(ts, type));
}

bool ClearPendingIf(ThreadState& ts, Exc type) {
  if (!PendingIs(ts, type)) return false;
  ClearPending(ts);
  return true;
}

void WriteUnraisable(ThreadState& ts, Value where, const char* message) {
  Ref<> exception = TakePending(ts);
  if (!exception || ts.stopping) return;
  if (ts.rt->hooks.write_unraisable) {
    ts.rt->hooks.write_unraisable(ts, exception, where, message);
    ClearPending(ts);
    return;
  }
  // No interpreter on top: the bare minimum.
  auto text = [&](Value v, Result<StrObject> (*convert)(ThreadState&, Value)) {
    Result<StrObject> r = convert(ts, v);
    if (r.raised()) {
      ClearPending(ts);
      return std::string("<unprintable>");
    }
    Ref<StrObject> s = r.Take();
    return ToUtf8(s);
  };
  char type_name[256];
  size_t n = TypeDisplayName(TypeOf(ts, exception), type_name, sizeof(type_name));
  std::string place = where.is_null() ? std::string() : ": " + text(where, Repr);
  std::fprintf(stderr, "%s%s\n%.*s: %s\n", message ? message : "Exception ignored in",
               place.c_str(), static_cast<int>(n), type_name, text(exception, ToStr).c_str());
}

Status Warn(ThreadState& ts, Exc category, int stack_level, const char* format, ...) {
  va_list args;
  va_start(args, format);
  Result<StrObject> text = FormatV(ts, format, args);
  va_end(args);
  if (text.raised()) return kRaised;
  Ref<StrObject> message = text.Take();
  if (!ts.rt->hooks.warn) return Ok();
  return ts.rt->hooks.warn(ts, ExcType(ts, category), message, stack_level);
}

void RequestCollection(ThreadState& ts) {
  if (ts.requests.load(std::memory_order_relaxed) & kRequestCollect) return;
  RequestAttention(ts, kRequestCollect);
}

}  // namespace minivm
