// Processes, identities, the environment and limits of the module posix.
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/times.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <vector>

#include "runtime/objects/dict_object.h"
#include "runtime/objects/float_object.h"
#include "runtime/objects/list_object.h"
#include "runtime/objects/set_object.h"
#include "runtime/objects/struct_sequence.h"
#include "stdlib/posix/posix_support.h"
#include "stdlib/timeout.h"

extern char** environ;

namespace minivm {

Status StringVector::AddPath(ThreadState& ts, Value v) {
  PathArg p;
  MVM_TRY_VOID(GetPath(ts, v, &p, nullptr));
  return Add(ts, std::move(p.text));
}

Status StringVector::Add(ThreadState& ts, std::string s) {
  // The row of either vector, which grow by doubling, and the text where it is not in the row.
  constexpr size_t kRow = 2 * (sizeof(std::string) + sizeof(char*));
  MVM_TRY_VOID(held_.Add(ts, kRow + (s.size() < sizeof(std::string) / 2 ? 0 : s.size() + 16)));
  strings_.push_back(std::move(s));
  return Ok();
}

char* const* StringVector::data() {
  pointers_.clear();
  for (std::string& s : strings_) pointers_.push_back(s.data());
  pointers_.push_back(nullptr);
  return pointers_.data();
}

namespace {

template <class F>
Result<> IntOf(ThreadState& ts, F f) {
  return NewInt(ts, static_cast<int64_t>(f()));
}
Result<> posix_getpid(ThreadState& ts, Args) { return IntOf(ts, getpid); }
Result<> posix_getppid(ThreadState& ts, Args) { return IntOf(ts, getppid); }
Result<> posix_getuid(ThreadState& ts, Args) { return IntOf(ts, getuid); }
Result<> posix_geteuid(ThreadState& ts, Args) { return IntOf(ts, geteuid); }
Result<> posix_getgid(ThreadState& ts, Args) { return IntOf(ts, getgid); }
Result<> posix_getegid(ThreadState& ts, Args) { return IntOf(ts, getegid); }
Result<> posix_getpgrp(ThreadState& ts, Args) { return IntOf(ts, getpgrp); }
Result<> posix_getpgid(ThreadState& ts, Args args) {
  MVM_TRY(int pid, AsCInt(ts, args[0]));
  int r = getpgid(pid);
  if (r < 0) return RaiseErrno(ts, errno);
  return Small(r);
}
Result<> posix_setpgid(ThreadState& ts, Args args) {
  MVM_TRY(int pid, AsCInt(ts, args[0]));
  MVM_TRY(int group, AsCInt(ts, args[1]));
  return DoneOrErrno(ts, setpgid(pid, group));
}
Result<> posix_setsid(ThreadState& ts, Args args) { return DoneOrErrno(ts, setsid()); }
Result<> posix_getsid(ThreadState& ts, Args args) {
  MVM_TRY(int pid, AsCInt(ts, args[0]));
  int r = getsid(pid);
  if (r < 0) return RaiseErrno(ts, errno);
  return Small(r);
}
Result<> posix_getlogin(ThreadState& ts, Args args) {
  char name[256];
  int error = getlogin_r(name, sizeof name);
  if (error != 0) return RaiseErrno(ts, error);
  return NewStrFromOs(ts, name);
}
Result<> posix_kill(ThreadState& ts, Args args) {
  MVM_TRY(int pid, AsCInt(ts, args[0]));
  MVM_TRY(int sig, AsCInt(ts, args[1]));
  if (kill(pid, sig) < 0) return RaiseErrno(ts, errno);
  MVM_TRY_VOID(Charge(ts, 1000000000));  // a signal to ourselves is served here
  return None(ts);
}
Result<> posix_killpg(ThreadState& ts, Args args) {
  MVM_TRY(int group, AsCInt(ts, args[0]));
  MVM_TRY(int sig, AsCInt(ts, args[1]));
  return DoneOrErrno(ts, killpg(group, sig));
}
Result<> posix_nice(ThreadState& ts, Args args) {
  MVM_TRY(int step, AsCInt(ts, args[0]));
  errno = 0;
  int r = nice(step);
  if (r == -1 && errno != 0) return RaiseErrno(ts, errno);
  return Small(r);
}

// ---- processes ----

Result<> posix__exit(ThreadState& ts, Args args) {
  MVM_TRY(int status, AsCInt(ts, args[0]));
  _exit(status);
}
Result<> posix_abort(ThreadState& ts, Args args) { std::abort(); }

// `what` is how messages call the argument.
Status GetArgv(ThreadState& ts, Value v, StringVector* out, const char* what) {
  if (!IsList(ts, v) && !IsTuple(ts, v)) {
    return Raise(ts, Exc::kTypeError, "%s must be a tuple or list", what);
  }
  MVM_TRY_VOID(ForEach(ts, v, [&](Value item) { return out->AddPath(ts, item); }));
  if (out->size() == 0) return Raise(ts, Exc::kValueError, "%s must not be empty", what);
  if ((*out)[0].empty()) {
    return Raise(ts, Exc::kValueError, "%s first element cannot be empty", what);
  }
  return Ok();
}
Status GetEnv(ThreadState& ts, Value v, StringVector* out) {
  MVM_TRY(Ref<> keys, CallMethod(ts, v, MVM_NAME(ts, keys)));
  return ForEach(ts, keys, [&](Value key) -> Status {
    PathArg k, value;
    MVM_TRY_VOID(GetPath(ts, key, &k, nullptr));
    MVM_TRY(Ref<> item, GetItem(ts, v, key));
    MVM_TRY_VOID(GetPath(ts, item, &value, nullptr));
    if (k.text.find('=', 1) != std::string::npos || k.text.empty()) {
      return Raise(ts, Exc::kValueError, "illegal environment variable name");
    }
    return out->Add(ts, k.text + "=" + value.text);
  });
}
Result<> posix_execv(ThreadState& ts, Args args) {
  PathArg p;
  MVM_TRY_VOID(GetPath(ts, args[0], &p, "execv"));
  StringVector argv;
  MVM_TRY_VOID(GetArgv(ts, args[1], &argv, "execv() arg 2"));
  execv(p.c_str(), argv.data());
  return RaiseErrno(ts, errno);
}
Result<> posix_execve(ThreadState& ts, Args args) {
  PathArg p;
  MVM_TRY_VOID(GetPath(ts, args[0], &p, "execve", "path", true));
  StringVector argv, env;
  MVM_TRY_VOID(GetArgv(ts, args[1], &argv, "execve: argv"));
  if (TypeOf(ts, args[2])->slots.get_item == nullptr) {
    return Raise(ts, Exc::kTypeError, "execve: environment must be a mapping object");
  }
  MVM_TRY_VOID(GetEnv(ts, args[2], &env));
  if (p.fd >= 0) {
    fexecve(p.fd, argv.data(), env.data());
  } else {
    execve(p.c_str(), argv.data(), env.data());
  }
  return DoneOrErrno(ts, -1, &p);
}

enum FileAction { kActionOpen = 0, kActionClose = 1, kActionDup2 = 2, kActionCloseFrom = 3 };

// One of posix_spawn()'s file_actions.
Status AddFileAction(ThreadState& ts, Value action, const char* function, HeldMemory* held,
                     posix_spawn_file_actions_t* out) {
  constexpr size_t kRow = 128;  // what the system's list takes for one
  MVM_TRY_VOID(held->Add(ts, kRow));
  if (!IsTuple(ts, action) || action.as<TupleObject>()->size() == 0) {
    return Raise(ts, Exc::kTypeError, "Each file_actions element must be a non-empty tuple");
  }
  TupleObject* t = action.as<TupleObject>();
  const uint32_t n = t->size();
  MVM_TRY(int kind, AsCInt(ts, (*t)[0]));
  int error = 0;
  switch (kind) {
    case kActionOpen: {
      if (n != 5)
        return Raise(ts, Exc::kTypeError, "A open file_action tuple must have 5 elements");
      MVM_TRY(int fd, AsCInt(ts, (*t)[1]));
      PathArg path;
      MVM_TRY_VOID(GetPath(ts, (*t)[2], &path, function));
      MVM_TRY_VOID(held->Add(ts, path.text.size()));
      MVM_TRY(int flags, AsCInt(ts, (*t)[3]));
      MVM_TRY(int mode, AsCInt(ts, (*t)[4]));
      error =
          posix_spawn_file_actions_addopen(out, fd, path.c_str(), flags, static_cast<mode_t>(mode));
      break;
    }
    case kActionClose: {
      if (n != 2)
        return Raise(ts, Exc::kTypeError, "A close file_action tuple must have 2 elements");
      MVM_TRY(int fd, AsCInt(ts, (*t)[1]));
      error = posix_spawn_file_actions_addclose(out, fd);
      break;
    }
    case kActionDup2: {
      if (n != 3)
        return Raise(ts, Exc::kTypeError, "A dup2 file_action tuple must have 3 elements");
      MVM_TRY(int fd, AsCInt(ts, (*t)[1]));
      MVM_TRY(int to, AsCInt(ts, (*t)[2]));
      error = posix_spawn_file_actions_adddup2(out, fd, to);
      break;
    }
    case kActionCloseFrom: {
      if (n != 2)
        return Raise(ts, Exc::kTypeError, "A closefrom file_action tuple must have 2 elements");
      MVM_TRY(int fd, AsCInt(ts, (*t)[1]));
      error = posix_spawn_file_actions_addclosefrom_np(out, fd);
      break;
    }
    default: return Raise(ts, Exc::kTypeError, "Unknown file_actions identifier");
  }
  if (error != 0) return RaiseErrno(ts, error);
  return Ok();
}

// posix_spawn(path, argv, env, /, *, file_actions=(), setpgroup=..., resetids=False, setsid=False,
//             setsigmask=(), setsigdef=(), scheduler=...)
// What posix_spawn() is asked for besides program, arguments and environment.
class SpawnRequest {
 public:
  SpawnRequest(ThreadState& ts, const char* function) : ts_(ts), function_(function) {
    posix_spawn_file_actions_init(&actions_);
    posix_spawnattr_init(&attributes_);
  }
  ~SpawnRequest() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }
  SpawnRequest(const SpawnRequest&) = delete;
  SpawnRequest& operator=(const SpawnRequest&) = delete;

