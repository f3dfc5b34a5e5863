// Handles, and the half of an event loop that runs them: the queue and its rounds.
//
// Timers, descriptors and everything else a loop does is in asyncio.base_events, whose loop is
// derived from Scheduler.
#include "runtime/core/shape.h"
#include "runtime/native/native_function.h"
#include "stdlib/asyncio/asyncio_types.h"
#include "stdlib/collections/deque_access.h"
#include "stdlib/contextvars.h"

namespace minivm::aio {

namespace {

HandleObject* AsHandle(Value v) { return v.as<HandleObject>(); }
SchedulerObject* AsLoop(Value v) { return v.as<SchedulerObject>(); }

// ---- handles ----

// The callback as a callable, and its arguments as a tuple.
Result<> CallableOf(ThreadState& ts, const HandleObject* h) {
  if (h->callback.is_null()) return None(ts);
  if (h->kind == HandleObject::kCall) return Result<>::Borrow(h->callback);
  if (h->kind == HandleObject::kStep) return StepFunction(ts, h->callback, h->args);
  return WakeupFunction(ts, h->callback);
}
Result<> ArgumentsOf(ThreadState& ts, const HandleObject* h) {
  if (h->callback.is_null()) return None(ts);
  if (h->kind == HandleObject::kCall) return Result<>::Borrow(h->args);
  return NewTuple(ts, {&h->args, h->kind == HandleObject::kWakeup ? size_t{1} : size_t{0}});
}

Result<> handle_new(ThreadState& ts, TypeObject* cls, Args) {
  MVM_TRY(Ref<> made, AllocInstance(ts, cls));
  // Those that __init__ is to set, so that nothing has to look whether it has.
  HandleObject* h = made.as<HandleObject>();
  h->loop = Ref<>::Borrow(ts.rt->none).Release();
  h->context = Ref<>::Borrow(ts.rt->none).Release();
  return made;
}

Result<> handle_init(ThreadState& ts, Args args) {
  HandleObject* h = args.self<HandleObject>();
  MVM_TRY(StateObject * module, StateOf(ts));
  Ref<> context = Ref<>::Borrow(args[4]);
  if (IsNone(ts, context)) {
    MVM_TRY(context, CopyContext(ts));
  }
  MVM_TRY(Ref<TupleObject> words, TupleFrom(ts, args[2]));
  MVM_TRY(bool debug, IsDebugging(ts, module, args[3]));
  if (debug) {
    MVM_TRY(Ref<> origin, SourceTraceback(ts));
    Store(h->source_traceback, origin);
  }
  Store(h->callback, args[1]);
  Store(h->args, Value(words.get()));
  Store(h->loop, args[3]);
  Store(h->context, context);
  h->kind = HandleObject::kCall;
  return None(ts);
}

Result<> Invoke(ThreadState& ts, HandleObject* h) {
  const Ref<> callback = Ref<>::Borrow(h->callback), args = Ref<>::Borrow(h->args);
  if (callback.is_null()) return Raise(ts, Exc::kTypeError, "the handle was cancelled");
  if (h->kind == HandleObject::kCall) {
    TupleObject* words = args.as<TupleObject>();
    constexpr size_t kInline = 4;
    if (MVM_UNLIKELY(words->size() > kInline))
      return RunIn(ts, h->context, callback, {words->items(), words->size()});
    Value copy[kInline];
    for (uint32_t i = 0; i < words->size(); ++i) copy[i] = (*words)[i];
    return RunIn(ts, h->context, callback, {copy, words->size()});
  }
  const Ref<> context = Ref<>::Borrow(h->context);
  MVM_TRY_VOID(EnterContext(ts, context));
  TaskObject* task = callback.as<TaskObject>();
  const Status done =
      h->kind == HandleObject::kStep ? TaskStep(ts, task, args) : TaskWakeup(ts, task, args);
  if (MVM_LIKELY(!done.raised())) {
    ExitContext(ts, context);
    return None(ts);
  }
  Ref<> pending = TakePending(ts);
  ExitContext(ts, context);
  RestorePending(ts, std::move(pending));
  return kRaised;
}

// Calls it. Errors go to the loop's exception handler.
Status RunHandle(ThreadState& ts, HandleObject* h) {
  const Ref<HandleObject> held = Ref<HandleObject>::Borrow(h);
  Result<> r = Invoke(ts, h);
  if (MVM_LIKELY(!r.raised())) {
    const Ref<> ignored = r.Take();
    return Ok();
  }
  if (PendingIs(ts, Exc::kKeyboardInterrupt) || PendingIs(ts, Exc::kSystemExit)) return kRaised;
  const Ref<> error = TakePending(ts);
  Value words[] = {Value(h), error};
  MVM_TRY(Ref<> ignored, CallScript(ts, "events", "_report", words));
  return Ok();
}

Result<> handle_run(ThreadState& ts, Args args) {
  MVM_TRY_VOID(RunHandle(ts, AsHandle(args[0])));
  return None(ts);
}
Result<> handle_cancel(ThreadState& ts, Args args) {
  HandleObject* h = AsHandle(args[0]);
  if (h->cancelled) return None(ts);
  MVM_TRY(StateObject * module, StateOf(ts));
  MVM_TRY(bool debug, IsDebugging(ts, module, h->loop));
  if (debug) {
    MVM_TRY(Ref<StrObject> text, Repr(ts, args[0]));
    Store(h->text, Value(text.get()));
  }
  h->cancelled = true;
  Store(h->callback, Value());
  Store(h->args, Value());
  return None(ts);
}
Result<> handle_cancelled(ThreadState& ts, Args args) {
  return Bool(ts, AsHandle(args[0])->cancelled);
}
Result<> handle_get_context(ThreadState& ts, Args args) {
  return Result<>::Borrow(AsHandle(args[0])->context);
}
Result<> handle_repr(ThreadState& ts, Value self) {
  return CallScript(ts, "events", "_handle_repr", {&self, 1});
}
Result<> get_callback(ThreadState& ts, Value self) { return CallableOf(ts, AsHandle(self)); }
Result<> get_args(ThreadState& ts, Value self) { return ArgumentsOf(ts, AsHandle(self)); }
Result<> get_cancelled(ThreadState& ts, Value self) { return Bool(ts, AsHandle(self)->cancelled); }
Result<> get_handle_loop(ThreadState& ts, Value self) {
  return Result<>::Borrow(AsHandle(self)->loop);
}
Result<> get_context(ThreadState& ts, Value self) {
  return Result<>::Borrow(AsHandle(self)->context);
}
Result<> get_text(ThreadState& ts, Value self) {
  return Result<>::Borrow(OrNone(ts, AsHandle(self)->text));
}
Result<> get_origin(ThreadState& ts, Value self) {
  return Result<>::Borrow(OrNone(ts, AsHandle(self)->source_traceback));
}

const MethodSpec kHandleMethods[] = {
    {"_run(self, /)", handle_run, "Call it. Errors go to the loop's exception handler."},
    {"cancel(self, /)", handle_cancel, "Do not call it any more. What it refers to is let go."},
    {"cancelled(self, /)", handle_cancelled, "Whether it was cancelled."},
    {"get_context(self, /)", handle_get_context,
     "The contextvars.Context in which the callback is called."},
};
const GetSetSpec kHandleGetSets[] = {
    {"_args", get_args},
    {"_callback", get_callback},
    {"_cancelled", get_cancelled},
    {"_context", get_context},
    {"_loop", get_handle_loop},
    {"_repr", get_text},
    {"_source_traceback", get_origin},
};

// ---- loops ----

Result<> scheduler_new(ThreadState& ts, TypeObject* cls, Args) {
  MVM_TRY(StateObject * module, StateOf(ts));
  MVM_TRY(Ref<> made, AllocInstance(ts, cls));
  SchedulerObject* loop = AsLoop(made);
  MVM_TRY(Ref<> ready, NewDeque(ts));
  loop->ready = ready.Release();
  MVM_TRY(Ref<ListObject> scheduled, NewList(ts, {}));
  loop->scheduled = scheduled.Release();
  loop->module = Ref<StateObject>::Borrow(module).Release();
  return made;
}

// Puts a handle into the queue; it is returned.
Result<> Enqueue(ThreadState& ts, SchedulerObject* loop, HandleObject::Kind kind, Value callback,
                 Value args, Value context) {
  Ref<> origin;
  if (MVM_UNLIKELY(loop->debug)) {
    MVM_TRY(origin, SourceTraceback(ts));
  }
  MVM_TRY(Ref<HandleObject> h, New<HandleObject>(ts, loop->module->handle_shape));
  h->callback = Ref<>::Borrow(callback).Release();
  h->args = Ref<>::Borrow(args).Release();
  h->loop = Ref<>::Borrow(Value(loop)).Release();
  h->context = Ref<>::Borrow(context).Release();
  h->source_traceback = origin.Release();
  h->kind = kind;
  Track(h);
  MVM_TRY_VOID(DequeAppend(ts, loop->ready, Value(h.get())));
  return h;
}

// Closed, or to be checked because of debug mode.
Status CheckCall(ThreadState& ts, SchedulerObject* loop, Value callback) {
  if (MVM_LIKELY(!loop->closed && !loop->debug)) return Ok();
  MVM_TRY(Ref<StrObject> method, NewStr(ts, "call_soon"));
  Value words[] = {Value(method.get()), callback};
  MVM_TRY(Ref<> ignored,
          CallMethod(ts, Value(loop), loop->module->name(Name::k_check_call), words));
  return Ok();
}

// call_soon(callback, *args, context=None)
Result<> scheduler_call_soon(ThreadState& ts, Args raw) {
  SchedulerObject* loop = raw.self<SchedulerObject>();
  Ref<> context;
  if (raw.nkw > 0) {
    const TupleObject* names = raw.v[raw.n + raw.nkw].as<TupleObject>();
    if (raw.nkw > 1 || !(*names)[0].as<StrObject>()->EqualsAscii("context")) {
      const uint32_t odd = (*names)[0].as<StrObject>()->EqualsAscii("context") ? 1 : 0;
      return Raise(ts, Exc::kTypeError, "%T.call_soon() got an unexpected keyword argument '%U'",
                   raw[0], (*names)[odd]);
    }
    if (!IsNone(ts, raw.v[raw.n])) context = Ref<>::Borrow(raw.v[raw.n]);
  }
  if (raw.n < 2)
    return Raise(ts, Exc::kTypeError,
                 "%T.call_soon() missing 1 required positional argument: 'callback'", raw[0]);
  MVM_TRY_VOID(CheckCall(ts, loop, raw[1]));
  if (context.is_null()) {
    MVM_TRY(context, CopyContext(ts));
  }
  MVM_TRY(Ref<TupleObject> args, NewTuple(ts, {raw.v + 2, raw.n - 2}));
  return Enqueue(ts, loop, HandleObject::kCall, raw[1], Value(args.get()), context);
}

Result<> scheduler_create_future(ThreadState& ts, Args args) {
  SchedulerObject* loop = args.self<SchedulerObject>();
  Ref<> origin;
  if (MVM_UNLIKELY(loop->debug)) {
    MVM_TRY(origin, SourceTraceback(ts));
  }
  MVM_TRY(Ref<FutureObject> f, New<FutureObject>(ts, loop->module->future_shape));
  f->module = Ref<StateObject>::Borrow(loop->module).Release();
  f->loop = Ref<>::Borrow(args[0]).Release();
  f->source_traceback = origin.Release();
  f->state = FutureState::kPending;
  f->in_scheduler = true;
  Track(f);
  return f;
}

// One round: what is in the queue when it begins.
Status RunRound(ThreadState& ts, SchedulerObject* loop) {
  MVM_TRY(TypeObject * type, TypeForSpec(ts, kHandleType));
  for (uint64_t n = DequeSize(loop->ready); n > 0 && DequeSize(loop->ready) > 0; --n) {
    const Ref<> item = DequePopFirst(ts, loop->ready);
    MVM_TRY_VOID(Charge(ts, 16));
    if (MVM_LIKELY(HasShape(item, loop->module->handle_shape) || IsInstance(ts, item, type))) {
      if (!AsHandle(item)->cancelled) MVM_TRY_VOID(RunHandle(ts, AsHandle(item)));
    } else {
      MVM_TRY(Ref<> ignored, CallMethod(ts, item, loop->module->name(Name::k_run)));
    }
  }
  return Ok();
}
Result<> scheduler_run_ready(ThreadState& ts, Args args) {
  MVM_TRY_VOID(RunRound(ts, args.self<SchedulerObject>()));
  return None(ts);
}
Result<> scheduler_run_rounds(ThreadState& ts, Args args) {
  SchedulerObject* loop = args.self<SchedulerObject>();
  MVM_TRY(int64_t most, AsInt64(ts, args[1]));
  while (most-- > 0 && !loop->stopping && !loop->debug && loop->scheduled->size == 0 &&
         DequeSize(loop->ready) > 0) {
    MVM_TRY_VOID(RunRound(ts, loop));
  }
  return None(ts);
}

Result<> get_ready(ThreadState& ts, Value self) { return Result<>::Borrow(AsLoop(self)->ready); }
Status set_ready(ThreadState& ts, Value self, Value v) {
  if (v.is_null()) return Raise(ts, Exc::kAttributeError, "cannot delete attribute");
  MVM_TRY(bool fits, IsDequeObject(ts, v));
  if (!fits) return Raise(ts, Exc::kTypeError, "_ready must be a deque, not %T", v);
  Store(AsLoop(self)->ready, v);
  return Ok();
}
Result<> get_scheduled(ThreadState& ts, Value self) {
  return Result<>::Borrow(Value(AsLoop(self)->scheduled));
}
Status set_scheduled(ThreadState& ts, Value self, Value v) {
  if (v.is_null() || !IsList(ts, v)) return Raise(ts, Exc::kTypeError, "_scheduled must be a list");
  const Ref<ListObject> old = Ref<ListObject>::Steal(std::exchange(
      AsLoop(self)->scheduled, Ref<ListObject>::Borrow(v.as<ListObject>()).Release()));
  return Ok();
}
template <bool SchedulerObject::*kFlag>
Result<> GetFlag(ThreadState& ts, Value self) {
  return Bool(ts, AsLoop(self)->*kFlag);
}
template <bool SchedulerObject::*kFlag>
Status SetFlag(ThreadState& ts, Value self, Value v) {
  if (v.is_null()) return Raise(ts, Exc::kAttributeError, "cannot delete attribute");
  MVM_TRY(AsLoop(self)->*kFlag, Truth(ts, v));
  return Ok();
}

const MethodSpec kSchedulerMethods[] = {
    {"_run_ready(self, /)", scheduler_run_ready,
     "One round: call what is in the queue now, and nothing that comes meanwhile."},
    {"_run_rounds(self, most, /)", scheduler_run_rounds,
     "Rounds, as long as there are callbacks and nothing else to do; `most` of them at most."},
    {"call_soon(...)", scheduler_call_soon,
     "Have callback(*args) called in the next round: call_soon(callback, *args, context=None)."},
    {"create_future(self, /)", scheduler_create_future, "A future of this loop."},
};
const GetSetSpec kSchedulerGetSets[] = {
    {"_closed", GetFlag<&SchedulerObject::closed>, SetFlag<&SchedulerObject::closed>},
    {"_debug", GetFlag<&SchedulerObject::debug>, SetFlag<&SchedulerObject::debug>},
    {"_ready", get_ready, set_ready},
    {"_scheduled", get_scheduled, set_scheduled},
    {"_stopping", GetFlag<&SchedulerObject::stopping>, SetFlag<&SchedulerObject::stopping>},
};

// Does the loop queue things our way? Neither its class nor it itself has another call_soon.
Result<bool> IsPlainSlow(ThreadState& ts, SchedulerObject* loop) {
  TypeObject* type = TypeOf(ts, Value(loop));
  bool is_method = false;
  MVM_TRY(Ref<> method,
          GetMethod(ts, Value(loop), loop->module->name(Name::kcall_soon), &is_method));
  loop->plain = method.is(loop->module->call_soon);
  const Shape* shape = ts.rt->shapes[loop->shape_id].shape;
  MVM_TRY(TypeObject * scheduler, TypeForSpec(ts, kSchedulerType));
  if (shape != nullptr && !shape->dict_mode && type->slots.getattro == scheduler->slots.getattro) {
    loop->plain_shape = loop->shape_id;
    loop->plain_version = TypeVersion(ts, type);
  }
  return loop->plain;
}
Result<bool> IsPlain(ThreadState& ts, SchedulerObject* loop) {
  const uint32_t version = ts.rt->shapes[loop->shape_id].type->version;
  if (MVM_LIKELY(loop->plain_shape == loop->shape_id && loop->plain_version == version &&
                 version != 0)) {
    return loop->plain;
  }
  return IsPlainSlow(ts, loop);
}

// ---- a bare yield ----

class BareYieldObject : public Object {
 public:
  bool over = false;
};
Result<> yield_new(ThreadState& ts, TypeObject* cls, Args) { return AllocInstance(ts, cls); }
Result<> yield_await(ThreadState& ts, Value self) {
  return New<BareYieldObject>(ts, self.object()->shape_id);
}
Result<> yield_iter(ThreadState& ts, Value self) { return Result<>::Borrow(self); }
Result<> yield_next(ThreadState& ts, Value self) {
  if (std::exchange(self.as<BareYieldObject>()->over, true)) return Result<>::Done();
  return None(ts);
}

}  // namespace

Status CallSoon(ThreadState& ts, const FutureObject* f, HandleObject::Kind kind, Value callback,
                Value arg, Value context) {
  StateObject* module = f->module;
  const Ref<> loop = Ref<>::Borrow(f->loop);
  MVM_TRY(bool real, IsContext(ts, context));
  if (MVM_LIKELY(f->in_scheduler && real)) {
    SchedulerObject* ours = AsLoop(loop);
    MVM_TRY(bool plain, IsPlain(ts, ours));
    if (MVM_LIKELY(plain)) {
      MVM_TRY_VOID(CheckCall(ts, ours, kind == HandleObject::kCall ? callback : module->call_soon));
      if (kind != HandleObject::kCall) {
        MVM_TRY(Ref<> handle, Enqueue(ts, ours, kind, callback, arg, context));
        return Ok();
      }
      MVM_TRY(Ref<TupleObject> args, NewTuple(ts, {&arg, 1}));
      MVM_TRY(Ref<> handle, Enqueue(ts, ours, kind, callback, Value(args.get()), context));
      return Ok();
    }
  }
  Ref<> function = Ref<>::Borrow(callback);
  if (kind == HandleObject::kStep) {
    MVM_TRY(function, StepFunction(ts, callback, arg));
  } else if (kind == HandleObject::kWakeup) {
    MVM_TRY(function, WakeupFunction(ts, callback));
  }
  MVM_TRY(Ref<> method, GetAttr(ts, loop, module->name(Name::kcall_soon)));
  Value words[4] = {function};
  uint32_t n = 1;
  if (kind != HandleObject::kStep) words[n++] = arg;
  words[n] = context;
  words[n + 1] = Value(module->context_keyword);
  MVM_TRY(Ref<> ignored, CallRaw(ts, method, Args{words, n, 1}));
  return Ok();
}

Result<bool> IsDebugging(ThreadState& ts, StateObject* module, Value loop) {
  MVM_TRY(Ref<> on, CallMethod(ts, loop, module->name(Name::kget_debug)));
  return Truth(ts, on);
}

Result<> SourceTraceback(ThreadState& ts) {
  MVM_TRY(Ref<> frame, ts.rt->hooks.current_frame(ts));
  const Value word = frame;
  return CallScript(ts, "format_helpers", "extract_stack", {&word, 1});
}

Ref<> CurrentTask(ThreadState& ts, StateObject* module, Value loop) {
  Result<bool> ours = IsKind(ts, loop, kSchedulerType);
  if (!ours.raised() && ours.Take()) return Ref<>::Borrow(AsLoop(loop)->current);
  Result<> found = DictGet(ts, module->current, loop);
  if (found.raised()) {
    ClearPending(ts);
    return Ref<>();
  }
  Ref<> task = found.Take();
  return task.is_absent() ? Ref<>() : task;
}

Status SetCurrentTask(ThreadState& ts, StateObject* module, Value loop, Value task) {
  MVM_TRY(bool ours, IsKind(ts, loop, kSchedulerType));
  if (MVM_LIKELY(ours)) {
    Store(AsLoop(loop)->current, task);
    return Ok();
  }
  if (!task.is_null()) return DictSet(ts, module->current, loop, task);
  MVM_TRY(bool there, DictDelete(ts, module->current, loop));
  static_cast<void>(there);
  return Ok();
}

Value RunningLoop(ThreadState& ts, StateObject* module) {
  if (DictSize(module->running) == 0) return Value();
  Result<> found = DictGet(ts, module->running, Value::Int(static_cast<int64_t>(ts.id)));
  if (found.raised()) return Value();
  const Ref<> loop = found.Take();
  return loop.is_absent() ? Value() : loop.get();  // the dictionary holds it
}

Result<> RunIn(ThreadState& ts, Value context, Value callback, Args args) {
  MVM_TRY(bool real, IsContext(ts, context));
  if (MVM_UNLIKELY(!real)) {
    MVM_TRY(StateObject * module, StateOf(ts));
    MVM_TRY(Ref<ListObject> words, NewList(ts, {&callback, 1}));
    for (uint32_t i = 0; i < args.n; ++i) MVM_TRY_VOID(ListAppend(ts, words, args[i]));
    return CallMethod(ts, context, module->name(Name::krun), {words->items, words->size});
  }
  const Ref<> held = Ref<>::Borrow(context);
  MVM_TRY_VOID(EnterContext(ts, held));
  Result<> result = CallRaw(ts, callback, args);
  // What is put back may be freed, and run finalizers: the pending exception is kept out of it.
  Ref<> pending = result.raised() ? TakePending(ts) : Ref<>();
  ExitContext(ts, held);
  if (!pending) return result;
  RestorePending(ts, std::move(pending));
  return kRaised;
}

const TypeSpec kHandleType = {
    .name = "asyncio.events.Handle",
    .doc = "A callback that the loop is to call; cancel() prevents it.",
    .flags = kTypeBase | kTypeWeakrefs,
    .size = sizeof(HandleObject),
    .gc = GcHooksOf<HandleObject>(),
    .slots = {.repr = handle_repr, .new_ = handle_new},
    .init = {"Handle(self, callback, args, loop, context=None)", handle_init},
    .methods = kHandleMethods,
    .getsets = kHandleGetSets,
};
const TypeSpec kSchedulerType = {
    .name = "_asyncio._Scheduler",
    .doc = "What the loops of asyncio are derived from: the queue of callbacks that are due.",
    .flags = kTypeBase | kTypeWeakrefs,
    .size = sizeof(SchedulerObject),
    .gc = GcHooksOf<SchedulerObject>(),
    .slots = {.new_ = scheduler_new},
    .methods = kSchedulerMethods,
    .getsets = kSchedulerGetSets,
};

const TypeSpec kBareYieldType = {
    .name = "_asyncio._BareYield",
    .doc = "await gives the others their turn.",
    .size = sizeof(BareYieldObject),
    .slots = {.iter = yield_iter, .next = yield_next, .new_ = yield_new, .await = yield_await},
};

}  // namespace minivm::aio
