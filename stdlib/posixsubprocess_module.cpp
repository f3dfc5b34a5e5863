// The module _posixsubprocess: starting a program in a child process, for subprocess.
//
// Everything the child needs is made before it exists. Between its birth and exec() it only calls
// what is safe after vfork() or in a copy of a process with several threads: system calls on data
// that is ready. (With a preexec_fn it is a fork() that runs script code, as CPython has it.)
//
// A child that fails writes "Type:errno in hex:stage" to errpipe_write and dies: stage is "" when
// exec failed, "cwd" when chdir did, "setup" for the rest; for a failed preexec_fn there is a
// message in that place.
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

#include "runtime/objects/module_object.h"
#include "stdlib/posix/posix_support.h"

extern char** environ;

namespace minivm {

namespace {

// What fork_exec() was asked for, in the form the child needs.
struct ChildPlan {
  char* const* argv = nullptr;
  char* const* envp = nullptr;         // null: as it is
  char* const* executables = nullptr;  // tried in turn, null at the end
  const char* cwd = nullptr;
  const int* keep = nullptr;  // sorted descriptors that stay open
  size_t keep_count = 0;
  bool close_fds = false, restore_signals = false, new_session = false;
  int child_in, parent_in, parent_out, child_out, parent_err,
      child_err;  // ends of the pipes, or -1
  int report_read, report_write;
  int process_group = -1, umask = -1;
  bool set_uid = false, set_gid = false, set_groups = false;
  uid_t uid = 0;
  gid_t gid = 0;
  const gid_t* groups = nullptr;
  size_t group_count = 0;
  Value preexec;                      // borrowed; null: none
  const sigset_t* signals = nullptr;  // to be blocked in the program; null: as they are
};

// ---- in the child ----

bool SetInheritable(int fd) {
  int flags = fcntl(fd, F_GETFD);
  return flags >= 0 && fcntl(fd, F_SETFD, flags & ~FD_CLOEXEC) >= 0;
}

// A descriptor below 3 that is a pipe's end moves out of the way of the standard ones.
bool MoveUp(int* fd, int above) {
  if (*fd < 0 || *fd >= above) return true;
  int moved = fcntl(*fd, F_DUPFD_CLOEXEC, above);
  if (moved < 0) return false;
  *fd = moved;
  return true;
}

bool Install(int fd, int standard) {
  if (fd == -1) return true;
  if (fd == standard) return SetInheritable(fd);
  return dup2(fd, standard) >= 0;
}

void CloseRange(int first, int last) {
  if (first > last) return;
  if (syscall(SYS_close_range, static_cast<unsigned>(first), static_cast<unsigned>(last), 0) == 0)
    return;
  // An old kernel: one by one, as far as descriptors can go.
  struct rlimit limit;
  int most = 65536;
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < static_cast<rlim_t>(last)) {
    most = static_cast<int>(limit.rlim_cur);
  }
  for (int fd = first; fd <= last && fd < most; ++fd) close(fd);
}

// Closes everything from 3 on but the descriptors to keep.
void CloseOthers(const ChildPlan& plan) {
  int first = 3;
  for (size_t i = 0; i < plan.keep_count; ++i) {
    if (plan.keep[i] < first) continue;
    CloseRange(first, plan.keep[i] - 1);
    first = plan.keep[i] + 1;
  }
  CloseRange(first, INT32_MAX);
}

bool SetIdentity(const ChildPlan& plan) {
  // The raw calls: the C library's versions would speak to threads that do not exist here.
  if (plan.set_groups && syscall(SYS_setgroups, plan.group_count, plan.groups) < 0) return false;
  if (plan.set_gid && syscall(SYS_setregid, plan.gid, plan.gid) < 0) return false;
  if (plan.set_uid && syscall(SYS_setreuid, plan.uid, plan.uid) < 0) return false;
  return true;
}

// Lets signals in again. Handlers go first, as they do in exec(): after vfork() they would run in
// our parent's memory.
void Unblock(const sigset_t& mask) {
  for (int number = 1; number < NSIG; ++number) {
    struct sigaction action;
    if (sigaction(number, nullptr, &action) < 0) continue;
    if (action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN) signal(number, SIG_DFL);
  }
  sigprocmask(SIG_SETMASK, &mask, nullptr);
}

void Report(const ChildPlan& plan, const char* type, int error, const char* stage) {
  // Assembled by hand: printf is not safe here.
  char text[128];
  size_t n = 0;
  auto add = [&](const char* s) {
    while (*s != 0 && n < sizeof text) text[n++] = *s++;
  };
  add(type);
  add(":");
  char digits[9];
  int d = 8;
  digits[d] = 0;
  unsigned rest = static_cast<unsigned>(error);
  do {
    digits[--d] = "0123456789abcdef"[rest & 15];
    rest >>= 4;
  } while (rest != 0 && d > 0);
  add(digits + d);
  add(":");
  add(stage);
  ssize_t ignored = write(plan.report_write, text, n);
  (void)ignored;
}

// Everything up to exec(). Returns the stage that failed, with errno.
const char* SetUpAndExec(ThreadState& ts, ChildPlan& plan) {
  for (size_t i = 0; i < plan.keep_count; ++i) {
    if (plan.keep[i] != plan.report_write && !SetInheritable(plan.keep[i])) return "setup";
  }
  if (plan.parent_in >= 0) close(plan.parent_in);
  if (plan.parent_out >= 0) close(plan.parent_out);
  if (plan.parent_err >= 0) close(plan.parent_err);
  close(plan.report_read);
  // When a pipe's end has the number of another standard stream.
  if (plan.child_out == 0 && !MoveUp(&plan.child_out, 3)) return "setup";
  if ((plan.child_err == 0 || plan.child_err == 1) && !MoveUp(&plan.child_err, 3)) return "setup";
  if (!Install(plan.child_in, 0) || !Install(plan.child_out, 1) || !Install(plan.child_err, 2))
    return "setup";
  if (plan.cwd != nullptr && chdir(plan.cwd) < 0) return "cwd";
  if (plan.umask >= 0) ::umask(static_cast<mode_t>(plan.umask));
  if (plan.restore_signals) {
    signal(SIGPIPE, SIG_DFL);
    signal(SIGXFSZ, SIG_DFL);
  }
  if (plan.new_session) setsid();
  if (plan.process_group >= 0 && setpgid(0, plan.process_group) < 0) return "setup";
  if (!SetIdentity(plan)) return "setup";
  if (!plan.preexec.is_null()) {
    Result<> r = Call(ts, plan.preexec);
    if (r.raised()) return "preexec";
    Ref<> dropped = r.Take();
  }
  if (plan.close_fds) CloseOthers(plan);
  if (plan.signals != nullptr) Unblock(*plan.signals);
  int telling = 0;  // the first error other than "not there"
  for (char* const* file = plan.executables; *file != nullptr; ++file) {
    // Without an environment of its own the child has ours, as preexec_fn has left it.
    execve(*file, plan.argv, plan.envp != nullptr ? plan.envp : environ);
    if (errno != ENOENT && errno != ENOTDIR && telling == 0) telling = errno;
  }
  if (telling != 0) errno = telling;
  return "";
}

[[noreturn]] void RunChild(ThreadState& ts, ChildPlan& plan) {
  const char* stage = SetUpAndExec(ts, plan);
  int error = errno;
  if (std::strcmp(stage, "preexec") == 0) {
    Report(plan, "SubprocessError", 0, "Exception occurred in preexec_fn.");
  } else {
    Report(plan, "OSError", error, stage);
  }
  _exit(255);
}

// ---- before and after ----

[[gnu::noinline]] pid_t VforkChild(ThreadState& ts, ChildPlan& plan) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
  pid_t pid = vfork();
#pragma GCC diagnostic pop
  if (pid == 0) RunChild(ts, plan);
  return pid;
}

