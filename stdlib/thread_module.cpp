// The module _thread: locks and identities.
//
// Starting threads needs the VM's lock to be handed over between them, which is the subject of a
// later part: until then start_new_thread raises RuntimeError. Locks are real (they block, time out
// and are released by anybody), so that the library modules that guard their state with them work.
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>

#include "runtime/core/signals.h"
#include "runtime/objects/float_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/module_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"
#include "stdlib/thread/thread_types.h"

namespace minivm {

namespace {

constexpr double kTimeoutMax = 9223372036.0;

// Lock and RLock. owner is meaningful for RLock only.
class LockObject : public Object {
 public:
  [[maybe_unused]] static constexpr bool kNeverInCycle = true;
  uint64_t count = 0;  // 0: free
  uint64_t owner = 0;
};

double Now() {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

// blocking=True, timeout=-1: seconds to wait, negative for ever, 0 not at all.
Result<double> WaitTime(ThreadState& ts, Value blocking, Value timeout) {
  MVM_TRY(bool block, Truth(ts, blocking));
  MVM_TRY(double seconds, AsDouble(ts, timeout));
  if (!block && seconds != -1)
    return Raise(ts, Exc::kValueError, "can't specify a timeout for a non-blocking call");
  if (seconds < 0 && seconds != -1)
    return Raise(ts, Exc::kValueError, "timeout value must be a non-negative number");
  if (std::isnan(seconds)) return Raise(ts, Exc::kValueError, "Invalid value NaN (not a number)");
  if (seconds > kTimeoutMax)
    return Raise(ts, Exc::kOverflowError, "timestamp too large to convert to C PyTime_t");
  return block ? seconds : 0.0;
}

// Waits until the lock is free; false: timed out. Signals and limits are served meanwhile.
Result<bool> WaitFree(ThreadState& ts, LockObject* lock, double seconds) {
  double end = seconds < 0 ? 0 : Now() + seconds;
  while (lock->count != 0) {
    double left = seconds < 0 ? 0.01 : end - Now();
    if (left <= 0) return false;
    struct timespec nap = {0, static_cast<long>((left < 0.01 ? left : 0.01) * 1e9)};
    nanosleep(&nap, nullptr);
    MVM_TRY_VOID(Charge(ts, 1000000000));
  }
  return true;
}

Result<> lock_acquire(ThreadState& ts, Args args) {
  LockObject* lock = args.self<LockObject>();
  if (lock->count != 0) {
    MVM_TRY(double seconds, WaitTime(ts, args[1], args[2]));
    MVM_TRY(bool freed, WaitFree(ts, lock, seconds));
    if (!freed) return Bool(ts, false);
  } else {
    MVM_TRY_VOID(WaitTime(ts, args[1], args[2]));
  }
  lock->count = 1;
  return Bool(ts, true);
}
Result<> lock_release(ThreadState& ts, Args args) {
  LockObject* lock = args.self<LockObject>();
  if (lock->count == 0) return Raise(ts, Exc::kRuntimeError, "release unlocked lock");
  lock->count = 0;
  return None(ts);
}
Result<> lock_locked(ThreadState& ts, Args args) {
  return Bool(ts, args.self<LockObject>()->count != 0);
}
Result<> lock_enter(ThreadState& ts, Args args) {
  LockObject* lock = args.self<LockObject>();
  MVM_TRY_VOID(WaitFree(ts, lock, -1));
  lock->count = 1;
  return Bool(ts, true);
}
Result<> lock_exit(ThreadState& ts, Args args) { return lock_release(ts, args); }
Result<> lock_at_fork_reinit(ThreadState& ts, Args args) {
  args.self<LockObject>()->count = 0;
  return None(ts);
}
Result<> lock_repr(ThreadState& ts, Value self) {
  return Format(ts, "<%s %T object at 0x%lx>", self.as<LockObject>()->count ? "locked" : "unlocked",
                self, static_cast<unsigned long>(self.bits()));
}

Result<> rlock_acquire(ThreadState& ts, Args args) {
  LockObject* lock = args.self<LockObject>();
  MVM_TRY(double seconds, WaitTime(ts, args[1], args[2]));
  if (lock->count != 0 && lock->owner == ts.id) {
    ++lock->count;
    return Bool(ts, true);
  }
  MVM_TRY(bool freed, WaitFree(ts, lock, seconds));
  if (!freed) return Bool(ts, false);
  lock->owner = ts.id;
  lock->count = 1;
  return Bool(ts, true);
}
Result<> rlock_release(ThreadState& ts, Args args) {
  LockObject* lock = args.self<LockObject>();
  if (lock->count == 0 || lock->owner != ts.id)
    return Raise(ts, Exc::kRuntimeError, "cannot release un-acquired lock");
  if (--lock->count == 0) lock->owner = 0;
  return None(ts);
}
Result<> rlock_enter(ThreadState& ts, Args args) {
  Value v[] = {args[0], ts.rt->true_, Value::Int(-1)};
  return rlock_acquire(ts, Args{v, 3});
}
Result<> rlock_is_owned(ThreadState& ts, Args args) {
  LockObject* lock = args.self<LockObject>();
  return Bool(ts, lock->count != 0 && lock->owner == ts.id);
}
Result<> rlock_release_save(ThreadState& ts, Args args) {
  LockObject* lock = args.self<LockObject>();
  if (lock->count == 0) return Raise(ts, Exc::kRuntimeError, "cannot release un-acquired lock");
  Value pair[] = {Value::Int(static_cast<int64_t>(lock->count)),
                  Value::Int(static_cast<int64_t>(lock->owner))};
  MVM_TRY(Ref<TupleObject> state, NewTuple(ts, pair));
  lock->count = lock->owner = 0;
  return state;
}
Result<> rlock_acquire_restore(ThreadState& ts, Args args) {
  LockObject* lock = args.self<LockObject>();
  if (!IsTuple(ts, args[1]) || args.as<TupleObject>(1)->size() != 2) {
    return Raise(ts, Exc::kTypeError, "_acquire_restore() argument must be a pair");
  }
  MVM_TRY_VOID(WaitFree(ts, lock, -1));
  MVM_TRY(int64_t count, AsInt64(ts, args.as<TupleObject>(1)->items()[0]));
  MVM_TRY(int64_t owner, AsInt64(ts, args.as<TupleObject>(1)->items()[1]));
  lock->count = static_cast<uint64_t>(count);
  lock->owner = static_cast<uint64_t>(owner);
  return None(ts);
}
Result<> rlock_recursion_count(ThreadState& ts, Args args) {
  LockObject* lock = args.self<LockObject>();
  return Small(lock->owner == ts.id ? static_cast<int64_t>(lock->count) : 0);
}
Result<> rlock_repr(ThreadState& ts, Value self) {
  LockObject* lock = self.as<LockObject>();
  return Format(
      ts, "<%s %T object owner=%llu count=%llu at 0x%lx>", lock->count ? "locked" : "unlocked",
      self, static_cast<unsigned long long>(lock->owner),
      static_cast<unsigned long long>(lock->count), static_cast<unsigned long>(self.bits()));
}

const MethodSpec kLockMethods[] = {
    {"__enter__(self, /)", lock_enter, "Lock the lock."},
    {"__exit__(self, /, *exc_info)", lock_exit, "Release the lock."},
    {"_at_fork_reinit(self, /)", lock_at_fork_reinit},
    {"acquire(self, blocking=True, timeout=-1)", lock_acquire,
     "Lock the lock. True if it was acquired."},
    {"acquire_lock(self, blocking=True, timeout=-1)", lock_acquire,
     "acquire() under its older name."},
    {"locked(self, /)", lock_locked, "Whether somebody holds it."},
    {"locked_lock(self, /)", lock_locked, "locked() under its older name."},
    {"release(self, /)", lock_release,
     "Release the lock, which need not have been acquired by this thread."},
    {"release_lock(self, /)", lock_release, "release() under its older name."},
};
const MethodSpec kRLockMethods[] = {
    {"__enter__(self, /)", rlock_enter, "Lock the lock."},
    {"__exit__(self, /, *exc_info)", rlock_release, "Release the lock."},
    {"_acquire_restore(self, state, /)", rlock_acquire_restore, "Serves threading.Condition."},
    {"_at_fork_reinit(self, /)", lock_at_fork_reinit},
    {"_is_owned(self, /)", rlock_is_owned, "Serves threading.Condition."},
    {"_recursion_count(self, /)", rlock_recursion_count,
     "How many times the owner holds it, 0 for other threads."},
    {"_release_save(self, /)", rlock_release_save, "Serves threading.Condition."},
    {"acquire(self, blocking=True, timeout=-1)", rlock_acquire,
     "Lock the lock; the owner may do so again."},
    {"release(self, /)", rlock_release, "Undo one acquire()."},
};

// What RLock() is called with is not looked at, as in CPython.
Result<> lock_new(ThreadState& ts, Args args) { return AllocInstance(ts, args.self<TypeObject>()); }

const TypeSpec kLockType = {
    .name = "_thread.lock",
    .doc = "A lock: held or free. Made by allocate_lock().",
    .flags = kTypeWeakrefs,
    .size = sizeof(LockObject),
    .slots = {.repr = lock_repr},
    .construct = {"lock()", lock_new},
    .methods = kLockMethods,
};
const TypeSpec kRLockType = {
    .name = "_thread.RLock",
    .doc = "A lock that its owner can take more than once.",
    .flags = kTypeBase | kTypeWeakrefs,
    .size = sizeof(LockObject),
    .slots = {.repr = rlock_repr},
    .construct = {"RLock(...)", lock_new},
    .methods = kRLockMethods,
};

Result<> thread_allocate_lock(ThreadState& ts, Args args) {
  MVM_TRY(TypeObject * type, TypeForSpec(ts, kLockType));
  return AllocInstance(ts, type);
}
Result<> thread_get_ident(ThreadState& ts, Args args) { return NewIntU64(ts, ts.id); }
Result<> thread_get_native_id(ThreadState& ts, Args args) { return Small(gettid()); }
Result<> thread_count(ThreadState& ts, Args args) { return Small(0); }
Result<> thread_exit(ThreadState& ts, Args args) { return RaiseNoMessage(ts, Exc::kSystemExit); }
Result<> thread_interrupt_main(ThreadState& ts, Args args) {
  MVM_TRY(int64_t signum, AsInt64(ts, args[0]));
  if (signum < 1 || signum >= kSignalLimit)
    return Raise(ts, Exc::kValueError, "signal number out of range");
  SimulateSignal(*ts.rt, static_cast<int>(signum));
  return None(ts);
}
Raised RaiseNoThreads(ThreadState& ts) {
  return Raise(ts, Exc::kRuntimeError,
               "can't start new thread: this version of minivm runs one thread per VM");
}
// start_new_thread(function, args[, kwargs])
Result<> thread_start_new_thread(ThreadState& ts, Args args) {
  if (!IsCallable(ts, args[0])) return Raise(ts, Exc::kTypeError, "first arg must be callable");
  if (!IsTuple(ts, args[1])) return Raise(ts, Exc::kTypeError, "2nd arg must be a tuple");
  if (args.has(2) && !IsDict(ts, args[2])) {
    return Raise(ts, Exc::kTypeError, "optional 3rd arg must be a dictionary");
  }
  return RaiseNoThreads(ts);
}
Result<> thread_start_joinable_thread(ThreadState& ts, Args args) {
  if (!IsCallable(ts, args[0])) {
    return Raise(ts, Exc::kTypeError, "thread function must be callable");
  }
  MVM_TRY(TypeObject * handle, TypeForSpec(ts, kThreadHandleType));
  if (!IsNone(ts, args[1]) && TypeOf(ts, args[1]) != handle) {
    return Raise(ts, Exc::kTypeError, "'handle' must be a _ThreadHandle");
  }
  return RaiseNoThreads(ts);
}
Result<> thread_make_thread_handle(ThreadState& ts, Args args) {
  if (!IsInt(ts, args[0])) return Raise(ts, Exc::kTypeError, "ident must be an integer");
  return MakeThreadHandle(ts, IntLowBits(args[0]));
}
Result<> thread_get_main_thread_ident(ThreadState& ts, Args args) {
  return NewIntU64(ts, ts.rt->main_thread->id);
}
Result<> thread_is_main_interpreter(ThreadState& ts, Args args) { return Bool(ts, true); }
// Waits for the threads that are not daemons: there are none yet.
Result<> thread_shutdown(ThreadState& ts, Args args) { return None(ts); }

// stack_size(size=<as it is>): what it was.
Result<> thread_stack_size(ThreadState& ts, Args args) {
  constexpr int64_t kLeast = 32768;
  MVM_TRY(int64_t size, AsInt64(ts, args[0]));
  if (size < 0) return Raise(ts, Exc::kValueError, "size must be 0 or a positive value");
  if (size != 0 && size < kLeast) {
    return Raise(ts, Exc::kValueError, "size not valid: %ld bytes", static_cast<long>(size));
  }
  size_t old = std::exchange(ts.rt->thread_stack_size, static_cast<size_t>(size));
  return NewIntU64(ts, old);
}
Result<> thread_daemon_threads_allowed(ThreadState& ts, Args args) { return Bool(ts, true); }

const MethodSpec kFunctions[] = {
    {"_count()", thread_count, "Number of running threads, the main thread left out."},
    {"_get_main_thread_ident()", thread_get_main_thread_ident, "The identity of the main thread."},
    {"_is_main_interpreter()", thread_is_main_interpreter,
     "Whether this is the process's first interpreter."},
    {"_make_thread_handle(ident, /)", thread_make_thread_handle,
     "The handle of a thread that runs already."},
    {"_shutdown()", thread_shutdown, "Wait for all threads that are not daemons."},
    {"allocate(...)", thread_allocate_lock, "allocate_lock() under its older name."},
    {"allocate_lock()", thread_allocate_lock, "A lock that nobody holds."},
    {"daemon_threads_allowed()", thread_daemon_threads_allowed,
     "Whether threads may outlive the main thread's end: always True here."},
    {"exit()", thread_exit, "Raise SystemExit, which ends the thread silently."},
    {"exit_thread()", thread_exit, "exit() under its older name."},
    {"get_ident()", thread_get_ident, "The identity of the running thread."},
    {"get_native_id()", thread_get_native_id, "The identity the system gives the running thread."},
    {"interrupt_main(signum=2, /)", thread_interrupt_main,
     "Act as if a signal had come, SIGINT by default; its handler runs in the main thread."},
    {"stack_size(size=0, /)", thread_stack_size,
     "Set the stack size of threads to come; returns what it was."},
    {"start_joinable_thread(function, handle=None, daemon=True)", thread_start_joinable_thread,
     "Call function() in a new thread; returns a handle to wait for it."},
    {"start_new(function, args, kwargs=<unrepresentable>, /)", thread_start_new_thread,
     "start_new_thread() under its older name."},
    {"start_new_thread(function, args, kwargs=<unrepresentable>, /)", thread_start_new_thread,
     "Call function(*args, **kwargs) in a new thread; returns its ident."},
};
const ConstantSpec kConstants[] = {{"TIMEOUT_MAX", ConstantSpec::kFloat, 0, kTimeoutMax}};

Status exec_thread(ThreadState& ts, ModuleObject* module) {
  MVM_TRY(TypeObject * lock, TypeForSpec(ts, kLockType));
  MVM_TRY_VOID(ModuleAdd(ts, module, "LockType", Value(lock)));
  MVM_TRY_VOID(ModuleAdd(ts, module, "lock", Value(lock)));
  MVM_TRY(TypeObject * rlock, TypeForSpec(ts, kRLockType));
  MVM_TRY_VOID(ModuleAdd(ts, module, "RLock", Value(rlock)));
  MVM_TRY(TypeObject * local, TypeForSpec(ts, kThreadLocalType));
  MVM_TRY_VOID(ModuleAdd(ts, module, "_local", Value(local)));
  MVM_TRY(TypeObject * handle, TypeForSpec(ts, kThreadHandleType));
  MVM_TRY_VOID(ModuleAdd(ts, module, "_ThreadHandle", Value(handle)));
  MVM_TRY(TypeObject * hook_args, StructSequenceType(ts, kExceptHookArgs));
  MVM_TRY_VOID(ModuleAdd(ts, module, "_ExceptHookArgs", Value(hook_args)));
  return ModuleAdd(ts, module, "error", Value(ExcType(ts, Exc::kRuntimeError)));
}

}  // namespace

extern const ModuleSpec k__thread_module;
const ModuleSpec k__thread_module = {
    .name = "_thread",
    .doc = "Locks and identities of threads.",
    .functions = kFunctions,
    .constants = kConstants,
    .exec = exec_thread,
};

}  // namespace minivm
