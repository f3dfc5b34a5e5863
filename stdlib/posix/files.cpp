// Files by their names: making, removing, renaming, linking, permissions and times, in the module
// posix; and the arguments that all its parts take.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>

#include "runtime/objects/dict_object.h"
#include "runtime/objects/float_object.h"
#include "stdlib/posix/posix_support.h"

namespace minivm {

Result<> PathResult(ThreadState& ts, std::string_view name, bool bytes) {
  if (bytes) return NewBytes(ts, name);
  return NewStrFromOs(ts, name);
}

Result<int64_t> AsOffset(ThreadState& ts, Value v) {
  MVM_TRY(Ref<> i, Index(ts, v));
  int64_t n;
  if (!IntFitsInt64(i, &n))
    return Raise(ts, Exc::kOverflowError, "Python int too large to convert to C long");
  return n;
}

Result<int> DirFd(ThreadState& ts, Value v) {
  if (v.is_absent() || IsNone(ts, v)) return AT_FDCWD;
  if (TypeOf(ts, v)->operators->index == nullptr) {
    return Raise(ts, Exc::kTypeError, "argument should be integer or None, not %T", v);
  }
  MVM_TRY_VOID(WarnIfBool(ts, v));
  return AsCInt(ts, v);
}

namespace {

Result<> posix_mkdir(ThreadState& ts, Args args) {
  PathArg p;
  MVM_TRY_VOID(GetPath(ts, args[0], &p, "mkdir"));
  MVM_TRY(int mode, AsCInt(ts, args[1]));
  MVM_TRY(int dir, DirFd(ts, args[2]));
  return DoneOrErrno(
      ts, Blocking(ts, [&] { return mkdirat(dir, p.c_str(), static_cast<mode_t>(mode)); }), &p);
}
Result<> posix_rmdir(ThreadState& ts, Args args) {
  PathArg p;
  MVM_TRY_VOID(GetPath(ts, args[0], &p, "rmdir"));
  MVM_TRY(int dir, DirFd(ts, args[1]));
  return DoneOrErrno(ts, Blocking(ts, [&] { return unlinkat(dir, p.c_str(), AT_REMOVEDIR); }), &p);
}
Result<> posix_unlink(ThreadState& ts, Args args) {
  PathArg p;
  MVM_TRY_VOID(GetPath(ts, args[0], &p, "unlink"));
  MVM_TRY(int dir, DirFd(ts, args[1]));
  return DoneOrErrno(ts, Blocking(ts, [&] { return unlinkat(dir, p.c_str(), 0); }), &p);
}
Result<> DoRename(ThreadState& ts, Args args, const char* function) {
  PathArg a, b;
  MVM_TRY_VOID(GetPath(ts, args[0], &a, function, "src"));
  MVM_TRY_VOID(GetPath(ts, args[1], &b, function, "dst"));
  MVM_TRY(int from, DirFd(ts, args[2]));
  MVM_TRY(int to, DirFd(ts, args[3]));
  if (Blocking(ts, [&] { return renameat(from, a.c_str(), to, b.c_str()); }) < 0) {
    return RaiseErrno(ts, errno, a.object, b.object);
  }
  return None(ts);
}
Result<> posix_rename(ThreadState& ts, Args args) { return DoRename(ts, args, "rename"); }
Result<> posix_replace(ThreadState& ts, Args args) { return DoRename(ts, args, "replace"); }
Result<> posix_link(ThreadState& ts, Args args) {
  PathArg a, b;
  MVM_TRY_VOID(GetPath(ts, args[0], &a, "link", "src"));
  MVM_TRY_VOID(GetPath(ts, args[1], &b, "link", "dst"));
  MVM_TRY(int from, DirFd(ts, args[2]));
  MVM_TRY(int to, DirFd(ts, args[3]));
  MVM_TRY(bool follow, Truth(ts, args[4]));
  const int flags = follow ? AT_SYMLINK_FOLLOW : 0;
  if (Blocking(ts, [&] { return linkat(from, a.c_str(), to, b.c_str(), flags); }) < 0) {
    return RaiseErrno(ts, errno, a.object, b.object);
  }
  return None(ts);
}
Result<> posix_symlink(ThreadState& ts, Args args) {
  PathArg a, b;
  MVM_TRY_VOID(GetPath(ts, args[0], &a, "symlink", "src"));
  MVM_TRY_VOID(GetPath(ts, args[1], &b, "symlink", "dst"));
  MVM_TRY(int dir, DirFd(ts, args[3]));
  if (Blocking(ts, [&] { return symlinkat(a.c_str(), dir, b.c_str()); }) < 0) {
    return RaiseErrno(ts, errno, a.object, b.object);
  }
  return None(ts);
}
Result<> posix_readlink(ThreadState& ts, Args args) {
  PathArg p;
  MVM_TRY_VOID(GetPath(ts, args[0], &p, "readlink"));
  MVM_TRY(int dir, DirFd(ts, args[1]));
  std::vector<char> buffer(4096);
  ssize_t n =
      Blocking(ts, [&] { return readlinkat(dir, p.c_str(), buffer.data(), buffer.size()); });
  if (n < 0) return DoneOrErrno(ts, -1, &p);
  return PathResult(ts, {buffer.data(), static_cast<size_t>(n)}, p.bytes);
}
Result<> posix_chmod(ThreadState& ts, Args args) {
  PathArg p;
  MVM_TRY_VOID(GetPath(ts, args[0], &p, "chmod", "path", true));
  MVM_TRY(int mode, AsCInt(ts, args[1]));
  MVM_TRY(int dir, DirFd(ts, args[2]));
  MVM_TRY(bool follow, Truth(ts, args[3]));
  int r = Blocking(ts, [&] {
    return p.fd >= 0 ? fchmod(p.fd, static_cast<mode_t>(mode))
                     : fchmodat(dir, p.c_str(), static_cast<mode_t>(mode),
                                follow ? 0 : AT_SYMLINK_NOFOLLOW);
  });
  if (r < 0 && !follow && (errno == ENOTSUP || errno == EOPNOTSUPP)) {
    return Raise(ts, Exc::kNotImplementedError,
                 "chmod: follow_symlinks unavailable on this platform");
  }
  return DoneOrErrno(ts, r, &p);
}
Result<> posix_fchmod(ThreadState& ts, Args args) {
  MVM_TRY(int fd, AsCInt(ts, args[0]));
  MVM_TRY(int mode, AsCInt(ts, args[1]));
  return DoneOrErrno(ts, Blocking(ts, [&] { return fchmod(fd, static_cast<mode_t>(mode)); }));
}
Result<> posix_chown(ThreadState& ts, Args args) {
  PathArg p;
  MVM_TRY_VOID(GetPath(ts, args[0], &p, "chown", "path", true));
  MVM_TRY(uid_t u, AsUid(ts, args[1]));
  MVM_TRY(gid_t g, AsGid(ts, args[2]));
  MVM_TRY(int dir, DirFd(ts, args[3]));
  MVM_TRY(bool follow, Truth(ts, args[4]));
  int r = Blocking(ts, [&] {
    return p.fd >= 0 ? fchown(p.fd, u, g)
                     : fchownat(dir, p.c_str(), u, g, follow ? 0 : AT_SYMLINK_NOFOLLOW);
  });
  return DoneOrErrno(ts, r, &p);
}
Result<> posix_lchown(ThreadState& ts, Args args) {
  PathArg p;
  MVM_TRY_VOID(GetPath(ts, args[0], &p, "lchown"));
  MVM_TRY(uid_t u, AsUid(ts, args[1]));
  MVM_TRY(gid_t g, AsGid(ts, args[2]));
  return DoneOrErrno(ts, Blocking(ts, [&] { return lchown(p.c_str(), u, g); }), &p);
}
Result<> posix_fchown(ThreadState& ts, Args args) {
  MVM_TRY(int fd, AsCInt(ts, args[0]));
  MVM_TRY(uid_t u, AsUid(ts, args[1]));
  MVM_TRY(gid_t g, AsGid(ts, args[2]));
  return RetryDone(ts, [&] { return fchown(fd, u, g); });
}
Result<> posix_access(ThreadState& ts, Args args) {
  PathArg p;
  MVM_TRY_VOID(GetPath(ts, args[0], &p, "access"));
  MVM_TRY(int mode, AsCInt(ts, args[1]));
  MVM_TRY(int dir, DirFd(ts, args[2]));
  MVM_TRY(bool effective, Truth(ts, args[3]));
  MVM_TRY(bool follow, Truth(ts, args[4]));
  int flags = (effective ? AT_EACCESS : 0) | (follow ? 0 : AT_SYMLINK_NOFOLLOW);
  return Bool(ts, Blocking(ts, [&] { return faccessat(dir, p.c_str(), mode, flags); }) == 0);
}
Result<> posix_getcwd(ThreadState& ts, Args args) {
  char buffer[8192];
  if (getcwd(buffer, sizeof buffer) == nullptr) return RaiseErrno(ts, errno);
  return NewStrFromOs(ts, buffer);
}
Result<> posix_getcwdb(ThreadState& ts, Args args) {
  char buffer[8192];
  if (getcwd(buffer, sizeof buffer) == nullptr) return RaiseErrno(ts, errno);
  return NewBytes(ts, buffer);
}
Result<> posix_chdir(ThreadState& ts, Args args) {
  PathArg p;
  MVM_TRY_VOID(GetPath(ts, args[0], &p, "chdir", "path", true));
  return DoneOrErrno(ts, Blocking(ts, [&] { return p.fd >= 0 ? fchdir(p.fd) : chdir(p.c_str()); }),
                     &p);
}
Result<> posix_truncate(ThreadState& ts, Args args) {
  PathArg p;
  MVM_TRY_VOID(GetPath(ts, args[0], &p, "truncate", "path", true));
  MVM_TRY(int64_t length, AsInt64(ts, args[1]));
  return DoneOrErrno(
      ts,
      Blocking(ts,
               [&] { return p.fd >= 0 ? ftruncate(p.fd, length) : truncate(p.c_str(), length); }),
      &p);
}
Result<> posix_umask(ThreadState& ts, Args args) {
  MVM_TRY(int mask, AsCInt(ts, args[0]));
  return Small(umask(static_cast<mode_t>(mask)));
}
Result<> posix_mkfifo(ThreadState& ts, Args args) {
  PathArg p;
  MVM_TRY_VOID(GetPath(ts, args[0], &p, "mkfifo"));
  MVM_TRY(int mode, AsCInt(ts, args[1]));
  MVM_TRY(int dir, DirFd(ts, args[2]));
  return DoneOrErrno(
      ts, Blocking(ts, [&] { return mkfifoat(dir, p.c_str(), static_cast<mode_t>(mode)); }), &p);
}

// utime(path, times=None, *, ns=..., dir_fd=None, follow_symlinks=True)
Result<> posix_utime(ThreadState& ts, Args args) {
  PathArg p;
  MVM_TRY_VOID(GetPath(ts, args[0], &p, "utime", "path", true));
  bool has_times = args.has(1) && !IsNone(ts, args[1]), has_ns = args.has(2);
  if (has_times && has_ns) {
    return Raise(ts, Exc::kValueError,
                 "utime: you may specify either 'times' or 'ns' but not both");
  }
  struct timespec t[2] = {{0, UTIME_NOW}, {0, UTIME_NOW}};
  if (has_times || has_ns) {
    Value pair = has_ns ? args[2] : args[1];
    if (!IsTuple(ts, pair) || pair.as<TupleObject>()->size() != 2) {
      return Raise(ts, Exc::kTypeError,
                   has_ns ? "utime: 'ns' must be a tuple of two ints"
                          : "utime: 'times' must be either a tuple of two ints or None");
    }
    for (int i = 0; i < 2; ++i) {
      Value v = pair.as<TupleObject>()->items()[i];
      if (has_ns) {
        MVM_TRY(int64_t n, AsInt64(ts, v));
        t[i].tv_sec = n / 1000000000 - (n % 1000000000 < 0);
        t[i].tv_nsec = ((n % 1000000000) + 1000000000) % 1000000000;
      } else if (IsFloat(ts, v)) {
        double d = FloatValue(v), whole = std::floor(d);
        if (!(std::fabs(d) < 9e18))
          return Raise(ts, Exc::kOverflowError, "timestamp out of range for platform time_t");
        t[i].tv_sec = static_cast<time_t>(whole);
        t[i].tv_nsec = static_cast<long>((d - whole) * 1e9);
      } else {
        MVM_TRY(int64_t n, AsInt64(ts, v));
        t[i] = {n, 0};
      }
    }
  }
  MVM_TRY(int dir, DirFd(ts, args[3]));
  MVM_TRY(bool follow, Truth(ts, args[4]));
  int r = Blocking(ts, [&] {
    return p.fd >= 0 ? futimens(p.fd, t)
                     : utimensat(dir, p.c_str(), t, follow ? 0 : AT_SYMLINK_NOFOLLOW);
  });
  return DoneOrErrno(ts, r, &p);
}

Result<> posix_fspath(ThreadState& ts, Args args) { return Fspath(ts, args[0]); }

const MethodSpec kFunctions[] = {
    {"access(path, mode, *, dir_fd=None, effective_ids=False, follow_symlinks=True)", posix_access,
     "Whether the path may be used as mode (R_OK, W_OK, X_OK, F_OK) asks; by the real user, not "
     "the effective one, by default."},
    {"chdir(path)", posix_chdir,
     "Take a path, or a descriptor of a directory, as the current directory."},
    {"chmod(path, mode, *, dir_fd=None, follow_symlinks=True)", posix_chmod,
     "Set the permission bits of a path or descriptor."},
    {"chown(path, uid, gid, *, dir_fd=None, follow_symlinks=True)", posix_chown,
     "Give a path or descriptor to a user and a group, by number; -1 leaves that one."},
    {"fchmod(fd, mode)", posix_fchmod, "Set the permission bits of an open file."},
    {"fchown(fd, uid, gid)", posix_fchown,
     "Give an open file to a user and a group, by number; -1 leaves that one."},
    {"fspath(path)", posix_fspath,
     "The path as str or bytes, from __fspath__() of another object. TypeError if it has none."},
    {"getcwd()", posix_getcwd, "The current directory."},
    {"getcwdb()", posix_getcwdb, "The current directory as bytes."},
    {"lchown(path, uid, gid)", posix_lchown, "chown() of a symbolic link itself."},
    {"link(src, dst, *, src_dir_fd=None, dst_dir_fd=None, follow_symlinks=True)", posix_link,
     "Give the file src another name, dst, on the same file system."},
    {"mkdir(path, mode=511, *, dir_fd=None)", posix_mkdir,
     "Make a directory; the umask takes from its permission bits."},
    {"mkfifo(path, mode=438, *, dir_fd=None)", posix_mkfifo,
     "Make a named pipe; the umask takes from its permission bits."},
    {"readlink(path, *, dir_fd=None)", posix_readlink,
     "What a symbolic link contains, of the same type as path."},
    {"remove(path, *, dir_fd=None)", posix_unlink,
     "Take a name of a file away; the file goes with its last name and user."},
    {"rename(src, dst, *, src_dir_fd=None, dst_dir_fd=None)", posix_rename,
     "Give src the name dst, in one step; a file of that name is gone."},
    {"replace(src, dst, *, src_dir_fd=None, dst_dir_fd=None)", posix_replace,
     "Give src the name dst; a file of that name is gone, in one step."},
    {"rmdir(path, *, dir_fd=None)", posix_rmdir, "Remove a directory."},
    {"symlink(src, dst, target_is_directory=False, *, dir_fd=None)", posix_symlink,
     "Make dst a symbolic link that contains src."},
    {"truncate(path, length)", posix_truncate,
     "Make a file, by path or descriptor, so many bytes long; new ones are zero."},
    {"umask(mask, /)", posix_umask,
     "The permission bits that new files are not to have; returns those before."},
    {"unlink(path, *, dir_fd=None)", posix_unlink, "remove() under its older name."},
    {"utime(path, times=None, *, ns=<unrepresentable>, dir_fd=None, follow_symlinks=True)",
     posix_utime,
     "Set when a file was last read and changed, by (read, changed) in seconds, or ns in "
     "nanoseconds; now by default."},
};

}  // namespace

const Table<MethodSpec> kPosixFileFunctions = kFunctions;

}  // namespace minivm