// Without script code in the child. A vfork() child borrows our memory, so no handler may run in
// it: all signals are blocked until it is gone (it restores the mask itself before exec).
pid_t StartPlain(ThreadState& ts, ChildPlan& plan, bool allow_vfork) {
  if (!allow_vfork) {
    pid_t pid = fork();
    if (pid == 0) RunChild(ts, plan);
    return pid;
  }
  sigset_t all, old;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &old);
  plan.signals = &old;
  int saved_in = plan.child_in, saved_out = plan.child_out, saved_err = plan.child_err;
  pid_t pid = VforkChild(ts, plan);
  int error = errno;
  plan.child_in = saved_in;
  plan.child_out = saved_out;
  plan.child_err = saved_err;
  pthread_sigmask(SIG_SETMASK, &old, nullptr);
  errno = error;
  return pid;
}

// Descriptors to keep: a tuple of ints, ascending.
Status GetKeep(ThreadState& ts, Value v, HeldMemory* held, std::vector<int>* out) {
  if (!IsTuple(ts, v))
    return Raise(ts, Exc::kTypeError, "fork_exec() argument 4 must be tuple, not %T", v);
  MVM_TRY_VOID(held->Add(ts, v.as<TupleObject>()->size() * sizeof(int)));
  out->reserve(v.as<TupleObject>()->size());
  for (Value item : v.as<TupleObject>()->span()) {
    MVM_TRY_VOID(Charge(ts, 1));
    int64_t fd = -1;
    if (!IsInt(ts, item) || !IntFitsInt64(item, &fd) || fd < 0 || fd > INT32_MAX ||
        (!out->empty() && fd <= out->back())) {
      return Raise(ts, Exc::kValueError, "bad value(s) in fds_to_keep");
    }
    out->push_back(static_cast<int>(fd));
  }
  return Ok();
}

Status GetStrings(ThreadState& ts, Value v, StringVector* out) {
  return ForEach(ts, v, [&](Value item) { return out->AddPath(ts, item); });
}

