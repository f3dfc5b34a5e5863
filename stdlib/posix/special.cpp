// Special files and descriptors in the module posix: devices, terminals, event and timer
// descriptors, anonymous files.
#include <fcntl.h>
#include <pty.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/timerfd.h>
#include <unistd.h>
#include <utmp.h>

#include <cmath>

#include "runtime/objects/float_object.h"
#include "stdlib/posix/posix_support.h"
#include "stdlib/timeout.h"

namespace minivm {

namespace {

Result<> Descriptor(ThreadState& ts, int fd) {
  if (fd < 0) return RaiseErrno(ts, errno);
  return Small(fd);
}

// ---- devices ----

// A device number, or -1 for none (NODEV).
Result<dev_t> AsDevice(ThreadState& ts, Value v) {
  MVM_TRY(Ref<> i, Index(ts, v));
  uint64_t u;
  int64_t s;
  if (IntFitsUint64(i, &u)) return static_cast<dev_t>(u);
  if (IntFitsInt64(i, &s) && s == -1) return static_cast<dev_t>(-1);
  if (IntSign(i) < 0) {
    return Raise(ts, Exc::kOverflowError, "can't convert negative int to unsigned");
  }
  return Raise(ts, Exc::kOverflowError, "int too big to convert");
}
Result<> posix_mknod(ThreadState& ts, Args args) {
  PathArg p;
  MVM_TRY_VOID(GetPath(ts, args[0], &p, "mknod"));
  MVM_TRY(int mode, AsCInt(ts, args[1]));
  MVM_TRY(dev_t device, AsDevice(ts, args[2]));
  MVM_TRY(int dir, DirFd(ts, args[3]));
  int r = Blocking(ts, [&] { return mknodat(dir, p.c_str(), static_cast<mode_t>(mode), device); });
  return DoneOrErrno(ts, r, &p);
}
Result<> PartOfDevice(ThreadState& ts, Value v, bool want_major) {
  MVM_TRY(dev_t device, AsDevice(ts, v));
  if (device == static_cast<dev_t>(-1)) return Small(-1);  // NODEV
  return Small(want_major ? major(device) : minor(device));
}
Result<> posix_major(ThreadState& ts, Args args) { return PartOfDevice(ts, args[0], true); }
Result<> posix_minor(ThreadState& ts, Args args) { return PartOfDevice(ts, args[0], false); }
Result<> posix_makedev(ThreadState& ts, Args args) {
  MVM_TRY(dev_t high, AsDevice(ts, args[0]));
  MVM_TRY(dev_t low, AsDevice(ts, args[1]));
  if (high == static_cast<dev_t>(-1) && low == static_cast<dev_t>(-1)) return Small(-1);
  if (high > UINT32_MAX || low > UINT32_MAX)
    return Raise(ts, Exc::kOverflowError, "device number out of range");
  return NewIntU64(ts, makedev(static_cast<unsigned>(high), static_cast<unsigned>(low)));
}

// ---- terminals ----

Result<> Pair(ThreadState& ts, int a, int b) {
  Value pair[] = {Value::Int(a), Value::Int(b)};
  return NewTuple(ts, pair);
}
Result<> posix_openpty(ThreadState& ts, Args args) {
  int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (master < 0) return RaiseErrno(ts, errno);
  char name[256];
  int slave = -1;
  if (grantpt(master) == 0 && unlockpt(master) == 0 && ptsname_r(master, name, sizeof name) == 0) {
    slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
  }
  if (slave < 0) {
    int error = errno;
    close(master);
    return RaiseErrno(ts, error);
  }
  return Pair(ts, master, slave);
}
Result<> posix_login_tty(ThreadState& ts, Args args) {
  MVM_TRY(int fd, AsCInt(ts, args[0]));
  return DoneOrErrno(ts, login_tty(fd));
}
Result<> posix_posix_openpt(ThreadState& ts, Args args) {
  MVM_TRY(int flags, AsCInt(ts, args[0]));
  return Descriptor(ts, posix_openpt(flags | O_CLOEXEC));
}
Result<> posix_grantpt(ThreadState& ts, Args args) {
  MVM_TRY(int fd, AsCInt(ts, args[0]));
  return DoneOrErrno(ts, grantpt(fd));
}
Result<> posix_unlockpt(ThreadState& ts, Args args) {
  MVM_TRY(int fd, AsCInt(ts, args[0]));
  return DoneOrErrno(ts, unlockpt(fd));
}
Result<> posix_ptsname(ThreadState& ts, Args args) {
  MVM_TRY(int fd, AsCInt(ts, args[0]));
  char name[256];
  int error = ptsname_r(fd, name, sizeof name);
  if (error != 0) return RaiseErrno(ts, error < 0 ? errno : error);
  return NewStrFromOs(ts, name);
}
Result<> posix_ctermid(ThreadState& ts, Args args) {
  char name[L_ctermid];
  return NewStrFromOs(ts, ctermid(name));
}
Result<> posix_tcgetpgrp(ThreadState& ts, Args args) {
  MVM_TRY(int fd, AsCInt(ts, args[0]));
  pid_t group = tcgetpgrp(fd);
  if (group < 0) return RaiseErrno(ts, errno);
  return Small(group);
}
Result<> posix_tcsetpgrp(ThreadState& ts, Args args) {
  MVM_TRY(int fd, AsCInt(ts, args[0]));
  MVM_TRY(int group, AsCInt(ts, args[1]));
  return DoneOrErrno(ts, tcsetpgrp(fd, group));
}
Result<> posix_device_encoding(ThreadState& ts, Args args) {
  MVM_TRY(int fd, AsCInt(ts, args[0]));
  if (fd < 0 || !isatty(fd)) return None(ts);
  return NewStr(ts, "utf-8");
}

// ---- event descriptors ----

Result<> posix_eventfd(ThreadState& ts, Args args) {
  MVM_TRY(Ref<> initial, Index(ts, args[0]));
  MVM_TRY(int flags, args.has(1) ? AsCInt(ts, args[1]) : Result<int>(EFD_CLOEXEC));
  return Descriptor(ts, eventfd(static_cast<unsigned>(IntLowBits(initial)), flags));
}
Result<> posix_eventfd_read(ThreadState& ts, Args args) {
  MVM_TRY(int fd, AsCInt(ts, args[0]));
  MVM_TRY_VOID(AwaitReadable(ts, fd));
  eventfd_t value = 0;
  bool raised;
  int r = RetryInterrupted(
      ts, [&] { return eventfd_read(fd, &value); }, &raised);
  if (raised) return kRaised;
  if (r < 0) return RaiseErrno(ts, errno);
  return NewIntU64(ts, value);
}
Result<> posix_eventfd_write(ThreadState& ts, Args args) {
  MVM_TRY(int fd, AsCInt(ts, args[0]));
  if (!IsInt(ts, args[1])) return Raise(ts, Exc::kTypeError, "an integer is required");
  if (IntSign(args[1]) < 0) return Raise(ts, Exc::kValueError, "value must be positive");
  uint64_t value;
  if (!IntFitsUint64(args[1], &value)) {
    return Raise(ts, Exc::kOverflowError, "int too big to convert");
  }
  return RetryDone(ts, [&] { return eventfd_write(fd, value); });
}

// ---- timer descriptors ----

Result<> posix_timerfd_create(ThreadState& ts, Args args) {
  MVM_TRY(int clock, AsCInt(ts, args[0]));
  MVM_TRY(int flags, args.has(1) ? AsCInt(ts, args[1]) : Result<int>(TFD_CLOEXEC));
  // Never inherited, whatever else is asked for.
  return Descriptor(ts, timerfd_create(clock, flags | TFD_CLOEXEC));
}
// (next expiration, interval) in seconds or nanoseconds.
Result<> TimerResult(ThreadState& ts, const struct itimerspec& t, bool nanoseconds) {
  Ref<> hold[2];
  const struct timespec* parts[] = {&t.it_value, &t.it_interval};
  for (int i = 0; i < 2; ++i) {
    if (nanoseconds) {
      MVM_TRY(hold[i], NewInt(ts, int64_t{parts[i]->tv_sec} * 1'000'000'000 + parts[i]->tv_nsec));
    } else {
      MVM_TRY(hold[i], NewFloat(ts, static_cast<double>(parts[i]->tv_sec) +
                                        1e-9 * static_cast<double>(parts[i]->tv_nsec)));
    }
  }
  Value pair[] = {hold[0].get(), hold[1].get()};
  return NewTuple(ts, pair);
}
Result<> TimerGet(ThreadState& ts, Args args, bool nanoseconds) {
  MVM_TRY(int fd, AsCInt(ts, args[0]));
  struct itimerspec t;
  if (timerfd_gettime(fd, &t) < 0) return RaiseErrno(ts, errno);
  return TimerResult(ts, t, nanoseconds);
}
Result<> TimerSet(ThreadState& ts, Args args, bool nanoseconds) {
  MVM_TRY(int fd, AsCInt(ts, args[0]));
  MVM_TRY(int flags, AsCInt(ts, args[1]));
  int64_t ns[2];
  for (uint32_t i = 0; i < 2; ++i) {
    if (nanoseconds) {
      MVM_TRY(ns[i], AsInt64(ts, args[2 + i]));
    } else {
      MVM_TRY(double seconds, AsDouble(ts, args[2 + i]));
      MVM_TRY(Ref<> f, NewFloat(ts, seconds));
      MVM_TRY(ns[i], ToNanoseconds(ts, f, 1'000'000'000, "must be real number"));
    }
  }
  struct itimerspec next = {.it_interval = ToTimespec(ns[1]), .it_value = ToTimespec(ns[0])};
  struct itimerspec old;
  if (timerfd_settime(fd, flags, &next, &old) < 0) return RaiseErrno(ts, errno);
  return TimerResult(ts, old, nanoseconds);
}
Result<> posix_timerfd_gettime(ThreadState& ts, Args args) { return TimerGet(ts, args, false); }
Result<> posix_timerfd_gettime_ns(ThreadState& ts, Args args) { return TimerGet(ts, args, true); }
Result<> posix_timerfd_settime(ThreadState& ts, Args args) { return TimerSet(ts, args, false); }
Result<> posix_timerfd_settime_ns(ThreadState& ts, Args args) { return TimerSet(ts, args, true); }

// ---- other descriptors ----

Result<> posix_memfd_create(ThreadState& ts, Args args) {
  PathArg name;
  MVM_TRY_VOID(GetPath(ts, args[0], &name, "memfd_create", "name"));
  MVM_TRY(Ref<> flags, args.has(1) ? Index(ts, args[1]) : Small(MFD_CLOEXEC));
  return Descriptor(ts, memfd_create(name.c_str(), static_cast<unsigned>(IntLowBits(flags))));
}
Result<> posix_pidfd_open(ThreadState& ts, Args args) {
  MVM_TRY(int pid, AsCInt(ts, args[0]));
  MVM_TRY(int flags, AsCInt(ts, args[1]));
  return Descriptor(ts, static_cast<int>(syscall(SYS_pidfd_open, pid, flags)));
}

const MethodSpec kFunctions[] = {
    {"ctermid()", posix_ctermid, "The path that means this process's terminal."},
    {"device_encoding(fd)", posix_device_encoding,
     "The encoding at a terminal; None if the descriptor is none."},
    {"eventfd(initval, flags=<unrepresentable>)", posix_eventfd,
     "A descriptor that counts: eventfd_write() adds, eventfd_read() takes all, or 1 with "
     "EFD_SEMAPHORE."},
    {"eventfd_read(fd)", posix_eventfd_read, "Read eventfd value."},
    {"eventfd_write(fd, value)", posix_eventfd_write,
     "Add to the counter of an eventfd() descriptor; waits while it would overflow."},
    {"grantpt(fd, /)", posix_grantpt, "Let the other end of a pseudo-terminal be opened."},
    {"login_tty(fd, /)", posix_login_tty,
     "Make a terminal the one of a new session, with standard input, output and error on it."},
    {"major(device, /)", posix_major, "The major part of a device number: which driver."},
    {"makedev(major, minor, /)", posix_makedev, "The device number with these parts."},
    {"memfd_create(name, flags=<unrepresentable>)", posix_memfd_create,
     "A descriptor of a file in memory, gone with its last user; the name is for /proc only."},
    {"minor(device, /)", posix_minor,
     "The minor part of a device number: which of a driver's devices."},
    {"mknod(path, mode=384, device=0, *, dir_fd=None)", posix_mknod,
     "Make a file, pipe or device, as the type bits of mode say; device is a number of makedev()."},
    {"openpty()", posix_openpty,
     "A new pseudo-terminal: descriptors (controlling end, other end), which programs started "
     "later do not inherit."},
    {"pidfd_open(pid, flags=0)", posix_pidfd_open,
     "A descriptor that stands for a process, which is ready to be read when that has ended."},
    {"posix_openpt(oflag, /)", posix_posix_openpt,
     "A descriptor of the controlling end of a new pseudo-terminal."},
    {"ptsname(fd, /)", posix_ptsname, "The path of the other end of a pseudo-terminal."},
    {"tcgetpgrp(fd, /)", posix_tcgetpgrp,
     "The process group that a terminal sends its signals to."},
    {"tcsetpgrp(fd, pgid, /)", posix_tcsetpgrp,
     "Set the process group that a terminal sends its signals to."},
    {"timerfd_create(clockid, /, *, flags=<unrepresentable>)", posix_timerfd_create,
     "A descriptor that is ready to be read when a timer goes off; timerfd_settime() sets it."},
    {"timerfd_gettime(fd, /)", posix_timerfd_gettime,
     "Seconds until the timer goes off, and from then on between: (next, interval)."},
    {"timerfd_gettime_ns(fd, /)", posix_timerfd_gettime_ns,
     "Nanoseconds until the timer goes off, and from then on between: (next, interval)."},
    {"timerfd_settime(fd, /, *, flags=0, initial=0.0, interval=0.0)", posix_timerfd_settime,
     "Set when a timer goes off, and again every interval; in seconds, 0: never. Returns what was "
     "set."},
    {"timerfd_settime_ns(fd, /, *, flags=0, initial=0, interval=0)", posix_timerfd_settime_ns,
     "Set when a timer goes off, and again every interval; in nanoseconds, 0: never. Returns what "
     "was set."},
    {"unlockpt(fd, /)", posix_unlockpt,
     "Allow the other end of a pseudo-terminal to be opened, after grantpt()."},
};

}  // namespace

const Table<MethodSpec> kPosixSpecialFunctions = kFunctions;

}  // namespace minivm
