// Descriptors: opening, reading, writing, copying and asking about them; random bytes. In the
// module posix.
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <vector>

#include "runtime/objects/struct_sequence.h"
#include "runtime/protocol/buffer.h"
#include "stdlib/posix/posix_support.h"
#include "stdlib/timeout.h"

namespace minivm {

namespace {

Result<> posix_open(ThreadState& ts, Args args) {
  PathArg p;
  MVM_TRY_VOID(GetPath(ts, args[0], &p, "open"));
  MVM_TRY(int flags, AsCInt(ts, args[1]));
  MVM_TRY(int mode, AsCInt(ts, args[2]));
  MVM_TRY(int dir, DirFd(ts, args[3]));
  bool raised;
  int fd = RetryInterrupted(
      ts, [&] { return openat(dir, p.c_str(), flags | O_CLOEXEC, mode); }, &raised);
  if (raised) return kRaised;
  if (fd < 0) return DoneOrErrno(ts, fd, &p);
  return Small(fd);
}
Result<> posix_close(ThreadState& ts, Args args) {
  MVM_TRY(int fd, AsCInt(ts, args[0]));
  if (Blocking(ts, [fd] { return close(fd); }) < 0 && errno != EINTR) return RaiseErrno(ts, errno);
  return None(ts);
}
Result<> posix_closerange(ThreadState& ts, Args args) {
  MVM_TRY(int low, AsCInt(ts, args[0]));
  MVM_TRY(int high, AsCInt(ts, args[1]));
  Blocking(ts, [=] {
    for (int fd = low < 0 ? 0 : low; fd < high && fd < 1 << 20; ++fd) close(fd);
  });
  return None(ts);
}
Result<> ReadInto(ThreadState& ts, int fd, int64_t n, int64_t offset) {
  if (n < 0) return RaiseErrno(ts, EINVAL);
  MVM_TRY(Ref<BytesObject> out, NewBytesRaw(ts, static_cast<size_t>(n)));
  bool raised;
  ssize_t got = RetryInterrupted(
      ts,
      [&] {
        return offset < 0 ? read(fd, out->data(), static_cast<size_t>(n))
                          : pread(fd, out->data(), static_cast<size_t>(n), offset);
      },
      &raised);
  if (raised) return kRaised;
  if (got < 0) return RaiseErrno(ts, errno);
  if (got == n) return out;
  return NewBytes(ts, out->view().substr(0, static_cast<size_t>(got)));
}
Result<> posix_read(ThreadState& ts, Args args) {
  MVM_TRY(int fd, AsCInt(ts, args[0]));
  MVM_TRY(int64_t n, AsInt64(ts, args[1]));
  if (n > 0) MVM_TRY_VOID(AwaitReadable(ts, fd));
  return ReadInto(ts, fd, n, -1);
}
Result<> posix_pread(ThreadState& ts, Args args) {
  MVM_TRY(int fd, AsCInt(ts, args[0]));
  MVM_TRY(int64_t n, AsInt64(ts, args[1]));
  MVM_TRY(int64_t offset, AsInt64(ts, args[2]));
  if (offset < 0) return RaiseErrno(ts, EINVAL);
  return ReadInto(ts, fd, n, offset);
}
Result<> WriteFrom(ThreadState& ts, int fd, Value data, int64_t offset) {
  BufferView view;
  MVM_TRY_VOID(GetBuffer(ts, data, &view));
  bool raised;
  ssize_t n = RetryInterrupted(
      ts,
      [&] {
        return offset < 0 ? write(fd, view.data, static_cast<size_t>(view.size))
                          : pwrite(fd, view.data, static_cast<size_t>(view.size), offset);
      },
      &raised);
  if (raised) return kRaised;
  if (n < 0) return RaiseErrno(ts, errno);
  return Small(n);
}
Result<> posix_write(ThreadState& ts, Args args) {
  MVM_TRY(int fd, AsCInt(ts, args[0]));
  return WriteFrom(ts, fd, args[1], -1);
}
Result<> posix_pwrite(ThreadState& ts, Args args) {
  MVM_TRY(int fd, AsCInt(ts, args[0]));
  MVM_TRY(int64_t offset, AsInt64(ts, args[2]));
  if (offset < 0) return RaiseErrno(ts, EINVAL);
  return WriteFrom(ts, fd, args[1], offset);
}
Result<> posix_lseek(ThreadState& ts, Args args) {
  MVM_TRY(int fd, AsCInt(ts, args[0]));
  MVM_TRY(int64_t position, AsInt64(ts, args[1]));
  MVM_TRY(int whence, AsCInt(ts, args[2]));
  off_t r = Blocking(ts, [=] { return lseek(fd, position, whence); });
  if (r < 0) return RaiseErrno(ts, errno);
  return NewInt(ts, r);
}
Result<> posix_dup(ThreadState& ts, Args args) {
  MVM_TRY(int fd, AsCInt(ts, args[0]));
  int r = fcntl(fd, F_DUPFD_CLOEXEC, 0);
  if (r < 0) return RaiseErrno(ts, errno);
  return Small(r);
}
Result<> posix_dup2(ThreadState& ts, Args args) {
  MVM_TRY(int fd, AsCInt(ts, args[0]));
  MVM_TRY(int fd2, AsCInt(ts, args[1]));
  MVM_TRY(bool inheritable, Truth(ts, args[2]));
  int r = Blocking(
      ts, [=] { return inheritable || fd == fd2 ? dup2(fd, fd2) : dup3(fd, fd2, O_CLOEXEC); });
  if (r < 0) return RaiseErrno(ts, errno);
  return Small(r);
}
Result<> FdPair(ThreadState& ts, int flags) {
  int fds[2];
  if (pipe2(fds, flags) < 0) return RaiseErrno(ts, errno);
  Value pair[] = {Value::Int(fds[0]), Value::Int(fds[1])};
  return NewTuple(ts, pair);
}
Result<> posix_pipe(ThreadState& ts, Args args) { return FdPair(ts, O_CLOEXEC); }
Result<> posix_pipe2(ThreadState& ts, Args args) {
  MVM_TRY(int flags, AsCInt(ts, args[0]));
  return FdPair(ts, flags);
}
Result<> posix_fsync(ThreadState& ts, Args args) {
  MVM_TRY(int fd, ToDescriptor(ts, args[0]));
  return RetryDone(ts, [&] { return fsync(fd); });
}
Result<> posix_fdatasync(ThreadState& ts, Args args) {
  MVM_TRY(int fd, ToDescriptor(ts, args[0]));
  return RetryDone(ts, [&] { return fdatasync(fd); });
}
Result<> posix_ftruncate(ThreadState& ts, Args args) {
  MVM_TRY(int fd, AsCInt(ts, args[0]));
  MVM_TRY(int64_t length, AsInt64(ts, args[1]));
  return RetryDone(ts, [&] { return ftruncate(fd, length); });
}
Result<> posix_fchdir(ThreadState& ts, Args args) {
  MVM_TRY(int fd, ToDescriptor(ts, args[0]));
  return RetryDone(ts, [&] { return fchdir(fd); });
}
Result<> posix_isatty(ThreadState& ts, Args args) {
  MVM_TRY(int fd, AsCInt(ts, args[0]));
  return Bool(ts, isatty(fd));
}
Result<> posix_ttyname(ThreadState& ts, Args args) {
  MVM_TRY(int fd, AsCInt(ts, args[0]));
  char name[256];
  int error = ttyname_r(fd, name, sizeof name);
  if (error != 0) return RaiseErrno(ts, error);
  return NewStrFromOs(ts, name);
}
Result<> posix_get_inheritable(ThreadState& ts, Args args) {
  MVM_TRY(int fd, AsCInt(ts, args[0]));
  int flags = fcntl(fd, F_GETFD);
  if (flags < 0) return RaiseErrno(ts, errno);
  return Bool(ts, !(flags & FD_CLOEXEC));
}
Result<> posix_set_inheritable(ThreadState& ts, Args args) {
  MVM_TRY(int fd, AsCInt(ts, args[0]));
  MVM_TRY(int on, AsCInt(ts, args[1]));
  int flags = fcntl(fd, F_GETFD);
  if (flags < 0) return RaiseErrno(ts, errno);
  return DoneOrErrno(ts, fcntl(fd, F_SETFD, on ? flags & ~FD_CLOEXEC : flags | FD_CLOEXEC));
}
Result<> posix_get_blocking(ThreadState& ts, Args args) {
  MVM_TRY(int fd, AsCInt(ts, args[0]));
  int flags = fcntl(fd, F_GETFL);
  if (flags < 0) return RaiseErrno(ts, errno);
  return Bool(ts, !(flags & O_NONBLOCK));
}
Result<> posix_set_blocking(ThreadState& ts, Args args) {
  MVM_TRY(int fd, AsCInt(ts, args[0]));
  MVM_TRY(bool blocking, Truth(ts, args[1]));
  int flags = fcntl(fd, F_GETFL);
  if (flags < 0) return RaiseErrno(ts, errno);
  return DoneOrErrno(ts, fcntl(fd, F_SETFL, blocking ? flags & ~O_NONBLOCK : flags | O_NONBLOCK));
}

const GetSetSpec kTerminalFields[] = {
    {"columns", StructItem<0>, nullptr, "characters in a line"},
    {"lines", StructItem<1>, nullptr, "lines on the screen"},
};
const StructSequenceSpec kTerminalSize = {
    .type = StructSequenceTypeSpec("os.terminal_size", kTerminalFields,
                                   "What get_terminal_size() gives: (columns, lines).",
                                   "structseq(sequence, dict=<unrepresentable>)"),
    .visible = 2,
    .total = 2,
};
Result<> posix_get_terminal_size(ThreadState& ts, Args args) {
  MVM_TRY(int fd, AsCInt(ts, args[0]));
  struct winsize w;
  if (ioctl(fd, TIOCGWINSZ, &w) < 0) return RaiseErrno(ts, errno);
  Value v[] = {Value::Int(w.ws_col), Value::Int(w.ws_row)};
  return NewStructSequence(ts, kTerminalSize, v);
}

Result<> posix_getrandom(ThreadState& ts, Args args) {
  MVM_TRY(int64_t n, AsInt64(ts, args[0]));
  MVM_TRY(int flags, AsCInt(ts, args[1]));
  if (n < 0) return RaiseErrno(ts, EINVAL);
  MVM_TRY(Ref<BytesObject> out, NewBytesRaw(ts, static_cast<size_t>(n)));
  bool raised;
  ssize_t got = RetryInterrupted(
      ts,
      [&] { return getrandom(out->data(), static_cast<size_t>(n), static_cast<unsigned>(flags)); },
      &raised);
  if (raised) return kRaised;
  if (got < 0) return RaiseErrno(ts, errno);
  if (got == n) return out;
  return NewBytes(ts, out->view().substr(0, static_cast<size_t>(got)));
}

Result<> posix_urandom(ThreadState& ts, Args args) {
  MVM_TRY(int64_t n, AsInt64(ts, args[0]));
  if (n < 0) return Raise(ts, Exc::kValueError, "negative argument not allowed");
  MVM_TRY(Ref<BytesObject> out, NewBytesRaw(ts, static_cast<size_t>(n)));
  for (int64_t have = 0; have < n;) {
    const size_t some = static_cast<size_t>(n - have > 1 << 20 ? 1 << 20 : n - have);
    ssize_t got = Blocking(ts, [&] { return getrandom(out->data() + have, some, 0); });
    if (got < 0 && errno != EINTR) return RaiseErrno(ts, errno);
    if (got > 0) have += got;
    MVM_TRY_VOID(Charge(ts, 1000));
  }
  return out;
}

const MethodSpec kFunctions[] = {
    {"close(fd)", posix_close, "Free a descriptor."},
    {"closerange(fd_low, fd_high, /)", posix_closerange,
     "Free the descriptors from fd_low to before fd_high, open or not."},
    {"dup(fd, /)", posix_dup,
     "Another descriptor of the same open file; programs started later do not inherit it."},
    {"dup2(fd, fd2, inheritable=True)", posix_dup2,
     "Make fd2 the same open file as fd, closing what it was; returns fd2. Not inheritable if "
     "inheritable is false."},
    {"fchdir(fd)", posix_fchdir, "Take an open directory as the current directory."},
    {"fdatasync(fd)", posix_fdatasync,
     "fsync(), but what is not needed to read the data may wait."},
    {"fsync(fd)", posix_fsync, "Return once what was written is on the disk."},
    {"ftruncate(fd, length, /)", posix_ftruncate,
     "Make an open file so many bytes long; new ones are zero."},
    {"get_blocking(fd, /)", posix_get_blocking,
     "Whether reads and writes wait; False once O_NONBLOCK is set."},
    {"get_inheritable(fd, /)", posix_get_inheritable,
     "Whether programs started later get the descriptor."},
    {"get_terminal_size(fd=1, /)", posix_get_terminal_size,
     "Columns and lines of the terminal at a descriptor. OSError if it is none."},
    {"getrandom(size, flags=0)", posix_getrandom,
     "Up to size bytes from the kernel's source of randomness."},
    {"isatty(fd, /)", posix_isatty, "Whether the descriptor is a terminal."},
    {"lseek(fd, position, whence, /)", posix_lseek,
     "Go to a position from the start, the present one (whence 1) or the end (2); returns where "
     "that is."},
    {"open(path, flags, mode=511, *, dir_fd=None)", posix_open,
     "A descriptor of a file, by flags (O_RDONLY, O_CREAT, ...); mode is for a new one. Programs "
     "started later do not inherit it."},
    {"pipe()", posix_pipe, "A pipe (to read, to write); programs started later do not inherit it."},
    {"pipe2(flags, /)", posix_pipe2,
     "A pipe (to read, to write), with O_NONBLOCK, O_CLOEXEC or others set from the beginning."},
    {"pread(fd, length, offset, /)", posix_pread,
     "Up to length bytes from offset; the position stays."},
    {"pwrite(fd, buffer, offset, /)", posix_pwrite,
     "Write at offset, whatever the position is, which stays; returns how many bytes."},
    {"read(fd, length, /)", posix_read,
     "Up to length bytes from where the descriptor is; b'' at the end."},
    {"set_blocking(fd, blocking, /)", posix_set_blocking,
     "Let reads and writes wait, or fail with BlockingIOError instead."},
    {"set_inheritable(fd, inheritable, /)", posix_set_inheritable,
     "Let programs started later have the descriptor, or not."},
    {"ttyname(fd, /)", posix_ttyname, "The path of the terminal at a descriptor."},
    {"urandom(size, /)", posix_urandom,
     "That many bytes from the kernel's source of randomness, fit for keys."},
    {"write(fd, data, /)", posix_write,
     "Write as many bytes as the system takes, and return how many."},
};

}  // namespace

const Table<MethodSpec> kPosixDescriptorFunctions = kFunctions;

Status AddPosixDescriptorTypes(ThreadState& ts, ModuleObject* module) {
  MVM_TRY(TypeObject * size, StructSequenceType(ts, kTerminalSize));
  return ModuleAdd(ts, module, "terminal_size", Value(size));
}

}  // namespace minivm
