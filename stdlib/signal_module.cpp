// The module _signal, on which stdlib/script/signal.src builds the enums of module signal.
//
// How an arrived signal reaches its handler is in runtime/core/signals.h; here are the functions
// scripts call. Waiting for a signal ends early for no other one: what else arrives has its handler
// run meanwhile, and if that raises (Ctrl-C), the waiting is over.
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <cstring>

#include "runtime/core/blocking.h"
#include "runtime/core/signals.h"
#include "runtime/objects/dict_object.h"
#include "runtime/objects/float_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/module_object.h"
#include "runtime/objects/set_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/struct_sequence.h"
#include "runtime/protocol/protocol.h"
#include "stdlib/timeout.h"

namespace minivm {

namespace {

// ---- arguments ----

Result<int> CInt(ThreadState& ts, Value v) {
  MVM_TRY(Ref<> i, Index(ts, v));
  int64_t n;
  if (!IntFitsInt64(i, &n) || n > INT32_MAX || n < INT32_MIN) {
    return Raise(ts, Exc::kOverflowError, "Python int too large to convert to C int");
  }
  return static_cast<int>(n);
}

Result<int> SignalNumber(ThreadState& ts, Value v) {
  MVM_TRY(int n, CInt(ts, v));
  if (n < 1 || n >= kSignalLimit) return Raise(ts, Exc::kValueError, "signal number out of range");
  return n;
}

// The set of signals an iterable names.
Status SignalSet(ThreadState& ts, Value iterable, sigset_t* out) {
  sigemptyset(out);
  return ForEach(ts, iterable, [&](Value item) -> Status {
    MVM_TRY(Ref<> i, Index(ts, item));
    int64_t n;
    if (!IntFitsInt64(i, &n)) n = -1;
    if (n < 1 || n >= kSignalLimit) {
      return Raise(ts, Exc::kValueError, "signal number %lld out of range [1; %d]",
                   static_cast<long long>(n), kSignalLimit - 1);
    }
    if (sigaddset(out, static_cast<int>(n)) == 0) return Ok();
    // The C library keeps it for itself.
    return Warn(ts, Exc::kRuntimeWarning, 1,
                "invalid signal number %lld, please use valid_signals()",
                static_cast<long long>(n));
  });
}

Result<> SetOfSignals(ThreadState& ts, const sigset_t& signals) {
  MVM_TRY(Ref<SetObject> set, NewSet(ts));
  for (int n = 1; n < kSignalLimit; ++n) {
    if (sigismember(&signals, n) == 1) MVM_TRY_VOID(SetAdd(ts, set, Value::Int(n)));
  }
  return set;
}

constexpr int64_t kNanosPerSecond = 1000000000;
constexpr double kMaxSeconds = 9223372036.0;  // as nanoseconds in 63 bits

// ---- handlers ----

const SignalState& StateOf(ThreadState& ts) { return *ts.rt->signals; }

Result<> signal_signal(ThreadState& ts, Args args) {
  MVM_TRY(int signum, SignalNumber(ts, args[0]));
  Value handler = args[1];
  Disposition disposition = Disposition::kScript;
  if (handler.is_int() && (handler.as_int() == 0 || handler.as_int() == 1)) {
    disposition = handler.as_int() == 0 ? Disposition::kDefault : Disposition::kIgnore;
  } else if (!IsCallable(ts, handler)) {
    return Raise(ts, Exc::kTypeError,
                 "signal handler must be signal.SIG_IGN, signal.SIG_DFL, or a callable object");
  }
  MVM_TRY_VOID(ClaimSignals(ts, "signal"));
  MVM_TRY_VOID(ServeInterrupted(ts));  // what has arrived is for the old handler
  SignalState& state = *ts.rt->signals;
  if (!SetDisposition(state, signum, disposition)) return RaiseErrno(ts, errno);
  return std::exchange(state.handlers[signum], Ref<>::Borrow(handler));
}

Result<> signal_getsignal(ThreadState& ts, Args args) {
  MVM_TRY(int signum, SignalNumber(ts, args[0]));
  return Result<>::Borrow(StateOf(ts).handlers[signum].get());
}

Result<> signal_default_int_handler(ThreadState& ts, Args args) {
  MVM_TRY_VOID(CInt(ts, args[0]));
  return RaiseNoMessage(ts, Exc::kKeyboardInterrupt);
}

Result<> signal_siginterrupt(ThreadState& ts, Args args) {
  MVM_TRY(int signum, SignalNumber(ts, args[0]));
  MVM_TRY(int flag, CInt(ts, args[1]));
  struct sigaction action;
  if (sigaction(signum, nullptr, &action) < 0) return RaiseErrno(ts, errno);
  if (flag) {
    action.sa_flags &= ~SA_RESTART;
  } else {
    action.sa_flags |= SA_RESTART;
  }
  if (sigaction(signum, &action, nullptr) < 0) return RaiseErrno(ts, errno);
  return None(ts);
}

Result<> signal_set_wakeup_fd(ThreadState& ts, Args args) {
  // set_wakeup_fd(fd, /, *, warn_on_full_buffer=True)
  MVM_TRY(int fd, CInt(ts, args[0]));
  MVM_TRY(bool warn, Truth(ts, args[1]));
  MVM_TRY_VOID(ClaimSignals(ts, "set_wakeup_fd"));
  if (fd != -1) {
    struct stat st;
    if (fstat(fd, &st) < 0) return RaiseErrno(ts, errno);
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0) return RaiseErrno(ts, errno);
    if (!(flags & O_NONBLOCK)) {
      return Raise(ts, Exc::kValueError, "the fd %d must be in non-blocking mode", fd);
    }
  }
  SignalState& state = *ts.rt->signals;
  // The host's handler of SIGINT knows nothing of the descriptor.
  Value interrupt = state.handlers[SIGINT].get();
  if (fd != -1 && !state.changed[SIGINT] && !interrupt.is_int() && !IsNone(ts, interrupt)) {
    if (!SetDisposition(state, SIGINT, Disposition::kScript)) return RaiseErrno(ts, errno);
  }
  state.warn_on_full_buffer = warn;
  return Small(state.wakeup_fd.exchange(fd));
}

// ---- sending ----

// What the calling thread has just got is handled before the function returns.
Result<> Sent(ThreadState& ts) {
  MVM_TRY_VOID(ServeInterrupted(ts));
  return None(ts);
}

Result<> signal_raise_signal(ThreadState& ts, Args args) {
  MVM_TRY(int signum, CInt(ts, args[0]));
  if (raise(signum) != 0) return RaiseErrno(ts, errno);
  return Sent(ts);
}

Result<> signal_pthread_kill(ThreadState& ts, Args args) {
  if (!IsInt(ts, args[0])) {
    return Raise(ts, Exc::kTypeError, "pthread_kill() argument 1 must be int, not %T", args[0]);
  }
  MVM_TRY(int signum, CInt(ts, args[1]));
  int64_t id;
  int error = ESRCH;
  if (IntFitsInt64(args[0], &id)) {
    if (static_cast<uint64_t>(id) == ts.id) {
      error = pthread_kill(pthread_self(), signum);
    } else {
      // By the system's number, which may have gone with a thread that is about to leave the list.
      for (const ThreadState* t = ts.rt->threads; t != nullptr; t = t->next) {
        if (t->id != static_cast<uint64_t>(id) || t->native_id == 0) continue;
        error = syscall(SYS_tgkill, getpid(), t->native_id, signum) < 0 ? errno : 0;
      }
    }
  }
  if (error != 0) return RaiseErrno(ts, error);
  return Sent(ts);
}

Result<> signal_pidfd_send_signal(ThreadState& ts, Args args) {
  // pidfd_send_signal(pidfd, signalnum, siginfo=None, flags=0, /)
  MVM_TRY(int fd, CInt(ts, args[0]));
  MVM_TRY(int signum, CInt(ts, args[1]));
  MVM_TRY(int flags, CInt(ts, args[3]));
  if (!IsNone(ts, args[2])) return Raise(ts, Exc::kTypeError, "siginfo must be None");
  if (syscall(SYS_pidfd_send_signal, fd, signum, nullptr, flags) < 0) return RaiseErrno(ts, errno);
  return Sent(ts);
}

// ---- timers ----

Result<> signal_alarm(ThreadState& ts, Args args) {
  MVM_TRY(int seconds, CInt(ts, args[0]));
  return Small(alarm(static_cast<unsigned>(seconds)));
}

// OSError's subclass of this module.
Raised RaiseTimerError(ThreadState& ts, int error) {
  MVM_TRY(Ref<StrObject> text, NewStrFromOs(ts, std::strerror(error)));
  MVM_TRY(Ref<> e, Call(ts, StateOf(ts).itimer_error, Value::Int(error), Value(text.get())));
  return RaiseObject(ts, e);
}

// Seconds, rounded up to the microsecond: a timer must not fire early.
Status TimeValue(ThreadState& ts, Value v, struct timeval* out) {
  if (IsFloat(ts, v)) {
    double d = FloatValue(v);
    if (std::isnan(d)) return Raise(ts, Exc::kValueError, "Invalid value NaN (not a number)");
    double whole = std::floor(d), micros = std::ceil((d - whole) * 1e6);
    if (micros >= 1e6) {
      whole += 1;
      micros = 0;
    }
    if (std::fabs(whole) < 9.2e18) {
      out->tv_sec = static_cast<time_t>(whole);
      out->tv_usec = static_cast<suseconds_t>(micros);
      return Ok();
    }
  } else {
    MVM_TRY(Ref<> i, Index(ts, v));
    int64_t n;
    if (IntFitsInt64(i, &n)) {
      *out = {n, 0};
      return Ok();
    }
  }
  return Raise(ts, Exc::kOverflowError, "timestamp out of range for platform time_t");
}

double AsSeconds(const struct timeval& t) {
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
}
Result<> TimerTuple(ThreadState& ts, const struct itimerval& t) {
  MVM_TRY(Ref<> delay, NewFloat(ts, AsSeconds(t.it_value)));
  MVM_TRY(Ref<> interval, NewFloat(ts, AsSeconds(t.it_interval)));
  Value pair[] = {delay, interval};
  MVM_TRY(Ref<TupleObject> tuple, NewTuple(ts, pair));
  return tuple;
}

Result<> signal_setitimer(ThreadState& ts, Args args) {
  MVM_TRY(int which, CInt(ts, args[0]));
  struct itimerval timer, old;
  MVM_TRY_VOID(TimeValue(ts, args[1], &timer.it_value));
  MVM_TRY_VOID(TimeValue(ts, args[2], &timer.it_interval));
  if (setitimer(static_cast<__itimer_which_t>(which), &timer, &old) < 0)
    return RaiseTimerError(ts, errno);
  return TimerTuple(ts, old);
}
Result<> signal_getitimer(ThreadState& ts, Args args) {
  MVM_TRY(int which, CInt(ts, args[0]));
  struct itimerval timer;
  if (getitimer(static_cast<__itimer_which_t>(which), &timer) < 0)
    return RaiseTimerError(ts, errno);
  return TimerTuple(ts, timer);
}

// ---- masks and waiting ----

Result<> signal_pthread_sigmask(ThreadState& ts, Args args) {
  MVM_TRY(int how, CInt(ts, args[0]));
  sigset_t mask, previous;
  MVM_TRY_VOID(SignalSet(ts, args[1], &mask));
  int error = pthread_sigmask(how, &mask, &previous);
  if (error != 0) return RaiseErrno(ts, error);
  MVM_TRY_VOID(ServeInterrupted(ts));  // what the new mask has let through
  return SetOfSignals(ts, previous);
}
Result<> signal_sigpending(ThreadState& ts, Args args) {
  sigset_t pending;
  if (sigpending(&pending) < 0) return RaiseErrno(ts, errno);
  return SetOfSignals(ts, pending);
}
Result<> signal_valid_signals(ThreadState& ts, Args args) {
  sigset_t all;
  sigfillset(&all);  // without those the C library keeps for itself
  return SetOfSignals(ts, all);
}

Result<> signal_pause(ThreadState& ts, Args args) {
  // In slices: a signal that no script has a handler for wakes the system's thread only.
  for (;;) {
    struct timespec slice = ToTimespec(Deadline::kSlice);
    int n = Blocking(ts, [&] { return nanosleep(&slice, nullptr); });
    if (n < 0 || (ts.requests & kRequestSignal)) return Sent(ts);
    MVM_TRY_VOID(ServeInterrupted(ts));
  }
}

// Waits for one of the signals, until `end` on the monotonic clock if given. False: the time is up.
Result<bool> WaitForSignal(ThreadState& ts, const sigset_t& signals, const int64_t* timeout,
                           siginfo_t* out) {
  const Deadline deadline = timeout == nullptr ? Deadline() : Deadline::After(*timeout);
  for (;;) {
    int got = Blocking(ts, [&] {
      struct timespec t = ToTimespec(deadline.Slice());
      return sigtimedwait(&signals, out, &t);
    });
    if (got >= 0) return true;
    if (errno == EAGAIN && !deadline.never() && deadline.Left() == 0) return false;
    if (errno != EINTR && errno != EAGAIN) return RaiseErrno(ts, errno);
    MVM_TRY_VOID(ServeInterrupted(ts));
  }
}

Result<> signal_sigwait(ThreadState& ts, Args args) {
  sigset_t signals;
  MVM_TRY_VOID(SignalSet(ts, args[0], &signals));
  siginfo_t info;
  MVM_TRY_VOID(WaitForSignal(ts, signals, nullptr, &info));
  return Small(info.si_signo);
}

const GetSetSpec kInfoFields[] = {
    {"si_signo", StructItem<0>, nullptr, "which signal"},
    {"si_code", StructItem<1>, nullptr, "where it came from"},
    {"si_errno", StructItem<2>, nullptr, "an error number, mostly 0"},
    {"si_pid", StructItem<3>, nullptr, "the sender's process"},
    {"si_uid", StructItem<4>, nullptr, "the number of the sender's user"},
    {"si_status", StructItem<5>, nullptr,
     "what a child has exited with, or the signal that changed it"},
    {"si_band", StructItem<6>, nullptr, "the events, for SIGPOLL"},
};
const StructSequenceSpec kInfo = {
    .type = StructSequenceTypeSpec(
        "signal.struct_siginfo", kInfoFields,
        "What is known about a signal that sigwaitinfo() or sigtimedwait() accepted.",
        "structseq(sequence, dict=<unrepresentable>)"),
    .visible = 7,
    .total = 7,
};
Result<> NewInfo(ThreadState& ts, const siginfo_t& info) {
  MVM_TRY(Ref<> band, NewInt(ts, info.si_band));
  Value v[] = {Value::Int(info.si_signo),
               Value::Int(info.si_code),
               Value::Int(info.si_errno),
               Value::Int(info.si_pid),
               Value::Int(info.si_uid),
               Value::Int(info.si_status),
               band};
  MVM_TRY(Ref<TupleObject> r, NewStructSequence(ts, kInfo, v));
  return r;
}

Result<> signal_sigwaitinfo(ThreadState& ts, Args args) {
  sigset_t signals;
  MVM_TRY_VOID(SignalSet(ts, args[0], &signals));
  siginfo_t info;
  MVM_TRY_VOID(WaitForSignal(ts, signals, nullptr, &info));
  return NewInfo(ts, info);
}

Result<> signal_sigtimedwait(ThreadState& ts, Args args) {
  int64_t timeout;
  if (IsFloat(ts, args[1])) {
    double d = FloatValue(args[1]);
    if (std::isnan(d)) return Raise(ts, Exc::kValueError, "Invalid value NaN (not a number)");
    if (!(std::fabs(d) <= kMaxSeconds)) {
      return Raise(ts, Exc::kOverflowError, "timestamp too large to convert to C PyTime_t");
    }
    timeout = static_cast<int64_t>(std::ceil(d * 1e9));
  } else {
    MVM_TRY(Ref<> i, Index(ts, args[1]));
    if (!IntFitsInt64(i, &timeout) || std::llabs(timeout) > static_cast<int64_t>(kMaxSeconds)) {
      return Raise(ts, Exc::kOverflowError, "timestamp too large to convert to C PyTime_t");
    }
    timeout *= kNanosPerSecond;
  }
  if (timeout < 0) return Raise(ts, Exc::kValueError, "timeout must be non-negative");
  sigset_t signals;
  MVM_TRY_VOID(SignalSet(ts, args[0], &signals));
  siginfo_t info;
  MVM_TRY(bool got, WaitForSignal(ts, signals, &timeout, &info));
  return got ? NewInfo(ts, info) : None(ts);
}

Result<> signal_strsignal(ThreadState& ts, Args args) {
  MVM_TRY(int signum, SignalNumber(ts, args[0]));
  const char* text = strsignal(signum);
  if (text == nullptr || std::strstr(text, "Unknown signal") != nullptr) return None(ts);
  return NewStrFromOs(ts, text);
}

const MethodSpec kFunctions[] = {
    {"alarm(seconds, /)", signal_alarm,
     "Have SIGALRM sent in that many seconds, 0: not any more; returns how many an earlier alarm "
     "had left."},
    {"default_int_handler(signalnum, frame, /)", signal_default_int_handler,
     "The handler of SIGINT at the start: raises KeyboardInterrupt."},
    {"getitimer(which, /)", signal_getitimer,
     "An interval timer: seconds (until it goes off, from then on between), 0.0: never."},
    {"getsignal(signalnum, /)", signal_getsignal,
     "What is done about a signal: SIG_IGN, SIG_DFL, a script's handler, or None for one of "
     "somebody else's."},
    {"pause()", signal_pause, "Sleep until a signal has been handled."},
    {"pidfd_send_signal(pidfd, signalnum, siginfo=None, flags=0, /)", signal_pidfd_send_signal,
     "Send a signal to the process behind a descriptor of os.pidfd_open()."},
    {"pthread_kill(thread_id, signalnum, /)", signal_pthread_kill,
     "Signal one thread of this process, by its ident."},
    {"pthread_sigmask(how, mask, /)", signal_pthread_sigmask,
     "Block signals of this thread (SIG_BLOCK), let them through (SIG_UNBLOCK) or set which are "
     "blocked (SIG_SETMASK); the set before is returned."},
    {"raise_signal(signalnum, /)", signal_raise_signal, "Send a signal to this process."},
    {"set_wakeup_fd(fd, /, *, warn_on_full_buffer=True)", signal_set_wakeup_fd,
     "Have the number of each signal that comes written to a descriptor, as one byte; -1: to none. "
     "It must not block. Returns the one before."},
    {"setitimer(which, seconds, interval=0.0, /)", signal_setitimer,
     "Have the given interval timer fire after some seconds and then at every interval; zero "
     "seconds stop it. The old values are returned: (delay, interval)."},
    {"siginterrupt(signalnum, flag, /)", signal_siginterrupt,
     "Change whether system calls end when the signal interrupts them (a true flag) or go on."},
    {"signal(signalnum, handler, /)", signal_signal,
     "Set what is done about a signal: SIG_IGN, SIG_DFL or handler(signalnum, frame), called in "
     "the main thread. Returns what was done before."},
    {"sigpending()", signal_sigpending, "The signals that came while they were blocked."},
    {"sigtimedwait(sigset, timeout, /)", signal_sigtimedwait,
     "Like sigwaitinfo(), but for so many seconds; None when they are over."},
    {"sigwait(sigset, /)", signal_sigwait,
     "Wait for one of these signals, which should be blocked, and take it; returns its number."},
    {"sigwaitinfo(sigset, /)", signal_sigwaitinfo, "sigwait() that returns a struct_siginfo."},
    {"strsignal(signalnum, /)", signal_strsignal,
     "What the system calls a signal, None if it has no such signal."},
    {"valid_signals()", signal_valid_signals,
     "The numbers that signals have on this system, as a set."},
};

const ConstantSpec kConstants[] = {
#define S(name) \
  { #name, ConstantSpec::kInt, name }
    S(ITIMER_PROF),
    S(ITIMER_REAL),
    S(ITIMER_VIRTUAL),
    S(SIGABRT),
    S(SIGALRM),
    S(SIGBUS),
    S(SIGCHLD),
    S(SIGCLD),
    S(SIGCONT),
    S(SIGFPE),
    S(SIGHUP),
    S(SIGILL),
    S(SIGINT),
    S(SIGIO),
    S(SIGIOT),
    S(SIGKILL),
    S(SIGPIPE),
    S(SIGPOLL),
    S(SIGPROF),
    S(SIGPWR),
    S(SIGQUIT),
    S(SIGSEGV),
    S(SIGSTKFLT),
    S(SIGSTOP),
    S(SIGSYS),
    S(SIGTERM),
    S(SIGTRAP),
    S(SIGTSTP),
    S(SIGTTIN),
    S(SIGTTOU),
    S(SIGURG),
    S(SIGUSR1),
    S(SIGUSR2),
    S(SIGVTALRM),
    S(SIGWINCH),
    S(SIGXCPU),
    S(SIGXFSZ),
    S(SIG_BLOCK),
    S(SIG_SETMASK),
    S(SIG_UNBLOCK),
#undef S
    {"NSIG", ConstantSpec::kInt, kSignalLimit},
    {"SIG_DFL", ConstantSpec::kInt, 0},
    {"SIG_IGN", ConstantSpec::kInt, 1},
};

// class itimer_error(OSError)
Result<> NewTimerError(ThreadState& ts) {
  MVM_TRY(Ref<StrObject> name, NewStr(ts, "itimer_error"));
  MVM_TRY(Ref<StrObject> module, NewStr(ts, "signal"));
  MVM_TRY(Ref<DictObject> dict, NewDict(ts));
  MVM_TRY_VOID(DictSetStr(ts, dict, MVM_NAME(ts, __module__), Value(module.get())));
  Value base[] = {Value(ExcType(ts, Exc::kOSError))};
  MVM_TRY(Ref<TupleObject> bases, NewTuple(ts, base));
  return Call(ts, Value(TypeById(ts, TypeId::kType)), Value(name.get()), Value(bases.get()),
              Value(dict.get()));
}

Status exec_signal(ThreadState& ts, ModuleObject* module) {
  MVM_TRY(Ref<StrObject> name, InternUtf8(ts, "default_int_handler"));
  MVM_TRY(SignalState * state, MakeSignalState(ts, DictGetStr(ts, module->dict, name)));
  if (state->itimer_error.is_null()) {
    MVM_TRY(state->itimer_error, NewTimerError(ts));
  }
  MVM_TRY_VOID(ModuleAdd(ts, module, "ItimerError", state->itimer_error));
  MVM_TRY_VOID(ModuleAdd(ts, module, "SIGRTMIN", Value::Int(SIGRTMIN)));
  MVM_TRY_VOID(ModuleAdd(ts, module, "SIGRTMAX", Value::Int(SIGRTMAX)));
  MVM_TRY(TypeObject * info, StructSequenceType(ts, kInfo));
  return ModuleAdd(ts, module, "struct_siginfo", Value(info));
}

}  // namespace

extern const ModuleSpec k__signal_module;
const ModuleSpec k__signal_module = {
    .name = "_signal",
    .doc = "Set handlers for signals and send signals; module signal has more to say.",
    .functions = kFunctions,
    .constants = kConstants,
    .exec = exec_signal,
};

}  // namespace minivm