  Status TakeActions(Value actions) {
    if (IsNone(ts_, actions)) return Ok();
    if (TypeOf(ts_, actions)->slots.get_item == nullptr) {
      return Raise(ts_, Exc::kTypeError, "file_actions must be a sequence or None");
    }
    return ForEach(ts_, actions, [&](Value action) {
      return AddFileAction(ts_, action, function_, &held_, &actions_);
    });
  }
  // group: absent, or a process group's number.
  Status TakeGroups(Value group, Value reset_ids, Value new_session) {
    if (!group.is_absent()) {
      MVM_TRY(int number, AsCInt(ts_, group));
      posix_spawnattr_setpgroup(&attributes_, number);
      flags_ |= POSIX_SPAWN_SETPGROUP;
    }
    MVM_TRY(bool reset, Truth(ts_, reset_ids));
    if (reset) flags_ |= POSIX_SPAWN_RESETIDS;
    MVM_TRY(bool session, Truth(ts_, new_session));
    if (session) flags_ |= POSIX_SPAWN_SETSID;
    return Ok();
  }
  // Both may be absent.
  Status TakeSignals(Value mask, Value defaults) {
    sigset_t set;
    bool any = false;
    if (!mask.is_absent()) {
      MVM_TRY_VOID(ReadSignals(mask, &set, &any));
      posix_spawnattr_setsigmask(&attributes_, &set);
      flags_ |= POSIX_SPAWN_SETSIGMASK;
    }
    any = false;
    if (!defaults.is_absent()) MVM_TRY_VOID(ReadSignals(defaults, &set, &any));
    if (any) {
      posix_spawnattr_setsigdefault(&attributes_, &set);
      flags_ |= POSIX_SPAWN_SETSIGDEF;
    }
    return Ok();
  }
  // (policy or None, sched_param); absent or None: as it is.
  Status TakeScheduler(Value scheduler) {
    if (scheduler.is_absent() || IsNone(ts_, scheduler)) return Ok();
    if (!IsTuple(ts_, scheduler) || scheduler.as<TupleObject>()->size() != 2) {
      return Raise(ts_, Exc::kTypeError, "A scheduler tuple must have two elements");
    }
    TupleObject* pair = scheduler.as<TupleObject>();
    struct sched_param param;
    MVM_TRY_VOID(SchedParam(ts_, (*pair)[1], &param));
    if (!IsNone(ts_, (*pair)[0])) {
      MVM_TRY(int policy, AsCInt(ts_, (*pair)[0]));
      posix_spawnattr_setschedpolicy(&attributes_, policy);
      flags_ |= POSIX_SPAWN_SETSCHEDULER;
    }
    posix_spawnattr_setschedparam(&attributes_, &param);
    flags_ |= POSIX_SPAWN_SETSCHEDPARAM;
    return Ok();
  }
  // 0 or an errno.
  int Run(pid_t* pid, const char* program, bool search, char* const* argv, char* const* env) {
    posix_spawnattr_setflags(&attributes_, flags_);
    return search ? ::posix_spawnp(pid, program, &actions_, &attributes_, argv, env)
                  : ::posix_spawn(pid, program, &actions_, &attributes_, argv, env);
  }

