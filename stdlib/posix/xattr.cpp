// Extended attributes of files in the module posix.
#include <sys/xattr.h>

#include "runtime/objects/list_object.h"
#include "runtime/protocol/buffer.h"
#include "stdlib/posix/posix_support.h"

namespace minivm {

namespace {

constexpr size_t kMaxXattr = 65536;  // XATTR_SIZE_MAX, and XATTR_LIST_MAX

// The path (or descriptor) and follow_symlinks of the four functions.
struct Target {
  PathArg path;
  bool follow = true;

  Status Get(ThreadState& ts, Value v, Value follow_symlinks, const char* function,
             bool allow_none = false) {
    MVM_TRY_VOID(GetPath(ts, v, &path, function, "path", true, allow_none));
    MVM_TRY(follow, Truth(ts, follow_symlinks));
    if (!follow && path.fd >= 0) {
      return Raise(ts, Exc::kValueError, "%s: cannot use fd and follow_symlinks together",
                   function);
    }
    return Ok();
  }
};

Result<> posix_getxattr(ThreadState& ts, Args args) {
  Target t;
  PathArg name;
  MVM_TRY_VOID(GetPath(ts, args[1], &name, "getxattr", "attribute"));
  MVM_TRY_VOID(t.Get(ts, args[0], args[2], "getxattr"));
  for (size_t size : {size_t{128}, kMaxXattr}) {
    MVM_TRY(Ref<BytesObject> out, NewBytesRaw(ts, size));
    ssize_t n = Blocking(ts, [&] {
      if (t.path.fd >= 0) return fgetxattr(t.path.fd, name.c_str(), out->data(), size);
      if (t.follow) return getxattr(t.path.c_str(), name.c_str(), out->data(), size);
      return lgetxattr(t.path.c_str(), name.c_str(), out->data(), size);
    });
    if (n >= 0) return NewBytes(ts, out->view().substr(0, static_cast<size_t>(n)));
    if (errno != ERANGE) return DoneOrErrno(ts, -1, &t.path);
  }
  return RaiseErrno(ts, ERANGE);
}

Result<> posix_setxattr(ThreadState& ts, Args args) {
  Target t;
  PathArg name;
  MVM_TRY_VOID(GetPath(ts, args[1], &name, "setxattr", "attribute"));
  ByteView value;
  MVM_TRY_VOID(value.Get(ts, args[2]));
  MVM_TRY(int flags, AsCInt(ts, args[3]));
  MVM_TRY_VOID(t.Get(ts, args[0], args[4], "setxattr"));
  int r = Blocking(ts, [&] {
    if (t.path.fd >= 0)
      return fsetxattr(t.path.fd, name.c_str(), value.data(), value.size(), flags);
    if (t.follow) return setxattr(t.path.c_str(), name.c_str(), value.data(), value.size(), flags);
    return lsetxattr(t.path.c_str(), name.c_str(), value.data(), value.size(), flags);
  });
  return DoneOrErrno(ts, r, &t.path);
}

Result<> posix_removexattr(ThreadState& ts, Args args) {
  Target t;
  PathArg name;
  MVM_TRY_VOID(GetPath(ts, args[1], &name, "removexattr", "attribute"));
  MVM_TRY_VOID(t.Get(ts, args[0], args[2], "removexattr"));
  int r = Blocking(ts, [&] {
    if (t.path.fd >= 0) return fremovexattr(t.path.fd, name.c_str());
    if (t.follow) return removexattr(t.path.c_str(), name.c_str());
    return lremovexattr(t.path.c_str(), name.c_str());
  });
  return DoneOrErrno(ts, r, &t.path);
}

Result<> posix_listxattr(ThreadState& ts, Args args) {
  Target t;
  MVM_TRY_VOID(t.Get(ts, args[0], args[1], "listxattr", true));
  std::string names;
  for (size_t size : {size_t{256}, kMaxXattr}) {
    names.resize(size);
    ssize_t n = Blocking(ts, [&] {
      if (t.path.fd >= 0) return flistxattr(t.path.fd, names.data(), size);
      if (t.follow) return listxattr(t.path.c_str(), names.data(), size);
      return llistxattr(t.path.c_str(), names.data(), size);
    });
    if (n >= 0) {
      names.resize(static_cast<size_t>(n));
      break;
    }
    if (errno != ERANGE || size == kMaxXattr) return DoneOrErrno(ts, -1, &t.path);
  }
  MVM_TRY(Ref<ListObject> list, NewListReserve(ts, 0));
  for (size_t at = 0; at < names.size();) {
    std::string_view name = names.data() + at;  // each ends with a NUL
    MVM_TRY(Ref<StrObject> s, NewStrFromOs(ts, name));
    MVM_TRY_VOID(ListAppend(ts, list, Value(s.get())));
    at += name.size() + 1;
  }
  return list;
}

const MethodSpec kFunctions[] = {
    {"getxattr(path, attribute, *, follow_symlinks=True)", posix_getxattr,
     "The value of an extended attribute, as bytes. OSError if it is not there."},
    {"listxattr(path=None, *, follow_symlinks=True)", posix_listxattr,
     "The names of the extended attributes."},
    {"removexattr(path, attribute, *, follow_symlinks=True)", posix_removexattr,
     "Take an extended attribute away. OSError if it is not there."},
    {"setxattr(path, attribute, value, flags=0, *, follow_symlinks=True)", posix_setxattr,
     "Set an extended attribute; flags may be XATTR_CREATE or XATTR_REPLACE."},
};

}  // namespace

const Table<MethodSpec> kPosixXattrFunctions = kFunctions;

}  // namespace minivm
