// What to do about text that cannot be decoded or encoded: the built-in handlers, directly for the
// built-in codecs and as functions for codecs.lookup_error(), and the calls of script handlers.
#include <algorithm>
#include <cstdio>
#include <cstring>

#include "runtime/objects/codec.h"
#include "runtime/objects/exception_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"
#include "runtime/support/unicode.h"
#include "runtime/support/utf8.h"

namespace minivm {
namespace {

// Width and byte order of an encoding that surrogatepass knows; size 0: none of them.
struct SurrogateForm {
  int size = 0;
  bool big = false;
};

SurrogateForm SurrogateFormOf(std::string_view encoding) {
  char text[32];
  const std::string_view name(text, NormalizeEncoding(encoding, text, sizeof(text)));
  const std::string_view form = ResolveEncodingAlias(name);
  if (form == "utf_8" || form == "utf_8_sig") return {3, false};
  if (form == "utf_16" || form == "utf_16_le") return {2, false};
  if (form == "utf_16_be") return {2, true};
  if (form == "utf_32" || form == "utf_32_le") return {4, false};
  if (form == "utf_32_be") return {4, true};
  return {};
}

// The surrogate at p[0..n), 0 if there is none.
char32_t ReadSurrogate(SurrogateForm form, const uint8_t* p, size_t n) {
  if (form.size == 0 || n < static_cast<size_t>(form.size)) return 0;
  char32_t c = 0;
  if (form.size == 3) {
    if ((p[0] & 0xF0) != 0xE0 || (p[1] & 0xC0) != 0x80 || (p[2] & 0xC0) != 0x80) return 0;
    c = (p[0] & 15u) << 12 | (p[1] & 63u) << 6 | (p[2] & 63u);
  } else {
    for (int i = 0; i < form.size; ++i) c = c << 8 | p[form.big ? i : form.size - 1 - i];
  }
  return IsSurrogate(c) ? c : 0;
}

void WriteSurrogate(SurrogateForm form, char32_t c, std::string* out) {
  if (form.size == 3) {
    char buf[4];
    out->append(buf, EncodeUtf8(buf, c));
    return;
  }
  for (int i = 0; i < form.size; ++i) {
    const int shift = 8 * (form.big ? form.size - 1 - i : i);
    out->push_back(static_cast<char>(c >> shift & 0xFF));
  }
}

// \xe9, \u20ac, \U0001f600
void AppendEscape(char32_t c, std::string* out) {
  char buf[12];
  const int n = std::snprintf(buf, sizeof(buf),
                              c < 0x100     ? "\\x%02x"
                              : c < 0x10000 ? "\\u%04x"
                                            : "\\U%08x",
                              static_cast<unsigned>(c));
  out->append(buf, static_cast<size_t>(n));
}

enum class Replacement { kXml, kBackslash, kName };

void AppendReplacement(Replacement kind, char32_t c, std::string* out) {
  if (kind == Replacement::kXml) {
    char buf[16];
    out->append(buf, static_cast<size_t>(
                         std::snprintf(buf, sizeof(buf), "&#%u;", static_cast<unsigned>(c))));
    return;
  }
  char name[kCharacterNameSize];
  const size_t n = kind == Replacement::kName ? CharacterName(c, name) : 0;
  if (n == 0) return AppendEscape(c, out);
  out->append("\\N{").append(name, n).push_back('}');
}

// Escapes of s[start:end] as an ASCII str.
Result<StrObject> EscapedText(ThreadState& ts, Replacement kind, const StrObject* s, size_t start,
                              size_t end) {
  MVM_TRY_VOID(CheckRoom(ts, (end - start) * 10));
  std::string text;
  for (size_t i = start; i < end; ++i) AppendReplacement(kind, s->At(i), &text);
  return NewStr(ts, text);
}

Result<StrObject> Repeated(ThreadState& ts, char32_t c, size_t n) {
  MVM_TRY(Ref<StrObject> one, StrFromChar(ts, c));
  return StrRepeat(ts, one, static_cast<int64_t>(n));
}

Result<> NewDecodeError(ThreadState& ts, const DecodeInput& in, const char* encoding, size_t start,
                        size_t end, const char* reason) {
  Ref<> object;
  if (in.source && IsExact(in.source, TypeId::kBytes)) {
    object = Ref<>::Borrow(in.source);
  } else {
    MVM_TRY(object, NewBytes(ts, in.bytes));
  }
  MVM_TRY(Ref<StrObject> name, NewStr(ts, encoding));
  MVM_TRY(Ref<StrObject> why, NewStr(ts, reason));
  const Value args[] = {name, object, Value::Int(static_cast<int64_t>(start)),
                        Value::Int(static_cast<int64_t>(end)), why};
  return Call(ts, Value(ExcType(ts, Exc::kUnicodeDecodeError)), args);
}

Raised RaiseEncode(ThreadState& ts, StrObject* s, const char* encoding, size_t start, size_t end,
                   const char* reason) {
  return RaiseEncodeError(ts, encoding, s, static_cast<int64_t>(start), static_cast<int64_t>(end),
                          reason);
}

// Calls a script's handler; *replacement and *position are what it returned.
Status CallHandler(ThreadState& ts, std::string_view name, Value exception, const char* wanted,
                   Ref<>* replacement, int64_t* position) {
  MVM_TRY(Ref<> handler, CodecLookupError(ts, name));
  MVM_TRY(Ref<> answer, Call(ts, handler, exception));
  if (!IsTuple(ts, answer) || answer.as<TupleObject>()->size() != 2 ||
      !IsInt(ts, (*answer.as<TupleObject>())[1])) {
    return Raise(ts, Exc::kTypeError, "%s", wanted);
  }
  *replacement = Ref<>::Borrow((*answer.as<TupleObject>())[0]);
  MVM_TRY(*position, IndexAsInt64(ts, (*answer.as<TupleObject>())[1], Exc::kCount));
  return Ok();
}

Status CheckPosition(ThreadState& ts, int64_t position, size_t length, size_t* out) {
  const int64_t given = position;
  if (position < 0) position += static_cast<int64_t>(length);
  if (position < 0 || position > static_cast<int64_t>(length)) {
    return Raise(ts, Exc::kIndexError, "position %lld from error handler out of bounds",
                 static_cast<long long>(given));
  }
  *out = static_cast<size_t>(position);
  return Ok();
}

}  // namespace

Raised RaiseDecode(ThreadState& ts, const DecodeInput& in, const char* encoding, size_t start,
                   size_t end, const char* reason) {
  Result<> made = NewDecodeError(ts, in, encoding, start, end, reason);
  if (made.raised()) return kRaised;
  Ref<> exception = made.Take();
  return RaiseObject(ts, exception);
}

Result<size_t> HandleDecodeError(ThreadState& ts, DecodeInput& in, const char* encoding,
                                 size_t start, size_t end, const char* reason, StrBuilder* out,
                                 Ref<>* keep) {
  const uint8_t* p = reinterpret_cast<const uint8_t*>(in.bytes.data());
  const std::string_view how = in.errors;
  if (how == "strict") return RaiseDecode(ts, in, encoding, start, end, reason);
  if (how == "ignore") return end;
  if (how == "replace") {
    MVM_TRY_VOID(out->Append(kReplacementCharacter));
    return end;
  }
  if (how == "backslashreplace") {
    for (size_t i = start; i < end; ++i) {
      char buf[8];
      std::snprintf(buf, sizeof(buf), "\\x%02x", p[i]);
      MVM_TRY_VOID(out->AppendAscii({buf, 4}));
    }
    return end;
  }
  if (how == "surrogateescape") {
    size_t i = start;
    for (; i < end && p[i] >= 128; ++i) MVM_TRY_VOID(out->Append(0xDC00u + p[i]));
    if (i == start) return RaiseDecode(ts, in, encoding, start, end, reason);
    return i;
  }
  if (how == "surrogatepass") {
    const SurrogateForm form = SurrogateFormOf(encoding);
    size_t i = start;
    while (i < end) {
      const char32_t c = ReadSurrogate(form, p + i, in.bytes.size() - i);
      if (c == 0) break;
      MVM_TRY_VOID(out->Append(c));
      i += static_cast<size_t>(form.size);
    }
    if (i == start) return RaiseDecode(ts, in, encoding, start, end, reason);
    return i;
  }
  MVM_TRY(Ref<> exception, NewDecodeError(ts, in, encoding, start, end, reason));
  Ref<> text;
  int64_t position;
  static constexpr const char* kWanted = "decoding error handler must return (str, int) tuple";
  MVM_TRY_VOID(CallHandler(ts, how, exception, kWanted, &text, &position));
  if (!IsStr(ts, text)) return Raise(ts, Exc::kTypeError, kWanted);
  // The handler may have put other input into the exception.
  Value object = exception.as<UnicodeErrorObject>()->object;
  if (!object || !IsBytes(ts, object)) {
    return Raise(ts, Exc::kTypeError, "exception attribute object must be bytes");
  }
  *keep = Ref<>::Borrow(object);
  in.bytes = keep->as<BytesObject>()->view();
  in.source = *keep;
  size_t next;
  MVM_TRY_VOID(CheckPosition(ts, position, in.bytes.size(), &next));
  MVM_TRY_VOID(out->Append(text.as<StrObject>()));
  MVM_TRY_VOID(Charge(ts, 1));
  return next;
}

Status HandleEncodeError(ThreadState& ts, StrObject* s, std::string_view how, const char* encoding,
                         size_t start, size_t end, const char* reason, EncodeReplacement* out) {
  out->next = end;
  if (how == "strict") return RaiseEncode(ts, s, encoding, start, end, reason);
  if (how == "ignore") {
    MVM_TRY(out->text, EmptyStr(ts));
    return Ok();
  }
  if (how == "replace") {
    MVM_TRY(out->text, Repeated(ts, '?', end - start));
    return Ok();
  }
  if (how == "xmlcharrefreplace" || how == "backslashreplace" || how == "namereplace") {
    const Replacement kind = how[0] == 'x'   ? Replacement::kXml
                             : how[0] == 'b' ? Replacement::kBackslash
                                             : Replacement::kName;
    MVM_TRY(out->text, EscapedText(ts, kind, s, start, end));
    return Ok();
  }
  if (how == "surrogateescape" || how == "surrogatepass") {
    const bool escape = how == "surrogateescape";
    const SurrogateForm form = SurrogateFormOf(encoding);
    std::string bytes;
    size_t i = start;
    for (; i < end; ++i) {
      const char32_t c = s->At(i);
      if (escape) {
        if (c < 0xDC80 || c > 0xDCFF) break;
        bytes.push_back(static_cast<char>(c - 0xDC00));
      } else {
        if (!IsSurrogate(c) || form.size == 0) break;
        WriteSurrogate(form, c, &bytes);
      }
    }
    // Mapped encodings take the whole run or nothing.
    if (i == start || (i < end && std::string_view(encoding) == "charmap")) {
      return RaiseEncode(ts, s, encoding, start, end, reason);
    }
    out->next = i;
    MVM_TRY(out->text, NewBytes(ts, bytes));
    return Ok();
  }
  MVM_TRY(Ref<StrObject> name, NewStr(ts, encoding));
  MVM_TRY(Ref<StrObject> why, NewStr(ts, reason));
  const Value args[] = {name, Value(s), Value::Int(static_cast<int64_t>(start)),
                        Value::Int(static_cast<int64_t>(end)), why};
  MVM_TRY(Ref<> exception, Call(ts, Value(ExcType(ts, Exc::kUnicodeEncodeError)), args));
  int64_t position;
  static constexpr const char* kWanted =
      "encoding error handler must return (str/bytes, int) tuple";
  MVM_TRY_VOID(CallHandler(ts, how, exception, kWanted, &out->text, &position));
  if (!IsStr(ts, out->text) && !IsBytes(ts, out->text)) return Raise(ts, Exc::kTypeError, kWanted);
  MVM_TRY_VOID(Charge(ts, 1));
  return CheckPosition(ts, position, s->length, &out->next);
}

// ---- the handlers as functions ----

namespace {

enum class ErrorKind { kEncode, kDecode, kTranslate };

Raised DontKnow(ThreadState& ts, Value exception) {
  return Raise(ts, Exc::kTypeError, "don't know how to handle %T in error callback", exception);
}

Result<> Answer(ThreadState& ts, Ref<StrObject> text, int64_t position) {
  MVM_TRY(Ref<> number, NewInt(ts, position));
  Value items[] = {text, number};
  return NewTuple(ts, items);
}

// The exception's kind, object and range, clipped to the object.
struct ErrorView {
  ErrorKind kind;
  UnicodeErrorObject* e;
  Ref<> object;
  size_t start, end;

