// What is known about files and file systems: stat() and statvfs() in the module posix.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "runtime/objects/float_object.h"
#include "runtime/objects/struct_sequence.h"
#include "stdlib/posix/posix_support.h"

namespace minivm {

namespace {

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

}  // namespace

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

namespace {

Result<> DoStat(ThreadState& ts, Value path, Value dir_fd, bool follow, bool allow_fd,
                const char* function) {
  PathArg p;
  MVM_TRY_VOID(GetPath(ts, path, &p, function, "path", allow_fd));
  MVM_TRY(int dir, DirFd(ts, dir_fd));
  struct stat st;
  const int flags = follow ? 0 : AT_SYMLINK_NOFOLLOW;
  int r = Blocking(
      ts, [&] { return p.fd >= 0 ? fstat(p.fd, &st) : fstatat(dir, p.c_str(), &st, flags); });
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
  if (Blocking(ts, [&] { return fstat(fd, &st); }) < 0) return RaiseErrno(ts, errno);
  return StatResult(ts, st);
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

const MethodSpec kFunctions[] = {
    {"fstat(fd)", posix_fstat, "What stat() says, of an open file."},
    {"fstatvfs(fd, /)", posix_fstatvfs, "What statvfs() says, of the file system of an open file."},
    {"lstat(path, *, dir_fd=None)", posix_lstat, "stat() of a symbolic link itself."},
    {"stat(path, *, dir_fd=None, follow_symlinks=True)", posix_stat,
     "Size, times, kind and more of a file, by path or descriptor."},
    {"statvfs(path)", posix_statvfs,
     "Size and free space of a file system, by a path or descriptor in it."},
};

}  // namespace

const Table<MethodSpec> kPosixStatFunctions = kFunctions;

Status AddPosixStatTypes(ThreadState& ts, ModuleObject* module) {
  struct Row {
    const char* name;
    const StructSequenceSpec* spec;
  };
  for (const Row& row :
       {Row{"stat_result", &kStatResult}, Row{"statvfs_result", &kStatvfsResult}}) {
    MVM_TRY(TypeObject * type, StructSequenceType(ts, *row.spec));
    MVM_TRY_VOID(ModuleAdd(ts, module, row.name, Value(type)));
  }
  return Ok();
}

}  // namespace minivm
