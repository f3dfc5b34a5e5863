// Module _asyncio: which loop runs in a thread, which task in a loop, and the module's state.
//
// Futures, tasks and schedulers are in asyncio/. The registers that only tasks of other makes need
// are asyncio.tasks', and shown here when they are asked for.
#include "runtime/objects/module_object.h"
#include "stdlib/asyncio/asyncio_types.h"

namespace minivm {
namespace aio {

namespace {

Result<StrObject> StateKey(ThreadState& ts) { return InternUtf8(ts, "state"); }

Result<> asyncio_get_running_loop_or_none(ThreadState& ts, Args) {
  MVM_TRY(StateObject * module, StateOf(ts));
  return Result<>::Borrow(OrNone(ts, RunningLoop(ts, module)));
}
Result<> asyncio_get_running_loop(ThreadState& ts, Args) {
  MVM_TRY(StateObject * module, StateOf(ts));
  const Value loop = RunningLoop(ts, module);
  if (loop.is_null()) return Raise(ts, Exc::kRuntimeError, "no running event loop");
  return Result<>::Borrow(loop);
}
Result<> asyncio_set_running_loop(ThreadState& ts, Args args) {
  MVM_TRY(StateObject * module, StateOf(ts));
  const Value thread = Value::Int(static_cast<int64_t>(ts.id));
  if (IsNone(ts, args[0])) {
    MVM_TRY(bool there, DictDelete(ts, module->running, thread));
    static_cast<void>(there);
  } else {
    MVM_TRY_VOID(DictSet(ts, module->running, thread, args[0]));
  }
  return None(ts);
}

Result<> asyncio_current_task(ThreadState& ts, Args args) {
  MVM_TRY(StateObject * module, StateOf(ts));
  Ref<> loop = Ref<>::Borrow(args[0]);
  if (IsNone(ts, loop)) {
    MVM_TRY(loop, asyncio_get_running_loop(ts, args));
  }
  const Ref<> task = CurrentTask(ts, module, loop);
  return Result<>::Borrow(OrNone(ts, task));
}
Result<> asyncio_enter_task(ThreadState& ts, Args args) {
  MVM_TRY(StateObject * module, StateOf(ts));
  const Ref<> busy = CurrentTask(ts, module, args[0]);
  if (!busy.is_null()) {
    return Raise(ts, Exc::kRuntimeError,
                 "Cannot enter into task %R while another task %R is being executed.", args[1],
                 busy.get());
  }
  MVM_TRY_VOID(SetCurrentTask(ts, module, args[0], args[1]));
  return None(ts);
}
Result<> asyncio_leave_task(ThreadState& ts, Args args) {
  MVM_TRY(StateObject * module, StateOf(ts));
  const Ref<> current = CurrentTask(ts, module, args[0]);
  if (!OrNone(ts, current).is(args[1])) {
    return Raise(ts, Exc::kRuntimeError, "Leaving task %R does not match the current task %R.",
                 args[1], OrNone(ts, current));
  }
  MVM_TRY_VOID(SetCurrentTask(ts, module, args[0], Value()));
  return None(ts);
}
Result<> asyncio_swap_current_task(ThreadState& ts, Args args) {
  MVM_TRY(StateObject * module, StateOf(ts));
  const Ref<> before = CurrentTask(ts, module, args[0]);
  MVM_TRY_VOID(SetCurrentTask(ts, module, args[0], IsNone(ts, args[1]) ? Value() : args[1]));
  return Result<>::Borrow(OrNone(ts, before));
}
Result<> asyncio_pending_tasks(ThreadState& ts, Args args) {
  MVM_TRY(StateObject * module, StateOf(ts));
  MVM_TRY(Ref<ListObject> all, NewList(ts, {}));
  for (TaskObject* task = module->tasks; task != nullptr; task = task->next) {
    if (task->loop.is(args[0])) MVM_TRY_VOID(ListAppend(ts, all, Value(task)));
  }
  return all;
}

const MethodSpec kFunctions[] = {
    {"_enter_task(loop, task)", asyncio_enter_task, "Say that a step of the task begins."},
    {"_get_running_loop()", asyncio_get_running_loop_or_none,
     "The loop that runs in this thread, or None."},
    {"_leave_task(loop, task)", asyncio_leave_task, "Say that a step of the task ends."},
    {"_pending_tasks(loop, /)", asyncio_pending_tasks,
     "The tasks of this module's kind in a loop that are not done."},
    {"_set_running_loop(loop, /)", asyncio_set_running_loop,
     "Say which loop runs in this thread. For run_forever()."},
    {"_swap_current_task(loop, task)", asyncio_swap_current_task,
     "Make task (which may be None) the current one; returns which was."},
    {"current_task(loop=None)", asyncio_current_task,
     "The task that runs in the loop (the running one) now, or None."},
    {"get_running_loop()", asyncio_get_running_loop,
     "The loop that runs in this thread. RuntimeError if none does."},
};
const TypeSpec* const kTypes[] = {&kFutureType, &kTaskType, &kHandleType, &kSchedulerType,
                                  &kBareYieldType};

// What is the package's.
Result<> FromPackage(ThreadState& ts, const char* module, const char* name) {
  const std::string full = std::string("asyncio.") + module;
  MVM_TRY(Ref<> home, ts.rt->hooks.import_module(ts, full));
  return GetAttr(ts, home, name);
}
#define LATE(module, name)                                                 \
  {                                                                        \
#name, [](ThreadState & ts) { return FromPackage(ts, module, #name); } \
  }
const LateSpec kLate[] = {
    LATE("events", get_event_loop),      LATE("tasks", _eager_tasks),
    LATE("tasks", _register_eager_task), LATE("tasks", _register_task),
    LATE("tasks", _scheduled_tasks),     LATE("tasks", _unregister_eager_task),
    LATE("tasks", _unregister_task),
};
#undef LATE

Status exec_asyncio(ThreadState& ts, ModuleObject*) { return MakeState(ts); }

}  // namespace

Result<StateObject*> StateOf(ThreadState& ts) {
  MVM_TRY(TypeObject * type, TypeForSpec(ts, kStateType));
  MVM_TRY(Ref<StrObject> key, StateKey(ts));
  const Value state = TypeLookup(ts, type, key);
  if (state.is_null()) return Raise(ts, Exc::kRuntimeError, "module _asyncio is not imported");
  return state.as<StateObject>();
}

Status MakeState(ThreadState& ts) {
  MVM_TRY(TypeObject * type, TypeForSpec(ts, kStateType));
  MVM_TRY_VOID(TypeReady(ts, type));
  MVM_TRY(Ref<StrObject> key, StateKey(ts));
  if (!TypeLookup(ts, type, key).is_null()) return Ok();
  MVM_TRY(Ref<> made, AllocInstance(ts, type));
  StateObject* s = made.as<StateObject>();
  MVM_TRY(Ref<> exceptions, ts.rt->hooks.import_module(ts, "asyncio.exceptions"));
  MVM_TRY(Ref<> cancelled, GetAttr(ts, exceptions, "CancelledError"));
  MVM_TRY(Ref<> invalid, GetAttr(ts, exceptions, "InvalidStateError"));
  if (!IsType(ts, cancelled) || !IsType(ts, invalid))
    return Raise(ts, Exc::kTypeError, "asyncio.exceptions must have exception classes");
  s->cancelled_error = std::move(cancelled).Into<TypeObject>().Release();
  s->invalid_state = std::move(invalid).Into<TypeObject>().Release();
  constexpr const char* kTexts[] = {
#define N(n) #n,
      MVM_AIO_NAMES(N)
#undef N
  };
  for (size_t i = 0; i < static_cast<size_t>(Name::kCount); ++i) {
    MVM_TRY(Ref<StrObject> name, InternUtf8(ts, kTexts[i]));
    s->names[i] = name.Release();
  }
  const Value keyword = Value(s->name(Name::kcontext));
  MVM_TRY(Ref<TupleObject> keywords, NewTuple(ts, {&keyword, 1}));
  s->context_keyword = keywords.Release();
  MVM_TRY(Ref<DictObject> current, NewDict(ts));
  s->current = current.Release();
  MVM_TRY(Ref<DictObject> running, NewDict(ts));
  s->running = running.Release();
  const std::pair<const TypeSpec*, uint32_t*> shapes[] = {{&kFutureType, &s->future_shape},
                                                          {&kTaskType, &s->task_shape},
                                                          {&kHandleType, &s->handle_shape}};
  for (const auto& [spec, shape] : shapes) {
    MVM_TRY(TypeObject * made_type, TypeForSpec(ts, *spec));
    MVM_TRY_VOID(TypeReady(ts, made_type));
    *shape = made_type->shape_id_exact;
  }
  MVM_TRY(TypeObject * scheduler, TypeForSpec(ts, kSchedulerType));
  MVM_TRY_VOID(TypeReady(ts, scheduler));
  s->call_soon = Ref<>::Borrow(TypeLookup(ts, scheduler, s->name(Name::kcall_soon))).Release();
  MVM_TRY_VOID(DictSetStr(ts, type->dict, key, made));
  return TypeModified(ts, type, key);
}

Result<> CallScript(ThreadState& ts, const char* module, const char* function,
                    std::span<const Value> args) {
  MVM_TRY(Ref<> callable, FromPackage(ts, module, function));
  return Call(ts, callable, args);
}

Raised RaiseOf(ThreadState& ts, TypeObject* type, const char* message) {
  MVM_TRY(Ref<StrObject> text, NewStr(ts, message));
  MVM_TRY(Ref<> error, Call(ts, Value(type), Value(text.get())));
  return RaiseObject(ts, error);
}

const TypeSpec kStateType = {
    .name = "_asyncio._State",
    .flags = kTypeNoNew,
    .size = sizeof(StateObject),
    .gc = GcHooksOf<StateObject>(),
};

}  // namespace aio

extern const ModuleSpec k__asyncio_module;
const ModuleSpec k__asyncio_module = {
    .name = "_asyncio",
    .doc = "The native half of asyncio: futures, tasks, and the queue of a loop.",
    .functions = aio::kFunctions,
    .types = aio::kTypes,
    .exec = aio::exec_asyncio,
    .late = aio::kLate,
};

}  // namespace minivm
