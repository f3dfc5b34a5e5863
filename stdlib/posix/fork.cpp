// fork() in the module posix, and what register_at_fork() has called around it.
//
// The registered functions are in three lists of the module (attribute _fork_hooks): they belong to
// the VM and die with it.
#include <pty.h>
#include <unistd.h>

#include "runtime/core/gil.h"
#include "runtime/core/signals.h"
#include "runtime/objects/list_object.h"
#include "stdlib/posix/posix_support.h"

namespace minivm {

namespace {

constexpr const char* kHooksName = "_fork_hooks";

// The list for a moment, made with the others when `create`; Absent() without.
Result<> HookList(ThreadState& ts, ForkMoment moment, bool create) {
  MVM_TRY(Ref<> module, ts.rt->hooks.import_module(ts, "posix"));
  MVM_TRY(Ref<> lists, GetAttrOptional(ts, module, kHooksName));
  if (lists.is_absent()) {
    if (!create) return lists;
    Ref<ListObject> made[3];
    Value triple[3];
    for (int i = 0; i < 3; ++i) {
      MVM_TRY(made[i], NewListReserve(ts, 0));
      triple[i] = made[i].get();
    }
    MVM_TRY(lists, Result<>(NewTuple(ts, triple)));
    MVM_TRY_VOID(SetAttr(ts, module, kHooksName, lists));
  }
  if (!IsExact(lists, TypeId::kTuple) || lists.as<TupleObject>()->size() != 3) {
    return Raise(ts, Exc::kRuntimeError, "lost posix._fork_hooks");
  }
  Value list = (*lists.as<TupleObject>())[static_cast<size_t>(moment)];
  if (!IsExact(list, TypeId::kList)) return Raise(ts, Exc::kRuntimeError, "lost posix._fork_hooks");
  return Result<>::Borrow(list);
}

}  // namespace

Status RunForkHooks(ThreadState& ts, ForkMoment moment) {
  MVM_TRY(Ref<> found, HookList(ts, moment, false));
  if (found.is_absent()) return Ok();
  // A copy: the functions may register others.
  ListObject* list = found.as<ListObject>();
  MVM_TRY(Ref<TupleObject> hooks, NewTuple(ts, {list->items, list->size}));
  uint32_t n = hooks->size();
  for (uint32_t i = 0; i < n; ++i) {
    // Before the fork the last registered comes first, after it the first.
    Value hook = (*hooks)[moment == ForkMoment::kBefore ? n - 1 - i : i];
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
  for (uint32_t i = 0; i < 3; ++i) {
    if (!args.has(kIndex[i])) continue;
    MVM_TRY(Ref<> list, HookList(ts, static_cast<ForkMoment>(i), true));
    MVM_TRY_VOID(ListAppend(ts, list.as<ListObject>(), args[kIndex[i]]));
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
