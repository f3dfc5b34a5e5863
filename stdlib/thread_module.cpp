// The module _thread: starting threads, their identities. Locks are in thread/lock.cpp, the life of
// a thread in thread/start.cpp.
#include <unistd.h>

#include "runtime/core/gil.h"
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

Result<> thread_allocate_lock(ThreadState& ts, Args args) {
  MVM_TRY(TypeObject * type, TypeForSpec(ts, kLockType));
  return AllocInstance(ts, type);
}
Result<> thread_get_ident(ThreadState& ts, Args args) { return NewIntU64(ts, ts.id); }
Result<> thread_get_native_id(ThreadState& ts, Args args) { return Small(gettid()); }
Result<> thread_count(ThreadState& ts, Args args) {
  int64_t n = -1;
  for (ThreadState* t = ts.rt->threads; t != nullptr; t = t->next) ++n;
  return Small(n);
}
Result<> thread_exit(ThreadState& ts, Args args) { return RaiseNoMessage(ts, Exc::kSystemExit); }
Result<> thread_interrupt_main(ThreadState& ts, Args args) {
  MVM_TRY(int64_t signum, AsInt64(ts, args[0]));
  if (signum < 1 || signum >= kSignalLimit)
    return Raise(ts, Exc::kValueError, "signal number out of range");
  SimulateSignal(*ts.rt, static_cast<int>(signum));
  return None(ts);
}
// start_new_thread(function, args[, kwargs])
Result<> thread_start_new_thread(ThreadState& ts, Args args) {
  if (!IsCallable(ts, args[0])) return Raise(ts, Exc::kTypeError, "first arg must be callable");
  if (!IsTuple(ts, args[1])) return Raise(ts, Exc::kTypeError, "2nd arg must be a tuple");
  if (args.has(2) && !IsDict(ts, args[2])) {
    return Raise(ts, Exc::kTypeError, "optional 3rd arg must be a dictionary");
  }
  MVM_TRY(Ref<> handle, NewThreadHandle(ts));
  MVM_TRY_VOID(StartThread(ts, handle, args[0], args.as<TupleObject>(1),
                           args.has(2) ? args.as<DictObject>(2) : nullptr, true));
  return NewIntU64(ts, HandleIdent(handle));
}
Result<> thread_start_joinable_thread(ThreadState& ts, Args args) {
  if (!IsCallable(ts, args[0])) {
    return Raise(ts, Exc::kTypeError, "thread function must be callable");
  }
  MVM_TRY(TypeObject * type, TypeForSpec(ts, kThreadHandleType));
  if (!IsNone(ts, args[1]) && TypeOf(ts, args[1]) != type) {
    return Raise(ts, Exc::kTypeError, "'handle' must be a _ThreadHandle");
  }
  MVM_TRY(bool daemon, Truth(ts, args[2]));
  Ref<> handle = Ref<>::Borrow(args[1]);
  if (IsNone(ts, handle)) {
    MVM_TRY(handle, NewThreadHandle(ts));
  }
  MVM_TRY_VOID(StartThread(ts, handle, args[0], nullptr, nullptr, daemon));
  return handle;
}
Result<> thread_make_thread_handle(ThreadState& ts, Args args) {
  if (!IsInt(ts, args[0])) return Raise(ts, Exc::kTypeError, "ident must be an integer");
  return MakeThreadHandle(ts, IntLowBits(args[0]));
}
Result<> thread_get_main_thread_ident(ThreadState& ts, Args args) {
  return NewIntU64(ts, ts.rt->main_thread->id);
}
Result<> thread_is_main_interpreter(ThreadState& ts, Args args) { return Bool(ts, true); }
// Waits for the threads that are not daemons.
Result<> thread_shutdown(ThreadState& ts, Args args) {
  for (;;) {
    ThreadState* t = ts.rt->threads;
    while (t != nullptr &&
           (t == &ts || t->daemon || t->handle == nullptr || HandleIsDone(t->handle)))
      t = t->next;
    if (t == nullptr) return None(ts);
    Ref<> handle = Ref<>::Borrow(Value(t->handle));
    MVM_TRY_VOID(JoinThread(ts, handle, kNever));
  }
}

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

Result<> thread_lock_waits(ThreadState& ts, Args args) { return LockWaits(ts); }

const MethodSpec kFunctions[] = {
    {"_count()", thread_count, "Number of running threads, the main thread left out."},
    {"_get_main_thread_ident()", thread_get_main_thread_ident, "The identity of the main thread."},
    {"_is_main_interpreter()", thread_is_main_interpreter,
     "Whether this is the process's first interpreter."},
    {"_lock_waits()", thread_lock_waits,
     "What threads wait for: a list of (ident, lock, handle of a thread or queue, ident of who has "
     "the lock or is to end, or 0)."},
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
