// UnicodeEncodeError, UnicodeDecodeError and UnicodeTranslateError: what could not be converted,
// and where.
#include <cstring>

#include "runtime/objects/bytes_object.h"
#include "runtime/objects/exception_types.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/buffer.h"
#include "runtime/protocol/protocol.h"

namespace minivm {

namespace {

bool Is(ThreadState& ts, Value self, Exc type) {
  return IsSubtype(TypeOf(ts, self), ExcType(ts, type));
}

Status CheckStr(ThreadState& ts, Value v, int position) {
  if (IsStr(ts, v)) return Ok();
  return Raise(ts, Exc::kTypeError, "argument %d must be str, not %T", position, v);
}

// The object of a decode error, as bytes.
Result<> BytesOf(ThreadState& ts, Value v) {
  if (IsBytes(ts, v)) return Result<>::Borrow(v);
  ByteView bytes;
  MVM_TRY_VOID(bytes.Get(ts, v));
  return NewBytes(ts, bytes.view());
}

}  // namespace

Status FillUnicodeError(ThreadState& ts, UnicodeErrorObject* e, TupleObject* args) {
  bool decode = Is(ts, e, Exc::kUnicodeDecodeError);
  bool translate = Is(ts, e, Exc::kUnicodeTranslateError);
  size_t want = translate ? 4 : 5;
  if (args->size() != want) {
    return Raise(ts, Exc::kTypeError, "function takes exactly %zu arguments (%zu given)", want,
                 static_cast<size_t>(args->size()));
  }
  const Value* v = args->items();
  int position = 0;
  Value encoding;
  if (!translate) {
    encoding = v[position++];
    MVM_TRY_VOID(CheckStr(ts, encoding, position));
  }
  Value object = v[position++];
  if (!decode) MVM_TRY_VOID(CheckStr(ts, object, position));
  MVM_TRY(int64_t start, IndexAsInt64(ts, v[position], Exc::kOverflowError));
  MVM_TRY(int64_t end, IndexAsInt64(ts, v[position + 1], Exc::kOverflowError));
  Value reason = v[position + 2];
  MVM_TRY_VOID(CheckStr(ts, reason, position + 3));
  Ref<> content = Ref<>::Borrow(object);
  if (decode) {
    MVM_TRY(content, BytesOf(ts, object));
  }
  SetField(&e->encoding, encoding);
  SetField(&e->object, content);
  SetField(&e->reason, reason);
  e->start = start;
  e->end = end;
  return Ok();
}

Status unicode_error_init(ThreadState& ts, Value self, Args raw) {
  MVM_TRY_VOID(exception_init(ts, self, raw));
  UnicodeErrorObject* e = self.as<UnicodeErrorObject>();
  Ref<TupleObject> args = Ref<TupleObject>::Borrow(e->args);
  return FillUnicodeError(ts, e, args);
}

Result<> unicode_error_str(ThreadState& ts, Value self) {
  UnicodeErrorObject* e = self.as<UnicodeErrorObject>();
  if (e->object.is_null()) return Result<>::Borrow(ts.rt->empty_str);
  Ref<> object = Ref<>::Borrow(e->object);
  Ref<> reason = Ref<>::Borrow(e->reason.is_null() ? Value(ts.rt->none) : e->reason);
  Ref<> encoding = Ref<>::Borrow(e->encoding.is_null() ? Value(ts.rt->none) : e->encoding);
  bool decode = Is(ts, self, Exc::kUnicodeDecodeError);
  bool translate = Is(ts, self, Exc::kUnicodeTranslateError);
  long long start = e->start;
  long long end = e->end;
  long long length = 0;
  if (IsStr(ts, object)) length = static_cast<long long>(object.as<StrObject>()->length);
  if (IsBytes(ts, object)) length = static_cast<long long>(object.as<BytesObject>()->length);
  bool single = start >= 0 && start < length && end == start + 1;
  if (single && decode && IsBytes(ts, object)) {
    return Format(ts, "'%S' codec can't decode byte 0x%02x in position %lld: %S", encoding.get(),
                  object.as<BytesObject>()->data()[start], start, reason.get());
  }
  if (decode) {
    return Format(ts, "'%S' codec can't decode bytes in position %lld-%lld: %S", encoding.get(),
                  start, end - 1, reason.get());
  }
  const char* verb = translate ? "translate" : "encode";
  Ref<> subject;
  if (translate) {
    subject = Ref<>::Borrow(ts.rt->empty_str);
  } else {
    MVM_TRY(subject, Format(ts, "'%S' codec ", encoding.get()));
  }
  if (!single || !IsStr(ts, object)) {
    return Format(ts, "%Scan't %s characters in position %lld-%lld: %S", subject.get(), verb, start,
                  end - 1, reason.get());
  }
  char32_t c = object.as<StrObject>()->At(static_cast<size_t>(start));
  const char* form = c <= 0xFF     ? "%Scan't %s character '\\x%02x' in position %lld: %S"
                     : c <= 0xFFFF ? "%Scan't %s character '\\u%04x' in position %lld: %S"
                                   : "%Scan't %s character '\\U%08x' in position %lld: %S";
  return Format(ts, form, subject.get(), verb, static_cast<unsigned>(c), start, reason.get());
}

namespace {

template <int64_t UnicodeErrorObject::*kMember>
Result<> GetPosition(ThreadState& ts, Value self) {
  return NewInt(ts, self.as<UnicodeErrorObject>()->*kMember);
}
template <int64_t UnicodeErrorObject::*kMember>
Status SetPosition(ThreadState& ts, Value self, Value value) {
  if (value.is_null()) return Raise(ts, Exc::kTypeError, "can't delete numeric/char attribute");
  MVM_TRY(int64_t n, IndexAsInt64(ts, value, Exc::kOverflowError));
  self.as<UnicodeErrorObject>()->*kMember = n;
  return Ok();
}

Raised RaiseUnicode(ThreadState& ts, Exc type, const char* encoding, Value object, int64_t start,
                    int64_t end, const char* reason) {
  auto make = [&]() -> Result<ExceptionObject> {
    MVM_TRY(Ref<StrObject> name, NewStr(ts, encoding));
    MVM_TRY(Ref<StrObject> why, NewStr(ts, reason));
    MVM_TRY(Ref<> from, NewInt(ts, start));
    MVM_TRY(Ref<> to, NewInt(ts, end));
    Value items[] = {name, object, from, to, why};
    MVM_TRY(Ref<TupleObject> args, NewTuple(ts, items));
    return NewExceptionWith(ts, type, args);
  };
  Result<ExceptionObject> made = make();
  if (made.raised()) return kRaised;
  Ref<ExceptionObject> e = made.Take();
  return RaiseObject(ts, e);
}

}  // namespace

#define MVM_MEMBER(field)                                    \
  GetMember<UnicodeErrorObject, &UnicodeErrorObject::field>, \
      SetMember<UnicodeErrorObject, &UnicodeErrorObject::field>
#define MVM_UNICODE_GETSETS                                                                      \
  {                                                                                              \
    {"encoding", MVM_MEMBER(encoding), "The encoding that failed."},                             \
        {"end", GetPosition<&UnicodeErrorObject::end>, SetPosition<&UnicodeErrorObject::end>,    \
         "The position behind what failed."},                                                    \
        {"object", MVM_MEMBER(object), "The whole text or bytes."},                              \
        {"reason", MVM_MEMBER(reason), "Why it failed."}, {                                      \
      "start", GetPosition<&UnicodeErrorObject::start>, SetPosition<&UnicodeErrorObject::start>, \
          "The position of what failed."                                                         \
    }                                                                                            \
  }
const GetSetSpec kUnicodeErrorGetSets[5] = MVM_UNICODE_GETSETS;
const GetSetSpec kUnicodeTranslateErrorGetSets[5] = MVM_UNICODE_GETSETS;
#undef MVM_UNICODE_GETSETS
#undef MVM_MEMBER

Raised RaiseDecodeError(ThreadState& ts, const char* encoding, Value object, int64_t start,
                        int64_t end, const char* reason) {
  return RaiseUnicode(ts, Exc::kUnicodeDecodeError, encoding, object, start, end, reason);
}

Raised RaiseEncodeError(ThreadState& ts, const char* encoding, Value str, int64_t start,
                        int64_t end, const char* reason) {
  return RaiseUnicode(ts, Exc::kUnicodeEncodeError, encoding, str, start, end, reason);
}

}  // namespace minivm
