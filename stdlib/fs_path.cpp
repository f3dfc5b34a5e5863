// Paths as arguments of native functions.
#include "stdlib/fs_path.h"

#include <climits>

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

Status ToFsPath(ThreadState& ts, Value v, FsPath* out, const char* function, const char* argument,
                uint32_t flags) {
  if ((flags & kPathOrNone) && (v.is_absent() || IsNone(ts, v))) {
    out->none = true;
    out->text = ".";
    return Ok();
  }
  if (IsStr(ts, v) || IsBytes(ts, v)) {
    out->object = Ref<>::Borrow(v);
  } else if ((flags & kPathOrFd) && (v.is_int() || TypeOf(ts, v)->slots.index)) {
    MVM_TRY(Ref<> index, Index(ts, v));
    int64_t n;
    if (!IntFitsInt64(index, &n) || n > INT_MAX)
      return Raise(ts, Exc::kOverflowError, "fd is greater than maximum");
    if (n < INT_MIN) return Raise(ts, Exc::kOverflowError, "fd is less than minimum");
    out->fd = static_cast<int>(n);
    out->object = Ref<>::Borrow(v);
    return Ok();
  } else {
    MVM_TRY(out->object, FspathOfObject(ts, v));
    if (out->object.is_absent()) {
      out->object = Ref<>();
      if (function == nullptr)
        return Raise(ts, Exc::kTypeError, "expected str, bytes or os.PathLike object, not %T", v);
      return Raise(ts, Exc::kTypeError, "%s: %s should be string, bytes%s, not %T", function,
                   argument,
                   (flags & kPathOrFd) && (flags & kPathOrNone) ? ", os.PathLike, integer or None"
                   : flags & kPathOrFd                          ? ", os.PathLike or integer"
                   : flags & kPathOrNone                        ? ", os.PathLike or None"
                                                                : " or os.PathLike",
                   v);
    }
  }
  if (IsBytes(ts, out->object)) {
    out->bytes = true;
    std::string_view view = out->object.as<BytesObject>()->view();
    if (view.find('\0') != view.npos) {
      if (function)
        return Raise(ts, Exc::kValueError, "%s: embedded null character in %s", function, argument);
      return Raise(ts, Exc::kValueError, "embedded null byte");
    }
    out->text = view;
    return Ok();
  }
  Status converted = ToOsString(ts, out->object.as<StrObject>(), &out->text);
  if (converted.raised()) {
    if (function && PendingIs(ts, Exc::kValueError) && !PendingIs(ts, Exc::kUnicodeError)) {
      ClearPending(ts);
      return Raise(ts, Exc::kValueError, "%s: embedded null character in %s", function, argument);
    }
    return kRaised;
  }
  return Ok();
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
