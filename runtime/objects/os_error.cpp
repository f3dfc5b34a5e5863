// OSError: the errno decides the class, two to five arguments carry the details.
//
// __new__ does the work unless a subclass overrides __init__ alone; then __init__ does.
#include <cerrno>

#include "runtime/objects/dict_object.h"
#include "runtime/objects/exception_types.h"
#include "runtime/objects/float_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"

namespace minivm {

Exc ExcForErrno(int64_t error) {
  switch (error) {
    case EAGAIN:
    case EALREADY:
    case EINPROGRESS: return Exc::kBlockingIOError;
    case EPIPE:
    case ESHUTDOWN: return Exc::kBrokenPipeError;
    case ECHILD: return Exc::kChildProcessError;
    case ECONNABORTED: return Exc::kConnectionAbortedError;
    case ECONNREFUSED: return Exc::kConnectionRefusedError;
    case ECONNRESET: return Exc::kConnectionResetError;
    case EEXIST: return Exc::kFileExistsError;
    case ENOENT: return Exc::kFileNotFoundError;
    case EISDIR: return Exc::kIsADirectoryError;
    case ENOTDIR: return Exc::kNotADirectoryError;
    case EINTR: return Exc::kInterruptedError;
    case EACCES:
    case EPERM: return Exc::kPermissionError;
    case ESRCH: return Exc::kProcessLookupError;
    case ETIMEDOUT: return Exc::kTimeoutError;
    default: return Exc::kOSError;
  }
}

namespace {

bool LooksLikeNumber(ThreadState& ts, Value v) {
  const OperatorSlots& slots = *TypeOf(ts, v)->operators;
  return slots.index || slots.to_int || slots.to_float;
}

// The class for OSError(errno, strerror, ...).
TypeObject* ClassForArgs(ThreadState& ts, TypeObject* cls, const TupleObject* args) {
  if (cls != ExcType(ts, Exc::kOSError) || args->size() < 2 || args->size() > 5) return cls;
  Value number = (*args)[0];
  int64_t error = 0;
  if (IsInt(ts, number)) {
    if (!IntFitsInt64(number, &error)) return cls;
  } else if (number.is_float()) {
    double d = number.as_float();
    if (!(d >= 0 && d < 1e6 && d == static_cast<double>(static_cast<int64_t>(d)))) return cls;
    error = static_cast<int64_t>(d);
  }
  return ExcType(ts, ExcForErrno(error));
}

// A class that overrides __init__ but not __new__ gets its fields set when __init__ calls up.
bool FillsInInit(const TypeObject* cls) {
  return cls->slots.init != os_error_init && cls->slots.new_ == os_error_new;
}

}  // namespace

Status FillOsError(ThreadState& ts, OsErrorObject* e, TupleObject* args) {
  size_t n = args->size();
  if (n < 2 || n > 5) return Ok();
  SetField(&e->error_number, (*args)[0]);
  SetField(&e->strerror, (*args)[1]);
  if (n == 2 || IsNone(ts, (*args)[2])) return Ok();
  Value filename = (*args)[2];
  if (TypeOf(ts, e) == ExcType(ts, Exc::kBlockingIOError) && LooksLikeNumber(ts, filename)) {
    MVM_TRY(int64_t written, IndexAsInt64(ts, filename, Exc::kValueError));
    MVM_TRY(Ref<> boxed, NewInt(ts, written));
    SetField(&e->characters_written, boxed);
    return Ok();
  }
  SetField(&e->filename, filename);
  if (n == 5 && !IsNone(ts, (*args)[4])) SetField(&e->filename2, (*args)[4]);
  MVM_TRY(Ref<TupleObject> pair, NewTuple(ts, {args->items(), 2}));
  SetArgs(e, pair);
  return Ok();
}

Result<> os_error_new(ThreadState& ts, TypeObject* cls, Args raw) {
  MVM_TRY_VOID(TypeReady(ts, cls));
  if (FillsInInit(cls)) return AllocException(ts, cls, ts.rt->empty_tuple->as<TupleObject>());
  MVM_TRY_VOID(NoKeywords(ts, cls, raw));
  MVM_TRY(Ref<TupleObject> args, RawTuple(ts, raw));
  MVM_TRY(Ref<ExceptionObject> e, AllocException(ts, ClassForArgs(ts, cls, args), args));
  MVM_TRY_VOID(FillOsError(ts, static_cast<OsErrorObject*>(e.get()), args));
  return e;
}

Status os_error_init(ThreadState& ts, Value self, Args raw) {
  TypeObject* cls = TypeOf(ts, self);
  if (!FillsInInit(cls)) return Ok();
  MVM_TRY_VOID(NoKeywords(ts, cls, raw));
  MVM_TRY(Ref<TupleObject> args, RawTuple(ts, raw));
  OsErrorObject* e = self.as<OsErrorObject>();
  SetArgs(e, args);
  return FillOsError(ts, e, args);
}

Result<> os_error_str(ThreadState& ts, Value self) {
  OsErrorObject* e = self.as<OsErrorObject>();
  Ref<> number = Ref<>::Borrow(e->error_number.is_null() ? Value(ts.rt->none) : e->error_number);
  Ref<> text = Ref<>::Borrow(e->strerror.is_null() ? Value(ts.rt->none) : e->strerror);
  Ref<> file = Ref<>::Borrow(e->filename);
  Ref<> file2 = Ref<>::Borrow(e->filename2);
  if (file && file2) {
    return Format(ts, "[Errno %S] %S: %R -> %R", number.get(), text.get(), file.get(), file2.get());
  }
  if (file) return Format(ts, "[Errno %S] %S: %R", number.get(), text.get(), file.get());
  if (!e->error_number.is_null() && !e->strerror.is_null()) {
    return Format(ts, "[Errno %S] %S", number.get(), text.get());
  }
  return exception_str(ts, self);
}

namespace {

Result<> os_error_get_written(ThreadState& ts, Value self) {
  Value v = self.as<OsErrorObject>()->characters_written;
  if (v.is_null()) return Raise(ts, Exc::kAttributeError, "characters_written");
  return Result<>::Borrow(v);
}

Status os_error_set_written(ThreadState& ts, Value self, Value value) {
  Value* field = &self.as<OsErrorObject>()->characters_written;
  if (value.is_null()) {
    if (field->is_null()) return Raise(ts, Exc::kAttributeError, "characters_written");
    SetField(field, Value());
    return Ok();
  }
  MVM_TRY(int64_t n, IndexAsInt64(ts, value, Exc::kValueError));
  MVM_TRY(Ref<> boxed, NewInt(ts, n));
  SetField(&self.as<OsErrorObject>()->characters_written, boxed);
  return Ok();
}

// The file names go back into the arguments.
Result<> os_error_reduce(ThreadState& ts, Args call) {
  OsErrorObject* e = call.self<OsErrorObject>();
  Ref<TupleObject> args = Ref<TupleObject>::Borrow(e->args);
  if (args->size() == 2 && !e->filename.is_null()) {
    Value all[5] = {(*args)[0], (*args)[1], e->filename, ts.rt->none, e->filename2};
    MVM_TRY(args, NewTuple(ts, {all, e->filename2.is_null() ? size_t{3} : size_t{5}}));
  }
  MVM_TRY(Ref<> dict, OwnDict(ts, e));
  Value parts[3] = {TypeOf(ts, e), args, dict};
  return NewTuple(ts, {parts, dict.is_absent() ? size_t{2} : size_t{3}});
}

}  // namespace

const GetSetSpec kOsErrorGetSets[5] = {
    {"characters_written", os_error_get_written, os_error_set_written},
    {"errno", GetMember<OsErrorObject, &OsErrorObject::error_number>,
     SetMember<OsErrorObject, &OsErrorObject::error_number>,
     "The number of the error, as the module errno has it."},
    {"filename", GetMember<OsErrorObject, &OsErrorObject::filename>,
     SetMember<OsErrorObject, &OsErrorObject::filename>, "The path that was given."},
    {"filename2", GetMember<OsErrorObject, &OsErrorObject::filename2>,
     SetMember<OsErrorObject, &OsErrorObject::filename2>, "The second path, where there were two."},
    {"strerror", GetMember<OsErrorObject, &OsErrorObject::strerror>,
     SetMember<OsErrorObject, &OsErrorObject::strerror>, "The text of the error number."},
};
const MethodSpec kOsErrorMethods[1] = {
    {"__reduce__(self, /)", os_error_reduce},
};

}  // namespace minivm