 private:
  Status ReadSignals(Value signals, sigset_t* set, bool* any) {
    sigemptyset(set);
    return ForEach(ts_, signals, [&](Value v) -> Status {
      MVM_TRY(int sig, AsCInt(ts_, v));
      if (sigaddset(set, sig) < 0) {
        return Raise(ts_, Exc::kValueError, "signal number %d out of range [1; 64]", sig);
      }
      *any = true;
      return Ok();
    });
  }

  ThreadState& ts_;
  const char* function_;
  HeldMemory held_;
  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
  short flags_ = 0;
};

Result<> Spawn(ThreadState& ts, Args args, bool search) {
  const char* function = search ? "posix_spawnp" : "posix_spawn";
  PathArg p;
  MVM_TRY_VOID(GetPath(ts, args[0], &p, function));
  StringVector argv, env;
  MVM_TRY_VOID(GetArgv(ts, args[1], &argv, search ? "posix_spawnp: argv" : "posix_spawn: argv"));
  bool inherit = IsNone(ts, args[2]);
  if (!inherit && TypeOf(ts, args[2])->slots.get_item == nullptr) {
    return Raise(ts, Exc::kTypeError, "%s: environment must be a mapping object or None", function);
  }
  if (!inherit) MVM_TRY_VOID(GetEnv(ts, args[2], &env));
  const Value absent = Value::Absent();
  SpawnRequest request(ts, function);
  MVM_TRY_VOID(request.TakeActions(args[3]));
  MVM_TRY_VOID(request.TakeGroups(args.get(4, absent), args[5], args[6]));
  MVM_TRY_VOID(request.TakeSignals(args.get(7, absent), args.get(8, absent)));
  MVM_TRY_VOID(request.TakeScheduler(args.get(9, absent)));
  pid_t pid;
  int error = request.Run(&pid, p.c_str(), search, argv.data(), inherit ? environ : env.data());
  if (error != 0) return RaiseErrno(ts, error, args[0]);
  return Small(pid);
}
Result<> posix_posix_spawn(ThreadState& ts, Args args) { return Spawn(ts, args, false); }
Result<> posix_posix_spawnp(ThreadState& ts, Args args) { return Spawn(ts, args, true); }

Result<> posix_system(ThreadState& ts, Args args) {
  PathArg p;
  MVM_TRY_VOID(GetPath(ts, args[0], &p, "system", "command"));
  return Small(Blocking(ts, [&] { return std::system(p.c_str()); }));
}

const GetSetSpec kRusageFields[] = {
    {"ru_utime", StructItem<0>},   {"ru_stime", StructItem<1>},     {"ru_maxrss", StructItem<2>},
    {"ru_ixrss", StructItem<3>},   {"ru_idrss", StructItem<4>},     {"ru_isrss", StructItem<5>},
    {"ru_minflt", StructItem<6>},  {"ru_majflt", StructItem<7>},    {"ru_nswap", StructItem<8>},
    {"ru_inblock", StructItem<9>}, {"ru_oublock", StructItem<10>},  {"ru_msgsnd", StructItem<11>},
    {"ru_msgrcv", StructItem<12>}, {"ru_nsignals", StructItem<13>}, {"ru_nvcsw", StructItem<14>},
    {"ru_nivcsw", StructItem<15>},
};
const StructSequenceSpec kRusage = {
    .type = StructSequenceTypeSpec(
        "resource.struct_rusage", kRusageFields,
        "What getrusage() gives: times in seconds, memory in kilobytes, counts.",
        "structseq(sequence, dict=<unrepresentable>)"),
    .visible = 16,
    .total = 16,
};

}  // namespace

