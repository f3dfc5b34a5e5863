// Future: a result that is not there yet, and what await runs through.
#include "runtime/native/native_function.h"
#include "runtime/objects/exception_object.h"
#include "stdlib/asyncio/asyncio_types.h"
#include "stdlib/contextvars.h"
#include "vm/interp/throw_arguments.h"

namespace minivm::aio {

namespace {

FutureObject* Fut(Value v) { return v.as<FutureObject>(); }

class FutureIterObject : public Object {
 public:
  Value future;  // null: it is over
  template <class V>
  void VisitRefs(V&& v) {
    v(future);
  }
};

Status ExpectReady(ThreadState& ts, const FutureObject* f) {
  if (MVM_LIKELY(f->state != FutureState::kNone)) return Ok();
  return Raise(ts, Exc::kRuntimeError, "Future object is not initialized.");
}
Status ExpectPending(ThreadState& ts, FutureObject* f) {
  if (MVM_LIKELY(f->state == FutureState::kPending)) return Ok();
  MVM_TRY_VOID(ExpectReady(ts, f));
  return RaiseOf(ts, f->module->invalid_state, "invalid state");
}

// Hands the callbacks to the loop.
Status Notify(ThreadState& ts, FutureObject* f) {
  if (f->callback.is_null()) return Ok();
  const Ref<> held = Ref<>::Borrow(Value(f));
  const Ref<> callback = Ref<>::Steal(std::exchange(f->callback, Value()));
  const Ref<> context = Ref<>::Steal(std::exchange(f->context, Value()));
  const Ref<ListObject> more = Ref<ListObject>::Steal(std::exchange(f->more, nullptr));
  const auto kind = std::exchange(f->wakes, false) ? HandleObject::kWakeup : HandleObject::kCall;
  MVM_TRY_VOID(CallSoon(ts, f, kind, callback, Value(f), context));
  if (!more) return Ok();
  for (size_t i = 0; i < more->size; ++i) {
    const Ref<TupleObject> entry = Ref<TupleObject>::Borrow(more->items[i].as<TupleObject>());
    MVM_TRY_VOID(CallSoon(ts, f, HandleObject::kCall, (*entry)[0], Value(f), (*entry)[1]));
  }
  return Ok();
}

// The callbacks as _callbacks shows them: a list of tuples.
Result<ListObject> Callbacks(ThreadState& ts, FutureObject* f) {
  MVM_TRY(Ref<ListObject> all, NewList(ts, {}));
  if (f->callback.is_null()) return all;
  Ref<> function = Ref<>::Borrow(f->callback);
  if (f->wakes) {
    MVM_TRY(function, WakeupFunction(ts, function));
  }
  Value pair[] = {function, f->context};
  MVM_TRY(Ref<TupleObject> first, NewTuple(ts, pair));
  MVM_TRY_VOID(ListAppend(ts, all, first));
  if (f->more != nullptr) {
    const Ref<ListObject> more = Ref<ListObject>::Borrow(f->more);
    MVM_TRY_VOID(ListExtend(ts, all, Value(more.get())));
  }
  return all;
}

Status future_init(ThreadState& ts, Value self, Value loop) {
  return FutureInit(ts, Fut(self), loop);
}
Result<> future_init_method(ThreadState& ts, Args args) {
  MVM_TRY_VOID(future_init(ts, args[0], args[1]));
  return None(ts);
}
Result<> future_new(ThreadState& ts, TypeObject* cls, Args) { return AllocInstance(ts, cls); }

Result<> future_done(ThreadState& ts, Args args) {
  return Bool(ts, Fut(args[0])->state > FutureState::kPending);
}
Result<> future_cancelled(ThreadState& ts, Args args) {
  return Bool(ts, Fut(args[0])->state == FutureState::kCancelled);
}

Raised RefuseOutcome(ThreadState& ts, FutureObject* f, const char* message) {
  if (f->state == FutureState::kCancelled) {
    MVM_TRY(Ref<> error, CancelledError(ts, f));
    return RaiseObject(ts, error);
  }
  MVM_TRY(StateObject * module, StateOf(ts));
  return RaiseOf(ts, module->invalid_state,
                 f->state == FutureState::kNone ? "Future object is not initialized." : message);
}
Result<> Outcome(ThreadState& ts, FutureObject* f) {
  if (MVM_UNLIKELY(f->state != FutureState::kFinished))
    return RefuseOutcome(ts, f, "Result is not set.");
  if (MVM_LIKELY(!f->failed)) return Result<>::Borrow(f->result);
  MVM_TRY(Ref<> error, TakeFailure(ts, f));
  return RaiseObject(ts, error);
}
Result<> future_result(ThreadState& ts, Args args) { return Outcome(ts, Fut(args[0])); }
Result<> future_exception(ThreadState& ts, Args args) {
  FutureObject* f = Fut(args[0]);
  if (f->state != FutureState::kFinished) return RefuseOutcome(ts, f, "Exception is not set.");
  f->unread = false;
  return f->failed ? Result<>::Borrow(f->result) : None(ts);
}
Result<> future_set_result(ThreadState& ts, Args args) {
  MVM_TRY_VOID(SetResult(ts, Fut(args[0]), args[1]));
  return None(ts);
}
Result<> future_set_exception(ThreadState& ts, Args args) {
  MVM_TRY_VOID(SetException(ts, Fut(args[0]), args[1]));
  return None(ts);
}
Result<> future_cancel(ThreadState& ts, Args args) {
  MVM_TRY_VOID(ExpectReady(ts, Fut(args[0])));
  MVM_TRY(bool done, CancelFuture(ts, Fut(args[0]), args[1]));
  return Bool(ts, done);
}
Result<> future_make_cancelled_error(ThreadState& ts, Args args) {
  return CancelledError(ts, Fut(args[0]));
}
Result<> future_get_loop(ThreadState& ts, Args args) {
  MVM_TRY_VOID(ExpectReady(ts, Fut(args[0])));
  return Result<>::Borrow(Fut(args[0])->loop);
}

Result<> future_add_done_callback(ThreadState& ts, Args args) {
  FutureObject* f = Fut(args[0]);
  if (f->state == FutureState::kNone)
    return Raise(ts, Exc::kRuntimeError, "uninitialized Future object");
  Ref<> context = Ref<>::Borrow(args[2]);
  if (IsNone(ts, context)) {
    MVM_TRY(context, CopyContext(ts));
  }
  if (f->state == FutureState::kPending) {
    MVM_TRY_VOID(AddCallback(ts, f, args[1], context, false));
  } else {
    MVM_TRY_VOID(CallSoon(ts, f, HandleObject::kCall, args[1], args[0], context));
  }
  return None(ts);
}

Result<> future_remove_done_callback(ThreadState& ts, Args args) {
  FutureObject* f = Fut(args[0]);
  MVM_TRY_VOID(ExpectReady(ts, f));
  MVM_TRY(Ref<ListObject> before, Callbacks(ts, f));
  MVM_TRY(Ref<ListObject> kept, NewList(ts, {}));
  // Comparing runs script code, which may do anything but reach these two lists.
  for (size_t i = 0; i < before->size; ++i) {
    const Value entry = before->items[i];
    MVM_TRY(bool same, EqualValues(ts, (*entry.as<TupleObject>())[0], args[1]));
    if (!same) MVM_TRY_VOID(ListAppend(ts, kept, entry));
  }
  const size_t removed = before->size - kept->size;
  if (removed > 0 && f->state == FutureState::kPending) {
    const Ref<> callback = Ref<>::Steal(std::exchange(f->callback, Value()));
    const Ref<> context = Ref<>::Steal(std::exchange(f->context, Value()));
    const Ref<ListObject> more = Ref<ListObject>::Steal(std::exchange(f->more, nullptr));
    f->wakes = false;
    for (size_t i = 0; i < kept->size; ++i) {
      const TupleObject* entry = kept->items[i].as<TupleObject>();
      MVM_TRY_VOID(AddCallback(ts, f, (*entry)[0], (*entry)[1], false));
    }
  }
  return Small(static_cast<int64_t>(removed));
}

Result<> future_repr(ThreadState& ts, Value self) {
  MVM_TRY_VOID(ExpectReady(ts, Fut(self)));
  return CallScript(ts, "base_futures", "_future_repr", {&self, 1});
}

// ---- attributes ----

Result<> get_state(ThreadState& ts, Value self) {
  MVM_TRY_VOID(ExpectReady(ts, Fut(self)));
  constexpr const char* kTexts[] = {"", "PENDING", "CANCELLED", "FINISHED"};
  return InternUtf8(ts, kTexts[static_cast<int>(Fut(self)->state)]);
}
Result<> get_blocking(ThreadState& ts, Value self) { return Bool(ts, Fut(self)->blocking); }
Status SetFlag(ThreadState& ts, Value v, bool* flag) {
  if (v.is_null()) return Raise(ts, Exc::kAttributeError, "cannot delete attribute");
  MVM_TRY(*flag, Truth(ts, v));
  return Ok();
}
Status set_blocking(ThreadState& ts, Value self, Value v) {
  MVM_TRY_VOID(ExpectReady(ts, Fut(self)));
  return SetFlag(ts, v, &Fut(self)->blocking);
}
Result<> get_loop(ThreadState& ts, Value self) {
  return Result<>::Borrow(OrNone(ts, Fut(self)->loop));
}
Result<> get_callbacks(ThreadState& ts, Value self) {
  MVM_TRY_VOID(ExpectReady(ts, Fut(self)));
  if (Fut(self)->callback.is_null()) return None(ts);
  return Callbacks(ts, Fut(self));
}
Result<> get_result(ThreadState& ts, Value self) {
  FutureObject* f = Fut(self);
  MVM_TRY_VOID(ExpectReady(ts, f));
  return Result<>::Borrow(OrNone(ts, f->failed ? Value() : f->result));
}
Result<> get_exception(ThreadState& ts, Value self) {
  FutureObject* f = Fut(self);
  MVM_TRY_VOID(ExpectReady(ts, f));
  return Result<>::Borrow(OrNone(ts, f->failed ? f->result : Value()));
}
Result<> get_log_traceback(ThreadState& ts, Value self) {
  MVM_TRY_VOID(ExpectReady(ts, Fut(self)));
  return Bool(ts, Fut(self)->unread);
}
Status set_log_traceback(ThreadState& ts, Value self, Value v) {
  bool wanted = false;
  MVM_TRY_VOID(SetFlag(ts, v, &wanted));
  if (wanted) return Raise(ts, Exc::kValueError, "_log_traceback can only be set to False");
  Fut(self)->unread = false;
  return Ok();
}
Result<> get_source_traceback(ThreadState& ts, Value self) {
  return Result<>::Borrow(OrNone(ts, Fut(self)->source_traceback));
}
Result<> get_cancel_message(ThreadState& ts, Value self) {
  return Result<>::Borrow(OrNone(ts, Fut(self)->message));
}
Status set_cancel_message(ThreadState& ts, Value self, Value v) {
  if (v.is_null()) return Raise(ts, Exc::kAttributeError, "cannot delete attribute");
  Store(Fut(self)->message, v);
  return Ok();
}

const MethodSpec kFutureMethods[] = {
    {"__class_getitem__(cls, object, /)", ClassGetItem, "See PEP 585", kMethodClass},
    {"_make_cancelled_error(self, /)", future_make_cancelled_error,
     "The CancelledError to raise if the future is cancelled."},
    {"add_done_callback(self, fn, /, *, context=None)", future_add_done_callback,
     "Have fn(future) called when the future is done; soon, if it is."},
    {"cancel(self, /, msg=None)", future_cancel,
     "Cancel the future; False if it was done already."},
    {"cancelled(self, /)", future_cancelled, "Whether the future is cancelled."},
    {"done(self, /)", future_done,
     "Whether there is a result or exception, or the future is cancelled."},
    {"exception(self, /)", future_exception,
     "The exception, or None if there is a result. InvalidStateError if nothing is there yet."},
    {"get_loop(self, /)", future_get_loop, "The loop of the future."},
    {"remove_done_callback(self, fn, /)", future_remove_done_callback,
     "Take all callbacks equal to fn back; returns how many there were."},
    {"result(self, /)", future_result,
     "The result, or the exception raised. InvalidStateError if it is not there yet."},
    {"set_exception(self, exception, /)", future_set_exception,
     "Give the future an exception or exception class. InvalidStateError if it is done."},
    {"set_result(self, result, /)", future_set_result,
     "Give the future its result. InvalidStateError if it is done."},
};
const GetSetSpec kFutureGetSets[] = {
    {"_asyncio_future_blocking", get_blocking, set_blocking},
    {"_callbacks", get_callbacks},
    {"_cancel_message", get_cancel_message, set_cancel_message},
    {"_exception", get_exception},
    {"_log_traceback", get_log_traceback, set_log_traceback},
    {"_loop", get_loop},
    {"_result", get_result},
    {"_source_traceback", get_source_traceback},
    {"_state", get_state},
};

// ---- what await runs through ----

FutureIterObject* Iter(Value v) { return v.as<FutureIterObject>(); }

Result<> iter_next(ThreadState& ts, Value self) {
  FutureIterObject* it = Iter(self);
  if (it->future.is_null()) return Result<>::Done();
  FutureObject* f = Fut(it->future);
  if (f->state == FutureState::kPending) {
    if (f->blocking) return Raise(ts, Exc::kRuntimeError, "await wasn't used with future");
    f->blocking = true;
    return Result<>::Borrow(Value(f));
  }
  const Ref<> held = Ref<>::Steal(std::exchange(it->future, Value()));
  MVM_TRY(Ref<> value, Outcome(ts, f));
  if (IsNone(ts, value)) return Result<>::Done();
  return RaiseStopIteration(ts, value);
}
Result<> iter_send(ThreadState& ts, Args args) {
  Result<> r = iter_next(ts, args[0]);
  if (!r.raised() && r.done()) return RaiseStopIteration(ts, ts.rt->none);
  return r;
}
Result<> iter_throw(ThreadState& ts, Args args) {
  MVM_TRY_VOID(RaiseThrown(ts, args[1], args.get(2, Value()), args.get(3, Value())));
  const Ref<> error = TakePending(ts);
  { const Ref<> dropped = Ref<>::Steal(std::exchange(Iter(args[0])->future, Value())); }
  return RaiseObject(ts, error);
}
Result<> iter_close(ThreadState& ts, Args args) {
  const Ref<> dropped = Ref<>::Steal(std::exchange(Iter(args[0])->future, Value()));
  return None(ts);
}
Result<> iter_iter(ThreadState& ts, Value self) { return Result<>::Borrow(self); }

const MethodSpec kIterMethods[] = {
    {"close(self, /)", iter_close},
    {"send(self, value, /)", iter_send},
    {"throw(self, type, value=<unrepresentable>, traceback=<unrepresentable>, /)", iter_throw},
};

}  // namespace

Status FutureInit(ThreadState& ts, FutureObject* f, Value loop) {
  MVM_TRY(StateObject * module, StateOf(ts));
  const Ref<> self = Ref<>::Borrow(Value(f));
  Ref<> owner = Ref<>::Borrow(loop);
  if (loop.is_null() || IsNone(ts, loop)) {
    MVM_TRY(owner, CallScript(ts, "events", "get_event_loop", {}));
  }
  MVM_TRY(bool debug, IsDebugging(ts, module, owner));
  Ref<> origin;
  if (debug) {
    MVM_TRY(origin, SourceTraceback(ts));
  }
  // What an __init__ before this one has left goes.
  for (Value* slot :
       {&f->callback, &f->context, &f->result, &f->traceback, &f->message, &f->cancelled_error}) {
    Store(*slot, Value());
  }
  const Ref<ListObject> more = Ref<ListObject>::Steal(std::exchange(f->more, nullptr));
  Store(f->source_traceback, origin);
  MVM_TRY(f->in_scheduler, IsKind(ts, owner, kSchedulerType));
  Store(f->loop, owner);
  if (f->module == nullptr) f->module = Ref<StateObject>::Borrow(module).Release();
  f->state = FutureState::kPending;
  f->failed = f->blocking = f->unread = f->wakes = false;
  return Ok();
}

Status AddCallback(ThreadState& ts, FutureObject* f, Value callback, Value context, bool wakes) {
  if (MVM_LIKELY(f->callback.is_null())) {
    f->callback = Ref<>::Borrow(callback).Release();
    f->context = Ref<>::Borrow(context).Release();
    f->wakes = wakes;
    return Ok();
  }
  Ref<> function = Ref<>::Borrow(callback);
  if (wakes) {
    MVM_TRY(function, WakeupFunction(ts, callback));
  }
  Value pair[] = {function, context};
  MVM_TRY(Ref<TupleObject> entry, NewTuple(ts, pair));
  if (f->more == nullptr) {
    MVM_TRY(Ref<ListObject> more, NewList(ts, {}));
    f->more = more.Release();
  }
  return ListAppend(ts, f->more, entry);
}

Status SetResult(ThreadState& ts, FutureObject* f, Value result) {
  MVM_TRY_VOID(ExpectPending(ts, f));
  f->result = Ref<>::Borrow(result).Release();
  f->state = FutureState::kFinished;
  return Notify(ts, f);
}

Status SetException(ThreadState& ts, FutureObject* f, Value exception) {
  MVM_TRY_VOID(ExpectPending(ts, f));
  Ref<> error = Ref<>::Borrow(exception);
  if (IsType(ts, error) && error.as<TypeObject>()->has_flag(kTypeExceptionSubclass)) {
    MVM_TRY(error, Call(ts, exception));
    MVM_TRY_VOID(ExpectPending(ts, f));
  }
  if (!IsException(ts, error)) return Raise(ts, Exc::kTypeError, "invalid exception object");
  if (IsInstance(ts, error, ExcType(ts, Exc::kStopIteration))) {
    // It would end the generator behind the await.
    MVM_TRY(Ref<> text, NewStr(ts,
                               "StopIteration interacts badly with generators and cannot be "
                               "raised into a Future"));
    MVM_TRY(Ref<> wrapped, NewException(ts, Exc::kRuntimeError, text));
    Store(wrapped.as<ExceptionObject>()->cause, error);
    Store(wrapped.as<ExceptionObject>()->context, error);
    wrapped.as<ExceptionObject>()->suppress_context = true;
    error = wrapped;
  }
  Store(f->traceback, error.as<ExceptionObject>()->traceback);
  f->result = error.Release();
  f->failed = f->unread = true;
  f->state = FutureState::kFinished;
  return Notify(ts, f);
}

Result<bool> CancelFuture(ThreadState& ts, FutureObject* f, Value message) {
  f->unread = false;
  if (f->state != FutureState::kPending) return false;
  Store(f->message, IsNone(ts, message) ? Value() : message);
  f->state = FutureState::kCancelled;
  MVM_TRY_VOID(Notify(ts, f));
  return true;
}

Result<> CancelledError(ThreadState& ts, FutureObject* f) {
  if (!f->cancelled_error.is_null())
    return Result<>::Steal(std::exchange(f->cancelled_error, Value()));
  MVM_TRY(StateObject * module, StateOf(ts));
  const Ref<> message = Ref<>::Borrow(f->message);
  const Value type = Value(module->cancelled_error);
  return message.is_null() || IsNone(ts, message) ? Call(ts, type) : Call(ts, type, message);
}

Result<> TakeFailure(ThreadState& ts, FutureObject* f) {
  if (f->state == FutureState::kCancelled) return CancelledError(ts, f);
  if (!f->failed) return Result<>::Steal(Value::Absent());
  f->unread = false;
  const Ref<> error = Ref<>::Borrow(f->result);
  Store(error.as<ExceptionObject>()->traceback, f->traceback);
  return Result<>::Borrow(error);
}

Status TellLoop(ThreadState& ts, FutureObject* f, StrObject* message, const char* role,
                Value exception) {
  MVM_TRY(Ref<DictObject> facts, NewDict(ts));
  MVM_TRY_VOID(DictSetUtf8(ts, facts, "message", Value(message)));
  if (!exception.is_null()) MVM_TRY_VOID(DictSetUtf8(ts, facts, "exception", exception));
  MVM_TRY_VOID(DictSetUtf8(ts, facts, role, Value(f)));
  if (!f->source_traceback.is_null())
    MVM_TRY_VOID(DictSetUtf8(ts, facts, "source_traceback", f->source_traceback));
  const Ref<> loop = Ref<>::Borrow(f->loop);
  MVM_TRY(Ref<> ignored,
          CallMethod(ts, loop, f->module->name(Name::kcall_exception_handler), Value(facts.get())));
  return Ok();
}

Status future_finalize(ThreadState& ts, Value self) {
  FutureObject* f = Fut(self);
  if (MVM_LIKELY(!f->unread)) return Ok();
  f->unread = false;
  const Ref<> error = Ref<>::Borrow(f->result);
  MVM_TRY(Ref<StrObject> text,
          Format(ts, "%U exception was never retrieved", Value(TypeOf(ts, self)->name)));
  return TellLoop(ts, f, text, "future", error);
}

Result<> FutureIter(ThreadState& ts, Value self) {
  MVM_TRY_VOID(ExpectReady(ts, Fut(self)));
  MVM_TRY(TypeObject * type, TypeForSpec(ts, kFutureIterType));
  MVM_TRY_VOID(TypeReady(ts, type));
  MVM_TRY(Ref<FutureIterObject> it, New<FutureIterObject>(ts, type->shape_id_exact));
  it->future = Ref<>::Borrow(self).Release();
  Track(it);
  return it;
}

const TypeSpec kFutureType = {
    .name = "_asyncio.Future",
    .doc =
        "A result, an exception or a cancellation that somebody waits for.\n"
        "\n"
        "Callbacks are never called at once but by the loop, in the context they were added "
        "with. Not thread-safe. If an exception was set that nobody has asked for, the loop's "
        "exception handler is told when the future goes.",
    .flags = kTypeBase | kTypeWeakrefs | kTypeHasFinalizer,
    .size = sizeof(FutureObject),
    .gc = GcHooksOf<FutureObject>(),
    .slots = {.repr = future_repr,
              .iter = FutureIter,
              .new_ = future_new,
              .finalize = future_finalize,
              .await = FutureIter},
    .init = {"Future(self, *, loop=None)", future_init_method},
    .methods = kFutureMethods,
    .getsets = kFutureGetSets,
};
const TypeSpec kFutureIterType = {
    .name = "_asyncio.FutureIter",
    .flags = kTypeNoNew,
    .size = sizeof(FutureIterObject),
    .gc = GcHooksOf<FutureIterObject>(),
    .slots = {.iter = iter_iter, .next = iter_next},
    .methods = kIterMethods,
};

}  // namespace minivm::aio
