// Users, groups and priorities of processes in the module posix.
#include <grp.h>
#include <sys/resource.h>
#include <unistd.h>

#include "runtime/objects/list_object.h"
#include "stdlib/posix/posix_support.h"

namespace minivm {

namespace {

// uid_t and gid_t are both unsigned 32-bit numbers; -1 stands for "leave as it is".
Result<uint32_t> AsId(ThreadState& ts, Value v, const char* what) {
  if (TypeOf(ts, v)->operators->index == nullptr) {
    return Raise(ts, Exc::kTypeError, "%s should be integer, not %T", what, v);
  }
  MVM_TRY(Ref<> i, Index(ts, v));
  int64_t n;
  if (!IntFitsInt64(i, &n)) {
    return Raise(ts, Exc::kOverflowError, "%s is %s", what,
                 IntSign(i) > 0 ? "greater than maximum" : "less than minimum");
  }
  if (n < -1 || n > UINT32_MAX)
    return Raise(ts, Exc::kOverflowError, "%s is less than minimum", what);
  return static_cast<uint32_t>(n);
}

}  // namespace

Result<uid_t> AsUid(ThreadState& ts, Value v) { return AsId(ts, v, "uid"); }
Result<gid_t> AsGid(ThreadState& ts, Value v) { return AsId(ts, v, "gid"); }

namespace {

Result<> posix_setuid(ThreadState& ts, Args args) {
  MVM_TRY(uid_t id, AsUid(ts, args[0]));
  return DoneOrErrno(ts, setuid(id));
}
Result<> posix_seteuid(ThreadState& ts, Args args) {
  MVM_TRY(uid_t id, AsUid(ts, args[0]));
  return DoneOrErrno(ts, seteuid(id));
}
Result<> posix_setgid(ThreadState& ts, Args args) {
  MVM_TRY(gid_t id, AsGid(ts, args[0]));
  return DoneOrErrno(ts, setgid(id));
}
Result<> posix_setegid(ThreadState& ts, Args args) {
  MVM_TRY(gid_t id, AsGid(ts, args[0]));
  return DoneOrErrno(ts, setegid(id));
}
Result<> posix_setreuid(ThreadState& ts, Args args) {
  MVM_TRY(uid_t real, AsUid(ts, args[0]));
  MVM_TRY(uid_t effective, AsUid(ts, args[1]));
  return DoneOrErrno(ts, setreuid(real, effective));
}
Result<> posix_setregid(ThreadState& ts, Args args) {
  MVM_TRY(gid_t real, AsGid(ts, args[0]));
  MVM_TRY(gid_t effective, AsGid(ts, args[1]));
  return DoneOrErrno(ts, setregid(real, effective));
}
Result<> posix_setresuid(ThreadState& ts, Args args) {
  MVM_TRY(uid_t real, AsUid(ts, args[0]));
  MVM_TRY(uid_t effective, AsUid(ts, args[1]));
  MVM_TRY(uid_t saved, AsUid(ts, args[2]));
  return DoneOrErrno(ts, setresuid(real, effective, saved));
}
Result<> posix_setresgid(ThreadState& ts, Args args) {
  MVM_TRY(gid_t real, AsGid(ts, args[0]));
  MVM_TRY(gid_t effective, AsGid(ts, args[1]));
  MVM_TRY(gid_t saved, AsGid(ts, args[2]));
  return DoneOrErrno(ts, setresgid(real, effective, saved));
}
Result<> Triple(ThreadState& ts, uint32_t a, uint32_t b, uint32_t c) {
  Value v[] = {Value::Int(a), Value::Int(b), Value::Int(c)};
  return NewTuple(ts, v);
}
Result<> posix_getresuid(ThreadState& ts, Args args) {
  uid_t real, effective, saved;
  if (getresuid(&real, &effective, &saved) < 0) return RaiseErrno(ts, errno);
  return Triple(ts, real, effective, saved);
}
Result<> posix_getresgid(ThreadState& ts, Args args) {
  gid_t real, effective, saved;
  if (getresgid(&real, &effective, &saved) < 0) return RaiseErrno(ts, errno);
  return Triple(ts, real, effective, saved);
}

Result<ListObject> GroupList(ThreadState& ts, const std::vector<gid_t>& groups) {
  MVM_TRY(Ref<ListObject> list, NewListReserve(ts, groups.size()));
  for (gid_t g : groups) MVM_TRY_VOID(ListAppend(ts, list, Value::Int(g)));
  return list;
}
Result<> posix_getgroups(ThreadState& ts, Args args) {
  for (;;) {
    int n = getgroups(0, nullptr);
    if (n < 0) return RaiseErrno(ts, errno);
    std::vector<gid_t> groups(static_cast<size_t>(n));
    n = getgroups(n, groups.data());
    if (n < 0 && errno == EINVAL) continue;  // more of them meanwhile
    if (n < 0) return RaiseErrno(ts, errno);
    groups.resize(static_cast<size_t>(n));
    return GroupList(ts, groups);
  }
}
Result<> posix_setgroups(ThreadState& ts, Args args) {
  constexpr int64_t kMost = 65536;  // NGROUPS_MAX
  if (TypeOf(ts, args[0])->slots.len == nullptr || TypeOf(ts, args[0])->slots.get_item == nullptr) {
    return Raise(ts, Exc::kTypeError, "setgroups argument must be a sequence");
  }
  MVM_TRY(int64_t n, Length(ts, args[0]));
  if (n > kMost) return Raise(ts, Exc::kValueError, "too many groups");
  std::vector<gid_t> groups;
  MVM_TRY_VOID(ForEach(ts, args[0], [&](Value v) -> Status {
    if (!IsInt(ts, v)) return Raise(ts, Exc::kTypeError, "groups must be integers");
    MVM_TRY(gid_t id, AsGid(ts, v));
    if (static_cast<int64_t>(groups.size()) >= kMost)
      return Raise(ts, Exc::kValueError, "too many groups");
    groups.push_back(id);
    return Ok();
  }));
  return DoneOrErrno(ts, setgroups(groups.size(), groups.data()));
}
Result<> posix_initgroups(ThreadState& ts, Args args) {
  PathArg name;
  MVM_TRY_VOID(GetPath(ts, args[0], &name, nullptr));
  MVM_TRY(gid_t id, AsGid(ts, args[1]));
  return DoneOrErrno(ts, initgroups(name.c_str(), id));
}
Result<> posix_getgrouplist(ThreadState& ts, Args args) {
  if (!IsStr(ts, args[0])) {
    return Raise(ts, Exc::kTypeError, "getgrouplist() argument 1 must be str, not %T", args[0]);
  }
  std::string user;
  MVM_TRY_VOID(ToOsString(ts, args.as<StrObject>(0), &user));
  MVM_TRY(gid_t base, AsGid(ts, args[1]));
  std::vector<gid_t> groups(64);
  for (;;) {
    int n = static_cast<int>(groups.size());
    int r = Blocking(ts, [&] { return getgrouplist(user.c_str(), base, groups.data(), &n); });
    if (r >= 0) {
      groups.resize(static_cast<size_t>(n));
      return GroupList(ts, groups);
    }
    if (groups.size() > 1 << 20) return RaiseErrno(ts, ENOMEM);
    groups.resize(groups.size() * 2);
  }
}

Result<> posix_getpriority(ThreadState& ts, Args args) {
  MVM_TRY(int which, AsCInt(ts, args[0]));
  MVM_TRY(int who, AsCInt(ts, args[1]));
  errno = 0;
  int r = getpriority(static_cast<__priority_which_t>(which), static_cast<id_t>(who));
  if (errno != 0) return RaiseErrno(ts, errno);
  return Small(r);
}
Result<> posix_setpriority(ThreadState& ts, Args args) {
  MVM_TRY(int which, AsCInt(ts, args[0]));
  MVM_TRY(int who, AsCInt(ts, args[1]));
  MVM_TRY(int priority, AsCInt(ts, args[2]));
  return DoneOrErrno(
      ts, setpriority(static_cast<__priority_which_t>(which), static_cast<id_t>(who), priority));
}
Result<> posix_setpgrp(ThreadState& ts, Args args) { return DoneOrErrno(ts, setpgid(0, 0)); }

const MethodSpec kFunctions[] = {
    {"getgrouplist(user, group, /)", posix_getgrouplist,
     "The groups that user is in, by number, and group."},
    {"getgroups()", posix_getgroups,
     "The numbers of the groups that the process is in besides its own."},
    {"getpriority(which, who)", posix_getpriority,
     "The nice value of a process, group or user (which): -20 runs first, 19 last."},
    {"getresgid()", posix_getresgid, "The group numbers of the process: (real, effective, saved)."},
    {"getresuid()", posix_getresuid, "The user numbers of the process: (real, effective, saved)."},
    {"initgroups(username, gid, /)", posix_initgroups,
     "Put the process into the groups that username is in, and gid."},
    {"setegid(egid, /)", posix_setegid, "Act as this group from now on; the real one stays."},
    {"seteuid(euid, /)", posix_seteuid, "Act as this user from now on; the real one stays."},
    {"setgid(gid, /)", posix_setgid, "Belong to this group; for root, the saved one as well."},
    {"setgroups(groups, /)", posix_setgroups,
     "Put the process into these groups, by number; for root."},
    {"setpgrp()", posix_setpgrp, "Lead a new process group, which has the number of this process."},
    {"setpriority(which, who, priority)", posix_setpriority,
     "Set the nice value of a process, group or user (which): -20 runs first, 19 last."},
    {"setregid(rgid, egid, /)", posix_setregid,
     "Set the real and effective group; -1 leaves that one."},
    {"setresgid(rgid, egid, sgid, /)", posix_setresgid,
     "Set the real, effective and saved group; -1 leaves that one."},
    {"setresuid(ruid, euid, suid, /)", posix_setresuid,
     "Set the real, effective and saved user; -1 leaves that one."},
    {"setreuid(ruid, euid, /)", posix_setreuid,
     "Set the real and effective user; -1 leaves that one."},
    {"setuid(uid, /)", posix_setuid,
     "Belong to this user; for root, the saved one as well, for good."},
};

}  // namespace

const Table<MethodSpec> kPosixIdentityFunctions = kFunctions;

}  // namespace minivm