Result<TypeObject*> RusageType(ThreadState& ts) { return StructSequenceType(ts, kRusage); }

Result<> RusageResult(ThreadState& ts, const struct rusage& u) {
  auto seconds = [](const struct timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  MVM_TRY(Ref<> user, NewFloat(ts, seconds(u.ru_utime)));
  MVM_TRY(Ref<> system, NewFloat(ts, seconds(u.ru_stime)));
  Value v[] = {user.get(),
               system.get(),
               Value::Int(u.ru_maxrss),
               Value::Int(u.ru_ixrss),
               Value::Int(u.ru_idrss),
               Value::Int(u.ru_isrss),
               Value::Int(u.ru_minflt),
               Value::Int(u.ru_majflt),
               Value::Int(u.ru_nswap),
               Value::Int(u.ru_inblock),
               Value::Int(u.ru_oublock),
               Value::Int(u.ru_msgsnd),
               Value::Int(u.ru_msgrcv),
               Value::Int(u.ru_nsignals),
               Value::Int(u.ru_nvcsw),
               Value::Int(u.ru_nivcsw)};
  return NewStructSequence(ts, kRusage, v);
}

namespace {

// Until the child has ended, as far as the system tells; some other way of waiting must say so.
Status AwaitEnd(ThreadState& ts, pid_t pid) {
  int fd = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  if (fd < 0) return Ok();
  struct pollfd row = {fd, POLLIN, 0};
  Result<int> waited = WaitUntil(ts, Deadline(), [&](int64_t slice) {
    return poll(&row, 1, static_cast<int>(slice / 1'000'000));
  });
  close(fd);
  return waited.raised() ? Status(kRaised) : Ok();
}

Result<> Wait(ThreadState& ts, int pid, int options, bool with_usage) {
  int status = 0;
  struct rusage usage = {};
  // The call that waits would not be woken by the host: it is made when there is something to tell.
  Naps naps;
  pid_t r;
  for (bool first = true;; first = false) {
    bool raised;
    r = RetryInterrupted(
        ts, [&] { return wait4(pid, &status, options | WNOHANG, &usage); }, &raised);
    if (raised) return kRaised;
    if (r != 0 || (options & WNOHANG)) break;
    if (first && pid > 0 && options == 0) {
      MVM_TRY_VOID(AwaitEnd(ts, pid));
    } else {
      MVM_TRY_VOID(naps.Next(ts));
    }
  }
  if (r < 0) return RaiseErrno(ts, errno);
  if (!with_usage) {
    Value pair[] = {Value::Int(r), Value::Int(status)};
    return NewTuple(ts, pair);
  }
  MVM_TRY(Ref<> u, RusageResult(ts, usage));
  Value triple[] = {Value::Int(r), Value::Int(status), u.get()};
  return NewTuple(ts, triple);
}
Result<> posix_wait(ThreadState& ts, Args args) { return Wait(ts, -1, 0, false); }
Result<> posix_waitpid(ThreadState& ts, Args args) {
  MVM_TRY(int pid, AsCInt(ts, args[0]));
  MVM_TRY(int options, AsCInt(ts, args[1]));
  return Wait(ts, pid, options, false);
}
Result<> posix_wait3(ThreadState& ts, Args args) {
  MVM_TRY(int options, AsCInt(ts, args[0]));
  return Wait(ts, -1, options, true);
}
Result<> posix_wait4(ThreadState& ts, Args args) {
  MVM_TRY(int pid, AsCInt(ts, args[0]));
  MVM_TRY(int options, AsCInt(ts, args[1]));
  return Wait(ts, pid, options, true);
}
#define WAIT_TEST(name, expression, wrap)             \
  Result<> posix_##name(ThreadState& ts, Args args) { \
    MVM_TRY(int status, AsCInt(ts, args[0]));         \
    return wrap(expression);                          \
  }
#define WAIT_BOOL(e) Bool(ts, e)
#define WAIT_INT(e) Small(e)
WAIT_TEST(WCOREDUMP, WCOREDUMP(status), WAIT_BOOL)
WAIT_TEST(WIFCONTINUED, WIFCONTINUED(status), WAIT_BOOL)
WAIT_TEST(WIFEXITED, WIFEXITED(status), WAIT_BOOL)
WAIT_TEST(WIFSIGNALED, WIFSIGNALED(status), WAIT_BOOL)
WAIT_TEST(WIFSTOPPED, WIFSTOPPED(status), WAIT_BOOL)
WAIT_TEST(WEXITSTATUS, WEXITSTATUS(status), WAIT_INT)
WAIT_TEST(WSTOPSIG, WSTOPSIG(status), WAIT_INT)
WAIT_TEST(WTERMSIG, WTERMSIG(status), WAIT_INT)
Result<> posix_waitstatus_to_exitcode(ThreadState& ts, Args args) {
  MVM_TRY(int status, AsCInt(ts, args[0]));
  if (WIFEXITED(status)) return Small(WEXITSTATUS(status));
  if (WIFSIGNALED(status)) return Small(-WTERMSIG(status));
  if (WIFSTOPPED(status)) {
    return Raise(ts, Exc::kValueError, "process stopped by delivery of signal %d",
                 WSTOPSIG(status));
  }
  return Raise(ts, Exc::kValueError, "invalid wait status: %d", status);
}

// ---- machine ----

const GetSetSpec kUnameFields[] = {
    {"sysname", StructItem<0>, nullptr, "the system's name"},
    {"nodename", StructItem<1>, nullptr, "the machine's name"},
    {"release", StructItem<2>, nullptr, "the system's release"},
    {"version", StructItem<3>, nullptr, "the system's build"},
    {"machine", StructItem<4>, nullptr, "the kind of machine"},
};
const StructSequenceSpec kUname = {
    .type = StructSequenceTypeSpec(
        "posix.uname_result", kUnameFields,
        "What uname() gives: (sysname, nodename, release, version, machine)."),
    .visible = 5,
    .total = 5,
};
Result<> posix_uname(ThreadState& ts, Args args) {
  struct utsname u;
  if (uname(&u) < 0) return RaiseErrno(ts, errno);
  const char* texts[] = {u.sysname, u.nodename, u.release, u.version, u.machine};
  Ref<> hold[5];
  Value v[5];
  for (int i = 0; i < 5; ++i) {
    MVM_TRY(hold[i], NewStrFromOs(ts, texts[i]));
    v[i] = hold[i].get();
  }
  return NewStructSequence(ts, kUname, v);
}
const GetSetSpec kTimesFields[] = {
    {"user", StructItem<0>, nullptr, "seconds that this process has run"},
    {"system", StructItem<1>, nullptr, "seconds that the system has worked for it"},
    {"children_user", StructItem<2>, nullptr, "seconds that ended children have run"},
    {"children_system", StructItem<3>, nullptr,
     "seconds that the system has worked for ended children"},
    {"elapsed", StructItem<4>, nullptr, "seconds since some moment, the same for every call"},
};
const StructSequenceSpec kTimes = {
    .type = StructSequenceTypeSpec(
        "posix.times_result", kTimesFields,
        "What times() gives: (user, system, children_user, children_system, elapsed), in seconds."),
    .visible = 5,
    .total = 5,
};
Result<> posix_times(ThreadState& ts, Args args) {
  struct tms t;
  clock_t now = times(&t);
  double tick = static_cast<double>(sysconf(_SC_CLK_TCK));
  const double values[] = {t.tms_utime / tick, t.tms_stime / tick, t.tms_cutime / tick,
                           t.tms_cstime / tick, now / tick};
  Ref<> hold[5];
  Value v[5];
  for (int i = 0; i < 5; ++i) {
    MVM_TRY(hold[i], NewFloat(ts, values[i]));
    v[i] = hold[i].get();
  }
  return NewStructSequence(ts, kTimes, v);
}
Result<> posix_cpu_count(ThreadState& ts, Args args) {
  long n = sysconf(_SC_NPROCESSORS_ONLN);
  return n < 1 ? None(ts) : Small(n);
}
Result<> posix_getloadavg(ThreadState& ts, Args args) {
  double load[3];
  if (getloadavg(load, 3) != 3) return Raise(ts, Exc::kOSError, "Load averages are unobtainable");
  Ref<> hold[3];
  Value v[3];
  for (int i = 0; i < 3; ++i) {
    MVM_TRY(hold[i], NewFloat(ts, load[i]));
    v[i] = hold[i].get();
  }
  return NewTuple(ts, v);
}
Result<> posix_sched_getaffinity(ThreadState& ts, Args args) {
  MVM_TRY(int pid, AsCInt(ts, args[0]));
  cpu_set_t set;
  if (sched_getaffinity(pid, sizeof set, &set) < 0) return RaiseErrno(ts, errno);
  MVM_TRY(Ref<SetObject> out, NewSet(ts));
  for (int i = 0; i < CPU_SETSIZE; ++i) {
    if (CPU_ISSET(i, &set)) MVM_TRY_VOID(SetAdd(ts, out, Value::Int(i)));
  }
  return out;
}
Result<> posix_sched_setaffinity(ThreadState& ts, Args args) {
  MVM_TRY(int pid, AsCInt(ts, args[0]));
  cpu_set_t set;
  CPU_ZERO(&set);
  MVM_TRY_VOID(ForEach(ts, args[1], [&](Value v) -> Status {
    MVM_TRY(int cpu, AsCInt(ts, v));
    if (cpu < 0) return Raise(ts, Exc::kValueError, "negative CPU number");
    if (cpu < CPU_SETSIZE) CPU_SET(cpu, &set);
    return Ok();
  }));
  return DoneOrErrno(ts, sched_setaffinity(pid, sizeof set, &set));
}
Result<> posix_sched_yield(ThreadState& ts, Args args) {
  YieldLock(ts);
  return None(ts);
}
Result<> posix_strerror(ThreadState& ts, Args args) {
  MVM_TRY(int code, AsCInt(ts, args[0]));
  return NewStr(ts, std::strerror(code));
}

// ---- environment ----

Result<> posix_putenv(ThreadState& ts, Args args) {
  PathArg name, value;
  MVM_TRY_VOID(GetPath(ts, args[0], &name, "putenv", "name"));
  MVM_TRY_VOID(GetPath(ts, args[1], &value, "putenv", "value"));
  if (name.text.find('=') != std::string::npos)
    return Raise(ts, Exc::kValueError, "illegal environment variable name");
  return DoneOrErrno(ts, setenv(name.c_str(), value.c_str(), 1));
}
Result<> posix_unsetenv(ThreadState& ts, Args args) {
  PathArg name;
  MVM_TRY_VOID(GetPath(ts, args[0], &name, "unsetenv", "name"));
  return DoneOrErrno(ts, unsetenv(name.c_str()));
}

const MethodSpec kFunctions[] = {
    {"WCOREDUMP(status, /)", posix_WCOREDUMP,
     "Whether a core file was left, by the status of a child."},
    {"WEXITSTATUS(status)", posix_WEXITSTATUS, "What a child gave to exit(), by its status."},
    {"WIFCONTINUED(status)", posix_WIFCONTINUED,
     "Whether a child goes on after a stop, by its status."},
    {"WIFEXITED(status)", posix_WIFEXITED, "Whether a child has ended by itself, by its status."},
    {"WIFSIGNALED(status)", posix_WIFSIGNALED,
     "Whether a signal has ended a child, by its status."},
    {"WIFSTOPPED(status)", posix_WIFSTOPPED, "Whether a child is stopped, by its status."},
    {"WSTOPSIG(status)", posix_WSTOPSIG, "Which signal has stopped a child, by its status."},
    {"WTERMSIG(status)", posix_WTERMSIG, "Which signal has ended a child, by its status."},
    {"_exit(status)", posix__exit,
     "End at once: no cleanup, no flushing; for a child after fork()."},
    {"abort()", posix_abort, "End at once by SIGABRT, which leaves a core file."},
    {"cpu_count()", posix_cpu_count,
     "How many processors the machine has; None if unknown. process_cpu_count() is how many may be "
     "used."},
    {"execv(path, argv, /)", posix_execv,
     "Go on as another program, with the arguments argv, whose first is its name. Returns only by "
     "OSError."},
    {"execve(path, argv, env)", posix_execve, "execv() with env as the environment."},
    {"getegid()", posix_getegid, "The number of the group that the process acts as."},
    {"geteuid()", posix_geteuid, "The number of the user that the process acts as."},
    {"getgid()", posix_getgid, "The number of the group that the process belongs to."},
    {"getloadavg()", posix_getloadavg,
     "How many processes ran or waited to, on average over 1, 5 and 15 minutes."},
    {"getlogin()", posix_getlogin, "Who has logged in at the terminal of the process."},
    {"getpgid(pid)", posix_getpgid, "The number of the process group of a process, 0: this one."},
    {"getpgrp()", posix_getpgrp, "The number of this process group."},
    {"getpid()", posix_getpid, "The number of this process."},
    {"getppid()", posix_getppid, "The number of the process that started this one."},
    {"getsid(pid, /)", posix_getsid, "The number of the session of a process, 0: this one."},
    {"getuid()", posix_getuid, "The number of the user that the process belongs to."},
    {"kill(pid, signal, /)", posix_kill,
     "Send a signal to a process; 0 only asks whether it is there and may be signalled."},
    {"killpg(pgid, signal, /)", posix_killpg, "Send a signal to each process of a group."},
    {"nice(increment, /)", posix_nice,
     "Add to the nice value, so that others run first; returns the new one."},
    {"posix_spawn(path, argv, env, /, *, file_actions=(), setpgroup=<unrepresentable>, "
     "resetids=False, setsid=False, setsigmask=<unrepresentable>, setsigdef=<unrepresentable>, "
     "scheduler=<unrepresentable>)",
     posix_posix_spawn,
     "Start a program and return its process number.\n"
     "\n"
     "file_actions: tuples (POSIX_SPAWN_OPEN, fd, path, flags, mode), (POSIX_SPAWN_CLOSE, fd) and\n"
     "(POSIX_SPAWN_DUP2, fd, new_fd), done in the child before."},
    {"posix_spawnp(path, argv, env, /, *, file_actions=(), setpgroup=<unrepresentable>, "
     "resetids=False, setsid=False, setsigmask=<unrepresentable>, setsigdef=<unrepresentable>, "
     "scheduler=<unrepresentable>)",
     posix_posix_spawnp,
     "Start a program and return its process number.\n"
     "\n"
     "file_actions: tuples (POSIX_SPAWN_OPEN, fd, path, flags, mode), (POSIX_SPAWN_CLOSE, fd) and\n"
     "(POSIX_SPAWN_DUP2, fd, new_fd), done in the child before."},
    {"putenv(name, value, /)", posix_putenv,
     "Set a variable for programs started later; os.environ does not see it."},
    {"sched_getaffinity(pid, /)", posix_sched_getaffinity,
     "The processors that a process may use, 0: this one, as a set of numbers."},
    {"sched_setaffinity(pid, mask, /)", posix_sched_setaffinity,
     "Let a process, 0: this one, use these processors only."},
    {"sched_yield()", posix_sched_yield, "Let another thread run."},
    {"setpgid(pid, pgrp, /)", posix_setpgid,
     "Put a process, 0: this one, into a process group, 0: its own."},
    {"setsid()", posix_setsid, "Begin a session without a terminal, led by this process."},
    {"strerror(code, /)", posix_strerror, "The text for an error number."},
    {"system(command)", posix_system, "Run a command by the shell; returns its wait status."},
    {"times()", posix_times,
     "Processor and real times of this process and its ended children, in seconds."},
    {"uname()", posix_uname,
     "Name, release and version of the system, the machine's name and its kind."},
    {"unsetenv(name, /)", posix_unsetenv,
     "Take a variable away for programs started later; os.environ does not see it."},
    {"wait()", posix_wait, "Wait for any child to end."},
    {"wait3(options)", posix_wait3,
     "wait() with options such as WNOHANG, and what the child has used: (pid, status, resource "
     "usage)."},
    {"wait4(pid, options)", posix_wait4,
     "waitpid(), and what the child has used: (pid, status, resource usage)."},
    {"waitpid(pid, options, /)", posix_waitpid,
     "Wait for a child, -1: any, 0 or less: one of a group; (pid, status), (0, 0) with WNOHANG if "
     "none has ended."},
    {"waitstatus_to_exitcode(status)", posix_waitstatus_to_exitcode,
     "The exit code in a wait status, or the signal that ended the child, negated. ValueError for "
     "a stopped one."},
};

}  // namespace

const Table<MethodSpec> kPosixProcessFunctions = kFunctions;

Status AddPosixProcessTypes(ThreadState& ts, ModuleObject* module) {
  MVM_TRY(TypeObject * uname_type, StructSequenceType(ts, kUname));
  MVM_TRY_VOID(ModuleAdd(ts, module, "uname_result", Value(uname_type)));
  MVM_TRY(TypeObject * times_type, StructSequenceType(ts, kTimes));
  MVM_TRY_VOID(ModuleAdd(ts, module, "times_result", Value(times_type)));
  MVM_TRY(Ref<DictObject> env, NewDict(ts));
  for (char** e = environ; e != nullptr && *e != nullptr; ++e) {
    std::string_view row = *e;
    size_t eq = row.find('=', 1);
    if (eq == std::string_view::npos) continue;
    MVM_TRY(Ref<BytesObject> name, NewBytes(ts, row.substr(0, eq)));
    MVM_TRY(Ref<BytesObject> value, NewBytes(ts, row.substr(eq + 1)));
    MVM_TRY_VOID(DictSetDefault(ts, env, Value(name.get()), Value(value.get())));
  }
  return ModuleAdd(ts, module, "environ", Value(env.get()));
}

}  // namespace minivm
