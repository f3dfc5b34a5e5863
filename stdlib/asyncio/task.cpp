// Task: a future whose outcome is that of a coroutine, which the loop drives step by step.
//
// A step goes from one await that has to wait to the next. Coroutines are resumed directly
// (vm/interp/generator_object.h), other objects through their send() and throw().
#include "runtime/native/native_function.h"
#include "runtime/objects/exception_object.h"
#include "stdlib/asyncio/asyncio_types.h"
#include "stdlib/contextvars.h"
#include "vm/interp/generator_object.h"

namespace minivm::aio {

namespace {

TaskObject* AsTask(Value v) { return v.as<TaskObject>(); }

// ---- the list of those that are not done ----

void Enlist(StateObject* module, TaskObject* task) {
  task->next = module->tasks;
  task->link = &module->tasks;
  if (task->next != nullptr) task->next->link = &task->next;
  module->tasks = task;
}
void Delist(TaskObject* task) {
  if (task->link == nullptr) return;
  *task->link = task->next;
  if (task->next != nullptr) task->next->link = task->link;
  task->next = nullptr;
  task->link = nullptr;
}
// Before its references go: one of them keeps the head of the list alive.
void task_gc_clear(Object* self) {
  Delist(self->as<TaskObject>());
  gc_internal::ClearHook<TaskObject>(self);
}
void task_gc_destroy(Heap& heap, Object* self) {
  Delist(self->as<TaskObject>());
  gc_internal::DestroyHook<TaskObject>(heap, self);
}

// ---- steps ----

// The task has ended: nobody finds it any more. What there is to wait for may be told now.
Status End(ThreadState& ts, TaskObject* task, Result<> outcome) {
  Delist(task);
  if (!outcome.raised()) {
    const Ref<> value = outcome.Take();
    if (!task->must_cancel) return SetResult(ts, task, value);
    // Cancelled in its last step.
    task->must_cancel = false;
    const Ref<> message = Ref<>::Borrow(OrNone(ts, task->message));
    MVM_TRY_VOID(CancelFuture(ts, task, message));
    return Ok();
  }
  const Ref<> error = TakePending(ts);
  if (IsInstance(ts, error, task->module->cancelled_error)) {
    Store(task->cancelled_error, error);
    MVM_TRY_VOID(CancelFuture(ts, task, ts.rt->none));
    return Ok();
  }
  MVM_TRY_VOID(SetException(ts, task, error));
  if (IsInstance(ts, error, ExcType(ts, Exc::kKeyboardInterrupt)) ||
      IsInstance(ts, error, ExcType(ts, Exc::kSystemExit))) {
    return RaiseObject(ts, error);
  }
  return Ok();
}

// A step that raises RuntimeError in the coroutine.
[[gnu::cold]] Status Complain(ThreadState& ts, TaskObject* task, Result<StrObject> text) {
  MVM_TRY(Ref<> message, std::move(text));
  MVM_TRY(Ref<> error, NewException(ts, Exc::kRuntimeError, message));
  return CallSoon(ts, task, HandleObject::kStep, Value(task), error, task->task_context);
}

[[gnu::cold]] Status ComplainOfLoop(ThreadState& ts, TaskObject* task, Value awaited) {
  return Complain(
      ts, task,
      Format(ts, "Task %R got Future %R attached to a different loop", Value(task), awaited));
}
[[gnu::cold]] Status ComplainOfYield(ThreadState& ts, TaskObject* task, Value awaited) {
  return Complain(
      ts, task,
      Format(ts, "yield was used instead of yield from in task %R with %R", Value(task), awaited));
}
[[gnu::cold]] Status ComplainOfItself(ThreadState& ts, TaskObject* task) {
  return Complain(ts, task, Format(ts, "Task cannot await on itself: %R", Value(task)));
}

// awaited.cancel(msg=message)
Result<bool> CancelAny(ThreadState& ts, StateObject* module, Value awaited, Value message) {
  if (HasShape(awaited, module->task_shape)) return CancelTask(ts, AsTask(awaited), message);
  if (HasShape(awaited, module->future_shape))
    return CancelFuture(ts, awaited.as<FutureObject>(), message);
  MVM_TRY(Ref<> cancel, GetAttr(ts, awaited, module->name(Name::kcancel)));
  const Value keyword = Value(module->name(Name::kmsg));
  MVM_TRY(Ref<TupleObject> names, NewTuple(ts, {&keyword, 1}));
  Value words[] = {message, Value(names.get())};
  MVM_TRY(Ref<> done, CallRaw(ts, cancel, Args{words, 0, 1}));
  return Truth(ts, done);
}

// It waits for `awaited` from now on; a cancel() that came before reaches that.
Status Wait(ThreadState& ts, TaskObject* task, Value awaited) {
  Store(task->waits_for, awaited);
  if (MVM_LIKELY(!task->must_cancel)) return Ok();
  const Ref<> message = Ref<>::Borrow(OrNone(ts, task->message));
  MVM_TRY(bool cancelled, CancelAny(ts, task->module, awaited, message));
  if (cancelled) task->must_cancel = false;
  return Ok();
}

// The same for futures of other makes: everything that has _asyncio_future_blocking is one.
Status WaitForOther(ThreadState& ts, TaskObject* task, Value awaited) {
  StateObject* module = task->module;
  StrObject* mark = module->name(Name::k_asyncio_future_blocking);
  MVM_TRY(Ref<> blocking, GetAttrOptional(ts, awaited, mark));
  if (blocking.is_absent() || IsNone(ts, blocking)) {
    if (!IsExact(awaited, TypeId::kGenerator))
      return Complain(ts, task, Format(ts, "Task got bad yield: %R", awaited));
    return Complain(
        ts, task,
        Format(ts, "yield was used instead of yield from for generator in task %R with %R",
               Value(task), awaited));
  }
  MVM_TRY(bool really, Truth(ts, blocking));
  MVM_TRY(Ref<> loop, CallScript(ts, "futures", "_get_loop", {&awaited, 1}));
  if (!loop.is(task->loop)) return ComplainOfLoop(ts, task, awaited);
  if (!really) return ComplainOfYield(ts, task, awaited);
  if (awaited.is(Value(task))) return ComplainOfItself(ts, task);
  MVM_TRY_VOID(SetAttr(ts, awaited, mark, ts.rt->false_));
  MVM_TRY(Ref<> add, GetAttr(ts, awaited, module->name(Name::kadd_done_callback)));
  MVM_TRY(Ref<> wakeup, WakeupFunction(ts, Value(task)));
  Value words[] = {wakeup, task->task_context, Value(module->context_keyword)};
  MVM_TRY(Ref<> ignored, CallRaw(ts, add, Args{words, 1, 1}));
  return Wait(ts, task, awaited);
}

// What the coroutine has yielded.
Status Suspend(ThreadState& ts, TaskObject* task, Value awaited) {
  if (IsNone(ts, awaited)) {
    // A bare yield: the others' turn, then ours again.
    return CallSoon(ts, task, HandleObject::kStep, Value(task), Value(), task->task_context);
  }
  if (MVM_UNLIKELY(!IsPlainFuture(task->module, awaited))) return WaitForOther(ts, task, awaited);
  FutureObject* f = awaited.as<FutureObject>();
  if (!f->loop.is(task->loop)) return ComplainOfLoop(ts, task, awaited);
  if (!f->blocking) return ComplainOfYield(ts, task, awaited);
  if (f == task) return ComplainOfItself(ts, task);
  f->blocking = false;
  if (MVM_LIKELY(f->state == FutureState::kPending)) {
    MVM_TRY_VOID(AddCallback(ts, f, Value(task), task->task_context, true));
  } else {
    MVM_TRY_VOID(
        CallSoon(ts, task, HandleObject::kWakeup, Value(task), awaited, task->task_context));
  }
  return Wait(ts, task, awaited);
}

// send(None) or, if an error is pending, throw(): what it yields, or Done() with *returned set.
Result<> Resume(ThreadState& ts, Value coro, Ref<>* returned) {
  if (MVM_LIKELY(IsExact(coro, TypeId::kCoroutine) || IsExact(coro, TypeId::kGenerator))) {
    GeneratorObject* gen = coro.as<GeneratorObject>();
    if (MVM_LIKELY(!ts.HasPending())) return GeneratorSend(ts, gen, ts.rt->none, returned);
    return GeneratorThrow(ts, gen, returned);
  }
  Result<> r = kRaised;
  if (ts.HasPending()) {
    const Ref<> error = TakePending(ts);
    r = CallMethod(ts, coro, MVM_NAME(ts, throw), error);
  } else {
    r = CallMethod(ts, coro, MVM_NAME(ts, send), ts.rt->none);
  }
  if (!r.raised() || !PendingIs(ts, Exc::kStopIteration)) return r;
  const Ref<> stop = TakePending(ts);
  *returned = Ref<>::Borrow(stop.as<StopIterationObject>()->value);
  return Result<>::Done();
}

// ---- the class ----

Result<> task_new(ThreadState& ts, TypeObject* cls, Args) { return AllocInstance(ts, cls); }

// The first step inside the caller's; the task is for the loop only if it has to wait.
Status StartEagerly(ThreadState& ts, TaskObject* task) {
  StateObject* module = task->module;
  const Ref<> caller = CurrentTask(ts, module, task->loop);
  MVM_TRY_VOID(SetCurrentTask(ts, module, task->loop, Value()));
  Status entered = EnterContext(ts, task->task_context);
  Status outcome = kRaised;
  if (!entered.raised()) {
    outcome = TaskStep(ts, task, Ref<>());
    Ref<> pending = TakePending(ts);
    ExitContext(ts, task->task_context);
    RestorePending(ts, std::move(pending));
  }
  Ref<> pending = TakePending(ts);
  const Status back = SetCurrentTask(ts, module, task->loop, caller);
  if (pending) RestorePending(ts, std::move(pending));
  if (outcome.raised() || back.raised()) return kRaised;
  if (task->state != FutureState::kPending) Store(task->coro, Value());
  return Ok();
}

Result<> task_init(ThreadState& ts, Args args) {
  TaskObject* task = args.self<TaskObject>();
  const Value coro = args[1];
  MVM_TRY_VOID(FutureInit(ts, task, args[2]));
  StateObject* module = task->module;
  if (!IsExact(coro, TypeId::kCoroutine)) {
    MVM_TRY(Ref<> is, CallScript(ts, "coroutines", "iscoroutine", {&coro, 1}));
    MVM_TRY(bool good, Truth(ts, is));
    if (!good) {
      task->quiet = true;
      return Raise(ts, Exc::kTypeError, "a coroutine was expected, got %R", coro);
    }
  }
  Ref<> name = Ref<>::Steal(Value::Int(0));
  if (!IsNone(ts, args[3])) {
    MVM_TRY(name, ToStr(ts, args[3]));
  } else {
    name = Ref<>::Steal(Value::Int(++module->task_number));
  }
  Ref<> context = Ref<>::Borrow(args[4]);
  if (IsNone(ts, context)) {
    MVM_TRY(context, CopyContext(ts));
  }
  MVM_TRY(bool eager, Truth(ts, args[5]));
  Store(task->name, name);
  Store(task->coro, coro);
  Store(task->task_context, context);
  Store(task->waits_for, Value());
  task->cancel_requests = 0;
  task->must_cancel = task->quiet = false;
  if (task->link == nullptr) Enlist(module, task);
  if (eager) {
    MVM_TRY(bool fits, IsContext(ts, context));
    MVM_TRY(Ref<> runs, CallScript(ts, "tasks", "_is_running", {&task->loop, 1}));
    MVM_TRY(bool running, Truth(ts, runs));
    if (running && fits) {
      MVM_TRY_VOID(StartEagerly(ts, task));
      return None(ts);
    }
  }
  MVM_TRY_VOID(CallSoon(ts, task, HandleObject::kStep, Value(task), Value(), context));
  return None(ts);
}

Status task_finalize(ThreadState& ts, Value self) {
  TaskObject* task = AsTask(self);
  Delist(task);
  if (task->state == FutureState::kPending && !task->quiet) {
    MVM_TRY(Ref<StrObject> text, NewStr(ts, "Task was destroyed but it is pending!"));
    MVM_TRY_VOID(TellLoop(ts, task, text, "task", Value()));
  }
  return future_finalize(ts, self);
}

Status ExpectReady(ThreadState& ts, Value self) {
  if (AsTask(self)->state != FutureState::kNone) return Ok();
  return Raise(ts, Exc::kRuntimeError, "Task object is not initialized.");
}

Result<> task_repr(ThreadState& ts, Value self) {
  MVM_TRY_VOID(ExpectReady(ts, self));
  return CallScript(ts, "base_tasks", "_task_repr", {&self, 1});
}
Result<> task_get_coro(ThreadState& ts, Args args) {
  return Result<>::Borrow(OrNone(ts, AsTask(args[0])->coro));
}
Result<> task_get_context(ThreadState& ts, Args args) {
  return Result<>::Borrow(OrNone(ts, AsTask(args[0])->task_context));
}
Result<> task_get_name(ThreadState& ts, Args args) {
  const Value name = AsTask(args[0])->name;
  if (name.is_int()) return Format(ts, "Task-%S", name);
  return Result<>::Borrow(OrNone(ts, name));
}
Result<> task_set_name(ThreadState& ts, Args args) {
  MVM_TRY(Ref<StrObject> text, ToStr(ts, args[1]));
  Store(AsTask(args[0])->name, Value(text.get()));
  return None(ts);
}
Result<> task_get_stack(ThreadState& ts, Args args) {
  return CallScript(ts, "base_tasks", "_task_get_stack", {args.v, 2});
}
Result<> task_print_stack(ThreadState& ts, Args args) {
  return CallScript(ts, "base_tasks", "_task_print_stack", {args.v, 3});
}
Result<> task_set_result(ThreadState& ts, Args) {
  return Raise(ts, Exc::kRuntimeError, "Task does not support set_result operation");
}
Result<> task_set_exception(ThreadState& ts, Args) {
  return Raise(ts, Exc::kRuntimeError, "Task does not support set_exception operation");
}
Result<> task_cancel(ThreadState& ts, Args args) {
  MVM_TRY_VOID(ExpectReady(ts, args[0]));
  MVM_TRY(bool done, CancelTask(ts, AsTask(args[0]), args[1]));
  return Bool(ts, done);
}
Result<> task_cancelling(ThreadState& ts, Args args) {
  return Small(AsTask(args[0])->cancel_requests);
}
Result<> task_uncancel(ThreadState& ts, Args args) {
  TaskObject* task = AsTask(args[0]);
  if (task->cancel_requests > 0 && --task->cancel_requests == 0) task->must_cancel = false;
  return Small(task->cancel_requests);
}

Result<> get_log_destroy_pending(ThreadState& ts, Value self) {
  return Bool(ts, !AsTask(self)->quiet);
}
Status set_log_destroy_pending(ThreadState& ts, Value self, Value v) {
  if (v.is_null()) return Raise(ts, Exc::kAttributeError, "cannot delete attribute");
  MVM_TRY(bool wanted, Truth(ts, v));
  AsTask(self)->quiet = !wanted;
  return Ok();
}
Result<> get_must_cancel(ThreadState& ts, Value self) {
  return Bool(ts, AsTask(self)->must_cancel);
}
Result<> get_coro(ThreadState& ts, Value self) {
  return Result<>::Borrow(OrNone(ts, AsTask(self)->coro));
}
Result<> get_fut_waiter(ThreadState& ts, Value self) {
  return Result<>::Borrow(OrNone(ts, AsTask(self)->waits_for));
}

const MethodSpec kTaskMethods[] = {
    {"__class_getitem__(cls, object, /)", ClassGetItem, "See PEP 585", kMethodClass},
    {"cancel(self, /, msg=None)", task_cancel,
     "Have a CancelledError raised in the coroutine; False if the task is done."},
    {"cancelling(self, /)", task_cancelling,
     "How many calls of cancel() have not been taken back by uncancel()."},
    {"get_context(self, /)", task_get_context, "The contextvars.Context the coroutine runs in."},
    {"get_coro(self, /)", task_get_coro,
     "The coroutine; None if an eager task has ended without ever being suspended."},
    {"get_name(self, /)", task_get_name, "The name; Task-1, Task-2 ... if none was given."},
    {"get_stack(self, /, *, limit=None)", task_get_stack,
     "The frames where the coroutine is suspended, or those that its exception passed.\n"
     "\n"
     "There is one at most for a suspended coroutine. limit is the greatest number of frames."},
    {"print_stack(self, /, *, limit=None, file=None)", task_print_stack,
     "Print what get_stack() gives, like a traceback, to file (sys.stderr)."},
    {"set_exception(self, exception, /)", task_set_exception, "RuntimeError: not for tasks."},
    {"set_name(self, value, /)", task_set_name, "Set the name to str(value)."},
    {"set_result(self, result, /)", task_set_result, "RuntimeError: not for tasks."},
    {"uncancel(self, /)", task_uncancel,
     "Take a call of cancel() back; returns how many are left."},
};
const GetSetSpec kTaskGetSets[] = {
    {"_coro", get_coro},
    {"_fut_waiter", get_fut_waiter},
    {"_log_destroy_pending", get_log_destroy_pending, set_log_destroy_pending},
    {"_must_cancel", get_must_cancel},
};

// ---- callables for loops that want one ----

Result<> task_wakeup(ThreadState& ts, Args args) {
  MVM_TRY_VOID(TaskWakeup(ts, AsTask(args[0]), args[1]));
  return None(ts);
}
const MethodSpec kWakeup = {"task_wakeup(self, future, /)", task_wakeup};

class StepWrapperObject : public Object {
 public:
  Value task, error;
  template <class V>
  void VisitRefs(V&& v) {
    v(task);
    v(error);
  }
};
Result<> wrapper_call(ThreadState& ts, Value self, Args raw) {
  if (raw.n + raw.nkw > 0)
    return Raise(ts, Exc::kTypeError, "function takes no %s arguments",
                 raw.nkw > 0 ? "keyword" : "positional");
  StepWrapperObject* step = self.as<StepWrapperObject>();
  const Ref<> task = Ref<>::Borrow(step->task);
  MVM_TRY_VOID(TaskStep(ts, AsTask(task), Ref<>::Borrow(step->error)));
  return None(ts);
}
Result<> wrapper_get_self(ThreadState& ts, Value self) {
  return Result<>::Borrow(self.as<StepWrapperObject>()->task);
}
const GetSetSpec kWrapperGetSets[] = {{"__self__", wrapper_get_self}};

}  // namespace

Status TaskStep(ThreadState& ts, TaskObject* task, Ref<> error) {
  const Ref<> self = Ref<>::Borrow(Value(task));
  if (MVM_UNLIKELY(task->state != FutureState::kPending)) {
    MVM_TRY(StateObject * state, StateOf(ts));
    MVM_TRY(Ref<StrObject> text,
            Format(ts, "__step(): already done: %R, %R", self.get(), OrNone(ts, error.get())));
    MVM_TRY(Ref<> refusal, Call(ts, Value(state->invalid_state), Value(text.get())));
    return RaiseObject(ts, refusal);
  }
  StateObject* module = task->module;
  if (MVM_UNLIKELY(task->must_cancel)) {
    task->must_cancel = false;
    if (error.is_null() || !IsInstance(ts, error, module->cancelled_error)) {
      MVM_TRY(error, CancelledError(ts, task));
    }
  }
  const Ref<> loop = Ref<>::Borrow(task->loop);
  // Where the loop keeps the task that runs; null: in the module's dictionary.
  Value* const current = task->in_scheduler ? &loop.as<SchedulerObject>()->current : nullptr;
  const Ref<> busy = current ? Ref<>::Borrow(*current) : CurrentTask(ts, module, loop);
  if (MVM_UNLIKELY(!busy.is_null())) {
    return Raise(ts, Exc::kRuntimeError,
                 "Cannot enter into task %R while another task %R is being executed.", self.get(),
                 busy.get());
  }
  if (!task->waits_for.is_null()) Store(task->waits_for, Value());
  if (MVM_LIKELY(current != nullptr)) {
    *current = Ref<>(self).Release();
  } else {
    MVM_TRY_VOID(SetCurrentTask(ts, module, loop, self));
  }
  const Ref<> coro = Ref<>::Borrow(task->coro);
  if (!error.is_null()) RestorePending(ts, std::move(error));
  Ref<> returned;
  Result<> yielded = Resume(ts, coro, &returned);
  Status outcome = Ok();
  if (yielded.raised()) {
    outcome = End(ts, task, kRaised);
  } else if (yielded.done()) {
    outcome = End(ts, task,
                  Result<>(returned.is_null() ? Ref<>::Borrow(ts.rt->none) : std::move(returned)));
  } else {
    const Ref<> awaited = yielded.Take();
    outcome = Suspend(ts, task, awaited);
  }
  if (MVM_LIKELY(current != nullptr && !outcome.raised())) {
    Store(*current, Value());
    return outcome;
  }
  Ref<> pending = TakePending(ts);
  const Status left = SetCurrentTask(ts, module, loop, Value());
  if (pending) RestorePending(ts, std::move(pending));
  return outcome.raised() ? outcome : left;
}

Status TaskWakeup(ThreadState& ts, TaskObject* task, Value future) {
  Ref<> error;
  if (MVM_LIKELY(IsPlainFuture(task->module, future) &&
                 future.as<FutureObject>()->state > FutureState::kPending)) {
    MVM_TRY(error, TakeFailure(ts, future.as<FutureObject>()));
    if (error.is_absent()) error = Ref<>();
  } else {
    Result<> r = CallMethod(ts, future, task->module->name(Name::kresult));
    if (r.raised()) {
      error = TakePending(ts);
    } else {
      const Ref<> ignored = r.Take();
    }
  }
  return TaskStep(ts, task, std::move(error));
}

Result<bool> CancelTask(ThreadState& ts, TaskObject* task, Value message) {
  task->unread = false;
  if (task->state != FutureState::kPending) return false;
  ++task->cancel_requests;
  // If it waits for something, that is cancelled, and the error reaches the coroutine through it.
  if (!task->waits_for.is_null()) {
    const Ref<> awaited = Ref<>::Borrow(task->waits_for);
    RecursionGuard guard(ts, " while cancelling a task");
    if (!guard) return kRaised;
    MVM_TRY(bool reached, CancelAny(ts, task->module, awaited, message));
    if (reached) return true;
  }
  task->must_cancel = true;
  Store(task->message, IsNone(ts, message) ? Value() : message);
  return true;
}

Result<> WakeupFunction(ThreadState& ts, Value task) {
  return NewNativeFunction(ts, kWakeup, task, true, nullptr);
}

Result<> StepFunction(ThreadState& ts, Value task, Value error) {
  MVM_TRY(TypeObject * type, TypeForSpec(ts, kStepWrapperType));
  MVM_TRY(Ref<> made, AllocInstance(ts, type));
  Store(made.as<StepWrapperObject>()->task, task);
  Store(made.as<StepWrapperObject>()->error, error);
  return made;
}

const TypeSpec kTaskType = {
    .name = "_asyncio.Task",
    .doc =
        "A future whose outcome is that of a coroutine, which it runs step by step.\n"
        "\n"
        "A step goes from one await that has to wait to the next. cancel() makes a "
        "CancelledError be raised where the coroutine waits; the coroutine may clean up, and "
        "may even go on.",
    .base = &kFutureType,
    .flags = kTypeBase | kTypeWeakrefs | kTypeHasFinalizer,
    .size = sizeof(TaskObject),
    .gc = {gc_internal::VisitHook<TaskObject>, task_gc_clear, task_gc_destroy},
    .slots = {.repr = task_repr, .new_ = task_new, .finalize = task_finalize},
    .init = {"Task(self, coro, *, loop=None, name=None, context=None, eager_start=False)",
             task_init},
    .methods = kTaskMethods,
    .getsets = kTaskGetSets,
};
const TypeSpec kStepWrapperType = {
    .name = "_asyncio.TaskStepMethWrapper",
    .flags = kTypeNoNew,
    .size = sizeof(StepWrapperObject),
    .gc = GcHooksOf<StepWrapperObject>(),
    .slots = {.call = wrapper_call},
    .getsets = kWrapperGetSets,
};

}  // namespace minivm::aio
