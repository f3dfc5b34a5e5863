// Files and directories of the module posix.
#include <dirent.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <vector>

#include "runtime/objects/dict_object.h"
#include "runtime/objects/float_object.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/struct_sequence.h"
#include "runtime/protocol/buffer.h"
#include "stdlib/fs_path.h"
#include "stdlib/posix/posix_support.h"

namespace minivm {

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
      const Slots& s = TypeOf(ts, v)->slots;
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

Result<> PathResult(ThreadState& ts, std::string_view name, bool bytes) {
  if (bytes) return NewBytes(ts, name);
  return NewStrFromOs(ts, name);
}

Result<int> AsCInt(ThreadState& ts, Value v) {
  MVM_TRY(Ref<> i, Index(ts, v));
  int64_t n;
  if (!IntFitsInt64(i, &n) || n > INT32_MAX || n < INT32_MIN) {
    return Raise(ts, Exc::kOverflowError,
                 IntSign(i) > 0 ? "signed integer is greater than maximum"
                                : "signed integer is less than minimum");
  }
  return static_cast<int>(n);
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
  if (TypeOf(ts, v)->slots.index == nullptr) {
    return Raise(ts, Exc::kTypeError, "argument should be integer or None, not %T", v);
  }
  MVM_TRY_VOID(WarnIfBool(ts, v));
  return AsCInt(ts, v);
}

namespace {

// ---- stat ----

const GetSetSpec kStatFields[] = {
    {"st_mode", StructItem<0>, nullptr, "type and permission bits"},
    {"st_ino", StructItem<1>, nullptr, "number on its device"},
    {"st_dev", StructItem<2>, nullptr, "number of the device that has it"},
    {"st_nlink", StructItem<3>, nullptr, "how many names the file has"},
    {"st_uid", StructItem<4>, nullptr, "the owner's number"},
    {"st_gid", StructItem<5>, nullptr, "the group's number"},
    {"st_size", StructItem<6>, nullptr, "bytes in the file, or in a symbolic link's path"},
    {"st_atime", StructItem<10>, nullptr, "when it was last read, in seconds since 1970"},
    {"st_mtime", StructItem<11>, nullptr, "when its contents last changed, in seconds since 1970"},
    {"st_ctime", StructItem<12>, nullptr,
     "when it or its attributes last changed, in seconds since 1970"},
    {"st_atime_ns", StructItem<13>, nullptr, "when it was last read, in nanoseconds since 1970"},
    {"st_mtime_ns", StructItem<14>, nullptr,
     "when its contents last changed, in nanoseconds since 1970"},
    {"st_ctime_ns", StructItem<15>, nullptr,
     "when it or its attributes last changed, in nanoseconds since 1970"},
    {"st_blksize", StructItem<16>, nullptr, "bytes that are best read or written at once"},
    {"st_blocks", StructItem<17>, nullptr, "512-byte blocks that it takes"},
    {"st_rdev", StructItem<18>, nullptr, "which device it is, if it is one"},
};
const StructSequenceSpec kStatResult = {
    .type = StructSequenceTypeSpec(
        "os.stat_result", kStatFields,
        "What stat(), lstat() and fstat() give; as a tuple of ten, times are whole seconds.",
        "structseq(sequence, dict=<unrepresentable>)"),
    .visible = 10,
    .total = 19,
};

Result<> StatResult(ThreadState& ts, const struct stat& st) {
  Ref<> hold[19];
  Value v[19];
  auto set = [&](int i, Result<> r) -> Status {
    MVM_TRY(hold[i], std::move(r));
    v[i] = hold[i].get();
    return Ok();
  };
  auto ns = [](const struct timespec& t) {
    return static_cast<int64_t>(t.tv_sec) * 1000000000 + t.tv_nsec;
  };
  auto seconds = [](const struct timespec& t) {
    return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
  };
  MVM_TRY_VOID(set(0, NewInt(ts, st.st_mode)));
  MVM_TRY_VOID(set(1, NewIntU64(ts, st.st_ino)));
  MVM_TRY_VOID(set(2, NewIntU64(ts, st.st_dev)));
  MVM_TRY_VOID(set(3, NewIntU64(ts, st.st_nlink)));
  MVM_TRY_VOID(set(4, NewInt(ts, st.st_uid)));
  MVM_TRY_VOID(set(5, NewInt(ts, st.st_gid)));
  MVM_TRY_VOID(set(6, NewInt(ts, st.st_size)));
  const struct timespec times[] = {st.st_atim, st.st_mtim, st.st_ctim};
  for (int i = 0; i < 3; ++i) {
    MVM_TRY_VOID(set(7 + i, NewInt(ts, times[i].tv_sec)));
    MVM_TRY_VOID(set(10 + i, NewFloat(ts, seconds(times[i]))));
    MVM_TRY_VOID(set(13 + i, NewInt(ts, ns(times[i]))));
  }
  MVM_TRY_VOID(set(16, NewInt(ts, st.st_blksize)));
  MVM_TRY_VOID(set(17, NewInt(ts, st.st_blocks)));
  MVM_TRY_VOID(set(18, NewIntU64(ts, st.st_rdev)));
  return NewStructSequence(ts, kStatResult, v);
}

Result<> DoStat(ThreadState& ts, Value path, Value dir_fd, bool follow, bool allow_fd,
                const char* function) {
  PathArg p;
  MVM_TRY_VOID(GetPath(ts, path, &p, function, "path", allow_fd));
  MVM_TRY(int dir, DirFd(ts, dir_fd));
  struct stat st;
  int r =
      p.fd >= 0 ? fstat(p.fd, &st) : fstatat(dir, p.c_str(), &st, follow ? 0 : AT_SYMLINK_NOFOLLOW);
  if (r < 0) return DoneOrErrno(ts, r, &p);
  return StatResult(ts, st);
}
Result<> posix_stat(ThreadState& ts, Args args) {
  MVM_TRY(bool follow, Truth(ts, args[2]));
  return DoStat(ts, args[0], args[1], follow, true, "stat");
}
Result<> posix_lstat(ThreadState& ts, Args args) {
  return DoStat(ts, args[0], args[1], false, false, "lstat");
}
Result<> posix_fstat(ThreadState& ts, Args args) {
  MVM_TRY(int fd, AsCInt(ts, args[0]));
  struct stat st;
  if (fstat(fd, &st) < 0) return RaiseErrno(ts, errno);
  return StatResult(ts, st);
}

// ---- directory listings ----

class DirEntryObject : public Object {
 public:
  Value name, path;
  Value stat, lstat;  // cached results, or null
  int type = DT_UNKNOWN;
  uint64_t inode = 0;
  int dir_fd = AT_FDCWD;  // what path is relative to: the descriptor that scandir() was given
  template <class V>
  void VisitRefs(V&& v) {
    v(name);
    v(path);
    v(stat);
    v(lstat);
  }
};

Result<> EntryStat(ThreadState& ts, DirEntryObject* e, bool follow) {
  Value& cached = follow ? e->stat : e->lstat;
  if (!cached.is_null()) return Result<>::Borrow(cached);
  if (follow && e->type != DT_LNK && e->type != DT_UNKNOWN) {
    MVM_TRY(Ref<> r, EntryStat(ts, e, false));
    Incref(r.get());
    e->stat = r.get();
    return r;
  }
  PathArg p;
  MVM_TRY_VOID(GetPath(ts, e->path, &p, "stat"));
  struct stat st;
  int r = fstatat(e->dir_fd, p.c_str(), &st, follow ? 0 : AT_SYMLINK_NOFOLLOW);
  if (r < 0) return DoneOrErrno(ts, r, &p);
  MVM_TRY(Ref<> result, StatResult(ts, st));
  Incref(result.get());
  cached = result.get();
  return result;
}
Result<bool> EntryIs(ThreadState& ts, DirEntryObject* e, Value follow_value, int type,
                     mode_t mode) {
  MVM_TRY(bool follow, Truth(ts, follow_value));
  if (e->type == DT_UNKNOWN || (follow && e->type == DT_LNK)) {
    Result<> r = EntryStat(ts, e, follow);
    if (r.raised()) {
      if (ClearPendingIf(ts, Exc::kFileNotFoundError)) return false;
      return kRaised;
    }
    Ref<> st = r.Take();
    return (st.as<TupleObject>()->items()[0].as_int() & S_IFMT) == mode;
  }
  return e->type == type;
}
Result<> entry_is_dir(ThreadState& ts, Args args) {
  MVM_TRY(bool b, EntryIs(ts, args.self<DirEntryObject>(), args[1], DT_DIR, S_IFDIR));
  return Bool(ts, b);
}
Result<> entry_is_file(ThreadState& ts, Args args) {
  MVM_TRY(bool b, EntryIs(ts, args.self<DirEntryObject>(), args[1], DT_REG, S_IFREG));
  return Bool(ts, b);
}
Result<> entry_is_symlink(ThreadState& ts, Args args) {
  MVM_TRY(bool b, EntryIs(ts, args.self<DirEntryObject>(), ts.rt->false_, DT_LNK, S_IFLNK));
  return Bool(ts, b);
}
Result<> entry_is_junction(ThreadState& ts, Args args) { return Bool(ts, false); }
Result<> entry_stat(ThreadState& ts, Args args) {
  MVM_TRY(bool follow, Truth(ts, args[1]));
  return EntryStat(ts, args.self<DirEntryObject>(), follow);
}
Result<> entry_inode(ThreadState& ts, Args args) {
  return NewIntU64(ts, args.self<DirEntryObject>()->inode);
}
Result<> entry_fspath(ThreadState& ts, Args args) {
  return Result<>::Borrow(args.self<DirEntryObject>()->path);
}
Result<> entry_name(ThreadState& ts, Value self) {
  return Result<>::Borrow(self.as<DirEntryObject>()->name);
}
Result<> entry_path(ThreadState& ts, Value self) {
  return Result<>::Borrow(self.as<DirEntryObject>()->path);
}
Result<> entry_repr(ThreadState& ts, Value self) {
  return Format(ts, "<DirEntry %R>", self.as<DirEntryObject>()->name);
}

const MethodSpec kEntryMethods[] = {
    {"__class_getitem__(cls, item, /)", ClassGetItem, "See PEP 585", kMethodClass},
    {"__fspath__(self, /)", entry_fspath, "The path, as the attribute has it."},
    {"inode(self, /)", entry_inode, "The number that the file has on its device; no system call."},
    {"is_dir(self, /, *, follow_symlinks=True)", entry_is_dir,
     "Whether it is a directory, or a link to one if links are followed. False if it is gone."},
    {"is_file(self, /, *, follow_symlinks=True)", entry_is_file,
     "Whether it is a regular file, or a link to one if links are followed. False if it is gone."},
    {"is_junction(self, /)", entry_is_junction, "False: no such thing here."},
    {"is_symlink(self, /)", entry_is_symlink, "Whether it is a symbolic link, even to nothing."},
    {"stat(self, /, *, follow_symlinks=True)", entry_stat,
     "The stat() of it, asked once; lstat() if links are not followed."},
};
const GetSetSpec kEntryGetSets[] = {
    {"name", entry_name, nullptr, "The name in its directory; bytes if scandir() was given bytes"},
    {"path", entry_path, nullptr, "The name joined to the path that scandir() was given"},
};
const TypeSpec kDirEntryType = {
    .name = "posix.DirEntry",
    .flags = kTypeNoNew,
    .size = sizeof(DirEntryObject),
    .gc = GcHooksOf<DirEntryObject>(),
    .slots = {.repr = entry_repr},
    .methods = kEntryMethods,
    .getsets = kEntryGetSets,
};

class ScandirObject : public Object {
 public:
  static constexpr bool kNeverInCycle = true;
  DIR* dir = nullptr;
  std::string* prefix = nullptr;
  int fd = AT_FDCWD;  // the caller's descriptor
  bool bytes = false;
  template <class V>
  void VisitRefs(V&&) {}
  void FreeBuffers(Heap&) { Close(); }
  void Close() {
    if (dir != nullptr) closedir(dir);
    dir = nullptr;
    delete prefix;
    prefix = nullptr;
  }
};
Result<> scandir_iter(ThreadState& ts, Value self) { return Result<>::Borrow(self); }
Result<> scandir_next(ThreadState& ts, Value self) {
  ScandirObject* s = self.as<ScandirObject>();
  if (s->dir == nullptr) return Result<>::Done();
  for (;;) {
    errno = 0;
    struct dirent* e = readdir(s->dir);
    if (e == nullptr) {
      int error = errno;
      s->Close();
      if (error != 0) return RaiseErrno(ts, error);
      return Result<>::Done();
    }
    std::string_view name = e->d_name;
    if (name == "." || name == "..") continue;
    MVM_TRY(TypeObject * type, TypeForSpec(ts, kDirEntryType));
    MVM_TRY(Ref<DirEntryObject> entry, New<DirEntryObject>(ts, type->shape_id_exact));
    MVM_TRY(Ref<> n, PathResult(ts, name, s->bytes));
    MVM_TRY(Ref<> p, PathResult(ts, *s->prefix + std::string(name), s->bytes));
    entry->name = n.Release();
    entry->path = p.Release();
    entry->type = e->d_type;
    entry->inode = e->d_ino;
    entry->dir_fd = s->fd;
    Track(entry.get());
    return entry;
  }
}
Result<> scandir_close(ThreadState& ts, Args args) {
  args.self<ScandirObject>()->Close();
  return None(ts);
}
// An iterator given up before its end keeps a descriptor until it is collected: worth a word.
Status scandir_finalize(ThreadState& ts, Value self) {
  ScandirObject* s = self.as<ScandirObject>();
  if (s->dir == nullptr) return Ok();
  Status warned = Warn(ts, Exc::kResourceWarning, 1, "unclosed scandir iterator %R", self);
  s->Close();
  return warned;
}
Result<> scandir_enter(ThreadState& ts, Args args) { return Result<>::Borrow(args[0]); }
const MethodSpec kScandirMethods[] = {
    {"__enter__(self, /)", scandir_enter},
    {"__exit__(self, /, *args)", scandir_close},
    {"close(self, /)", scandir_close},
};
const TypeSpec kScandirType = {
    .name = "posix.ScandirIterator",
    .flags = kTypeNoNew | kTypeHasFinalizer,
    .size = sizeof(ScandirObject),
    .gc = LeafHooksOf<ScandirObject>(),
    .slots = {.iter = scandir_iter, .next = scandir_next, .finalize = scandir_finalize},
    .methods = kScandirMethods,
};

// A stream over the directory that p names or is the descriptor of, or null with errno set. The
// caller's descriptor stays its own: the stream takes a copy.
DIR* OpenDirectory(const PathArg& p) {
  if (p.fd < 0) return opendir(p.c_str());
  int copy = fcntl(p.fd, F_DUPFD_CLOEXEC, 0);
  if (copy < 0) return nullptr;
  DIR* dir = fdopendir(copy);
  if (dir == nullptr) {
    int why = errno;
    close(copy);
    errno = why;
  }
  return dir;
}

Result<> posix_scandir(ThreadState& ts, Args args) {
  PathArg p;
  MVM_TRY_VOID(GetPath(ts, args[0], &p, "scandir", "path", true, true));
  DIR* dir = OpenDirectory(p);
  if (dir == nullptr) return DoneOrErrno(ts, -1, &p);
  if (p.fd >= 0) rewinddir(dir);
  MVM_TRY(TypeObject * type, TypeForSpec(ts, kScandirType));
  Result<ScandirObject> made = New<ScandirObject>(ts, type->shape_id_exact);
  if (made.raised()) {
    closedir(dir);
    return kRaised;
  }
  Ref<ScandirObject> s = made.Take();
  s->dir = dir;
  s->bytes = p.bytes;
  if (p.fd >= 0) s->fd = p.fd;
  std::string prefix = p.fd >= 0 ? "" : p.object.is_null() ? "./" : p.text;
  if (!prefix.empty() && prefix.back() != '/') prefix += '/';
  s->prefix = new std::string(std::move(prefix));
  return s;
}
Result<> posix_listdir(ThreadState& ts, Args args) {
  PathArg p;
  MVM_TRY_VOID(GetPath(ts, args[0], &p, "listdir", "path", true, true));
  DIR* dir = OpenDirectory(p);
  if (dir == nullptr) return DoneOrErrno(ts, -1, &p);
  if (p.fd >= 0) rewinddir(dir);
  struct Closer {
    DIR* d;
    ~Closer() { closedir(d); }
  } closer{dir};
  MVM_TRY(Ref<ListObject> list, NewListReserve(ts, 0));
  for (;;) {
    errno = 0;
    struct dirent* e = readdir(dir);
    if (e == nullptr) break;
    std::string_view name = e->d_name;
    if (name == "." || name == "..") continue;
    MVM_TRY(Ref<> n, PathResult(ts, name, p.bytes));
    MVM_TRY_VOID(ListAppend(ts, list, n));
  }
  if (errno != 0) return RaiseErrno(ts, errno);
  return list;
}

// ---- one path ----

Result<> posix_mkdir(ThreadState& ts, Args args) {
  PathArg p;
  MVM_TRY_VOID(GetPath(ts, args[0], &p, "mkdir"));
  MVM_TRY(int mode, AsCInt(ts, args[1]));
  MVM_TRY(int dir, DirFd(ts, args[2]));
  return DoneOrErrno(ts, mkdirat(dir, p.c_str(), static_cast<mode_t>(mode)), &p);
}
Result<> posix_rmdir(ThreadState& ts, Args args) {
  PathArg p;
  MVM_TRY_VOID(GetPath(ts, args[0], &p, "rmdir"));
  MVM_TRY(int dir, DirFd(ts, args[1]));
  return DoneOrErrno(ts, unlinkat(dir, p.c_str(), AT_REMOVEDIR), &p);
}
Result<> posix_unlink(ThreadState& ts, Args args) {
  PathArg p;
  MVM_TRY_VOID(GetPath(ts, args[0], &p, "unlink"));
  MVM_TRY(int dir, DirFd(ts, args[1]));
  return DoneOrErrno(ts, unlinkat(dir, p.c_str(), 0), &p);
}
Result<> DoRename(ThreadState& ts, Args args, const char* function) {
  PathArg a, b;
  MVM_TRY_VOID(GetPath(ts, args[0], &a, function, "src"));
  MVM_TRY_VOID(GetPath(ts, args[1], &b, function, "dst"));
  MVM_TRY(int from, DirFd(ts, args[2]));
  MVM_TRY(int to, DirFd(ts, args[3]));
  if (renameat(from, a.c_str(), to, b.c_str()) < 0)
    return RaiseErrno(ts, errno, a.object, b.object);
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
  if (linkat(from, a.c_str(), to, b.c_str(), follow ? AT_SYMLINK_FOLLOW : 0) < 0) {
    return RaiseErrno(ts, errno, a.object, b.object);
  }
  return None(ts);
}
Result<> posix_symlink(ThreadState& ts, Args args) {
  PathArg a, b;
  MVM_TRY_VOID(GetPath(ts, args[0], &a, "symlink", "src"));
  MVM_TRY_VOID(GetPath(ts, args[1], &b, "symlink", "dst"));
  MVM_TRY(int dir, DirFd(ts, args[3]));
  if (symlinkat(a.c_str(), dir, b.c_str()) < 0) return RaiseErrno(ts, errno, a.object, b.object);
  return None(ts);
}
Result<> posix_readlink(ThreadState& ts, Args args) {
  PathArg p;
  MVM_TRY_VOID(GetPath(ts, args[0], &p, "readlink"));
  MVM_TRY(int dir, DirFd(ts, args[1]));
  std::vector<char> buffer(4096);
  ssize_t n = readlinkat(dir, p.c_str(), buffer.data(), buffer.size());
  if (n < 0) return DoneOrErrno(ts, -1, &p);
  return PathResult(ts, {buffer.data(), static_cast<size_t>(n)}, p.bytes);
}
Result<> posix_chmod(ThreadState& ts, Args args) {
  PathArg p;
  MVM_TRY_VOID(GetPath(ts, args[0], &p, "chmod", "path", true));
  MVM_TRY(int mode, AsCInt(ts, args[1]));
  MVM_TRY(int dir, DirFd(ts, args[2]));
  MVM_TRY(bool follow, Truth(ts, args[3]));
  int r = p.fd >= 0 ? fchmod(p.fd, static_cast<mode_t>(mode))
                    : fchmodat(dir, p.c_str(), static_cast<mode_t>(mode),
                               follow ? 0 : AT_SYMLINK_NOFOLLOW);
  if (r < 0 && !follow && (errno == ENOTSUP || errno == EOPNOTSUPP)) {
    return Raise(ts, Exc::kNotImplementedError,
                 "chmod: follow_symlinks unavailable on this platform");
  }
  return DoneOrErrno(ts, r, &p);
}
Result<> posix_fchmod(ThreadState& ts, Args args) {
  MVM_TRY(int fd, AsCInt(ts, args[0]));
  MVM_TRY(int mode, AsCInt(ts, args[1]));
  return DoneOrErrno(ts, fchmod(fd, static_cast<mode_t>(mode)));
}
Result<> posix_chown(ThreadState& ts, Args args) {
  PathArg p;
  MVM_TRY_VOID(GetPath(ts, args[0], &p, "chown", "path", true));
  MVM_TRY(uid_t u, AsUid(ts, args[1]));
  MVM_TRY(gid_t g, AsGid(ts, args[2]));
  MVM_TRY(int dir, DirFd(ts, args[3]));
  MVM_TRY(bool follow, Truth(ts, args[4]));
  int r = p.fd >= 0 ? fchown(p.fd, u, g)
                    : fchownat(dir, p.c_str(), u, g, follow ? 0 : AT_SYMLINK_NOFOLLOW);
  return DoneOrErrno(ts, r, &p);
}
Result<> posix_lchown(ThreadState& ts, Args args) {
  PathArg p;
  MVM_TRY_VOID(GetPath(ts, args[0], &p, "lchown"));
  MVM_TRY(uid_t u, AsUid(ts, args[1]));
  MVM_TRY(gid_t g, AsGid(ts, args[2]));
  return DoneOrErrno(ts, lchown(p.c_str(), u, g), &p);
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
  return Bool(ts, faccessat(dir, p.c_str(), mode, flags) == 0);
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
  return DoneOrErrno(ts, p.fd >= 0 ? fchdir(p.fd) : chdir(p.c_str()), &p);
}
Result<> posix_truncate(ThreadState& ts, Args args) {
  PathArg p;
  MVM_TRY_VOID(GetPath(ts, args[0], &p, "truncate", "path", true));
  MVM_TRY(int64_t length, AsInt64(ts, args[1]));
  return DoneOrErrno(ts, p.fd >= 0 ? ftruncate(p.fd, length) : truncate(p.c_str(), length), &p);
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
  return DoneOrErrno(ts, mkfifoat(dir, p.c_str(), static_cast<mode_t>(mode)), &p);
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
  int r = p.fd >= 0 ? futimens(p.fd, t)
                    : utimensat(dir, p.c_str(), t, follow ? 0 : AT_SYMLINK_NOFOLLOW);
  return DoneOrErrno(ts, r, &p);
}

// ---- descriptors ----

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
  if (close(fd) < 0 && errno != EINTR) return RaiseErrno(ts, errno);
  return None(ts);
}
Result<> posix_closerange(ThreadState& ts, Args args) {
  MVM_TRY(int low, AsCInt(ts, args[0]));
  MVM_TRY(int high, AsCInt(ts, args[1]));
  for (int fd = low < 0 ? 0 : low; fd < high && fd < 1 << 20; ++fd) close(fd);
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
  off_t r = lseek(fd, position, whence);
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
  int r = inheritable || fd == fd2 ? dup2(fd, fd2) : dup3(fd, fd2, O_CLOEXEC);
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
  return DoneOrErrno(ts, fsync(fd));
}
Result<> posix_fdatasync(ThreadState& ts, Args args) {
  MVM_TRY(int fd, ToDescriptor(ts, args[0]));
  return DoneOrErrno(ts, fdatasync(fd));
}
Result<> posix_ftruncate(ThreadState& ts, Args args) {
  MVM_TRY(int fd, AsCInt(ts, args[0]));
  MVM_TRY(int64_t length, AsInt64(ts, args[1]));
  return DoneOrErrno(ts, ftruncate(fd, length));
}
Result<> posix_fchdir(ThreadState& ts, Args args) {
  MVM_TRY(int fd, ToDescriptor(ts, args[0]));
  return DoneOrErrno(ts, fchdir(fd));
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

const GetSetSpec kStatvfsFields[] = {
    {"f_bsize", StructItem<0>},   {"f_frsize", StructItem<1>}, {"f_blocks", StructItem<2>},
    {"f_bfree", StructItem<3>},   {"f_bavail", StructItem<4>}, {"f_files", StructItem<5>},
    {"f_ffree", StructItem<6>},   {"f_favail", StructItem<7>}, {"f_flag", StructItem<8>},
    {"f_namemax", StructItem<9>}, {"f_fsid", StructItem<10>},
};
const StructSequenceSpec kStatvfsResult = {
    .type = StructSequenceTypeSpec("os.statvfs_result", kStatvfsFields,
                                   "What statvfs() and fstatvfs() give about a file system.",
                                   "structseq(sequence, dict=<unrepresentable>)"),
    .visible = 10,
    .total = 11,
};
Result<> StatvfsResult(ThreadState& ts, const struct statvfs& st) {
  const uint64_t numbers[] = {st.f_bsize,  st.f_frsize,  st.f_blocks, st.f_bfree,
                              st.f_bavail, st.f_files,   st.f_ffree,  st.f_favail,
                              st.f_flag,   st.f_namemax, st.f_fsid};
  Ref<> hold[11];
  Value v[11];
  for (int i = 0; i < 11; ++i) {
    MVM_TRY(hold[i], NewIntU64(ts, numbers[i]));
    v[i] = hold[i].get();
  }
  return NewStructSequence(ts, kStatvfsResult, v);
}
Result<> posix_statvfs(ThreadState& ts, Args args) {
  PathArg p;
  MVM_TRY_VOID(GetPath(ts, args[0], &p, "statvfs", "path", true));
  struct statvfs s;
  int r = Blocking(ts, [&] { return p.fd >= 0 ? fstatvfs(p.fd, &s) : statvfs(p.c_str(), &s); });
  if (r < 0) return DoneOrErrno(ts, r, &p);
  return StatvfsResult(ts, s);
}
Result<> posix_fstatvfs(ThreadState& ts, Args args) {
  MVM_TRY(int fd, AsCInt(ts, args[0]));
  struct statvfs s;
  if (Blocking(ts, [&] { return fstatvfs(fd, &s); }) < 0) return RaiseErrno(ts, errno);
  return StatvfsResult(ts, s);
}

// getrandom(size, flags=0): one call, so fewer bytes are possible.
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
    ssize_t got = getrandom(out->data() + have,
                            static_cast<size_t>(n - have > 1 << 20 ? 1 << 20 : n - have), 0);
    if (got < 0 && errno != EINTR) return RaiseErrno(ts, errno);
    if (got > 0) have += got;
    MVM_TRY_VOID(Charge(ts, 1000));
  }
  return out;
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
    {"close(fd)", posix_close, "Free a descriptor."},
    {"closerange(fd_low, fd_high, /)", posix_closerange,
     "Free the descriptors from fd_low to before fd_high, open or not."},
    {"dup(fd, /)", posix_dup,
     "Another descriptor of the same open file; programs started later do not inherit it."},
    {"dup2(fd, fd2, inheritable=True)", posix_dup2,
     "Make fd2 the same open file as fd, closing what it was; returns fd2. Not inheritable if "
     "inheritable is false."},
    {"fchdir(fd)", posix_fchdir, "Take an open directory as the current directory."},
    {"fchmod(fd, mode)", posix_fchmod, "Set the permission bits of an open file."},
    {"fchown(fd, uid, gid)", posix_fchown,
     "Give an open file to a user and a group, by number; -1 leaves that one."},
    {"fdatasync(fd)", posix_fdatasync,
     "fsync(), but what is not needed to read the data may wait."},
    {"fspath(path)", posix_fspath,
     "The path as str or bytes, from __fspath__() of another object. TypeError if it has none."},
    {"fstat(fd)", posix_fstat, "What stat() says, of an open file."},
    {"fstatvfs(fd, /)", posix_fstatvfs, "What statvfs() says, of the file system of an open file."},
    {"fsync(fd)", posix_fsync, "Return once what was written is on the disk."},
    {"ftruncate(fd, length, /)", posix_ftruncate,
     "Make an open file so many bytes long; new ones are zero."},
    {"get_blocking(fd, /)", posix_get_blocking,
     "Whether reads and writes wait; False once O_NONBLOCK is set."},
    {"get_inheritable(fd, /)", posix_get_inheritable,
     "Whether programs started later get the descriptor."},
    {"get_terminal_size(fd=1, /)", posix_get_terminal_size,
     "Columns and lines of the terminal at a descriptor. OSError if it is none."},
    {"getcwd()", posix_getcwd, "The current directory."},
    {"getcwdb()", posix_getcwdb, "The current directory as bytes."},
    {"getrandom(size, flags=0)", posix_getrandom,
     "Up to size bytes from the kernel's source of randomness."},
    {"isatty(fd, /)", posix_isatty, "Whether the descriptor is a terminal."},
    {"lchown(path, uid, gid)", posix_lchown, "chown() of a symbolic link itself."},
    {"link(src, dst, *, src_dir_fd=None, dst_dir_fd=None, follow_symlinks=True)", posix_link,
     "Give the file src another name, dst, on the same file system."},
    {"listdir(path=None)", posix_listdir,
     "The names in a directory, in no order, '.' and '..' left out; bytes for a bytes path."},
    {"lseek(fd, position, whence, /)", posix_lseek,
     "Go to a position from the start, the present one (whence 1) or the end (2); returns where "
     "that is."},
    {"lstat(path, *, dir_fd=None)", posix_lstat, "stat() of a symbolic link itself."},
    {"mkdir(path, mode=511, *, dir_fd=None)", posix_mkdir,
     "Make a directory; the umask takes from its permission bits."},
    {"mkfifo(path, mode=438, *, dir_fd=None)", posix_mkfifo,
     "Make a named pipe; the umask takes from its permission bits."},
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
    {"readlink(path, *, dir_fd=None)", posix_readlink,
     "What a symbolic link contains, of the same type as path."},
    {"remove(path, *, dir_fd=None)", posix_unlink,
     "Take a name of a file away; the file goes with its last name and user."},
    {"rename(src, dst, *, src_dir_fd=None, dst_dir_fd=None)", posix_rename,
     "Give src the name dst, in one step; a file of that name is gone."},
    {"replace(src, dst, *, src_dir_fd=None, dst_dir_fd=None)", posix_replace,
     "Give src the name dst; a file of that name is gone, in one step."},
    {"rmdir(path, *, dir_fd=None)", posix_rmdir, "Remove a directory."},
    {"scandir(path=None)", posix_scandir,
     "Iterator of a directory's entries, in no order, '.' and '..' left out; close() or a "
     "with-statement ends it."},
    {"set_blocking(fd, blocking, /)", posix_set_blocking,
     "Let reads and writes wait, or fail with BlockingIOError instead."},
    {"set_inheritable(fd, inheritable, /)", posix_set_inheritable,
     "Let programs started later have the descriptor, or not."},
    {"stat(path, *, dir_fd=None, follow_symlinks=True)", posix_stat,
     "Size, times, kind and more of a file, by path or descriptor."},
    {"statvfs(path)", posix_statvfs,
     "Size and free space of a file system, by a path or descriptor in it."},
    {"symlink(src, dst, target_is_directory=False, *, dir_fd=None)", posix_symlink,
     "Make dst a symbolic link that contains src."},
    {"truncate(path, length)", posix_truncate,
     "Make a file, by path or descriptor, so many bytes long; new ones are zero."},
    {"ttyname(fd, /)", posix_ttyname, "The path of the terminal at a descriptor."},
    {"umask(mask, /)", posix_umask,
     "The permission bits that new files are not to have; returns those before."},
    {"unlink(path, *, dir_fd=None)", posix_unlink, "remove() under its older name."},
    {"urandom(size, /)", posix_urandom,
     "That many bytes from the kernel's source of randomness, fit for keys."},
    {"utime(path, times=None, *, ns=<unrepresentable>, dir_fd=None, follow_symlinks=True)",
     posix_utime,
     "Set when a file was last read and changed, by (read, changed) in seconds, or ns in "
     "nanoseconds; now by default."},
    {"write(fd, data, /)", posix_write,
     "Write as many bytes as the system takes, and return how many."},
};

}  // namespace

const Table<MethodSpec> kPosixFileFunctions = kFunctions;

Status AddPosixFileTypes(ThreadState& ts, ModuleObject* module) {
  struct Row {
    const char* name;
    const StructSequenceSpec* spec;
  };
  for (const Row& row : {Row{"stat_result", &kStatResult}, Row{"terminal_size", &kTerminalSize},
                         Row{"statvfs_result", &kStatvfsResult}}) {
    MVM_TRY(TypeObject * type, StructSequenceType(ts, *row.spec));
    MVM_TRY_VOID(ModuleAdd(ts, module, row.name, Value(type)));
  }
  MVM_TRY(TypeObject * entry, TypeForSpec(ts, kDirEntryType));
  return ModuleAdd(ts, module, "DirEntry", Value(entry));
}

}  // namespace minivm
