// Listing directories: scandir(), listdir() and the entries they give, in the module posix.
//
// Directories are read without the VM's lock, some hundred entries at a time: taking the lock
// back for each would be slow beside threads that compute.
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <utility>
#include <vector>

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
  const int dir_fd = e->dir_fd;
  int r = Blocking(
      ts, [&] { return fstatat(dir_fd, p.c_str(), &st, follow ? 0 : AT_SYMLINK_NOFOLLOW); });
  if (r < 0) return DoneOrErrno(ts, r, &p);
  MVM_TRY(Ref<> result, StatResult(ts, st));
  if (!cached.is_null()) return Result<>::Borrow(cached);  // another thread was quicker
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

// Some entries of a directory, read ahead.
class EntryBatch {
 public:
  struct Row {
    size_t begin, end;  // of the name in names_
    uint64_t inode;
    uint8_t type;
  };
  bool empty() const { return next_ == rows_.size(); }
  const Row& Pop() { return rows_[next_++]; }
  std::string_view NameOf(const Row& row) const {
    return std::string_view(names_).substr(row.begin, row.end - row.begin);
  }
  // Reads what comes next, '.' and '..' left out; nothing: the end, or errno is set.
  void Read(ThreadState& ts, DIR* dir) {
    rows_.clear();
    names_.clear();
    next_ = 0;
    Blocking(ts, [&] {
      errno = 0;
      while (names_.size() < kMostBytes) {
        const struct dirent* e = readdir(dir);
        if (e == nullptr) break;
        const std::string_view name = e->d_name;
        if (name == "." || name == "..") continue;
        const size_t begin = names_.size();
        names_ += name;
        rows_.push_back({begin, names_.size(), e->d_ino, e->d_type});
      }
    });
  }

 private:
  static constexpr size_t kMostBytes = 4096;
  std::string names_;
  std::vector<Row> rows_;
  size_t next_ = 0;
};

// What the iterator reads from. Invariant: while `reading`, a thread is at it without the VM's
// lock, and the others leave it alone.
struct Directory {
  DIR* dir;
  std::string prefix;
  EntryBatch batch;
  bool reading = false, closed = false;
  ~Directory() { closedir(dir); }
};

class ScandirObject : public Object {
 public:
  static constexpr bool kNeverInCycle = true;
  Directory* directory = nullptr;
  int fd = AT_FDCWD;  // the caller's descriptor
  bool bytes = false;
  template <class V>
  void VisitRefs(V&&) {}
  void FreeBuffers(Heap&) { Close(); }
  // Whoever reads from it closes it afterwards.
  void Close() {
    if (directory != nullptr && directory->reading) {
      directory->closed = true;
    } else {
      delete std::exchange(directory, nullptr);
    }
  }
};
Result<> scandir_iter(ThreadState& ts, Value self) { return Result<>::Borrow(self); }

// Are there entries in the batch? Else the iterator is closed.
Result<bool> FillBatch(ThreadState& ts, ScandirObject* s) {
  while (s->directory != nullptr && s->directory->reading) {
    YieldLock(ts);
    MVM_TRY_VOID(ServeBetween(ts));
  }
  Directory* d = s->directory;
  if (d == nullptr) return false;
  if (!d->batch.empty()) return true;
  d->reading = true;
  d->batch.Read(ts, d->dir);
  const int error = errno;
  d->reading = false;
  if (!d->closed && !d->batch.empty()) return true;
  const bool failed = !d->closed && error != 0;
  s->Close();
  if (failed) return RaiseErrno(ts, error);
  return false;
}
Result<> scandir_next(ThreadState& ts, Value self) {
  ScandirObject* s = self.as<ScandirObject>();
  MVM_TRY(bool more, FillBatch(ts, s));
  if (!more) return Result<>::Done();
  Directory& d = *s->directory;
  const EntryBatch::Row row = d.batch.Pop();
  const std::string name(d.batch.NameOf(row)), path = d.prefix + name;
  const bool bytes = s->bytes;
  const int fd = s->fd;
  MVM_TRY(TypeObject * type, TypeForSpec(ts, kDirEntryType));
  MVM_TRY(Ref<DirEntryObject> entry, New<DirEntryObject>(ts, type->shape_id_exact));
  MVM_TRY(Ref<> n, PathResult(ts, name, bytes));
  MVM_TRY(Ref<> p, PathResult(ts, path, bytes));
  entry->name = n.Release();
  entry->path = p.Release();
  entry->type = row.type;
  entry->inode = row.inode;
  entry->dir_fd = fd;
  Track(entry.get());
  return entry;
}
Result<> scandir_close(ThreadState& ts, Args args) {
  args.self<ScandirObject>()->Close();
  return None(ts);
}
// An iterator given up before its end keeps a descriptor until it is collected: worth a word.
Status scandir_finalize(ThreadState& ts, Value self) {
  ScandirObject* s = self.as<ScandirObject>();
  if (s->directory == nullptr) return Ok();
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
  s->bytes = p.bytes;
  if (p.fd >= 0) s->fd = p.fd;
  std::string prefix = p.fd >= 0 ? "" : p.object.is_null() ? "./" : p.text;
  if (!prefix.empty() && prefix.back() != '/') prefix += '/';
  s->directory = new Directory{dir, std::move(prefix)};
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
  for (EntryBatch batch;;) {
    batch.Read(ts, dir);
    if (batch.empty()) break;
    while (!batch.empty()) {
      MVM_TRY(Ref<> n, PathResult(ts, batch.NameOf(batch.Pop()), p.bytes));
      MVM_TRY_VOID(ListAppend(ts, list, n));
    }
    MVM_TRY_VOID(ServeBetween(ts));
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
