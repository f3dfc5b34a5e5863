// Paths as arguments of native functions.
#include "stdlib/fs_path.h"

#include <climits>
#include <utility>

#include "runtime/objects/bytes_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/protocol/protocol.h"

namespace minivm {

Result<> FspathOfObject(ThreadState& ts, Value v) {
  MVM_TRY(Ref<StrObject> name, InternUtf8(ts, "__fspath__"));
  MVM_TRY(Ref<> method, LookupSpecial(ts, v, name));
  // A class says by None that what it inherits is not for it.
  if (method.is_absent() || IsNone(ts, method)) return Result<>::Steal(Value::Absent());
  MVM_TRY(Ref<> path, Call(ts, method));
  if (!IsStr(ts, path) && !IsBytes(ts, path)) {
    return Raise(ts, Exc::kTypeError, "expected %T.__fspath__() to return str or bytes, not %T", v,
                 path.get());
  }
  return path;
}

Result<> Fspath(ThreadState& ts, Value v) {
  if (IsStr(ts, v) || IsBytes(ts, v)) return Result<>::Borrow(v);
  MVM_TRY(Ref<> path, FspathOfObject(ts, v));
  if (path.is_absent())
    return Raise(ts, Exc::kTypeError, "expected str, bytes or os.PathLike object, not %T", v);
  return path;
}

Status GetPath(ThreadState& ts, Value v, PathArg* out, const char* function, const char* name,
               bool allow_fd, bool allow_none) {
  out->object = v;
  if (allow_none && (v.is_absent() || IsNone(ts, v))) {
    out->text = ".";
    out->object = Value();
    return Ok();
  }
  if (IsStr(ts, v)) {
    Status s = ToOsString(ts, v.as<StrObject>(), &out->text);
    if (!s.raised() || !PendingIs(ts, Exc::kValueError) || PendingIs(ts, Exc::kUnicodeError))
      return s;
    ClearPending(ts);
    if (function == nullptr) return Raise(ts, Exc::kValueError, "embedded null byte");
    return Raise(ts, Exc::kValueError, "%s: embedded null character in %s", function, name);
  }
  if (IsBytes(ts, v)) {
    out->bytes = true;
    out->text = std::string(v.as<BytesObject>()->view());
    if (out->text.find('\0') == std::string::npos) return Ok();
    if (function == nullptr) return Raise(ts, Exc::kValueError, "embedded null byte");
    return Raise(ts, Exc::kValueError, "%s: embedded null character in %s", function, name);
  }
  if (allow_fd && IsInt(ts, v)) {
    MVM_TRY_VOID(WarnIfBool(ts, v));
    MVM_TRY(out->fd, AsCInt(ts, v));
    return Ok();
  }
  MVM_TRY(Ref<> r, FspathOfObject(ts, v));
  if (r.is_absent()) {
    if (allow_fd) {
      const OperatorSlots& s = *TypeOf(ts, v)->operators;
      if (s.index != nullptr) {
        MVM_TRY(out->fd, AsCInt(ts, v));
        return Ok();
      }
    }
    if (function == nullptr) {
      return Raise(ts, Exc::kTypeError, "expected str, bytes or os.PathLike object, not %T", v);
    }
    return Raise(ts, Exc::kTypeError, "%s: %s should be string, bytes%s%s, not %T", function, name,
                 allow_fd ? ", os.PathLike or integer" : " or os.PathLike",
                 allow_none ? " or None" : "", v);
  }
  out->converted = std::move(r);
  return GetPath(ts, out->converted, out, function, name);
}

Result<int> AsCInt(ThreadState& ts, Value v) {
  MVM_TRY(Ref<> i, Index(ts, v));
  int64_t n;
  if (!IntFitsInt64(i, &n) || n > INT32_MAX || n < INT32_MIN) {
    return Raise(ts, Exc::kOverflowError, "Python int too large to convert to C int");
  }
  return static_cast<int>(n);
}

Status WarnIfBool(ThreadState& ts, Value descriptor) {
  if (!IsTrue(ts, descriptor) && !IsFalse(ts, descriptor)) return Ok();
  return Warn(ts, Exc::kRuntimeWarning, 1, "bool is used as a file descriptor");
}

Result<int> ToDescriptor(ThreadState& ts, Value v) {
  Ref<> number = Ref<>::Borrow(v);
  MVM_TRY_VOID(WarnIfBool(ts, v));
  if (!IsInt(ts, v)) {
    MVM_TRY(Ref<> method, GetAttrOptional(ts, v, "fileno"));
    if (method.is_absent()) {
      return Raise(ts, Exc::kTypeError, "argument must be an int, or have a fileno() method.");
    }
    MVM_TRY(number, Call(ts, method));
    if (!IsInt(ts, number)) return Raise(ts, Exc::kTypeError, "fileno() returned a non-integer");
  }
  int64_t fd;
  if (!IntFitsInt64(number, &fd) || fd > INT_MAX || fd < INT_MIN) {
    return Raise(ts, Exc::kOverflowError, "Python int too large to convert to C int");
  }
  if (fd < 0) {
    return Raise(ts, Exc::kValueError, "file descriptor cannot be a negative integer (%d)",
                 static_cast<int>(fd));
  }
  return static_cast<int>(fd);
}

}  // namespace minivm