Result<> posixsubprocess_fork_exec(ThreadState& ts, Args args) {
  ChildPlan plan;
  StringVector argv, executables, env;
  MVM_TRY_VOID(GetStrings(ts, args[0], &argv));
  MVM_TRY_VOID(GetStrings(ts, args[1], &executables));
  MVM_TRY(plan.close_fds, Truth(ts, args[2]));
  HeldMemory held;
  std::vector<int> keep;
  MVM_TRY_VOID(GetKeep(ts, args[3], &held, &keep));
  PathArg cwd;
  if (!IsNone(ts, args[4])) {
    MVM_TRY_VOID(GetPath(ts, args[4], &cwd, "fork_exec", "cwd"));
    plan.cwd = cwd.c_str();
  }
  if (!IsNone(ts, args[5])) MVM_TRY_VOID(GetStrings(ts, args[5], &env));
  int* const ends[] = {&plan.child_in,   &plan.parent_in, &plan.parent_out,  &plan.child_out,
                       &plan.parent_err, &plan.child_err, &plan.report_read, &plan.report_write};
  for (uint32_t i = 0; i < 8; ++i) {
    MVM_TRY(*ends[i], AsCInt(ts, args[6 + i]));
  }
  if (plan.close_fds && plan.report_write < 3) {
    return Raise(ts, Exc::kValueError, "errpipe_write must be >= 3");
  }
  MVM_TRY(plan.restore_signals, Truth(ts, args[14]));
  MVM_TRY(plan.new_session, Truth(ts, args[15]));
  MVM_TRY(plan.process_group, AsCInt(ts, args[16]));
  if (!IsNone(ts, args[17])) {
    MVM_TRY(plan.gid, AsGid(ts, args[17]));
    plan.set_gid = true;
  }
  std::vector<gid_t> groups;
  if (!IsNone(ts, args[18])) {
    if (!IsList(ts, args[18]))
      return Raise(ts, Exc::kTypeError, "setgroups argument must be a sequence");
    MVM_TRY_VOID(ForEach(ts, args[18], [&](Value v) -> Status {
      if (!IsInt(ts, v)) return Raise(ts, Exc::kTypeError, "groups must be integers");
      Result<gid_t> id = AsGid(ts, v);
      if (id.raised()) {
        if (!ClearPendingIf(ts, Exc::kOverflowError)) return kRaised;
        return Raise(ts, Exc::kValueError, "invalid group id");
      }
      if (groups.size() >= 65536) return Raise(ts, Exc::kValueError, "too many extra_groups");
      groups.push_back(id.Take());
      return Ok();
    }));
    plan.set_groups = true;
  }
  if (!IsNone(ts, args[19])) {
    MVM_TRY(plan.uid, AsUid(ts, args[19]));
    plan.set_uid = true;
  }
  MVM_TRY(plan.umask, AsCInt(ts, args[20]));
  if (!IsNone(ts, args[21])) plan.preexec = args[21];
  MVM_TRY(bool allow_vfork, Truth(ts, args[22]));

  plan.argv = argv.data();
  plan.executables = executables.data();
  plan.envp = IsNone(ts, args[5]) ? nullptr : env.data();
  plan.keep = keep.data();
  plan.keep_count = keep.size();
  plan.groups = groups.data();
  plan.group_count = groups.size();

  pid_t pid;
  if (plan.preexec.is_null()) {
    bool new_identity = plan.set_uid || plan.set_gid || plan.set_groups;
    pid = StartPlain(ts, plan, allow_vfork && !new_identity);
  } else {
    MVM_TRY(pid, ForkWithHooks(ts));
    if (pid == 0) RunChild(ts, plan);
  }
  if (pid < 0) return RaiseErrno(ts, errno);
  return Small(pid);
}

const MethodSpec kFunctions[] = {
    {"fork_exec(args, executable_list, close_fds, pass_fds, cwd, env, p2cread, p2cwrite, c2pread, "
     "c2pwrite, errread, "
     "errwrite, errpipe_read, errpipe_write, restore_signals, call_setsid, pgid_to_set, gid, "
     "extra_groups, uid, "
     "child_umask, preexec_fn, allow_vfork, /)",
     posixsubprocess_fork_exec,
     "Start a program in a child process; returns its pid.\n\nThe files of executable_list are "
     "tried in turn. The "
     "pipe ends p2cread, c2pwrite and errwrite become the standard streams of the child (-1: as "
     "they are). With "
     "close_fds all other descriptors are closed but those in pass_fds, a sorted tuple. What fails "
     "in the child "
     "is written to errpipe_write."},
};

}  // namespace

extern const ModuleSpec k__posixsubprocess_module;
const ModuleSpec k__posixsubprocess_module = {
    .name = "_posixsubprocess",
    .doc = "The native half of subprocess: fork and exec without scripts in between.",
    .functions = kFunctions,
};

}  // namespace minivm
