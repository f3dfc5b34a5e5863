// Listing directories: scandir(), listdir() and the entries they give, in the module posix.
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/objects/list_object.h"
#include "stdlib/posix/posix_support.h"

namespace minivm {

namespace {

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
    {"__class_getitem__(cls, object, /)", ClassGetItem, "See PEP 585", kMethodClass},
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
  DIR* dir = Blocking(ts, [&] { return OpenDirectory(p); });
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
  DIR* dir = Blocking(ts, [&] { return OpenDirectory(p); });
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

const MethodSpec kFunctions[] = {
    {"listdir(path=None)", posix_listdir,
     "The names in a directory, in no order, '.' and '..' left out; bytes for a bytes path."},
    {"scandir(path=None)", posix_scandir,
     "Iterator of a directory's entries, in no order, '.' and '..' left out; close() or a "
     "with-statement ends it."},
};

}  // namespace

const Table<MethodSpec> kPosixDirectoryFunctions = kFunctions;

Status AddPosixDirectoryTypes(ThreadState& ts, ModuleObject* module) {
  MVM_TRY(TypeObject * entry, TypeForSpec(ts, kDirEntryType));
  return ModuleAdd(ts, module, "DirEntry", Value(entry));
}

}  // namespace minivm
