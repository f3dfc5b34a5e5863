// The module fcntl: control of descriptors, and locks on files.
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstring>

#include "runtime/core/blocking.h"
#include "runtime/objects/bytes_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/module_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/protocol/buffer.h"
#include "runtime/protocol/protocol.h"
#include "stdlib/fs_path.h"
#include "stdlib/posix/posix_support.h"

namespace minivm {

namespace {

constexpr size_t kMaxArgument = 1024;

// The bytes of a str (as UTF-8) or a bytes-like argument. False: it is neither.
Result<bool> BytesOf(ThreadState& ts, Value v, std::string* out) {
  if (IsStr(ts, v)) {
    AppendUtf8(v.as<StrObject>(), out);
    return true;
  }
  if (!HasBuffer(ts, v)) return false;
  ByteView view;
  MVM_TRY_VOID(view.Get(ts, v));
  *out = view.view();
  return true;
}

// An int argument modulo 2**32, as the C functions take it.
Result<int> LowInt(ThreadState& ts, Value v) {
  MVM_TRY(Ref<> i, Index(ts, v));
  return static_cast<int>(static_cast<uint32_t>(IntLowBits(i)));
}

// A system call with the lock released, repeated when a signal interrupts it.
template <class F>
Result<int> Retry(ThreadState& ts, F call) {
  for (;;) {
    int r = Blocking(ts, call);
    if (r >= 0) return r;
    if (errno != EINTR) return RaiseErrno(ts, errno);
    MVM_TRY_VOID(Charge(ts, 1'000'000'000));
  }
}

Result<> fcntl_fcntl(ThreadState& ts, Args args) {
  MVM_TRY(int fd, ToDescriptor(ts, args[0]));
  MVM_TRY(int64_t command, AsInt64(ts, args[1]));
  if (command > INT32_MAX || command < INT32_MIN) {
    return Raise(ts, Exc::kOverflowError, "Python int too large to convert to C int");
  }
  int cmd = static_cast<int>(command);
  Value arg = args[2];
  if (IsStr(ts, arg) || IsBytes(ts, arg)) {
    std::string text;
    MVM_TRY_VOID(BytesOf(ts, arg, &text));
    if (text.size() > kMaxArgument) return Raise(ts, Exc::kValueError, "fcntl string arg too long");
    char buffer[kMaxArgument + 8] = {};  // the system may write a little more than was given
    std::memcpy(buffer, text.data(), text.size());
    MVM_TRY_VOID(Retry(ts, [&] { return fcntl(fd, cmd, buffer); }));
    return NewBytes(ts, {buffer, text.size()});
  }
  MVM_TRY(int value, LowInt(ts, arg));
  MVM_TRY(int r, Retry(ts, [&] { return fcntl(fd, cmd, static_cast<long>(value)); }));
  return Small(r);
}

Result<> fcntl_ioctl(ThreadState& ts, Args args) {
  MVM_TRY(int fd, ToDescriptor(ts, args[0]));
  MVM_TRY(Ref<> request_int, Index(ts, args[1]));
  unsigned long request = static_cast<uint32_t>(IntLowBits(request_int));
  Value arg = args[2];
  MVM_TRY(bool mutate, Truth(ts, args[3]));
  char buffer[kMaxArgument + 8] = {};
  if (!IsStr(ts, arg) && HasBuffer(ts, arg)) {
    BufferView view;
    MVM_TRY_VOID(GetBuffer(ts, arg, &view));
    if (!view.readonly && mutate) {
      // Small ones go by way of a buffer with room to spare.
      char* data = reinterpret_cast<char*>(view.data);
      size_t size = static_cast<size_t>(view.size);
      bool copy = size <= kMaxArgument;
      if (copy) std::memcpy(buffer, data, size);
      int r = Blocking(ts, [&] { return ioctl(fd, request, copy ? buffer : data); });
      int error = errno;
      if (copy) std::memcpy(data, buffer, size);
      if (r < 0) return RaiseErrno(ts, error);
      return Small(r);
    }
  }
  std::string text;
  MVM_TRY(bool is_bytes, BytesOf(ts, arg, &text));
  if (is_bytes) {
    if (text.size() > kMaxArgument) return Raise(ts, Exc::kValueError, "ioctl string arg too long");
    std::memcpy(buffer, text.data(), text.size());
    if (Blocking(ts, [&] { return ioctl(fd, request, buffer); }) < 0) return RaiseErrno(ts, errno);
    return NewBytes(ts, {buffer, text.size()});
  }
  if (TypeOf(ts, arg)->operators->index == nullptr) {
    return Raise(ts, Exc::kTypeError,
                 "ioctl requires a file or file descriptor, an integer and optionally an "
                 "integer or buffer argument");
  }
  MVM_TRY(int value, LowInt(ts, arg));
  int r = Blocking(ts, [&] { return ioctl(fd, request, static_cast<long>(value)); });
  if (r < 0) return RaiseErrno(ts, errno);
  return Small(r);
}

Result<> fcntl_flock(ThreadState& ts, Args args) {
  MVM_TRY(int fd, ToDescriptor(ts, args[0]));
  MVM_TRY(int operation, AsCInt(ts, args[1]));
  MVM_TRY_VOID(Retry(ts, [&] { return flock(fd, operation); }));
  return None(ts);
}

Result<> fcntl_lockf(ThreadState& ts, Args args) {
  MVM_TRY(int fd, ToDescriptor(ts, args[0]));
  MVM_TRY(int code, AsCInt(ts, args[1]));
  MVM_TRY(int whence, AsCInt(ts, args[4]));
  struct flock lock = {};
  if (code == LOCK_UN) {
    lock.l_type = F_UNLCK;
  } else if (code & LOCK_SH) {
    lock.l_type = F_RDLCK;
  } else if (code & LOCK_EX) {
    lock.l_type = F_WRLCK;
  } else {
    return Raise(ts, Exc::kValueError, "unrecognized lockf argument");
  }
  MVM_TRY(int64_t length, AsInt64(ts, args[2]));
  MVM_TRY(int64_t start, AsInt64(ts, args[3]));
  lock.l_start = start;
  lock.l_len = length;
  lock.l_whence = static_cast<short>(whence);
  MVM_TRY_VOID(Retry(ts, [&] { return fcntl(fd, code & LOCK_NB ? F_SETLK : F_SETLKW, &lock); }));
  return None(ts);
}

const MethodSpec kFunctions[] = {
    {"fcntl(fd, cmd, arg=0, /)", fcntl_fcntl,
     "Do cmd on a descriptor, or on what fileno() names.\n"
     "\n"
     "An int arg gives an int. A str or bytes of up to 1024 bytes is copied; the copy is returned "
     "with what the system wrote there."},
    {"flock(fd, operation, /)", fcntl_flock,
     "Lock a whole file or free it: LOCK_SH, LOCK_EX or LOCK_UN, with LOCK_NB to fail instead of "
     "waiting."},
    {"ioctl(fd, request, arg=0, mutate_flag=True, /)", fcntl_ioctl,
     "Ask a device for request.\n"
     "\n"
     "An int arg gives an int. A writable buffer takes what the system writes, unless mutate_flag "
     "is false. A str or\n"
     "other buffer of up to 1024 bytes is copied, and the copy is returned as the system left it."},
    {"lockf(fd, cmd, len=0, start=0, whence=0, /)", fcntl_lockf,
     "Lock a part of a file or free it, for this process.\n"
     "\n"
     "cmd is LOCK_SH, LOCK_EX or LOCK_UN, with LOCK_NB to fail instead of waiting. The part is len "
     "bytes from start,\n"
     "which whence relates to the beginning, the position or the end; a len of 0 goes on to the "
     "end."},
};

const ConstantSpec kConstants[] = {
#define C(name) \
  { #name, ConstantSpec::kInt, static_cast < int64_t>(name) }
    C(DN_ACCESS),
    C(DN_ATTRIB),
    C(DN_CREATE),
    C(DN_DELETE),
    C(DN_MODIFY),
    C(DN_RENAME),
    C(FASYNC),
    C(FD_CLOEXEC),
    C(FICLONE),
    C(FICLONERANGE),
    C(F_ADD_SEALS),
    C(F_DUPFD),
    C(F_DUPFD_CLOEXEC),
    C(F_EXLCK),
    C(F_GETFD),
    C(F_GETFL),
    C(F_GETLEASE),
    C(F_GETLK),
    C(F_GETLK64),
    C(F_GETOWN),
    C(F_GETOWN_EX),
    C(F_GETPIPE_SZ),
    C(F_GETSIG),
    C(F_GET_FILE_RW_HINT),
    C(F_GET_RW_HINT),
    C(F_GET_SEALS),
    C(F_NOTIFY),
    C(F_OFD_GETLK),
    C(F_OFD_SETLK),
    C(F_OFD_SETLKW),
    C(F_OWNER_PGRP),
    C(F_OWNER_PID),
    C(F_OWNER_TID),
    C(F_RDLCK),
    C(F_SEAL_FUTURE_WRITE),
    C(F_SEAL_GROW),
    C(F_SEAL_SEAL),
    C(F_SEAL_SHRINK),
    C(F_SEAL_WRITE),
    C(F_SETFD),
    C(F_SETFL),
    C(F_SETLEASE),
    C(F_SETLK),
    C(F_SETLK64),
    C(F_SETLKW),
    C(F_SETLKW64),
    C(F_SETOWN),
    C(F_SETOWN_EX),
    C(F_SETPIPE_SZ),
    C(F_SETSIG),
    C(F_SET_FILE_RW_HINT),
    C(F_SET_RW_HINT),
    C(F_SHLCK),
    C(F_UNLCK),
    C(F_WRLCK),
    C(LOCK_EX),
    C(LOCK_MAND),
    C(LOCK_NB),
    C(LOCK_READ),
    C(LOCK_RW),
    C(LOCK_SH),
    C(LOCK_UN),
    C(LOCK_WRITE),
    C(RWH_WRITE_LIFE_EXTREME),
    C(RWH_WRITE_LIFE_LONG),
    C(RWH_WRITE_LIFE_MEDIUM),
    C(RWH_WRITE_LIFE_NONE),
    C(RWH_WRITE_LIFE_SHORT),
#undef C
    {"DN_MULTISHOT", ConstantSpec::kInt, int64_t{1} << 31},
    {"RWH_WRITE_LIFE_NOT_SET", ConstantSpec::kInt, 0},
};

}  // namespace

extern const ModuleSpec k_fcntl_module;
const ModuleSpec k_fcntl_module = {
    .name = "fcntl",
    .doc = "File locks, and the fcntl() and ioctl() of the system.",
    .functions = kFunctions,
    .constants = kConstants,
};

}  // namespace minivm
