// fork() in the module posix, and what register_at_fork() has called around it.
//
// The registered functions are in three lists, by moment, in a tuple of the VM
// (ModuleState::kForkHooks): found without a lookup, which would write to memory that a new child
// shares with its parent.
#include <pty.h>
#include <unistd.h>

#include "runtime/core/gil.h"
#include "runtime/core/signals.h"
#include "runtime/objects/list_object.h"
#include "stdlib/posix/posix_support.h"

namespace minivm {

namespace {

// The list for a moment; null: nothing has been registered.
ListObject* HookList(ThreadState& ts, ForkMoment moment) {
  const Object* lists = ts.rt->module_states[static_cast<size_t>(ModuleState::kForkHooks)];
  if (lists == nullptr) return nullptr;
  return (*static_cast<const TupleObject*>(lists))[static_cast<size_t>(moment)].as<ListObject>();
}

// Makes the lists, if there are none.
Status MakeHookLists(ThreadState& ts) {
  Object*& lists = ts.rt->module_states[static_cast<size_t>(ModuleState::kForkHooks)];
  if (lists != nullptr) return Ok();
  Ref<ListObject> made[3];
  Value triple[3];
  for (int i = 0; i < 3; ++i) {
    MVM_TRY(made[i], NewListReserve(ts, 0));
    triple[i] = made[i].get();
  }
  MVM_TRY(Ref<TupleObject> tuple, NewTuple(ts, triple));
  lists = tuple.Release();
  return Ok();
}

}  // namespace

Status RunForkHooks(ThreadState& ts, ForkMoment moment) {
  // Those that are registered now, not what they register.
  const ListObject* list = HookList(ts, moment);
  const size_t n = list != nullptr ? list->size : 0;
  for (size_t i = 0; i < n; ++i) {
    // Before the fork the last registered comes first, after it the first.
    const size_t at = moment == ForkMoment::kBefore ? n - 1 - i : i;
    if (at >= list->size) continue;  // who knows his way through module gc has been at it
    Ref<> hook = Ref<>::Borrow(list->items[at]);
    Result<> r = Call(ts, hook);
    if (r.raised()) {
      WriteUnraisable(ts, hook);
    } else {
      Ref<> dropped = r.Take();
    }
  }
  return Ok();
}

namespace {

// `start` forks; `name` is what scripts call that.
template <class F>
Result<pid_t> ForkAround(ThreadState& ts, const char* name, F start) {
  MVM_TRY_VOID(RunForkHooks(ts, ForkMoment::kBefore));
  Gil* gil = ts.rt->gil;
  if (gil != nullptr) gil->BeforeFork();
  pid_t pid = start();
  int error = errno;
  if (gil != nullptr) gil->AfterFork(ts, pid == 0);
  if (pid == 0) {
    KeepOnlyThread(ts);
    ForgetSignals(*ts.rt);
  }
  MVM_TRY_VOID(RunForkHooks(ts, pid == 0 ? ForkMoment::kChild : ForkMoment::kParent));
  if (pid > 0 && ts.rt->threads->next != nullptr) {
    MVM_TRY_VOID(Warn(ts, Exc::kDeprecationWarning, 1,
                      "This process (pid=%d) is multi-threaded, use of %s() may lead to deadlocks "
                      "in the child.",
                      static_cast<int>(getpid()), name));
  }
  errno = error;
  return pid;
}

}  // namespace

Result<pid_t> ForkWithHooks(ThreadState& ts) { return ForkAround(ts, "fork", fork); }

namespace {

Result<> posix_fork(ThreadState& ts, Args args) {
  MVM_TRY(pid_t pid, ForkWithHooks(ts));
  if (pid < 0) return RaiseErrno(ts, errno);
  return Small(pid);
}

Result<> posix_forkpty(ThreadState& ts, Args args) {
  int master = -1;
  MVM_TRY(pid_t pid,
          ForkAround(ts, "forkpty", [&] { return forkpty(&master, nullptr, nullptr, nullptr); }));
  if (pid < 0) return RaiseErrno(ts, errno);
  Value pair[] = {Value::Int(pid), Value::Int(pid == 0 ? -1 : master)};
  return NewTuple(ts, pair);
}

Result<> posix_register_at_fork(ThreadState& ts, Args args) {
  constexpr const char* kNames[] = {"before", "after_in_parent", "after_in_child"};
  // Parameters in the order of the signature: before, after_in_child, after_in_parent.
  constexpr uint32_t kIndex[] = {0, 2, 1};
  bool any = false;
  for (uint32_t i = 0; i < 3; ++i) {
    if (!args.has(kIndex[i])) continue;
    any = true;
    if (!IsCallable(ts, args[kIndex[i]])) {
      return Raise(ts, Exc::kTypeError, "'%s' must be callable, not %T", kNames[i],
                   args[kIndex[i]]);
    }
  }
  if (!any) return Raise(ts, Exc::kTypeError, "At least one argument is required.");
  MVM_TRY_VOID(MakeHookLists(ts));
  for (uint32_t i = 0; i < 3; ++i) {
    if (!args.has(kIndex[i])) continue;
    MVM_TRY_VOID(ListAppend(ts, HookList(ts, static_cast<ForkMoment>(i)), args[kIndex[i]]));
  }
  return None(ts);
}

const MethodSpec kFunctions[] = {
    {"fork()", posix_fork,
     "Go on as two processes: returns 0 in the child, and the child's number in the parent."},
    {"forkpty()", posix_forkpty,
     "fork() with a new terminal for the child: (0, -1) there, (pid, descriptor of its other end) "
     "here."},
    {"register_at_fork(*, before=<unrepresentable>, after_in_child=<unrepresentable>, "
     "after_in_parent=<unrepresentable>)",
     posix_register_at_fork,
     "Name functions to call around fork(): before it, last named first, and after it in the child "
     "and in the parent."},
};

}  // namespace

const Table<MethodSpec> kPosixForkFunctions = kFunctions;

}  // namespace minivm