  Status Get(ThreadState& ts, Value exception) {
    if (IsInstance(ts, exception, ExcType(ts, Exc::kUnicodeEncodeError))) {
      kind = ErrorKind::kEncode;
    } else if (IsInstance(ts, exception, ExcType(ts, Exc::kUnicodeDecodeError))) {
      kind = ErrorKind::kDecode;
    } else if (IsInstance(ts, exception, ExcType(ts, Exc::kUnicodeTranslateError))) {
      kind = ErrorKind::kTranslate;
    } else {
      return DontKnow(ts, exception);
    }
    e = exception.as<UnicodeErrorObject>();
    object = Ref<>::Borrow(e->object);
    const bool bytes = kind == ErrorKind::kDecode;
    if (!object || (bytes ? !IsBytes(ts, object) : !IsStr(ts, object))) {
      return Raise(ts, Exc::kTypeError, "exception attribute object must be %s",
                   bytes ? "bytes" : "str");
    }
    const int64_t length = static_cast<int64_t>(bytes ? object.as<BytesObject>()->length
                                                      : object.as<StrObject>()->length);
    start = static_cast<size_t>(std::clamp<int64_t>(e->start, 0, std::max<int64_t>(length - 1, 0)));
    end = static_cast<size_t>(std::clamp<int64_t>(e->end, std::min<int64_t>(1, length), length));
    if (end < start) end = start;
    return Ok();
  }
};

Result<> strict_errors(ThreadState& ts, Args args) {
  if (IsException(ts, args[0])) return RaiseObject(ts, args[0]);
  return Raise(ts, Exc::kTypeError, "codec must pass exception instance");
}

Result<> ignore_errors(ThreadState& ts, Args args) {
  ErrorView v;
  MVM_TRY_VOID(v.Get(ts, args[0]));
  MVM_TRY(Ref<StrObject> empty, EmptyStr(ts));
  return Answer(ts, std::move(empty), static_cast<int64_t>(v.end));
}

Result<> replace_errors(ThreadState& ts, Args args) {
  ErrorView v;
  MVM_TRY_VOID(v.Get(ts, args[0]));
  const char32_t c = v.kind == ErrorKind::kEncode ? '?' : kReplacementCharacter;
  MVM_TRY(Ref<StrObject> text, Repeated(ts, c, v.kind == ErrorKind::kDecode ? 1 : v.end - v.start));
  return Answer(ts, std::move(text), static_cast<int64_t>(v.end));
}

Result<> Escapes(ThreadState& ts, Args args, Replacement kind) {
  ErrorView v;
  MVM_TRY_VOID(v.Get(ts, args[0]));
  if (v.kind == ErrorKind::kEncode ||
      (v.kind == ErrorKind::kTranslate && kind == Replacement::kBackslash)) {
    MVM_TRY(Ref<StrObject> text, EscapedText(ts, kind, v.object.as<StrObject>(), v.start, v.end));
    return Answer(ts, std::move(text), static_cast<int64_t>(v.end));
  }
  if (kind != Replacement::kBackslash) return DontKnow(ts, args[0]);
  StrBuilder out(ts);
  for (size_t i = v.start; i < v.end; ++i) {
    char buf[8];
    std::snprintf(buf, sizeof(buf), "\\x%02x", v.object.as<BytesObject>()->data()[i]);
    MVM_TRY_VOID(out.AppendAscii({buf, 4}));
  }
  MVM_TRY(Ref<StrObject> text, out.Finish());
  return Answer(ts, std::move(text), static_cast<int64_t>(v.end));
}

Result<> xmlcharrefreplace_errors(ThreadState& ts, Args args) {
  return Escapes(ts, args, Replacement::kXml);
}
Result<> backslashreplace_errors(ThreadState& ts, Args args) {
  return Escapes(ts, args, Replacement::kBackslash);
}
Result<> namereplace_errors(ThreadState& ts, Args args) {
  return Escapes(ts, args, Replacement::kName);
}

Result<> Surrogates(ThreadState& ts, Args args, const char* how) {
  ErrorView v;
  MVM_TRY_VOID(v.Get(ts, args[0]));
  if (v.kind == ErrorKind::kTranslate) return DontKnow(ts, args[0]);
  if (!v.e->encoding || !IsStr(ts, v.e->encoding)) {
    return Raise(ts, Exc::kTypeError, "exception attribute encoding must be str");
  }
  const std::string encoding = ToUtf8(v.e->encoding.as<StrObject>());
  Ref<> result;
  int64_t position;
  if (v.kind == ErrorKind::kEncode) {
    EncodeReplacement out;
    if (HandleEncodeError(ts, v.object.as<StrObject>(), how, encoding.c_str(), v.start, v.end, "",
                          &out)
            .raised()) {
      if (!ClearPendingIf(ts, Exc::kUnicodeEncodeError)) return kRaised;
      return RaiseObject(ts, args[0]);
    }
    result = std::move(out.text);
    position = static_cast<int64_t>(out.next);
  } else {
    DecodeInput in;
    in.bytes = v.object.as<BytesObject>()->view();
    in.source = v.object;
    in.errors = how;
    StrBuilder out(ts);
    Ref<> keep;
    Result<size_t> next =
        HandleDecodeError(ts, in, encoding.c_str(), v.start, v.end, "", &out, &keep);
    if (next.raised()) {
      if (!ClearPendingIf(ts, Exc::kUnicodeDecodeError)) return kRaised;
      return RaiseObject(ts, args[0]);
    }
    position = static_cast<int64_t>(next.Take());
    MVM_TRY(result, out.Finish());
  }
  Value items[] = {result, Value::Int(position)};
  return NewTuple(ts, items);
}

Result<> surrogateescape_errors(ThreadState& ts, Args args) {
  return Surrogates(ts, args, "surrogateescape");
}
Result<> surrogatepass_errors(ThreadState& ts, Args args) {
  return Surrogates(ts, args, "surrogatepass");
}

const MethodSpec kHandlers[] = {
    {"strict_errors(exception, /)", strict_errors, "Raises the exception."},
    {"ignore_errors(exception, /)", ignore_errors, "Leaves the text out."},
    {"replace_errors(exception, /)", replace_errors, "Puts a replacement mark."},
    {"xmlcharrefreplace_errors(exception, /)", xmlcharrefreplace_errors,
     "Writes &#...; references."},
    {"backslashreplace_errors(exception, /)", backslashreplace_errors, "Writes backslash escapes."},
    {"namereplace_errors(exception, /)", namereplace_errors, "Writes \\N{...} escapes."},
    {"surrogateescape(exception, /)", surrogateescape_errors, "Keeps bytes as lone surrogates."},
    {"surrogatepass(exception, /)", surrogatepass_errors, "Lets surrogates through."},
};

}  // namespace

const MethodSpec* BuiltinErrorHandler(std::string_view name) {
  static constexpr std::string_view kNames[] = {
      "strict",           "ignore",      "replace",         "xmlcharrefreplace",
      "backslashreplace", "namereplace", "surrogateescape", "surrogatepass"};
  for (size_t i = 0; i < std::size(kNames); ++i) {
    if (kNames[i] == name) return &kHandlers[i];
  }
  return nullptr;
}

}  // namespace minivm
